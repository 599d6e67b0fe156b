"""Where players look, turned into what they see: for all at once, and with work only for those whose cells change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.sight.sights import Keys, Rings, Sights

Floats = NDArray[np.float64]
#: The part of who looks nowhere.
_NOWHERE = -(1 << 40)
#: Surroundings that are remembered for each table.
_MAX_REMEMBERED = 16_384


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
        self._grids = [(i, table.grid) for i, table in enumerate(sights.tables) if table.grid is not None]
        self._who: Sequence[Looking] = ()
        self._parts = np.zeros((len(self._grids), 2, 0), dtype=np.int64)
        self._around: list[dict[tuple[int, int, float | None], Rings]] = [{} for _ in self._grids]

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
        for place, (_, grid) in enumerate(self._grids):
            for axis, at in enumerate((x, y)):
                old = self._parts[place, axis]
                new = grid.parts(axis, np.where(nowhere, 0.0, at), old)
                new[nowhere] = _NOWHERE
                moved |= new != old
                self._parts[place, axis] = new
        for index in np.flatnonzero(moved).tolist():
            self._look(who[index], self._parts[:, :, index].tolist())

    def _take(self, who: Sequence[Looking]) -> None:
        """Others look than before."""
        old = {looking: index for index, looking in enumerate(self._who)}
        self._who = list(who)
        parts = np.full((len(self._grids), 2, len(who)), _NOWHERE, dtype=np.int64)
        for index, looking in enumerate(who):
            if looking in old:
                parts[:, :, index] = self._parts[:, :, old[looking]]
        self._parts = parts

    def _look(self, looking: Looking, parts: list[list[int]]) -> None:
        tables: list[Rings] = []
        cells = iter(zip(parts, self._around, self._grids, strict=True))
        for table in self._sights.tables:
            if table.grid is None:
                tables.append((looking.teams if table.kind == "team" else looking.own,))
                continue
            (part_x, part_y), around, _ = next(cells)
            if part_x == _NOWHERE:
                tables.append(((),) * len(table.rings))
                continue
            key = (part_x, part_y, looking.reach)
            rings = around.get(key)
            if rings is None:
                if len(around) >= _MAX_REMEMBERED:
                    around.clear()
                sight = table.grid.cells.sight
                scale = 1.0 if looking.reach is None else looking.reach / sight[0]
                rings = around[key] = table.grid.around(part_x, part_y, tuple(reach * scale for reach in sight))
            tables.append(rings)
        looking.sight = self._sights.intern(tuple(tables))
        looking.changed = False
