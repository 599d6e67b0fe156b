"""Own rows as integers, for steps."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError
from meteor_net.state import Angle, Choice, Fixed, Flag, Input, Int, Local, Quaternion, Schema, Stream, Table, Text, UInt, World
from meteor_net.state.fields import IntegerField
from meteor_net.state.own import OwnFields, check_exact, elementwise, input_ints

from . import strategies


class Ship(Table):
    """A row with a field of each kind."""

    x = Fixed(step=1 / 16, low=0, high=64, wrap=True)
    depth = Fixed(step=0.5, low=-10, high=10)
    heading = Angle(bits=10)
    gold = UInt(bits=4)
    speed = Int(bits=8)
    sail = Flag()
    flag = Choice("red", "black")
    name = Text(8)
    spin = Quaternion(bits=9)
    secret = Local(float)


class Gun(Table):
    """Another of the same player's."""

    gold = UInt(bits=8)
    heat = UInt(bits=8)


class Steer(Input):
    """How a ship is steered."""

    turn = Fixed(step=1 / 64, low=-1, high=1)
    flag = Choice("red", "black")
    say = Text(5)
    fire = Flag()


class OwnTests(SynchronousTestCase):
    """What `s` and `i` of a step are."""

    def setUp(self) -> None:
        self.world = World(Schema([Ship, Gun]), 1)
        self.ship = self.world.tables[0].spawn(x=1, depth=-9, heading=0.1, gold=3, speed=-5, sail=True, flag="black", name="a")
        self.gun = self.world.tables[1].spawn(gold=200, heat=7)
        self.fields = OwnFields([Ship, Gun])

    def step(self, step: Any) -> dict[str, int]:
        """Run a step on both rows; what `s` holds then."""
        ints = self.fields.move([self.ship, self.gun], step, None)
        return dict(zip([field.name for field in self.fields.fields], ints, strict=True))

    def test_merged(self) -> None:
        """Integers by name, as on the wire; the earlier row's where both have a field; no text, rotation or what is local."""
        self.assertEqual(
            self.step(lambda s, i: None),
            {"x": 16, "depth": 2, "heading": 16, "gold": 3, "speed": -5, "sail": 1, "flag": 1, "heat": 7},
        )

    def test_settled(self) -> None:
        """What wraps is taken modulo its modulus, the rest clamped: on both sides alike."""

        def far(s: Any, i: Any) -> None:
            s.x -= 1024 + 17
            s.depth, s.heading, s.gold, s.speed, s.sail, s.flag, s.heat = 99, -1, -4, 500, 7, True, 2**50

        settled = {"x": 1023, "depth": 40, "heading": 1023, "gold": 0, "speed": 127, "sail": 1, "flag": 1, "heat": 255}
        self.assertEqual(self.step(far), settled)
        self.assertEqual((self.ship.x, self.ship.depth, self.ship.flag, self.gun.heat), (1023 / 16, 10.0, "black", 255))
        self.assertEqual(self.gun.gold, 200)  # the ship's was meant

    def test_fractions_stay(self) -> None:
        """A column that the step does not change keeps what lies below a step of it."""
        self.ship.x = 1.01
        self.step(lambda s, i: setattr(s, "gold", 4))
        self.assertEqual(self.ship.x, 1.01)
        self.step(lambda s, i: setattr(s, "x", s.x + 1))
        self.assertEqual(self.ship.x, 1 + 1 / 16)

    def test_faults(self) -> None:
        """A field that is not there, a fraction, a giant: an error that names it."""
        for value, error, text in (
            (1.5, TypeError, "a step set gold to 1.5; an integer is needed"),
            ("1", TypeError, "a step set gold to '1'"),
            (2**53, ValueError, "a step set gold to 9007199254740992, beyond"),
        ):
            raised = self.assertRaises(error, self.step, lambda s, i, value=value: setattr(s, "gold", value))
            self.assertIn(text, str(raised))
        raised = self.assertRaises(AttributeError, self.step, lambda s, i: setattr(s, "vx", 1))
        self.assertIn("vx", str(raised))
        self.assertEqual(self.ship.gold, 3)

    def test_elementwise(self) -> None:
        """Run on the columns of all who have the same step, it does what it does to each alone; others go one by one."""

        def sail(s: Any, i: Any) -> None:
            s.x -= 17 * i.turn - s.speed
            s.depth, s.sail = s.depth + (i.turn << 5), s.gold > 7
            s.gold = s.gold & 5
            s.heat = i.fire * 3

        ints = input_ints(Steer)
        ships, guns = self.world.tables
        fleets = [[(ships.spawn(x=n, speed=n * 9 - 60, gold=n), guns.spawn(heat=n)) for n in range(14)] for _ in range(2)]
        inputs = [ints(Steer(turn=n / 14 - 0.5, fire=n % 3 == 0)) for n in range(14)]
        odd = [lambda s, i: setattr(s, "x", 7)]
        for fleet, step in zip(fleets, (sail, elementwise(copy_of(sail))), strict=True):
            self.assertEqual(self.fields.move_all(fleet, [step] * 13 + odd, inputs), [None] * 14)
        alone, together = ([self.fields.move(rows, still, None) for rows in fleet] for fleet in fleets)
        self.assertEqual(together, alone)
        self.assertGreater(len(set(alone)), 13)

    def test_elementwise_faults(self) -> None:
        """Where the columns fail, each step is run alone: so one player's fault is that one's."""
        faults: list[tuple[Any, Any]] = [
            (lambda s, i: setattr(s, "gold", 15 // (s.speed - 3)), ZeroDivisionError),
            (lambda s, i: setattr(s, "x", s.x + 1 if s.speed != 3 else 0.5), TypeError),
            (lambda s, i: setattr(s, "x", s.x * 2**52 * (s.speed == 3)), ValueError),
            (lambda s, i: setattr(s, "x", s.x / 2), TypeError),
            (lambda s, i: setattr(s, "mast", 1), AttributeError),
        ]
        for step, error in faults:
            fleet = [(self.world.tables[0].spawn(speed=n, x=2), self.world.tables[1].spawn()) for n in range(5)]
            failures = self.fields.move_all(fleet, [elementwise(step)] * 5, [input_ints(Steer)(Steer())] * 5)
            self.assertIsInstance(failures[3], error)
            alone = OwnFields([Ship, Gun]).move_all(fleet[:1], [step], [None])
            self.assertEqual(type(failures[0]), type(alone[0]))

    def test_shown(self) -> None:
        """What a step prints for its author."""
        shown: list[str] = []
        self.step(lambda s, i: shown.append(repr(s)))
        self.assertEqual(shown, ["OwnState(x=16, depth=2, heading=16, gold=3, speed=-5, sail=1, flag=1, heat=7)"])

    def test_no_word_and_no_number(self) -> None:
        """NaN, and a word that is none of the choices, are read as the commit reads them."""
        ship = self.world.ship
        ship.x[0], ship.flag[0] = float("nan"), "blue"
        stream = Stream(self.world)
        stream.commit(1)
        ints = self.fields.move([self.ship, self.gun], still, None)
        self.assertEqual(ints, self.fields.of_version(stream.version, [(0, 0), (1, 0)]))
        self.assertEqual((ints[0], ints[6]), (0, 0))

    def test_input(self) -> None:
        """The integers of an input by name, without its texts; they cannot be changed."""
        i = input_ints(Steer)(Steer(turn=-0.5, flag="black", say="x", fire=True))
        self.assertEqual((i.turn, i.flag, i.fire), (32, 1, 1))
        self.assertFalse(hasattr(i, "say"))
        self.assertRaises(AttributeError, setattr, i, "turn", 3)

    def test_too_fine(self) -> None:
        """A field whose numbers floats cannot tell apart could not be written back: that is said at the start."""

        class Far(Table):
            x = Fixed(step=1e-6, low=1e12, high=1e12 + 1)

        raised = self.assertRaises(ConfigError, check_exact, [Ship, Far])
        self.assertEqual(str(raised), "Far.x: a step of 1e-06 is too fine for 1e+12")
        check_exact([Ship, Gun])


class TogetherTests(SynchronousTestCase):
    """Steps of several players at once."""

    def test_apart(self) -> None:
        """Each moves its own rows; one whose step raises stays as it was, and nobody else feels it."""
        world = World(Schema([Gun]), 1)
        guns = [world.tables[0].spawn(heat=heat) for heat in range(4)]

        def shoot(s: Any, i: int) -> None:
            s.heat += 10 * i
            if i == 2:
                raise ZeroDivisionError("jammed")

        failures = OwnFields([Gun]).move_all([[gun] for gun in guns], [shoot] * 4, range(4))
        self.assertEqual([type(each) for each in failures], [type(None), type(None), ZeroDivisionError, type(None)])
        self.assertEqual([gun.heat for gun in guns], [0, 11, 2, 33])


class ExactTests(SynchronousTestCase):
    """What is read is what a commit would make, and what is written comes out of it again."""

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_read_and_write(self, data: Any) -> None:
        """Of any fields with any values: numbers in columns beyond all domains, NaN, words; then any integers."""
        schema = data.draw(strategies.schemas())
        check_exact(schema.tables)
        world = World(schema, 1)
        rows = []
        for table in world.tables:
            given_ = {field.name: strategies.value_for(data.draw, field) for field in table.layout().fields}
            rows.append(table.spawn(**given_))
        places = [(number, 0) for number in range(len(rows))]
        fields = OwnFields(schema.tables)
        stream = Stream(world)
        before = fields.move(rows, still, None)
        stream.commit(1)
        self.assertEqual(before, fields.of_version(stream.version, places))
        # Something else moves some of them in between.
        for row, table in zip(rows, schema.tables, strict=True):
            for field in table.layout().fields:
                if data.draw(st.booleans()):
                    setattr(row, field.name, strategies.value_for(data.draw, field))

        def leap(s: Any, i: Any) -> None:
            for field in fields.fields:
                setattr(s, field.name, data.draw(st.one_of(near(field), st.integers(-(2**53) + 1, 2**53 - 1))))

        after = fields.move(rows, leap, None)
        for field, n in zip(fields.fields, after, strict=True):
            self.assertEqual(field.to_wire(field.value(n)), n)
        self.assertEqual(fields.move(rows, still, None), after)
        stream.commit(2)
        self.assertEqual(fields.of_version(stream.version, places), after)


def copy_of(step: Any) -> Any:
    """Give the same function as another object."""
    return FunctionType(step.__code__, step.__globals__)


def still(s: Any, i: Any) -> None:
    """Change nothing."""


def near(field: IntegerField[Any, Any]) -> st.SearchStrategy[int]:
    """Integers of a field's domain, its ends often."""
    return st.one_of(st.integers(field.lowest, field.highest), st.sampled_from([field.lowest, field.highest]))
