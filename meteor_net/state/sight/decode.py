"""Decodes the item `sight` of a frame (wire clauses 8.20 to 8.24).

The encoder is `encode.py`; what is held is in `held.py`, what is told of single keys in `pieces.py`.

A client never applies a part of it: all is done to forks of what it holds, which it takes when everything was right.
"""

from __future__ import annotations

from meteor_net.state.errors import FrameError
from meteor_net.state.schema import Schema
from meteor_net.state.sight.held import HeldKey, HeldTable, Integers
from meteor_net.state.sight.pieces import Pieces, Row, check_crc, read_row, read_texts
from meteor_net.state.sight.reading import BitReader, unzigzag
from meteor_net.state.version import MAX_SLOTS, TableVersion


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
            anew: All keys are forgotten first: the frame is a keyframe.
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
    if what >> (3 + table.spec.rings):
        raise FrameError(f"{table.kind.table_name}: the sight has a ring that is not in the schema")
    check = bool(what & 4)
    if what & 1:
        for key in _read_keys(reader, table):
            table.drop(key)
    gained = _read_gained(reader, table, check) if what & 2 else set()
    rings = [ring for ring in range(table.spec.rings) if what >> (3 + ring) & 1]
    for ring in rings:
        keys = sorted(key for key, held in table.keys.items() if held.ring == ring and key not in gained)
        pieces = Pieces(reader, table, check)
        for key in keys:
            pieces.read(key)
    table.settle(rings, tick)


def _read_keys(reader: BitReader, table: HeldTable) -> list[int]:
    """Read a key set."""
    keys: list[int] = []
    key = -1
    for _ in range(reader.uvarint()):
        key += reader.uvarint() + 1
        if key >> table.spec.bits:
            raise FrameError(f"{table.kind.table_name}: {key} is no key of {table.spec.bits} bits")
        keys.append(key)
    return keys


def _read_gained(reader: BitReader, table: HeldTable, check: bool) -> set[int]:
    """Apply the keyframes of a section; give their keys."""
    rings = reader.uvarint()
    if rings >> table.spec.rings:
        raise FrameError(f"{table.kind.table_name}: keys are gained in a ring that is not in the schema")
    listed: list[tuple[int, int]] = []
    for ring in range(table.spec.rings):
        if rings >> ring & 1:
            keys = _read_keys(reader, table)
            if not keys:
                raise FrameError(f"{table.kind.table_name}: no keys are gained in a ring that is named")
            listed += [(key, ring) for key in keys]
    gained = {key for key, _ in listed}
    if len(gained) != len(listed):
        raise FrameError(f"{table.kind.table_name}: a key is gained twice")
    gap_k = reader.parameter()
    ks = [reader.parameter() for _ in table.domains]
    for key, ring in listed:
        if key in table.keys:
            table.drop(key)
        _read_keyframe(reader, table, key, ring, gap_k, ks, check)
    return gained


def _read_keyframe(reader: BitReader, table: HeldTable, key: int, ring: int, gap_k: int, ks: list[int], check: bool) -> None:
    count = reader.number(2)
    if count > MAX_SLOTS:
        raise FrameError(f"{table.kind.table_name}: {count} rows in a key")
    rows: list[tuple[Row, Integers]] = []
    slot = -1
    for _ in range(count):
        row = read_row(reader, table, slot, gap_k)
        slot = row.slot
        rows.append((row, [unzigzag(reader.number(k)) for k in ks]))
    reader.fill()
    for row, velocities in rows:
        table.enter(row.slot, key, row.generation, row.values, velocities, read_texts(reader, table))
    table.keys[key] = HeldKey(ring, [row.slot for row, _ in rows])
    check_crc(reader, table, key, check)
