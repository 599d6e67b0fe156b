"""How the encoder of `eg` chooses: by what each way would cost, for every column at once.

The numbers of a column are counted in buckets, an eighth of an octave wide: exact below 16. A table tells
what a number of each bucket costs for each parameter k, so that one product of matrices gives the bits of
all columns, modes and parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.planes import MAX_K, PLAIN
from meteor_net.state.layout import MAX_COLUMNS, Rings
from meteor_net.state.version import Ints

#: The modes (wire clause 8.13).
HOLD, HALF, LINEAR, FEW = range(4)
#: Of more changed rows, about so many are looked at.
SAMPLE = 256

#: So many steps go by one choice, and while the count of changed rows stays within a quarter.
KEPT = 4

_SHIFT = 20  # of a float32: its exponent and three bits of its mantissa stay
_FIRST = (127 << 3) - 1
_BUCKETS = 32 * 8 + 9


class Choice(NamedTuple):
    """What was chosen for a column."""

    mode: int
    k: int


class Chosen(NamedTuple):
    """What was chosen for a table's columns, to be used again in the next steps.

    Attributes:
        rows: How many rows changed.
        moved: Whether any of them had moved before.
        left: For how many steps more it is good.
        ways: By column of the table.
    """

    rows: int
    moved: bool
    left: int
    ways: dict[int, Choice]

    def again(self, columns: list[int], rows: int, moved: bool) -> list[Choice] | None:
        """Give the choice for the columns of a step, or None if it is not good for that."""
        ways = self.ways
        if self.left <= 0 or self.moved != moved or 4 * abs(rows - self.rows) > self.rows:
            return None
        try:
            return [ways[column] for column in columns]
        except KeyError:
            return None


def _costs() -> NDArray[np.float32]:
    """Give the bits of a number of each bucket for each k."""
    costs = np.zeros((_BUCKETS, MAX_K), dtype=np.float32)
    for bucket in range(_BUCKETS):
        octave, eighth = divmod(bucket - 1, 8)
        z = int((1 + (eighth + 0.5 * (octave > 3)) / 8) * 2**octave) if bucket else 0
        for k in range(MAX_K):
            width = max(z - (2 << k), 1 << k).bit_length() - 1
            costs[bucket, k] = min(z >> k, width - k + PLAIN) + 1 + width
    return costs


_COSTS = _costs()
#: Rows of the table of counts: the columns of a table, three times at most.
_RAMP = np.arange(3 * MAX_COLUMNS, dtype=np.int32)[:, None]


def gap_k(size: int, count: int) -> int:
    """Give the parameter of the gaps that choose `count` of `size` places (wire clause 8.15)."""
    return (size // count).bit_length() - 1 if count else 0


def zigzag(difference: Ints) -> NDArray[np.uint32]:
    """Fold the sign into the lowest bit (wire clause 8.16)."""
    z = difference << 1
    z ^= difference >> 31
    return z.view(np.uint32)


def choose(rings: Rings, d: Ints, v: Ints | None, two_values: list[bool]) -> list[Choice]:
    """Choose a mode and a parameter for each column.

    Args:
        rings: Of the columns.
        d: The differences to the base, a row a column.
        v: How the rows moved in the last step; None if none did.
        two_values: Which columns have only two values.
    """
    if d.shape[1] > SAMPLE:
        every = d.shape[1] // SAMPLE
        d, v = d[:, ::every], None if v is None else v[:, ::every]
    z = zigzag(_tries(rings, d, v))
    (rows, places), count = z.shape, len(d)
    buckets = z.astype(np.float32).view(np.int32)
    buckets >>= _SHIFT
    buckets -= _FIRST
    np.maximum(buckets, 0, out=buckets)
    used = int(np.maximum.reduce(buckets, axis=None)) + 1
    ks = min(used // 8 + 1, MAX_K)
    buckets += _RAMP[:rows] * used
    counts = np.bincount(buckets.ravel(), minlength=rows * used).reshape(rows, used)
    # Below them once more the mode hold, for the mode few: without the numbers that are 0.
    counts = np.concatenate((counts, counts[:count]), dtype=np.float32)
    zeros: list[float] = counts[:count, 0].tolist()
    counts[rows:, 0] = 0
    costs = counts @ _COSTS[:used, :ks]
    best_k, best = costs.argmin(axis=1).tolist(), np.minimum.reduce(costs, axis=1).tolist()
    ways = []
    for column, two in enumerate(two_values):
        few = rows + column
        changed = places - int(zeros[column])
        bits = 8 + changed * (gap_k(places, changed) + 2) + (0 if two else best[few])
        tried = best[column:rows:count]
        mode = tried.index(min(tried))
        if bits < tried[mode]:
            ways.append(Choice(FEW, 0 if two else best_k[few]))
        else:
            ways.append(Choice(mode, best_k[column + mode * count]))
    return ways


def _tries(rings: Rings, d: Ints, v: Ints | None) -> Ints:
    """Give what is left of the differences in the modes hold, half and linear, one after another; of all columns in each."""
    tried = np.empty((1 if v is None else 3, *d.shape), dtype=np.int32)
    tried[HOLD] = d
    if v is not None:
        np.subtract(d, v >> 1, out=tried[HALF])
        np.subtract(d, v, out=tried[LINEAR])
    rings.shorten(tried)
    return tried.reshape(-1, d.shape[1])
