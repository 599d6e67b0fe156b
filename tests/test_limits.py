"""Limits that an operator may set."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.limits import Limits


class LimitsTests(SynchronousTestCase):
    """What may be set."""

    def test_nonsense(self) -> None:
        """A negative or infinite limit is refused at start, and so is 0 where nothing would ever move."""
        for name in Limits.__struct_fields__:
            for value in (-1, float("inf"), float("nan")):
                self.assertRaises(ValueError, lambda name=name, value=value: Limits(**{name: value}))
        error = self.assertRaises(ValueError, Limits, late_ticks=0)
        self.assertEqual(str(error), "late_ticks is 0; at least 1")

    def test_zero(self) -> None:
        """0 of anything else is an operator's right."""
        self.assertEqual(Limits(history_lines=0, rooms=0, lines_per_s=0).history_lines, 0)

    def test_from_a_file(self) -> None:
        """What a configuration file says is checked likewise, and a misspelt name is told."""
        self.assertEqual(msgspec.convert({"rooms": 3}, Limits).rooms, 3)
        self.assertRaises(msgspec.ValidationError, msgspec.convert, {"rooms": -3}, Limits)
        self.assertRaises(msgspec.ValidationError, msgspec.convert, {"romms": 3}, Limits)
