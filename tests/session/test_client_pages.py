"""Tests of `meteor_net.session.client_pages`: lines from before."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.errors import Refused
from meteor_net.messages import LineKind
from meteor_net.session import client_values as values
from meteor_net.session.client_pages import MAX_WANTED

from .scripted import CHAT_EPOCH, ScriptedServer
from .test_client_lines import items


class PageTests(SynchronousTestCase):
    """A client that heard the lines 10 and 11."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined())
        self.chat = self.server.room.lines.chat

    def heard(self) -> None:
        """Hear the history."""
        self.server.say(wire.History(7, CHAT_EPOCH, 12, False, [items(10), items(11)]))

    def ask(self, limit: int = 2, channel: str = "") -> int:
        """Ask for a page."""
        key = self.chat.earlier(limit, channel)
        self.server.take()
        return key

    def asked(self) -> list[tuple[int, int, int]]:
        """What the server was asked for last."""
        return [(ask.channel, ask.before, ask.limit) for ask in self.server.found(wire.Earlier)]

    def page(self, before: int, *offsets: int, more: bool = True, epoch: int = CHAT_EPOCH) -> wire.Page:
        """Make a page."""
        return wire.Page(7, epoch, before, more, [items(offset) for offset in offsets])

    def told(self) -> list[Any]:
        """Pages and refusals that were told last: offsets and `more`, or the reason."""
        return [
            (value.key, [line.offset for line in value.page.messages], value.page.more)
            if isinstance(value, values.PageHeard)
            else (value.key, value.reason)
            for value in self.server.told
            if isinstance(value, values.PageHeard | values.PageRefused)
        ]

    def test_pages(self) -> None:
        """Each page is from before the last one; at the beginning the server is not asked."""
        self.heard()
        key = self.ask()
        self.assertEqual(self.asked(), [(7, 10, 2)])
        self.server.say(self.page(10, 5, 8))
        self.assertEqual(self.told(), [(key, [5, 8], True)])
        self.assertEqual([line.offset for line in self.chat.message_history], [5, 8, 10, 11])
        self.ask(100)
        self.assertEqual(self.asked(), [(7, 5, 100)])
        self.server.say(self.page(5, 0, more=False))
        self.assertEqual(self.told(), [(key + 1, [0], False)])
        self.assertEqual(self.server.found(values.LineHeard), [])
        self.ask()
        self.assertEqual((self.asked(), self.told()), ([], [(key + 2, [], False)]))

    def test_one_after_the_other(self) -> None:
        """Two pages that are asked for at once are two pages."""
        self.heard()
        first, second = self.ask(), self.ask()
        self.assertEqual(self.asked(), [])
        self.server.say(self.page(10, 8))
        self.assertEqual((self.told(), self.asked()), ([(first, [8], True)], [(7, 8, 2)]))
        self.server.say(self.page(10, 8), self.page(8))
        self.assertEqual(self.told(), [(second, [], True)])
        self.ask()
        self.assertEqual(self.told(), [(second + 1, [], False)])

    def test_before_the_history(self) -> None:
        """It is asked for when the history is there."""
        self.ask()
        self.assertEqual(self.asked(), [])
        self.heard()
        self.assertEqual(self.asked(), [(7, 10, 2)])

    def test_no_lines(self) -> None:
        """A channel whose newest lines are none may have older ones, but for a new one."""
        self.server.say(wire.History(7, CHAT_EPOCH, 12, False, []))
        self.ask()
        self.assertEqual(self.asked(), [(7, 12, 2)])

    def test_lost(self) -> None:
        """What a lost connection did not answer is asked for again, once the history is there."""
        self.heard()
        key = self.ask()
        self.server.lose()
        other = self.ask()
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None))
        self.assertEqual(self.asked(), [])
        self.server.say(wire.History(7, CHAT_EPOCH, 12, False, []))
        self.assertEqual(self.asked(), [(7, 10, 2)])
        self.server.say(self.page(10, 8), self.page(8, 0, more=False))
        self.assertEqual(self.told(), [(key, [8], True), (other, [0], False)])

    def test_gap(self) -> None:
        """After a gap, pages go back from the newest lines."""
        self.heard()
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None), wire.History(7, CHAT_EPOCH, 900, True, [items(899)]))
        self.ask()
        self.assertEqual(self.asked(), [(7, 899, 2)])

    def test_refused(self) -> None:
        """ERROR refuses the page that was asked for; the next one is asked for then."""
        self.heard()
        first, _ = self.ask(), self.ask()
        self.server.say(wire.ErrorMessage(5, "slow-down", "!"))
        self.assertEqual((self.told(), self.asked()), ([(first, "slow-down")], [(7, 10, 2)]))
        self.server.say(self.page(10, 8))
        self.server.say(wire.ErrorMessage(5, "slow-down", "!"))
        self.assertEqual(self.server.told, [])

    def test_no_such_channel(self) -> None:
        """A channel that is not there has no pages."""
        self.heard()
        key = self.ask(channel="moon")
        self.assertEqual(self.told(), [(key, "refused")])

    def test_no_answer(self) -> None:
        """A page is not awaited for ever; one that comes late is not taken."""
        self.heard()
        key = self.ask()
        self.server.pass_time(29.0)
        self.server.say(wire.Pong(1, 0))
        self.assertEqual(self.told(), [])
        self.server.pass_time(1.5)
        self.assertEqual(self.told(), [(key, "failed")])
        self.server.say(self.page(10, 8))
        self.assertEqual((self.told(), len(self.chat.message_history)), ([], 2))

    def test_another_epoch(self) -> None:
        """Lines of another log are not mixed with these."""
        self.heard()
        key = self.ask()
        self.server.say(self.page(10, 8, epoch=5))
        self.assertEqual(self.told(), [(key, "failed")])

    def test_bounded(self) -> None:
        """So many wait, and no more."""
        keys = [self.ask() for _ in range(MAX_WANTED)]
        with self.assertRaises(Refused) as caught:
            self.ask()
        self.assertEqual(caught.exception.reason, "slow-down")
        self.server.say(wire.Left(3, "kicked", "bye"))
        self.assertEqual(self.told(), [(key, "kicked") for key in keys])

    def test_changed_afterwards(self) -> None:
        """A line of a page changes like any other."""
        self.heard()
        self.ask()
        self.server.say(self.page(10, 7, 8), wire.Line(7, 12, 5, 6, LineKind.EDIT, "u2", "Bob", "ho", about=8))
        (changed,) = self.server.found(values.LineChanged)
        self.assertEqual((changed.line.offset, changed.line.text), (8, "ho"))
        self.assertEqual([line.text for line in self.chat.message_history], ["hi", "ho", "hi", "hi"])

    def test_bad_page(self) -> None:
        """A line that is none ends the connection."""
        self.heard()
        self.ask()
        self.server.say(wire.Page(7, CHAT_EPOCH, 10, False, [["x"]]))
        self.assertEqual([goodbye.code for goodbye in self.server.found(wire.Goodbye)], [4500])
