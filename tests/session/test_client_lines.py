"""Tests of `meteor_net.session.client_lines`: history, places, and lines that change others."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.chat.message import ChatMessage
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

    def test_all_of_a_line(self) -> None:
        """All that a line carries is shown; a kind that we do not know stays a number."""
        more = [3, "u1", ["u1", "u3"], {"x": 1}, 1, [["👍", 2, True]]]
        self.server.say(wire.History(7, CHAT_EPOCH, 2, False, [[0, 5, 6, 70, "u2", "Bob", "hi", "c", *more]]))
        (heard,) = self.server.found(values.LineHeard)
        self.assertEqual(heard.line, ChatMessage(
            text="hi", channel="chat", kind=70, sender="u2", name="Bob", time=5, tick=6, offset=0, cid="c", about=3, to="u1",
            mentions=("u1", "u3"), data={"x": 1}, edited=True, reactions={"👍": (2, True)},
        ))  # fmt: skip
        self.server.say(wire.Line(7, 2, 5, 6, 0, "u2", "Bob", "", state=2))
        (heard,) = self.server.found(values.LineHeard)
        self.assertTrue(heard.line.deleted)

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

    def test_gap_and_nothing_after_it(self) -> None:
        """A channel that has begun anew, and is empty yet: what was held of the old one is no part of it."""
        self.server.say(history(0, 1))
        self.again(channels=[(7, "chat", 99, 0)])
        self.server.say(history(epoch=99, gap=True))
        chat = self.server.room.lines.chat
        self.assertEqual((list(chat.message_history), chat.find(1)), ([], None))

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

    def test_newcomer(self) -> None:
        """A newcomer's history has holes where changes were: that is no gap."""
        self.server.say(history(2, 5), line(6))
        self.assertEqual(self.heard(), [(2, False), (5, False), (6, True)])
        self.assertEqual(self.server.found(values.GapFound), [])
        self.again()
        self.assertEqual(self.server.room.lines.places(), {"chat": [CHAT_EPOCH, 6]})

    def test_bad_history(self) -> None:
        """A line that is none ends the connection."""
        self.server.say(wire.History(7, CHAT_EPOCH, 1, False, [["x"]]))
        self.assertEqual([goodbye.code for goodbye in self.server.found(wire.Goodbye)], [4500])


class ChangeTests(SynchronousTestCase):
    """Lines that change others, live and from the history."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.enter()
        self.server.say(line(0), line(1))

    def told(self) -> list[tuple[str, int, str]]:
        """What was told of lines."""
        return [(type(value).__name__, value.line.offset, value.line.text)
                for value in self.server.told if isinstance(value, values.LineHeard | values.LineChanged)]  # fmt: skip

    def shown(self, offset: int) -> ChatMessage:
        """A line as the history has it."""
        found = self.server.room.lines.chat.find(offset)
        assert found is not None
        return found

    def test_live(self) -> None:
        """A change is told with the line as it reads now, and takes an offset like any line."""
        self.server.say(
            wire.Line(7, 2, 5, 6, LineKind.EDIT, "u2", "Bob", "ho", about=0),
            wire.Line(7, 3, 5, 6, LineKind.REACTION, "u1", "Ann", "👍", about=1, reactions=[("👍", 4, False)]),
            line(4),
        )
        self.assertEqual(self.told(), [("LineChanged", 0, "ho"), ("LineChanged", 1, "hi"), ("LineHeard", 4, "hi")])
        self.assertEqual(self.server.found(values.GapFound), [])
        self.assertEqual(self.shown(1).reactions, {"👍": (4, True)})
        self.assertEqual(self.server.room.lines.counters["lines"], 3)

    def test_held_already(self) -> None:
        """A change at or below the place that we hold is in what we have."""
        self.server.say(wire.Line(7, 1, 5, 6, LineKind.EDIT, "u2", "Bob", "ho", about=0))
        self.assertEqual((self.told(), self.shown(0).text), ([], "hi"))

    def test_unknown_target(self) -> None:
        """A change of a line that we never had is not told, and is held."""
        self.server.say(wire.Line(7, 2, 5, 6, LineKind.DELETE, "u2", "Bob", "", about=77))
        self.assertEqual(self.told(), [])
        self.assertEqual(self.server.room.lines.places(), {"chat": [CHAT_EPOCH, 2]})

    def test_resumed(self) -> None:
        """Who was away learns what became of lines that it has; lines that it missed come as they read now."""
        self.server.lose()
        self.server.open()
        self.server.welcome()
        reaction = [4, 5, 6, 3, "u2", "Bob", "👍", "", 2, "", [], None, 0, [["👍", 1, False]]]
        missed = [
            [2, 5, 6, 0, "u2", "Bob", "new", "", -1, "", [], None, 1, [["👍", 1, False]]],
            [3, 5, 6, 5, "u2", "Bob", "", "", 2],
            reaction,
            [5, 5, 6, 5, "u2", "Bob", "new", "", 2],
            [6, 5, 6, 6, "u2", "Bob", "", "", 1],
        ]
        self.server.say(self.server.joined(schema=None), wire.History(7, CHAT_EPOCH, 7, False, missed))
        self.assertEqual(self.told(), [("LineHeard", 2, "new"), ("LineChanged", 1, "")])
        self.assertEqual((self.shown(1).deleted, self.shown(2).edited), (True, True))
        self.assertEqual(self.shown(2).reactions, {"👍": (1, False)})
        self.assertEqual(self.server.room.lines.places(), {"chat": [CHAT_EPOCH, 6]})
