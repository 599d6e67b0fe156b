"""What may be declared, and what a field makes of a value."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError
from meteor_net.state import (
    Action,
    Angle,
    Choice,
    Data,
    Field,
    Fixed,
    Flag,
    Int,
    Local,
    Schema,
    Stream,
    Table,
    Text,
    UInt,
    World,
)


def named(field: Field[Any, Any], name: str = "f") -> Field[Any, Any]:
    """Give a field a name, as a class would."""
    field.name = name
    return field


class DeclarationTests(SynchronousTestCase):
    """A wrong declaration is an error when the class is made, not when the game runs."""

    def refused(self, make: Any, *args: Any, **kwargs: Any) -> str:
        """Give the text of the ConfigError."""
        return str(self.assertRaises(ConfigError, make, *args, **kwargs))

    def test_fixed(self) -> None:
        """Fixed wants finite numbers, low below high, and a whole number of steps that fits 32 bits."""
        for args in [
            ("1", 0, 1),
            (1, math.nan, 1),
            (1, 0, math.inf),
            (1, 0, 10**400),
            (True, 0, 1),
            (0, 0, 1),
            (-1, 0, 1),
            (1, 1, 1),
            (1, 0, 2.5),
            (1, 0, 2**31),
            (1e-300, 0, 1),
            (1, 0, 0.4),
        ]:
            self.refused(Fixed, *args)
        self.refused(Fixed, 1, 0, 2**31 + 1, wrap=True)
        self.assertEqual(Fixed(1, 0, 2**31, wrap=True).highest, 2**31 - 1)
        self.assertEqual(Fixed(1, 0, 2**31 - 1).highest, 2**31 - 1)
        self.assertEqual(Fixed(0.1, 0, 0.3).highest, 3)
        half: Any = np.float32(0.5)
        self.assertEqual(Fixed(half, 0, 1).highest, 2)

    def test_bits(self) -> None:
        """Bits are integers within what 32 bits can hold."""
        for make, bits in [(Angle, 0), (Angle, 32), (UInt, 0), (UInt, 32), (Int, 1), (Int, 33), (UInt, 7.0), (Int, True)]:
            self.assertIn("bits", self.refused(make, bits))

    def test_interpolate(self) -> None:
        """Each field has a rule that fits it; one that cannot be is refused."""
        self.assertEqual(Fixed(1, 0, 9).interpolate, "linear")
        self.assertEqual(Fixed(1, 0, 9, wrap=True).interpolate, "arc")
        self.assertEqual(Angle(4).interpolate, "arc")
        self.assertEqual(UInt(4).interpolate, "step")
        self.assertEqual(Text(4).interpolate, "step")
        self.assertIn("interpolate", self.refused(Fixed, 1, 0, 9, interpolate="arc"))
        self.assertIn("interpolate", self.refused(UInt, 4, interpolate="arc"))
        self.assertEqual(named(UInt(4, interpolate="linear")).describe()["interpolate"], "linear")

    def test_choice_and_text(self) -> None:
        """Choices are few different short words; a text has a bound."""
        for words in [(), ("a", "a"), tuple(map(str, range(257))), ("x" * 65,), ("\0",), ("\ud800",), (5,)]:
            self.refused(Choice, *words)
        for most in [0, 2049, 1.5, "4"]:
            self.refused(Text, most)
        self.assertRaises(ValueError, Text, 2, default="abc")
        self.assertRaises(ValueError, Choice, "a", "b", default="c")

    def test_local(self) -> None:
        """A server-only column is of one of five types."""
        self.refused(Local, list)
        self.assertEqual([Local(t).default for t in (float, int, bool, str, object)], [0.0, 0, False, "", None])
        self.assertEqual(Local(int, default=3).default, 3)

    def test_names(self) -> None:
        """A field's name is a public identifier that the table does not use itself."""

        def make(name: str) -> None:
            type("T", (Table,), {name: UInt(3)})

        for name in [
            "_x",
            "slot",
            "generation",
            "alive",
            "despawn",
            "spawn",
            "table",
            "max_rows",
            "table_name",
            "x" * 65,
            "a b",
            "if",
        ]:
            self.refused(make, name)
        make("ok")

    def test_one_field_two_names(self) -> None:
        """One field object cannot be two columns."""
        field = UInt(3)
        self.assertIn("one field", self.refused(type, "T", (Table,), {"x": field, "y": field}))

    def test_field_replaced(self) -> None:
        """A subclass adds fields and redeclares them, but cannot make one another thing."""
        base: Any = type("Base", (Table,), {"x": UInt(3)})
        sub: Any = type("Sub", (base,), {"y": UInt(4), "x": UInt(5)})
        self.assertEqual([field.name for field in sub.layout().fields], ["x", "y"])
        self.assertEqual(sub.layout().fields[0].bits, 5)
        self.refused(type, "Bad", (base,), {"x": 3})

    def test_near_misses(self) -> None:
        """What was meant to be a field and is none is refused, and says what to write."""
        for text in ("x: Fixed(1, 0, 4)", "x = float", "x = Flag", "x: float"):
            with self.assertRaisesRegex(ConfigError, r"T\.x is no field.*x = Fixed"):
                exec(f"class T(Table):\n    {text}", {"Table": Table, "Fixed": Fixed, "Flag": Flag})
        exec("class T(Table):\n    x: ClassVar[int]\n    _y: int", {"Table": Table, "ClassVar": ClassVar})

    def test_too_many(self) -> None:
        """A table has at most 64 fields, and 31 that travel as integers."""
        self.refused(type, "T", (Table,), {f"f{n}": UInt(3) for n in range(32)})
        self.refused(type, "T", (Table,), {f"f{n}": Local() for n in range(65)})
        type("T", (Table,), {f"f{n}": UInt(3) for n in range(31)})

    def test_repr(self) -> None:
        """A field shows its name and parameters."""
        self.assertEqual(repr(named(UInt(3), "hp")), "<UInt hp(bits=3)>")
        self.assertEqual(repr(named(Flag(), "lit")), "<Flag lit()>")

    def test_describe(self) -> None:
        """Whole numbers are described as integers, so that every language gets one hash."""
        self.assertEqual(
            named(Fixed(0.5, -0.0, 8)).describe(),
            {"name": "f", "kind": "fixed", "step": 0.5, "low": 0, "high": 8, "wrap": False},
        )
        self.assertIs(type(named(Fixed(2.0, 0.0, 8.0)).describe()["high"]), int)


