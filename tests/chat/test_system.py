"""Tests of `meteor_net.chat.system`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.system import MAX_HISTORY_LINES, MAX_QUEUED_LINES, ChatMessage, ChatSystem
from meteor_net.errors import Refused


class ChatSystemTests(SynchronousTestCase):
    """Say lines, and read what was said."""

    def setUp(self) -> None:
        self.sent: list[ChatMessage] = []
        self.ids = iter(range(1_000))
        self.chat = ChatSystem(self.sent.append, lambda: f"c{next(self.ids)}", line_chars=10)

    def test_send(self) -> None:
        """A line is queued under an id of its own, and handed on."""
        sent = self.chat.send_message("hello")
        self.assertEqual(sent, ChatMessage(text="hello", cid="c0"))
        self.assertEqual(self.sent, [sent])
        self.assertEqual(self.chat.message_queue, {"c0": sent})

    def test_send_message_value(self) -> None:
        """Of a message only the text, the channel and the id count: who says it is not ours to say."""
        sent = self.chat.send_message(ChatMessage(text="hello", channel="team", sender="king", cid="mine", offset=4))
        self.assertEqual(sent, ChatMessage(text="hello", channel="team", cid="mine"))

    def test_answered(self) -> None:
        """An answered line leaves the queue, once."""
        sent = self.chat.send_message("hello")
        self.assertEqual(self.chat.answered("c0"), sent)
        self.assertIsNone(self.chat.answered("c0"))

    def test_bad_text(self) -> None:
        """Empty and over-long texts are refused, in characters and in bytes."""
        for text in ("", "  ", "x" * 11):
            with self.assertRaises(Refused):
                self.chat.send_message(text)
        self.chat.line_chars = 8_192
        with self.assertRaises(Refused):
            self.chat.send_message("ü" * 5_000)
        self.assertEqual(self.sent, [])

    def test_queue_is_bounded(self) -> None:
        """Lines do not pile up without end."""
        for _ in range(MAX_QUEUED_LINES):
            self.chat.send_message("x")
        with self.assertRaises(Refused) as caught:
            self.chat.send_message("x")
        self.assertEqual(caught.exception.reason, "slow-down")

    def test_history(self) -> None:
        """What is heard is kept in order, the oldest go first."""
        for number in range(MAX_HISTORY_LINES + 5):
            self.chat.receive_message(ChatMessage(text="x", offset=number))
        self.assertEqual(len(self.chat.message_history), MAX_HISTORY_LINES)
        self.assertEqual(self.chat.message_history[0].offset, 5)

    def test_page(self) -> None:
        """A page of history is appended; after a gap it replaces what was kept of its channel."""
        old = ChatMessage(text="old", channel="a", offset=0)
        other = ChatMessage(text="other", channel="b", offset=0)
        new = ChatMessage(text="new", channel="a", offset=9)
        self.chat.handle_message_history([old, other])
        self.chat.handle_message_history([], gap=True)
        self.assertEqual(list(self.chat.message_history), [old, other])
        self.chat.handle_message_history([new], gap=True)
        self.assertEqual(list(self.chat.message_history), [other, new])
