"""Decodes the item `sight` of a frame (wire clauses 8.20 to 8.24); the encoder is `encode.py`, what is held is in `held.py`.

A client never applies a part of it: all is done to forks of what it holds, which it takes when everything was right.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from meteor_net.state.errors import FrameError
from meteor_net.state.schema import Schema
from meteor_net.state.sight.held import HeldKey, HeldTable, Integers
from meteor_net.state.sight.reading import (
    LENGTH_BITS,
    LENGTH_MASK,
    LONGEST,
    LOW_BITS,
    BitReader,
    read_code,
    short_codes,
    unzigzag,
)
from meteor_net.state.version import MAX_SLOTS, TableVersion

#: The modes of a column (wire clause 8.20).
HOLD, LINEAR = 0, 2
#: Bytes of a window out of which many numbers are read.
_WINDOW = 32


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

    def apply(self, sight: bytes, anew: bool) -> InSight:
        """Give what is in sight after a frame; `self` stays as it is.

        Args:
            sight: The frame's item; empty where it has none.
            anew: All keys are forgotten first: the frame is a keyframe.

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
                _read_section(reader, tables[place])
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


def _read_section(reader: BitReader, table: HeldTable) -> None:
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
        pieces = _Pieces(reader, table, check)
        for key in keys:
            pieces.read(key)
    table.settle(rings)


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


# --- keyframes ---


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
    rows: list[tuple[_Row, Integers]] = []
    slot = -1
    for _ in range(count):
        row = _read_row(reader, table, slot, gap_k)
        slot = row.slot
        rows.append((row, [unzigzag(reader.number(k)) for k in ks]))
    reader.fill()
    for row, velocities in rows:
        table.enter(row.slot, key, row.generation, row.values, velocities, _read_texts(reader, table))
    table.keys[key] = HeldKey(ring, [row.slot for row, _ in rows])
    _check(reader, table, key, check)


class _Row(NamedTuple):
    slot: int
    generation: int
    values: Integers


def _read_row(reader: BitReader, table: HeldTable, before: int, gap_k: int) -> _Row:
    """Read slot, generation and values of a row; `before` is the slot before it, -1 if there is none."""
    slot = before + 1 + reader.number(gap_k)
    generation = reader.number(0)
    if slot >= MAX_SLOTS or generation > 0xFFFF:
        raise FrameError(f"{table.kind.table_name}: slot {slot}, generation {generation}")
    raw = reader.bits(table.width)
    values = []
    for domain, width in zip(table.domains, table.widths, strict=True):
        value = domain.lowest + (raw & ((1 << width) - 1))
        raw >>= width
        if value > domain.highest:
            raise FrameError(f"{table.kind.table_name}: a value outside its field's domain")
        values.append(value)
    return _Row(slot, generation, values)


def _read_texts(reader: BitReader, table: HeldTable) -> tuple[Any, ...]:
    """Read the texts of a row that is told whole."""
    return tuple([reader.text(field) for _, field in table.layout.texts])


def _check(reader: BitReader, table: HeldTable, key: int, check: bool) -> None:
    if check and reader.bits(32) != table.crc(key):
        raise FrameError(f"{table.kind.table_name}: the checksum of the key {key} differs")


# --- pieces ---


#: How the numbers of a column with values are written: column, parameter, `short_codes` of it, whether the mode is linear, and what
#: its `Domain` tells. A plain tuple, as those are taken apart fastest.
_Way = tuple[int, int, list[int], bool, int, int, int, int, int, int]


