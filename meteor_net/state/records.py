"""Actions, inputs and events: small values, made by keyword, checked when made, never changed."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from meteor_net.errors import ConfigError, MessageError
from meteor_net.limits import MAX_VALUES
from meteor_net.state.fields import Field, ValueHolder, collect
from meteor_net.state.rotation import Quaternion
from meteor_net.state.words import Data, Local


class Record(ValueHolder):
    """What `Action` and `Event` have in common. Subclass those."""

    __slots__ = ()

    _fields: ClassVar[tuple[Field[Any, Any], ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        fields = collect(cls, RESERVED)
        if len(fields) > MAX_VALUES:
            raise ConfigError(f"{cls.__name__}: at most {MAX_VALUES} fields are allowed")
        if any(isinstance(field, Local | Quaternion | Data) for field in fields):
            raise ConfigError(f"{cls.__name__}: Local, Quaternion and Data fields are for tables")
        cls._fields = fields

    def __init__(self, **values: Any) -> None:
        """Make it from values by keyword; what is missing takes its field's default.

        Numbers are rounded to the field's steps and clamped or wrapped into its domain at once, so that
        the sender sees what the receiver will.

        Raises:
            TypeError: a field is unknown, or a value is of another kind.
            ValueError: a word is none of the choices, or a text is too long.
        """
        cells: dict[str, Any] = {}
        for field in self._fields:
            value = values.pop(field.name) if field.name in values else field.default
            cells[field.name] = field.from_wire(field.to_wire(field.check(value)))
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(values))}")
        object.__setattr__(self, "_cells", cells)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def to_wire(self) -> list[int | str]:
        """Give the values as they travel (wire clause 7.4)."""
        return [field.to_wire(self._cells[field.name]) for field in self._fields]

    @classmethod
    def from_wire(cls, values: object) -> Self:
        """Read what a peer sent.

        Raises:
            MessageError: a wrong count, type or domain; the text names the field.
        """
        if not isinstance(values, list) or len(values) != len(cls._fields):
            raise MessageError(f"{cls.__name__}: a list of {len(cls._fields)} values is needed")
        made = cls.__new__(cls)
        try:
            cells = {field.name: field.from_wire(value) for field, value in zip(cls._fields, values, strict=True)}
        except ValueError as error:
            raise MessageError(f"{cls.__name__}: {error}") from None
        object.__setattr__(made, "_cells", cells)
        return made

    @classmethod
    def fields(cls) -> tuple[Field[Any, Any], ...]:
        """Give the fields in order of declaration."""
        return cls._fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and type(self) is type(other) and self._cells == other._cells

    def __hash__(self) -> int:
        return hash((type(self), *self._cells.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._cells.items())})"


RESERVED = frozenset(name for name in dir(Record) if not name.startswith("_"))


class Action(Record):
    """What a player asks for: applied once, in order, and answered."""


class Input(Action):
    """How a player steers: one a tick, never answered, never sent again (wire clause 9.2)."""


class Event(Record):
    """What happened at a tick: said once, kept in memory only (wire clause 8.11)."""
