"""How one table's fields lie in memory and on the wire.

The *integer columns* (wire clause 8.5) are the fields that travel, without texts and data, in order of
declaration; a quaternion has four of them. The simulation columns lie together by numpy type, so that
a commit quantizes a block at a time: floats (those that wrap first), whole numbers, flags; quaternions,
words, texts and server-only columns each by themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.state.fields import Field, IntegerField
from meteor_net.state.numeric import FloatField, WholeField
from meteor_net.state.rotation import COLUMNS, Quaternion
from meteor_net.state.words import Choice, Data, Flag, Local, Text

#: Integer columns of a table: their bitmap, with one bit more, is a uvarint (wire clause 8.5).
MAX_COLUMNS = 31
#: Fields of a table, those of the server's own too.
MAX_FIELDS = 64

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
#: Beyond this, float arithmetic no longer tells neighbouring whole numbers apart safely.
_EXACT = 2.0**52


class Layout:
    """The plan of one table, made once per class.

    Attributes:
        wire: The fields that travel, as in the schema.
        columns: The integer columns, in order.
        places: The integer column of a field, by its name; of a quaternion, those of all four.
        texts: The text and data columns: (place in `wire`, field).
        floats, wholes, flags, choices, quaternions: Those kinds of fields, with their (first) integer column's place.
        lowest, highest, modulus: The domains of the integer columns, each of shape (columns, 1);
            modulus is 2^32 where nothing wraps.
        wraps: The columns that wrap.
    """

    def __init__(self, fields: tuple[Field[Any, Any], ...]) -> None:
        self.fields = fields
        self.by_name = {field.name: field for field in fields}
        self.wire = tuple(field for field in fields if not isinstance(field, Local))
        self.locals = tuple(field for field in fields if isinstance(field, Local))
        self._plan_columns()
        self.texts = tuple((place, field) for place, field in enumerate(self.wire) if isinstance(field, Text | Data))
        if len(fields) > MAX_FIELDS or len(self.columns) > MAX_COLUMNS:
            raise ConfigError(f"a table has at most {MAX_FIELDS} fields, and {MAX_COLUMNS} that travel as integers")
        self._plan_domains()
        self._plan_floats()
        placed = list(enumerate(self.columns))
        self.wholes = [(place, field) for place, field in placed if isinstance(field, WholeField)]
        self.flags = [(place, field) for place, field in placed if isinstance(field, Flag)]
        self.choices = [(place, field) for place, field in placed if isinstance(field, Choice)]
        self.whole_places = _places(self.wholes)
        self.flag_places = _places(self.flags)
        self.whole_low = _column([field.lowest for _, field in self.wholes], np.int64)
        self.whole_high = _column([field.highest for _, field in self.wholes], np.int64)

    def _plan_columns(self) -> None:
        columns: list[IntegerField[Any, Any]] = []
        self.places: dict[str, int | slice] = {}
        self.quaternions: list[tuple[int, Quaternion]] = []
        for field in self.wire:
            if isinstance(field, Quaternion):
                self.places[field.name] = slice(len(columns), len(columns) + COLUMNS)
                self.quaternions.append((len(columns), field))
                columns.extend(field.parts())
            elif isinstance(field, IntegerField):
                self.places[field.name] = len(columns)
                columns.append(field)
        self.columns = tuple(columns)

    def _plan_domains(self) -> None:
        moduli = [field.modulus for field in self.columns]
        self.lowest = _column([field.lowest for field in self.columns], np.int64)
        self.highest = _column([field.highest for field in self.columns], np.int64)
        self.modulus = _column([modulus or 1 << 32 for modulus in moduli], np.int64)
        # Added before and taken off after the remainder: brings what does not wrap into 32 bits with sign.
        self.offset = _column([0 if modulus else 1 << 31 for modulus in moduli], np.int64)
        self.wraps = Rings(moduli)
        #: For the coding `eg` alone: what it worked out for sets of columns.
        self.plans: dict[bytes, Any] = {}

    def _plan_floats(self) -> None:
        placed = [(place, field) for place, field in enumerate(self.columns) if isinstance(field, FloatField)]
        self.floats = sorted(placed, key=lambda item: not item[1].modulus)
        fields = [field for _, field in self.floats]
        self.float_places = _places(self.floats)
        self.float_low = _column([field.low for field in fields], np.float64)
        self.float_divisor = _column([field.divisor for field in fields], np.float64)
        self.float_factor = _column([field.factor for field in fields], np.float64)
        self.float_nan = _column([field.nan for field in fields], np.float64)
        self.float_highest = _column([field.highest for field in fields], np.float64)
        self.float_wraps = sum(1 for field in fields if field.modulus)
        self.float_modulus = _column([field.modulus for field in fields if field.modulus], np.float64)
        self.scaled = any(field.factor != 1 for field in fields)

    def quantize_floats(self, block: Floats) -> tuple[Floats, int]:
        """Quantize the float columns at once (wire clause 7.1).

        Args:
            block: One row a field, in the order of `floats`; left as it is.

        Returns:
            Whole numbers of each field's domain, and how many values were NaN.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            q: Floats = block - self.float_low
            q /= self.float_divisor
            if self.scaled:
                q *= self.float_factor
            q += 0.5
            np.floor(q, out=q)
            # Both are NaN if any value is, so that one look finds NaN, infinities and giants.
            missing = 0 if q.size == 0 or (q.min() > -_EXACT and q.max() < _EXACT) else self._tame(q)
        wraps = self.float_wraps
        if wraps:
            wrapped = q[:wraps]
            wrapped -= self.float_modulus * np.floor(wrapped / self.float_modulus)
        if wraps < len(q):
            np.clip(q[wraps:], 0, self.float_highest[wraps:], out=q[wraps:])
        return q, missing

    def _tame(self, q: Floats) -> int:
        """Bring values that arithmetic cannot wrap into their domain, in place (wire clause 7.2)."""
        missing = np.isnan(q)
        np.copyto(q, self.float_nan, where=missing)
        wrapped, modulus = q[: self.float_wraps], self.float_modulus
        np.copyto(wrapped, modulus - 1, where=wrapped == np.inf)
        np.copyto(wrapped, 0, where=wrapped == -np.inf)
        np.mod(wrapped, modulus, out=wrapped)
        return int(missing.sum())


class Rings:
    """The columns that wrap, and how to take the shorter way round in them.

    Args:
        moduli: Of each column; 0 where it does not wrap.
    """

    def __init__(self, moduli: list[int]) -> None:
        self._places = np.array([place for place, modulus in enumerate(moduli) if modulus], dtype=np.intp)
        wrapped = _column([modulus for modulus in moduli if modulus], np.int64)
        self._modulus = wrapped.astype(np.uint32).view(np.int32)
        self._above = ((wrapped + 1) // 2).astype(np.int32)
        self._below = (-(wrapped // 2)).astype(np.int32)

    def shorten(self, difference: Ints) -> None:
        """Bring differences of two integers of each column to their least magnitude, in place (wire clause 8.5)."""
        if len(self._places):
            d = difference[self._places]
            # Integers of 32 bits wrap silently in numpy, which is right for a modulus of 2^31 too.
            turn = (d < self._below).astype(np.int32) - (d >= self._above)
            d += turn * self._modulus
            difference[self._places] = d


def _column(values: list[Any], dtype: Any) -> NDArray[Any]:
    return np.array(values, dtype=dtype).reshape(-1, 1)


def _places(placed: list[Any]) -> NDArray[np.intp]:
    return np.array([place for place, _ in placed], dtype=np.intp)
