"""Many short codes in the streams of many keys, written in one pass (wire clause 8.21).

Each key's stream begins at a whole byte, so that it can be cut out. A code is so many zeros, a one and some bits (a
number), or only bits (a raw integer); where each begins is known before anything is written.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.planes import _BITS_OF, _FIRST, _MORE, PLAIN

Numbers = NDArray[np.int64]

#: A code of so many bits is written at once; a longer one, of which there are few, in two parts.
_WORD = 32
_EMPTY: Numbers = np.zeros(0, dtype=np.int64)


class Codes(NamedTuple):
    """Codes, all of one shape.

    Attributes:
        unary: Bits of each up to its one, and with it; 0 where it has none.
        rest: What follows.
        width: Bits of that.
    """

    unary: Numbers
    rest: Numbers
    width: Numbers

    @property
    def length(self) -> Numbers:
        """Bits of each."""
        return self.unary + self.width

    def take(self, rows: NDArray[np.intp]) -> Codes:
        """Give some of the rows."""
        return Codes(self.unary[rows], self.rest[rows], self.width[rows])


def numbers(z: Numbers, k: Numbers | int) -> Codes:
    """Give the codes of integers of 0 … 2^32 - 1, each with its parameter."""
    high = z >> k
    if not high.size or np.maximum.reduce(high, axis=None) < len(_BITS_OF):
        unary = _BITS_OF.take(high)
    else:
        # Whole numbers below 2^53 are float64 exactly, and so is the number of their bits.
        unary = np.where(high < PLAIN, high + 1, np.frexp(np.maximum(high - 2, 1))[1] + PLAIN)
    return Codes(unary, z - (_FIRST.take(unary) << k), _MORE.take(unary) + k)


def raws(values: Numbers, width: Numbers | int) -> Codes:
    """Give the codes of integers of so many bits."""
    widths = np.broadcast_to(np.asarray(width, dtype=np.int64), values.shape)
    return Codes(np.zeros(values.shape, dtype=np.int64), values, widths)


def beside(*codes: Codes) -> Codes:
    """Join codes of two dimensions, row by row."""
    unary, rest, width = (np.concatenate(parts, axis=1) for parts in zip(*codes, strict=True))
    return Codes(unary, rest, width)


class Streams:
    """The streams of some keys, in order; first how much each gets is told, then it is written.

    Args:
        count: Of keys.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._sizes: list[Numbers] = []
        self._at: list[Numbers] = []
        self._what: list[Numbers] = []
        self._waiting: list[tuple[int, Codes, NDArray[np.intp]]] = []

    def add(self, codes: Codes, key: NDArray[np.intp]) -> None:
        """Add a section: codes of shape (n) or (n, m), of the streams `key` (n, ascending)."""
        length = codes.length
        rows = length if length.ndim == 1 else length.sum(axis=1)
        self._waiting.append((len(self._sizes), codes, key))
        self._sizes.append(np.bincount(key, weights=rows, minlength=self._count).astype(np.int64))

    def finish(self) -> tuple[bytes, list[int]]:
        """Write all.

        Returns:
            The bytes of all streams, and where each begins; the last number is where the last ends.
        """
        sizes = np.array(self._sizes).reshape(-1, self._count)
        total = (sizes.sum(axis=0) + 7) >> 3
        ends = np.add.accumulate(total)
        size = int(ends[-1]) if len(ends) else 0
        starts = (ends - total) << 3
        within = np.add.accumulate(sizes, axis=0) - sizes
        for section, codes, key in self._waiting:
            self._place(starts + within[section], sizes[section], codes, key)
        words = np.zeros((size >> 2) + 3, dtype=np.int64)
        if self._at:
            at, what = np.concatenate(self._at), np.concatenate(self._what)
            np.add.at(words, at >> 5, what << (at & 31))
        halves = words.view("<u4")
        plane = halves[::2].copy()
        plane[1:] |= halves[1:-1:2]
        return plane.tobytes()[:size], [0, *ends.tolist()]

    def _place(self, begins: Numbers, sizes: Numbers, codes: Codes, key: NDArray[np.intp]) -> None:
        length = codes.length
        flat = length.ravel()
        at = np.add.accumulate(flat) - flat  # as if all were one stream
        moved: Any = begins - (np.add.accumulate(sizes) - sizes)
        shift = moved[key] if length.ndim == 1 else np.repeat(moved[key], length.shape[1])
        at += shift
        unary, rest = codes.unary.ravel(), codes.rest.ravel()
        long = flat > _WORD
        one = np.where(unary > 0, np.left_shift(np.int64(1), np.maximum(unary - 1, 0)), 0)
        if long.any():
            cut = np.flatnonzero(long)
            self._at += [at[cut] + np.maximum(unary[cut] - 1, 0), at[cut] + unary[cut]]
            self._what += [(unary[cut] > 0).astype(np.int64), rest[cut]]
            kept = np.flatnonzero(~long)
            at, one, rest, unary = at[kept], one[kept], rest[kept], unary[kept]
        self._at.append(at)
        self._what.append(one + (rest << unary))
