"""What each player sees of keyed tables: it gets all of that, and no byte of the rest."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot
from random import Random
from typing import Any, ClassVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.game import Game
from meteor_net.interfaces import IPlayer
from meteor_net.limits import Limits
from meteor_net.messages import Frame, Held, Joined, Lost, Ping
from meteor_net.state import Cells, Fixed, Owner, Replica, Table, Team, Text, UInt
from meteor_net.state.version import TableVersion, Version

from ..plain import Bench, Guest, replica_of

#: The same runs each time; one that fails is shown as it is, for to make it smaller takes minutes.
SETTINGS = settings(
    max_examples=40, stateful_step_count=50, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
#: Width of the world, which wraps, and height, which does not.
WIDE, HIGH = 128, 96
CELL = 4
#: How far players see: what is nearer than the first is told each tick, up to the second every other tick.
RINGS = (9.0, 18.0)
#: All of a cell is seen of which any point may be near enough to any point of the player's own; and both count as a little
#: larger than they are, for what has just left them.
SURPLUS = 2 * hypot(1.25 * CELL, 1.25 * CELL)
#: Rounding.
STEP = 0.5


class Fish(Table):
    """Seen by those who are near."""

    max_rows = 64
    x = Fixed(step=1 / 4, low=0, high=WIDE, wrap=True)
    y = Fixed(step=1 / 4, low=0, high=HIGH)
    secret = Text(12)
    cell = Cells(CELL, sight=RINGS)


class Plan(Table):
    """Seen by a team."""

    max_rows = 64
    step = UInt(bits=8)
    secret = Text(12)
    team = Team()


class Card(Table):
    """Seen by one player."""

    max_rows = 64
    secret = Text(12)
    owner = Owner()
    value = UInt(bits=8)


class Buoy(Table):
    """Seen by all."""

    max_rows = 64
    secret = Text(12)
    x = UInt(bits=8)


class Lake(Game):
    """Nothing happens in it by itself."""

    tables = (Buoy, Fish, Plan, Card)
    tick_hz: ClassVar[float] = 10
    max_players = 8


Rows = dict[tuple[int, int], tuple[Any, ...]]


def rows_of(table: TableVersion, slots: Iterable[int]) -> Rows:
    """Some rows of a version: (slot, generation) -> integers and texts."""
    return {
        (slot, int(table.generation[slot])): (*table.ints[:, slot].tolist(), *(texts[slot] for texts in table.texts))
        for slot in slots
    }


class Eye:
    """A guest, its copy of the world, and all that ever was sent to it.

    Attributes:
        may_know: Secrets of what it was allowed to see when it was told something.
        at: Where it looks from, or None.
    """

    def __init__(self, bench: Bench, name: str, features: frozenset[str]) -> None:
        self.guest: Guest = bench.guest(name, None)
        self.features = features
        self.guest.session.features = features
        self.guest.join()
        self.player = self.guest.player
        self.replica: Replica | None = None
        self.at: tuple[float, float] | None = None
        self.may_know: set[str] = set()

    @property
    def here(self) -> bool:
        """Whether it is connected."""
        return self.guest.session.pipe is not None

    def read(self) -> tuple[bytes, bool]:
        """Apply what came; give all of its bytes, and whether there was a frame among them."""
        pipe, framed = self.guest.pipe, False
        raw = b"".join(pipe.sent)
        for message in pipe.read():
            if isinstance(message, Joined):
                if self.replica is None or self.replica.epoch != message.epoch:
                    self.replica = replica_of(message)
                self.replica.note_tick(message.tick)
            elif isinstance(message, Frame):
                assert self.replica is not None
                framed = True
                self.replica.apply(
                    message.tick16, message.base, message.data, message.texts, message.sight, message.docs
                )  # fmt: skip
                self.guest.tell(Held(self.player.room.number, self.replica.tick))
            elif isinstance(message, Ping):
                self.player.room.ponged(self.guest.session, message.number)
        return raw, framed


class SightMachine(RuleBasedStateMachine):
    """A lake with players who look, go and come back, and cannot always read."""

    @initialize(seed=st.integers(0, 1_000))
    def begin(self, seed: int) -> None:
        """Open the room."""
        self.random = Random(seed)
        self.bench = Bench(Lake)
        self.eyes: list[Eye] = []
        self.issued: list[str] = []
        self.come(features=frozenset({"eg"}), team=1)
        self.come(features=frozenset(), team=2)
        self.world = self.bench.room.world
        for _ in range(6):
            self.spawn_fish(self.random.uniform(0, WIDE), self.random.uniform(0, HIGH))
        for number in range(2):
            self.spawn_plan(number)
            self.spawn_card(number)
        self.world.buoy.spawn(secret=self.secret())
        self.pass_ticks(1)

    def secret(self) -> str:
        """Another secret."""
        self.issued.append(f"{self.random.getrandbits(72):012x}"[-12:])
        return self.issued[-1]

    def pick(self, things: Any) -> Any:
        """One of some things, or None."""
        found = list(things)
        return self.random.choice(found) if found else None

    # --- players ---

    @precondition(lambda self: len(self.eyes) < 4)
    @rule(features=st.sampled_from([frozenset(), frozenset({"eg"})]), team=st.sampled_from([None, 1, 2, (1, 2)]))
    def come(self, features: frozenset[str], team: Any) -> None:
        """Somebody comes."""
        eye = Eye(self.bench, f"eye {len(self.issued)} {len(self.eyes)}", features)
        eye.player.team = team
        self.eyes.append(eye)

    @precondition(lambda self: len(self.eyes) > 1)
    @rule()
    def leave(self) -> None:
        """Somebody leaves for good; what it owned stays."""
        eye = self.pick(self.eyes)
        self.eyes.remove(eye)
        eye.guest.leave()

    @rule(unread=st.booleans())
    def lose(self, unread: bool) -> None:
        """A connection is lost, perhaps with what was written last."""
        eye = self.pick(self.eyes)
        if eye.here:
            if unread:
                self.bench.ticks(1)
                for other in self.eyes:
                    if other is not eye:
                        self.look_at(other)
                eye.guest.pipe.sent.clear()
            eye.guest.lose()

    @rule(place=st.booleans())
    def come_back(self, place: bool) -> None:
        """Who was lost connects again, and may say what it holds."""
        eye = self.pick(eye for eye in self.eyes if not eye.here)
        if eye is None:
            return
        eye.guest.connect()
        eye.guest.session.features = eye.features
        places = {}
        if place and eye.replica is not None:
            places = {"epoch": self.bench.room.world.epoch, "tick": eye.replica.tick}
        eye.guest.join(**places)

    @rule(ticks=st.integers(1, 6), speed=st.sampled_from([0.0, 2.0]), reads_again=st.booleans())
    def stall(self, ticks: int, speed: float, reads_again: bool) -> None:
        """Somebody's pipe is full for some ticks, or for longer."""
        pipe = self.pick(self.eyes).guest.pipe
        pipe.unsent = 1
        self.swim(ticks, speed)
        pipe.unsent = int(not reads_again)

    @rule()
    def lost(self) -> None:
        """A client asks for a keyframe."""
        eye = self.pick(self.eyes)
        if eye.here:
            eye.guest.tell(Lost(self.bench.room.number))

    # --- where they look ---

    @rule(x=st.floats(-10, WIDE + 10), y=st.floats(-10, HIGH + 10), reach=st.sampled_from([None, 0.0, 5.0, 12.0]))
    def look(self, x: float, y: float, reach: float | None) -> None:
        """Somebody looks elsewhere."""
        self.pick(self.eyes).player.look(x, y, reach)

    @rule()
    def look_from_row(self) -> None:
        """Somebody looks from its row again; perhaps one that it gets now."""
        player = self.pick(self.eyes).player
        player.look()
        if self.random.random() < 0.5:
            player.row = self.pick(self.world.fish)

    @rule(team=st.sampled_from([None, 1, 2, (1, 2)]))
    def change_sides(self, team: Any) -> None:
        """Somebody is of another team."""
        self.pick(self.eyes).player.team = team

    # --- rows ---

    @rule(x=st.floats(0, WIDE), y=st.floats(0, HIGH))
    def spawn_fish(self, x: float, y: float) -> None:
        """A fish comes."""
        if len(self.world.fish) < 20:
            self.world.fish.spawn(x=x, y=y, secret=self.secret())

    @rule(team=st.sampled_from([None, 1, 2, 3]))
    def spawn_plan(self, team: Any) -> None:
        """A team makes a plan."""
        if len(self.world.plan) < 6:
            self.world.plan.spawn(team=team, secret=self.secret())

    @rule(owner=st.integers(0, 5))
    def spawn_card(self, owner: int) -> None:
        """A card is dealt."""
        if len(self.world.card) < 6:
            self.world.card.spawn(owner=owner, secret=self.secret())

    @rule()
    def despawn(self) -> None:
        """A row goes."""
        row = self.pick(row for table in self.world.tables for row in table)
        if row is not None:
            row.despawn()

    @rule()
    def rename(self) -> None:
        """A row has another secret; nobody is told of it who could only see the old one."""
        row = self.pick(row for table in self.world.tables for row in table)
        if row is not None:
            row.secret = self.secret()

    @rule(team=st.sampled_from([None, 1, 2]), owner=st.integers(-1, 5))
    def hand_over(self, team: Any, owner: int) -> None:
        """A plan and a card change hands, and are worth something else."""
        plan, card = self.pick(self.world.plan), self.pick(self.world.card)
        if plan is not None:
            plan.team, plan.step = team, self.random.randrange(256)
        if card is not None:
            card.owner, card.value = None if owner < 0 else owner, self.random.randrange(256)

    @rule(ticks=st.integers(1, 5), speed=st.sampled_from([0.0, 0.5, 2.0, 9.0]))
    def swim(self, ticks: int, speed: float) -> None:
        """All fish move for some ticks, across borders."""
        fish = self.world.fish
        for _ in range(ticks):
            for row in fish:
                row.x = (row.x + self.random.uniform(-speed, speed)) % WIDE
                row.y = min(HIGH, max(0.0, row.y + self.random.uniform(-speed, speed)))
            self.pass_ticks(1)

    # --- what they see ---

    @rule(ticks=st.integers(1, 4))
    def pass_ticks(self, ticks: int) -> None:
        """Time passes; nobody is told what it may not know, and what it sees is as it is."""
        for _ in range(ticks):
            self.bench.ticks(1)
            for eye in self.eyes:
                self.look_at(eye)

    @rule()
    def settle(self) -> None:
        """The world stands still, and everybody reads: all see all that they may."""
        for eye in self.eyes:
            eye.guest.pipe.unsent = 0
        self.pass_ticks(8)
        for eye in self.eyes:
            if eye.here:
                assert eye.player.sight is eye.player.wanted
                self.compare(eye, rings=len(RINGS))
                self.check_near(eye)

    def look_at(self, eye: Eye) -> None:
        """A tick is over: take what came. It holds no secret that this one may not know, and makes what is there."""
        self.note_place(eye)
        raw, framed = eye.read()
        if framed:
            eye.may_know.update(row.secret for table in self.world.tables for row in table if self.may_see(eye, row))
        told = {secret for secret in self.issued if secret.encode() in raw}
        assert told <= eye.may_know, f"{eye.player} was told {told - eye.may_know}"
        if framed:
            self.compare(eye, rings=1)

    def note_place(self, eye: Eye) -> None:
        """Where it looks from, as the machine has it."""
        if eye.player.spot is not None:
            eye.at = eye.player.spot
        elif eye.player.row is not None and eye.player.row.alive:
            eye.at = eye.player.row.x, eye.player.row.y

    def away(self, eye: Eye, row: Any) -> float:
        """How far a fish is from where somebody looks."""
        if eye.at is None:
            return float("inf")
        across = (row.x - eye.at[0]) % WIDE
        return hypot(min(across, WIDE - across), row.y - eye.at[1])

    def may_see(self, eye: Eye, row: Any) -> bool:
        """Whether somebody may be told of a row as it is now."""
        if isinstance(row.table, Fish):
            scale = 1.0 if eye.player.reach is None else eye.player.reach / RINGS[0]
            return self.away(eye, row) <= RINGS[-1] * scale + SURPLUS + STEP
        if isinstance(row.table, Plan):
            return row.team in eye.player.teams
        return isinstance(row.table, Buoy) or row.owner == eye.player.key

    def check_near(self, eye: Eye) -> None:
        """Fish within reach are seen."""
        scale = 1.0 if eye.player.reach is None else eye.player.reach / RINGS[0]
        assert eye.replica is not None
        seen = {fish.slot for fish in eye.replica.world.fish}
        for row in self.world.fish:
            assert row.slot in seen or self.away(eye, row) > RINGS[-1] * scale - STEP, f"{eye.player} does not see {row}"

    def compare(self, eye: Eye, rings: int) -> None:
        """What a client holds, in the rings that stand at the newest version, is what is in its sight."""
        version, sight = self.bench.room.feed.stream.version, eye.player.sight
        assert eye.replica is not None and sight is not None
        mine = eye.replica.version.tables
        assert rows_of(mine[0], mine[0].alive.nonzero()[0]) == rows_of(version.tables[0], version.tables[0].alive.nonzero()[0])
        for number, (keyed, held) in enumerate(zip(version.keyed, mine[1:], strict=True)):
            keys = sight.keys(number) if number or rings > 1 else sight.keys(number, 0)
            slots = [slot for slot, key in enumerate(keyed.key.tolist()) if key in keys]
            there = held.alive.nonzero()[0].tolist()
            if rings == 1 and number == 0:
                there = [slot for slot in there if slot in slots]
            held_rows, rows = rows_of(held, there), rows_of(keyed.table, slots)
            assert held_rows == rows, f"{eye.player} holds of table {number + 1} {held_rows}, and sees {rows}"
        if sight is not eye.player.wanted:
            return
        plans = {row.slot for row in self.world.plan if row.team in eye.player.teams}
        assert set(mine[2].alive.nonzero()[0].tolist()) == plans
        cards = {row.slot for row in self.world.card if row.owner == eye.player.key}
        assert set(mine[3].alive.nonzero()[0].tolist()) == cards

    def teardown(self) -> None:
        """All come to rest; no handler failed."""
        if hasattr(self, "bench"):
            self.settle()
            assert self.bench.errors() == []


