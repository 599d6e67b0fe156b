"""The columns of a table that are floats, of whatever fields: quantized together (wire clauses 7.1, 7.2 and 7.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.numeric import FloatField
from meteor_net.state.rotation import COLUMNS, Quaternion

Floats = NDArray[np.float64]


class FloatColumns:
    """How the float columns of a table become whole numbers.

    Args:
        fields: One a column.
        quaternions: Those among them, each with the first of its columns.
    """

    def __init__(self, fields: list[FloatField], quaternions: list[tuple[int, Quaternion]]) -> None:
        self._fields = fields
        self._quaternions = quaternions
        self._low, self._divisor, self._factor, self._highest = (
            np.array([[getattr(field, name)] for field in fields], dtype=np.float64)
            for name in ("low", "divisor", "factor", "highest")
        )
        self._scaled = bool((self._factor != 1).any())

    def quantize(self, values: Floats, free: NDArray[np.intp]) -> tuple[Floats, int]:
        """Quantize all columns.

        Args:
            values: One row a column; used up.
            free: Slots that hold nothing.

        Returns:
            Whole numbers of each field's domain, and how many values were none.
        """
        bad = 0
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for row, quaternion in self._quaternions:
                bad += quaternion.split(values[row : row + COLUMNS], free)
            q = np.subtract(values, self._low, out=values)
            q /= self._divisor
            if self._scaled:
                q *= self._factor
            q += 0.5
            np.floor(q, out=q)
            # Most values of most games are where they should be: a look is cheaper than to wrap and clamp all.
            # A NaN is neither above nor below.
            if q.size and not (np.minimum.reduce(q, axis=None) >= 0 and np.logical_and.reduce(q <= self._highest, axis=None)):
                bad += sum(field.tame(column) for field, column in zip(self._fields, q, strict=True))
        return q, bad


def whole_numbers(fields: list[Any]) -> Any:
    """Give what quantizes columns of whole numbers: it clamps them."""
    low, high = (np.array([[getattr(field, name)] for field in fields], dtype=np.int64) for name in ("lowest", "highest"))

    def quantize(values: NDArray[Any], free: NDArray[np.intp]) -> tuple[NDArray[Any], int]:
        np.maximum(values, low, out=values)
        return np.minimum(values, high, out=values), 0

    return quantize
