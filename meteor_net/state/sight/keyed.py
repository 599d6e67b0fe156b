"""A keyed table in a version: its rows and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.sight.keys import Keys
from meteor_net.state.version import TableVersion

if TYPE_CHECKING:
    from meteor_net.state.sight.grid import Grid
    from meteor_net.state.table import Table

Slots = NDArray[np.intp]


class Keyed:
    """Nobody may write to its arrays, which end with the table's.

    Attributes:
        table: The rows.
        key: Of each slot; -1 where free, and for rows that nobody is told of.
        slots: Those that have a key, by key.
        keys: Of `slots`.
    """

    __slots__ = ("_starts", "key", "keys", "slots", "table")

    def __init__(self, table: TableVersion, key: Keys, like: Keyed | None = None) -> None:
        self.table = table
        self.key = key
        self.slots: Slots
        self.keys: Keys
        self._starts: Slots | None = None
        if like is not None and like.key is key:
            self.slots, self.keys, self._starts = like.slots, like.keys, like._starts
        else:
            order = np.argsort(key)
            self.slots = order[int(np.count_nonzero(key < 0)) :]
            self.keys = key[self.slots]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes beside the table's."""
        return int(self.key.nbytes * 2 + self.slots.nbytes)

    @classmethod
    def empty(cls, table: TableVersion) -> Keyed:
        """Make the one without rows."""
        return cls(table, np.zeros(0, dtype=np.int32))

    def starts(self, count: int) -> Slots:
        """Give where the rows of each of `count` keys begin in `slots`, and where the last one's end."""
        if self._starts is None:
            self._starts = np.zeros(count + 1, dtype=np.intp)
            np.cumsum(np.bincount(self.keys, minlength=count), out=self._starts[1:])
        return self._starts


def freeze(live: Table, grid: Grid | None, old: Keyed) -> Keyed:
    """Quantize a keyed table; give `old` itself where nothing changed.

    Args:
        live: The table.
        grid: Of its cells, if its key is one.
        old: What it was.
    """
    table = live._freeze(old.table)
    if table is old.table and grid is not None:
        return old
    size, was = len(table.alive), old.key
    if table.alive is not old.table.alive or table.generation is not old.table.generation:
        kept = min(size, len(was))
        stays = table.alive[:kept] & (table.generation[:kept] == old.table.generation[:kept])
        was = np.full(size, -1, dtype=np.int32)
        was[:kept] = np.where(stays, old.key[:kept], -1)
    key = grid.assign(table.ints, was) if grid is not None else live._keys(size)
    if len(live._dead):
        key = np.where(table.alive, key, np.int32(-1))
    if np.array_equal(key, old.key):
        return old if table is old.table else Keyed(table, old.key, old)
    key.flags.writeable = False
    if grid is not None:
        live._show_keys(key)
    return Keyed(table, key)


def same_rows(one: Keyed, other: Keyed, size: int, handed: bool) -> NDArray[np.bool_]:
    """Tell which of `size` slots hold the same row in both.

    Args:
        one: A version of the table.
        other: Another one.
        size: Not less than either has.
        handed: A row with another key is another one: who gets it now must not learn what it was for others.
    """
    same = np.zeros(size, dtype=np.bool_)
    both = min(len(one.key), len(other.key))
    mine, theirs = one.table, other.table
    if mine.alive is theirs.alive and mine.generation is theirs.generation:
        same[:both] = mine.alive
    else:
        same[:both] = mine.alive[:both] & theirs.alive[:both] & (mine.generation[:both] == theirs.generation[:both])
    if handed and one.key is not other.key:
        same[:both] &= one.key[:both] == other.key[:both]
    return same
