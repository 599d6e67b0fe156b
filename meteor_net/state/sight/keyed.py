"""A keyed table in a version: its rows, their keys, and since when they have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.sight.keys import Keys
from meteor_net.state.version import MAX_SLOTS, TableVersion

if TYPE_CHECKING:
    from meteor_net.state.sight.grid import Grid
    from meteor_net.state.table import Table

Slots = NDArray[np.intp]


class Keyed:
    """Nobody may write to its arrays, which end with the table's.

    Attributes:
        table: The rows.
        key: Of each slot; -1 where free, and for rows that nobody is told of.
        since: Number of the version in which the row got its key, or was spawned.
        number: Of the version that this was made for.
        slots: Those that have a key, by key and then slot.
        keys: Of `slots`.
        rank: Of each slot, its place in `slots`.
    """

    __slots__ = ("key", "keys", "number", "rank", "since", "slots", "table")

    def __init__(
        self, table: TableVersion, key: Keys, since: NDArray[np.int64], number: int, like: Keyed | None = None
    ) -> None:
        self.table = table
        self.key = key
        self.since = since
        self.number = number
        self.slots: Slots
        self.keys: Keys
        self.rank: Slots
        if like is not None and like.key is key:
            self.slots, self.keys, self.rank = like.slots, like.keys, like.rank
            return
        order = np.argsort(key.astype(np.int64) * MAX_SLOTS + np.arange(len(key)))
        self.slots = order[int(np.count_nonzero(key < 0)) :]
        self.keys = key[self.slots]
        self.rank = np.zeros(len(key), dtype=np.intp)
        self.rank[self.slots] = np.arange(len(self.slots))

    @property
    def nbytes(self) -> int:
        """Bytes that it takes beside the table's."""
        return int(self.key.nbytes * 2 + self.since.nbytes + self.slots.nbytes + self.rank.nbytes)

    @classmethod
    def empty(cls, table: TableVersion) -> Keyed:
        """Make the one without rows."""
        return cls(table, np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64), 0)


def freeze(live: Table, grid: Grid | None, old: Keyed, number: int) -> Keyed:
    """Quantize a keyed table into version `number`; give `old` itself where nothing changed.

    Args:
        live: The table.
        grid: Of its cells, if its key is one.
        old: What it was.
        number: Of the version in the making.
    """
    table = live._freeze(old.table)
    size = len(table.alive)
    if table is old.table and grid is not None:
        return old
    same_rows = table.alive is old.table.alive and table.generation is old.table.generation
    was_key, was_since = old.key, old.since
    fresh = None
    if not same_rows:
        kept = min(size, len(old.key))
        stays = table.alive[:kept] & old.table.alive[:kept] & (table.generation[:kept] == old.table.generation[:kept])
        was_key, was_since = np.full(size, -1, dtype=np.int32), np.zeros(size, dtype=np.int64)
        was_key[:kept] = np.where(stays, old.key[:kept], -1)
        was_since[:kept] = old.since[:kept]
        fresh = table.alive.copy()
        fresh[:kept] &= ~stays
    key = grid.assign(table.ints, was_key) if grid is not None else live._keys(size)
    if len(live._dead):
        key = np.where(table.alive, key, np.int32(-1))
    moved = key != was_key
    if fresh is not None:
        moved |= fresh
    elif not moved.any():
        return old if table is old.table else Keyed(table, old.key, old.since, number, old)
    since = np.where(moved, np.int64(number), was_since)
    for array in (key, since):
        array.flags.writeable = False
    if grid is not None:
        live._show_keys(key)
    return Keyed(table, key, since, number)
