"""What both sides of the coding `eg` know before a step: which rows moved last, and how (wire clauses 8.15 to 8.17)."""

from __future__ import annotations

import numpy as np

from meteor_net.state.coding.rowset import Slots
from meteor_net.state.layout import Layout
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
    return one is other or one.tobytes() == other.tobytes()


def others(alive: Mask, active: Slots) -> Slots:
    """Give the slots that are taken and not in the active set."""
    rest = alive.copy()
    rest[active] = False
    return rest.nonzero()[0]


def rows_of(ints: Ints, slots: Slots) -> Ints:
    """Give all columns of some rows, ascending; not to be written to."""
    return ints if len(slots) == ints.shape[1] else ints.take(slots, axis=1)


def motion(
    layout: Layout,
    before: TableVersion | None,
    base: TableVersion,
    new: TableVersion,
    active: Slots,
    changed: Slots,
    held: Ints,
) -> Ints | None:
    """Give how the changed rows moved in the last step (wire clauses 8.16 and 8.17).

    Args:
        layout: Of the table.
        before: The version that the last step started from; None in a self-contained step.
        base: The version that it led to.
        new: The version of this step; only its rows are looked at.
        active: The active set.
        changed: The changed rows.
        held: What the base has in those, in all columns.

    Returns:
        The differences in all columns, not yet the shorter way round; 0 for rows that are not in the active set.
        None if that is empty.
    """
    if before is None or not len(active):
        return None
    if base.alive is new.alive is before.alive and base.generation is new.generation is before.generation:
        # The same rows all along: those that are not in the active set have not moved, so their difference is 0 by itself.
        v: Ints = held - rows_of(before.ints, changed)
    else:
        v = np.zeros((len(base.ints), len(changed)), dtype=np.int32)
        mask = np.zeros(max(int(changed[-1]), int(active[-1])) + 1, dtype=np.bool_)
        mask[active] = True
        places = mask[changed].nonzero()[0]
        going = changed[places]
        v[:, places] = base.ints.take(going, axis=1) - before.ints.take(going, axis=1)
    for place, _ in layout.quaternions:
        # A rotation that is written in another way tells nothing of how it turns.
        three = v[place + 1 : place + COLUMNS]
        three *= v[place] == 0
    return v
