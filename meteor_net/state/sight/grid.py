"""The cells of a table: which one a row is in, and which ones are within reach of a place."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.layout import Layout
from meteor_net.state.sight.keys import Cells, Keys
from meteor_net.state.version import Ints

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

#: What crossed a border, a row or somebody who looks, counts as in its cell until it is so far beyond, in cells.
MARGIN = 1 / 8
#: Reaches count in so many parts of a cell.
PARTS = 8
#: Cells, from where a place counts as no farther.
_FAR = 1 << 30
#: Different reaches whose shapes are remembered.
_SHAPES = 64


class Shape(NamedTuple):
    """Some cells around one: of each row of cells the runs from `first` to `last`, all counted from that one."""

    row: Places
    first: Places
    last: Places


class Grid:
    """The cells of one table.

    Args:
        cells: The key field, bound to its table.
        layout: Of that table.

    Attributes:
        counts: Columns and rows of cells.
        wraps: For x and y, whether the world does.
        size: Cells in all.
    """

    def __init__(self, cells: Cells, layout: Layout) -> None:
        self.cells = cells
        axes = [layout.by_name[name] for name in (cells.x, cells.y)]
        self._places = [layout.places[axis.name] for axis in axes]
        #: Of one step of an axis, in cells.
        self._scale = [axis.step / cells.size for axis in axes]  # type: ignore[attr-defined]
        self.counts = (cells.columns, cells.rows)
        self.wraps = [bool(axis.wrap) for axis in axes]  # type: ignore[attr-defined]
        self.size = cells.columns * cells.rows
        self._low = [axis.low for axis in axes]  # type: ignore[attr-defined]
        self.shapes = lru_cache(maxsize=_SHAPES)(self._make_shapes)

    def assign(self, ints: Ints, old: Keys) -> Keys:
        """Give the cell of each slot.

        Args:
            ints: A version's integers.
            old: The cells before, of slots that held the same row then; else -1.
        """
        found = []
        stays = old >= 0
        for axis in (0, 1):
            at = ints[self._places[axis]] * self._scale[axis]
            count = self.counts[axis]
            found.append(np.minimum(at.astype(np.int32), count - 1))
            beyond = at - (old % count if axis == 0 else old // self.counts[0])
            beyond -= 0.5
            if self.wraps[axis]:
                beyond -= count * np.rint(beyond / count)
            stays &= np.abs(beyond) <= 0.5 + MARGIN
        keys: Keys = found[1] * np.int32(self.counts[0]) + found[0]
        return np.where(stays, old, keys)

    def place(self, axis: int, at: Floats, old: Places) -> Places:
        """Give the cells from which somebody looks, along one axis; they may lie beyond an edge of the world.

        Args:
            axis: 0 for x, 1 for y.
            at: The places, in the units of the table's fields.
            old: The cells before; a place near its cell stays in it.
        """
        fine = np.clip((at - self._low[axis]) / self.cells.size, -_FAR, _FAR)
        beyond = fine - old - 0.5
        if self.wraps[axis]:
            # Who was nowhere before is near nothing, also round the world.
            beyond -= np.where(np.abs(beyond) <= 2 * _FAR, self.counts[axis] * np.rint(beyond / self.counts[axis]), 0.0)
        near = np.abs(beyond) <= 0.5 + MARGIN
        return np.where(near, old, np.floor(fine).astype(np.int64))

    def parts(self, reach: float) -> int:
        """Give a reach in parts of a cell, not less than it is."""
        return ceil(min(reach / self.cells.size, 2 * max(self.counts)) * PARTS)

    def _make_shapes(self, parts: int) -> tuple[Shape, ...]:
        """Give the cells of each ring, where the nearest reaches so many parts.

        They are those of which any row may be within the ring's reach of anybody who counts as in the cell in the middle, and
        that are in no nearer ring.
        """
        across, down = (self._away(axis, parts) for axis in (0, 1))
        x, y = (np.maximum(np.abs(away) - 1 - 2 * MARGIN, 0.0) for away in (across, down))
        far = np.hypot(x[None, :], y[:, None])
        sight, shapes, within = self.cells.sight, [], np.zeros(far.shape, dtype=np.bool_)
        for reach in sight:
            near = far <= parts / PARTS * reach / sight[0]
            ring = np.pad(near & ~within, ((0, 0), (1, 1))).astype(np.int8)
            within |= near
            row, first = np.nonzero(np.diff(ring, axis=1) == 1)
            last = np.nonzero(np.diff(ring, axis=1) == -1)[1] - 1
            shapes.append(Shape(down[row], across[first], across[last]))
        return tuple(shapes)

    def _away(self, axis: int, parts: int) -> Places:
        """How far cells may be along one axis; round the world each is met once."""
        most = int(parts / PARTS * self.cells.sight[-1] / self.cells.sight[0]) + 2
        count = self.counts[axis]
        if self.wraps[axis]:
            return np.arange(max(-most, -((count - 1) // 2)), min(most, count // 2) + 1)
        return np.arange(-min(most, 2 * count), min(most, 2 * count) + 1)

    def runs(self, shape: Shape, column: Places, row: Places) -> list[tuple[Places, Places, Places]]:
        """Give the keys of shapes around some cells, as runs.

        Returns:
            Some of the cells, by their places, with the first key of each of their runs and the one after its last, of shape
            (cells, runs). Both are equal where a run is empty.
        """
        columns, rows = self.counts
        at = row[:, None] + shape.row
        first = column[:, None] + shape.first
        last = column[:, None] + (shape.last + 1)
        if self.wraps[1]:
            at %= rows
        else:
            beyond = (at < 0) | (at >= rows)
            first[beyond] = last[beyond] = 0
            at[beyond] = 0
        at *= columns
        everyone = np.arange(len(column))
        if not self.wraps[0]:
            return [(everyone, at + first.clip(0, columns), at + last.clip(0, columns))]
        length = last - first
        first %= columns
        last = first + length
        over = np.flatnonzero((last > columns).any(axis=1))  # round the world: a second run
        second = (over, at[over], at[over] + (last[over] - columns).clip(0))
        return [(everyone, at + first, at + last.clip(max=columns)), *([second] if len(over) else [])]
