"""The fields that are numbers: `Fixed`, `Angle`, `UInt`, `Int`."""

from __future__ import annotations

import contextlib
import math
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.state.fields import RULES, UNROUND_RULES, Field, IntegerField

TAU = 2 * math.pi
#: Beyond this, float arithmetic no longer tells neighbouring whole numbers apart safely.
_EXACT = 2.0**52


def real(field: Field[Any, Any], value: Any) -> float:
    """Give a number as a float; TypeError, naming the field, if it is none."""
    if type(value) is float:
        return value
    if not isinstance(value, Real):
        raise TypeError(f"{field.name}: a number is needed, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def whole(field: Field[Any, Any], value: Any) -> int:
    """Give a whole number as an int; TypeError, naming the field, if it is none."""
    if not isinstance(value, Integral):
        raise TypeError(f"{field.name}: a whole number is needed, not {type(value).__name__}")
    # An int64 column holds it; commit clamps it to the field's domain.
    return min(max(int(value), -(2**62)), 2**62)


def _bits(kind: str, bits: Any, low: int, high: int) -> int:
    if type(bits) is not int or not low <= bits <= high:
        raise ConfigError(f"{kind}: bits must be an integer of {low} to {high}")
    return bits


def _plain_number(value: float) -> int | float:
    """Give whole numbers as integers, as JavaScript would write them: one form, one hash."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


class FloatField(IntegerField[NDArray[np.float64], float]):
    """A number: `floor((v - low) / divisor * factor + 0.5)`, then wrapped or clamped.

    Attributes:
        low: The value of the integer 0.
        divisor, factor: The scale, in the two steps that give the same rounding in every language.
        step: The difference of the values of two neighbouring integers.
        nan: The integer that stands for NaN (wire clause 7.2).
    """

    low: float = 0.0
    divisor: float = 1.0
    factor: float = 1.0
    step: float = 1.0
    nan: int = 0

    def coerce(self, value: Any) -> float:
        return real(self, value)

    def to_wire(self, value: float) -> int:
        scaled = (value - self.low) / self.divisor * self.factor + 0.5
        if scaled != scaled:
            return self.nan
        if math.isinf(scaled):
            return self.highest if scaled > 0 else 0
        n = math.floor(scaled)
        return n % self.modulus if self.modulus else min(max(n, 0), self.highest)

    def tame(self, whole: NDArray[np.float64]) -> int:
        """Bring a column of scaled and rounded values into the domain, in place (wire clause 7.2).

        Returns:
            How many were NaN.
        """
        missing = 0
        # Both are NaN if any value is, so that one look finds NaN, infinities and giants.
        if not (whole.min() > -_EXACT and whole.max() < _EXACT):
            nan = np.isnan(whole)
            missing = int(np.count_nonzero(nan))
            whole[nan] = self.nan
            if self.modulus:
                np.copyto(whole, self.highest, where=whole == np.inf)
                np.copyto(whole, 0, where=whole == -np.inf)
                np.mod(whole, self.modulus, out=whole)
        if self.modulus:
            whole -= self.modulus * np.floor(whole / self.modulus)
        np.maximum(whole, 0, out=whole)
        np.minimum(whole, self.highest, out=whole)
        return missing

    def value(self, n: int) -> float:
        return self.low + n * self.step

    def values(self, column: NDArray[np.int32]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.multiply(column, self.step, dtype=np.float64)
        values += self.low
        return values


class Fixed(FloatField):
    """A number of `low` … `high` in steps of `step`.

    Args:
        step: The difference of neighbouring values; below it a change is no change.
        low, high: The ends of the domain, a whole number of steps apart, at most 2^31.
        wrap: `high` is `low` again, as in a world without edges; else values are clamped.
        default: For new rows; 0 where that is in the domain, else `low`.
        interpolate: `"linear"`, or `"arc"` with wrap; or `"step"`.
        unit: What it is measured in, such as `"m"` or `"m/s"`; shown to people, and to tools by the schema.
    """

    kind = "fixed"

    def __init__(
        self,
        step: float,
        low: float,
        high: float,
        wrap: bool = False,
        *,
        default: float | None = None,
        interpolate: str | None = None,
        unit: str | None = None,
    ) -> None:
        self.step, self.low, self.high = (_number(value) for value in (step, low, high))
        if not (self.step > 0 and self.low < self.high):
            raise ConfigError("fixed: step must be above 0 and low below high")
        span = (self.high - self.low) / self.step
        if not 0.5 < span <= 2**31 - (not wrap):
            raise ConfigError("fixed: high must be 1 to 2^31 steps above low, with wrap; one less without")
        if abs(span - round(span)) > 1e-3:
            raise ConfigError("fixed: high - low must be a whole number of steps")
        self.wrap = bool(wrap)
        self.divisor = self.step
        self.modulus = round(span) if wrap else 0
        self.highest = round(span) - self.wrap
        self.rule = "arc" if wrap else "linear"
        self._set_rule(interpolate, RULES if wrap else UNROUND_RULES)
        self._set_unit(unit)
        zero_inside = self.low <= 0 <= self.high
        self.nan = self.to_wire(0.0) if zero_inside else 0
        self.default = real(self, default) if default is not None else 0.0 if zero_inside else self.low

    def _parameters(self) -> dict[str, Any]:
        step, low, high = (_plain_number(value) for value in (self.step, self.low, self.high))
        return {"step": step, "low": low, "high": high, "wrap": self.wrap}


def _number(value: Any) -> float:
    number = math.inf
    if isinstance(value, Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            number = float(value)
    if not abs(number) < 2.0**1000:
        raise ConfigError("fixed: step, low and high must be finite numbers")
    return number + 0.0  # -0.0 becomes 0.0: it is written as the integer 0


class Angle(FloatField):
    """An angle in radians, any; in a full turn there are 2^bits of them.

    Args:
        bits: 1 to 31.
        default: For new rows, radians.
        interpolate: `"arc"`, `"linear"` or `"step"`.
    """

    kind = "angle"
    rule = "arc"
    divisor = TAU

    def __init__(self, bits: int, *, default: float = 0.0, interpolate: str | None = None) -> None:
        self.bits = _bits("angle", bits, 1, 31)
        self.modulus = 1 << bits
        self.highest = self.modulus - 1
        self.factor = float(self.modulus)
        self.step = TAU / self.modulus
        self._set_rule(interpolate, RULES)
        self.default = real(self, default)

    def _parameters(self) -> dict[str, Any]:
        return {"bits": self.bits}


class WholeField(IntegerField[NDArray[np.int64], int]):
    """A whole number; an int64 column, clamped when committed. Keep fractions in a `Local(float)`."""

    dtype = np.int64
    bits: int

    def coerce(self, value: Any) -> int:
        return whole(self, value)

    def to_wire(self, value: int) -> int:
        return min(max(value, self.lowest), self.highest)

    def values(self, column: NDArray[np.int32]) -> NDArray[np.int64]:
        return column.astype(np.int64)

    def _parameters(self) -> dict[str, Any]:
        return {"bits": self.bits}


class UInt(WholeField):
    """A whole number of 0 … 2^bits - 1.

    Args:
        bits: 1 to 31.
        default: For new rows.
        interpolate: `"step"`, or `"linear"`.
        unit: What it counts or measures; see `Fixed`.
    """

    kind = "uint"

    def __init__(self, bits: int, *, default: int = 0, interpolate: str | None = None, unit: str | None = None) -> None:
        self.bits = _bits("uint", bits, 1, 31)
        self.highest = (1 << bits) - 1
        self._set_rule(interpolate, UNROUND_RULES)
        self._set_unit(unit)
        self.default = whole(self, default)


class Int(WholeField):
    """A whole number of -2^(bits-1) … 2^(bits-1) - 1.

    Args:
        bits: 2 to 32.
        default: For new rows.
        interpolate: `"step"`, or `"linear"`.
        unit: What it counts or measures; see `Fixed`.
    """

    kind = "int"

    def __init__(self, bits: int, *, default: int = 0, interpolate: str | None = None, unit: str | None = None) -> None:
        self.bits = _bits("int", bits, 2, 32)
        self.highest = (1 << (bits - 1)) - 1
        self.lowest = -self.highest - 1
        self._set_rule(interpolate, UNROUND_RULES)
        self._set_unit(unit)
        self.default = whole(self, default)
