"""What both sides of the coding `eg` know before a step: which rows moved last, and how (wire clauses 8.15 to 8.17)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.plan import Plan
from meteor_net.state.coding.rowset import Slots
from meteor_net.state.rotation import COLUMNS
from meteor_net.state.version import Ints, Mask, TableVersion, note_moved

NO_ROWS: Slots = np.zeros(0, dtype=np.intp)


def moved_rows(before: TableVersion | None, base: TableVersion) -> Slots:
    """Give the rows that are in both versions, of one generation, and differ in an integer; ascending slots."""
    if before is None or before is base:
        return NO_ROWS
    if base.moved is not None and base.moved[0]() is before:
        known: Slots = base.moved[1]
        return known
    size = min(len(before.alive), len(base.alive))
    differs = (before.ints[:, :size] != base.ints[:, :size]).any(axis=0)
    if before.alive is not base.alive or before.generation is not base.generation:
        differs &= before.alive[:size] & base.alive[:size] & (before.generation[:size] == base.generation[:size])
    moved: Slots = differs.nonzero()[0]
    if base.moved is None or base.moved[0]() is None:
        note_moved(before, base, moved)
    return moved


def active_set(before: TableVersion | None, base: TableVersion, new: TableVersion) -> Slots:
    """Give the active set of a part; of the new version, only its rows are looked at."""
    active = moved_rows(before, base)
    if not len(active) or (new.alive is base.alive and new.generation is base.generation):
        return active
    active = active[active < len(new.alive)]
    still: Slots = active[new.alive[active] & (new.generation[active] == base.generation[active])]
    return still


def same(one: Slots, other: Slots) -> bool:
    """Tell whether two lists of slots are alike."""
    return one is other or (len(one) == len(other) and bool((one == other).all()))


def others(alive: Mask, active: Slots) -> Slots:
    """Give the slots that are taken and not in the active set."""
    rest = alive.copy()
    rest[active] = False
    return rest.nonzero()[0]


def motion(
    plan: Plan, before: TableVersion | None, base: TableVersion, active: Slots, changed: Slots, wide: bool = False
) -> Ints | None:
    """Give how the changed rows moved in the last step, the shorter way round; 0 for those that did not.

    Args:
        plan: Of the columns.
        before: The version that the last step started from.
        base: The version that it led to.
        active: The active set.
        changed: The changed rows.
        wide: Only the wide columns are wanted.

    Returns:
        An array of shape (columns, changed rows); None if none of them moved.
    """
    if before is None or not len(active):
        return None
    if same(active, changed):
        return _motion(plan, before, base, changed, wide)
    mask = np.zeros(max(int(changed[-1]), int(active[-1])) + 1, dtype=np.bool_)
    mask[active] = True
    going = mask[changed]
    if going.all():
        return _motion(plan, before, base, changed, wide)
    places = going.nonzero()[0]
    if not len(places):
        return None
    moved = _motion(plan, before, base, changed[places], wide)
    v: Ints = np.zeros((len(moved), len(changed)), dtype=np.int32)
    v[:, places] = moved
    return v


def _motion(plan: Plan, before: TableVersion, base: TableVersion, slots: Slots, wide: bool) -> Ints:
    v: Ints = base.ints.take(slots, axis=1)
    v -= before.ints.take(slots, axis=1)
    for turn in plan.turns:
        flipped = v[turn.place].nonzero()[0]
        if len(flipped):
            v[turn.place + 1 : turn.place + COLUMNS, flipped] = 0
    if wide:
        v = v[plan.columns[plan.wide]]
        plan.wide_rings.shorten(v)
    else:
        v = v if plan.all else v[plan.columns]
        plan.rings.shorten(v)
    return v


class Flip(NamedTuple):
    """A quaternion column where the component that is left out is another one than in the base.

    Attributes:
        columns: Places among the columns of the step, of shape (columns, 1).
        rows: Places among the changed rows.
        predicted: What their integers would be if nothing had turned, of shape (columns, rows).
    """

    columns: Slots
    rows: Slots
    predicted: Ints


def flips(plan: Plan, base: Ints, new: NDArray[Any], changed: Slots, taken: Slots) -> list[Flip]:
    """Predict quaternions where `largest` changes (wire clause 8.17).

    Args:
        plan: Of the columns.
        base: The base's integers in the changed rows, of all columns of the table; 0 in rows that are taken in this step.
        new: Those of the new version, of the step's columns; only those of `largest` are looked at.
        changed: The changed rows.
        taken: Rows that are taken in this step.
    """
    found = []
    for turn in plan.turns:
        if turn.at is None or not len(turn.small):
            continue
        differs = base[turn.place] != new[turn.at]
        if len(taken):
            differs &= ~np.isin(changed, taken)
        rows = differs.nonzero()[0]
        if len(rows):
            old = base[turn.place : turn.place + COLUMNS, rows]
            predicted = turn.field.rebase(old, new[turn.at, rows])
            found.append(Flip(turn.small, rows, predicted[turn.which]))
    return found