class _Pieces:
    """Reads the pieces of one ring; it begins with what all of them have in common."""

    def __init__(self, reader: BitReader, table: HeldTable, check: bool) -> None:
        self._reader, self._table, self._check = reader, table, check
        self._gap_k = reader.parameter()
        columns = reader.uvarint()
        if columns >> len(table.domains):
            raise FrameError(f"{table.kind.table_name}: values for a column that is not in the schema")
        self._ways: list[_Way] = []
        for column, domain in enumerate(table.domains):
            if columns >> column & 1:
                k, mode = divmod(reader.byte(), 8)
                if mode not in (HOLD, LINEAR):
                    raise FrameError(f"{table.kind.table_name}: mode {mode} is not known")
                self._ways.append((column, k, short_codes(k), mode == LINEAR, *domain))

    def read(self, key: int) -> None:
        """Apply the piece of a key."""
        reader, table = self._reader, self._table
        ring, slots = table.keys[key]
        if not reader.bits(1):
            reader.fill()
            self._stay(key, slots, [])
            return
        flags = reader.bits(3)
        left = self._read_left(slots) if flags & 1 else {}
        entered = self._read_entered() if flags & 2 else []
        staying = slots
        if left or entered:
            other = left.keys() | {row.slot for row in entered}
            staying = [slot for slot in slots if slot not in other]
        changed = staying
        if not flags & 4:
            marks = reader.bits(len(staying))
            changed = [slot for place, slot in enumerate(staying) if marks >> place & 1]
        self._stay(key, staying, changed)
        reader.fill()
        for slot, to in left.items():
            table.leave(slot, key, to)
        for row in entered:
            table.enter(row.slot, key, row.generation, row.values, table.still, _read_texts(reader, table))
        if left or entered:
            table.keys[key] = HeldKey(ring, sorted([*staying, *(row.slot for row in entered)]))
        if table.layout.texts:
            self._read_changed_texts(table.keys[key].slots)
        _check(reader, table, key, self._check)

    def _read_left(self, slots: list[int]) -> dict[int, int | None]:
        """Give the rows that leave, by slot; each with its key now, if that is told."""
        reader, spec = self._reader, self._table.spec
        left: dict[int, int | None] = {}
        place = -1
        for _ in range(reader.number(0) + 1):
            place += 1 + reader.number(2)
            if place >= len(slots):
                raise FrameError(f"{self._table.kind.table_name}: a row leaves that is not there")
            left[slots[place]] = reader.bits(spec.bits) if spec.rings > 1 and reader.bits(1) else None
        return left

    def _read_entered(self) -> list[_Row]:
        rows: list[_Row] = []
        slot = -1
        for _ in range(self._reader.number(0) + 1):
            rows.append(_read_row(self._reader, self._table, slot, self._gap_k))
            slot = rows[-1].slot
        return rows

    def _stay(self, key: int, staying: list[int], changed: list[int]) -> None:
        """Move the rows that changed; those that did not stand still."""
        table = self._table
        table.check_staying(key, staying)
        if len(changed) < len(staying):
            table.velocities.update(dict.fromkeys(set(staying).difference(changed), table.still))
        if changed:
            self._read_numbers(changed)

    def _read_numbers(self, changed: list[int]) -> None:
        """Read the numbers of rows, and move them."""
        # The innermost loop of a client, so everything is at hand in it; a window is read on while it holds a whole code.
        reader, ways, table = self._reader, self._ways, self._table
        data, values, velocities = reader.data, table.values, table.velocities
        window = left = 0
        end = reader.at  # of the window
        for slot in changed:
            old, velocity = values[slot], velocities[slot]
            new, moved = old.copy(), table.still.copy()
            for column, k, short, linear, lowest, highest, modulus, begin, below, above in ways:
                if left < LONGEST:
                    at = end - left
                    window = int.from_bytes(data[at >> 3 : (at >> 3) + _WINDOW], "little") >> (at & 7)
                    end = (at & ~7) + 8 * _WINDOW
                    left = end - at
                entry = short[window & LOW_BITS]
                if entry:
                    length, d = entry & LENGTH_MASK, entry >> LENGTH_BITS
                else:
                    z, length = read_code(window, k)
                    d = unzigzag(z)
                window >>= length
                left -= length
                was = old[column]
                now = was + d + velocity[column] if linear else was + d
                if not lowest <= now <= highest:
                    now = (now - begin) % modulus + begin
                    if not lowest <= now <= highest:
                        raise FrameError(f"{table.kind.table_name}: a value leaves its field's domain")
                new[column] = now
                v = now - was
                moved[column] = v if below <= v < above else (v - below) % modulus + below
            values[slot], velocities[slot] = new, moved
        reader.move_to(end - left)

    def _read_changed_texts(self, slots: list[int]) -> None:
        """Give rows of a key their new texts."""
        reader, table = self._reader, self._table
        for _ in range(reader.uvarint()):
            place, column = reader.uvarint(), reader.uvarint()
            if place >= len(slots) or column >= len(table.layout.texts):
                raise FrameError(f"{table.kind.table_name}: a text for a row or a column that is not there")
            table.set_text(slots[place], column, reader.text(table.layout.texts[column][1]))
