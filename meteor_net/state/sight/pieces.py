"""Reads what a section `sight` tells of single keys: rows told whole, and the pieces of a ring (wire clauses 8.21 and 8.22)."""

from __future__ import annotations

from typing import Any, NamedTuple

from meteor_net.state.errors import FrameError
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
from meteor_net.state.version import MAX_SLOTS

#: The modes of a column (wire clause 8.20).
HOLD, LINEAR = 0, 2
#: Bytes of a window out of which many numbers are read.
_WINDOW = 32


class Row(NamedTuple):
    """A row that is told whole, without its texts."""

    slot: int
    generation: int
    values: Integers


def read_row(reader: BitReader, table: HeldTable, before: int, gap_k: int) -> Row:
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
    return Row(slot, generation, values)


def read_texts(reader: BitReader, table: HeldTable) -> tuple[Any, ...]:
    """Read the texts of a row that is told whole."""
    return tuple([reader.text(field) for _, field in table.layout.texts])


def check_crc(reader: BitReader, table: HeldTable, key: int, check: bool) -> None:
    """Read the checksum of a key, if there is one, and make sure that its rows have it."""
    if check and reader.bits(32) != table.crc(key):
        raise FrameError(f"{table.kind.table_name}: the checksum of the key {key} differs")


#: How the numbers of a column with values are written: column, parameter, `short_codes` of it, whether the mode is linear, and
#: what its `Domain` tells. A plain tuple, as those are taken apart fastest.
_Way = tuple[int, int, list[int], bool, int, int, int, int, int, int]


class Pieces:
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
            table.enter(row.slot, key, row.generation, row.values, table.still, read_texts(reader, table))
        if left or entered:
            table.keys[key] = HeldKey(ring, sorted([*staying, *(row.slot for row in entered)]))
        if table.layout.texts:
            self._read_changed_texts(table.keys[key].slots)
        check_crc(reader, table, key, self._check)

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

    def _read_entered(self) -> list[Row]:
        rows: list[Row] = []
        slot = -1
        for _ in range(self._reader.number(0) + 1):
            rows.append(read_row(self._reader, self._table, slot, self._gap_k))
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
