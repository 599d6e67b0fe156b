"""Texts of a step: what is refused."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import FrameError, Schema
from tests.state.samples import Pair, Rock, Ship

KEEP = b"\0"


class TextsTests(SynchronousTestCase):
    """Texts travel beside the integers (wire clause 8.4)."""

    def setUp(self) -> None:
        self.pair = Pair(Schema([Rock, Ship]))
        self.ship: Ship = self.pair.world.ship
        self.rows = [self.ship.spawn(name=name) for name in ("ann", "bob", "")]
        self.pair.sync()

    def test_changes_only(self) -> None:
        """Only the texts that changed travel; a row that comes anew begins with an empty one."""
        self.assertEqual(self.pair.stream.step(None).texts, [[1, 7, [0, 1], ["ann", "bob"]]])
        self.rows[1].name = "eve"
        self.pair.commit()
        self.assertEqual(self.pair.stream.step(1).texts, [[1, 7, [1], ["eve"]]])
        self.rows[1].despawn()
        self.ship.spawn(name="eve")
        self.pair.commit()
        self.assertEqual(self.pair.stream.step(2).texts, [[1, 7, [1], ["eve"]]])
        self.rows[0].x = 1
        self.pair.commit()
        self.assertIsNone(self.pair.stream.step(3).texts)

    def test_refused(self) -> None:
        """Anything but lists of the right shape, for rows and columns that are there, changes nothing."""
        good: list[Any] = [1, 7, [0], ["x"]]
        cases: list[Any] = [5, {}, [good, good], [5], [good[:3]], [[*good, 1]]]
        for place, values in [
            (0, [-1, 2, True, "1", None]),
            (1, [6, 8, -1, 7.0, "7"]),
            (2, [5, "0", [3], [-1], [True], [0, 1]]),
        ]:
            cases += [[[*good[:place], value, *good[place + 1 :]]] for value in values]
        cases += [[[1, 7, [0], value]] for value in (5, "x", [5], ["123456789"], ["\ud800"])]
        cases += [[[0, 0, [0], ["x"]]], [[1, 7, [0] * 4, ["x"] * 4]]]
        version = self.pair.replica.version
        for texts in cases:
            self.assertRaises(FrameError, self.pair.replica.apply, 2, 8, KEEP, texts)
            self.assertIs(self.pair.replica.version, version)
        self.pair.replica.apply(2, 8, KEEP, [good])
        self.assertEqual(self.pair.replica.world.ship.name, ["x", "bob", ""])

    def test_too_many(self) -> None:
        """More items than there are text columns are refused before they are read."""
        self.assertRaises(FrameError, self.pair.replica.apply, 2, 8, KEEP, [None] * 10)

    def test_twice(self) -> None:
        """One column cannot come twice."""
        two: Any = type("Two", (Ship,), {"table_name": "two"})
        pair = Pair(Schema([Ship, two]))
        pair.world.ship.spawn(name="a")
        pair.sync()
        entry = [0, 7, [0], ["x"]]
        self.assertRaises(FrameError, pair.replica.apply, 2, 8, KEEP, [entry, entry])
