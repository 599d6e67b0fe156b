"""Columns of a live table that lie together: which rows were written to, and their integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.version import Ints

Slots = NDArray[np.intp]
#: Turns values, one row a column, into integers; tells how many were none. It may write to what it is given.
Quantizer = Callable[[NDArray[Any], Slots], tuple[NDArray[Any], int]]


class Block:
    """Some columns of one numpy type, which a commit compares and quantizes at once.

    Args:
        values: One row a column, one column a slot.
        places: The integer columns that they become.
        quantize: Is given a copy of the values, and which slots of it are free.
    """

    def __init__(self, values: NDArray[Any], places: list[int], quantize: Quantizer) -> None:
        self._values = values
        # np.empty_like takes no memory until it is written.
        self._was = np.empty_like(values)
        self._quantize = quantize
        self._rows = np.array(places, dtype=np.intp)[:, None]

    def touched(self, top: int) -> Slots:
        """Give the slots below `top` in which a value differs from the last look, and remember what is there now.

        NaN differs from itself. The first look, and one at more slots than before, give no sense.
        """
        now, was = self._values[:, :top], self._was[:, :top]
        changed = now != was
        rows = np.logical_or.reduce(changed) if len(changed) > 1 else changed[0]
        slots: Slots = rows.nonzero()[0]
        if len(slots):
            was[...] = now
        return slots

    def write(self, ints: Ints, slots: Slots) -> int:
        """Quantize some slots into a version's integers; tell how many values were none."""
        whole, bad = self._quantize(self._values.take(slots, axis=1), slots[:0])
        # One index into flat memory is a third of the price of two.
        ints.reshape(-1)[self._rows * ints.shape[1] + slots] = whole
        return bad

    def read(self, ints: Ints, slots: Slots) -> None:
        """Quantize some slots into integers of their own, one column each."""
        ints[self._rows[:, 0]] = self._quantize(self._values.take(slots, axis=1), slots[:0])[0]

    def write_all(self, ints: Ints, free: Slots) -> int:
        """Quantize all slots, of which some are free."""
        whole, bad = self._quantize(self._values[:, : ints.shape[1]].copy(), free)
        ints[self._rows[:, 0]] = whole
        return bad
