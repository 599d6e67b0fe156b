"""Tests of `meteor_net.session.client_lines`: history, places, and lines of our own."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.errors import Refused
from meteor_net.messages import LineKind
from meteor_net.session import client_values as values

from .scripted import CHAT_EPOCH, ScriptedServer


def items(offset: int, text: str = "hi", kind: int = 0) -> list[Any]:
    """Make a line as it stands in HISTORY."""
    return [offset, 5, 6, kind, "u2", "Bob", text]


def line(offset: int, text: str = "hi", channel: int = 7) -> wire.Line:
    """Make a line as it comes live."""
    return wire.Line(channel, offset, 5, 6, 0, "u2", "Bob", text)


def history(*offsets: int, epoch: int = CHAT_EPOCH, gap: bool = False) -> wire.History:
    """Make a HISTORY of lines at these offsets."""
    after = max(offsets, default=-1) + 1
    return wire.History(7, epoch, after, gap, [items(offset) for offset in offsets])


class HearingTests(SynchronousTestCase):
    """Each line is heard once."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined())

    def heard(self) -> list[tuple[int, bool]]:
        """Offsets heard last, and whether they were live."""
        return [(value.line.offset, value.live) for value in self.server.found(values.LineHeard)]

    def again(self, **changes: Any) -> None:
        """Lose the connection and join again."""
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None, **changes))

    def test_history_then_live(self) -> None:
        """The lines of before come first, then those that are said."""
        self.server.say(history(0, 1), line(1), line(2))
        self.assertEqual(self.heard(), [(0, False), (1, False), (2, True)])
        shown = self.server.room.lines.chat.message_history[-1]
        self.assertEqual(
            (shown.channel, shown.sender, shown.name, shown.text, shown.time, shown.tick),
            ("chat", "u2", "Bob", "hi", 5, 6),
        )

    def test_notice(self) -> None:
        """Who said it, the game or a player, is kept apart."""
        self.server.say(wire.History(7, CHAT_EPOCH, 1, False, [items(0, "!", 1)]))
        (heard,) = self.server.found(values.LineHeard)
        self.assertIs(heard.line.kind, LineKind.NOTICE)

    def test_resumed(self) -> None:
        """After a loss, what was held is named, and only what is new is heard."""
        self.server.say(history(0, 1))
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.assertEqual(self.server.found(wire.Join)[0].places["channels"], {"chat": [CHAT_EPOCH, 1]})
        self.server.say(self.server.joined(schema=None), history(1, 2))
        self.assertEqual(self.heard(), [(2, False)])

    def test_number_changes(self) -> None:
        """A channel keeps its place under another number."""
        self.server.say(history(0, 1))
        self.again(channels=[(9, "chat", CHAT_EPOCH, 2)])
        self.server.say(wire.History(9, CHAT_EPOCH, 3, False, [items(2)]))
        self.assertEqual(self.heard(), [(2, False)])

    def test_no_place_before_history(self) -> None:
        """A channel whose history never came names no place."""
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.assertNotIn("channels", self.server.found(wire.Join)[0].places)

    def test_gap(self) -> None:
        """What cannot be given is said plainly, and the newest lines replace what was shown."""
        self.server.say(history(0, 1))
        self.again(channels=[(7, "chat", 99, 5)])
        self.server.say(history(3, 4, epoch=99, gap=True))
        self.assertEqual(self.server.told[0], values.GapFound("game/a", "chat"))
        self.assertEqual(self.heard(), [(3, False), (4, False)])
        offsets = [each.offset for each in self.server.room.lines.chat.message_history]
        self.assertEqual(offsets, [3, 4])

    def test_hole(self) -> None:
        """A hole in the offsets is a gap, but not before the history came."""
        self.server.say(line(5))
        self.assertEqual(self.heard(), [(5, True)])
        self.assertEqual(self.server.found(values.GapFound), [])
        self.server.say(history(0), line(3))
        self.assertEqual(self.server.found(values.GapFound), [values.GapFound("game/a", "chat")])

    def test_bad_history(self) -> None:
        """A line that is none ends the connection."""
        self.server.say(wire.History(7, CHAT_EPOCH, 1, False, [["x"]]))
        self.assertEqual([goodbye.code for goodbye in self.server.found(wire.Goodbye)], [4500])


class SayingTests(SynchronousTestCase):
    """A line of ours is kept once, however many connections that takes."""

    def setUp(self) -> None:
        self.queued = 0
        self.server = ScriptedServer(line_queued=self.count)
        self.server.enter()

    def count(self) -> None:
        """Count how often the shell was asked to look."""
        self.queued += 1

    def test_kept(self) -> None:
        """SAID tells the place."""
        cid = self.server.session.say(self.server.room, "hello")
        self.server.take()
        self.assertEqual(self.server.said, [wire.Say(7, cid, 0, "hello")])
        self.assertEqual(self.queued, 1)
        self.server.say(wire.Said(7, cid, 12), wire.Said(7, cid, 12))
        self.assertEqual(self.server.told, [values.LineKept("game/a", cid, 12)])

    def test_refused(self) -> None:
        """UNSAID tells why, once."""
        cid = self.server.session.say(self.server.room, "hello", cid="mine")
        self.assertEqual(cid, "mine")
        unsaid = wire.Unsaid(7, cid, "slow-down", "!")
        self.server.say(unsaid, unsaid)
        self.assertEqual(self.server.told, [values.LineRefused("game/a", cid, "slow-down", "!")])

    def test_said_again(self) -> None:
        """A line without an answer is said again, under the same id, on the next connection."""
        cid = self.server.session.say(self.server.room, "hello")
        self.server.take()
        self.server.lose()
        later = self.server.session.say(self.server.room, "still here?")
        self.server.take()
        self.assertEqual(self.server.said, [])
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None, channels=[(8, "chat", CHAT_EPOCH, 0)]))
        self.assertEqual(
            self.server.found(wire.Say),
            [wire.Say(8, cid, 0, "hello"), wire.Say(8, later, 0, "still here?")],
        )

    def test_no_such_channel(self) -> None:
        """A line for a channel that the room does not have is refused here."""
        cid = self.server.session.say(self.server.room, "hello", channel="moon")
        self.server.take()
        (refused,) = self.server.told
        assert isinstance(refused, values.LineRefused)
        self.assertEqual((refused.cid, refused.reason), (cid, "refused"))
        self.assertIn("moon", refused.text)

    def test_no_channels_at_all(self) -> None:
        """A room without channels takes no lines."""
        server = ScriptedServer()
        server.open()
        server.welcome()
        server.say(server.joined(channels=[]))
        server.session.say(server.room, "hello")
        server.take()
        self.assertEqual([type(value) for value in server.told], [values.LineRefused])

    def test_bad_text(self) -> None:
        """What the server would refuse anyway is refused at once."""
        for text in ("", " \n", "x" * 1_001):
            with self.assertRaises(Refused) as caught:
                self.server.session.say(self.server.room, text)
            self.assertEqual(caught.exception.reason, "bad-text")
