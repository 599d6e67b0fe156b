"""Streams: versions made, held, lost, and encoded once."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import BaseLost
from meteor_net.limits import Limits
from meteor_net.state import Coding, Replica, Step
from tests.state.samples import SCHEMA, Pair


class PutTests(SynchronousTestCase):
    """Versions that are handed over."""

    def setUp(self) -> None:
        self.source, self.pair = Pair(), Pair()
        self.row = self.source.world.rock.spawn(x=3)
        self.source.world.ship.spawn(name="ann")
        self.source.commit()

    def put(self, tick: int, check: bool = False) -> bool:
        """Hand the newest over."""
        return self.pair.stream.put(self.source.stream.version, tick, check)

    def test_taken_as_it_is(self) -> None:
        """It is the version of its tick, whatever the live world holds, and steps lead to it."""
        self.pair.world.rock.spawn(x=99)
        self.assertTrue(self.put(7))
        version = self.pair.stream.version
        self.assertTrue(version.same(self.source.stream.version))
        self.assertEqual((version.number, version.tick), (1, 7))
        replica = Replica(SCHEMA, 1)
        step = self.pair.stream.step(None, Coding.EG)
        replica.apply(step.tick16, step.base_code, step.data, step.texts)
        self.assertEqual(replica.world.ship[0].name, "ann")

    def test_only_when_changed(self) -> None:
        """One that is as the newest makes none, be it another object; what stays of one is shared."""
        self.put(1)
        self.assertFalse(self.put(2))
        again = Pair()
        again.world.rock.spawn(x=3)
        again.world.ship.spawn(name="ann")
        again.commit()
        self.assertFalse(self.pair.stream.put(again.stream.version, 3))
        before = self.pair.stream.version
        self.row.x = 4
        self.source.commit()
        self.assertTrue(self.put(4))
        ship = [table.table_name for table in SCHEMA.tables].index("ship")
        self.assertIs(self.pair.stream.version.tables[ship], before.tables[ship])

    def test_ticks_grow_and_checks_wait(self) -> None:
        """As for a commit."""
        self.put(5)
        self.assertRaises(ValueError, self.put, 5)
        self.put(6, check=True)
        self.row.x = 9
        self.source.commit()
        self.put(7)
        self.assertTrue(self.pair.stream.version.check)


class CommitTests(SynchronousTestCase):
    """When a version is made."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.stream = self.pair.stream
        self.row = self.pair.world.rock.spawn(x=3)

    def test_only_when_changed(self) -> None:
        """A world at rest makes no version; a change below one step is none."""
        self.assertEqual([self.pair.commit(), self.pair.commit()], [True, False])
        self.row.x += 0.4
        self.assertFalse(self.pair.commit())
        self.row.x += 0.2
        self.assertTrue(self.pair.commit())
        self.assertEqual((self.stream.version.number, self.stream.version.tick), (2, 4))

    def test_nothing_yet(self) -> None:
        """Before the first change there is the empty version, and its keyframe."""
        pair = Pair()
        self.assertFalse(pair.commit())
        self.assertEqual((pair.stream.version.number, pair.stream.version.tick), (0, 0))
        self.assertEqual(pair.stream.step(None), Step(0, 0, b"\0", None))

    def test_ticks_grow(self) -> None:
        """A tick that was committed cannot be again, nor one before."""
        for tick in (0, -1):
            self.assertRaises(ValueError, self.stream.commit, tick)
        self.stream.commit(5)
        self.assertRaises(ValueError, self.stream.commit, 5)

    def test_check(self) -> None:
        """A checksum that was asked for comes with the next version that is made, once."""
        self.pair.commit()
        self.assertFalse(self.pair.commit(check=True))
        flags = []
        for _ in range(2):
            self.row.x += 1
            self.pair.commit()
            flags.append(self.stream.step(self.stream.version.number - 1).data[0] & 1)
        self.assertEqual(flags, [1, 0])

    def test_tables_are_shared(self) -> None:
        """A table at rest is the same object in the next version: it costs no memory and no comparison."""
        self.pair.commit()
        before = self.stream.version
        self.pair.world.ship.spawn()
        self.pair.commit()
        self.assertIs(self.stream.version.tables[1], before.tables[1])


