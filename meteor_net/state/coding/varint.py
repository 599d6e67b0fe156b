"""The coding `varint` of a step from one version to another (wire clause 8.5).

Encoder and decoder stand side by side, part by part. Both work on whole columns; the decoder checks
everything before it makes anything (wire clause 8.8), and leaves the base as it is.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.head import read_head
from meteor_net.state.coding.leb128 import Reader, encode, encode_one
from meteor_net.state.coding.rowset import Slots, decode_rows, encode_rows
from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout
from meteor_net.state.version import MAX_SLOTS, Ints, TableVersion, Texts, Version


def encode_step(base: Version, new: Version) -> bytes:
    """Encode all but the texts of a step.

    Args:
        base: A version of the same world, or the empty version for a keyframe.
        new: A later one.
    """
    header, parts = int(new.check), []
    for number, table in enumerate(new.schema.tables):
        part = encode_part(table.layout(), base.tables[number], new.tables[number])
        if part:
            header |= 2 << number
            parts.append(part)
    checksum = new.crc().to_bytes(4, "little") if new.check else b""
    return b"".join((encode_one(header), checksum, *parts))


def decode_step(base: Version, data: bytes) -> tuple[list[TableVersion], int | None]:
    """Decode all but the texts of a step.

    Returns:
        The tables, with the texts of the base in those rows that stay; and the checksum if there is one.

    Raises:
        FrameError: the data are not a step from this base.
    """
    reader = Reader(data)
    parted, crc = read_head(reader, len(base.tables))
    tables = [
        decode_part(table.layout(), old, reader) if parted >> number & 1 else old
        for number, (table, old) in enumerate(zip(base.schema.tables, base.tables, strict=True))
    ]
    reader.finish()
    return tables, crc


def encode_part(layout: Layout, base: TableVersion, new: TableVersion) -> bytes:
    """Encode what changed in one table; nothing if nothing did."""
    if base is new:
        return b""
    rows_changed = b""
    if base.alive is new.alive and base.generation is new.generation:
        difference = new.ints - base.ints
    else:
        freed, taken = compare_rows(base, new)
        if len(freed) or len(taken):
            generations = encode(new.generation[taken].astype(np.uint32))
            rows_changed = encode_rows(freed) + encode_rows(taken) + generations
        difference = new.ints - carried(base, len(new.alive), taken)
        difference[:, ~new.alive] = 0
    if not len(difference):
        return b"\1" + rows_changed if rows_changed else b""
    changed: Slots = np.flatnonzero(np.bitwise_or.reduce(difference, axis=0))
    if len(changed) < difference.shape[1]:
        difference = difference[:, changed]
    columns: Slots = np.flatnonzero(np.bitwise_or.reduce(difference, axis=1))
    if not len(columns) and not rows_changed:
        return b""
    bitmap = int(bool(rows_changed))
    for column in columns.tolist():
        bitmap |= 2 << column
    if not len(columns):
        return encode_one(bitmap) + rows_changed
    layout.wraps.shorten(difference)
    if len(columns) < len(difference):
        difference = difference[columns]
    return b"".join((encode_one(bitmap), rows_changed, encode_rows(changed), encode(zigzag(difference))))


def decode_part(layout: Layout, base: TableVersion, reader: Reader) -> TableVersion:
    """Decode what changed in one table.

    Raises:
        FrameError: it does not fit the base.
    """
    bitmap = reader.one()
    if bitmap >> (len(layout.columns) + 1):
        raise FrameError("the frame has values for a column that is not in the schema")
    table = decode_structure(layout, base, reader) if bitmap & 1 else base
    if bitmap < 2:
        return table
    columns = np.array([column for column in range(len(layout.columns)) if bitmap >> (column + 1) & 1], dtype=np.intp)
    changed = decode_rows(reader)
    if len(changed) and (changed[-1] >= len(table.alive) or not table.alive[changed].all()):
        raise FrameError("the frame changes a row that is not there")
    z = reader.many(len(columns) * len(changed)).reshape(len(columns), len(changed))
    difference = (z >> 1) ^ -(z & 1)
    place = np.ix_(columns, changed)
    offset = layout.offset[columns]
    values = (table.ints[place] + difference + offset) % layout.modulus[columns] - offset
    if (values < layout.lowest[columns]).any() or (values > layout.highest[columns]).any():
        raise FrameError("the frame has a value outside its field's domain")
    ints = table.ints.copy()
    ints[place] = values
    return TableVersion(table.alive, table.generation, ints, table.texts)


def compare_rows(base: TableVersion, new: TableVersion) -> tuple[Slots, Slots]:
    """Give the slots that were freed, and those that were taken (wire clause 8.5), ascending."""
    size = max(len(base.alive), len(new.alive))
    was, there = (np.pad(table.alive, (0, size - len(table.alive))) for table in (base, new))
    before, after = (np.pad(table.generation, (0, size - len(table.generation))) for table in (base, new))
    return np.flatnonzero(was & ~there), np.flatnonzero(there & (~was | (before != after)))


def carried(base: TableVersion, size: int, emptied: Slots) -> Ints:
    """Give the base's integers for `size` slots, zero in the slots of `emptied`."""
    kept = min(size, base.ints.shape[1])
    ints = np.zeros((len(base.ints), size), dtype=np.int32)
    ints[:, :kept] = base.ints[:, :kept]
    ints[:, emptied] = 0
    return ints


