"""Many small numbers in two planes of bits (wire clauses 8.13 and 8.14).

A number has a class, in plane C as that many zeros and a one, and the rest of its bits in plane D. So a
decoder finds all numbers by the places of the ones and by sums of lengths, without a loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.errors import FrameError

#: Parameters k are below this, and so are the bits of a number in plane D, or one more.
MAX_K = 32
#: So many classes have the same width: from there on each is twice as wide as the one before.
PLAIN = 3

#: The highest class: of 2^32 - 1 with k = 0.
MOST_CLASSES = PLAIN + MAX_K

Numbers = NDArray[np.int64]

_CLASSES = np.arange(MOST_CLASSES + 2)
#: By the bits in plane C, which are the class and one more: the bits beyond k in plane D; and the first number of the class
#: for k = 0, which k shifts. No number has none. The last stands for all that are too many: with any k it is 2^32 or more.
_MORE: Numbers = np.maximum(_CLASSES - 1 - PLAIN, 0)
_FIRST: Numbers = np.where(_CLASSES <= PLAIN, _CLASSES - 1, 2 + (1 << _MORE))
_MORE[-1] = 0
#: By z >> k, where that is small: the bits in plane C.
_BITS_OF: Numbers = np.searchsorted(_FIRST, np.arange(1_024), side="right") - 1
#: By their number: so many ones.
_ONES: Numbers = (1 << np.arange(64)) - 1


def encode_planes(z: Numbers, k: Numbers) -> bytes:
    """Encode numbers of 0 … 2^32 - 1, each with its parameter."""
    if not len(z):
        return b""
    high = z >> k
    if np.maximum.reduce(high) < len(_BITS_OF):
        unary = _BITS_OF.take(high)
    else:
        # Whole numbers below 2^53 are float64 exactly, and so is the number of their bits.
        unary = np.where(high < PLAIN, high + 1, np.frexp(np.maximum(high - 2, 1))[1] + PLAIN)
    width = _MORE.take(unary)
    width += k
    first = _FIRST.take(unary)
    first <<= k
    ends = np.add.accumulate(unary)
    bits = np.zeros(int(ends[-1]) + 1, dtype=np.bool_)
    bits[ends] = True
    return np.packbits(bits[1:], bitorder="little").tobytes() + _pack(z - first, width)


def _pack(values: Numbers, width: Numbers) -> bytes:
    """Write values one after another, each with its number of bits (at most 32)."""
    ends = np.add.accumulate(width)
    total = int(ends[-1])
    if not total:
        return b""
    starts = ends - width
    # What begins in one word of 32 bits is added up: the bits do not overlap, and reach into the next word at most.
    words = np.zeros((total >> 5) + 2, dtype=np.int64)
    np.add.at(words, starts >> 5, values << (starts & 31))
    halves = words.view("<u4")
    plane = halves[::2].copy()
    later = plane[1:]
    later |= halves[1:-1:2]
    return plane.tobytes()[: (total + 7) >> 3]


def decode_planes(data: bytes, at: int, k: Numbers) -> Numbers:
    """Decode as many numbers as there are parameters: all that `data` has from `at` on.

    Raises:
        FrameError: there are fewer, a number is too big, or something is left over.
    """
    count = len(k)
    if count > 8 * (len(data) - at):
        raise FrameError("the frame ends too early")
    if not count:
        if len(data) != at:
            raise FrameError(f"{len(data) - at} bytes are left over in the frame")
        return np.zeros(0, dtype=np.int64)
    # A one before the first, so that every number has one before it; zeros behind the end: a word can be read at every place.
    padded = np.frombuffer(b"\x80" + data[at:] + bytes(8), dtype=np.uint8)
    ones = np.unpackbits(padded[:-8], bitorder="little").view(np.bool_).nonzero()[0]
    if len(ones) <= count:
        raise FrameError("the frame ends too early")
    last = int(ones[count])
    if len(ones) > count + 1 and ones[count + 1] >> 3 == last >> 3:
        raise FrameError("bits are left over in the frame")
    unary = ones[1 : count + 1] - ones[:count]
    width = _MORE.take(unary, mode="clip")
    width += k
    rest = _unpack(padded, (last >> 3) + 1, width)
    first = _FIRST.take(unary, mode="clip")
    first <<= k
    rest += first
    if int(np.maximum.reduce(rest.view(np.uint64))) >> 32:  # 2^63 and more are below 0 as they stand
        raise FrameError("a number of the frame is too big")
    return rest


def _unpack(padded: NDArray[np.uint8], at: int, width: Numbers) -> Numbers:
    """Read values of so many bits each, which take all bytes from `at` to the eight last."""
    ends = np.add.accumulate(width)
    total = int(ends[-1])
    size = len(padded) - 8
    if at + ((total + 7) >> 3) != size:
        raise FrameError("bytes are missing or left over in the frame")
    if total & 7 and padded[size - 1] >> (total & 7):
        raise FrameError("bits are left over in the frame")
    starts = ends - width
    words: NDArray[Any] = np.ndarray((size - at + 1,), dtype="<i8", buffer=padded, offset=at, strides=(1,))
    # A word of 64 bits holds the 7 bits at most before a value, and its 32; of what is too big it holds enough to be seen.
    values: Numbers = words.take(starts >> 3)
    starts &= 7
    values >>= starts
    values &= _ONES.take(width, mode="clip")
    return values
