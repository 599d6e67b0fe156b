"""Writes items `sight` bit by bit, after wire clauses 8.20 to 8.23: slow, and made of nothing that the package encodes with.

A `Teller` plays the server for one client and one table, and works out what that client has to see. It keeps a copy of each row
for each key, as it was told of last; what is seen of a row is the copy of the key that it entered last.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

from meteor_net.state import Table

Values = tuple[int, ...]


def uvarint(n: int) -> bytes:
    """Write an unsigned LEB128."""
    out = b""
    while n > 127:
        out += bytes([n % 128 + 128])
        n //= 128
    return out + bytes([n])


def key_set(keys: list[int]) -> bytes:
    """Write a key set."""
    gaps = [key - before - 1 for key, before in zip(keys, [-1, *keys], strict=False)]
    return uvarint(len(keys)) + b"".join(map(uvarint, gaps))


def zigzag(d: int) -> int:
    """Write a difference as a number."""
    return 2 * d if d >= 0 else -2 * d - 1


class Bits:
    """Bits, the first the least significant of the first byte."""

    def __init__(self) -> None:
        self.text = ""

    def raw(self, value: int, width: int) -> None:
        """Write an integer of so many bits."""
        assert 0 <= value < 1 << width
        self.text += f"{value:0{width}b}"[::-1] if width else ""

    def number(self, z: int, k: int) -> None:
        """Write a number with the parameter k (wire clause 8.14), in one place."""
        if z < 3 << k:
            zeros, e, rest = z >> k, k, z % (1 << k)
        else:
            e = (z - (2 << k)).bit_length() - 1
            zeros, rest = 3 + e - k, z - (2 << k) - (1 << e)
        self.text += "0" * zeros + "1"
        self.raw(rest, e)

    def __bytes__(self) -> bytes:
        filled = self.text + "0" * (-len(self.text) % 8)
        return bytes(int(filled[at : at + 8][::-1], 2) for at in range(0, len(filled), 8))


@dataclass(frozen=True)
class Row:
    """A row of the world: its key (None: nobody is told of it), and what it holds."""

    key: int | None
    generation: int
    values: Values
    texts: tuple[str | bytes, ...] = ()


@dataclass(frozen=True)
class Copy:
    """A row as a client was told of it."""

    generation: int
    values: Values
    velocities: Values
    texts: tuple[str | bytes, ...]


@dataclass
class Told:
    """A key as a client was told of it: its ring, the tick, and its rows by slot."""

    ring: int
    tick: int
    rows: dict[int, Copy] = field(default_factory=dict)


class Teller:
    """Tells one client of one keyed table.

    Args:
        table: The table's class.
        chance: Chooses modes and parameters, which are all right.

    Attributes:
        told: The keys that the client holds.
        seen: What it has to see, by slot.
    """

    def __init__(self, table: type[Table], chance: random.Random) -> None:
        assert table.key_spec is not None
        self.spec = table.key_spec
        self.fields = table.layout().columns
        self.has_texts = bool(table.layout().texts)
        self.chance = chance
        self.told: dict[int, Told] = {}
        self.seen: dict[int, Copy] = {}
        self._of: dict[int, int] = {}  # by slot: the key entered last, or waited for
        self._waits: set[int] = set()
        self._rows: dict[int, Row] = {}
        self._since: dict[int, int] = {}  # by slot: when it got its key

    # --- the world goes on ---

    def look(self, rows: dict[int, Row], tick: int) -> None:
        """See the rows of a tick; every tick is seen."""
        for slot, row in rows.items():
            was = self._rows.get(slot)
            if was is None or (was.key, was.generation) != (row.key, row.generation):
                self._since[slot] = tick
        self._rows = dict(rows)
        self.tick = tick

    def due(self, ring: int) -> bool:
        """Whether a ring is told of at this tick."""
        return self.tick % (1 << ring) == 0

    def forget(self) -> None:
        """The client forgets all keys first."""
        self.told, self.seen, self._of, self._waits = {}, {}, {}, set()

    # --- a section ---

    def section(self, view: dict[int, int], check: bool) -> bytes:
        """Tell what changed; `view` is the ring of each key that the client is to see. A ring gains keys when it is due."""
        dropped = sorted(self.told.keys() - view.keys())
        gained: list[list[int]] = [[] for _ in range(self.spec.rings)]
        for key, ring in sorted(view.items()):
            if self.due(ring) and (key not in self.told or self.told[key].ring != ring):
                gained[ring].append(key)
        for key in dropped:
            self._drop(key)
        out = key_set(dropped) if dropped else b""
        what = bool(dropped) | any(gained) << 1 | check << 2
        if any(gained):
            out += self._gained(gained, check)
        fresh = {key for keys in gained for key in keys}
        for ring in range(self.spec.rings):
            if self.due(ring):
                what |= 8 << ring
                out += self._pieces(ring, sorted(k for k, t in self.told.items() if t.ring == ring and k not in fresh), check)
        for slot in list(self._waits):
            if self.due(self.told[self._of[slot]].ring):
                self._remove(slot)
        return uvarint(what) + out

    def _drop(self, key: int) -> None:
        del self.told[key]
        for slot in [slot for slot, of in self._of.items() if of == key]:
            self._remove(slot)

    def _remove(self, slot: int) -> None:
        del self.seen[slot], self._of[slot]
        self._waits.discard(slot)

    def _enter(self, slot: int, key: int, copy: Copy) -> None:
        self.told[key].rows[slot] = self.seen[slot] = copy
        self._of[slot] = key
        self._waits.discard(slot)

    def _here(self, key: int) -> dict[int, Row]:
        return {slot: row for slot, row in sorted(self._rows.items()) if row.key == key}

    def _gained(self, gained: list[list[int]], check: bool) -> bytes:
        gap_k, ks = self.chance.randrange(5), [self.chance.randrange(6) for _ in self.fields]
        out = uvarint(sum(1 << ring for ring, keys in enumerate(gained) if keys))
        out += b"".join(key_set(keys) for keys in gained if keys) + bytes([gap_k, *ks])
        for ring, keys in enumerate(gained):
            for key in keys:
                if key in self.told:
                    self._drop(key)
                self.told[key] = Told(ring, self.tick)
                out += self._keyframe(key, gap_k, ks, check)
        return out

    def _keyframe(self, key: int, gap_k: int, ks: list[int], check: bool) -> bytes:
        rows, bits, before = self._here(key), Bits(), -1
        bits.number(len(rows), 2)
        for slot, row in rows.items():
            # Any velocities are right where the row's next ones follow from them.
            velocities = tuple(self.chance.randrange(-3, 4) for _ in self.fields)
            self._whole_row(bits, slot, before, row, gap_k)
            for velocity, k in zip(velocities, ks, strict=True):
                bits.number(zigzag(velocity), k)
            self._enter(slot, key, Copy(row.generation, row.values, velocities, row.texts))
            before = slot
        return bytes(bits) + b"".join(map(_texts, rows.values())) + (self._checksum(key) if check else b"")

    def _whole_row(self, bits: Bits, slot: int, before: int, row: Row, gap_k: int) -> None:
        bits.number(slot - before - 1, gap_k)
        bits.number(row.generation, 0)
        for value, column in zip(row.values, self.fields, strict=True):
            bits.raw(value - column.lowest, (column.highest - column.lowest).bit_length())

    def _checksum(self, key: int) -> bytes:
        rows = sorted(self.told[key].rows.items())
        words = [len(rows), *(slot for slot, _ in rows), *(row.generation for _, row in rows)]
        words += [row.values[c] for c in range(len(self.fields)) for _, row in rows]
        return zlib.crc32(b"".join((word % (1 << 32)).to_bytes(4, "little") for word in words)).to_bytes(4, "little")

    def _pieces(self, ring: int, keys: list[int], check: bool) -> bytes:
        columns = [c for c in range(len(self.fields)) if self._differs(keys, c) or self.chance.random() < 0.2]
        ways = {c: (self.chance.randrange(6), self.chance.choice((0, 2))) for c in columns}
        gap_k = self.chance.randrange(5)
        out = bytes([gap_k]) + uvarint(sum(1 << c for c in columns)) + bytes(8 * k + mode for k, mode in ways.values())
        return out + b"".join(self._piece(key, gap_k, ways, check) for key in keys)

    def _staying(self, key: int) -> dict[int, tuple[Copy, Row]]:
        told, now = self.told[key], self._here(key)
        return {
            slot: (copy, now[slot])
            for slot, copy in sorted(told.rows.items())
            if slot in now and self._since[slot] <= told.tick
        }

    def _differs(self, keys: list[int], c: int) -> bool:
        return any(copy.values[c] != row.values[c] for key in keys for copy, row in self._staying(key).values())

    def _piece(self, key: int, gap_k: int, ways: dict[int, tuple[int, int]], check: bool) -> bytes:
        told, now, staying = self.told[key], self._here(key), self._staying(key)
        entered = {slot: row for slot, row in now.items() if slot not in staying}
        left = [slot for slot in sorted(told.rows) if slot not in now]
        changed = {slot for slot, (copy, row) in staying.items() if copy.values != row.values}
        texts = [
            (slot, n) for slot, (copy, row) in staying.items() for n, text in enumerate(row.texts) if text != copy.texts[n]
        ]
        places = sorted(told.rows)
        targets = {slot: self._target(slot, told.rows[slot], key) for slot in left}
        bits = Bits()
        anything = bool(entered or left or changed or texts)
        bits.raw(anything, 1)
        if anything:
            every = len(changed) == len(staying)
            bits.raw(bool(left) | bool(entered) << 1 | every << 2, 3)
            self._write_left(bits, [places.index(slot) for slot in left], [targets[slot] for slot in left])
            self._write_entered(bits, entered, gap_k)
            for slot in [] if every else staying:
                bits.raw(slot in changed, 1)
        self._move(bits, key, staying, changed, ways)
        if not anything:
            told.tick = self.tick
            return bytes(bits)
        for slot in left:
            self._leave(slot, key, targets[slot])
        for slot, row in entered.items():
            self._enter(slot, key, Copy(row.generation, row.values, (0,) * len(self.fields), row.texts))
        told.tick = self.tick
        out = bytes(bits)
        if self.has_texts:
            out += b"".join(map(_texts, entered.values())) + uvarint(len(texts))
            listed = sorted(told.rows)
            for slot, n in texts:
                out += uvarint(listed.index(slot)) + uvarint(n) + _text(now[slot].texts[n])
        return out + (self._checksum(key) if check else b"")

    def _target(self, slot: int, copy: Copy, key: int) -> int | None:
        row = self._rows.get(slot)
        return row.key if row is not None and row.generation == copy.generation and row.key != key else None

    def _write_left(self, bits: Bits, places: list[int], targets: list[int | None]) -> None:
        if places:
            bits.number(len(places) - 1, 0)
        for place, before, to in zip(places, [-1, *places], targets, strict=False):
            bits.number(place - before - 1, 2)
            if self.spec.rings > 1:
                bits.raw(to is not None, 1)
                if to is not None:
                    bits.raw(to, self.spec.bits)

    def _write_entered(self, bits: Bits, entered: dict[int, Row], gap_k: int) -> None:
        if entered:
            bits.number(len(entered) - 1, 0)
        for slot, before in zip(entered, [-1, *entered], strict=False):
            self._whole_row(bits, slot, before, entered[slot], gap_k)

    def _leave(self, slot: int, key: int, to: int | None) -> None:
        del self.told[key].rows[slot]
        if self._of.get(slot) != key:
            return
        if self.spec.rings > 1 and to in self.told and to is not None:
            self._of[slot] = to
            self._waits.add(slot)
        else:
            self._remove(slot)

    def _move(self, bits: Bits, key: int, staying: Any, changed: set[int], ways: dict[int, tuple[int, int]]) -> None:
        for slot, (copy, row) in staying.items():
            if slot in changed:
                for c, (k, mode) in ways.items():
                    guess = copy.values[c] + (copy.velocities[c] if mode == 2 else 0)
                    bits.number(zigzag(self._least(c, row.values[c] - guess)), k)
            v = tuple(self._least(c, new - old) for c, (new, old) in enumerate(zip(row.values, copy.values, strict=True)))
            moved = replace(copy, values=row.values, velocities=v, texts=row.texts)
            self.told[key].rows[slot] = moved
            assert self._of[slot] == key and slot not in self._waits
            self.seen[slot] = moved

    def _least(self, c: int, d: int) -> int:
        """Give the difference of least magnitude, the negative one of equals (wire clause 8.16)."""
        column = self.fields[c]
        size = column.highest - column.lowest + 1
        modulus = column.modulus or (size if size in (2, 3, 4) else 1 << 32)
        d %= modulus
        return d - modulus if 2 * d >= modulus else d


def _text(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return uvarint(len(data)) + data


def _texts(row: Row) -> bytes:
    return b"".join(map(_text, row.texts))


def sight(forget: bool, sections: list[bytes | None]) -> bytes:
    """Write the whole item: a section, or None, of each keyed table."""
    head = forget + sum(2 << i for i, section in enumerate(sections) if section is not None)
    return uvarint(head) + b"".join(section for section in sections if section is not None)
