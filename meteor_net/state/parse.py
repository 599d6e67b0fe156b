"""Classes made from a description that a server sent: strict, and bounded (wire clause 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meteor_net.errors import ConfigError, MessageError
from meteor_net.limits import MAX_DOCUMENTS
from meteor_net.state.fields import Field, check_name
from meteor_net.state.layout import MAX_FIELDS
from meteor_net.state.numeric import Angle, Fixed, Int, UInt
from meteor_net.state.records import Action, Event, Input
from meteor_net.state.rotation import Quaternion
from meteor_net.state.schema import MAX_RECORDS, MAX_TABLES, Schema, hash_of
from meteor_net.state.sight.keys import MAX_RINGS, KeySpec
from meteor_net.state.table import Table
from meteor_net.state.words import Choice, Data, Flag, Text

#: Kinds of keys of a table (wire clause 8.19).
KINDS_OF_KEYS = frozenset({"cells", "team", "owner"})


def parse_schema(described: object) -> Schema:
    """Make the schema; see `Schema.parse`.

    Raises:
        MessageError: it is not well formed, or breaks a bound.
    """
    try:
        return _schema(described)
    except ConfigError as error:
        raise MessageError(f"schema: {error}") from None


def _schema(described: object) -> Schema:
    parts = _map(described, "schema", {"tables", "actions", "events"})
    tables: list[type[Table]] = [_table(item) for item in _list(parts["tables"], "tables", MAX_TABLES)]
    actions: list[type[Action]] = []
    for item in _list(parts["actions"], "actions", MAX_RECORDS):
        named = _map(item, "action", {"name", "fields", "input"})
        if type(named["input"]) is not bool:
            raise ConfigError("action: input must be true or false")
        actions.append(_class(named, Input if named["input"] else Action))
    events = [_class(_map(item, "event", {"name", "fields"}), Event) for item in _list(parts["events"], "events", MAX_RECORDS)]
    schema = Schema(tables, actions, events, _list(parts.get("documents", []), "documents", MAX_DOCUMENTS))
    schema.hash = hash_of(described)  # what a later version added to it counts
    return schema


def _table(item: object) -> type[Table]:
    named = _map(item, "table", {"name", "fields"})
    spec = _key(named["name"], named["key"]) if "key" in named else None
    made: type[Table] = _class(named, Table, table_name=named["name"], key_spec=spec)
    return made


def _key(table: object, item: object) -> KeySpec:
    """Read what a keyed table's keys are (wire clause 8.19)."""
    named = _map(item, f"{str(table)[:40]}: key", {"kind", "rings"})
    kind, rings = named["kind"], named["rings"]
    if type(kind) is not str or kind not in KINDS_OF_KEYS:
        raise ConfigError(f"{str(table)[:40]}: {str(kind)[:40]!r} is no kind of key")
    if type(rings) is not int or not 1 <= rings <= MAX_RINGS:
        raise ConfigError(f"{str(table)[:40]}: a key has 1 to {MAX_RINGS} rings")
    return KeySpec(kind, rings)


def _class(named: dict[str, Any], base: type, **more: Any) -> Any:
    name = check_name(named["name"], base.__name__.lower(), frozenset())
    fields: dict[str, Any] = {}
    for item in _list(named["fields"], f"{name}: fields", MAX_FIELDS):
        field_name, field = _field(item)
        if field_name in fields:
            raise ConfigError(f"{name}: two fields are called {field_name}")
        fields[field_name] = field
    return type(name, (base,), {**fields, **more})


def _field(item: object) -> tuple[str, Field[Any, Any]]:
    if type(item) is not dict:
        raise ConfigError("a field must be a map")
    # Checked here and not only when the class is made: a name such as __slots__ must not get that far.
    name = check_name(item.get("name"), "field", frozenset({"table_name", "max_rows", "key_spec"}))
    kind = item.get("kind")
    if type(kind) is not str or kind not in _KINDS:
        raise ConfigError(f"{name}: {str(kind)[:40]!r} is no kind of field")
    make, needed, rules = _KINDS[kind]
    _map(item, name, {"name", "kind", *needed})
    parameters = {key: item[key] for key in needed}
    if "unit" in item and kind in _MEASURED:
        parameters["unit"] = item["unit"]
    if "snap" in item and kind == "flag":
        parameters["snap"] = item["snap"]
    if "interpolate" in item:
        if not rules or type(item["interpolate"]) is not str:
            raise ConfigError(f"{name}: interpolate cannot be {str(item['interpolate'])[:40]!r}")
        parameters["interpolate"] = item["interpolate"]
    field = make(**parameters)
    if kind in _TABLES_ONLY:
        return name, field
    # Of an action: what is sent where the player gives nothing, as it travels. A table's rows come from the server alone.
    try:
        field.default = field.from_wire(item.get("default", 0 if kind != "text" else ""))
    except ValueError as error:
        raise ConfigError(f"{name}: default: {error}") from None
    return name, field


def _choice(choices: object) -> Choice:
    if type(choices) is not list or not all(type(word) is str for word in choices):
        raise ConfigError("choice: choices must be a list of text")
    return Choice(*choices)


def _fixed(wrap: object, **parameters: Any) -> Fixed:
    if type(wrap) is not bool:
        raise ConfigError("fixed: wrap must be true or false")
    return Fixed(wrap=wrap, **parameters)


#: By kind: how to make it, its parameters, and whether it may name an interpolation.
_KINDS: dict[str, tuple[Callable[..., Field[Any, Any]], tuple[str, ...], bool]] = {
    "fixed": (_fixed, ("step", "low", "high", "wrap"), True),
    "angle": (Angle, ("bits",), True),
    "uint": (UInt, ("bits",), True),
    "int": (Int, ("bits",), True),
    "flag": (Flag, (), False),
    "choice": (_choice, ("choices",), False),
    "quaternion": (Quaternion, ("bits",), True),
    "text": (Text, ("max",), False),
    "data": (Data, ("max",), False),
}
#: Kinds that may have a unit (wire clause 7.6).
_MEASURED = frozenset({"fixed", "uint", "int"})
#: Kinds that no action or event has (wire clause 7.4).
_TABLES_ONLY = frozenset({"quaternion", "data"})


def _map(item: object, what: str, keys: set[str]) -> dict[str, Any]:
    # Keys that we do not know are a later version's.
    if type(item) is not dict or not keys <= item.keys():
        raise ConfigError(f"{what}: a map with {', '.join(sorted(keys))} is needed")
    return item


def _list(item: object, what: str, most: int) -> list[Any]:
    if type(item) is not list or len(item) > most:
        raise ConfigError(f"{what}: a list of at most {most} is needed")
    return item
