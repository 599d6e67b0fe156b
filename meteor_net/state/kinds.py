"""The kinds of fields: `Fixed`, `Angle`, `UInt`, `Int`, `Flag`, `Choice`, `Text`, `Local`."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.limits import MAX_NAME_CHARS, MAX_TEXT_BYTES
from meteor_net.state.fields import RULES, Field, IntegerField

#: Values of one Choice; a longer list wants to be a table or a text.
MAX_CHOICES = 256
#: Characters of a Text; four bytes each in UTF-8 at most.
MAX_TEXT_CHARS = MAX_TEXT_BYTES // 4
#: Integers in a version are of 32 bits with sign.
MAX_COLUMN = 2**31 - 1
TAU = 2 * math.pi

_PLAIN = frozenset({"linear", "step"})


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether `value` is text that UTF-8 can carry: no lone surrogates."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _real(field: Field[Any, Any], value: Any) -> float:
    if type(value) is float:
        return value
    if not isinstance(value, Real):
        raise TypeError(f"{field.name}: a number is needed, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def _whole(field: Field[Any, Any], value: Any) -> int:
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
        return _real(self, value)

    def to_wire(self, value: float) -> int:
        scaled = (value - self.low) / self.divisor * self.factor + 0.5
        if scaled != scaled:
            return self.nan
        if math.isinf(scaled):
            return self.highest if scaled > 0 else 0
        n = math.floor(scaled)
        return n % self.modulus if self.modulus else min(max(n, 0), self.highest)

    def value(self, n: int) -> float:
        return self.low + n * self.step

    def values(self, column: NDArray[np.int32]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = column * self.step
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
        self._set_rule(interpolate, RULES if wrap else _PLAIN)
        zero_inside = self.low <= 0 <= self.high
        self.nan = self.to_wire(0.0) if zero_inside else 0
        self.default = _real(self, default) if default is not None else 0.0 if zero_inside else self.low

    def _parameters(self) -> dict[str, Any]:
        step, low, high = (_plain_number(value) for value in (self.step, self.low, self.high))
        return {"step": step, "low": low, "high": high, "wrap": self.wrap}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not abs(value) < 2.0**1000:
        raise ConfigError("fixed: step, low and high must be finite numbers")
    return float(value) + 0.0  # -0.0 becomes 0.0: it is written as the integer 0


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
        self.default = _real(self, default)

    def _parameters(self) -> dict[str, Any]:
        return {"bits": self.bits}


class WholeField(IntegerField[NDArray[np.int64], int]):
    """A whole number; an int64 column, clamped when committed. Keep fractions in a `Local(float)`."""

    dtype = np.int64
    bits: int

    def coerce(self, value: Any) -> int:
        return _whole(self, value)

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
    """

    kind = "uint"

    def __init__(self, bits: int, *, default: int = 0, interpolate: str | None = None) -> None:
        self.bits = _bits("uint", bits, 1, 31)
        self.highest = (1 << bits) - 1
        self._set_rule(interpolate, _PLAIN)
        self.default = _whole(self, default)


class Int(WholeField):
    """A whole number of -2^(bits-1) … 2^(bits-1) - 1.

    Args:
        bits: 2 to 32.
        default: For new rows.
        interpolate: `"step"`, or `"linear"`.
    """

    kind = "int"

    def __init__(self, bits: int, *, default: int = 0, interpolate: str | None = None) -> None:
        self.bits = _bits("int", bits, 2, 32)
        self.highest = (1 << (bits - 1)) - 1
        self.lowest = -self.highest - 1
        self._set_rule(interpolate, _PLAIN)
        self.default = _whole(self, default)


class Flag(IntegerField[NDArray[np.bool_], bool]):
    """Yes or no.

    Args:
        default: For new rows.
    """

    kind = "flag"
    dtype = np.bool_
    zero: Any = False
    highest = 1

    def __init__(self, *, default: bool = False) -> None:
        self._set_rule(None, _PLAIN)
        self.default = self.coerce(default)

    def coerce(self, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_ | int) or value not in (0, 1):
            raise TypeError(f"{self.name}: true or false is needed, not {value!r}")
        return bool(value)

    def to_wire(self, value: bool) -> int:
        return int(value)

    def value(self, n: int) -> bool:
        return n == 1

    def values(self, column: NDArray[np.int32]) -> NDArray[np.bool_]:
        return column.astype(np.bool_)


