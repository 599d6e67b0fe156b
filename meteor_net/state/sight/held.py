"""What a client holds of a keyed table: the rows of the keys in its sight (wire clauses 8.22 and 8.23)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from meteor_net.state.coding.plan import SMALL
from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout
from meteor_net.state.sight.keys import KeySpec
from meteor_net.state.table import Table
from meteor_net.state.version import MAX_SLOTS, Generations, Ints, Mask, Slow, TableVersion, Texts, note_moved

#: Rows of all keys: a row that crosses is listed in its old key, too, until that key's ring is told of.
MAX_LISTED = 4 * MAX_SLOTS

Integers = list[int]


class Domain(NamedTuple):
    """What an integer column can hold, and how it wraps (wire clause 8.16).

    Attributes:
        lowest, highest: The values.
        modulus: Of sums.
        begin: Sums are brought to the `modulus` integers from here on.
        below, above: Differences of least magnitude are from `below` on, and less than `above`.
    """

    lowest: int
    highest: int
    modulus: int
    begin: int
    below: int
    above: int


def domains_of(layout: Layout) -> list[Domain]:
    """Give the domains of a table's integer columns."""
    domains = []
    for field in layout.columns:
        size = field.highest - field.lowest + 1
        ring = field.modulus or (size if size in SMALL else 0)
        modulus, begin = (ring, field.lowest) if ring else (1 << 32, -(1 << 31))
        domains.append(Domain(field.lowest, field.highest, modulus, begin, -(modulus // 2), (modulus + 1) // 2))
    return domains


class HeldKey(NamedTuple):
    """A key in sight.

    Attributes:
        ring: How often it is told of.
        slots: Its rows as it was told of last, ascending; nobody may write to it.
    """

    ring: int
    slots: list[int]


class HeldTable:
    """The rows of one table that are in sight.

    Rows, and keys, are replaced and never written to: so a fork shares them, and whoever is refused drops the fork.

    Args:
        kind: A keyed table.

    Attributes:
        keys: Those in sight.
        key: Of each row, by its slot: the one that it entered last, or for which it waits.
        waiting: Slots of the rows that left their key for one that was not told of since.
        values, velocities, generations, texts: Of each row, by its slot.
        version: All rows, as `compose` made it last.
    """

    def __init__(self, kind: type[Table]) -> None:
        assert kind.key_spec is not None
        self.kind = kind
        self.spec: KeySpec = kind.key_spec
        self.layout = kind.layout()
        self.domains = domains_of(self.layout)
        #: Bits of a row's integers when they travel raw, and of each.
        self.widths = [(domain.highest - domain.lowest).bit_length() for domain in self.domains]
        self.width = sum(self.widths)
        #: The velocity of a row that stands still.
        self.still: Integers = [0] * len(self.domains)
        self.version = TableVersion.empty(self.layout)
        #: When each ring was told of last.
        self._told = [0] * self.spec.rings
        self._forget()

    def _forget(self) -> None:
        self.keys: dict[int, HeldKey] = {}
        self.key: dict[int, int] = {}
        self.waiting: set[int] = set()
        self.values: dict[int, Integers] = {}
        self.velocities: dict[int, Integers] = {}
        self.generations: dict[int, int] = {}
        self.texts: dict[int, tuple[Any, ...]] = {}
        #: Whether other rows are there than in `version`, and whether they have other texts.
        self._other_rows = self._other_texts = True

    def fork(self) -> HeldTable:
        """Give one that may be changed while this one stays."""
        forked = copy(self)
        forked._told = self._told.copy()
        forked.keys = self.keys.copy()
        forked.key = self.key.copy()
        forked.waiting = self.waiting.copy()
        forked.values = self.values.copy()
        forked.velocities = self.velocities.copy()
        forked.generations = self.generations.copy()
        forked.texts = self.texts.copy()
        return forked

    def emptied(self) -> HeldTable:
        """Give one without keys and rows; itself if it has none."""
        if not self.keys:
            return self
        emptied = copy(self)
        emptied._forget()
        return emptied

    # --- rows come and go ---

    def drop(self, key: int) -> None:
        """Let a key go, with its rows and those that wait for it.

        Raises:
            FrameError: It is not in sight.
        """
        held = self.keys.pop(key, None)
        if held is None:
            raise FrameError(f"{self.kind.table_name}: the key {key} is dropped, and was not in sight")
        for slot in (*held.slots, *self.waiting):
            if self.key.get(slot) == key:
                self._remove(slot)

    def enter(
        self, slot: int, key: int, generation: int, values: Integers, velocities: Integers, texts: tuple[Any, ...]
    ) -> None:
        """Let a row be of a key, whatever it was before."""
        if self.generations.get(slot) != generation:
            self._other_rows = True
            self.generations[slot] = generation
        if texts and self.texts.get(slot) != texts:
            self.texts[slot] = texts
            self._other_texts = True
        self.key[slot] = key
        self.waiting.discard(slot)
        self.values[slot] = values
        self.velocities[slot] = velocities

    def leave(self, slot: int, key: int, to: int | None) -> None:
        """Let a row leave a key, for another one if that is known."""
        if self.key.get(slot) != key:
            return  # it has entered another key since, or is gone already
        if to is None or to not in self.keys:
            self._remove(slot)
        else:
            self.key[slot] = to
            self.waiting.add(slot)

    def _remove(self, slot: int) -> None:
        for column in (self.key, self.values, self.velocities, self.generations):
            del column[slot]
        self.texts.pop(slot, None)
        self.waiting.discard(slot)
        self._other_rows = self._other_texts = True

    def check_staying(self, key: int, slots: list[int]) -> None:
        """Make sure that rows are of a key.

        Raises:
            FrameError: One is gone, is of another, or waits for this one.
        """
        of = self.key
        for slot in slots:
            if of.get(slot) != key or slot in self.waiting:
                raise FrameError(f"{self.kind.table_name}: the row {slot} stays in the key {key}, and is not there")

    def set_text(self, slot: int, column: int, text: Any) -> None:
        """Give a row another text, or data; `column` counts those only."""
        texts = self.texts[slot]
        self.texts[slot] = (*texts[:column], text, *texts[column + 1 :])
        self._other_texts = True

    def settle(self, rings: Iterable[int], tick: int) -> None:
        """End a section in which these rings were told of, at a tick: who waited for their keys in vain is gone.

        Raises:
            FrameError: There are more rows than can be.
        """
        told = set(rings)
        for ring in told:
            self._told[ring] = tick
        for slot in list(self.waiting):
            if self.keys[self.key[slot]].ring in told:
                self._remove(slot)
        if sum(len(held.slots) for held in self.keys.values()) > MAX_LISTED:
            raise FrameError(f"{self.kind.table_name}: more rows are in sight than there can be")

    # --- what is there ---

    def crc(self, key: int) -> int:
        """Give the checksum of a key's rows (wire clause 8.24)."""
        slots = self.keys[key].slots
        numbers = [len(slots), *slots, *(self.generations[slot] for slot in slots)]
        for column in range(len(self.domains)):
            numbers += [self.values[slot][column] for slot in slots]
        return zlib.crc32(np.array(numbers, dtype="<i4").tobytes())

    def compose(self) -> None:
        """Make `version` of the rows; what is as before is shared, even all of it."""
        old = self.version
        slots = np.array(sorted(self.values), dtype=np.intp)
        alive, generation = self._structure(slots) if self._other_rows else (old.alive, old.generation)
        texts = self._all_texts(slots, len(alive)) if self._other_texts else old.texts
        ints: Ints = np.zeros((len(self.domains), len(alive)), dtype=np.int32)
        if len(slots):
            ints[:, slots] = np.array([self.values[slot] for slot in slots.tolist()], dtype=np.int32).T
        self._other_rows = self._other_texts = False
        ints.flags.writeable = False
        if alive is not old.alive or generation is not old.generation:
            self.version = TableVersion(alive, generation, ints, texts)
        else:
            moved = np.logical_or.reduce(ints != old.ints).nonzero()[0]
            if not len(moved) and texts is old.texts:
                return
            self.version = TableVersion(alive, generation, ints if len(moved) else old.ints, texts)
            note_moved(old, self.version, moved)
        self.version.slow = tuple(self._slow())

    def _slow(self) -> Iterator[Slow]:
        """Give the rows of each slower ring that moved when it was told of last."""
        for ring in range(1, self.spec.rings):
            slots = [
                slot
                for key, held in self.keys.items()
                for slot in (held.slots if held.ring == ring else ())
                if self.key.get(slot) == key and slot not in self.waiting and any(self.velocities[slot])
            ]
            if slots:
                slots.sort()
                was = [list(map(self._before, self.domains, self.values[slot], self.velocities[slot])) for slot in slots]
                yield Slow(np.array(slots, dtype=np.intp), np.array(was, dtype=np.int32).T, self._told[ring], 1 << ring)

    @staticmethod
    def _before(domain: Domain, value: int, velocity: int) -> int:
        """Give what a row had before it moved; what is outside of the domain, which nobody sends, is its border."""
        return min(max((value - velocity - domain.begin) % domain.modulus + domain.begin, domain.lowest), domain.highest)

    def _structure(self, slots: Any) -> tuple[Mask, Generations]:
        old = self.version
        size = int(slots[-1]) + 1 if len(slots) else 0
        alive: Mask = np.zeros(size, dtype=np.bool_)
        alive[slots] = True
        generation: Generations = np.zeros(size, dtype=np.uint16)
        generation[slots] = [self.generations[slot] for slot in slots.tolist()]
        if np.array_equal(alive, old.alive) and np.array_equal(generation, old.generation):
            return old.alive, old.generation
        alive.flags.writeable = generation.flags.writeable = False
        return alive, generation

    def _all_texts(self, slots: Any, size: int) -> tuple[Texts, ...]:
        columns = []
        for place, (_, field) in enumerate(self.layout.texts):
            column: Texts = np.full(size, field.zero, dtype=np.object_)
            for slot in slots.tolist():
                column[slot] = self.texts[slot][place]
            columns.append(column)
        old = self.version.texts
        same = all(np.array_equal(mine, theirs) for mine, theirs in zip(columns, old, strict=True))
        return old if same else tuple(columns)
