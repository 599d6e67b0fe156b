"""Between two versions."""

from __future__ import annotations

import math
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Angle, Fixed, Flag, Quaternion, Schema, Table, UInt, Version, WorldView, interpolate
from tests.state.samples import Pair, Ship


class InterpolationTests(SynchronousTestCase):
    """Each field by its rule."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.ship: Ship = self.pair.world.ship

    def between(self, alpha: float) -> WorldView:
        """Show the moment between the replica's two newest versions."""
        return interpolate(self.pair.replica.previous, self.pair.replica.version, alpha)

    def test_rules(self) -> None:
        """Numbers go straight, positions in a wrapped world and angles the shorter way, the rest in steps."""
        row = self.ship.spawn(x=4094, y=0, heading=6.2, hp=100, name="old", team="red")
        self.pair.sync()
        row.x, row.y, row.heading, row.hp, row.name, row.team, row.lit = 2, 10, 0.1, 50, "new", "blue", True
        self.pair.sync()
        seen = self.between(0.25).ship[0]
        self.assertEqual((seen.x, seen.y, seen.hp, seen.name, seen.team, seen.lit), (4095, 2.5, 100, "old", "red", False))
        half = self.between(0.75)
        self.assertEqual((half.ship[0].x, half.ship[0].y, half.tick), (1, 7.5, 1.75))
        self.assertAlmostEqual(math.cos(self.between(0.5).ship[0].heading), math.cos((6.2 + 0.1 - 2 * math.pi) / 2), 2)
        seen = self.between(1).ship[0]
        self.assertEqual((seen.x, seen.hp, seen.name, seen.team, seen.lit), (2, 50, "new", "blue", True))

    def test_beyond(self) -> None:
        """Before the earlier is the earlier; after the later all goes on as it went, within its domain."""
        row = self.ship.spawn(x=4090, y=1, hp=5, name="a")
        self.pair.sync()
        row.x, row.y, row.hp, row.name = 2, 2, 6, "b"
        self.pair.sync()
        shown = [self.between(alpha).ship[0] for alpha in (-3, 0, 1, 3, 1000)]
        self.assertEqual([row.y for row in shown], [1, 1, 2, 4, 100])
        self.assertEqual([row.x for row in shown], [4090, 4090, 2, 18, (4090 + 8000) % 4096])
        self.assertEqual([(row.hp, row.name) for row in shown[2:]], [(6, "b")] * 3)

    def test_jumps(self) -> None:
        """A row whose snapping flag turned over is shown where it was, then where it is; others glide on."""
        fields: dict[str, Any] = {
            "x": Fixed(1, 0, 100),
            "turn": Quaternion(9),
            "n": UInt(4),
            "jumped": Flag(snap=True),
            "lit": Flag(),
        }
        pair = self.pair = Pair(Schema([type("Odd", (Table,), fields)]))
        rows = [pair.world.odd.spawn(x=10) for _ in range(3)]
        pair.sync()
        for row in rows:
            row.x, row.n, row.turn = 20, 1, (1, 0, 0, 0)
        rows[0].jumped = True
        rows[2].lit = True
        pair.sync()
        for alpha, x in ((0.5, [10, 15, 15]), (1, [20, 20, 20]), (1.5, [20, 25, 25])):
            self.assertEqual(self.between(alpha).odd.x.tolist(), x)
        turned = [row.turn[0] for row in self.between(0.5).odd]
        self.assertEqual((round(turned[0], 2), round(turned[1], 2)), (0, 0.71))
        pair.world.odd.jumped ^= True  # back again: for each of them another jump
        pair.world.odd.x += 20
        pair.sync()
        self.assertEqual(self.between(0.9).odd.x.tolist(), [20, 20, 20])

    def test_rows_that_come_and_go(self) -> None:
        """Rows that only one version has, or with another generation, are as in the later."""
        rows = [self.ship.spawn(y=n, name=str(n)) for n in range(4)]
        self.pair.sync()
        rows[0].despawn()
        rows[3].despawn()
        rows[2].y = 4
        again = self.ship.spawn(y=50, name="again")
        self.assertEqual(again.slot, 0)
        rows[1].despawn()
        self.pair.sync()
        seen = self.between(0.5).ship
        self.assertEqual(
            (seen.alive.tolist(), seen.y.tolist(), seen.name), ([True, False, True], [50, 0, 3], ["again", "", "2"])
        )
        self.ship.spawn(y=9)
        self.ship.spawn(y=8)
        self.pair.sync()
        self.assertEqual(self.between(0.5).ship.y.tolist(), [50, 9, 4, 8])

    def test_tables_at_rest(self) -> None:
        """A table that did not change is shown without work."""
        self.ship.spawn(y=1)
        self.pair.sync()
        self.pair.world.rock.spawn()
        self.pair.sync()
        self.assertEqual(self.between(0.5).ship.y.tolist(), [1])

    def test_declared_rules(self) -> None:
        """A rule that was declared wins: whole numbers may go straight, an angle need not take the shorter way."""
        fields: dict[str, Any] = {
            "n": UInt(8, interpolate="linear"),
            "a": Angle(8, interpolate="linear"),
            "x": Fixed(1, 0, 100, wrap=True, interpolate="step"),
            "ring": Fixed(1, 0, 5, wrap=True),
        }
        pair = self.pair = Pair(Schema([type("Odd", (Table,), fields)]))
        row = pair.world.odd.spawn(n=1, a=0.0, x=1, ring=4)
        pair.sync()
        row.n, row.a, row.x, row.ring = 2, 3 * math.pi / 2, 99, 1
        pair.sync()
        seen = self.between(0.5).odd[0]
        self.assertEqual((seen.n, seen.x, seen.ring), (1.5, 1, 0))
        self.assertAlmostEqual(seen.a, 3 * math.pi / 4)

    def test_read_only(self) -> None:
        """What is shown cannot be written to."""
        row = self.ship.spawn()
        self.pair.sync()
        row.y = 9
        self.pair.sync()
        self.assertRaises(ValueError, self.between(0.5).ship.y.__setitem__, 0, 1)

    def test_from_the_empty_version(self) -> None:
        """From nothing, everything is as in the later version."""
        self.ship.spawn(y=3, name="ann")
        later = self.pair.sync()
        seen = interpolate(Version.empty(later.schema), later, 0.5).ship[0]
        self.assertEqual((seen.y, seen.name), (3, "ann"))
