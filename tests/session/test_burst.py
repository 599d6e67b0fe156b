"""One frame for many sessions at once."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import Shared
from meteor_net.interfaces import Identity
from meteor_net.limits import Limits
from meteor_net.messages import Ping
from meteor_net.session.burst import burst
from meteor_net.session.outbox import Lane
from meteor_net.session.registry import Registry
from meteor_net.session.session import Session

from ..plain import FakePipe

FRAME = Shared.of(Ping(7, 8))


class FakeTransport:
    """What sends at once; takes `room` bytes of each packet, and raises if that is none.

    Attributes:
        taken: What it took.
    """

    def __init__(self, room: int = 1_000) -> None:
        self.unsent_bytes = 0
        self.taken: list[bytes] = []
        self._room = room

    def send_now(self, data: bytes) -> int:
        """Take some."""
        if not self._room:
            raise BlockingIOError
        self.taken.append(data[: self._room])
        return len(self.taken[-1])


class BurstTests(SynchronousTestCase):
    """Who gets it how."""

    def setUp(self) -> None:
        self.registry = Registry(Limits(), Random(1))

    def session(self, hot: FakeTransport | None) -> tuple[Session, FakePipe]:
        """Make a session whose pipe sends by that transport."""
        session, pipe = self.registry.make(Identity("u1", "ann"), 100.0), FakePipe()
        pipe.hot = hot
        session.attach(pipe, 100.0)
        return session, pipe

    def counted(self, session: Session) -> tuple[int, int, float]:
        """What a session counted: packets and bytes out, and when the last went."""
        return session.counters["packets_out"], session.counters["bytes_out"], session.sent_at

    def test_hot(self) -> None:
        """Transports that may send at once get the framed bytes, made once; it is counted as any packet is."""
        hots = [FakeTransport() for _ in range(3)]
        all_ = [self.session(hot) for hot in hots]
        burst([session for session, _ in all_], FRAME, 101.0)
        data = hots[0].taken[0]
        for hot, (session, pipe) in zip(hots, all_, strict=True):
            self.assertEqual((hot.taken, pipe.sent, self.counted(session)), ([data], [], (1, len(data), 101.0)))
        self.assertLessEqual(sum(pipe.packed for _, pipe in all_), 1)

    def test_short(self) -> None:
        """What the kernel did not take goes the ordinary way, and nothing twice."""
        for room in (0, 5):
            hot = FakeTransport(room)
            session, pipe = self.session(hot)
            burst([session], FRAME, 101.0)
            self.assertEqual(b"".join([*hot.taken, *pipe.sent]), pipe.head(len(FRAME)) + b"".join(FRAME.parts))
            self.assertEqual(self.counted(session)[0], 1)

    def test_others(self) -> None:
        """Where something waits, in the transport or the outbox, where a transport cannot, and where there is none."""
        busy, full = FakeTransport(), FakeTransport()
        full.unsent_bytes = 1
        waiting, pipe = self.session(busy)
        waiting.put(Lane.CONTROL, Ping(1, 2))
        plain, plain_pipe = self.session(None)
        filled, filled_pipe = self.session(full)
        away, _ = self.session(busy)
        away.detach(101.0)
        burst([waiting, plain, filled, away], FRAME, 101.0)
        self.assertEqual((busy.taken, full.taken, pipe.sent), ([], [], []))
        self.assertEqual((plain_pipe.read(), filled_pipe.read()), ([Ping(7, 8)], [Ping(7, 8)]))
        self.registry.flush(102.0)
        self.assertEqual(pipe.read(), [Ping(1, 2), Ping(7, 8)])

    def test_kinds(self) -> None:
        """Pipes of another framing get theirs."""
        one, _ = self.session(FakeTransport())
        other, other_pipe = self.session(FakeTransport())
        other_pipe.kind = "other"
        burst([one, other], FRAME, 101.0)
        self.assertEqual(other_pipe.read(), [Ping(7, 8)])

    def test_gone_meanwhile(self) -> None:
        """A send that ends its session, as one in memory may, hurts nobody."""
        hot = FakeTransport(0)
        session, pipe = self.session(hot)

        def gone(data: bytes) -> int:
            session.detach(101.0)
            raise BrokenPipeError

        hot.send_now = gone  # type: ignore[method-assign]
        last, last_pipe = self.session(FakeTransport())
        burst([session, last], FRAME, 101.0)
        self.assertEqual((pipe.sent, last_pipe.sent, self.counted(last)[0]), ([], [], 1))