class DefaultTests(SynchronousTestCase):
    """What a new row holds where nothing was given."""

    def test_fixed(self) -> None:
        """0 where that is in the domain, else the lowest value; or what was declared."""
        self.assertEqual([Fixed(1, -5, 5).default, Fixed(1, 3, 5).default, Fixed(1, 3, 5, default=4).default], [0, 3, 4])

    def test_choice(self) -> None:
        """The first word; or what was declared."""
        self.assertEqual([Choice("a", "b").default, Choice("a", "b", default="b").default], ["a", "b"])


class CoerceTests(SynchronousTestCase):
    """What may be assigned to a cell."""

    def types(self, field: Field[Any, Any], *values: Any) -> None:
        """Check that values are refused by a TypeError that names the field."""
        for value in values:
            self.assertIn("f: ", str(self.assertRaises(TypeError, named(field).coerce, value)))

    def test_numbers(self) -> None:
        """Numbers of Python and numpy are taken, text is not; giants become infinite."""
        field = named(Fixed(1, 0, 9))
        self.assertEqual([field.coerce(v) for v in (1, 1.5, np.float32(2), np.int8(3), True)], [1, 1.5, 2, 3, 1])
        self.assertEqual([field.coerce(v) for v in (10**400, -(10**400))], [math.inf, -math.inf])
        self.types(field, "1", None, [1])

    def test_whole(self) -> None:
        """Whole numbers only, for a fraction would be lost; giants are cut to what a column holds."""
        field = named(UInt(3))
        self.assertEqual([field.coerce(v) for v in (1, np.int8(3), 10**30, -(10**30))], [1, 3, 2**62, -(2**62)])
        self.types(field, 1.5, "1", None)
        self.assertEqual([field.to_wire(v) for v in (-1, 3, 2**62)], [0, 3, 7])

    def test_flag(self) -> None:
        """True and false, and 0 and 1."""
        self.assertEqual([Flag().coerce(v) for v in (True, np.bool_(False), 1, 0)], [True, False, True, False])
        self.types(Flag(), 2, "yes", None, 1.0)

    def test_snapping_flag(self) -> None:
        """That it snaps is told; others look as they always did."""
        self.assertEqual(named(Flag(snap=True)).describe(), {"name": "f", "kind": "flag", "snap": True})
        self.assertEqual(named(Flag()).describe(), {"name": "f", "kind": "flag"})
        wrong: Any = 1
        self.assertRaises(ConfigError, lambda: Flag(snap=wrong))

    def test_choice(self) -> None:
        """One of the words; the error tells them."""
        field = named(Choice("red", "blue"))
        self.assertEqual(field.coerce(np.str_("red")), "red")
        self.assertIn("red, blue", str(self.assertRaises(ValueError, field.coerce, "green")))
        self.types(field, 0, None)

    def test_text(self) -> None:
        """A table's text is cut to fit, and what UTF-8 cannot carry is replaced."""
        self.assertEqual(Text(3).coerce("abcd"), "abc")
        self.assertEqual(Text(3).coerce("a\ud800b"), "a?b")
        self.types(Text(3), 5, None)

    def test_local(self) -> None:
        """A server-only column keeps to its type."""
        self.assertEqual([Local(float).coerce(1), Local(int).coerce(2), Local(str).coerce("x")], [1.0, 2, "x"])
        thing = object()
        self.assertIs(Local(object).coerce(thing), thing)
        self.assertIs(Local(bool).coerce(True), True)
        self.types(Local(float), "x")
        self.types(Local(int), 1.5)
        self.types(Local(bool), 1)
        self.types(Local(str), 1)


