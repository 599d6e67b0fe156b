"""Decodes the item `sight` of a frame (wire clauses 8.20 to 8.24); the encoder is `encode.py`, what is held is in `held.py`.

A client never applies a part of it: all is done to forks of what it holds, which it takes when everything was right.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from meteor_net.state.errors import FrameError
from meteor_net.state.schema import Schema
from meteor_net.state.sight.held import HeldTable, Numbers, Ring, Slots, merged
from meteor_net.state.sight.reading import BitReader, unzigzag
from meteor_net.state.version import MAX_SLOTS, Mask, TableVersion

#: The modes of a column (wire clause 8.20).
HOLD, LINEAR = 0, 2


class InSight:
    """What a client sees of the keyed tables of a world; nobody changes it.

    Args:
        schema: Of the world.

    Attributes:
        tables: The keyed ones, in the schema's order.
    """

    def __init__(self, schema: Schema) -> None:
        keyed = [(number, HeldTable(kind)) for number, kind in enumerate(schema.tables) if kind.key_spec is not None]
        self._places = [number for number, _ in keyed]
        self.tables = [table for _, table in keyed]

    def apply(self, sight: bytes, anew: bool, tick: int = 0) -> InSight:
        """Give what is in sight after a frame; `self` stays as it is.

        Args:
            sight: The frame's item; empty where it has none.
            anew: All rows are forgotten first: the frame is a keyframe.
            tick: Of the frame's version.

        Raises:
            FrameError: It does not fit.
        """
        if not sight and not anew:
            return self
        tables = list(self.tables)
        reader = BitReader(sight)
        head = reader.uvarint() if sight else 0
        if head >> (len(tables) + 1):
            raise FrameError("the sight has a section for a table that is not keyed")
        if anew or head & 1:
            tables = [table.emptied() for table in tables]
        for place, table in enumerate(tables):
            if head >> (place + 1) & 1:
                tables[place] = table.fork()
                _read_section(reader, tables[place], tick)
        reader.finish()
        for before, table in zip(self.tables, tables, strict=True):
            if table is not before:
                table.compose()
        seen = InSight.__new__(InSight)
        seen._places, seen.tables = self._places, tables
        return seen

    def compose(self, tables: list[TableVersion]) -> tuple[TableVersion, ...]:
        """Put what is in sight into the tables of a version, in which the keyed ones are empty.

        Raises:
            FrameError: They are not.
        """
        composed = list(tables)
        for place, table in zip(self._places, self.tables, strict=True):
            if len(tables[place].alive):
                raise FrameError(f"{table.kind.table_name}: a keyed table has rows outside of the sight")
            composed[place] = table.version
        return tuple(composed)


def _read_section(reader: BitReader, table: HeldTable, tick: int) -> None:
    """Apply a table's section."""
    what = reader.uvarint()
    if what < 2 or what >> (1 + len(table.rings)):
        raise FrameError(f"{table.kind.table_name}: the sight has a ring that is not in the schema, or none")
    for number in range(len(table.rings)):
        if what >> (number + 1) & 1:
            _read_part(reader, table, number, tick)
            if what & 1 and reader.bits(32) != table.rings[number].crc():
                raise FrameError(f"{table.kind.table_name}: the checksum of ring {number} differs")


class _Way(NamedTuple):
    """How the numbers of the rows that stay are written: the columns, the parameter of each, and its factor of the velocity."""

    step: bool
    every: bool
    columns: Slots
    ks: list[int]
    linear: Numbers


def _read_part(reader: BitReader, table: HeldTable, number: int, tick: int) -> None:
    """Apply the part of a ring, but for its checksum."""
    way = _read_way(reader, table)
    ring = table.rings[number]
    left, beyond = _read_left(reader, table, number)
    entered = _read_entered(reader, table)
    if len(left) or entered is not None:
        gone = left if entered is None else np.union1d(left, entered.slots)
        ring = ring.take(np.flatnonzero(~np.isin(ring.slots, gone, assume_unique=True)))
    if way.step:
        ring = _move(reader, table, way, ring)
        table.stands(number, tick)
    reader.fill()
    if entered is not None:
        if table.layout.texts:
            _read_texts(reader, table, entered)
        ring = merged([ring, entered])
    if table.layout.texts:
        ring = _read_changed_texts(reader, table, ring)
    table.told(number, ring, left, beyond)


def _read_way(reader: BitReader, table: HeldTable) -> _Way:
    name, count = table.kind.table_name, len(table.domains.widths)
    bits = reader.uvarint(2 + count)
    step, every, bitmap = bool(bits & 1), bool(bits & 2), bits >> 2
    if not step and bits:
        raise FrameError(f"{name}: values in a part that is no step")
    columns, ks, linear = [], [], []
    for column in range(count):
        if bitmap >> column & 1:
            k, mode = divmod(reader.byte(), 8)
            if mode not in (HOLD, LINEAR):
                raise FrameError(f"{name}: mode {mode} is not known")
            columns.append(column)
            ks.append(k)
            linear.append(mode == LINEAR)
    return _Way(step, every, np.array(columns, dtype=np.intp), ks, np.array(linear, dtype=np.int64)[:, None])


