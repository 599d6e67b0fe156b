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
    return way - size * np.round(way / size)


def overlaps(x: Floats, y: Floats, radius: Floats, size: float) -> tuple[Slots, Slots]:
    """Find the pairs of circles that overlap.

    Sorted by x, a circle can only touch the few that follow it within the largest diameter. With 220 circles that
    leaves some 1,500 pairs to look at, instead of a matrix of 48,400.

    Args:
        x: The centres, within 0 to `size`.
        y: Likewise.
        radius: One for each circle.
        size: The world's, more than two diameters.

    Returns:
        Each pair once, as the indices of its two circles.
    """
    count = len(x)
    if count < 2:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    order = np.argsort(x, kind="stable")
    row = x[order]
    # Once round the world: what lies at the left edge follows what lies at the right one.
    ends = np.searchsorted(np.concatenate((row, row + size)), row + 2 * radius.max())
    followers = ends - np.arange(count) - 1
    first = np.repeat(np.arange(count), followers)
    place = np.arange(len(first)) - np.repeat(np.cumsum(followers) - followers, followers)
    i, j = order[first], order[(first + 1 + place) % count]
    dx, dy = shortest(x[j] - x[i], size), shortest(y[j] - y[i], size)
    near = dx * dx + dy * dy < (radius[i] + radius[j]) ** 2
    return i[near], j[near]


def bounce(
    x: Floats, y: Floats, vx: Floats, vy: Floats, spin: Floats, radius: Floats, mass: Floats, size: float
) -> tuple[Slots, Slots]:
    """Let circles that overlap bounce: elastic, each pair along the line of its centres. All arrays are changed in place.

    Args:
        x: The centres, within 0 to `size`.
        y: Likewise.
        vx: The speeds, in units a second.
        vy: Likewise.
        spin: Radians a second; a glancing hit turns both circles.
        radius: One for each circle.
        mass: Likewise.
        size: The world's.

    Returns:
        The pairs that overlapped.
    """
    i, j = overlaps(x, y, radius, size)
    dx, dy = shortest(x[j] - x[i], size), shortest(y[j] - y[i], size)
    far = np.maximum(np.hypot(dx, dy), 1e-9)
    dx, dy = dx / far, dy / far
    share = 1 / (1 / mass[i] + 1 / mass[j])
    along = (vx[i] - vx[j]) * dx + (vy[i] - vy[j]) * dy
    across = (vy[i] - vy[j]) * dx - (vx[i] - vx[j]) * dy
    hit = 2 * share * np.maximum(along, 0)  # pairs that part already are left alone
    apart = share * (radius[i] + radius[j] - far)  # and none stays stuck in another
    # A body may be in several pairs: `at` adds them all, where `vx[i] -= …` would keep only the last.
    for body, way in ((i, -1.0), (j, 1.0)):
        np.add.at(vx, body, way * hit * dx / mass[body])
        np.add.at(vy, body, way * hit * dy / mass[body])
        np.add.at(x, body, way * apart * dx / mass[body])
        np.add.at(y, body, way * apart * dy / mass[body])
        np.add.at(spin, body, -0.2 * np.where(along > 0, across, 0) * share / mass[body] / radius[body])
    x %= size
    y %= size
    return i, j