def carried_texts(layout: Layout, base: TableVersion, size: int, emptied: Slots) -> tuple[Texts, ...]:
    """Give the base's texts for `size` slots, empty in the slots of `emptied`.

    Columns that held nothing before are all one piece of memory: a few bytes may ask for a great many of them.
    """
    texts = []
    for (_, field), old in zip(layout.texts, base.texts, strict=True):
        if not len(old):
            texts.append(_blanks(field.zero)[:size])
            continue
        text = np.full(size, field.zero, dtype=np.object_)
        kept = min(size, len(old))
        text[:kept] = old[:kept]
        text[emptied] = field.zero
        texts.append(text)
    return tuple(texts)


@cache
def _blanks(zero: str | bytes) -> Texts:
    """A column of the largest table, of nothing but empty texts; nobody may write to it."""
    blanks = np.full(MAX_SLOTS, zero, dtype=np.object_)
    blanks.flags.writeable = False
    return blanks


def decode_structure(layout: Layout, base: TableVersion, reader: Reader) -> TableVersion:
    """Decode which rows come and go.

    Returns:
        The base with those rows.

    Raises:
        FrameError: it does not fit the base.
    """
    freed, taken = decode_rows(reader), decode_rows(reader)
    generations = reader.many(len(taken))
    if len(freed) and (freed[-1] >= len(base.alive) or not base.alive[freed].all()):
        raise FrameError("the frame frees a row that is not there")
    size = max(len(base.alive), int(taken[-1]) + 1 if len(taken) else 0)
    alive = np.zeros(size, dtype=np.bool_)
    generation = np.zeros(size, dtype=np.uint16)
    alive[: len(base.alive)] = base.alive
    generation[: len(base.alive)] = base.generation
    if len(generations) and int(generations.max()) > 0xFFFF:
        raise FrameError("the frame has a generation above 65,535")
    if (alive[taken] & (generation[taken] == generations)).any() or len(np.intersect1d(freed, taken)):
        raise FrameError("the frame takes a row that is there already")
    alive[freed], generation[freed] = False, 0
    alive[taken], generation[taken] = True, generations
    there = np.flatnonzero(alive)
    size = int(there[-1]) + 1 if len(there) else 0
    emptied = np.concatenate((freed, taken))
    emptied = emptied[emptied < size]
    texts = carried_texts(layout, base, size, emptied)
    return TableVersion(alive[:size], generation[:size], carried(base, size, emptied), texts)


def zigzag(difference: Ints) -> NDArray[np.uint32]:
    """Fold the sign into the lowest bit, column after column (wire clause 8.5)."""
    return ((difference << 1) ^ (difference >> 31)).view(np.uint32).ravel()
