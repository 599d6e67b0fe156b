"""A session: one user's presence, with or without a connection."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import Shared
from meteor_net.errors import CloseCode, LocalProtocolError
from meteor_net.interfaces import Identity
from meteor_net.limits import Limits
from meteor_net.messages import Ack, Goodbye, Ping
from meteor_net.session.outbox import Lane
from meteor_net.session.registry import Registry
from meteor_net.session.session import Session

from ..plain import FakePipe


class SessionCase(SynchronousTestCase):
    """A session with a pipe."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: float) -> None:
        """Make them, with limits."""
        self.registry = Registry(Limits(**limits), Random(1))  # type: ignore[arg-type]
        self.session: Session = self.registry.make(Identity("u1", "ann"), 100.0)
        self.pipe = FakePipe()
        self.session.attach(self.pipe, 100.0)


class SendTests(SessionCase):
    """What is left for a peer."""

    def test_flush(self) -> None:
        """What was put goes out at the end of the turn, once, and is counted."""
        self.session.put(Lane.CONTROL, Ping(1, 2))
        self.assertEqual(self.pipe.sent, [])
        self.registry.flush(101.0)
        size = len(self.pipe.sent[0])
        self.assertEqual(self.pipe.read(), [Ping(1, 2)])
        self.registry.flush(102.0)
        self.assertEqual(self.pipe.sent, [])
        counters = self.session.counters
        self.assertEqual((counters["packets_out"], counters["bytes_out"], self.session.sent_at), (1, size, 101.0))

    def test_away(self) -> None:
        """Nothing is kept for a session without a connection, and flushing it does nothing."""
        self.session.detach(100.0)
        self.session.put(Lane.LINES, Ping(1, 2))
        self.assertTrue(self.session.outbox.empty)
        self.session.flush(101.0)

    def test_lost_between_put_and_flush(self) -> None:
        """A connection that goes in the middle of a turn takes what waited along."""
        self.session.put(Lane.LINES, Ping(1, 2))
        self.session.detach(100.0)
        self.registry.flush(101.0)
        self.session.attach(self.pipe, 102.0)
        self.registry.flush(103.0)
        self.assertEqual(self.pipe.sent, [])

    def test_too_slow(self) -> None:
        """A peer that lets more than the limit wait is told to come back, and costs nothing more."""
        self.begin(outbox_bytes=1_000, unsent_bytes=10)
        self.pipe.unsent = 11
        line = Shared.of(Goodbye(1000, "x" * 190))
        for turn in range(5):
            self.session.put(Lane.LINES, line)
            self.registry.flush(100.0 + turn)
            self.assertLessEqual(self.session.outbox.waiting_bytes, 1_000)
        self.assertIsNone(self.pipe.ended)
        self.session.put(Lane.LINES, line)
        self.registry.flush(106.0)
        self.assertEqual(self.pipe.ended, (CloseCode.TOO_SLOW, "you read too slowly; come back and resume"))
        self.assertTrue(self.session.outbox.empty)

    def test_cannot_be_encoded(self) -> None:
        """What cannot be encoded is the end of its connection, and nobody else's: others of the turn get what is theirs."""
        self.session.put(Lane.CONTROL, Ping(1, object()))  # type: ignore[arg-type]
        other, pipe = self.registry.make(Identity("u2", "bob"), 100.0), FakePipe()
        other.attach(pipe, 100.0)
        other.put(Lane.CONTROL, Ping(1, 2))
        ((failed, error),) = self.registry.flush(100.0)
        self.assertIs(failed, self.session)
        self.assertIsInstance(error, LocalProtocolError)
        self.assertEqual(self.pipe.ended, (CloseCode.INTERNAL, "an error on the server"))
        self.assertEqual(pipe.read(), [Ping(1, 2)])
        self.assertEqual(self.registry.flush(101.0), [])

    def test_reads_again(self) -> None:
        """What a full pipe would not take goes at the next look of the heartbeat, though nothing more is said."""
        self.pipe.unsent = Limits().unsent_bytes + 1
        self.session.put(Lane.LINES, Ack(0, 1, 2))
        self.registry.flush(100.0)
        self.pipe.unsent = 0
        self.registry.flush(100.5)
        self.assertEqual(self.pipe.sent, [])
        for number in range(10):
            self.registry.slot(number)
        self.registry.flush(101.0)
        self.assertEqual(self.pipe.read(), [Ack(0, 1, 2)])


