"""A player's own rows as integers by name, as a `step` gets them (docs/explanation/prediction.md)."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from math import ulp
from operator import attrgetter, index
from typing import Any, NamedTuple, TypeAlias

from meteor_net.errors import ConfigError
from meteor_net.limits import MAX_INT
from meteor_net.state.fields import IntegerField
from meteor_net.state.numeric import Fixed
from meteor_net.state.records import Action
from meteor_net.state.row import Row
from meteor_net.state.table import Table
from meteor_net.state.version import Version
from meteor_net.state.words import Choice

#: Moves a player by one tick: changes the integers of its rows, by those of an input.
StepFunction: TypeAlias = Callable[[Any, Any], object]
#: The integers of own rows, in the order of `OwnFields.fields`.
OwnInts: TypeAlias = tuple[int, ...]
#: Between two numbers of a field there have to be so many that a float can tell apart, or it could not be written back.
_APART = 8


class Moved(NamedTuple):
    """Own rows after a step: what is in their columns, and the integers of that."""

    cells: list[Any]
    ints: OwnInts


class OwnFields:
    """The integer fields of some rows, put together: of fields of one name the earlier row's.

    Args:
        tables: Of each row.

    Attributes:
        fields: Those fields.
        places: Of each: which row it is in, and its integer column there.
    """

    def __init__(self, tables: Sequence[type[Table]]) -> None:
        found: dict[str, tuple[IntegerField[Any, Any], int, int]] = {}
        for number, table in enumerate(tables):
            layout = table.layout()
            for field in layout.wire:
                place = layout.places.get(field.name)
                if isinstance(field, IntegerField) and isinstance(place, int):
                    found.setdefault(field.name, (field, number, place))
        self.fields = tuple(field for field, _, _ in found.values())
        self.places = tuple((row, place) for _, row, place in found.values())
        self._names = tuple(found)
        # one name alone would give a bare value, and none is an error
        self._values: Callable[[Any], tuple[Any, ...]] = attrgetter(*found, "__class__", "__class__")
        self._homes = tuple((name, row) for name, (_, row, _) in found.items())
        self._domains = tuple((field, field.lowest, field.highest) for field in self.fields)
        self._state = type("OwnState", (_OwnState,), {"__slots__": self._names})

    def move(self, rows: Sequence[Row], step: StepFunction, i: Any, before: Moved | None = None) -> Moved:
        """Run a step on live rows: read as a commit would quantize them, and written so that the next one gives these integers.

        A column that the step does not change keeps its value, with what lies below a step of it.

        Args:
            rows: The rows, of the tables that were named.
            step: What to run.
            i: The integers of the input.
            before: What the last step gave for these rows: what is still there need not be quantized again.

        Raises:
            Exception: What the step raised, or as `step`; nothing is written then.
        """
        columns = [(rows[row]._table._cells[name], rows[row].slot) for name, row in self._homes]
        cells = [column.item(slot) for column, slot in columns]
        if before is None:
            old = tuple([_quantized(field, cell) for field, cell in zip(self.fields, cells, strict=True)])
        else:
            old = tuple([
                n if cell == was else _quantized(field, cell)
                for field, cell, was, n in zip(self.fields, cells, before.cells, before.ints, strict=True)
            ])  # fmt: skip
        new = self.step(step, old, i)
        if new != old:
            for place, field in enumerate(self.fields):
                if new[place] != old[place]:
                    column, slot = columns[place]
                    cells[place] = column[slot] = field.value(new[place])
        return Moved(cells, new)

    def of_version(self, version: Version, rows: Sequence[tuple[int, int]]) -> OwnInts:
        """Read the rows (table, slot) of a version, which has to have them."""
        tables = [(version.tables[table].ints, slot) for table, slot in rows]
        return tuple(int(tables[row][0][place, tables[row][1]]) for row, place in self.places)

    def step(self, step: StepFunction, ints: OwnInts, i: Any) -> OwnInts:
        """Let a step change the integers, and bring them into their fields' domains.

        Raises:
            AttributeError: The step sets a field that is not there.
            TypeError: It sets something else than an integer.
            ValueError: One beyond ±(2^53 - 1).
        """
        state = self._state(*ints)
        step(state, i)
        return tuple([
            value if type(value) is int and low <= value <= high else _settled(field, value)
            for value, (field, low, high) in zip(self._values(state), self._domains, strict=False)
        ])  # fmt: skip


class _OwnState:
    """What a step changes: an attribute for each field."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, *ints: int) -> None:
        for name, value in zip(self.__slots__, ints, strict=True):
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<own {', '.join(f'{name}={getattr(self, name)}' for name in self.__slots__)}>"


def input_ints(kind: type[Action]) -> Callable[[Action], Any]:
    """Give what makes the `i` of a step from an input of that kind: its integers, by name, never changed."""
    places = [place for place, field in enumerate(kind.fields()) if isinstance(field, IntegerField)]
    # The names were checked when the class was made.
    make: Any = namedtuple(kind.__name__, [kind.fields()[place].name for place in places])  # type: ignore[misc]

    def ints(action: Action) -> Any:
        values = action.to_wire()
        return make(*[values[place] for place in places])

    return ints


def check_exact(tables: Sequence[type[Table]]) -> None:
    """See that all numbers of the tables can be written back as they were read.

    Raises:
        ConfigError: A `Fixed` is finer than floats are at its ends.
    """
    for table in tables:
        for field in table.layout().wire:
            if isinstance(field, Fixed) and field.step < _APART * ulp(max(abs(field.low), abs(field.high))):
                raise ConfigError(f"{table.__name__}.{field.name}: a step of {field.step:g} is too fine for {field.high:g}")


def _quantized(field: IntegerField[Any, Any], value: Any) -> int:
    if isinstance(field, Choice):
        return field.place(value)
    quantized: int = field.to_wire(value)
    return quantized


def _settled(field: IntegerField[Any, Any], value: Any) -> int:
    try:
        whole = index(value)
    except TypeError:
        raise TypeError(f"a step set {field.name} to {value!r}; an integer is needed") from None
    if not -MAX_INT <= whole <= MAX_INT:
        raise ValueError(f"a step set {field.name} to {whole}, beyond 2^53 - 1")
    return whole % field.modulus if field.modulus else min(max(whole, field.lowest), field.highest)
