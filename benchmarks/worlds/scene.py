"""What both sides of the comparison play: rows that move, and viewers who move among them and see what is near."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from ..state.motion import SIZE, TICK_HZ, Floats, Motion, wandering

#: Rows in sight of a viewer, on average.
SEEN = 100
TICKS = 400
#: Of a viewer: parts of the radius of its sight that it walks in a tick.
STROLL, WALK = 0.01, 0.03
ROWS_SEED, VIEWERS_SEED = 1, 2
#: Integers along one axis of the world, and of a turn.
STEPS = 65_536


@dataclass(frozen=True)
class Scene:
    """A square world whose borders wrap; both motions are played to the end, back to the beginning, and so on.

    Attributes:
        rows, viewers: How many.
        size: Of the world's sides.
        cell: Size of the cells of our side, in the same units.
    """

    rows: int
    viewers: int
    size: float
    cell: float

    @property
    def radius(self) -> float:
        """How far a viewer sees."""
        return self.size * sqrt(SEEN / self.rows / pi)

    @cached_property
    def motion(self) -> Motion:
        """Of the rows."""
        return wandering(self.rows, TICKS, ROWS_SEED, self.size)

    @cached_property
    def walks(self) -> Motion:
        """Of the viewers."""
        speeds = (STROLL * self.radius * TICK_HZ, WALK * self.radius * TICK_HZ)
        return wandering(self.viewers, TICKS, VIEWERS_SEED, self.size, speeds)

    def place(self, tick: int) -> int:
        """Give the place in both motions that is played at a tick of the room."""
        return place(tick, TICKS)

    def in_sight(self, place: int, viewer: int, beyond: float = 0.0) -> NDArray[np.intp]:
        """Give the rows that a viewer sees at a place of the motions, ascending; or would if it saw so much farther."""
        away = self.motion.values[place, :2] - self.walks.values[place, :2, viewer, None]
        away -= self.size * np.rint(away / self.size)
        return np.flatnonzero(np.hypot(*away) <= self.radius + beyond)

    def find(self, rows: NDArray[np.intp], at: Floats) -> int:
        """Find the place of the motion at which rows were seen somewhere.

        Args:
            rows: Which.
            at: Where, shape (2, rows), as exact as the wire.

        Raises:
            LookupError: There is no such place, or more than one.
        """
        away = self.motion.values[:, :2][:, :, rows] - at
        away -= self.size * np.rint(away / self.size)
        # half a step of rounding, and a hair
        found = np.flatnonzero(np.abs(away).max(axis=(1, 2)) <= 0.51 * self.size / STEPS)
        if len(found) != 1:
            raise LookupError(f"{len(rows)} rows are held as they stand at {len(found)} of {TICKS} ticks")
        return int(found[0])


def place(tick: int, ticks: int) -> int:
    """Go to and fro through so many places, one a tick, so that nothing ever jumps."""
    at = tick % (2 * ticks - 2)
    return at if at < ticks else 2 * ticks - 2 - at


SMALL = Scene(rows=2_000, viewers=400, size=SIZE, cell=SIZE / 128)
LARGE = Scene(rows=10_000, viewers=200, size=2 * SIZE, cell=2 * SIZE / 256)
SCENES = {"small": SMALL, "large": LARGE}
