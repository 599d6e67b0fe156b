"""The players' own rows, watched all at once: a tick costs no player anything where none of them went."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..state import Row, Table
from .player import Player


class Rows(NamedTuple):
    """Some rows of one table.

    Attributes:
        table: The table.
        slots: Where in its columns they lie.
        generations: Theirs: a row that is gone, and another one in its slot, has another.
    """

    table: Table
    slots: NDArray[np.intp]
    generations: NDArray[np.uint16]

    def whole(self) -> bool:
        """Whether all of them are still there."""
        return bool(np.all(self.table._alive[self.slots] & (self.table._generation[self.slots] == self.generations)))


class OwnRows:
    """Tells players which rows are their own.

    Attributes:
        revision: Grows when the players, their rows, or the way in which one looks at the world may have changed.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._players: list[Player] = []
        self._rows: list[Rows] = []
        self._touched = True

    def touch(self) -> None:
        """A player has other rows now, or looks at the world in another way."""
        self._touched = True

    def tell(self, players: list[Player]) -> None:
        """The tick ends: tell each player whose rows changed."""
        if not self._touched and players == self._players and all(rows.whole() for rows in self._rows):
            return
        for player in players:
            player.tell_rows()
        self._players, self._touched = players, False
        self._rows = by_table(row for player in players for row in player.living_rows())
        self.revision += 1


def by_table(rows: Iterable[Row]) -> list[Rows]:
    """Sort rows by their tables, in the order in which those come first."""
    found: dict[Table, list[Row]] = {}
    for row in rows:
        found.setdefault(row.table, []).append(row)
    return [
        Rows(table, np.array([row.slot for row in some]), np.array([row.generation for row in some], dtype=np.uint16))
        for table, some in found.items()
    ]