class SightTests(SynchronousTestCase):
    """The machine."""

    def test_machine(self) -> None:
        """Whatever happens, everybody sees what is in its sight, and is told nothing else."""
        run_state_machine_as_test(SightMachine, settings=SETTINGS)


class ViewTests(SynchronousTestCase):
    """Single cases: a fish at (10, 10) that ann is near, and a card of bob's."""

    def setUp(self) -> None:
        self.bench = Bench(Lake)
        self.ann, self.bob = Eye(self.bench, "ann", frozenset({"eg"})), Eye(self.bench, "bob", frozenset({"eg"}))
        self.room = self.bench.room
        self.world = self.room.world
        self.fish = self.world.fish.spawn(x=10, y=10, secret="fish")
        self.card = self.world.card.spawn(owner=self.bob.player, secret="card")
        self.ann.player.look(10, 10)

    def sees(self, eye: Eye, ticks: int = 1) -> list[str]:
        """Secrets of fish and cards that a client holds after some ticks."""
        self.bench.ticks(ticks)
        eye.read()
        assert eye.replica is not None
        world = eye.replica.world
        return [row.secret for table in (world.fish, world.card) for row in table]

    def test_default(self) -> None:
        """Who has no row and looks nowhere sees no cells; with a row, what is near it, and when it is gone what is there."""
        self.assertEqual(self.sees(self.bob), ["card"])
        bob = self.bob.player
        bob.row = self.world.fish.spawn(x=12, y=12, secret="bob")
        self.assertEqual(self.sees(self.bob), ["fish", "bob", "card"])
        bob.row.x, bob.row.y = 44, 44
        self.assertEqual(self.sees(self.bob), ["bob", "card"])
        bob.row.despawn()
        self.world.fish.spawn(x=42, y=44, secret="other")
        self.assertEqual(self.sees(self.bob, 2), ["other", "card"])
        bob.look(12, 12)
        self.assertEqual(self.sees(self.bob, 5), ["fish", "card"])
        bob.row = self.card  # which has no place
        bob.look()
        self.assertEqual(self.sees(self.bob, 5), ["fish", "card"])

    def test_look_while_nothing_moves(self) -> None:
        """The world stands still: who looks elsewhere is told within a quarter of a second, others next to nothing."""
        self.assertEqual(self.sees(self.ann), ["fish"])
        self.bench.ticks(20)
        self.ann.player.look(50, 40)
        self.assertEqual(self.sees(self.ann, 3), ["fish"])
        self.bob.read()
        self.assertEqual(self.sees(self.ann, 1), [])
        self.assertLess(sum(map(len, self.bob.guest.pipe.sent)), 20)
        self.bench.ticks(20)
        # One version for the near ring, and one at the next even tick for the far one; then no more.
        self.assertEqual(self.room.feed.stream.version.tick, self.room.tick - 20)

    def test_look_while_all_move(self) -> None:
        """Where versions are made anyway, it is told with the next one."""
        self.sees(self.ann)
        self.fish.x += 1
        self.ann.player.look(50, 40)
        self.assertEqual(self.sees(self.ann), [])

    def test_blocked(self) -> None:
        """Nobody makes versions for who cannot read them."""
        self.sees(self.ann)
        self.ann.guest.pipe.unsent = 1
        self.ann.player.look(50, 40)
        self.bench.ticks(20)
        self.assertEqual(self.room.feed.stream.version.number, 2)

    def test_reach(self) -> None:
        """A player may see farther than the table says, or less far."""
        self.ann.player.look(40, 10)
        self.assertEqual(self.sees(self.ann, 4), [])
        self.ann.player.look(40, 10, reach=30)
        self.assertEqual(self.sees(self.ann, 4), ["fish"])
        self.ann.player.look(40, 10, reach=0)
        self.assertEqual(self.sees(self.ann, 4), [])

    def test_far_away(self) -> None:
        """A point or a reach of any size is harmless."""
        for x, reach in ((1e308, None), (-1e308, 1e308), (10, 1e308), (10, 5e-324)):
            self.ann.player.look(x, 10, reach)
            self.bench.ticks(5)
        self.assertEqual((self.sees(self.ann), self.bench.errors()), (["fish"], []))

    def test_comes_back(self) -> None:
        """Who says that it holds the newest version may hold rows that it must not see: it is told all anew, soon."""
        self.sees(self.bob)
        tick = self.room.tick - 1
        self.bob.guest.lose()
        self.card.owner = self.ann.player
        self.bench.ticks(1)
        for held in (tick, self.room.tick - 1):
            self.bob.guest.lose()
            self.bob.guest.connect()
            self.bob.guest.session.features = frozenset({"eg"})
            self.bob.guest.join(epoch=self.world.epoch, tick=held)
            self.assertEqual(self.sees(self.bob, 4), [])

    def test_comes_back_without_the_last_frame(self) -> None:
        """What was written to a connection that was lost then may never have arrived: it is told again."""
        self.ann.player.look(50, 40)
        self.assertEqual(self.sees(self.ann), [])
        tick = self.room.tick - 1
        self.ann.player.look(10, 10)
        self.fish.x += 1
        self.bench.ticks(1)
        self.assertGreater(len(self.ann.guest.pipe.sent), 0)
        self.ann.guest.lose()
        self.ann.guest.connect()
        self.ann.guest.join(epoch=self.world.epoch, tick=tick)
        self.assertEqual(self.sees(self.ann), ["fish"])

    def test_too_large(self) -> None:
        """A frame that players would refuse is not sent, and said once."""
        self.room.feed._limits = Limits(packet_out_bytes=60)
        for _ in range(9):
            self.world.fish.spawn(x=10, y=10, secret="x" * 12)
        self.assertEqual(self.sees(self.bob, 3), ["card"])
        self.assertEqual((self.ann.read()[1], self.ann.player.held), (False, None))
        (error,) = self.bench.errors()
        self.assertIn("at most", str(error))

    def test_show(self) -> None:
        """A version has no keys: shown in place of the world, its rows would be for all."""
        with self.assertRaisesRegex(ValueError, "keyed tables"):
            self.room.show(Version.empty(self.world.schema))

    def test_commit_that_fails(self) -> None:
        """Should some commits stop half-way, nobody loses a step of the tables that were done already."""
        self.sees(self.ann)
        patched = self.patch(type(self.world.buoy), "_freeze", lambda table, was: 1 / 0)
        for x in (11, 12):
            self.fish.x = x
            self.bench.ticks(1)
        self.assertEqual(len(self.bench.errors()), 2)
        patched.restore()
        self.fish.x = 13
        self.assertEqual(self.sees(self.ann), ["fish"])
        assert self.ann.replica is not None
        self.assertEqual([fish.x for fish in self.ann.replica.world.fish], [13.0])


