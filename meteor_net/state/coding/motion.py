"""What both sides of the coding `eg` know before a step: which rows moved last, and how (wire clauses 8.15 to 8.17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from weakref import ref

import numpy as np

from meteor_net.state.coding.rowset import Slots
from meteor_net.state.layout import Layout
from meteor_net.state.rotation import COLUMNS
from meteor_net.state.version import Ints, Mask, TableVersion

NO_ROWS: Slots = np.zeros(0, dtype=np.intp)


def note_moved(before: TableVersion, base: TableVersion, moved: Slots) -> None:
    """Remember the rows that moved from one version to the next, so that the next step need not look for them."""
    base.moved = (ref(before), moved)


def moved_rows(before: TableVersion | None, base: TableVersion) -> Slots:
    """Give the rows that are in both versions, of one generation, and differ in an integer; ascending slots."""
    if before is None or before is base:
        return NO_ROWS
    if base.moved is None or base.moved[0]() is not before:
        size = min(len(before.alive), len(base.alive))
        differs = (before.ints[:, :size] != base.ints[:, :size]).any(axis=0)
        differs &= before.alive[:size] & base.alive[:size] & (before.generation[:size] == base.generation[:size])
        moved: Slots = np.flatnonzero(differs)
        note_moved(before, base, moved)
        return moved
    known: Slots = base.moved[1]
    return known


def active_set(before: TableVersion | None, base: TableVersion, new: TableVersion) -> Slots:
    """Give the active set of a part; of the new version, only its rows are looked at."""
    active = moved_rows(before, base)
    if not len(active) or (new.alive is base.alive and new.generation is base.generation):
        return active
    active = active[active < len(new.alive)]
    still: Slots = active[new.alive[active] & (new.generation[active] == base.generation[active])]
    return still


def others(alive: Mask, active: Slots) -> Slots:
    """Give the slots that are taken and not in the active set."""
    rest = alive.copy()
    rest[active] = False
    return np.flatnonzero(rest)


def motion(
    layout: Layout, columns: Slots, before: TableVersion | None, base: TableVersion, active: Slots, changed: Slots
) -> Ints:
    """Give how the changed rows moved in the last step, the shorter way round; 0 for those that did not.

    Returns:
        An array of shape (columns, changed rows).
    """
    v: Ints = np.zeros((len(columns), len(changed)), dtype=np.int32)
    if before is None or not len(active):
        return v
    if active is changed or np.array_equal(active, changed):
        return _motion(layout, columns, before, base, changed)
    mask = np.zeros(max(int(changed[-1]), int(active[-1])) + 1, dtype=np.bool_)
    mask[active] = True
    places = np.flatnonzero(mask[changed])
    v[:, places] = _motion(layout, columns, before, base, changed[places])
    return v


def _motion(layout: Layout, columns: Slots, before: TableVersion, base: TableVersion, slots: Slots) -> Ints:
    place = np.ix_(columns, slots)
    v: Ints = base.ints[place] - before.ints[place]
    layout.rings_of(columns.tolist()).shorten(v)
    for largest, _ in layout.quaternions:
        flipped = np.flatnonzero(base.ints[largest, slots] != before.ints[largest, slots])
        if len(flipped):
            v[np.ix_(_small(columns, largest), flipped)] = 0
    return v


def _small(columns: Slots, largest: int) -> Slots:
    """Give the places, among the columns, of a quaternion's three small ones."""
    return np.flatnonzero((columns > largest) & (columns < largest + COLUMNS))


class Flip(NamedTuple):
    """A quaternion column where the component that is left out is another one than in the base.

    Attributes:
        columns: Places among the columns of the step.
        rows: Places among the changed rows.
        predicted: What their integers would be if nothing had turned, of shape (columns, rows).
    """

    columns: Slots
    rows: Slots
    predicted: Ints


def flips(
    layout: Layout, columns: Slots, base: Ints, changed: Slots, largest: Callable[[int], Ints], taken: Slots
) -> list[Flip]:
    """Predict quaternions where `largest` changes (wire clause 8.17).

    Args:
        layout: Of the table.
        columns: Those with values.
        base: The base's integers, 0 in rows that are taken in this step.
        changed: The changed rows.
        largest: Gives what `largest` becomes in the changed rows, by its column.
        taken: Rows that are taken in this step.
    """
    found = []
    for place, field in layout.quaternions:
        small = _small(columns, place)
        if place not in columns or not len(small):
            continue
        new = largest(place)
        differs = base[place, changed] != new
        if len(taken):
            differs &= ~np.isin(changed, taken)
        rows = np.flatnonzero(differs)
        if len(rows):
            turned = field.pick(field.values(base[place : place + COLUMNS, changed[rows]]), new[rows])
            found.append(Flip(small, rows, turned[columns[small] - place]))
    return found
