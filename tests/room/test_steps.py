"""Steps on the server: what an input does by itself, and what is done without one."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import Action, Fixed, Game, Input, Int, Table, UInt, handles
from meteor_net.errors import ConfigError
from meteor_net.messages import Ack
from meteor_net.room import steps
from meteor_net.room.asking import nothing
from meteor_net.state import Flag

from ..plain import Bench, Later


class Boat(Table):
    """What players row."""

    x = UInt(bits=16)
    speed = Int(bits=8)
    lamp = Flag()


class Oar(Table):
    """Another row of the same player."""

    strokes = UInt(bits=16)


class Row(Input):
    """Pull."""

    pull = Int(bits=4)


class Light(Input):
    """Another input."""

    on = Flag(default=True)


class Wave(Action):
    """No input."""


def row(s: Any, i: Any) -> None:
    """Go as fast as was pulled."""
    if i.pull == 7:
        raise ZeroDivisionError("the oar broke")
    s.speed = i.pull
    s.x += i.pull
    s.strokes += 1


def light(s: Any, i: Any) -> None:
    """Light a lamp, or put it out."""
    s.lamp = i.on


class Regatta(Game):
    """A game of steps alone."""

    tables = (Boat, Oar)
    steps: ClassVar[Any] = {Row: row, Light: light}
    idle_ticks = 2
    tick_hz = 10

    def joined(self, player: Any) -> None:
        if player.role == "play":
            player.rows = [self.world.boat.spawn(x=100), self.world.oar.spawn()]


class Skipping(Regatta):
    """Boats that lie still when nobody rows."""

    idle = "skip"


class Heard(Regatta):
    """A handler beside the step."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []

    @handles(Row)
    def rowed(self, player: Any, action: Row) -> None:
        self.heard.append((action.pull, player.row.x))


class StepsCase(SynchronousTestCase):
    """A room with one player."""

    game: type[Regatta] = Regatta

    def setUp(self) -> None:
        self.bench = Bench(self.game)
        self.ann = self.bench.guest("ann")

    @property
    def boat(self) -> Any:
        """The player's boat."""
        return self.ann.player.row

    def pull(self, *pulls: int) -> list[int]:
        """Say these, one a tick; where the boat is after each."""
        places = []
        for pull in pulls:
            self.ann.act(Row(pull=pull))
            self.bench.ticks(1)
            places.append(self.boat.x)
        return places

    def drift(self, ticks: int) -> list[int]:
        """Say nothing for so many ticks; where the boat is after each."""
        places = []
        for _ in range(ticks):
            self.bench.ticks(1)
            places.append(self.boat.x)
        return places


class StepsTests(StepsCase):
    """One input a tick."""

    def test_one_per_tick(self) -> None:
        """Each input moves the rows once, before the tick's version is made; all of a player's rows are one."""
        self.assertEqual(self.pull(1, 2, 3), [101, 103, 106])
        self.assertEqual(self.ann.player.rows[1].strokes, 3)
        acks = self.ann.found(Ack)
        self.assertEqual([(ack.seq, ack.tick) for ack in acks], [(1, 1), (2, 2), (3, 3)])

    def test_repeated_then_neutral(self) -> None:
        """A missing input is the last one for `idle_ticks`, then one of defaults, of the same kind."""
        self.pull(3)
        self.assertEqual(self.drift(5), [106, 109, 109, 109, 109])
        self.assertEqual(self.boat.speed, 0)
        self.ann.act(Light(on=False))
        self.bench.ticks(1)
        self.assertFalse(self.boat.lamp)
        self.bench.ticks(2)
        self.assertFalse(self.boat.lamp)
        self.bench.ticks(1)
        self.assertTrue(self.boat.lamp)  # the default of that input

    def test_late_is_taken_next(self) -> None:
        """An input that comes too late for its tick is taken at the next one: from then on the queue has one in hand."""
        self.pull(1, 1)
        self.assertEqual(self.drift(1), [103])
        self.ann.act(Row(pull=2))
        self.assertEqual(self.pull(3, 1), [105, 108])
        self.assertEqual(self.drift(2), [109, 110])

    def test_neutral_before_the_first(self) -> None:
        """Before the first input it is a neutral one of the first kind."""
        self.bench.ticks(3)
        self.assertEqual((self.boat.x, self.ann.player.rows[1].strokes), (100, 3))

    def test_away(self) -> None:
        """Who is away has no inputs: the rows go on by the idle policy."""
        self.pull(3)
        self.ann.act(Row(pull=5))
        self.ann.lose()
        self.assertEqual(self.drift(4), [106, 109, 109, 109])

    def test_busy(self) -> None:
        """While a verb of the player's is awaited its inputs wait, and the rows go on by the idle policy."""
        self.pull(3)
        self.ann.player.room.asking.ask(self.ann.player, "action", Later, nothing, nothing, self.bench.now)
        self.bench.turn()
        self.ann.act(Row(pull=5))
        self.assertEqual(self.drift(3), [106, 109, 109])
        self.bench.release()
        self.assertEqual(self.drift(1), [114])

    def test_raises(self) -> None:
        """A step that raises changes nothing, is logged with the player, and hurts nobody else."""
        bob = self.bench.guest("bob")
        bob.act(Row(pull=1))
        self.assertEqual(self.pull(7), [100])
        self.assertEqual(bob.player.row.x, 101)
        (error,) = self.bench.errors()
        self.assertEqual(str(error), "the oar broke")
        self.assertEqual(self.bench.room.actions.counters["steps_failed"], 1)
        self.assertEqual(self.pull(1), [101])

    def test_names_the_player(self) -> None:
        """The log tells whose step it was."""
        self.pull(7)
        names = [names for event, _, names in self.bench.reports if event == "error"]
        self.assertEqual(names, [{"room": "sea/main", "player": "ann", "verb": "step"}])

    def test_no_rows(self) -> None:
        """Who watches, and who has no row any more, has no step."""
        self.bench.guest("eve", role=1)
        self.ann.player.rows = []
        self.ann.act(Row(pull=3))
        self.bench.ticks(3)
        self.assertEqual(self.bench.errors(), [])

    def test_rows_go_and_come(self) -> None:
        """A step works on the rows that are alive; without those that it needs it raises."""
        self.ann.player.rows[1].despawn()
        self.pull(3)
        (error,) = self.bench.errors()
        self.assertIn("strokes", str(error))
        self.ann.player.rows = [self.boat, self.bench.room.world.oar.spawn()]
        self.assertEqual(self.pull(3), [103])

    def test_other_tables(self) -> None:
        """Plans for rows of other tables are made as needed, and bounded."""
        self.patch(steps, "MAX_PLANS", 1)
        self.pull(1)
        self.ann.player.rows = [self.ann.player.rows[1], self.boat]
        self.ann.act(Row(pull=2))
        self.bench.ticks(1)
        self.assertEqual((self.ann.player.rows[1].x, self.boat.strokes), (103, 2))


