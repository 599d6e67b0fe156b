"""The texts and data of a step (wire clause 8.4): they travel beside the integers, as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from meteor_net.state.coding.varint import carried_texts, compare_rows
from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout
from meteor_net.state.version import TableVersion, Version
from meteor_net.state.words import Data, Text


def encode_texts(base: Version, new: Version) -> list[Any] | None:
    """Give the `texts` of a step; None if no text changed."""
    entries: list[Any] = []
    for number, table in enumerate(new.schema.tables):
        layout = table.layout()
        if layout.texts:
            entries.extend(_of_table(number, layout, base.tables[number], new.tables[number]))
    return entries or None


def _of_table(number: int, layout: Layout, base: TableVersion, new: TableVersion) -> list[Any]:
    if all(mine is theirs for mine, theirs in zip(new.texts, base.texts, strict=True)) and new.alive is base.alive:
        return []
    old_texts = base.texts
    if new.alive is not base.alive or new.generation is not base.generation:
        _, taken = compare_rows(base, new)
        old_texts = carried_texts(layout, base, len(new.alive), taken)
    entries = []
    for (place, _), old, text in zip(layout.texts, old_texts, new.texts, strict=True):
        slots = np.flatnonzero((text != old) & new.alive)
        if len(slots):
            entries.append([number, place, slots.tolist(), text[slots].tolist()])
    return entries


def apply_texts(base: Version, tables: list[TableVersion], texts: object) -> None:
    """Put a step's texts into decoded tables, which are replaced in the list where any changed.

    Raises:
        FrameError: they do not fit the schema or the rows.
    """
    if not isinstance(texts, list) or len(texts) > sum(len(table.texts) for table in tables):
        raise FrameError("texts must be a list, one item a column at most")
    seen = set()
    for entry in texts:
        if not isinstance(entry, list) or len(entry) != 4:
            raise FrameError("each item of texts must be [table, column, slots, texts]")
        number, place, slots, values = entry
        if type(number) is not int or not 0 <= number < len(tables):
            raise FrameError("texts for a table that is not in the schema")
        layout = base.schema.tables[number].layout()
        found = [(n, field) for n, (at, field) in enumerate(layout.texts) if type(place) is int and at == place]
        if not found or (number, place) in seen:
            raise FrameError("texts for a column that has none, or has them twice")
        seen.add((number, place))
        tables[number] = _put(tables[number], *found[0], slots, values)


def _put(table: TableVersion, column: int, field: Text | Data, slots: object, values: object) -> TableVersion:
    if not isinstance(slots, list) or not isinstance(values, list) or len(slots) != len(values):
        raise FrameError(f"{field.name}: slots and texts must be two lists of one length")
    text = table.texts[column].copy()
    if len(slots) > len(text):
        raise FrameError(f"{field.name}: more texts than rows")
    for slot, value in zip(slots, values, strict=True):
        if type(slot) is not int or not 0 <= slot < len(text) or not table.alive[slot]:
            raise FrameError(f"{field.name}: a text for a row that is not there")
        try:
            text[slot] = field.from_wire(value)
        except ValueError as error:
            raise FrameError(str(error)) from None
    put = (*table.texts[:column], text, *table.texts[column + 1 :])
    return TableVersion(table.alive, table.generation, table.ints, put)
