"""Many short codes in many streams, written in one pass (wire clause 8.21).

A code is so many zeros, a one and some bits (a number), or only bits (a raw integer). Each stream begins at a whole byte, so
that it can be cut out; where each code begins is known before anything is written.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.planes import _BITS_OF, _FIRST, _MORE, PLAIN

Numbers = NDArray[np.int64]

#: A code of so many bits is written at once; a longer one, of which there are few, in two parts.
WORD = 32


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


def _write(at: list[Numbers], what: list[Numbers], words: int) -> NDArray[np.uint32]:
    """Put bits, which do not overlap, where they belong."""
    sums = np.zeros(words + 2, dtype=np.int64)
    places, values = np.concatenate(at), np.concatenate(what)
    np.add.at(sums, places >> 5, values << (places & 31))
    # What begins in one word of 32 bits reaches into the next one at most.
    halves: Any = sums.view("<u4")
    plane: NDArray[np.uint32] = halves[::2].copy()
    plane[1:] |= halves[1:-1:2]
    return plane


def _spread(at: Numbers, codes: Codes, length: Numbers) -> tuple[list[Numbers], list[Numbers]]:
    """Give the bits of codes, and where they belong, of codes that begin at some places."""
    unary, rest = codes.unary.ravel(), codes.rest.ravel()
    one = np.where(unary > 0, np.left_shift(np.int64(1), np.maximum(unary - 1, 0)), 0)
    long = length > WORD
    if not long.any():
        return [at], [one + (rest << unary)]
    cut, kept = np.flatnonzero(long), np.flatnonzero(~long)
    ats = [at[cut] + np.maximum(unary[cut] - 1, 0), at[cut] + unary[cut], at[kept]]
    return ats, [(unary[cut] > 0).astype(np.int64), rest[cut], one[kept] + (rest[kept] << unary[kept])]


class Strings:
    """The codes of rows, each row's one after another, cut into words: written once, and put into many streams.

    Args:
        codes: Of shape (rows, codes).
        slots: Of the rows.
        size: Slots in all.
    """

    def __init__(self, codes: Codes, slots: NDArray[np.intp], size: int) -> None:
        length = codes.length
        ends = np.add.accumulate(length, axis=1)
        bits = ends[:, -1] if length.shape[1] else np.zeros(len(length), dtype=np.int64)
        counts = (bits + (WORD - 1)) >> 5
        first = np.add.accumulate(counts) - counts
        at = (first << 5)[:, None] + ends - length
        total = int(counts.sum())
        self._words = _write(*_spread(at.ravel(), codes, length.ravel()), total)[: total + 1].astype(np.int64)
        self._widths = np.full(total + 1, WORD, dtype=np.int64)
        self._words[-1] = self._widths[-1] = 0  # of no row
        some = counts > 0
        self._widths[(first + counts - 1)[some]] = (bits - ((counts - 1) << 5))[some]
        self._first = np.full(size + 1, total, dtype=np.int64)
        self._first[slots] = first
        self._counts = np.zeros(size + 1, dtype=np.int64)
        self._counts[slots] = counts
        self._one = bool((counts == 1).all())

    def of(
        self, slots: NDArray[np.intp], stream: NDArray[np.intp], which: NDArray[np.bool_] | None = None
    ) -> tuple[Numbers, Numbers, NDArray[np.intp]]:
        """Give values, widths and streams of the words of some rows, row by row; of those that are not meant nothing."""
        if self._one:
            # One more row than there are slots stands for those that are not meant: to leave them out takes longer.
            only = self._first.take(slots if which is None else np.where(which, slots, len(self._first) - 1))
            return self._words.take(only), self._widths.take(only), stream
        if which is not None:
            slots, stream = slots.compress(which), stream.compress(which)
        first, counts = self._first.take(slots), self._counts.take(slots)
        ends = np.add.accumulate(counts)
        at: Numbers = np.repeat(first - (ends - counts), counts)
        at += np.arange(int(ends[-1]) if len(ends) else 0)
        return self._words.take(at), self._widths.take(at), np.repeat(stream, counts)


class Streams:
    """Some streams; first what each gets is told, then it is written.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._sizes: list[Numbers] = []
        self._waiting: list[tuple[Codes | Numbers, Numbers, NDArray[np.intp]]] = []

    def add(self, codes: Codes, stream: NDArray[np.intp]) -> None:
        """Add codes of shape (n) or (n, m) to the streams `stream` (n, ascending)."""
        length = codes.length
        if length.ndim == 2:
            stream = np.repeat(stream, length.shape[1])
        self._add(codes, length.ravel(), stream)

    def add_raw(self, values: Numbers, widths: Numbers, stream: NDArray[np.intp]) -> None:
        """Add raw integers of at most 32 bits."""
        self._add(values, widths, stream)

    def _add(self, codes: Codes | Numbers, length: Numbers, stream: NDArray[np.intp]) -> None:
        ends = np.zeros(len(length) + 1, dtype=np.int64)
        np.add.accumulate(length, out=ends[1:])
        size = np.diff(ends.take(np.searchsorted(stream, np.arange(self._count + 1))))
        self._waiting.append((codes, ends[:-1], stream))
        self._sizes.append(size)

    def finish(self) -> tuple[bytes, list[int]]:
        """Write all.

        Returns:
            The bytes of all streams, and where each begins; the last number is where the last ends.
        """
        sizes = np.array(self._sizes).reshape(-1, self._count)
        total = (sizes.sum(axis=0) + 7) >> 3
        ends = np.add.accumulate(total)
        begins = (ends - total) << 3
        ats: list[Numbers] = []
        whats: list[Numbers] = []
        for (codes, at, stream), size in zip(self._waiting, sizes, strict=True):
            # It is as if all were one stream: each is moved to where it begins.
            at += (begins - (np.add.accumulate(size) - size)).take(stream)
            begins = begins + size
            if isinstance(codes, Codes):
                more, what = _spread(at, codes, codes.length.ravel())
                ats += more
                whats += what
            else:
                ats.append(at)
                whats.append(codes)
        size_in_all = int(ends[-1]) if len(ends) else 0
        return _write(ats, whats, (size_in_all + 3) >> 2).tobytes()[:size_in_all], [0, *ends.tolist()]
