"""Reads an item `sight`: bytes, bits, and numbers of few bits (wire clauses 8.20 and 8.21).

Codes have no length that is known before: so numbers are read one by one, out of a window of the
next bytes. What most of them are is looked up by the window's lowest bits.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from meteor_net.state.errors import FrameError
from meteor_net.state.words import Data, Text

#: The longest code of a number in bits: 35 zeros, a one, 32 bits.
LONGEST = 68
#: Classes of one width (wire clause 8.14).
PLAIN = 3
#: Bits by which short codes are looked up, and the mask of them.
LOOKED_UP = 10
LOW_BITS = (1 << LOOKED_UP) - 1
#: Bits of an entry that tell the length of its code.
LENGTH_BITS = 4
LENGTH_MASK = (1 << LENGTH_BITS) - 1
#: Bytes of a window out of which many numbers are read.
_WINDOW = 32


def unzigzag(z: int) -> int:
    """Give the integer with sign that travels as `z`."""
    return (z >> 1) ^ -(z & 1)


def read_code(window: int, k: int) -> tuple[int, int]:
    """Read the number that a window begins with.

    Returns:
        The number, and how many bits its code has.

    Raises:
        FrameError: There is none, or it is too big.
    """
    c = (window & -window).bit_length() - 1
    e = k + c - PLAIN if c > PLAIN else k
    if c < 0 or e > 32:
        raise FrameError("a number of the sight is too big, or missing")
    rest = (window >> (c + 1)) & ((1 << e) - 1)
    z = (c << k) + rest if c < PLAIN else (2 << k) + (1 << e) + rest
    if z >> 32:
        raise FrameError("a number of the sight is too big")
    return z, c + 1 + e


@cache  # of 32 parameters at the most
def short_codes(k: int) -> list[int]:
    """Give what the lowest bits of a window say, for codes that fit in them.

    Returns:
        The difference that the number stands for, shifted by LENGTH_BITS, + the bits of its code; 0 where the code is longer.
    """
    found = [0] * (LOW_BITS + 1)
    c = 0
    while (length := c + 1 + k + max(0, c - PLAIN)) <= LOOKED_UP:
        for rest in range(1 << (length - c - 1)):
            code = (rest << (c + 1)) | (1 << c)
            entry = unzigzag(read_code(code, k)[0]) << LENGTH_BITS | length
            found[code :: 1 << length] = [entry] * (1 << (LOOKED_UP - length))
        c += 1
    return found


class BitReader:
    """Reads from the beginning to the end; what is missing, or odd, is a FrameError.

    Attributes:
        data: All of it.
        at: Where it stands, in bits.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self._size = 8 * len(data)

    @property
    def left(self) -> int:
        """Bits that are left."""
        return self._size - self.at

    def bits(self, count: int) -> int:
        """Read a raw integer of so many bits."""
        at = self.at
        self.move_to(at + count)
        return int.from_bytes(self.data[at >> 3 : (at + count + 7) >> 3], "little") >> (at & 7) & ((1 << count) - 1)

    def number(self, k: int) -> int:
        """Read a number with this parameter."""
        at = self.at
        window = int.from_bytes(self.data[at >> 3 : (at >> 3) + 12], "little") >> (at & 7)
        z, length = read_code(window, k)
        self.move_to(at + length)
        return z

    def move_to(self, at: int) -> None:
        """Stand at another bit."""
        if at > self._size:
            raise FrameError("the sight ends too early")
        self.at = at

    def fill(self) -> None:
        """Read up to a whole byte."""
        if self.bits(-self.at & 7):
            raise FrameError("bits are left over in the sight")

    def byte(self) -> int:
        """Read one byte; only after a whole byte, as what follows."""
        return self.bits(8)

    def uvarint(self, bits: int = 32) -> int:
        """Read an unsigned LEB128 of at most 5 bytes, and of at most so many bits."""
        number = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                if number >> bits:
                    break
                return number
        raise FrameError("a number of the sight is too big")

    def differences(self, count: int, ks: list[int], every: bool) -> tuple[list[int], list[int]]:
        """Read the numbers of rows (wire clause 8.21).

        Args:
            count: Of the rows.
            ks: The parameter of each column with values.
            every: Each row has numbers; else a bit tells of each.

        Returns:
            The places of the rows that have numbers, and what these stand for, row after row.
        """
        # The innermost loop of a client, so everything is at hand in it; a window is read on while it holds a whole code.
        data = self.data
        tables = [(k, short_codes(k)) for k in ks]
        places = list(range(count)) if every else []
        found: list[int] = []
        window = left = 0
        end = self.at  # of the window
        for place in range(count if tables or not every else 0):
            if not every:
                if left < 1:
                    at = end
                    window = int.from_bytes(data[at >> 3 : (at >> 3) + _WINDOW], "little") >> (at & 7)
                    end = (at & ~7) + 8 * _WINDOW
                    left = end - at
                marked = window & 1
                window >>= 1
                left -= 1
                if not marked:
                    continue
                places.append(place)
            for k, short in tables:
                if left < LONGEST:
                    at = end - left
                    window = int.from_bytes(data[at >> 3 : (at >> 3) + _WINDOW], "little") >> (at & 7)
                    end = (at & ~7) + 8 * _WINDOW
                    left = end - at
                entry = short[window & LOW_BITS]
                if entry:
                    length, d = entry & LENGTH_MASK, entry >> LENGTH_BITS
                else:
                    z, length = read_code(window, k)
                    d = unzigzag(z)
                window >>= length
                left -= length
                found.append(d)
        self.move_to(end - left)
        return places, found

    def text(self, field: Text | Data) -> Any:
        """Read a text, or data, of a field."""
        size = self.uvarint()
        at = self.at >> 3
        self.move_to(self.at + 8 * size)
        held = self.data[at : at + size]
        try:
            return field.from_wire(held if isinstance(field, Data) else held.decode())
        except UnicodeDecodeError:
            raise FrameError(f"{field.name}: a text that is no UTF-8") from None
        except ValueError as error:
            raise FrameError(str(error)) from None

    def finish(self) -> None:
        """Make sure that nothing is left."""
        if self.at != self._size:
            raise FrameError("bytes are left over in the sight")
