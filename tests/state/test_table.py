"""Live tables: rows, columns, and what is never lost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError, MeteorError, Refused
from meteor_net.state import DeadRow, Row, Schema, Table, TableFull, Text, World
from tests.state.samples import SCHEMA, Pair, Ship


class RowTests(SynchronousTestCase):
    """One row at a time."""

    def setUp(self) -> None:
        self.world = World(SCHEMA, 1)
        self.ship: Ship = self.world.ship

    def test_spawn(self) -> None:
        """A row takes what is given, and defaults."""
        row = self.ship.spawn(x=1, name="ann", team="blue", owner=self)
        self.assertIsInstance(row, Row)
        self.assertEqual((row.x, row.y, row.hp, row.name, row.team, row.lit), (1.0, 0.0, 100, "ann", "blue", False))
        self.assertIs(row.owner, self)
        self.assertIs(row.table, self.ship)
        self.assertEqual((row.slot, row.generation, row.alive, len(self.ship)), (0, 0, True, 1))
        self.assertEqual([type(v) for v in (row.x, row.hp, row.lit, row.team)], [float, int, bool, str])
        self.assertIn("ship[0] generation=0>", repr(row))

    def test_spawn_refused(self) -> None:
        """A wrong field or value leaves the table as it was."""
        self.assertIn("mast", str(self.assertRaises(TypeError, self.ship.spawn, mast=1)))
        self.assertIn("x:", str(self.assertRaises(TypeError, self.ship.spawn, x="1")))
        self.assertRaises(ValueError, self.ship.spawn, team="green")
        self.assertEqual((len(self.ship), len(self.ship.x)), (0, 0))

    def test_assign(self) -> None:
        """Fields of a row are read and written as attributes; a wrong name or kind is an error."""
        row = self.ship.spawn()
        row.x += 1.5
        row.name = "a very long name"
        row.lit = np.bool_(True)
        self.assertEqual((row.x, row.name, row.lit, self.ship.x[0]), (1.5, "a very l", True, 1.5))
        self.assertRaises(TypeError, setattr, row, "hp", 1.5)
        self.assertRaises(AttributeError, setattr, row, "mast", 1)

    def test_dead(self) -> None:
        """A handle of a row that is gone says so, and never means the row that took its slot."""
        row = self.ship.spawn(x=1)
        row.despawn()
        again = self.ship.spawn(x=2)
        self.assertEqual((again.slot, again.generation), (0, 1))
        self.assertFalse(row.alive)
        for use in (lambda: row.x, lambda: setattr(row, "x", 1), row.despawn):
            self.assertRaises(DeadRow, use)
        self.assertTrue(issubclass(DeadRow, LookupError) and issubclass(DeadRow, MeteorError))
        self.assertIn("dead", repr(row))
        self.assertEqual(again.x, 2)

    def test_lowest_slot_first(self) -> None:
        """Freed slots are used again, the lowest first, so that columns stay short."""
        rows = [self.ship.spawn() for _ in range(5)]
        for place in (3, 1, 4):
            rows[place].despawn()
        self.assertEqual([self.ship.spawn().slot for _ in range(4)], [1, 3, 4, 5])

    def test_full(self) -> None:
        """At max_rows a spawn is refused; a player who asked hears why. A freed slot can be taken."""
        rows = [self.ship.spawn() for _ in range(64)]
        self.assertIn("64", str(self.assertRaises(TableFull, self.ship.spawn)))
        self.assertTrue(issubclass(TableFull, Refused))
        rows[7].despawn()
        self.assertEqual(self.ship.spawn().slot, 7)

    def test_lookup(self) -> None:
        """A slot gives its row, a free one a KeyError; iteration gives all rows, also while some go."""
        rows = [self.ship.spawn() for _ in range(4)]
        self.assertEqual(self.ship[2], rows[2])
        rows[1].despawn()
        for slot in (1, 4, -1, 99):
            self.assertRaises(KeyError, self.ship.__getitem__, slot)
        self.assertIs(type(self.ship[np.flatnonzero(self.ship.alive)[0]].slot), int)
        seen = []
        for row in self.ship:
            seen.append(row.slot)
            if row.slot == 0:
                rows[2].despawn()
        self.assertEqual(seen, [0, 3])
        self.assertEqual(self.ship.alive.tolist(), [True, False, False, True])

    def test_equal(self) -> None:
        """Handles of one row are equal and can be keys."""
        row = self.ship.spawn()
        other = self.ship.spawn()
        self.assertEqual(len({row, self.ship[0], other}), 2)
        self.assertNotEqual(row, 5)
        self.assertNotEqual(row, World(SCHEMA, 1).ship.spawn())

    def test_generation_wraps(self) -> None:
        """A slot that was used 65,536 times begins at 0 again."""
        self.ship._generation[0] = 65_535
        self.ship.spawn().despawn()
        self.assertEqual(self.ship.spawn().generation, 0)


class ColumnTests(SynchronousTestCase):
    """Whole columns at a time."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.ship: Ship = self.pair.world.ship
        self.rows = [self.ship.spawn(x=n, name=f"s{n}") for n in range(4)]

    def test_views(self) -> None:
        """A column is a numpy array up to the highest slot, of a type that fits the field."""
        self.assertEqual(self.ship.x.tolist(), [0, 1, 2, 3])
        kinds = [self.ship.x, self.ship.hp, self.ship.lit, self.ship.name, self.ship.speed, self.ship.owner]
        self.assertEqual([column.dtype.kind for column in kinds], ["f", "i", "b", "O", "f", "O"])
        self.assertEqual((self.ship.team == "red").tolist(), [True] * 4)

    def test_arithmetic(self) -> None:
        """Columns are calculated in place, or assigned as a whole."""
        self.ship.x += 1
        self.ship.y = self.ship.x * 2
        self.ship.hp = 7
        self.ship.lit = self.ship.x > 2
        self.ship.team = "blue"
        self.ship.name = ["a", "b", "c", "d"]
        self.assertEqual(self.ship.y.tolist(), [2, 4, 6, 8])
        self.assertEqual([(r.hp, r.lit, r.team, r.name) for r in self.ship][2], (7, True, "blue", "c"))

    def test_wrong_assignment(self) -> None:
        """Another length, or fractions where whole numbers are kept, is an error and not a loss."""
        self.assertRaises(ValueError, setattr, self.ship, "x", [1, 2])
        self.assertRaises(TypeError, setattr, self.ship, "hp", self.ship.x / 2)
        self.assertRaises(TypeError, self.ship.hp.__iadd__, 0.5)
        self.assertIn("headng", str(self.assertRaises(AttributeError, setattr, self.ship, "headng", 1)))
        self.assertRaises(AttributeError, setattr, self.ship, "alive", True)

    def test_never_stale(self) -> None:
        """A column held while rows are added still writes through."""
        held = self.ship.x
        for _ in range(40):
            self.ship.spawn()
        held[0] = 42
        self.assertEqual(self.rows[0].x, 42)

    def test_dead_rows_are_zero(self) -> None:
        """After a commit the slots between rows hold zeros, whatever a column calculation left there."""
        self.rows[1].despawn()
        self.ship.x += 5
        self.ship.name[1] = "ghost"
        self.ship.owner[1] = self
        self.ship.speed += 1
        self.pair.commit()
        self.assertEqual(self.ship.x.tolist(), [5, 0, 7, 8])
        self.assertEqual((self.ship.name[1], self.ship.owner[1], self.ship.speed[1]), ("", None, 0))
        self.assertEqual(self.pair.stream.version.tables[0].ints[:, 1].tolist(), [0] * 7)

    def test_columns_shrink(self) -> None:
        """When the highest rows are gone, a commit lets the columns end earlier; what was there is zero."""
        self.rows[3].despawn()
        self.rows[2].despawn()
        self.ship.x += 1
        self.pair.commit()
        self.assertEqual(self.ship.x.tolist(), [1, 2])
        self.assertEqual(self.ship.spawn().x, 0)
        self.assertEqual(len(self.ship.x), 3)

    def test_alive_is_read_only(self) -> None:
        """Rows come and go by spawn and despawn alone."""
        self.assertRaises(ValueError, self.ship.alive.__setitem__, 0, False)

    def test_nothing_written_back(self) -> None:
        """A commit rounds what is sent and not what is simulated: small steps add up."""
        for _ in range(10):
            self.ship.x += 0.02
            self.pair.commit()
        self.assertAlmostEqual(self.rows[0].x, 0.2)
        self.assertEqual(self.pair.stream.version.tables[0].ints[0, 0], 3)

    def test_repr(self) -> None:
        """A table tells its rows."""
        self.assertEqual(repr(self.ship), "<Ship rows=4>")