class PingTests(SessionCase):
    """The round trip."""

    def test_round_trip(self) -> None:
        """The answer to a ping measures the round trip; the smallest of the connection is kept too."""
        self.assertEqual(self.session.ping(100.0, server_ms=5), 1)
        self.registry.flush(100.0)
        self.assertEqual(self.pipe.read(), [Ping(1, 5)])
        self.session.ponged(1, 100.25)
        self.assertEqual((self.session.round_trip_ms, self.session.best_round_trip_ms), (250.0, 250.0))
        self.session.ponged(self.session.ping(101.0, server_ms=5), 101.5)
        self.assertEqual((self.session.round_trip_ms, self.session.best_round_trip_ms), (500.0, 250.0))
        self.session.attach(FakePipe(), 102.0)
        self.assertIsNone(self.session.best_round_trip_ms)

    def test_strange_answers(self) -> None:
        """An answer that we did not ask for, or that came before, is ignored."""
        self.session.ponged(7, 100.0)
        self.assertIsNone(self.session.round_trip_ms)
        number = self.session.ping(100.0, server_ms=5)
        self.session.ponged(number, 100.25)
        self.session.ponged(number, 109.0)
        self.assertEqual(self.session.round_trip_ms, 250.0)

    def test_never_answers(self) -> None:
        """A peer that answers no pings does not make us remember them all."""
        numbers = [self.session.ping(100.0 + number, server_ms=0) for number in range(20)]
        self.assertEqual(len(self.session._pings), 8)
        self.session.ponged(numbers[0], 130.0)
        self.assertIsNone(self.session.round_trip_ms)
        self.session.ponged(numbers[-1], 120.0)
        self.assertEqual(self.session.round_trip_ms, 1_000.0)


class ConnectionTests(SessionCase):
    """Losing and taking up."""

    def test_away_until(self) -> None:
        """A lost session waits for its user for `away_s`, and no longer once it is taken up."""
        self.session.detach(100.0)
        self.assertEqual(self.session.away_until, 130.0)
        self.session.attach(self.pipe, 110.0)
        self.assertEqual((self.session.away_until, self.session.heard_at), (None, 110.0))

    def test_ended(self) -> None:
        """One that the server ends says so on the connection that it has; without one it only remembers why."""
        told: list[tuple[int, str]] = []
        self.session.attach(self.pipe, 100.0, hang_up=lambda code, text: told.append((code, text)))
        for now in (101.0, 102.0):
            self.session.end(CloseCode.ELSEWHERE, "you came in elsewhere", now)
            self.assertEqual(told, [(CloseCode.ELSEWHERE, "you came in elsewhere")])
            self.assertEqual(self.session.over, (CloseCode.ELSEWHERE, "you came in elsewhere"))
            self.assertEqual((self.session.pipe, self.session.hang_up), (None, None))
            self.assertEqual(self.session.away_until, now + 30.0)

    def test_others(self) -> None:
        """The other sessions of the same user, the oldest first."""
        others = [self.registry.make(Identity("u1", "ann"), 100.0) for _ in range(2)]
        self.registry.make(Identity("u2", "bob"), 100.0)
        self.assertEqual(self.session.others(), others)
        self.assertEqual(others[1].others(), [self.session, others[0]])

    def test_order_of_going(self) -> None:
        """Of those who wait, the one that has waited longest comes first; who is back, or forgotten, is not among them."""
        others = [self.registry.make(Identity(f"u{number}", ""), 100.0) for number in range(3)]
        for session in (*others, self.session):
            session.detach(100.0)
        others[0].attach(FakePipe(), 101.0)
        others[0].detach(102.0)
        others[1].attach(FakePipe(), 103.0)
        self.registry.forget(self.session)
        self.assertEqual(list(self.registry.away), [others[2], others[0]])
