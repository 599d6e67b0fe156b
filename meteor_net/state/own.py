"""A player's own rows as integers by name, as a `step` gets them (docs/explanation/prediction.md)."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from math import ulp
from operator import attrgetter, index
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar

import numpy as np

from meteor_net.errors import ConfigError
from meteor_net.limits import MAX_INT
from meteor_net.state.fields import IntegerField
from meteor_net.state.numeric import Fixed
from meteor_net.state.records import Action
from meteor_net.state.row import Row
from meteor_net.state.table import Table
from meteor_net.state.version import Version

#: Moves a player by one tick: changes the integers of its rows, by those of an input.
StepFunction: TypeAlias = Callable[[Any, Any], object]
#: The integers of own rows, in the order of `OwnFields.fields`.
OwnInts: TypeAlias = tuple[int, ...]
_Step = TypeVar("_Step", bound=StepFunction)
#: With so many players a step is quicker on columns than once for each of them.
_FEWEST = 4
#: Between two numbers of a field there have to be so many that a float can tell apart, or it could not be written back.
_APART = 8


def elementwise(step: _Step) -> _Step:
    """Say of a step that it may be run on all players at once: on columns of 64-bit integers, where else are integers.

    It then has no `if` on what differs between players, as a column is neither true nor false; sums, products, shifts, `&`,
    comparisons as numbers, and `sin_int` and `cos_int` do the same with both. No number may go beyond ±2^63 on the way.
    """
    step.elementwise = True  # type: ignore[attr-defined]
    return step


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
        self._domains = tuple((field, field.lowest, field.highest) for field in self.fields)

    def move(self, rows: Sequence[Row], step: StepFunction, i: Any) -> OwnInts:
        """Run a step on the live rows of one player; see `move_all`.

        Raises:
            Exception: What the step raised, or as `step`; nothing is written then.
        """
        (failure,) = self.move_all([rows], [step], [i])
        if failure is not None:
            raise failure
        whole = [row._table._ints_at(np.array([row.slot])) for row in rows]
        return tuple(int(whole[row][place][0]) for row, place in self.places)

    def move_all(
        self, rows: Sequence[Sequence[Row]], steps: Sequence[StepFunction], inputs: Sequence[Any]
    ) -> list[Exception | None]:
        """Run steps on live rows: read as a commit would quantize them, and written so that the next one gives these integers.

        All are read before any is written. A value that its step does not change stays, with what lies below a step of it.

        Args:
            rows: Of each player the rows, of the tables that were named; no row is two players'.
            steps: What to run for each.
            inputs: The integers of each one's input.

        Returns:
            Of each player what its step raised, or None; of those whose step did nothing is written.
        """
        tables = [row._table for row in rows[0]]
        slots = [np.array([own[place].slot for own in rows]) for place in range(len(tables))]
        whole = [table._ints_at(at) for table, at in zip(tables, slots, strict=True)]
        old = np.array([whole[row][place] for row, place in self.places], dtype=np.int64).reshape(-1, len(rows))
        now, failures = self._stepped(old, steps, inputs)
        changed = now != old
        for number in changed.any(axis=1).nonzero()[0].tolist():
            which = changed[number].nonzero()[0]
            row, field = self.places[number][0], self.fields[number]
            tables[row]._cells[field.name][slots[row][which]] = field.values(now[number, which].astype(np.int32))
        return failures

    def _stepped(self, old: Any, steps: Sequence[StepFunction], inputs: Sequence[Any]) -> tuple[Any, list[Exception | None]]:
        """Run each player's step: on columns where it may be, on its own where it may not, or where that failed."""
        now = old.copy()
        failures: list[Exception | None] = [None] * len(steps)
        alike: dict[tuple[StepFunction, type[Any]], list[int]] = {}
        for player, (step, i) in enumerate(zip(steps, inputs, strict=True)):
            alike.setdefault((step, type(i)), []).append(player)
        for (step, _), players in alike.items():
            if getattr(step, "elementwise", False) and len(players) >= _FEWEST:
                try:
                    now[:, players] = self._columns(step, old[:, players], [inputs[player] for player in players])
                    continue
                except Exception:  # some player's, or the step's: one by one it shows whose
                    now[:, players] = old[:, players]
            for player, was in zip(players, old[:, players].T.tolist(), strict=True):
                try:
                    now[:, player] = self.step(step, tuple(was), inputs[player])
                except Exception as error:
                    failures[player] = error
        return now, failures

    def _columns(self, step: StepFunction, old: Any, inputs: Sequence[Any]) -> Any:
        """Do as `step`, on the columns of several players."""
        i = type(inputs[0])(*np.array(inputs, dtype=np.int64).reshape(len(inputs), len(inputs[0])).T)
        state = OwnState(**dict(zip(self._names, old.copy(), strict=True)))
        with np.errstate(all="raise"):  # else dividing by nothing would give a number
            step(state, i)
        self._check_names(state)
        now = old.copy()
        for number, (value, (field, low, high)) in enumerate(zip(self._values(state)[:-2], self._domains, strict=True)):
            column = np.asarray(value)
            if column.dtype.kind not in "ib":
                raise TypeError(f"a step set {field.name} to {column.dtype} numbers; integers are needed")
            if (np.abs(column) > MAX_INT).any():
                raise ValueError(f"a step set {field.name} beyond 2^53 - 1")
            now[number] = column % field.modulus if field.modulus else np.clip(column, low, high)
        return now

    def _check_names(self, state: OwnState) -> None:
        if len(vars(state)) != len(self._names):
            odd = ", ".join(sorted(vars(state).keys() - set(self._names)))
            raise AttributeError(f"a step set {odd}, which no own row has; there are {', '.join(self._names) or 'no fields'}")

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
        state = OwnState(**dict(zip(self._names, ints, strict=True)))
        step(state, i)
        values = self._values(state)[:-2]
        self._check_names(state)
        if values == ints:
            return ints
        return tuple([
            value if value is was or (type(value) is int and low <= value <= high) else _settled(field, value)
            for value, was, (field, low, high) in zip(values, ints, self._domains, strict=True)
        ])  # fmt: skip


class OwnState(SimpleNamespace):
    """What a step changes: an attribute for each field."""


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


def _settled(field: IntegerField[Any, Any], value: Any) -> int:
    try:
        whole = index(value)
    except TypeError:
        raise TypeError(f"a step set {field.name} to {value!r}; an integer is needed") from None
    if not -MAX_INT <= whole <= MAX_INT:
        raise ValueError(f"a step set {field.name} to {whole}, beyond 2^53 - 1")
    return whole % field.modulus if field.modulus else min(max(whole, field.lowest), field.highest)
