"""Tests of `meteor_net.chat.system`."""

from __future__ import annotations

from math import nan
from typing import Any

import cbor2
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.system import MAX_HISTORY_LINES, MAX_QUEUED_LINES, ChatMessage, ChatSystem, say
from meteor_net.errors import Refused
from meteor_net.limits import MAX_DATA_BYTES
from meteor_net.messages import LineKind, Say

UP = "👍"


class ChatCase(SynchronousTestCase):
    """A conversation whose lines go to a list."""

    def setUp(self) -> None:
        self.sent: list[ChatMessage] = []
        self.asked: list[tuple[int, str]] = []
        self.ids = iter(range(1_000))
        self.chat = ChatSystem(self.sent.append, lambda: f"c{next(self.ids)}", self.ask, line_chars=10)
        self.chat.user, self.chat.first_channel = "ann", "a"

    def ask(self, limit: int, channel: str) -> int:
        """Be asked for a page."""
        self.asked.append((limit, channel))
        return len(self.asked)

    def refuses(self, message: ChatMessage | str, reason: str = "bad-text") -> str:
        """Expect that a line is refused; give the text."""
        with self.assertRaises(Refused) as caught:
            self.chat.send_message(message)
        self.assertEqual(caught.exception.reason, reason)
        return str(caught.exception)


class SayingTests(ChatCase):
    """What is said is queued and handed on."""

    def test_send(self) -> None:
        """A line is queued under an id of its own, and handed on."""
        sent = self.chat.send_message("hello")
        self.assertEqual(sent, ChatMessage(text="hello", cid="c0"))
        self.assertEqual(self.sent, [sent])
        self.assertEqual(self.chat.message_queue, {"c0": sent})

    def test_send_message_value(self) -> None:
        """Of a message only what a player can say counts: who says it is not ours to say."""
        sent = self.chat.send_message(
            ChatMessage(text="hello", channel="team", kind=64, about=3, to="bob", data={"x": 1}, cid="mine",
                        sender="king", offset=4, edited=True)
        )  # fmt: skip
        self.assertEqual(sent, ChatMessage(text="hello", channel="team", kind=64, about=3, to="bob", data={"x": 1}, cid="mine"))
        self.assertEqual(say(sent, 7), Say(7, "mine", 64, "hello", 3, "bob", {"x": 1}))

    def test_verbs(self) -> None:
        """Each verb is a line of its kind."""
        self.chat.react(3, UP)
        self.chat.unreact(3, UP, "team")
        self.chat.edit(3, "better")
        self.chat.delete(3)
        self.chat.send_private("bob", "psst")
        self.assertEqual(
            [(line.kind, line.about, line.text, line.channel, line.to) for line in self.sent],
            [
                (LineKind.REACTION, 3, UP, "", ""),
                (LineKind.UNREACTION, 3, UP, "team", ""),
                (LineKind.EDIT, 3, "better", "", ""),
                (LineKind.DELETE, 3, "", "", ""),
                (LineKind.PRIVATE, -1, "psst", "", "bob"),
            ],
        )
        self.assertEqual(list(self.chat.message_queue.values()), self.sent)

    def test_answered(self) -> None:
        """An answered line leaves the queue, once."""
        sent = self.chat.send_message("hello")
        self.assertEqual(self.chat.answered("c0"), sent)
        self.assertIsNone(self.chat.answered("c0"))

    def test_bad_text(self) -> None:
        """Empty and over-long texts are refused, in characters and in bytes."""
        for text in ("", "  ", "x" * 11):
            self.refuses(text)
        self.chat.line_chars = 8_192
        self.refuses("ü" * 5_000)
        self.assertEqual((self.sent, self.chat.message_queue), ([], {}))

    def test_what_the_wire_does_not_carry(self) -> None:
        """Something that would end the connection is refused here."""
        self.refuses("\ud800")
        self.refuses(ChatMessage(text="x", about=-2))
        self.refuses(ChatMessage(text="x", kind=70_000))
        self.refuses(ChatMessage(text="x", to="u" * 65))
        self.refuses(ChatMessage(text="x", cid="c" * 37))
        for value in (nan, 2**60, object(), {1: 2}):
            self.refuses(ChatMessage(text="", kind=64, data=value))
        self.assertEqual(self.sent, [])

    def test_data(self) -> None:
        """A game's own line may have no text; its data has at most 4 KiB, encoded."""
        most = b"x" * (MAX_DATA_BYTES - 3)
        self.assertEqual(len(cbor2.dumps(most)), MAX_DATA_BYTES)
        self.assertEqual(self.chat.send_message(ChatMessage(text="", kind=64, data=most)).data, most)
        text = self.refuses(ChatMessage(text="", kind=64, about=3, to="bob", data=most + b"x"))
        self.assertIn(f"{MAX_DATA_BYTES + 1} bytes", text)

    def test_queue_is_bounded(self) -> None:
        """Lines do not pile up without end."""
        for _ in range(MAX_QUEUED_LINES):
            self.chat.send_message("x")
        self.refuses("x", "slow-down")