class WireTests(SynchronousTestCase):
    """What a peer may send for a field."""

    def test_strict(self) -> None:
        """Only an integer of the domain, or a text that fits, is read."""
        cases: list[tuple[Field[Any, Any], Any, list[Any]]] = [
            (Fixed(1, 0, 9), 9, [10, -1, 1.0, True, None, "1"]),
            (Fixed(1, 0, 9, wrap=True), 8, [9]),
            (Angle(3), 7, [8]),
            (Int(3), -4, [-5, 4]),
            (Flag(), 1, [2, True]),
            (Choice("a", "b"), 1, [2, "a"]),
            (Text(2), "ab", ["abc", 5, None, "\ud800"]),
        ]
        for field, good, bad in cases:
            named(field).from_wire(good)
            for value in bad:
                self.assertIn("f: ", str(self.assertRaises(ValueError, field.from_wire, value)))


class DataTests(SynchronousTestCase):
    """Bytes that nobody looks into."""

    def test_rows(self) -> None:
        """Bytes of any kind are taken and cut; other things are refused, and become none when written past us."""

        class Blob(Table):
            raw = Data(3, default=b"abc")

        world = World(Schema([Blob]), 1)
        row, other = world.blob.spawn(), world.blob.spawn(raw=bytearray(b"defgh"))
        self.assertEqual((row.raw, other.raw), (b"abc", b"def"))
        for value in ("abc", 5, None):
            with self.assertRaises(TypeError):
                row.raw = value
        row.raw = memoryview(b"xy")
        world.blob.raw[1] = "text"
        stream = Stream(world)
        stream.commit(1)
        self.assertEqual(stream.version.tables[0].texts[0].tolist(), [b"xy", b""])

    def test_of_a_peer(self) -> None:
        """Bytes that are too many, or none, are refused; so is a domain that cannot be."""
        field = Data(2)
        self.assertEqual(field.from_wire(b"ab"), b"ab")
        for wire in (b"abc", "ab", None):
            self.assertRaises(ValueError, field.from_wire, wire)
        for most in (0, 8_193, True):
            self.assertRaises(ConfigError, Data, most)
        self.assertRaises(ConfigError, type, "Send", (Action,), {"raw": Data(4)})


class UnitTests(SynchronousTestCase):
    """What values are measured in."""

    def test_told(self) -> None:
        """A unit is told in the schema, and read from it; it changes nothing else."""

        class Car(Table):
            speed = Fixed(step=0.1, low=0, high=100, unit="m/s")
            laps = UInt(6, unit="laps")
            score = Int(9)

        described = Schema([Car]).describe()
        fields = described["tables"][0]["fields"]
        self.assertEqual([field.get("unit") for field in fields], ["m/s", "laps", None])
        parsed = Schema.parse(described)
        self.assertEqual([field.unit for field in parsed.tables[0].layout().wire], ["m/s", "laps", None])

    def test_refused(self) -> None:
        """A unit is a short text."""
        for unit in ("", "x" * 33, "a\nb", 5):
            self.assertRaises(ConfigError, UInt, 4, unit=unit)
