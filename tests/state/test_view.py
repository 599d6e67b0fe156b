"""Worlds to look at: the client's side of tables and rows."""

from __future__ import annotations

import copy

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import DeadRow, RowView, Schema, WorldView
from tests.state.samples import Pair


class ViewTests(SynchronousTestCase):
    """A read-only twin of the server's world."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.ship = self.pair.world.ship
        self.rows = [self.ship.spawn(x=n + 0.03, y=-n, name=f"s{n}", team="blue", lit=n > 0, debt=-n) for n in range(3)]
        self.pair.sync()
        self.seen = self.pair.replica.world.ship

    def test_columns(self) -> None:
        """Columns hold values as a game author knows them: numbers, words, texts, true and false."""
        self.assertEqual(self.seen.x.tolist(), [0, 1, 2])
        self.assertEqual([column.dtype.kind for column in (self.seen.x, self.seen.hp, self.seen.lit)], ["f", "i", "b"])
        self.assertEqual((self.seen.team == "blue").tolist(), [True] * 3)
        self.assertEqual((self.seen.name, self.seen.debt.tolist()), (["s0", "s1", "s2"], [0, -1, -2]))
        self.assertIs(self.seen.x, self.seen.x)
        self.assertEqual(len(self.pair.replica.world.rock.x), 0)

    def test_rows(self) -> None:
        """Rows give plain values."""
        row = self.seen[1]
        self.assertIsInstance(row, RowView)
        self.assertEqual((row.x, row.hp, row.team, row.name, row.lit, row.debt), (1.0, 100, "blue", "s1", True, -1))
        self.assertEqual([type(v) for v in (row.x, row.hp, row.team, row.name, row.lit)], [float, int, str, str, bool])
        self.assertEqual((row.slot, row.generation, row.alive, row.table), (1, 0, True, self.seen))
        self.assertEqual([r.slot for r in self.seen], [0, 1, 2])
        self.assertEqual(len(self.seen), 3)

    def test_gaps(self) -> None:
        """Free slots are zero in columns and have no row."""
        self.rows[1].despawn()
        self.pair.sync()
        self.assertEqual((self.seen.y.tolist(), self.seen.team[1], self.seen.name[1]), ([0, 0, -2], "", ""))
        self.assertEqual((self.seen.alive.tolist(), self.seen.generation.tolist()), ([True, False, True], [0, 0, 0]))
        for slot in (1, 3, -1):
            self.assertRaises(KeyError, self.seen.__getitem__, slot)

    def test_live(self) -> None:
        """The world and its rows follow the frames; a row that is gone says so."""
        world, row, last = self.pair.replica.world, self.seen[1], self.seen[2]
        self.rows[1].x = 9
        self.rows[2].despawn()
        self.pair.sync()
        self.assertEqual((row.x, world.tick, last.alive), (9, 2, False))
        self.assertRaises(DeadRow, getattr, last, "x")
        self.rows[1].despawn()
        self.ship.spawn()
        self.pair.sync()
        self.assertFalse(row.alive)
        self.assertRaises(DeadRow, getattr, row, "x")

    def test_with_row(self) -> None:
        """Other values in one row, for whoever draws: of a row that is there."""
        row = self.seen[1]
        other = self.seen.with_row(row.slot, row.generation, {"y": 7.0})
        self.assertEqual(([each.y for each in other], self.seen[1].y), ([0.0, 7.0, -2.0], -1.0))
        self.assertIs(self.seen.with_row(row.slot, row.generation + 1, {"y": 7.0}), self.seen)
        self.assertIs(self.seen.with_row(99, 0, {"y": 7.0}), self.seen)

    def test_read_only(self) -> None:
        """Nobody changes a client's world by mistake."""
        self.assertRaises(ValueError, self.seen.x.__setitem__, 0, 1)
        self.assertRaises(AttributeError, setattr, self.seen[0], "x", 1)
        self.assertRaises(AttributeError, setattr, self.seen, "x", np.zeros(3))

    def test_wrong_names(self) -> None:
        """A name that is no field or table is an error; server-only fields are not there."""
        for name in ("mast", "speed", "_private"):
            self.assertRaises(AttributeError, getattr, self.seen, name)
            self.assertRaises(AttributeError, getattr, self.seen[0], name)
        self.assertIn("ship, rock", str(self.assertRaises(AttributeError, getattr, self.pair.replica.world, "shop")))
        self.assertIn("none", str(self.assertRaises(AttributeError, getattr, Pair(Schema()).replica.world, "shop")))

    def test_equal(self) -> None:
        """Handles of one row are equal and can be keys."""
        self.assertEqual(len({self.seen[0], self.seen[0], self.seen[1]}), 2)
        self.assertNotEqual(self.seen[0], 5)

    def test_repr(self) -> None:
        """Worlds, tables and rows tell what they are."""
        row = self.seen[2]
        self.assertEqual(repr(self.pair.replica.world), "<WorldView tick=1 ship=3, rock=0>")
        self.assertEqual((repr(self.seen), repr(row)), ("<TableView ship rows=3>", "<RowView ship[2] generation=0>"))
        self.rows[2].despawn()
        self.pair.sync()
        self.assertIn("dead", repr(row))

    def test_copy(self) -> None:
        """Copies in the making, which have nothing yet, do not go round in circles."""
        self.assertEqual(copy.copy(self.seen[0]).x, 0)
        self.assertEqual(copy.copy(self.seen).x.tolist(), [0, 1, 2])
        self.assertEqual(copy.copy(self.pair.replica.world).ship.x.tolist(), [0, 1, 2])

    def test_of_a_version(self) -> None:
        """Any version can be looked at, and stays as it was."""
        view = WorldView(self.pair.replica.version)
        self.rows[0].x = 50
        self.pair.sync()
        self.assertEqual((view.ship.x[0], view.tick), (0, 1))
