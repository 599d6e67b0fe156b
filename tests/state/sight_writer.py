"""Writes items `sight` bit by bit, after wire clauses 8.20 to 8.23: slow, and made of nothing that the package encodes with.

A `Teller` plays the server for one client and one table, and works out what that client has to see: of each slot the row of the
lowest ring that shows it.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field, replace

from meteor_net.state import Table

Values = tuple[int, ...]


def uvarint(n: int) -> bytes:
    """Write an unsigned LEB128."""
    out = b""
    while n > 127:
        out += bytes([n % 128 + 128])
        n //= 128
    return out + bytes([n])


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

    def gaps(self, places: list[int], k: int) -> None:
        """Write places or slots, ascending."""
        for place, before in zip(places, [-1, *places], strict=False):
            self.number(place - before - 1, k)

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


Rows = dict[int, Row]
Copies = dict[int, Copy]


@dataclass
class Told:
    """A ring as a client was told of it.

    Attributes:
        world: The world's rows that it stands at.
        rows: Its list, by slot.
        hidden: Slots that are listed, but left a lower ring since.
        left: Rows that left it for the next ring, which was not told of since.
    """

    world: Rows = field(default_factory=dict)
    rows: Copies = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    left: Copies = field(default_factory=dict)

    def shows(self, slot: int) -> Copy | None:
        """Give the row that this ring shows, if lower ones do not."""
        return None if slot in self.rows and slot in self.hidden else self.rows.get(slot, self.left.get(slot))


class Teller:
    """Tells one client of one keyed table.

    Args:
        table: The table's class.
        chance: Chooses modes and parameters, which are all right.
        plain: Nothing is told that need not be, rows enter without velocities, and *beyond* is as it is.

    Attributes:
        rings: What the client was told.
    """

    def __init__(self, table: type[Table], chance: random.Random, plain: bool = False) -> None:
        assert table.key_spec is not None
        self.fields = table.layout().columns
        self.has_texts = bool(table.layout().texts)
        self.chance = chance
        self.plain = plain
        self.rings = [Told() for _ in range(table.key_spec.rings)]
        self._now: Rows = {}

    @property
    def seen(self) -> Copies:
        """What the client has to see, by slot (wire clause 8.23)."""
        slots = {slot for ring in self.rings for slot in (*ring.rows, *ring.left)}
        shown = {slot: [copy for ring in self.rings if (copy := ring.shows(slot))] for slot in sorted(slots)}
        return {slot: copies[0] for slot, copies in shown.items() if copies}

    def _whim(self, probability: float) -> bool:
        return not self.plain and self.chance.random() < probability

    def look(self, rows: Rows, tick: int) -> None:
        """See the rows of a tick."""
        self._now = dict(rows)
        self.tick = tick

    def due(self, number: int) -> bool:
        """Whether a ring is told of at this tick."""
        return self.tick % (1 << number) == 0

    def forget(self) -> None:
        """The client forgets all rows first."""
        self.rings = [Told() for _ in self.rings]

    def section(self, view: dict[int, int], check: bool) -> bytes:
        """Tell what changed; `view` is the ring of each key that the client is to see.

        A ring that is not due stands where it stood, but may be told of all the same, as the view may be another one.
        """
        parts = b""
        what = int(check)
        for number, ring in enumerate(self.rings):
            step = self.due(number) or not ring.world
            if step or self._wanted(number, view).keys() != ring.rows.keys() or self._whim(0.2):
                what |= 2 << number
                parts += self._part(number, view, step) + (self._checksum(ring) if check else b"")
        return uvarint(what) + parts if what > 1 else b""

    def _part(self, number: int, view: dict[int, int], step: bool) -> bytes:
        ring, bits = self.rings[number], Bits()
        if step:
            ring.world = self._now
        wanted = self._wanted(number, view)
        anew = {s for s, row in wanted.items() if s in ring.rows and ring.rows[s].generation != row.generation}
        left = [s for s in sorted(ring.rows) if s not in wanted or (s in anew and self._whim(0.5))]
        entered = {s: row for s, row in wanted.items() if s in anew or s not in ring.rows}
        beyond = {s: self._is_beyond(number, view, s) for s in left}
        self._write_left(bits, sorted(ring.rows), left, beyond)
        self._write_entered(bits, entered)
        staying = {s: (copy, wanted[s]) for s, copy in sorted(ring.rows.items()) if s in wanted and s not in anew}
        head = self._write_numbers(bits, staying) if step else b"\0"
        self._leave(number, left, beyond)
        for slot, (copy, row) in staying.items():
            v = tuple(self._least(c, new - old) for c, (new, old) in enumerate(zip(row.values, copy.values, strict=True)))
            ring.rows[slot] = replace(copy, values=row.values, velocities=v, texts=row.texts) if step else copy
        ring.rows |= {s: Copy(row.generation, row.values, self._entering[s], row.texts) for s, row in entered.items()}
        ring.rows = dict(sorted(ring.rows.items()))
        self._tell(number)
        return head + bytes(bits) + (self._texts(ring, entered, staying if step else {}) if self.has_texts else b"")

    def _wanted(self, number: int, view: dict[int, int]) -> Rows:
        rows = sorted(self.rings[number].world.items())
        return {slot: row for slot, row in rows if row.key is not None and view.get(row.key) == number}

    def _is_beyond(self, number: int, view: dict[int, int], slot: int) -> bool:
        if number == len(self.rings) - 1:
            return False
        row = self._now.get(slot)
        there = row is not None and row.key is not None and view.get(row.key) == number + 1
        return there ^ self._whim(0.1)  # whatever is told is what is seen

    def _write_left(self, bits: Bits, listed: list[int], left: list[int], beyond: dict[int, bool]) -> None:
        bits.number(len(left), 0)
        before = -1
        for slot in left:
            place = listed.index(slot)
            bits.number(place - before - 1, 4)
            before = place
            if len(self.rings) > 1:
                bits.raw(beyond[slot], 1)

    def _write_entered(self, bits: Bits, entered: Rows) -> None:
        bits.number(len(entered), 0)
        self._entering = {}
        if not entered:
            return
        gap_k, ks = self.chance.randrange(5), [self.chance.randrange(6) for _ in self.fields]
        for k in (gap_k, *ks):
            bits.raw(k, 5)
        bits.gaps(list(entered), gap_k)
        for slot, row in entered.items():
            # Any velocities are right where the row's next ones follow from them.
            velocities = self._entering[slot] = tuple(0 if self.plain else self.chance.randrange(-3, 4) for _ in self.fields)
            bits.number(row.generation, 0)
            for value, column in zip(row.values, self.fields, strict=True):
                bits.raw(value - column.lowest, (column.highest - column.lowest).bit_length())
            for velocity, k in zip(velocities, ks, strict=True):
                bits.number(zigzag(velocity), k)

    def _write_numbers(self, bits: Bits, staying: dict[int, tuple[Copy, Row]]) -> bytes:
        """Write the numbers; give what stands before all bits."""
        pairs = list(staying.values())
        differ = [any(copy.values[c] != row.values[c] for copy, row in pairs) for c in range(len(self.fields))]
        columns = [c for c, differs in enumerate(differ) if differs or self._whim(0.2)]
        ways = {c: (self.chance.randrange(6), self.chance.choice((0, 2))) for c in columns}
        marked = [copy.values != row.values or self._whim(0.1) for copy, row in pairs]
        every = all(marked) and not self._whim(0.3)
        for mark, (copy, row) in zip(marked, pairs, strict=True):
            if not every:
                bits.raw(mark, 1)
            for c, (k, mode) in ways.items() if mark else ():
                guess = copy.values[c] + (copy.velocities[c] if mode == 2 else 0)
                bits.number(zigzag(self._least(c, row.values[c] - guess)), k)
        return uvarint(1 + 2 * every + sum(4 << c for c in columns)) + bytes(8 * k + mode for k, mode in ways.values())

    def _leave(self, number: int, left: list[int], beyond: dict[int, bool]) -> None:
        for slot in left:
            copy = self.rings[number].rows.pop(slot)
            if slot in self.rings[number].hidden or any(ring.shows(slot) for ring in self.rings[:number]):
                continue
            if beyond[slot]:
                self.rings[number].left[slot] = copy
            else:
                self._hide(slot, number)

    def _hide(self, slot: int, number: int) -> None:
        """Let a row be shown no more by the rings above one."""
        for higher in self.rings[number + 1 :]:
            higher.left.pop(slot, None)
            if slot in higher.rows:
                higher.hidden.add(slot)

    def _tell(self, number: int) -> None:
        """A ring was told of: what hung on that is settled."""
        ring = self.rings[number]
        ring.hidden.clear()
        for other in self.rings[number:]:
            for slot in ring.rows:
                other.left.pop(slot, None)
        if number:
            before = self.rings[number - 1]
            for slot in before.left:
                if slot not in ring.rows:
                    self._hide(slot, number)
            before.left = {}

    def _texts(self, ring: Told, entered: Rows, staying: dict[int, tuple[Copy, Row]]) -> bytes:
        out = b"".join(_text(text) for row in entered.values() for text in row.texts)
        changed = [
            (slot, n, text)
            for slot, (copy, row) in staying.items()
            for n, text in enumerate(row.texts)
            if text != copy.texts[n]
        ]
        listed = list(ring.rows)
        texts = b"".join(uvarint(listed.index(slot)) + uvarint(n) + _text(text) for slot, n, text in changed)
        return out + uvarint(len(changed)) + texts

    def _checksum(self, ring: Told) -> bytes:
        rows = list(ring.rows.values())
        words = [len(rows), *ring.rows, *(row.generation for row in rows)]
        words += [row.values[c] for c in range(len(self.fields)) for row in rows]
        return zlib.crc32(b"".join((word % (1 << 32)).to_bytes(4, "little") for word in words)).to_bytes(4, "little")

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


def sight(forget: bool, sections: list[bytes | None]) -> bytes:
    """Write the whole item: a section, or None or nothing, of each keyed table."""
    head = forget + sum(2 << i for i, section in enumerate(sections) if section)
    return uvarint(head) + b"".join(section for section in sections if section)
