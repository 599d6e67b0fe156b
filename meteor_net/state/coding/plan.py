"""What the coding `eg` needs to know of a set of columns, worked out once for each set (wire clause 8.16)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout, Rings
from meteor_net.state.version import Ints

#: Sets of columns for which a plan is kept; few ever occur, and a peer must not make us remember more.
MAX_PLANS = 64
#: A domain of so many values wraps in this coding.
SMALL = (2, 3, 4)

Columns = NDArray[np.intp]


class Plan:
    """A table's columns with values in a step.

    Attributes:
        columns: Their numbers, ascending.
        listed: The same, as a list.
        bitmap: The same, as a step tells them (wire clause 8.5).
        all: Whether they are all columns of the table.
        rings: Shortens their differences.
        two_values: Which have two values.
    """

    def __init__(self, layout: Layout, columns: Columns) -> None:
        self.columns = columns
        self.listed: list[int] = columns.tolist()
        self.bitmap = sum(2 << column for column in self.listed)
        fields = [layout.columns[column] for column in self.listed]
        sizes = [field.highest - field.lowest + 1 for field in fields]
        moduli = [f.modulus or (size if size in SMALL else 0) for f, size in zip(fields, sizes, strict=True)]
        self.all = len(columns) == len(layout.columns)
        self.rings = Rings(moduli)
        self.two_values = [modulus == 2 for modulus in moduli]
        # A ring of a power of two from 0 on keeps the low bits of a sum; the others are few, and take a division each.
        plain = [not modulus & (modulus - 1) and not f.lowest for f, modulus in zip(fields, moduli, strict=True)]
        masks = [modulus - 1 if modulus and easy else -1 for modulus, easy in zip(moduli, plain, strict=True)]
        self._masks = np.array(masks, dtype=np.int32)[:, None] if max(masks, default=-1) > -1 else None
        self._divided = [(at, moduli[at], fields[at].lowest) for at, easy in enumerate(plain) if moduli[at] and not easy]
        self._lowest = layout.lowest[columns].astype(np.int32)
        self._from_0 = not self._lowest.any()
        self._span = (layout.highest - layout.lowest)[columns].astype(np.uint32)

    def pick(self, ints: Ints) -> Ints:
        """Give these columns of all of the table."""
        return ints if self.all else ints.take(self.columns, axis=0)

    def wrap(self, sums: NDArray[np.int64]) -> Ints:
        """Bring sums into the domains (wire clause 8.16).

        Args:
            sums: Of base, prediction and difference; changed.

        Raises:
            FrameError: one cannot be.
        """
        for at, modulus, lowest in self._divided:
            sums[at] = (sums[at] - lowest) % modulus + lowest
        values = sums.astype(np.int32)
        if self._masks is not None:
            values &= self._masks
        above = values if self._from_0 else values - self._lowest
        if np.logical_or.reduce(above.view(np.uint32) > self._span, axis=None):
            raise FrameError("the frame has a value outside its field's domain")
        return values


def plan(layout: Layout, columns: Columns) -> Plan:
    """Give the plan of these columns."""
    plans: dict[bytes, Any] = layout.plans
    key = columns.tobytes()
    found: Plan | None = plans.get(key)
    if found is None:
        if len(plans) >= MAX_PLANS:
            plans.clear()
        found = plans[key] = Plan(layout, columns)
    return found