def _read_left(reader: BitReader, table: HeldTable, number: int) -> tuple[Slots, Mask]:
    """Give the slots of the rows that leave, and whether the next ring is to have each."""
    listed, rings = len(table.rings[number].slots), len(table.rings)
    count = reader.number(0)
    if count > listed:
        raise FrameError(f"{table.kind.table_name}: {count} rows leave, of {listed}")
    places, beyond = [], []
    place = -1
    for _ in range(count):
        place += 1 + reader.number(4)
        if place >= listed:
            raise FrameError(f"{table.kind.table_name}: a row leaves that is not there")
        places.append(place)
        beyond.append(rings > 1 and reader.bits(1) == 1)
        if beyond[-1] and number == rings - 1:
            raise FrameError(f"{table.kind.table_name}: a row leaves for a ring that is not in the schema")
    return table.rings[number].slots[places], np.array(beyond, dtype=np.bool_)


def _read_entered(reader: BitReader, table: HeldTable) -> Ring | None:
    """Read the rows that enter, without their texts; None if none does."""
    name, domains = table.kind.table_name, table.domains
    count = reader.number(0)
    if not count:
        return None
    width = sum(domains.widths)
    least = 2 + width + len(domains.widths)  # bits of a row: two numbers, its values, its velocities
    if count > MAX_SLOTS or count * least > reader.left:
        raise FrameError(f"{name}: {count} rows enter")
    gap_k = reader.bits(5)
    ks = [reader.bits(5) for _ in domains.widths]
    slots = []
    slot = -1
    for _ in range(count):
        slot += 1 + reader.number(gap_k)
        slots.append(slot)
    if slot >= MAX_SLOTS:
        raise FrameError(f"{name}: slot {slot} is none")
    generations, values, velocities = [], [], []
    for _ in slots:
        generations.append(reader.number(0))
        raw = reader.bits(width)
        for lowest, bits in zip(domains.lowest, domains.widths, strict=True):
            values.append(lowest + (raw & ((1 << bits) - 1)))
            raw >>= bits
        velocities += [unzigzag(reader.number(k)) for k in ks]
    if max(generations) > 0xFFFF:
        raise FrameError(f"{name}: generation {max(generations)} is none")
    shape = (count, len(ks))
    entered = Ring(
        np.array(slots, dtype=np.intp),
        np.array(generations, dtype=np.uint16),
        np.array(values, dtype=np.int64).reshape(shape).T,
        np.array(velocities, dtype=np.int64).reshape(shape).T,
        np.empty((len(table.layout.texts), count), dtype=np.object_),
    )
    domains.check(entered.values)
    return entered


def _move(reader: BitReader, table: HeldTable, way: _Way, ring: Ring) -> Ring:
    """Read the numbers of the rows that stay, and move them (wire clause 8.22)."""
    count = len(ring.slots)
    places, numbers = reader.differences(count, way.ks, way.every)
    columns = way.columns
    values, velocities = ring.values, np.zeros_like(ring.velocities)
    if numbers:
        d = np.array(numbers, dtype=np.int64).reshape(-1, len(columns)).T
        whole = len(places) == count and len(columns) == len(values)
        chosen: Any = ... if whole else np.ix_(columns, np.array(places, dtype=np.intp))
        old = values[chosen]
        new = table.domains.brought(old + d + ring.velocities[chosen] * way.linear, columns)
        velocities[chosen] = table.domains.least(new - old, columns)
        if whole:
            values = new
        else:
            values = values.copy()
            values[chosen] = new
    return ring._replace(values=values, velocities=velocities)


def _read_texts(reader: BitReader, table: HeldTable, entered: Ring) -> None:
    """Read the texts of rows that enter."""
    for place in range(len(entered.slots)):
        for column, (_, field) in enumerate(table.layout.texts):
            entered.texts[column, place] = reader.text(field)


def _read_changed_texts(reader: BitReader, table: HeldTable, ring: Ring) -> Ring:
    """Give rows that stay their new texts."""
    count = reader.uvarint()
    if not count:
        return ring
    texts = ring.texts.copy()
    for _ in range(count):
        place, column = reader.uvarint(), reader.uvarint()
        if place >= len(ring.slots) or column >= len(texts):
            raise FrameError(f"{table.kind.table_name}: a text for a row or a column that is not there")
        texts[column, place] = reader.text(table.layout.texts[column][1])
    return ring._replace(texts=texts)
