"""Where players look, turned into what they see: for all at once, and with work only for those who see other cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.sight.rings import View, Views
from meteor_net.state.sight.sights import MAX_REMEMBERED, Sight, Sights

Floats = NDArray[np.float64]
Keys = tuple[int, ...]
#: The cell of who looks nowhere.
_NOWHERE = -(1 << 40)


class Looking:
    """How somebody looks.

    Attributes:
        reach: How far, for the nearest ring of each table (the others grow or shrink with it); None for the tables' own.
        teams, own: The keys of tables of teams, and of owned ones.
        sight: What that gives; set by `Lookout.update`.
        changed: One of the others was set since.
    """

    __slots__ = ("changed", "own", "reach", "sight", "teams")

    def __init__(self, sights: Sights, own: Keys = ()) -> None:
        self.reach: float | None = None
        self.teams: Keys = ()
        self.own = own
        self.sight = sights.nothing
        self.changed = True


class Lookout:
    """Keeps what all players of a room see.

    Args:
        sights: The room's.
    """

    def __init__(self, sights: Sights) -> None:
        self._sights = sights
        self._grids = [table.grid for table in sights.tables if table.grid is not None]
        self._who: Sequence[Looking] = ()
        self._cells = np.zeros((len(self._grids), 2, 0), dtype=np.int64)
        self._known: dict[tuple[Any, ...], Sight] = {}

    def update(self, who: Sequence[Looking], x: Floats, y: Floats) -> None:
        """Bring everybody's `sight` up to date.

        Args:
            who: Those who look.
            x: Where each looks; NaN for nowhere.
            y: Likewise.
        """
        if self._who != who:
            self._take(who)
        moved = np.fromiter((looking.changed for looking in who), dtype=np.bool_, count=len(who))
        nowhere = ~(np.isfinite(x) & np.isfinite(y))
        for place, grid in enumerate(self._grids):
            for axis, at in enumerate((x, y)):
                old = self._cells[place, axis]
                new = grid.place(axis, np.where(nowhere, 0.0, at), old)
                new[nowhere] = _NOWHERE
                moved |= new != old
                self._cells[place, axis] = new
        places = moved.nonzero()[0]
        moved_to = self._cells.reshape(2 * len(self._grids), len(who)).T[places].tolist()
        for index, cells in zip(places.tolist(), moved_to, strict=True):
            looking = who[index]
            key = (*cells, looking.reach, looking.teams, looking.own)
            sight = self._known.get(key)
            if sight is None:
                if len(self._known) >= MAX_REMEMBERED:
                    self._known.clear()
                sight = self._known[key] = self._look(looking, cells)
            looking.sight = sight
            looking.changed = False

    def _take(self, who: Sequence[Looking]) -> None:
        """Others look than before."""
        old = {looking: index for index, looking in enumerate(self._who)}
        self._who = list(who)
        cells = np.full((len(self._grids), 2, len(who)), _NOWHERE, dtype=np.int64)
        for index, looking in enumerate(who):
            if looking in old:
                cells[:, :, index] = self._cells[:, :, old[looking]]
        self._cells = cells

    def _look(self, looking: Looking, cells: list[int]) -> Sight:
        tables: list[Views] = []
        here = iter(cells)
        for table in self._sights.tables:
            view: View
            if table.grid is None:
                view = (looking.teams if table.kind == "team" else looking.own) or None
            else:
                column, row = next(here), next(here)
                reach = table.grid.cells.sight[0] if looking.reach is None else looking.reach
                view = None if column == _NOWHERE else (column, row, table.grid.parts(reach))
            tables.append((view,) * len(table.rings))
        return self._sights.sight(tuple(tables))
