"""Tables and documents as bytes, for a world that outlives its room.

One CBOR map, which any reader of CBOR understands::

    {"format": "meteor_net world", "version": 1,
     "tables": {"bottle": {"slots": [0, 2], "fields": {"x": [1.5, 20.0], "text": ["hello", "who?"]}}},
     "documents": {"match": {"turn": "ann"}}}

Of each table the slots that are taken, ascending, and of each field, those of the server's own too, the values in these
slots as the simulation has them. A row keeps its slot, so that a column that names rows of a kept table by their slots stays
right; generations begin anew. Fields are found by name: a table may have others by the time that it is read. `documents` is
there if any is kept. Cells are worked out again, and owners are players of a room that is over: neither is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import cbor2
import msgspec
import numpy as np

from meteor_net.codec import load_item
from meteor_net.errors import PacketError
from meteor_net.limits import MAX_DEPTH
from meteor_net.state.documents.trees import as_document
from meteor_net.state.errors import DocumentError
from meteor_net.state.fields import Field
from meteor_net.state.sight.keys import Cells, Owner
from meteor_net.state.table import Table
from meteor_net.state.version import MAX_SLOTS
from meteor_net.state.words import Data, Local, Text, is_text

FORMAT: Literal["meteor_net world"] = "meteor_net world"
VERSION: Literal[1] = 1
#: Maps and lists around a value of a field.
_AROUND = 4


class SavedTable(msgspec.Struct, frozen=True):
    """The rows of one table: which slots, ascending, and each field's values in them."""

    slots: list[Annotated[int, msgspec.Meta(ge=0, lt=MAX_SLOTS)]]
    fields: dict[str, list[Any]]

    def __post_init__(self) -> None:
        if sorted(set(self.slots)) != self.slots:
            raise ValueError("the slots do not ascend")
        for name, values in self.fields.items():
            if len(values) != len(self.slots):
                raise ValueError(f"{len(values)} values of {name} in {len(self.slots)} rows")


class Saved(msgspec.Struct, frozen=True):
    """What was kept of a world, by name."""

    format: Literal["meteor_net world"]
    version: Literal[1]
    tables: dict[str, SavedTable]
    documents: dict[str, dict[str, Any]] = {}


def dump_tables(tables: Iterable[Table], documents: Mapping[str, Any] = MappingProxyType({})) -> bytes:
    """Write tables, and documents by name, as bytes; the same rows are the same bytes.

    Raises:
        ValueError: A value would not come back as it is; the text names table, field and slot, or the place in the document.
    """
    saved: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    saved["tables"] = {table.table_name: _dump_table(table) for table in tables}
    if documents:
        saved["documents"] = {name: as_document(document, name)[0] for name, document in documents.items()}
    return cbor2.dumps(saved)


def _dump_table(table: Table) -> dict[str, Any]:
    slots = np.flatnonzero(table.alive)
    fields = {}
    for name, field in table.layout().by_name.items():
        if isinstance(field, Cells | Owner):
            continue
        values = getattr(table, name)[slots].tolist()
        if isinstance(field, Text | Data):
            values = [field.clean(value) for value in values]
        elif isinstance(field, Local) and field.column_dtype is np.object_ and not _comes_back(values, field):
            place = next(place for place, value in enumerate(values) if not _comes_back([value], field))
            raise ValueError(
                f"{table.table_name}.{name} in slot {slots[place]} holds {values[place]!r:.80}, which cannot be kept: "
                "only None, bool, int, float, str, bytes, and lists and dicts of these come back as they were"
            )
        fields[name] = values
    return {"slots": slots.tolist(), "fields": fields}


def _comes_back(values: list[Any], field: Local) -> bool:
    """Whether values are the same after writing and reading: a tuple would be a list, an object nothing at all."""
    if field.type is str:
        return all(map(is_text, values))
    try:
        return bool(load_item(cbor2.dumps(values)) == values)
    except Exception:  # of cbor2, or of a comparison of the game's own
        return False


def read_tables(data: bytes) -> dict[str, SavedTable]:
    """Read the tables of what `dump_tables` wrote; raises as `read_saved`."""
    return read_saved(data).tables


def read_saved(data: bytes) -> Saved:
    """Read what `dump_tables` wrote, now or years ago.

    Raises:
        ValueError: It is none of that; the text says why.
    """
    try:
        return msgspec.convert(load_item(data, MAX_DEPTH + _AROUND), Saved)
    except PacketError as error:
        raise ValueError(error.text) from error


def restore(tables: Iterable[Table], saved: Mapping[str, SavedTable]) -> list[str]:
    """Fill empty tables with what fits them, by name; fields that are new take their defaults.

    Returns:
        What did not fit, in words: tables and fields that are no more, rows beyond `max_rows`, values of another kind.
    """
    by_name = {table.table_name: table for table in tables}
    lost = [f"table {name}" for name in saved if name not in by_name]
    for name, table in by_name.items():
        if name in saved:
            lost += _restore_table(table, saved[name])
    return lost


def restore_documents(world: Any, names: Iterable[str], saved: Mapping[str, Any]) -> list[str]:
    """Give a world its kept documents.

    Returns:
        What did not fit, in words: documents that are no more, or are more than one may be now.
    """
    lost = [f"document {name}" for name in saved if name not in names]
    for name in names:
        try:
            setattr(world, name, as_document(saved.get(name, {}), name)[0])
        except DocumentError as error:
            lost.append(f"document {error}")
    return lost


def _restore_table(table: Table, saved: SavedTable) -> list[str]:
    name, lost = table.table_name, []
    slots = [slot for slot in saved.slots if slot < table.max_rows]
    if len(slots) < len(saved.slots):
        lost.append(f"{len(saved.slots) - len(slots)} rows of {name}")
    taken = set(slots)
    for row in [table.spawn() for _ in range(max(slots, default=-1) + 1)]:
        if row.slot not in taken:
            row.despawn()
    for field_name, values in saved.fields.items():
        field = table.layout().by_name.get(field_name)
        if field is None or isinstance(field, Cells | Owner):
            lost.append(f"field {name}.{field_name}")
        elif bad := _fill(getattr(table, field_name), field, slots, values):
            lost.append(f"{bad} values of {name}.{field_name}")
    return lost


def _fill(column: Any, field: Field[Any, Any], slots: list[int], values: list[Any]) -> int:
    """Set what the field takes, and tell how many values it does not; rows beyond `max_rows` come last and are left out."""
    bad = 0
    for slot, value in zip(slots, values, strict=False):
        try:
            column[slot] = field.coerce(value)
        except (TypeError, ValueError):
            bad += 1
    return bad
