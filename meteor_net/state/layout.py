"""How one table's fields lie in memory and on the wire.

The *integer columns* (wire clause 8.5) are the fields that travel, without texts and data, in order of
declaration; a quaternion has four of them. The simulation columns lie together by numpy type, so that
a commit quantizes a group at a time: floats (quaternions too), whole numbers, flags; words, texts and
server-only columns each by themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.state.block import Quantizer
from meteor_net.state.fields import Field, IntegerField
from meteor_net.state.floats import FloatColumns, whole_numbers
from meteor_net.state.numeric import FloatField, WholeField
from meteor_net.state.rotation import COLUMNS, Quaternion
from meteor_net.state.sight.keys import KeyField
from meteor_net.state.words import Choice, Data, Flag, Local, Text

#: Integer columns of a table: their bitmap, with one bit more, is a uvarint (wire clause 8.5).
MAX_COLUMNS = 31
#: Fields of a table, those of the server's own too.
MAX_FIELDS = 64

Ints = NDArray[np.int32]


class Group(NamedTuple):
    """Fields whose values lie in one block of a live table.

    Attributes:
        dtype: Of the values.
        places: The integer columns that the rows of the block become.
        rows: Of each field, by its name.
        quantize: Makes integers of the block.
    """

    dtype: Any
    places: list[int]
    rows: dict[str, int | slice]
    quantize: Quantizer


class Layout:
    """The plan of one table, made once per class.

    Attributes:
        wire: The fields that travel, as in the schema.
        columns: The integer columns, in order.
        places: The integer column of a field, by its name; of a quaternion, those of all four.
        key: The field that tells who is told of a row, or None.
        texts: The text and data columns: (place in `wire`, field).
        flags, quaternions: Each with its (first) integer column's place.
        groups: The fields that become integer columns, by how they lie in a live table.
        lowest, highest, modulus: The domains of the integer columns, each of shape (columns, 1);
            modulus is 2^32 where nothing wraps.
        wraps: The columns that wrap.
    """

    def __init__(self, fields: tuple[Field[Any, Any], ...]) -> None:
        self.fields = fields
        self.by_name = {field.name: field for field in fields}
        self.wire = tuple(field for field in fields if not isinstance(field, Local))
        self.locals = tuple(field for field in fields if isinstance(field, Local))
        keys = [field for field in fields if isinstance(field, KeyField)]
        if len(keys) > 1:
            raise ConfigError(f"{', '.join(field.name for field in keys)}: a table has one key at the most")
        self.key = keys[0] if keys else None
        self._plan_columns()
        self.texts = tuple((place, field) for place, field in enumerate(self.wire) if isinstance(field, Text | Data))
        if len(fields) > MAX_FIELDS or len(self.columns) > MAX_COLUMNS:
            raise ConfigError(f"a table has at most {MAX_FIELDS} fields, and {MAX_COLUMNS} that travel as integers")
        self._plan_domains()
        self._plan_groups()

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

    def _group(self, columns: list[int], dtype: Any, quantize: Quantizer) -> None:
        if columns:
            rows: dict[str, int | slice] = {}
            for name, place in self.places.items():
                first = place.start if isinstance(place, slice) else place
                if first in columns:
                    row = columns.index(first)
                    rows[name] = slice(row, row + COLUMNS) if isinstance(place, slice) else row
            self.groups.append(Group(dtype, columns, rows, quantize))

    def _plan_groups(self) -> None:
        self.groups: list[Group] = []
        floats = {place: field for place, field in enumerate(self.columns) if isinstance(field, FloatField)}
        quaternions = [(list(floats).index(place), field) for place, field in self.quaternions]
        self._group(list(floats), np.float64, FloatColumns(list(floats.values()), quaternions).quantize)
        wholes = {place: field for place, field in enumerate(self.columns) if isinstance(field, WholeField)}
        self._group(list(wholes), np.int64, whole_numbers(list(wholes.values())))
        self.flags = [(place, field) for place, field in enumerate(self.columns) if isinstance(field, Flag)]
        self._group([place for place, _ in self.flags], np.bool_, lambda values, free: (values, 0))
        for place, field in enumerate(self.columns):
            if isinstance(field, Choice):
                self._group([place], field.column_dtype, field.quantize)


class Rings:
    """The columns that wrap, and how to take the shorter way round in them.

    Args:
        moduli: Of each column; 0 where it does not wrap.
    """

    def __init__(self, moduli: list[int]) -> None:
        # Bits that are shifted out and back wrap by a power of two, whatever the column: two calls for all of them.
        bits = [modulus.bit_length() - 1 for modulus in moduli]
        even = [modulus and modulus == 1 << bit for modulus, bit in zip(moduli, bits, strict=True)]
        self._shift = _column([32 - bit if two else 0 for bit, two in zip(bits, even, strict=True)], np.int32)
        self._shifts = any(even)
        odd = [place for place, modulus in enumerate(moduli) if modulus and not even[place]]
        self._places = np.array(odd, dtype=np.intp)
        wrapped = _column([moduli[place] for place in odd], np.int64)
        self._modulus = wrapped.astype(np.int32)
        self._above = ((wrapped + 1) // 2).astype(np.int32)
        self._below = (-(wrapped // 2)).astype(np.int32)

    def shorten(self, difference: Ints) -> None:
        """Bring differences of two integers of each column to their least magnitude, in place (wire clause 8.5).

        Args:
            difference: Of shape (…, columns, rows).
        """
        if self._shifts:
            np.left_shift(difference, self._shift, out=difference)
            np.right_shift(difference, self._shift, out=difference)
        if len(self._places):
            d = difference[..., self._places, :]
            # Integers of 32 bits wrap silently in numpy, which is right for a modulus near 2^31 too.
            turn = (d < self._below).astype(np.int32) - (d >= self._above)
            d += turn * self._modulus
            difference[..., self._places, :] = d


def _column(values: list[Any], dtype: Any) -> NDArray[Any]:
    return np.array(values, dtype=dtype).reshape(-1, 1)
