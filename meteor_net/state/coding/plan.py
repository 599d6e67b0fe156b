"""What the coding `eg` needs to know of a set of columns, worked out once for each set (wire clauses 8.16 and 8.17)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.layout import Layout, Rings
from meteor_net.state.rotation import COLUMNS, Quaternion

#: Sets of columns for which a plan is kept; few ever occur, and a peer must not make us remember more.
MAX_PLANS = 64
#: A domain of so many values wraps in this coding.
SMALL = (2, 3, 4)

Columns = NDArray[np.intp]


class Turn(NamedTuple):
    """A quaternion among the columns of a step.

    Attributes:
        field: The `Quaternion`.
        place: The column of its `largest` in the table.
        at: The place of that among the columns of the step, None if it has no values.
        small: The places of the other three, those with values, of shape (places, 1).
        which: Which of the three those are, from 0.
    """

    field: Any
    place: int
    at: int | None
    small: Columns
    which: Columns


class Plan:
    """A table's columns with values in a step.

    Attributes:
        columns: Their numbers, ascending.
        all: Whether they are all columns of the table.
        rings: Shortens their differences.
        wide: The places of those whose domain is not small: the others do not move.
        wide_at: Of each column, its place among those; -1 if it is small.
        wide_rings: Shortens the differences of those.
        start, modulus, lowest, highest: Their domains, of shape (columns, 1).
        two_values: Which have two values.
        turns: The quaternions among them.
    """

    def __init__(self, layout: Layout, columns: Columns) -> None:
        fields = [layout.columns[column] for column in columns.tolist()]
        sizes = [field.highest - field.lowest + 1 for field in fields]
        moduli = [f.modulus or (size if size in SMALL else 0) for f, size in zip(fields, sizes, strict=True)]
        self.columns = columns
        self.all = len(columns) == len(layout.columns)
        self.rings = Rings(moduli)
        self.wide = np.array([at for at, modulus in enumerate(moduli) if modulus not in SMALL], dtype=np.intp)
        self.wide_at = np.full(len(columns), -1)
        self.wide_at[self.wide] = np.arange(len(self.wide))
        self.wide_rings = Rings([moduli[at] for at in self.wide.tolist()])
        starts = [f.lowest if modulus else -(1 << 31) for f, modulus in zip(fields, moduli, strict=True)]
        self.start = np.array(starts, dtype=np.int64)[:, None]
        self.modulus = np.array([modulus or 1 << 32 for modulus in moduli], dtype=np.int64)[:, None]
        self.lowest, self.highest = layout.lowest[columns], layout.highest[columns]
        self.two_values = [modulus == 2 for modulus in moduli]
        self.turns = [self._turn(*item) for item in layout.quaternions]

    def _turn(self, place: int, field: Quaternion) -> Turn:
        at, first, last = self.columns.searchsorted((place, place + 1, place + COLUMNS)).tolist()
        small = np.arange(first, last)
        return Turn(field, place, at if first > at else None, small[:, None], self.columns[small] - place - 1)


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