class Choice(IntegerField[NDArray[np.str_], str]):
    """One word of a list.

    Args:
        choices: The words, at most 256 of 64 characters; the first is what an unknown word becomes.
        default: For new rows; the first word if not given.
    """

    kind = "choice"
    zero: Any = ""

    def __init__(self, *choices: str, default: str | None = None) -> None:
        if not 1 <= len(choices) <= MAX_CHOICES or len(set(choices)) != len(choices):
            raise ConfigError(f"choice: 1 to {MAX_CHOICES} different words are needed")
        if not all(is_text(word) and len(word) <= MAX_NAME_CHARS and "\0" not in word for word in choices):
            raise ConfigError(f"choice: each word must be text of at most {MAX_NAME_CHARS} characters")
        self.choices = choices
        self.highest = len(choices) - 1
        self._places = {word: place for place, word in enumerate(choices)}
        self._words = np.array(choices, dtype=np.str_)
        self._set_rule(None, _PLAIN)
        self.default = choices[0] if default is None else self.coerce(default)

    @property
    def column_dtype(self) -> np.dtype[np.str_]:
        """The numpy type of a column: one character wider than the longest word, so that no word passes for another."""
        return np.dtype(f"U{max(map(len, self.choices)) + 1}")

    def coerce(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{self.name}: one of {', '.join(self.choices[:8])} is needed, not {type(value).__name__}")
        if value not in self._places:
            raise ValueError(f"{self.name}: one of {', '.join(self.choices[:8])} is needed, not {value[:40]!r}")
        return str(value)

    def to_wire(self, value: str) -> int:
        return self._places[value]

    def value(self, n: int) -> str:
        return self.choices[n]

    def values(self, column: NDArray[np.int32]) -> NDArray[np.str_]:
        return self._words[column]

    def _parameters(self) -> dict[str, Any]:
        return {"choices": list(self.choices)}


class Text(Field[NDArray[np.object_], str]):
    """Text; what is too long for a table is cut, in an action it is refused.

    Args:
        max: Characters (code points), 1 to 2,048.
        default: For new rows.
    """

    kind = "text"
    dtype = np.object_
    zero: Any = ""

    def __init__(self, max: int, *, default: str = "") -> None:
        if type(max) is not int or not 1 <= max <= MAX_TEXT_CHARS:
            raise ConfigError(f"text: max must be an integer of 1 to {MAX_TEXT_CHARS}")
        self.max = max
        self._set_rule(None, _PLAIN)
        self.default = self.check(default)

    def coerce(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{self.name}: text is needed, not {type(value).__name__}")
        return self.clean(value)

    def check(self, value: Any) -> str:
        if not is_text(value):
            raise TypeError(f"{self.name}: text is needed, not {type(value).__name__}")
        if len(value) > self.max:
            raise ValueError(f"{self.name}: {len(value)} characters, at most {self.max} are allowed")
        return str(value)

    def clean(self, value: Any) -> str:
        """Give what of `value` can travel: cut to `max`, no lone surrogates."""
        return str(value)[: self.max].encode("utf-8", "replace").decode()

    def to_wire(self, value: str) -> str:
        return value

    def from_wire(self, wire: Any) -> str:
        if not is_text(wire) or len(wire) > self.max:
            raise ValueError(f"{self.name}: text of at most {self.max} characters is needed")
        return wire

    def _parameters(self) -> dict[str, Any]:
        return {"max": self.max}


#: The numpy type, and what a dead row holds.
_LOCAL_TYPES: dict[type, tuple[Any, Any]] = {
    float: (np.float64, 0.0),
    int: (np.int64, 0),
    bool: (np.bool_, False),
    str: (np.object_, ""),
    object: (np.object_, None),
}


class Local(Field[NDArray[Any], Any]):
    """A column of the server's own, never sent.

    Args:
        of: `float`, `int`, `bool`, `str` or `object`.
        default: For new rows; 0, False, "" or None.
    """

    kind = "local"

    def __init__(self, of: type = float, *, default: Any = None) -> None:
        if of not in _LOCAL_TYPES:
            raise ConfigError("local: the type must be float, int, bool, str or object")
        self.type = of
        self.column_dtype, self.zero = _LOCAL_TYPES[of]
        self._set_rule(None, _PLAIN)
        self.default = self.zero if default is None else self.coerce(default)

    def coerce(self, value: Any) -> Any:
        if self.type is float:
            return _real(self, value)
        if self.type is int:
            return _whole(self, value)
        if self.type is not object and not isinstance(value, (self.type, np.bool_)):
            raise TypeError(f"{self.name}: {self.type.__name__} is needed, not {type(value).__name__}")
        return value
