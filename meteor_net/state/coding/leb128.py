"""Unsigned LEB128 (wire clause 8.5), many numbers at once.

Encoding writes a matrix of one row a number and one column a byte, and keeps the bytes that count.
Decoding finds the last byte of every number of the frame once (its top bit is 0); a run of numbers is
then a slice of those places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.errors import FrameError

#: A number is below 2^32, and has at most so many bytes.
MAX_BYTES = 5

Bytes = NDArray[np.uint8]


def _pairs() -> NDArray[np.uint16]:
    """Give the bytes of all numbers that have two at most; as the second is 0 where there is none."""
    numbers = np.arange(1 << 14)
    return ((numbers & 0x7F) | (numbers > 0x7F) * 0x80 | numbers >> 7 << 8).astype("<u2")


_PAIRS = _pairs()


def encode_one(number: int) -> bytes:
    """Encode one number of 0 … 2^32 - 1."""
    if number <= 0x7F:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(numbers: NDArray[np.uint32]) -> bytes:
    """Encode numbers one after another."""
    if not len(numbers):
        return b""
    most = int(np.maximum.reduce(numbers))
    if most < 0x80:
        return numbers.astype(np.uint8).tobytes()
    if most < len(_PAIRS):
        pairs: Bytes = _PAIRS.take(numbers).view(np.uint8)
        there = pairs != 0  # a second byte is never 0
        there[::2] = True
        pairs = pairs.take(there.nonzero()[0])
        return pairs.tobytes()
    width = (most.bit_length() + 6) // 7
    matrix = np.empty((len(numbers), width), dtype=np.uint8)
    kept = np.empty((len(numbers), width), dtype=np.bool_)
    kept[:, 0] = True
    matrix[:, 0] = numbers
    for place in range(1, width):
        rest = numbers >> np.uint32(7 * place)
        more = rest != 0
        kept[:, place] = more
        matrix[:, place] = rest
        # The byte before ends the number where nothing follows, else its top bit says go on.
        np.bitwise_or(matrix[:, place - 1], 0x80, out=matrix[:, place - 1], where=more)
        np.bitwise_and(matrix[:, place - 1], 0x7F, out=matrix[:, place - 1], where=~more)
    out: Bytes = matrix.take(kept.ravel().nonzero()[0])
    return out.tobytes()


class Reader:
    """Reads one frame's data from its beginning to its end; anything odd is a FrameError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bytes: Bytes = np.frombuffer(data, dtype=np.uint8)
        self._ends: NDArray[np.intp] | None = None
        self._at = 0

    @property
    def at(self) -> int:
        """Where it stands."""
        return self._at

    def one(self) -> int:
        """Read one number."""
        at, data = self._at, self._data
        if at < len(data) and data[at] < 0x80:
            self._at = at + 1
            return data[at]
        number = 0
        for place in range(MAX_BYTES):
            byte = self.byte()
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if number >= 1 << 32:
                    raise FrameError("a number of the frame is too big")
                return number
        raise FrameError("a number of the frame is too long")

    def byte(self) -> int:
        """Read one byte."""
        at = self._at
        if at >= len(self._data):
            raise FrameError("the frame ends too early")
        self._at = at + 1
        return self._data[at]

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise FrameError("the frame ends too early")
        self._at += count
        return taken

    def many(self, count: int) -> NDArray[np.int64]:
        """Read `count` numbers."""
        if count > len(self._data) - self._at:  # each has a byte at least: refuse before any work
            raise FrameError("the frame ends too early")
        if not count:
            return np.zeros(0, dtype=np.int64)
        if self._ends is None:
            self._ends = np.flatnonzero(self._bytes < 0x80)
        first = int(np.searchsorted(self._ends, self._at))
        ends = self._ends[first : first + count]
        if len(ends) < count:
            raise FrameError("the frame ends too early")
        start, self._at = self._at, int(ends[-1]) + 1
        if self._at - start == count:
            return self._bytes[start : self._at].astype(np.int64)
        return self._join(start, ends)

    def _join(self, start: int, ends: NDArray[np.intp]) -> NDArray[np.int64]:
        starts = np.empty_like(ends)
        starts[0] = start
        starts[1:] = ends[:-1] + 1
        length = ends - starts + 1
        longest = int(length.max())
        if longest > MAX_BYTES:
            raise FrameError("a number of the frame is too long")
        numbers: NDArray[Any] = (self._bytes[starts] & 0x7F).astype(np.int64)
        for place in range(1, longest):
            longer = np.flatnonzero(length > place)
            byte = self._bytes[starts[longer] + place].astype(np.int64) & 0x7F
            numbers[longer] |= byte << (7 * place)
        if longest == MAX_BYTES and int(numbers.max()) >= 1 << 32:
            raise FrameError("a number of the frame is too big")
        return numbers

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self._at != len(self._data):
            raise FrameError(f"{len(self._data) - self._at} bytes are left over in the frame")
