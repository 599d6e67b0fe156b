"""The messages as classes, and as users see them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.messages import (
    BY_CODE,
    CODES,
    FROM_CLIENT,
    FROM_SERVER,
    Goodbye,
    Held,
    Line,
    Message,
    MessageType,
    NetworkMessage,
    Ping,
    Pong,
    fitting,
)


class TableTests(SynchronousTestCase):
    """The table of clause 3."""

    def test_every_class_has_a_code(self) -> None:
        """Whatever is a message can be said: none is without a code, and none has two."""
        self.assertEqual(set(CODES), set(Message.__subclasses__()))
        self.assertEqual(len(CODES), len(BY_CODE))

    def test_ways(self) -> None:
        """Each message goes one way, but for heartbeats and goodbyes."""
        self.assertEqual(FROM_CLIENT | FROM_SERVER, set(CODES))
        self.assertEqual(FROM_CLIENT & FROM_SERVER, {Ping, Pong, Goodbye})

    def test_types(self) -> None:
        """The mission's MessageType is in the upper bits of the code."""
        types = {MessageType(code >> 4) for code in BY_CODE}
        self.assertEqual(types, set(MessageType))
        self.assertEqual(MessageType(CODES[Line] >> 4), MessageType.CHAT)


class NetworkMessageTests(SynchronousTestCase):
    """`NetworkMessage`, the mission's face of them all."""

    def test_own_time_and_sender(self) -> None:
        """A line shows its own time and its sender's id."""
        line = Line(3, 7, 5_000, 12, 0, "u1", "ann", "hi", "c")
        seen = NetworkMessage.of(line, 9_000)
        self.assertEqual((seen.type, seen.timestamp, seen.sender), (MessageType.CHAT, 5_000, "u1"))
        self.assertEqual(seen.payload["text"], "hi")
        self.assertEqual(seen.payload["code"], 0)

    def test_given_time_and_sender(self) -> None:
        """A message that has none gets the time when it came, and the sender whom the server knows."""
        seen = NetworkMessage.of(Held(2, 40), 9_000, "u1")
        self.assertEqual((seen.type, seen.timestamp, seen.sender), (MessageType.GAME_STATE, 9_000, "u1"))


class FittingTests(SynchronousTestCase):
    """Texts of handlers on their way out."""

    def test_fits(self) -> None:
        """What a game says can always be sent: other things are shown as text, long ones cut, surrogates replaced."""
        self.assertEqual(fitting(5, 10), "5")
        self.assertEqual(fitting("abc", 3), "abc")
        self.assertEqual(fitting("abcd", 3), "abc")
        self.assertEqual(fitting("a\ud800b", 3), "a?b")
