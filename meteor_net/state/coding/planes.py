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

#: By class: the bits beyond k in plane D; and the first number of the class for k = 0, which k shifts.
_MORE: Numbers = np.maximum(np.arange(MOST_CLASSES + 1) - PLAIN, 0)
_FIRST: Numbers = np.where(np.arange(MOST_CLASSES + 1) < PLAIN, np.arange(MOST_CLASSES + 1), 2 + (1 << _MORE))
#: By z >> k, where that is small: the class.
_CLASS_OF: Numbers = np.searchsorted(_FIRST, np.arange(1_024), side="right") - 1


def encode_planes(z: Numbers, k: Numbers) -> bytes:
    """Encode numbers of 0 … 2^32 - 1, each with its parameter."""
    if not len(z):
        return b""
    high = z >> k
    if int(high.max()) < len(_CLASS_OF):
        classes = _CLASS_OF.take(high)
    else:
        # Whole numbers below 2^53 are float64 exactly, and so is the number of their bits.
        classes = np.where(high < PLAIN, high, np.frexp(np.maximum(high - 2, 1))[1] + (PLAIN - 1))
    width = _MORE.take(classes)
    width += k
    rest = z - (_FIRST.take(classes) << k)
    ones = classes + 1
    np.cumsum(ones, out=ones)
    bits = np.zeros(int(ones[-1]), dtype=np.bool_)
    bits[ones - 1] = True
    return np.packbits(bits, bitorder="little").tobytes() + _pack(rest, width)


def _pack(values: Numbers, width: Numbers) -> bytes:
    """Write values one after another, each with its number of bits (at most 32)."""
    ends = np.cumsum(width)
    total = int(ends[-1])
    if not total:
        return b""
    starts = ends - width
    # What begins in one word of 32 bits is added up: the bits do not overlap, and reach into the next word at most.
    words = np.zeros((total >> 5) + 2, dtype=np.int64)
    np.add.at(words, starts >> 5, values << (starts & 31))
    words = words.view(np.uint64)
    words[1:] += words[:-1] >> np.uint64(32)
    return words.astype("<u4").tobytes()[: (total + 7) >> 3]


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
    # Zeros behind the end: a word can be read at every place.
    padded = np.frombuffer(data + bytes(8), dtype=np.uint8)
    ones = np.flatnonzero(np.unpackbits(padded[at:-8], bitorder="little").view(np.bool_))
    if len(ones) < count:
        raise FrameError("the frame ends too early")
    last = int(ones[count - 1])
    if len(ones) > count and ones[count] >> 3 == last >> 3:
        raise FrameError("bits are left over in the frame")
    ones = ones[:count]
    classes = ones.copy()
    classes[1:] -= ones[:-1]
    classes[1:] -= 1
    if int(classes.max()) > MOST_CLASSES:
        raise FrameError("a number of the frame is too big")
    width = _MORE.take(classes)
    width += k
    if int(width.max()) > MAX_K:
        raise FrameError("a number of the frame is too big")
    rest = _unpack(data, padded, at + (last >> 3) + 1, width)
    rest += _FIRST.take(classes) << k
    if int(rest.max()) >> 32:
        raise FrameError("a number of the frame is too big")
    return rest


def _unpack(data: bytes, padded: NDArray[np.uint8], at: int, width: Numbers) -> Numbers:
    """Read values of so many bits each, which take all bytes from `at` on."""
    ends = np.cumsum(width)
    total = int(ends[-1])
    if at + ((total + 7) >> 3) != len(data):
        raise FrameError("bytes are missing or left over in the frame")
    if total & 7 and data[-1] >> (total & 7):
        raise FrameError("bits are left over in the frame")
    starts = ends - width
    words: NDArray[Any] = np.ndarray((len(data) - at + 1,), dtype="<i8", buffer=padded, offset=at, strides=(1,))
    # A word of 64 bits holds the 7 bits at most before a value, and its 32.
    values: Numbers = words[starts >> 3] >> (starts & 7)
    values &= np.left_shift(1, width) - 1
    return values