class RingTests(SynchronousTestCase):
    """Which versions a step may start from."""

    def filled(self, limits: Limits, count: int = 10) -> Pair:
        """Give a pair with some versions, at every second tick."""
        pair = Pair(limits=limits)
        row = pair.world.rock.spawn()
        for x in range(count):
            row.x = x + 1
            pair.commit()
            pair.commit()
        return pair

    def test_bounded_in_versions(self) -> None:
        """The oldest go first."""
        stream = self.filled(Limits(ring_versions=4)).stream
        self.assertEqual(stream.size_of_ring, 4)
        self.assertEqual(stream.step(7).base_code, 24)
        self.assertRaises(BaseLost, stream.step, 6)

    def test_bounded_in_bytes(self) -> None:
        """Large versions fill the ring earlier; the newest three always stay."""
        pair = self.filled(Limits(ring_bytes=3000))
        self.assertLessEqual(pair.stream.bytes_of_ring, 3000)
        self.assertGreater(pair.stream.size_of_ring, 3)
        self.assertEqual(self.filled(Limits(ring_bytes=0)).stream.size_of_ring, 3)
        self.assertEqual(self.filled(Limits(ring_versions=0)).stream.size_of_ring, 3)

    def test_bytes_are_exact(self) -> None:
        """What is counted is what the versions take, shared tables once."""
        pair = Pair(limits=Limits(ring_versions=3))
        row = pair.world.rock.spawn()
        ship = pair.world.ship.spawn(name="ann")
        for x in range(1, 9):
            row.x = x
            if x == 4:
                ship.name = "bob"
            pair.commit()
            ring = pair.stream._ring
            tables = {id(table): table.nbytes for version in ring for table in version.tables}
            self.assertEqual(pair.stream.bytes_of_ring, sum(tables.values()))

    def test_held(self) -> None:
        """A client that applied all up to a tick holds the newest version up to it."""
        stream = self.filled(Limits(ring_versions=4)).stream  # versions 7 to 10 at ticks 13 to 19
        held = [stream.held(tick) for tick in (12, 13, 14, 19, 500)]
        self.assertEqual([version and version.number for version in held], [None, 7, 7, 10, 10])
        first = Pair().stream.held(0)
        self.assertEqual(first and first.number, 0)

    def test_base_that_never_was(self) -> None:
        """A step from a version to come is refused, and one from the newest has nothing to tell."""
        stream = self.filled(Limits()).stream
        self.assertRaises(BaseLost, stream.step, 11)
        self.assertRaises(BaseLost, stream.step, -1)
        self.assertRaises(ValueError, stream.step, 10)


class StepTests(SynchronousTestCase):
    """Encoded once for all who need it."""

    def test_cached(self) -> None:
        """The same step is the same object until a new version comes."""
        pair = Pair()
        row = pair.world.rock.spawn()
        pair.commit()
        row.x = 1
        pair.commit()
        self.assertEqual([pair.stream.cached(1), pair.stream.cached(None)], [False, False])
        step = pair.stream.step(1)
        self.assertIs(pair.stream.step(1), step)
        self.assertIs(pair.stream.step(None), pair.stream.step(0))
        self.assertEqual([pair.stream.cached(1), pair.stream.cached(0)], [True, True])
        row.x = 2
        pair.commit()
        self.assertFalse(pair.stream.cached(1))

    def test_counters(self) -> None:
        """A monitor reads plain integers."""
        pair = Pair()
        row = pair.world.rock.spawn()
        for x in range(3):
            row.x = x
            pair.commit()
            pair.stream.step(None)
            pair.stream.step(None)
        pair.stream.step(1)
        pair.stream.step(2)
        counters = pair.stream.counters
        counted = [counters[name] for name in ("versions", "frames", "keyframes", "catch_ups", "bad_values")]
        self.assertEqual(counted, [3, 5, 3, 1, 0])
        self.assertGreater(counters["bytes"], 20)

    def test_tick16(self) -> None:
        """The wire carries the lower 16 bits of the tick."""
        self.assertEqual(Step(65_537, 0, b"", None).tick16, 1)

    def test_old_version(self) -> None:
        """A version that has stood for long is sent with a later tick, so that 16 bits tell which."""
        pair = Pair()
        pair.world.rock.spawn()
        pair.commit()
        self.assertFalse(pair.stream.commit(8_193))
        self.assertEqual(pair.stream.step(None).tick, 1)
        self.assertFalse(pair.stream.commit(8_194))
        step = pair.stream.step(None)
        self.assertEqual(step.tick, 8_194)
        self.assertIs(pair.stream.step(None), step)
        self.assertIs(pair.stream.held(8_194), pair.stream.version)

    def test_slow_client(self) -> None:
        """A client that missed versions is brought to the present by one step."""
        pair = Pair()
        pair.world.ship.spawn(name="ann")
        pair.sync()
        for n in range(5):
            pair.world.ship.spawn(x=n, name=str(n))
            pair.world.ship[0].y += 1
            pair.commit()
        self.assertTrue(pair.send().same(pair.stream.version))

    def test_a_moving_crowd_is_small(self) -> None:
        """220 rows that move and turn take at most 3.2 bytes each: 20 Hz are 14 kB a second."""
        pair = Pair(SCHEMA)
        rng = np.random.default_rng(1)
        rows = 60
        for _ in range(rows):
            pair.world.ship.spawn(x=rng.uniform(0, 4096), y=rng.uniform(-50, 50), heading=rng.uniform(0, 6))
        ship = pair.world.ship
        pair.sync()
        for _ in range(3):
            ship.x += rng.uniform(-3, 3, rows)
            ship.y += rng.uniform(-3, 3, rows)
            ship.heading += rng.uniform(-0.1, 0.1, rows)
            pair.sync()
            self.assertLess(len(pair.stream.step(pair.stream.version.number - 1).data), 3.3 * rows)
        self.assertIsInstance(pair.replica, Replica)