class Memory:
    """A store in memory."""

    def __init__(self) -> None:
        self.held: dict[str, ChatMessage] = {}
        self.full = False

    def lines(self) -> list[ChatMessage]:
        return [*self.held.values()]

    def put(self, line: ChatMessage) -> None:
        if self.full:
            raise Refused("no room", "failed")
        self.held[line.cid] = line

    def remove(self, cid: str) -> None:
        self.held.pop(cid, None)


class StoreTests(ChatCase):
    """Lines that wait are in a store too, if there is one."""

    def test_until_answered(self) -> None:
        """A line is there as long as it waits."""
        store = Memory()
        self.chat.keep(store)
        sent = self.chat.send_message("hello")
        self.assertEqual(store.lines(), [sent])
        self.chat.answered(sent.cid)
        self.assertEqual(store.lines(), [])

    def test_lines_of_before(self) -> None:
        """They wait again, before those that were said since, which are kept from now on."""
        store = Memory()
        old = ChatMessage(text="old", cid="x")
        store.put(old)
        sent = self.chat.send_message("new")
        self.chat.keep(store)
        self.assertEqual([*self.chat.message_queue.values()], [old, sent])
        self.assertEqual(store.lines(), [old, sent])
        self.chat.keep(store)
        self.assertEqual([*self.chat.message_queue.values()], [old, sent])
        self.assertEqual(self.chat.from_before, {"x"})
        self.chat.keep(None)
        self.chat.answered("x")
        self.assertEqual(self.chat.from_before, set())
        self.assertEqual(store.lines(), [old, sent])

    def test_a_line_that_cannot_be_kept(self) -> None:
        """It is refused, and is not sent."""
        store = Memory()
        self.chat.keep(store)
        store.full = True
        self.refuses("hello", "failed")
        self.assertEqual((self.sent, self.chat.message_queue), ([], {}))


