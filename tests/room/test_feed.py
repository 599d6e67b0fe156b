"""Who gets which frame."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.messages import Clock, Frame, Held, Joined, Lost, Ping
from meteor_net.state import Replica

from ..plain import Bench, Guest, kinds, replica_of


class Watcher:
    """A guest with the client's copy of the world."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.replica: Replica | None = None

    def take(self) -> list[int]:
        """Apply the frames that came; give how many versions back each started (0: a keyframe)."""
        backs = []
        for message in self.guest.read():
            if isinstance(message, Joined) and message.schema is not None:
                self.replica = replica_of(message)
            elif isinstance(message, Frame):
                assert self.replica is not None
                self.replica.apply(message.tick16, message.base, message.data, message.texts)
                backs.append(message.base >> 3)
        return backs

    def xs(self) -> list[float]:
        """The column of the copy."""
        assert self.replica is not None
        return [float(ship.x) for ship in self.replica.world.ship]


class FeedCase(SynchronousTestCase):
    """A room whose one ship moves when told."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """Make it, with limits."""
        self.bench = Bench(**limits)
        self.ann = Watcher(self.bench.guest("ann"))
        self.bob = Watcher(self.bench.guest("bob"))
        self.room = self.bench.room
        self.ship = self.room.world.ship.spawn(x=1)
        self.bench.ticks(1)

    def move(self, ticks: int = 1) -> None:
        """Ticks at which something changes."""
        for _ in range(ticks):
            self.ship.x += 1
            self.bench.ticks(1)

    @property
    def counters(self) -> dict[str, int]:
        """What the feed counted."""
        return self.room.feed.counters


class FollowTests(FeedCase):
    """Players who keep up."""

    def test_follow(self) -> None:
        """A newcomer gets a keyframe, then each version from the one before; all get the same bytes, framed once."""
        self.assertEqual((self.ann.take(), self.bob.take()), ([0], [0]))
        self.ann.guest.pipe.packed = self.bob.guest.pipe.packed = 0
        self.move(3)
        self.assertEqual((self.ann.take(), self.bob.take()), ([1] * 3, [1] * 3))
        self.assertEqual(self.ann.guest.pipe.packed + self.bob.guest.pipe.packed, 3)
        self.assertEqual((self.ann.xs(), self.bob.xs()), ([4.0], [4.0]))

    def test_unchanged(self) -> None:
        """An unchanged world sends no state; an untouched one not even a keyframe."""
        self.ann.take()
        self.bench.ticks(5)
        self.assertEqual(self.ann.guest.pipe.sent, [])
        bench = Bench()
        guest = bench.guest("ann")
        guest.read()
        bench.ticks(5)
        self.assertEqual(guest.pipe.sent, [])

    def test_newcomer_in_an_unchanged_world(self) -> None:
        """Who comes when nothing moves is shown the world all the same."""
        self.bench.ticks(5)
        late = Watcher(self.bench.guest("late"))
        self.bench.ticks(1)
        self.assertEqual((late.take(), late.xs()), ([0], [1.0]))

    def test_lost(self) -> None:
        """A client that says LOST gets a keyframe, and follows again."""
        self.move()
        self.ann.take()
        self.ann.guest.tell(Lost(self.room.number))
        self.move(2)
        self.assertEqual(self.ann.take(), [0, 1])
        self.ann.guest.tell(Lost(self.room.number))
        self.bench.ticks(2)
        self.assertEqual((self.ann.take(), self.ann.xs()), ([0], [4.0]))

    def test_resume(self) -> None:
        """Who comes back with a tick that is still held gets a step from there; of another world, a keyframe."""
        self.move()
        self.ann.take()
        tick = self.room.tick - 1
        self.ann.guest.lose()
        self.move(3)
        self.ann.guest.connect()
        self.ann.guest.join(epoch=self.room.world.epoch, tick=tick, schema_hash=self.room.schema.hash)
        self.move()
        self.assertEqual((self.ann.take(), self.ann.xs()), ([4], [6.0]))
        cases: list[dict[str, Any]] = [
            {"epoch": self.room.world.epoch + 1, "tick": tick},
            {"epoch": self.room.world.epoch},
            {"tick": tick},
        ]
        for places in cases:
            self.ann.guest.join("", **places)
            self.bench.ticks(1)
            self.assertEqual(self.ann.take(), [0])

    def test_resume_of_the_empty_world(self) -> None:
        """Who held the world before anything was in it gets a keyframe like a newcomer, of the same bytes."""
        self.ann.guest.lose()
        self.ann.guest.connect()
        self.ann.guest.join(epoch=self.room.world.epoch, tick=0)
        self.bench.guest("late")
        self.move()
        self.assertEqual(self.ann.take(), [0])
        self.assertEqual(self.room.feed.stream.counters["keyframes"], 2)


class CodingTests(FeedCase):
    """Players who can read more than the plain coding."""

    def setUp(self) -> None:
        super().setUp()
        for x in range(40):
            self.room.world.ship.spawn(x=x)
        guest = self.bench.guest("eve", None)
        guest.session.features = frozenset({"eg"})
        guest.join("")
        self.eve = Watcher(guest)
        self.move_all(1)
        self.seen = [self.codings(watcher) for watcher in (self.ann, self.eve)]

    def move_all(self, ticks: int) -> None:
        """Ticks at which everything moves."""
        for _ in range(ticks):
            self.room.world.ship.x[:] += 1
            self.bench.ticks(1)

    def codings(self, watcher: Watcher) -> list[tuple[int, int]]:
        """Apply the frames that came; give how far back each started, and its coding."""
        found = []
        for message in watcher.guest.read():
            if isinstance(message, Joined):
                watcher.replica = replica_of(message)
            elif isinstance(message, Frame):
                assert watcher.replica is not None
                watcher.replica.apply(message.tick16, message.base, message.data, message.texts)
                found.append((message.base >> 3, message.base & 7))
        return found

    def test_each_its_own(self) -> None:
        """Each gets the coding that it can read, from the keyframe on; each is encoded once."""
        self.assertEqual(self.seen, [[(0, 0), (1, 0)], [(0, 1)]])
        encoded = self.room.feed.stream.counters["frames"]
        self.move_all(3)
        self.assertEqual(self.room.feed.stream.counters["frames"] - encoded, 6)
        self.assertEqual((self.codings(self.ann), self.codings(self.eve)), ([(1, 0)] * 3, [(1, 1)] * 3))
        self.assertEqual(self.ann.xs(), self.eve.xs())

    def test_caught_up(self) -> None:
        """Who was slow is brought to the present by two steps, and follows the others."""
        self.eve.guest.pipe.unsent = 1
        self.move_all(5)
        self.eve.guest.pipe.unsent = 0
        self.move_all(2)
        self.assertEqual(self.codings(self.eve), [(6, 1), (1, 1)])
        self.codings(self.ann)
        self.assertEqual(self.ann.xs(), self.eve.xs())

    def test_little_goes_plainly(self) -> None:
        """A small change is shorter in the plain coding, and those who read both go on from there."""
        self.move(1)
        self.move_all(1)
        self.assertEqual(self.codings(self.eve), [(1, 0), (1, 1)])


class SlowTests(FeedCase):
    """Players who do not read."""

    def test_skipped_then_caught_up(self) -> None:
        """Who has bytes waiting gets nothing; then one frame from where it stands brings it to the present."""
        self.move()
        self.ann.take()
        self.bob.take()
        self.ann.guest.pipe.unsent = 1
        self.move(10)
        self.assertEqual(self.ann.guest.pipe.sent, [])
        self.assertTrue(self.ann.guest.session.outbox.empty)
        self.assertEqual(self.bob.take(), [1] * 10)
        self.ann.guest.pipe.unsent = 0
        self.move()
        self.assertEqual((self.ann.take(), self.ann.xs()), ([11], [13.0]))
        self.move()
        self.assertEqual(self.ann.take(), [1])
        self.assertEqual((self.counters["skipped"], self.counters["catch_ups"]), (10, 3))

    def test_base_lost(self) -> None:
        """Who stands at a version that is no longer held gets one keyframe."""
        self.begin(ring_versions=4)
        self.ann.take()
        self.ann.guest.pipe.unsent = 1
        self.move(10)
        self.ann.guest.pipe.unsent = 0
        self.bench.ticks(1)
        self.assertEqual((self.ann.take(), self.ann.xs()), ([0], [11.0]))

    def test_catch_ups_per_tick(self) -> None:
        """At most four catch-up steps are encoded in a tick, for those first who wait longest; the others wait on."""
        crowd = [Watcher(self.bench.guest(f"w{number}", role=1)) for number in range(6)]
        self.move()
        for watcher in crowd:
            watcher.take()
        for watcher in crowd:
            self.move()
            watcher.take()
            watcher.guest.pipe.unsent = 1
        self.move(2)
        self.ann.take()
        for watcher in crowd:
            watcher.guest.pipe.unsent = 0
        before = self.counters["catch_ups"]
        self.bench.ticks(1)
        served = [len(watcher.take()) for watcher in crowd]
        self.assertEqual((served, self.counters["catch_ups"] - before), ([1, 1, 1, 1, 0, 0], 4))
        self.bench.ticks(1)
        self.assertEqual([len(watcher.take()) for watcher in crowd], [0, 0, 0, 0, 1, 1])
        self.assertEqual({watcher.xs()[0] for watcher in crowd}, {self.ship.x})

    def test_one_encode_for_many(self) -> None:
        """Those who stand at one version are one encode, however many; so are all whose version is lost."""
        self.begin(ring_versions=4)
        crowd = [Watcher(self.bench.guest(f"w{number}", role=1)) for number in range(12)]
        self.move()
        for number, watcher in enumerate(crowd):
            watcher.take()
            watcher.guest.pipe.unsent = 1
            if number >= 6:
                self.move()
        self.move(5)
        for watcher in crowd:
            watcher.guest.pipe.unsent = 0
        encoded = self.room.feed.stream.counters["frames"]
        self.bench.ticks(1)
        self.assertEqual([watcher.take() for watcher in crowd], [[0]] * 12)
        self.assertEqual(self.room.feed.stream.counters["frames"] - encoded, 1)


class HeldTests(FeedCase):
    """Players whose network holds what was written: HELD tells."""

    def held(self, watcher: Watcher) -> None:
        """The client tells what it has applied."""
        assert watcher.replica is not None
        watcher.guest.tell(Held(self.room.number, watcher.replica.tick))

    def test_keeps_up(self) -> None:
        """Who tells what it holds each half second is never paused."""
        for _ in range(8):
            self.move(5)
            self.ann.take()
            self.held(self.ann)
        self.assertEqual(self.ann.guest.player.probe, None)
        self.assertEqual((self.counters["paused"], self.ann.xs()), (1, [41.0]))  # bob, who tells nothing

    def test_paused_then_released(self) -> None:
        """Who does not is sent a ping and no more state until it answers; then one frame brings it to the present."""
        self.ann.take()
        self.move(14)
        self.assertEqual(self.counters["paused"], 0)
        self.move(16)
        messages = self.ann.guest.read()
        self.assertEqual(self.counters["paused"], 2)
        (ping,) = [message for message in messages if isinstance(message, Ping)]
        frames = kinds(messages).count("Frame")
        self.assertEqual((messages[-1], frames), (ping, 15))
        self.room.ponged(self.ann.guest.session, ping.number - 1)
        self.move()
        self.assertEqual(self.ann.guest.read(), [])
        self.room.ponged(self.ann.guest.session, ping.number)
        self.move()
        (frame,) = self.ann.guest.found(Frame)
        self.assertEqual(frame.base >> 3, 17)
        self.move()
        self.assertEqual([frame.base >> 3 for frame in self.ann.guest.found(Frame)], [1])

    def test_late_word(self) -> None:
        """A HELD that is a little behind shows that frames arrive; one far behind does not."""
        self.ann.take()
        for _ in range(4):
            self.move(5)
            self.ann.guest.tell(Held(self.room.number, self.room.tick - 6))
        self.assertIsNone(self.ann.guest.player.probe)
        for _ in range(4):
            self.move(5)
            self.ann.guest.tell(Held(self.room.number, 3))
        self.assertIsNotNone(self.ann.guest.player.probe)

    def test_untimely_words(self) -> None:
        """HELD and PONG of a client that nothing waits for change nothing."""
        self.ann.take()
        self.held(self.ann)
        self.ann.guest.tell(Held(self.room.number, 0))
        self.room.ponged(self.ann.guest.session, 7)
        self.move()
        self.assertEqual(self.ann.take(), [1])

    def test_long_way(self) -> None:
        """The round trip of a long way is no lag."""
        self.ann.take()
        self.ann.guest.session.best_round_trip_ms = 60_000.0
        self.move(30)
        self.assertEqual(self.ann.take(), [1] * 30)

    def test_pause_ends_with_the_connection(self) -> None:
        """Who comes back starts anew."""
        self.move(20)
        self.assertIsNotNone(self.ann.guest.player.probe)
        self.ann.guest.lose()
        self.ann.guest.connect()
        self.ann.guest.join()
        self.move()
        self.assertEqual(self.ann.take(), [0])

    def test_no_clock_is_needed(self) -> None:
        """Nothing of this tells the clock."""
        self.move(3)
        self.assertEqual(self.ann.guest.found(Clock), [])


class TooLargeTests(FeedCase):
    """A frame that players would refuse."""

    def test_too_large(self) -> None:
        """It is not sent, and the operator is told once what to do; one that fits brings all to the present."""
        self.begin(packet_out_bytes=400)
        self.ann.take()
        more = [self.room.world.ship.spawn(x=number) for number in range(400)]
        self.bench.ticks(1)
        for row in more:
            row.x += 1_000
        self.bench.ticks(1)
        self.assertEqual(self.ann.take(), [])
        (error,) = self.bench.errors()
        self.assertIn("at most 400. Keep fewer rows", str(error))
        self.assertEqual(self.counters["too_large"], 4)
        for row in more:
            row.despawn()
        self.move()
        self.assertEqual((self.ann.take(), self.ann.xs()), ([3], [2.0]))
