"""The server's side of keyed tables against a client's: what is told is what is in sight, whatever happens."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError
from meteor_net.state import (
    Angle,
    Cells,
    Choice,
    Data,
    Fixed,
    Flag,
    Int,
    Owner,
    Quaternion,
    Schema,
    Stream,
    Table,
    Team,
    Text,
    UInt,
    World,
)
from meteor_net.state.sight import lookout, rings, sights
from meteor_net.state.sight.decode import InSight
from meteor_net.state.sight.keyed import Keyed
from meteor_net.state.sight.lookout import Looking, Lookout
from meteor_net.state.sight.sights import Sight, Sights
from meteor_net.state.version import TableVersion

SIZE = 256


class Walker(Table):
    """Every kind of field, in three rings."""

    cell = Cells(8, sight=(24, 48, 80))
    max_rows = 200
    x = Fixed(1 / 16, 0, SIZE, wrap=True)
    y = Fixed(1 / 16, 0, SIZE, wrap=True)
    way = Angle(12)
    turn = Quaternion(9)
    mood = Choice("calm", "cross", "gone")
    debt = Int(20)
    armed = Flag()
    name = Text(12)
    badge = Data(8)


class Stone(Table):
    """In a world with edges."""

    cell = Cells(16, sight=50)
    max_rows = 100
    x = Fixed(1 / 4, -64, 64)
    y = Fixed(1 / 4, -32, 32)


class Plan(Table):
    """Of teams."""

    team = Team()
    goal = UInt(31)
    note = Text(20)


class Card(Table):
    """Players' own."""

    owner = Owner()
    face = UInt(6)


class Open(Table):
    """For all to see."""

    count = UInt(16)


TABLES = [Walker, Open, Stone, Plan, Card]
KEYED = [Walker, Stone, Plan, Card]
EMPTY = [TableVersion.empty(table.layout()) for table in TABLES]


class Viewer:
    """A client that gets its frames by hand, and may stall."""

    def __init__(self, sights: Sights, schema: Schema) -> None:
        self.looking = Looking(sights)
        self.held: Sight | None = None
        self.replica = InSight(schema)
        self.stalled = 0

    def take(self, data: bytes, reached: Sight) -> None:
        self.replica = self.replica.apply(data, self.held is None, 0)
        self.held = reached

    def serve(self, sights: Sights, following: bool) -> None:
        if not following:
            self.held = None
        [(data, reached)] = sights.frames([(self.held, self.looking.sight)])
        self.take(data, reached)


def visible(keyed: Keyed, keys: set[int]) -> dict[int, tuple[Any, ...]]:
    """Give the rows of some keys, as a server has them."""
    table = keyed.table
    return {
        int(slot): (int(table.generation[slot]), table.ints[:, slot].tolist(), [text[slot] for text in table.texts])
        for slot in np.flatnonzero(table.alive)
        if int(keyed.key[slot]) in keys
    }


def shown(table: Any) -> dict[int, tuple[Any, ...]]:
    """Give the rows that a client has."""
    return {
        int(slot): (int(table.generation[slot]), table.ints[:, slot].tolist(), [text[slot] for text in table.texts])
        for slot in np.flatnonzero(table.alive)
    }


