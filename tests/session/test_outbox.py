"""Lanes: what waits for one peer, and in which order it goes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import Shared
from meteor_net.limits import MAX_MESSAGES, Limits
from meteor_net.messages import Ack, EventMessage, Frame, Goodbye, Message, Ping
from meteor_net.session.outbox import Lane, Outbox, framed

from ..plain import FakePipe


def pings(count: int) -> list[Message]:
    """So many messages for one peer alone."""
    return [Ping(number, 0) for number in range(count)]


class OrderTests(SynchronousTestCase):
    """What goes first."""

    def setUp(self) -> None:
        self.outbox = Outbox(Limits())
        self.pipe = FakePipe()

    def test_lanes(self) -> None:
        """Control goes before acks, then state, events, lines and bulk; within a lane first come, first served."""
        for lane in reversed(Lane):
            for number in (1, 2):
                self.outbox.put(lane, Ack(int(lane), number, 0))
        given = self.outbox.flush(self.pipe)
        self.assertEqual(given, sum(map(len, self.pipe.sent)))
        self.assertEqual(self.pipe.read(), [Ack(int(lane), number, 0) for lane in Lane for number in (1, 2)])
        self.assertTrue(self.outbox.empty)

    def test_one_send(self) -> None:
        """A turn costs one send: messages for this peer alone share a packet, shared ones keep their own."""
        frame = Shared.of(Frame(0, 1, 8, b"x"))
        self.outbox.put(Lane.STATE, frame)
        self.outbox.put(Lane.CONTROL, Ping(1, 0))
        self.outbox.put(Lane.ACKS, Ack(0, 1, 1))
        self.outbox.put(Lane.LINES, Ping(2, 0))
        self.outbox.flush(self.pipe)
        self.assertEqual(len(self.pipe.sent), 1)
        packets = self.pipe.packets()
        self.assertEqual(len(packets), 3)
        self.assertEqual(packets[1], frame.payload)

    def test_nothing(self) -> None:
        """Who has nothing to hear is not bothered."""
        self.assertEqual(self.outbox.flush(self.pipe), 0)
        self.assertEqual(self.pipe.sent, [])

    def test_long_turns(self) -> None:
        """A packet holds at most 256 messages, so a turn with more makes more packets (clause 2.1)."""
        for count, packets in ((MAX_MESSAGES, 1), (MAX_MESSAGES + 1, 2), (2 * MAX_MESSAGES, 2)):
            for message in pings(count):
                self.outbox.put(Lane.CONTROL, message)
            self.outbox.flush(self.pipe)
            self.assertEqual(len(self.pipe.sent), 1)
            sent = self.pipe.sent[:]
            self.assertEqual(len(self.pipe.packets()), packets)
            self.pipe.sent = sent
            self.assertEqual(self.pipe.read(), pings(count))

    def test_clear(self) -> None:
        """With the connection goes what waited for it."""
        self.outbox.put(Lane.LINES, Ping(1, 0))
        self.outbox.clear()
        self.assertEqual((self.outbox.flush(self.pipe), self.outbox.empty), (0, True))


class SharedTests(SynchronousTestCase):
    """What is for many."""

    def test_framed_once(self) -> None:
        """However many hear it, a shared packet is framed once for each kind of transport."""
        shared = Shared.of(EventMessage(0, 1, 2, 3, []))
        pipes = [FakePipe() for _ in range(5)]
        other = FakePipe()
        other.kind = "other"
        for pipe in (*pipes, other):
            outbox = Outbox(Limits())
            outbox.put(Lane.EVENTS, shared)
            outbox.flush(pipe)
        self.assertEqual([pipe.packed for pipe in pipes], [1, 0, 0, 0, 0])
        self.assertEqual(other.packed, 1)
        self.assertEqual({pipe.sent[0] for pipe in pipes}, {framed(shared, pipes[0])})
        self.assertEqual((shared.kind, set(shared.others or ())), ("fake", {"other"}))
        self.assertEqual(framed(shared, other), other.sent[0])
        self.assertEqual(other.packed, 1)


class FullPipeTests(SynchronousTestCase):
    """A peer that does not read."""

    def setUp(self) -> None:
        self.outbox = Outbox(Limits(unsent_bytes=100))
        self.pipe = FakePipe()

    def test_full(self) -> None:
        """A full pipe gets nothing more: what waits is counted in bytes, keeps its order, and goes when there is room."""
        self.pipe.unsent = 101
        shared = Shared.of(Ack(0, 9, 9))
        self.outbox.put(Lane.LINES, Ping(2, 0))
        self.outbox.put(Lane.LINES, shared)
        self.outbox.put(Lane.CONTROL, Ping(1, 0))
        self.assertEqual((self.outbox.flush(self.pipe), self.pipe.sent), (0, []))
        first = self.outbox.waiting_bytes
        self.assertGreater(first, len(shared))
        self.outbox.put(Lane.LINES, Goodbye(1000, ""))
        self.outbox.flush(self.pipe)
        self.assertGreater(self.outbox.waiting_bytes, first)
        self.pipe.unsent = 100
        self.assertGreater(self.outbox.flush(self.pipe), 0)
        self.assertEqual(self.pipe.read(), [Ping(1, 0), Ping(2, 0), Ack(0, 9, 9), Goodbye(1000, "")])
        self.assertEqual((self.outbox.waiting_bytes, self.outbox.empty), (0, True))
