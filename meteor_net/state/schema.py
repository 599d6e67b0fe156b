"""What a game declares: its tables, actions and events, by number (wire clause 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import cbor2

from meteor_net.errors import ConfigError
from meteor_net.limits import MAX_DOCUMENTS
from meteor_net.state.fields import check_name
from meteor_net.state.records import Action, Event, Input, Record
from meteor_net.state.table import Table

#: Tables of a world: their bitmap, with one bit more, is a uvarint (wire clause 8.5).
MAX_TABLES = 31
#: Actions, and events, of a game.
MAX_RECORDS = 256
#: Names that a world uses itself.
WORLD_NAMES = frozenset({"epoch", "schema", "tables", "tick"})


class Schema:
    """The tables, actions and events of a world; the number of each is its place.

    Args:
        tables: At most 31.
        actions, events: At most 256 each.
        documents: Names of trees of values, at most 16; no table's.

    Raises:
        ConfigError: too many of a kind, two of one name, or a class of another kind.
    """

    def __init__(
        self,
        tables: Sequence[type[Table]] = (),
        actions: Sequence[type[Action]] = (),
        events: Sequence[type[Event]] = (),
        documents: Sequence[str] = (),
    ) -> None:
        self.tables = tuple(tables)
        self.actions = tuple(actions)
        self.events = tuple(events)
        self.documents = _checked_documents(documents)
        self._tables: dict[str, type[Table]] = _by_name(self.tables, Table, "table", MAX_TABLES)
        self._actions: dict[str, type[Action]] = _by_name(self.actions, Action, "action", MAX_RECORDS)
        self._events: dict[str, type[Event]] = _by_name(self.events, Event, "event", MAX_RECORDS)
        for name in self.documents:
            if name in self._tables:
                raise ConfigError(f"a table and a document are called {name}")
        self._action_numbers = {action: number for number, action in enumerate(self.actions)}
        self._event_numbers = {event: number for number, event in enumerate(self.events)}
        self._table_numbers = {table: number for number, table in enumerate(self.tables)}
        #: The first 8 bytes of the SHA-256 of the description (wire clause 7.3).
        self.hash = hash_of(self.describe())

    @classmethod
    def parse(cls, described: object) -> Schema:
        """Make classes from a description that a server sent.

        Raises:
            MessageError: it is not well formed, or breaks a bound.
        """
        from meteor_net.state.parse import parse_schema

        return parse_schema(described)

    @property
    def names(self) -> list[str]:
        """What the world has: its tables' names, then its documents'."""
        return [*self._tables, *self.documents]

    def describe(self) -> dict[str, Any]:
        """Give the schema as it is sent (wire clause 7.1)."""
        described: dict[str, Any] = {
            "tables": [_describe_table(table) for table in self.tables],
            "actions": [_describe_action(action) for action in self.actions],
            "events": [_describe(event) for event in self.events],
        }
        return {**described, "documents": list(self.documents)} if self.documents else described

    def table(self, name: str) -> type[Table]:
        """Give the table class of that name, e.g. `ship`; KeyError if there is none."""
        return self._tables[name]

    def action(self, name: str) -> type[Action]:
        """Give the action class of that name, e.g. `Steer`; KeyError if there is none."""
        return self._actions[name]

    def event(self, name: str) -> type[Event]:
        """Give the event class of that name, e.g. `Boom`; KeyError if there is none."""
        return self._events[name]

    def table_number(self, table: type[Table]) -> int:
        """Give the number of a table class; KeyError if it is not of this schema."""
        return self._table_numbers[table]

    def action_number(self, action: type[Action]) -> int:
        """Give the number of an action class; KeyError if it is not of this schema."""
        return self._action_numbers[action]

    def event_number(self, event: type[Event]) -> int:
        """Give the number of an event class; KeyError if it is not of this schema."""
        return self._event_numbers[event]


def hash_of(described: object) -> bytes:
    """Give the hash of a description, with all that it holds (wire clause 7.3)."""
    return hashlib.sha256(cbor2.dumps(described, canonical=True)).digest()[:8]


def _checked_documents(names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or len(names) > MAX_DOCUMENTS:
        raise ConfigError(f"documents is {names!r:.80}; a list of at most {MAX_DOCUMENTS} names is expected")
    for name in names:
        check_name(name, "document", WORLD_NAMES)
    if len(set(names)) < len(names):
        raise ConfigError("two documents have one name")
    return tuple(names)


def _describe_table(table: type[Table]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": table.table_name, "fields": [field.describe() for field in table.layout().wire]}
    if table.key_spec is not None:
        described["key"] = table.key_spec._asdict()
    return described


def _describe(record: type[Record]) -> dict[str, Any]:
    return {"name": record.__name__, "fields": [field.describe() for field in record.fields()]}


def _describe_action(action: type[Action]) -> dict[str, Any]:
    """An action's fields also tell what a client sends for one that the player leaves out."""
    described = _describe(action)
    for field, made in zip(action.fields(), described["fields"], strict=True):
        default = field.to_wire(field.default)
        if default not in (0, ""):
            made["default"] = default
    return {**described, "input": issubclass(action, Input)}


def _by_name(classes: tuple[Any, ...], base: type, what: str, most: int) -> dict[str, Any]:
    if len(classes) > most:
        raise ConfigError(f"{len(classes)} {what}s; at most {most} are allowed")
    found: dict[str, Any] = {}
    for cls in classes:
        if not isinstance(cls, type) or not issubclass(cls, base):
            raise ConfigError(f"{cls!r} is no {what} class")
        if issubclass(cls, Table):
            name = check_name(cls.table_name, what, WORLD_NAMES)
        else:
            name = check_name(cls.__name__, what, frozenset())
        if name in found:
            raise ConfigError(f"two {what}s are called {name}")
        found[name] = cls
    return found