class Scene:
    """A world in which things happen by chance, and viewers of it."""

    def __init__(self, seed: int, viewers: int = 6) -> None:
        self.random, self.rng = Random(seed), np.random.default_rng(seed)
        self.schema = Schema(TABLES)
        self.world = World(self.schema, 1)
        self.stream = Stream(self.world)
        assert self.stream.sights is not None
        self.sights = self.stream.sights
        self.lookout = Lookout(self.sights)
        self.viewers = [Viewer(self.sights, self.schema) for _ in range(viewers)]
        self.x, self.y = self.rng.uniform(0, SIZE, viewers), self.rng.uniform(0, SIZE, viewers)
        for i, viewer in enumerate(self.viewers):
            viewer.looking.teams, viewer.looking.own = (i % 3,), (i,)
        self.tick = 0
        for _ in range(60):
            self.spawn()

    def spawn(self) -> None:
        world, random = self.world, self.random
        x, y = random.uniform(0, SIZE), random.uniform(0, SIZE)
        kind = random.randrange(5)
        if kind < 2 and len(world.walker) < 150:
            name, badge = f"n{random.randrange(99)}", bytes([random.randrange(9)])
            world.walker.spawn(x=x, y=y, name=name, debt=random.randrange(-9, 9), badge=badge)
        elif kind == 2 and len(world.stone) < 60:
            world.stone.spawn(x=random.uniform(-64, 64), y=random.uniform(-32, 32))
        elif kind == 3 and len(world.plan) < 30:
            world.plan.spawn(team=random.choice([0, 1, 2, None]), goal=random.getrandbits(31), note="go")
        elif len(world.card) < 30:
            world.card.spawn(owner=random.choice([0, 1, 2, 3, None]), face=random.randrange(52))

    def live(self) -> None:
        world, random, rng = self.world, self.random, self.rng
        calm = random.random() < 0.3
        if not calm:
            w = world.walker
            w.x += rng.normal(0, 3, len(w.x))
            w.y += np.where(rng.random(len(w.y)) < 0.5, rng.normal(0, 3, len(w.y)), 0)
            w.way += rng.normal(0, 0.1, len(w.way))
            w.turn += rng.normal(0, 0.05, w.turn.shape)
            world.stone.x += rng.normal(0, 2, len(world.stone.x))
        for _ in range(random.randrange(4)):
            self.event()
        if random.random() < 0.2:
            (world.open[0] if len(world.open) else world.open.spawn()).count = random.randrange(99)

    def event(self) -> None:
        world, random = self.world, self.random
        table = random.choice([world.walker, world.stone, world.plan, world.card])
        rows = list(table)
        if not rows or random.random() < 0.35:
            self.spawn()
            return
        row = random.choice(rows)
        what = random.random()
        if what < 0.35:
            row.despawn()
            if random.random() < 0.7:
                self.spawn()  # often in the same slot
        elif table is world.walker:
            row.x, row.y = random.choice([(random.uniform(0, SIZE), random.uniform(0, SIZE)), (row.x, row.y)])
            row.name, row.mood, row.armed = f"m{random.randrange(9)}", random.choice(["calm", "cross"]), random.random() < 0.5
            row.debt = random.choice([row.debt, random.randrange(-(2**19), 2**19)])
        elif table is world.plan:
            row.team, row.note = random.choice([0, 1, 2, None]), f"g{random.randrange(9)}"
            row.goal = random.choice([row.goal, row.goal ^ 5, random.getrandbits(31)])
        elif table is world.card:
            row.owner, row.face = random.choice([0, 1, 2, 3, None]), random.choice([row.face, random.randrange(52)])

    def look(self) -> None:
        random = self.random
        self.x += self.rng.normal(0, 4, len(self.x))
        self.y += self.rng.normal(0, 4, len(self.y))
        for i, viewer in enumerate(self.viewers):
            if random.random() < 0.03:
                self.x[i], self.y[i] = random.choice([(np.nan, np.nan), (random.uniform(-300, 300), random.uniform(0, SIZE))])
            elif np.isnan(self.x[i]) and random.random() < 0.2:
                self.x[i] = self.y[i] = 100.0
            if random.random() < 0.05:
                viewer.looking.teams = tuple(sorted(random.sample(range(3), random.randrange(3))))
                viewer.looking.reach = random.choice([None, 10.0, 40.0])
                viewer.looking.changed = True
        self.lookout.update([viewer.looking for viewer in self.viewers], self.x, self.y)

    def step(self) -> list[Viewer]:
        """Let a tick go by; give those who were served."""
        self.tick += 1
        self.live()
        made = self.stream.commit(self.tick, check=self.tick % 5 == 0)
        self.look()
        served = []
        if made:
            able = [viewer for viewer in self.viewers if not viewer.stalled]
            told = self.sights.frames([(viewer.held, viewer.looking.sight) for viewer in able])
            for viewer, (data, reached) in zip(able, told, strict=True):
                viewer.take(data, reached)
                served.append(viewer)
        for viewer in self.viewers:
            if viewer.stalled:
                viewer.stalled -= 1
                if made:
                    viewer.held = None  # it missed one
            elif self.random.random() < 0.03:
                viewer.stalled = self.random.randrange(1, 6)
        return served


