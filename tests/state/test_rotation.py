"""Quaternions: quantized, shown, between two, and read from a peer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError
from meteor_net.state import Action, Quaternion, Schema, Stream, Table, World, interpolate


class Top(Table):
    """One that turns, and one that jumps."""

    turn = Quaternion(9)
    jump = Quaternion(4, interpolate="step")


class QuaternionTests(SynchronousTestCase):
    """Wire clause 7.5."""

    def setUp(self) -> None:
        self.world = World(Schema([Top]), 1)
        self.stream = Stream(self.world)

    def test_near(self) -> None:
        """What is shown is the same rotation, within the steps; the sign of all four does not matter."""
        rng = np.random.default_rng(1)
        for value in rng.normal(size=(200, 4)):
            wire = Top.turn.to_wire(tuple(value.tolist()))
            self.assertEqual(wire, Top.turn.to_wire(tuple((-3 * value).tolist())))
            shown = np.array(Top.turn.from_wire(wire))
            self.assertGreater(abs(shown @ value) / np.sqrt(value @ value), 1 - 1e-5)

    def test_rows_and_columns(self) -> None:
        """A row's is four numbers; a column has four a row, and is written as a whole."""
        row = self.world.top.spawn(turn=[0, 0, 2, 0])
        self.assertEqual((row.turn, row.jump), ((0, 0, 2, 0), (0, 0, 0, 1)))
        self.world.top.turn[:, 0] += 2
        self.assertEqual(row.turn, (2, 0, 2, 0))
        row.turn = (1, 0, 0, 0)
        self.assertEqual(self.world.top.turn.tolist(), [[1, 0, 0, 0]])
        for value in [(1, 0, 0), "abcd", None, 5, (1, 0, 0, "x")]:
            with self.assertRaises(TypeError):
                row.turn = value

    def test_no_rotation(self) -> None:
        """What is no rotation is none, and is counted."""
        row = self.world.top.spawn(turn=(math.nan, 0, 0, 1))
        self.stream.commit(1)
        self.assertEqual(self.stream.counters["bad_values"], 1)
        self.assertEqual(self.stream.version.tables[0].ints[:4, 0].tolist(), Top.turn.to_wire((0, 0, 0, 1)))
        row.turn = (0, 0, 0, 0)
        self.assertFalse(self.stream.commit(2))

    def test_between(self) -> None:
        """Between two it is the shorter way round; at the ends, what there is; `step` waits."""
        row = self.world.top.spawn(turn=(0, 0, 0, 1), jump=(0, 0, 0, 1))
        self.stream.commit(1)
        row.turn, row.jump = (0, 0, -1, -1), (1, 0, 0, 0)
        self.stream.commit(2)
        before, after = self.stream._ring[1], self.stream._ring[2]
        half = interpolate(before, after, 0.5).top[0]
        for value, wanted in zip(half.turn, (0, 0, math.sin(math.pi / 8), math.cos(math.pi / 8)), strict=True):
            self.assertLess(abs(value - wanted), 0.005)
        self.assertGreater(half.jump[3], 0.99)
        self.assertLess(interpolate(before, after, 1.0).top[0].jump[3], 0.1)

    def test_opposite(self) -> None:
        """Between two that cancel out it stays."""
        field: Any = Quaternion(2)
        ints = np.array([[3], [1], [1], [1]], dtype=np.int32)
        self.assertEqual(field.between(ints, ints, 0.5).shape, (1, 4))

    def test_of_a_peer(self) -> None:
        """Integers outside the domain are refused."""
        for wire in [
            [4, 0, 0, 0],
            [0, 512, 0, 0],
            [0, 0, 0, -1],
            [0, 0, 0],
            (0, 0, 0, 0),
            [0, 0, 0, 1.0],
            [True, 0, 0, 0],
            None,
        ]:
            self.assertRaises(ValueError, Top.turn.from_wire, wire)

    def test_refused(self) -> None:
        """Bits, rules and places that cannot be."""
        for bits in (1, 16, True, "9"):
            self.assertRaises(ConfigError, Quaternion, bits)
        self.assertRaises(ConfigError, Quaternion, 9, interpolate="linear")
        self.assertRaises(TypeError, Quaternion, 9, default=(1, 2))
        self.assertRaises(ConfigError, type, "Aim", (Action,), {"at": Quaternion(9)})
