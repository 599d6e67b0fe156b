"""Sine and cosine in whole numbers."""

from __future__ import annotations

import math

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import trig
from meteor_net.state.trig import ONE, cos_int, sin_int


class TrigTests(SynchronousTestCase):
    """What a step uses in place of math.sin and math.cos."""

    def test_table(self) -> None:
        """The table is the sine, rounded; nobody has to believe what is written out."""
        table = trig._QUARTER
        self.assertEqual(list(table), [math.floor(ONE * math.sin(math.pi * n / 512) + 0.5) for n in range(257)])

    def test_near_the_sine(self) -> None:
        """Off by 1 at most, whatever the bits, negative angles and more than a turn included."""
        for bits in (1, 2, 3, 8, 10, 12, 16, 20, 24, 31):
            turn = 1 << bits
            every = max(1, turn // 5_000 * 3 + 1)
            for angle in range(-turn, 2 * turn, every):
                exact = 2 * math.pi * angle / turn
                self.assertLess(abs(sin_int(angle, bits) - ONE * math.sin(exact)), 1.1, (angle, bits))
                self.assertLess(abs(cos_int(angle, bits) - ONE * math.cos(exact)), 1.1, (angle, bits))

    def test_corners(self) -> None:
        """At the quarters of a turn both are exact."""
        for bits in (2, 10, 20, 31):
            quarter = 1 << (bits - 2)
            self.assertEqual([sin_int(n * quarter, bits) for n in range(5)], [0, ONE, 0, -ONE, 0])
            self.assertEqual([cos_int(n * quarter, bits) for n in range(5)], [ONE, 0, -ONE, 0, ONE])

    def test_symmetric(self) -> None:
        """A turn to the left is a turn to the right in the mirror: no craft drifts to one side."""
        for angle in range(1 << 12):
            self.assertEqual(sin_int(-angle, 12), -sin_int(angle, 12))
            self.assertEqual(cos_int(-angle, 12), cos_int(angle, 12))

    def test_columns(self) -> None:
        """A column of angles gives what each of them does."""
        for bits in (1, 2, 10, 20, 31):
            turn = 1 << bits
            angles = list(range(-turn, 2 * turn, max(1, turn // 3_000 * 3 + 1)))
            for wave in (sin_int, cos_int):
                self.assertEqual(wave(np.array(angles), bits).tolist(), [wave(angle, bits) for angle in angles])

    def test_whole_numbers_only(self) -> None:
        """A fraction would be another number in another language: it is an error."""
        self.assertRaises(TypeError, sin_int, 1.5, 10)
        self.assertRaises(ValueError, cos_int, 1, -1)