class FreezeTests(SynchronousTestCase):
    """What a commit makes of odd values."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.ship: Ship = self.pair.world.ship
        self.row = self.ship.spawn(x=5, y=5, heading=1)

    def ints(self) -> list[int]:
        """Commit and give the row's integers."""
        self.pair.commit()
        ints: list[int] = self.pair.stream.version.tables[0].ints[:, 0].tolist()
        return ints

    def test_nan(self) -> None:
        """NaN is sent as 0, counted, and stays in the simulation for its author to find."""
        for column in (self.ship.x, self.ship.y, self.ship.heading):
            column[0] = math.nan
        self.assertEqual(self.ints()[:3], [0, 1600, 0])
        self.assertTrue(math.isnan(self.row.x))
        self.assertEqual(self.pair.stream.counters["bad_values"], 3)

    def test_infinite(self) -> None:
        """Infinities are the ends of the domain."""
        self.ship.x[0] = self.ship.y[0] = self.ship.heading[0] = math.inf
        self.assertEqual(self.ints()[:3], [65_535, 3200, 1023])
        self.ship.x[0] = self.ship.y[0] = self.ship.heading[0] = -math.inf
        self.assertEqual(self.ints()[:3], [0, 0, 0])
        self.ship.x[0] = self.ship.y[0] = 1.7e308
        self.assertEqual(self.ints()[:2], [65_535, 3200])

    def test_giants(self) -> None:
        """Numbers beyond exact arithmetic wrap and clamp without a warning."""
        self.ship.x[0] = self.ship.y[0] = -3e18
        self.row.hp = self.row.debt = 10**30
        ints = self.ints()
        self.assertEqual((ints[0], ints[1], ints[3], ints[4]), (Ship.x.to_wire(-3e18), 0, 127, 255))

    def test_unknown_word(self) -> None:
        """A word that is no choice, written past the checks, is sent as the first and counted."""
        self.ship.team[0] = "bluebird"
        self.assertEqual(self.ints()[6], 0)
        self.assertEqual(self.pair.stream.counters["bad_values"], 1)

    def test_text_past_the_checks(self) -> None:
        """What was written into a text column past the checks is made fit to travel."""
        for written, sent in [("123456789", "12345678"), ("\ud800", "?"), (5, "5"), (None, "None")]:
            names: Any = self.ship.name
            names[0] = written
            self.pair.commit()
            self.assertEqual(self.pair.stream.version.tables[0].texts[0][0], sent)

    def test_spawn_and_despawn_between_commits(self) -> None:
        """Rows that came and went between two commits were never there."""
        self.pair.commit()
        version = self.pair.stream.version
        self.ship.spawn().despawn()
        self.assertFalse(self.pair.commit())
        self.assertIs(self.pair.stream.version, version)
        self.row.x += 1
        self.assertTrue(self.pair.commit())
        self.assertIs(self.pair.stream.version.tables[0].alive, version.tables[0].alive)

    def test_versions_are_read_only(self) -> None:
        """Nobody writes into a version by mistake."""
        self.pair.commit()
        table = self.pair.stream.version.tables[0]
        self.assertRaises(ValueError, table.ints.__setitem__, (0, 0), 1)
        self.assertRaises(ValueError, table.alive.__setitem__, 0, False)


class DeclarationTests(SynchronousTestCase):
    """Tables that cannot be."""

    def test_max_rows(self) -> None:
        """The bound lies within what slots can be."""
        for most in (0, 16_385, "9", 4.0):
            self.assertRaises(ConfigError, type, "T", (Table,), {"max_rows": most})

    def test_no_fields(self) -> None:
        """A table may be rows alone, or texts alone."""
        bare: Any = type("Bare", (Table,), {})
        words: Any = type("Words", (Table,), {"text": Text(3)})
        pair = Pair(Schema([bare, words]))
        pair.world.bare.spawn()
        pair.world.words.spawn(text="abc")
        pair.sync()
        self.assertEqual((len(pair.replica.world.bare), pair.replica.world.words.text), (1, ["abc"]))
        pair.world.words[0].text = "x"
        pair.sync()
        self.assertEqual(pair.replica.world.words[0].text, "x")
