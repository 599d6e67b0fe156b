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
from meteor_net.state.version import Ints

#: The modes (wire clause 8.13).
HOLD, HALF, LINEAR, FEW = range(4)
#: Of more changed rows, about so many are looked at.
SAMPLE = 256

_SHIFT = 20  # of a float32: its exponent and three bits of its mantissa stay
_FIRST = (127 << 3) - 1
_BUCKETS = 32 * 8 + 9


class Choice(NamedTuple):
    """What was chosen for a column."""

    mode: int
    k: int


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
_K = np.arange(MAX_K, dtype=np.float32)


def gap_k(size: int, count: int) -> int:
    """Give the parameter of the gaps that choose `count` of `size` places (wire clause 8.15)."""
    return (size // count).bit_length() - 1 if count else 0


def zigzag(difference: Ints) -> NDArray[np.uint32]:
    """Fold the sign into the lowest bit (wire clause 8.16)."""
    return ((difference << 1) ^ (difference >> 31)).view(np.uint32)


def choose(tried: NDArray[np.uint32], two_values: list[bool]) -> list[Choice]:
    """Choose a mode and a parameter for each column.

    Args:
        tried: The numbers, of shape (modes, columns, changed rows): of the mode hold, and of half and linear if
            anything moved before.
        two_values: Which columns have only two values.
    """
    modes, columns, rows = tried.shape
    if rows > SAMPLE:
        tried = np.ascontiguousarray(tried[:, :, :: rows // SAMPLE])
    sampled = tried.shape[2]
    buckets = (tried.astype(np.float32).view(np.int32) >> _SHIFT) - _FIRST
    np.maximum(buckets, 0, out=buckets)
    buckets += (np.arange(modes * columns, dtype=np.int32) * _BUCKETS).reshape(modes, columns, 1)
    counts = np.bincount(buckets.ravel(), minlength=modes * columns * _BUCKETS).reshape(modes * columns, _BUCKETS)
    costs = (counts.astype(np.float32) @ _COSTS).reshape(modes, columns, MAX_K)
    zeros = counts[:columns, 0]
    # What the numbers that are not 0 cost in the mode hold.
    some = costs[0] - zeros[:, None] * (1 + _K)
    chosen = []
    best = costs.transpose(1, 0, 2).reshape(columns, -1)
    places = best.argmin(axis=1).tolist()
    least = best[np.arange(columns), places].tolist()
    few_k, few_bits = some.argmin(axis=1).tolist(), some.min(axis=1).tolist()
    for column, none in enumerate(zeros.tolist()):
        count = sampled - none
        few = 8 + count * (gap_k(sampled, count) + 2) + (0 if two_values[column] else few_bits[column])
        if few < least[column]:
            chosen.append(Choice(FEW, 0 if two_values[column] else few_k[column]))
        else:
            chosen.append(Choice(*divmod(places[column], MAX_K)))
    return chosen
