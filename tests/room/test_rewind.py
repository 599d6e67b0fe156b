"""The world as it was a moment ago."""

from __future__ import annotations

from math import inf, nan
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import Angle, Fixed, Flag, Game, Table, Text
from meteor_net.limits import Limits
from meteor_net.room.rewind import rewound
from meteor_net.state import Cells, Schema, StateSync, Stream, World

from ..plain import Bench


class Duck(Table):
    """What is shot at."""

    x = Fixed(step=1 / 16, low=0, high=1000)
    way = Angle(bits=10)
    jumped = Flag(snap=True)
    name = Text(8)


class Fish(Table):
    """What only those see who look."""

    cell = Cells(64, sight=128)
    x = Fixed(step=1 / 16, low=0, high=1024)
    y = Fixed(step=1 / 16, low=0, high=1024)


class Pond(Game):
    """Ducks that swim, 10 ticks a second."""

    tables = (Duck, Fish)
    tick_hz = 10
    speed = 5.0

    def opened(self) -> None:
        self.duck = self.world.duck.spawn(x=0, name="a")
        self.fish = self.world.fish.spawn(x=100, y=100)

    def tick(self, dt: float) -> None:
        self.duck.x += self.speed
        self.fish.x += self.speed


class RewindCase(SynchronousTestCase):
    """A pond after 20 ticks: the duck was at 5 times the tick."""

    limits: ClassVar[Any] = {}

    def setUp(self) -> None:
        self.bench = Bench(Pond, **self.limits)
        self.bench.guest("ann")
        self.bench.ticks(20)
        self.room = self.bench.room
        self.pond: Any = self.bench.game

    def x(self, tick: float) -> float:
        """Where the duck was."""
        place: float = self.room.rewind(tick).duck[0].x
        return place


class RewindTests(RewindCase):
    """`room.rewind`."""

    def test_at_a_tick_and_between(self) -> None:
        """At a tick it is that version; between two as clients draw it."""
        self.assertEqual([self.x(18), self.x(18.5), self.x(19.9), self.x(20)], [90, 92.5, 99.5, 100])
        self.assertEqual(self.room.rewind(18.5).tick, 18.5)

    def test_clamped(self) -> None:
        """At most half a second ago, and never later than the newest version."""
        self.assertEqual([self.x(15), self.x(14.9), self.x(1)], [75, 75, 75])
        self.assertEqual([self.x(21), self.x(1e300), self.x(inf)], [100, 100, 100])
        self.assertEqual(self.room.rewind(3).tick, 15)

    def test_unknown(self) -> None:
        """What is no tick is the present: nobody gains by it."""
        self.assertEqual([self.x(0), self.x(0.0), self.x(-4), self.x(nan), self.x(-inf)], [100] * 5)

    def test_still(self) -> None:
        """Where nothing changed no versions were made: it stood still, and moved in the last tick only."""
        self.pond.speed = 0.0
        self.bench.ticks(3)
        self.pond.speed = 8.0
        self.bench.ticks(1)
        self.assertEqual(self.room.feed.stream.version.tick, 24)
        self.assertEqual([self.x(tick) for tick in (20, 21.5, 23, 23.5, 24)], [100, 100, 100, 104, 108])

    def test_columns_and_rows(self) -> None:
        """Columns, rows and texts, read only; rows that came since are not there, those that went are."""
        self.room.world.duck.spawn(x=7)
        self.pond.duck.name = "b"
        self.bench.ticks(1)
        past = self.room.rewind(20)
        self.assertEqual((past.duck.x.tolist(), past.duck[0].name, len(past.duck)), ([100.0], "a", 1))
        self.assertRaises(KeyError, lambda: past.duck[1])
        self.assertRaises(ValueError, past.duck.x.__setitem__, 0, 1.0)
        self.pond.duck.despawn()
        self.pond.duck = self.room.world.duck.spawn(x=300, name="c")
        self.bench.ticks(1)
        self.assertEqual([self.room.rewind(tick).duck[0].name for tick in (20, 21, 22)], ["a", "b", "c"])

    def test_jumps(self) -> None:
        """A row that jumped is where it was, then where it is."""
        self.pond.duck.x, self.pond.duck.jumped = 500, True
        self.bench.ticks(1)
        self.assertEqual([self.x(20.5), self.x(21)], [100, 505])

    def test_keyed(self) -> None:
        """A table of which each sees a part is there as a whole."""
        past = self.room.rewind(18.5)
        self.assertEqual((past.fish[0].x, past.fish[0].y, past.duck[0].x), (192.5, 100, 92.5))

    def test_names(self) -> None:
        """Tables by name, each made once; what is not there is said."""
        past = self.room.rewind(18)
        self.assertIs(past.duck, past.duck)
        self.assertEqual([table.table_name for table in past.tables], ["duck", "fish"])
        self.assertEqual(repr(past), "<Past tick=18.00>")
        error = self.assertRaises(AttributeError, lambda: past.goose)
        self.assertEqual(str(error), "the world has no table 'goose'; it has duck, fish")

    def test_in_an_empty_world(self) -> None:
        """Before the first version there is nothing."""
        bench = Bench(Pond)
        bench.guest("ann")
        self.assertEqual(len(bench.room.rewind(0).duck), 0)
        bench.ticks(1)
        self.assertEqual(bench.room.rewind(0.5).duck[0].x, 5)


class ShortTests(RewindCase):
    """An operator sets other limits."""

    limits: ClassVar[Any] = {"rewind_s": 0.2, "ring_versions": 8}

    def test_limit(self) -> None:
        """`rewind_s` says how far back it goes."""
        self.assertEqual([self.x(18.5), self.x(17)], [92.5, 90])


class RingTests(RewindCase):
    """Versions that are not held."""

    limits: ClassVar[Any] = {"rewind_s": 60.0, "ring_versions": 4}

    def test_oldest(self) -> None:
        """No further back than the oldest version."""
        self.assertEqual([self.x(17), self.x(16.5), self.x(2)], [85, 85, 85])
        self.assertEqual(self.room.rewind(2).tick, 17)


class AsDrawnTests(SynchronousTestCase):
    """What a client shows at a tick is what the server finds there."""

    def test_as_clients_draw(self) -> None:
        """At each moment that a client shows, over motion and rest."""
        world = World(Schema([Duck]), 1)
        stream, sync = Stream(world, Limits()), StateSync(tick_s=0.1)
        duck = world.duck.spawn(x=3)
        compared = 0
        for tick in range(1, 200):
            if tick % 37 > 9:
                duck.x, duck.way = duck.x + 3, duck.way + 0.4
            if stream.commit(tick):
                sync.sync_state(stream.version, now=tick * 0.1)
            for part in (0.03, 0.06):
                shown = sync.show(tick * 0.1 + part)
                assert shown is not None
                if sync.shown < stream.version.tick:  # as `player.seen` has it
                    past = rewound(stream, sync.shown, 0.0)
                    self.assertEqual((past.duck[0].x, past.duck[0].way), (shown.duck[0].x, shown.duck[0].way))
                    compared += 1
        self.assertGreater(compared, 200)