class SkippingTests(StepsCase):
    """`idle = "skip"`."""

    game = Skipping

    def test_skipped(self) -> None:
        """Without an input the rows stay as they are."""
        self.pull(3)
        self.assertEqual(self.drift(3), [103, 103, 103])
        self.assertEqual((self.boat.speed, self.ann.player.rows[1].strokes), (3, 1))


class HeardTests(StepsCase):
    """A step and a handler."""

    game = Heard

    def test_step_then_handler(self) -> None:
        """The handler comes after the step, for inputs that came; not for those that were repeated."""
        self.pull(1, 2)
        self.drift(3)
        game: Any = self.bench.game
        self.assertEqual(game.heard, [(1, 101), (2, 103)])


def faulty(**attributes: Any) -> Any:
    """A game with faults."""
    return type("Faulty", (Game,), {"tables": (Boat,), **attributes})


class CheckTests(SynchronousTestCase):
    """What is said at the start."""

    def test_faults(self) -> None:
        """Each fault is said with the game's name and what was wrong."""

        class Far(Table):
            x = Fixed(step=1e-6, low=1e12, high=1e12 + 1)

        async def late(s: Any, i: Any) -> None: ...

        for attributes, text in (
            ({"steps": [Row]}, "steps is [<class"),
            ({"steps": {"Row": row}}, "steps: 'Row' is no Input class"),
            ({"steps": {Wave: row}}, "steps: Wave is no Input class"),
            ({"steps": {Row: 3}}, "steps: Row has 3; a plain function of s and i is needed"),
            ({"steps": {Row: late}}, "a plain function of s and i is needed"),
            ({"steps": {Row: lambda s: None}}, "steps: the step of Row is called with s and i: too many"),
            ({"steps": {Row: row}, "idle": "wait"}, 'idle is \'wait\'; "repeat" or "skip" is needed'),
            ({"steps": {Row: row}, "idle_ticks": -1}, "idle_ticks is -1; a whole number of 0 to 600 is needed"),
            ({"steps": {Row: row}, "idle_ticks": 1.5}, "idle_ticks is 1.5"),
            ({"steps": {Row: row}, "tables": (Boat, Far)}, "Far.x: a step of 1e-06 is too fine"),
        ):
            error = self.assertRaises(ConfigError, self.lobby, faulty(**attributes))
            self.assertTrue(str(error).startswith("game sea: "), error)
            self.assertIn(text, str(error))

    def test_not_among_the_actions(self) -> None:
        """A handler that is no Game names its actions itself."""
        game = faulty(steps={Row: row})
        game.actions = []
        error = self.assertRaises(ConfigError, self.lobby, game)
        self.assertEqual(str(error), "game sea: steps: Row is not among the actions")

    def test_actions_of_steps(self) -> None:
        """A Game's actions are those with a handler, then those with a step alone."""
        self.assertEqual(list(Regatta.actions), [Row, Light])
        self.assertEqual(list(Heard.actions), [Row, Light])
        self.assertEqual(list(faulty(steps={Row: row, Light: light}, actions=(Light,)).actions), [Light, Row])

    def lobby(self, game: Any) -> None:
        """Start a server with it."""
        Bench(game)


class SharedRowTests(SynchronousTestCase):
    """A boat of two."""

    def test_two_rowers(self) -> None:
        """A row of two players moves by the steps of both, one after the other."""
        bench = Bench(Regatta)
        ann, bob = bench.guest("ann"), bench.guest("bob")
        boat = ann.player.row
        bob.player.rows = [boat, bob.player.rows[1]]
        ann.act(Row(pull=3))
        bob.act(Row(pull=2))
        bench.ticks(1)
        self.assertEqual((boat.x, boat.speed), (105, 2))
        self.assertEqual([guest.player.rows[1].strokes for guest in (ann, bob)], [1, 1])