class CellsOfOtherNames(Table):
    """Its place is in fields of other names."""

    east = Fixed(step=1, low=0, high=64)
    north = Fixed(step=1, low=0, high=64)
    x = Text(4)
    cell = Cells(8, sight=8, x="east", y="north")


class Map(Game):
    """One table."""

    tables = (CellsOfOtherNames,)
    tick_hz: ClassVar[float] = 10

    def joined(self, player: IPlayer) -> None:
        player.row = self.world.cells_of_other_names.spawn(east=40, north=40)


class Shoal(Game):
    """One table, and nothing that one player alone may see."""

    tables = (Fish,)
    tick_hz: ClassVar[float] = 10


class SharedViewTests(SynchronousTestCase):
    """Players who see the same."""

    def test_shared(self) -> None:
        """They get the same bytes, coded once: of each table and ring one part."""
        bench = Bench(Shoal)
        eyes = [Eye(bench, f"eye {number}", frozenset({"eg"})) for number in range(4)]
        fish = bench.room.world.fish.spawn(x=10, y=10, secret="fish")
        for eye in eyes:
            eye.player.look(10, 10)
        bench.ticks(4)
        for eye in eyes:
            eye.read()
        fish.x += 1
        sights = bench.room.feed.stream.sights
        assert sights is not None
        before = sights.counters["coded"]
        bench.ticks(1)
        self.assertEqual(len({eye.guest.pipe.sent[0] for eye in eyes}), 1)
        self.assertEqual(sights.counters["coded"] - before, 1)


class OtherNamesTests(SynchronousTestCase):
    """A place need not be called x and y."""

    def test_own_row(self) -> None:
        """A player looks from where its row is by the fields of the table's cells."""
        bench = Bench(Map)
        ann = Eye(bench, "ann", frozenset())
        bench.ticks(1)
        ann.read()
        assert ann.replica is not None
        self.assertEqual([row.east for row in ann.replica.world.cells_of_other_names], [40.0])