class ReadingTests(ChatCase):
    """What was said, as it reads now."""

    def line(self, offset: int, channel: str = "a", **more: Any) -> ChatMessage:
        """Make a line."""
        return ChatMessage(**{"text": f"{channel}{offset}", "channel": channel, "offset": offset, **more})

    def react(self, about: int, count: int = 1, channel: str = "a") -> ChatMessage:
        """Make a reaction."""
        return self.line(999, channel, text=UP, kind=LineKind.REACTION, about=about, reactions={UP: (count, False)})

    def texts(self) -> list[str]:
        """What the history says."""
        return [line.text for line in self.chat.message_history]

    def test_history(self) -> None:
        """What is heard is kept in order, the oldest go first; what is gone is not found."""
        for number in range(MAX_HISTORY_LINES + 5):
            line = self.line(number)
            self.assertIs(self.chat.receive_message(line), line)
        self.assertEqual(len(self.chat.message_history), MAX_HISTORY_LINES)
        self.assertEqual(self.chat.message_history[0].offset, 5)
        self.assertIsNone(self.chat.find(4))
        found = self.chat.find(5), self.chat.find(MAX_HISTORY_LINES + 4, "a")
        self.assertEqual([line and line.text for line in found], ["a5", "a1004"])
        self.assertIsNone(self.chat.find(5, "b"))
        self.assertEqual(len(self.chat._numbers), MAX_HISTORY_LINES)

    def test_change(self) -> None:
        """A change is folded into its line, wherever that stands, and is not shown itself."""
        for number in range(MAX_HISTORY_LINES + 5):
            self.chat.receive_message(self.line(number))
        changed = self.chat.receive_message(self.react(500))
        assert changed is not None
        self.assertEqual((changed.text, changed.reactions), ("a500", {UP: (1, False)}))
        self.assertIs(self.chat.message_history[495], changed)
        self.assertEqual(len(self.chat.message_history), MAX_HISTORY_LINES)

    def test_change_of_nothing(self) -> None:
        """A change of a line that is not here, or one that changes nothing, is no change."""
        self.chat.receive_message(self.line(1))
        self.assertIsNone(self.chat.receive_message(self.react(2)))
        self.assertIsNone(self.chat.receive_message(self.react(1, channel="b")))
        self.assertIsNotNone(self.chat.receive_message(self.react(1)))
        self.assertIsNone(self.chat.receive_message(self.react(1)))

    def test_page(self) -> None:
        """A page of history is appended; after a gap it replaces what was kept of its channel."""
        old, other, new = self.line(0), self.line(0, "b"), self.line(9)
        self.chat.handle_message_history([old, other])
        self.chat.handle_message_history([], gap=True)
        self.assertEqual(list(self.chat.message_history), [old, other])
        self.chat.handle_message_history([new], gap=True)
        self.assertEqual(list(self.chat.message_history), [other, new])
        self.assertEqual((self.chat.find(0), self.chat.find(0, "b"), self.chat.find(9)), (None, other, new))

    def test_page_with_changes(self) -> None:
        """What came of each is told: the line, what it changed, or nothing."""
        self.chat.receive_message(self.line(0))
        new = self.line(1)
        first, second, third = self.chat.handle_message_history([new, self.react(0), self.react(44)])
        self.assertEqual((first, second, third), (new, self.chat.find(0), None))
        self.assertEqual(self.chat.message_history[0].reactions, {UP: (1, False)})

    def test_earlier(self) -> None:
        """Pages from before go in front, and their lines change like others."""
        self.chat.handle_message_history([self.line(7), self.line(8)])
        page = [self.line(4), self.line(6)]
        self.assertEqual(self.chat.handle_message_history(page, earlier=True), page)
        self.assertEqual(self.chat.handle_message_history([self.line(2)], earlier=True), [self.line(2)])
        self.assertEqual(self.texts(), ["a2", "a4", "a6", "a7", "a8"])
        self.chat.receive_message(self.react(4))
        self.assertEqual([bool(line.reactions) for line in self.chat.message_history], [False, True, False, False, False])

    def test_earlier_and_full(self) -> None:
        """As many go in front as there is room for, the newest first; all are given to who asked."""
        for number in range(100, 98 + MAX_HISTORY_LINES):
            self.chat.receive_message(self.line(number))
        page = [self.line(number) for number in range(90, 100)]
        self.assertEqual(self.chat.handle_message_history(page, earlier=True), page)
        self.assertEqual(len(self.chat.message_history), MAX_HISTORY_LINES)
        self.assertEqual(self.texts()[:3], ["a98", "a99", "a100"])
        self.chat.receive_message(self.line(5_000))
        self.assertEqual((self.texts()[0], self.chat.find(98)), ("a99", None))

    def test_earlier_and_known(self) -> None:
        """A line that is here already stays as it reads now."""
        self.chat.receive_message(self.line(7))
        changed = self.chat.receive_message(self.react(7))
        self.assertEqual(self.chat.handle_message_history([self.line(6), self.line(7)], earlier=True), [self.line(6), changed])
        self.assertEqual(self.texts(), ["a6", "a7"])

    def test_same_offsets_anew(self) -> None:
        """Where a channel begins anew, its new lines are found, also when the old ones go."""
        self.chat.receive_message(self.line(0, text="old"))
        for number in range(MAX_HISTORY_LINES):
            self.chat.receive_message(self.line(number, text="new"))
        found = self.chat.find(0)
        self.assertEqual(found and found.text, "new")
        self.chat.receive_message(self.line(MAX_HISTORY_LINES))
        self.assertIsNone(self.chat.find(0))

    def test_asking(self) -> None:
        """A page is asked for, with bounds."""
        self.assertEqual((self.chat.earlier(), self.chat.earlier(100, "b")), (1, 2))
        self.assertEqual(self.asked, [(50, ""), (100, "b")])
        for limit in (0, 101):
            with self.assertRaises(ValueError):
                self.chat.earlier(limit)
