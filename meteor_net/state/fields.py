"""The fields of tables and records: a domain, declared once.

A field knows four forms of a value: what a game author may assign (`coerce`), the integer or text on
the wire (`to_wire`, wire clause 7.1), the value that a receiver reads from it (`from_wire`), and its
description in a schema (`describe`). A field is also the descriptor behind `table.x` and `action.x`.
"""

from __future__ import annotations

import keyword
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.limits import MAX_NAME_CHARS

#: Ways to show a value between two versions (wire clause 7.2).
RULES = frozenset({"linear", "arc", "step"})
#: Those of a field whose domain has two ends.
UNROUND_RULES = frozenset({"linear", "step"})
#: Characters of a unit (wire clause 7.6).
MAX_UNIT_CHARS = 32

C = TypeVar("C", covariant=True)
V = TypeVar("V", covariant=True)


class ColumnHolder:
    """What a table is to a field: a numpy view by name, and a way to assign a whole column."""

    __slots__ = ("_cells",)

    _cells: dict[str, Any]

    def _set_cell(self, field: Field[Any, Any], value: Any) -> None:
        raise NotImplementedError


class ValueHolder:
    """What an action or event is to a field: one value by name."""

    __slots__ = ("_cells",)

    _cells: dict[str, Any]


class Field(Generic[C, V]):
    """One column of a table, or one value of an action or event.

    Attributes:
        name: The attribute's name; set when the class is made.
        default: What a new row or record holds where nothing was given.
        interpolate: `"linear"`, `"arc"` (the shortest way round) or `"step"`.
        unit: What its values are measured in, for people and tools; None if nobody said.
    """

    kind: ClassVar[str] = ""
    #: The numpy type of a simulation column.
    dtype: ClassVar[Any] = np.float64
    #: What a dead row holds.
    zero: Any = 0
    rule: str = "step"

    name: str = ""
    default: Any
    interpolate: str = "step"
    unit: str | None = None

    def _set_unit(self, unit: str | None) -> None:
        if unit is not None and not (type(unit) is str and 1 <= len(unit) <= MAX_UNIT_CHARS and unit.isprintable()):
            raise ConfigError(f"{self.kind}: unit must be a text of 1 to {MAX_UNIT_CHARS} characters")
        self.unit = unit

    def _set_rule(self, interpolate: str | None, allowed: frozenset[str]) -> None:
        if interpolate is not None and interpolate not in allowed:
            raise ConfigError(f"{self.kind}: interpolate must be one of {', '.join(sorted(allowed))}")
        self.interpolate = interpolate or self.rule

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, holder: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, holder: ColumnHolder, owner: Any) -> C: ...
    @overload
    def __get__(self, holder: ValueHolder, owner: Any) -> V: ...
    def __get__(self, holder: Any, owner: Any) -> Any:
        if holder is None:
            return self
        return holder._cells[self.name]

    def __set__(self, holder: ColumnHolder, value: Any) -> None:
        holder._set_cell(self, value)

    def coerce(self, value: Any) -> Any:
        """Make `value` fit for a row's cell.

        Raises:
            TypeError: it is of another kind; the text names the field.
            ValueError: it is of the right kind and cannot be.
        """
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        """Make `value` fit for an action or event; stricter than `coerce` where that would lose text."""
        return self.coerce(value)

    def to_wire(self, value: Any) -> Any:
        """Give the integer, integers, text or bytes of a value that `coerce` let through (wire clause 7.1)."""
        raise NotImplementedError

    def cell(self, column: Any, slot: int) -> Any:
        """Give the value in one slot of a column, as plain Python."""
        value = column[slot]
        return value.item() if isinstance(value, np.generic) else value

    def from_wire(self, wire: Any) -> Any:
        """Read what came from a peer.

        Raises:
            ValueError: it is not of this field's domain.
        """
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Describe the field as in a schema (wire clause 7.1)."""
        described = {"name": self.name, "kind": self.kind, **self._parameters()}
        if self.interpolate != self.rule:
            described["interpolate"] = self.interpolate
        if self.unit is not None:
            described["unit"] = self.unit
        return described

    def _parameters(self) -> dict[str, Any]:
        raise NotImplementedError

    def __repr__(self) -> str:
        parameters = ", ".join(f"{key}={value!r}" for key, value in self._parameters().items())
        return f"<{type(self).__name__} {self.name}({parameters})>"


class IntegerField(Field[C, V]):
    """A field that travels as an integer of `lowest` … `highest`.

    Attributes:
        modulus: Where the domain wraps, the number of its values; 0 where it does not.
    """

    lowest: int = 0
    highest: int = 0
    modulus: int = 0

    def from_wire(self, wire: Any) -> Any:
        if type(wire) is not int or not self.lowest <= wire <= self.highest:
            raise ValueError(f"{self.name}: {wire!r} is not an integer of {self.lowest} to {self.highest}")
        return self.value(wire)

    def value(self, n: int) -> Any:
        """Give the value that the integer `n` stands for."""
        return n

    def values(self, column: NDArray[np.int32]) -> NDArray[Any]:
        """Give the values of a column of integers."""
        raise NotImplementedError


def check_name(name: object, what: str, reserved: frozenset[str]) -> str:
    """Return `name` if it may be the name of a field, table, action or event.

    Raises:
        ConfigError: it may not.
    """
    if type(name) is not str or not name.isidentifier() or keyword.iskeyword(name):
        raise ConfigError(f"{what}: {str(name)[:80]!r} is not a name")
    if len(name) > MAX_NAME_CHARS:
        raise ConfigError(f"{what}: {name[:20]}… has more than {MAX_NAME_CHARS} characters")
    if name.startswith("_") or name in reserved:
        raise ConfigError(f"{what}: the name {name!r} is taken")
    return name


def _refuse_near_misses(cls: type) -> None:
    """`x: Fixed(...)` is an annotation and `x = float` a type: Python takes both, and there would be no field."""
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if name not in vars(cls) and "ClassVar" not in str(annotation) and not name.startswith("_"):
            raise ConfigError(f"{cls.__name__}.{name} is no field: write {name} = Fixed(...) or another kind, with =")
    for name, value in vars(cls).items():
        if isinstance(value, type) and (issubclass(value, Field) or value in (int, float, bool, str, bytes)):
            raise ConfigError(f"{cls.__name__}.{name} is no field but the type {value.__name__}: write {name} = Fixed(...)")


def collect(cls: type, reserved: frozenset[str]) -> tuple[Field[Any, Any], ...]:
    """Gather the fields of a class, those of its bases first, in order of declaration.

    Raises:
        ConfigError: a field's name may not be, one field has two names, or something was meant to be a field and is none.
    """
    _refuse_near_misses(cls)
    found: dict[str, Field[Any, Any]] = {}
    for base in reversed(cls.__mro__):
        for name, field in vars(base).items():
            if isinstance(field, Field):
                check_name(name, cls.__name__, reserved)
                if field.name != name:
                    raise ConfigError(f"{cls.__name__}: {name} and {field.name} are one field; make two")
                found[name] = field
            elif name in found:
                raise ConfigError(f"{cls.__name__}: {name} is a field of a base and cannot become another thing")
    return tuple(found.values())
