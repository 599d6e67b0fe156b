"""Circles that bounce off each other in a world without edges.

All of it is numpy on whole columns: a Python loop over 220 bodies and their pairs would take most of a tick.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]


def shortest(way: Any, size: float) -> Any:
    """Give the short way round, -size/2 to size/2, where `size` is 0 again."""
    return way - size * np.rint(way / size)


def overlaps(at: Floats, radius: Floats, size: float) -> tuple[Slots, Slots, Floats, Floats]:
    """Find the pairs of circles that overlap.

    Sorted by x, a circle can only touch the few that follow it within its radius and the largest. With 220 circles
    that leaves some 1,300 pairs to look at, instead of a matrix of 48,400.

    Args:
        at: The centres: a row of x and a row of y, within 0 to `size`.
        radius: One for each circle.
        size: The world's, more than two diameters.

    Returns:
        Each pair once, as the indices i and j of its two circles; the way from i to j; and how far that is.
    """
    count = len(radius)
    order = np.argsort(at[0])
    row = at[0, order]
    # Once round the world: what lies at the left edge follows what lies at the right one.
    ends = np.searchsorted(np.concatenate((row, row + size)), row + radius[order] + radius.max(initial=0))
    followers = ends - np.arange(1, count + 1)
    first = np.repeat(np.arange(count), followers)
    second = np.arange(len(first)) + np.repeat(ends - np.cumsum(followers), followers)
    i, j = order[first], order[second % count]
    way = shortest(at.take(j, axis=1) - at.take(i, axis=1), size)  # much faster than at[:, j]
    near = np.flatnonzero(way[0] ** 2 + way[1] ** 2 < (radius[i] + radius[j]) ** 2)
    way = way.take(near, axis=1)
    return i[near], j[near], way, np.hypot(way[0], way[1])


def bounce(at: Floats, speed: Floats, spin: Floats, radius: Floats, mass: Floats, size: float) -> None:
    """Let circles that overlap bounce: elastic, each pair along the line of its centres.

    Args:
        at: The centres: a row of x and a row of y, within 0 to `size`; changed in place, as the next two are.
        speed: Likewise, in units a second.
        spin: Radians a second; a glancing hit turns both circles.
        radius: One for each circle.
        mass: Likewise.
        size: The world's.
    """
    i, j, way, far = overlaps(at, radius, size)
    if not len(i):
        return
    way /= np.maximum(far, 1e-9)
    share = 1 / (1 / mass[i] + 1 / mass[j])
    meet = speed.take(i, axis=1) - speed.take(j, axis=1)
    along = (meet * way).sum(axis=0)
    across = np.where(along > 0, meet[0] * way[1] - meet[1] * way[0], 0)
    hit = 2 * share * np.maximum(along, 0) * way  # pairs that part already are left alone
    apart = share * (radius[i] + radius[j] - far) * way  # and none stays stuck in another
    # A body may be in several pairs: `at` adds them all, where `speed[:, i] -= …` would keep only the last.
    for body, side in ((i, -1), (j, 1)):
        np.add.at(speed.T, body, (side * hit / mass[body]).T)
        np.add.at(at.T, body, (side * apart / mass[body]).T)
        np.add.at(spin, body, 0.2 * across * share / mass[body] / radius[body])
    at %= size
