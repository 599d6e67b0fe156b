"""`Quaternion`: a rotation in one field, which travels as its three smallest components (wire clause 7.5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.state.fields import Field
from meteor_net.state.numeric import FloatField, real

#: Integer columns of a quaternion: which component is the largest, and the other three.
COLUMNS = 4
#: None of the other three is beyond ±LOW; the domain is WIDE.
LOW = -0.7071067811865476
WIDE = 1.4142135623730951
#: What x, y, z, w are where nothing was turned, and where they are no rotation.
IDENTITY = (0.0, 0.0, 0.0, 1.0)
_IDENTITY = np.array(IDENTITY)[:, None]
#: By the place of the largest component: that place, and those of the other three.
_ORDER = np.array([[0, 1, 2, 3], [1, 0, 0, 0], [2, 2, 1, 1], [3, 3, 3, 2]])
_OTHERS = _ORDER[1:]
#: No row.
NOWHERE = np.zeros(0, dtype=np.intp)


Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class Component(FloatField):
    """One integer column of a quaternion; `Quaternion` makes them, games do not."""

    kind = "component"

    def __init__(self, name: str, highest: int, scaled: bool) -> None:
        self.name = name
        self.highest = highest
        if scaled:
            self.low, self.divisor, self.factor = LOW, WIDE, float(highest)


class Quaternion(Field[Floats, tuple[float, float, float, float]]):
    """A rotation of four numbers x, y, z, w; a column of it has shape (rows, 4). For tables only.

    It need not be of length 1. One of length 0, or with NaN or infinities, is no rotation: (0, 0, 0, 1).

    Args:
        bits: 2 to 15, of each of the three components that travel; 9 are 0.16 degrees.
        default: For new rows.
        interpolate: `"arc"` (the shorter way round) or `"step"`.
    """

    kind = "quaternion"
    zero: Any = 0.0
    rule = "arc"

    def __init__(self, bits: int, *, default: Sequence[float] = IDENTITY, interpolate: str | None = None) -> None:
        if type(bits) is not int or not 2 <= bits <= 15:
            raise ConfigError("quaternion: bits must be an integer of 2 to 15")
        self.bits = bits
        self.most = (1 << bits) - 1
        self._set_rule(interpolate, frozenset({"arc", "step"}))
        self.default = self.coerce(default)

    def parts(self) -> tuple[Component, ...]:
        """Give the integer columns, in order (wire clause 7.5)."""
        largest = Component(f"{self.name}.largest", COLUMNS - 1, scaled=False)
        return largest, *(Component(f"{self.name}.{part}", self.most, scaled=True) for part in "abc")

    def coerce(self, value: Any) -> tuple[float, ...]:
        try:
            numbers = tuple(real(self, number) for number in value)
        except TypeError:
            numbers = ()
        if len(numbers) != COLUMNS:
            raise TypeError(f"{self.name}: four numbers are needed, not {value!r:.60}")
        return numbers

    def cell(self, column: Any, slot: int) -> tuple[float, ...]:
        return tuple(column[slot].tolist())

    def to_wire(self, value: Any) -> Any:
        block = np.array(value, dtype=np.float64)[:, None]
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            self.split(block)
        return [part.to_wire(number) for part, number in zip(self.parts(), block[:, 0].tolist(), strict=True)]

    def from_wire(self, wire: Any) -> Any:
        tops = (3, self.most, self.most, self.most)
        if type(wire) is not list or len(wire) != COLUMNS:
            raise ValueError(f"{self.name}: four integers are needed")
        if any(type(n) is not int or not 0 <= n <= top for n, top in zip(wire, tops, strict=True)):
            raise ValueError(f"{self.name}: {wire!r:.60} is not of its domain")
        return tuple(self.values(np.array(wire, dtype=np.int32)[:, None])[0].tolist())

    def split(self, block: Floats, free: NDArray[np.intp] = NOWHERE) -> int:
        """Turn rotations into the place of their greatest component and the other three, in place (wire clause 7.5).

        Args:
            block: Four numbers a row, of shape (4, rows); then what its columns quantize.
            free: Rows that hold nothing.

        Returns:
            How many rows were no rotation.
        """
        if len(free):
            block[:, free] = _IDENTITY
        squares = block * block
        square = np.add.reduce(squares)  # one after another, as the clause wants it
        bad = 0
        # A NaN makes both NaN, which compares as False.
        if len(square) and not (np.minimum.reduce(square) > 0 and np.maximum.reduce(square) < math.inf):
            none = (~((square > 0) & (square < math.inf))).nonzero()[0]
            bad = len(none)
            block[:, none] = squares[:, none] = _IDENTITY
            square[none] = 1.0
        largest = squares.argmax(axis=0)
        four = block[_ORDER.take(largest, axis=1), np.arange(len(largest))]
        length = np.sqrt(square)
        np.divide(four[1:], np.copysign(length, four[0], out=length), out=block[1:])
        block[0] = largest
        return bad

    def values(self, ints: Ints) -> Floats:
        """Turn integers of shape (4, rows) into rows of four numbers."""
        largest = ints[0]
        three = LOW + ints[1:] * (WIDE / self.most)
        a, b, c = three
        rows = np.arange(len(largest))
        values = np.empty((len(largest), COLUMNS))
        values[rows, _OTHERS[:, largest]] = three
        values[rows, largest] = np.sqrt(np.maximum(1.0 - (a * a + b * b + c * c), 0.0))
        return values

    def between(self, old: Ints, new: Ints, alpha: float) -> Floats:
        """Give the rotations at `alpha` between two arrays of integers, the shorter way round."""
        before, after = self.values(old), self.values(new)
        after[(before * after).sum(axis=1) < 0] *= -1.0
        mixed = before + (after - before) * alpha
        length = np.sqrt((mixed * mixed).sum(axis=1))
        good = length > 0
        return np.where(good[:, None], mixed / np.where(good, length, 1.0)[:, None], before)

    def _parameters(self) -> dict[str, Any]:
        return {"bits": self.bits}