class AgreementTests(SynchronousTestCase):
    """Whatever happens, a client holds what is in its sight, as of when that was last told."""

    def check(self, world: Scene, viewer: Viewer) -> None:
        held = viewer.held
        assert held is not None
        composed = viewer.replica.compose(EMPTY)
        for i, (kind, table) in enumerate(zip(KEYED, world.sights.tables, strict=True)):
            expected: dict[int, tuple[Any, ...]] = {}
            there = shown(composed[TABLES.index(kind)])
            if held is viewer.looking.sight and all(ring.now is table.newest for ring in table.rings):
                expected = visible(table.newest, held.keys(i))
                self.assertEqual(there, expected, f"{kind.__name__} at {world.tick}")
            else:  # what stands in a slower ring is as it was told; what is near is true
                near = visible(table.newest, held.keys(i, 0))
                self.assertEqual({slot: there.get(slot) for slot in near}, near, f"{kind.__name__} at {world.tick}")

    def test_agree(self) -> None:
        for seed in range(4):
            world = Scene(seed)
            for _ in range(60):
                for viewer in world.step():
                    self.check(world, viewer)
            # Everything comes to rest: then all is as it is.
            for _ in range(9):
                world.tick += 1
                if world.stream.commit(world.tick, force=True):
                    for viewer in world.viewers:
                        viewer.serve(world.sights, viewer.held is not None and not viewer.stalled)
                        viewer.stalled = 0
            for viewer in world.viewers:
                self.assertIs(viewer.held, viewer.looking.sight)
                self.check(world, viewer)

    def test_nothing_is_kept_for_ever(self) -> None:
        world = Scene(99)
        for _ in range(60):
            world.step()
        for row in [*world.world.walker, *world.world.stone, *world.world.plan, *world.world.card]:
            row.despawn()
        for _ in range(10):
            world.tick += 1
            world.stream.commit(world.tick, force=True)
            for viewer in world.viewers:
                viewer.serve(world.sights, viewer.held is not None and not viewer.stalled)
                viewer.stalled = 0
        for viewer in world.viewers:
            composed = viewer.replica.compose(EMPTY)
            for kind in KEYED:
                self.assertEqual(shown(composed[TABLES.index(kind)]), {})


class SecretTests(SynchronousTestCase):
    """What a row was for others goes with them."""

    def test_row_in_other_hands(self) -> None:
        schema = Schema([Card])
        world = World(schema, 1)
        stream = Stream(world)
        sights = stream.sights
        assert sights is not None
        card = world.card.spawn(owner=1, face=51)
        stream.commit(1)
        viewer = Viewer(sights, schema)
        viewer.looking.sight = sights.sight((((2,),),))
        viewer.serve(sights, following=False)
        faces = []
        for tick, (owner, face) in enumerate([(2, 20), (2, 21), (2, 22), (1, 40), (2, 23), (2, 24)], 2):
            card.owner, card.face = owner, face
            stream.commit(tick)
            viewer.serve(sights, following=True)
            ring = viewer.replica.tables[0].rings[0]
            faces.append((ring.values.tolist(), (ring.values - ring.velocities).tolist()))
        # Its faces, and those before them: 51 and 40 it never had.
        before = [[[20]], [[20]], [[21]], [[]], [[23]], [[23]]]
        self.assertEqual(faces, list(zip([[[20]], [[21]], [[22]], [[]], [[23]], [[24]]], before, strict=True)))


class MemoryTests(SynchronousTestCase):
    """What is remembered of a table that stands still has a bound."""

    def test_looking_about(self) -> None:
        schema = Schema([Stone, Open])
        world = World(schema, 1)
        stream = Stream(world)
        sights = stream.sights
        assert sights is not None
        self.patch(rings, "MOST_SEEN", 500)
        for i in range(100):
            world.stone.spawn(x=i - 50, y=0)
        world.open.spawn()
        viewer = Viewer(sights, schema)
        lookout = Lookout(sights)
        most = 0
        for tick in range(1, 200):
            world.open[0].count = tick
            stream.commit(tick)
            lookout.update([viewer.looking], np.array([tick * 20.0 % 128 - 64]), np.array([0.0]))
            viewer.serve(sights, tick > 1)
            self.assertEqual(
                shown(viewer.replica.tables[0].version), visible(sights.tables[0].newest, viewer.looking.sight.keys(0))
            )
            most = max(most, len(sights.tables[0].rings[0].seen))
        self.assertGreater(most, 500)
        self.assertLess(most, 1000)


