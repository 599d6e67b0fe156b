"""The cells of a table: which one a row is in, and which ones are within reach of a place."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.layout import Layout
from meteor_net.state.sight.keys import Cells, Keys
from meteor_net.state.version import Ints

Floats = NDArray[np.float64]

#: A row that crossed a border stays in its cell until it is so far beyond, in cells.
MARGIN = 1 / 8
#: A player's place counts in so many parts of a cell: cells come into sight and go by those steps.
PARTS = 4
#: A place that crossed the border of its part stays in that until it is so far beyond, in parts.
PART_MARGIN = 1 / 8
#: Parts, from where a place counts as no farther.
_FAR = 1 << 40


class Grid:
    """The cells of one table.

    Args:
        cells: The key field, bound to its table.
        layout: Of that table.
    """

    def __init__(self, cells: Cells, layout: Layout) -> None:
        self.cells = cells
        axes = [layout.by_name[name] for name in (cells.x, cells.y)]
        self._places = [layout.places[axis.name] for axis in axes]
        #: Per axis: cells of one step, how many cells there are, whether it wraps.
        self._scale = [axis.step / cells.size for axis in axes]  # type: ignore[attr-defined]
        self.counts = (cells.columns, cells.rows)
        self.wraps = [bool(axis.wrap) for axis in axes]  # type: ignore[attr-defined]
        self._low = [axis.low for axis in axes]  # type: ignore[attr-defined]
        self._offsets = lru_cache(maxsize=4 * PARTS * PARTS)(self._work_out_offsets)

    def assign(self, ints: Ints, old: Keys | None) -> Keys:
        """Give the cell of each slot.

        Args:
            ints: A version's integers.
            old: The cells before, for slots that held the same row then; else -1.
        """
        found, stays = [], None
        for axis in (0, 1):
            at = ints[self._places[axis]] * self._scale[axis]
            count = self.counts[axis]
            found.append(np.minimum(at.astype(np.int32), count - 1))
            if old is not None:
                was = old % count if axis == 0 else old // self.counts[0]
                beyond = at - was
                beyond -= 0.5
                if self.wraps[axis]:
                    beyond -= count * np.rint(beyond / count)
                near = np.abs(beyond) <= 0.5 + MARGIN
                stays = near if stays is None else stays & near
        keys: Keys = found[1] * np.int32(self.counts[0]) + found[0]
        if old is not None and stays is not None:
            stays &= old >= 0
            keys = np.where(stays, old, keys)
        return keys

    def parts(self, axis: int, at: Floats, old: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the part that each place is in, along one axis.

        Args:
            axis: 0 for x, 1 for y.
            at: The places, in the units of the table's fields.
            old: The parts before; a place near its part stays in it.
        """
        # Farther off than the world is wide is as good as any place out there; where it wraps, so far off is anywhere.
        count = self.counts[axis]
        least, most = (-_FAR, _FAR) if self.wraps[axis] else (-PARTS * count, 2 * PARTS * count)
        fine = np.clip((at - self._low[axis]) * (PARTS / self.cells.size), least, most)
        stays = np.abs(fine - old - 0.5) <= 0.5 + PART_MARGIN
        return np.where(stays, old, np.floor(fine).astype(np.int64))

    def around(self, part_x: int, part_y: int, reaches: tuple[float, ...]) -> tuple[tuple[int, ...], ...]:
        """Give the cells within reach of any place that counts as in a part: per ring, ascending, each cell in its first."""
        rings: list[tuple[int, ...]] = []
        for reach in reaches:
            keys = self._at(part_x, part_y, reach)
            seen = set().union(*rings)
            rings.append(tuple(key for key in keys if key not in seen) if seen else tuple(keys))
        return tuple(rings)

    def _at(self, part_x: int, part_y: int, reach: float) -> list[int]:
        dx, dy, most = self._offsets(part_x % PARTS, part_y % PARTS, reach)
        column, row = dx + part_x // PARTS, dy + part_y // PARTS
        columns, rows = self.counts
        if not self.wraps[0]:
            inside = ((column >= 0) & (column < columns)).nonzero()[0]
            if len(inside) < len(column):
                column, row = column[inside], row[inside]
        if not self.wraps[1]:
            inside = ((row >= 0) & (row < rows)).nonzero()[0]
            if len(inside) < len(row):
                column, row = column[inside], row[inside]
        keys = row % rows * columns + column % columns
        if 2 * most + 1 > min(columns, rows):  # round the world, and there again
            keys = np.unique(keys)
        else:
            keys.sort()
        listed: list[int] = keys.tolist()
        return listed

    def _work_out_offsets(self, part_x: int, part_y: int, reach: float) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """The cells, counted from the place's own, whose nearest point is within reach of the part and its margin."""
        far = reach / self.cells.size
        # From a world's width outside it to its other end are two of them.
        steps = [int(min(far, 2 * count)) + 2 for count in self.counts]
        away = [np.arange(-most, most + 1) for most in steps]
        gaps = []
        for part, cells in zip((part_x, part_y), away, strict=True):
            low, high = (part - PART_MARGIN) / PARTS, (part + 1 + PART_MARGIN) / PARTS
            gaps.append(np.maximum(np.maximum(cells - high, low - (cells + 1)), 0.0))
        near = np.argwhere(np.hypot(gaps[1][:, None], gaps[0][None, :]) <= far)
        return away[0][near[:, 1]], away[1][near[:, 0]], max(steps)