class KeyTests(SynchronousTestCase):
    """What a key field takes."""

    def test_two_keys(self) -> None:
        with self.assertRaisesRegex(ConfigError, "one key"):

            class Both(Table):
                team = Team()
                owner = Owner()

    def test_cells_need_fixed_fields(self) -> None:
        with self.assertRaisesRegex(ConfigError, "the fields x and y, of the kind Fixed"):

            class Flat(Table):
                cell = Cells(8, sight=8)
                x = Fixed(1, 0, 64)
                y = UInt(8)

    def test_cells_that_do_not_fit_round_the_world(self) -> None:
        with self.assertRaisesRegex(ConfigError, "whole number of cells"):

            class Round(Table):
                cell = Cells(30, sight=8)
                x = Fixed(1, 0, 64, wrap=True)
                y = Fixed(1, 0, 64)

    def test_too_many_cells(self) -> None:
        with self.assertRaisesRegex(ConfigError, "make them larger"):

            class Fine(Table):
                cell = Cells(1, sight=8)
                x = Fixed(1, 0, 64_000)
                y = Fixed(1, 0, 64_000)

    def test_parameters(self) -> None:
        for size, sight in ((0, 1), (float("nan"), 1), (1, ()), (1, (2, 1)), (1, (1, 2, 3, 4, 5)), (1, "far"), (1, -1)):
            with self.assertRaises(ConfigError):
                Cells(size, sight)  # type: ignore[arg-type]

    def test_values(self) -> None:
        world = World(Schema([Card, Plan, Stone]), 1)
        for bad, error in ((70_000, ValueError), (-2, ValueError), ("ann", TypeError), (True, TypeError)):
            with self.assertRaises(error):
                world.card.spawn(owner=bad)
        with self.assertRaisesRegex(TypeError, "worked out from x and y"):
            world.stone.spawn(cell=3)
        row = world.card.spawn(owner=None)
        self.assertEqual(row.owner, -1)

    def test_hysteresis(self) -> None:
        """A row that goes to and fro over a border stays in its cell."""
        world = World(Schema([Stone]), 1)
        stream = Stream(world)
        row = world.stone.spawn(x=-33, y=0)
        cells = []
        for tick, x in enumerate((-33, -31, -33, -31, -29, -31, -33, -35), 1):
            row.x = x
            stream.commit(tick)
            cells.append(int(world.stone.cell[0]) % 8)
        self.assertEqual(cells, [1, 1, 1, 1, 2, 2, 2, 1])

    def test_hysteresis_round_the_world(self) -> None:
        """Who goes to and fro where the world begins anew sees the same; who comes from nowhere sees something."""
        sights = Stream(World(Schema([Walker]), 1)).sights
        assert sights is not None
        looking, lookout, seen = Looking(sights), Lookout(sights), []
        for x in (np.nan, 255.5, 0.5, 255.5, 0.5, 1.5, 255.5, 254.5):
            lookout.update([looking], np.array([x]), np.array([0.0]))
            seen.append(looking.sight)
        nowhere, old, new = seen[0], seen[1], seen[5]
        self.assertIs(nowhere, sights.nothing)
        self.assertIsNot(old, nowhere)
        self.assertIsNot(new, old)
        self.assertEqual([seen.index(sight) for sight in seen], [0, 1, 1, 1, 1, 5, 5, 1])


class OneTableTests(SynchronousTestCase):
    """A world with one keyed table in one ring, which is told a shorter way."""

    def setUp(self) -> None:
        self.schema = Schema([Stone])
        self.world = World(self.schema, 1)
        self.stream = Stream(self.world)
        assert self.stream.sights is not None
        self.sights = self.stream.sights
        self.lookout = Lookout(self.sights)
        self.viewers = [Viewer(self.sights, self.schema) for _ in range(3)]
        self.x = np.array([0.0, 0.0, 30.0])
        for number in range(40):
            self.world.stone.spawn(x=3 * number - 60, y=number % 7)

    def tick(self, tick: int, speed: float = 0.5) -> None:
        """Let all stones roll, and tell everybody; what is told is what is seen."""
        self.world.stone.x += speed
        self.assertTrue(self.stream.commit(tick, check=tick % 4 == 0, force=True))
        self.lookout.update([viewer.looking for viewer in self.viewers], self.x, np.zeros(3))
        told = self.sights.frames([(viewer.held, viewer.looking.sight) for viewer in self.viewers])
        for viewer, (data, reached) in zip(self.viewers, told, strict=True):
            viewer.take(data, reached)
            (table,) = viewer.replica.compose([TableVersion.empty(Stone.layout())])
            self.assertEqual(shown(table), visible(self.sights.tables[0].newest, viewer.looking.sight.keys(0)))

    def test_steady(self) -> None:
        """Rows that go on as they went; players who stay, and go."""
        for tick in range(1, 40):
            self.x[1] += 1
            self.tick(tick)
        self.assertIn("Sight", repr(self.viewers[0].held))

    def test_nothing_moves(self) -> None:
        """While the world stands still, who looks elsewhere is told what is there, who comes all, and the others nothing."""
        self.tick(1)
        self.x[1] = 40
        self.viewers[2].held = None
        self.tick(2, speed=0)
        self.tick(3, speed=0)
        self.assertEqual(self.sights.frames([(self.viewers[0].held, self.viewers[0].looking.sight)])[0][0], b"")

    def test_each_for_itself(self) -> None:
        """Nothing need be shared."""
        self.sights.share = False
        before = self.sights.counters["coded"]
        self.tick(1)
        self.assertEqual(self.sights.counters["coded"] - before, 3)

    def test_few_are_remembered(self) -> None:
        """Sights beyond a number are forgotten, and made again."""
        self.patch(sights, "MAX_REMEMBERED", 2)
        self.patch(lookout, "MAX_REMEMBERED", 2)
        for tick in range(1, 8):
            self.x += 9
            self.tick(tick)
