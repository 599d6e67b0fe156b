"""What a client holds of a keyed table: the list of rows of each ring, and which of them are shown (wire clause 8.23)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.plan import SMALL
from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout
from meteor_net.state.table import Table
from meteor_net.state.version import MAX_SLOTS, Generations, Ints, Mask, Slow, TableVersion, Texts

Slots = NDArray[np.intp]
Numbers = NDArray[np.int64]

#: The ring of a slot that nobody shows.
NOBODY = 127


class Ring(NamedTuple):
    """The rows of one ring, in ascending slot; nobody may write to the arrays.

    Attributes:
        slots: Shape (rows).
        generations: Shape (rows).
        values, velocities: Shape (integer columns, rows).
        texts: Texts and data, shape (text columns, rows).
    """

    slots: Slots
    generations: Generations
    values: Numbers
    velocities: Numbers
    texts: NDArray[np.object_]

    @classmethod
    def empty(cls, layout: Layout) -> Ring:
        """Make one without rows."""
        none = np.zeros((len(layout.columns), 0), dtype=np.int64)
        texts = np.empty((len(layout.texts), 0), dtype=np.object_)
        return cls(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.uint16), none, none, texts)

    def take(self, places: Slots) -> Ring:
        """Give some of the rows."""
        slots, generations, values, velocities, texts = self
        return Ring(slots[places], generations[places], values[:, places], velocities[:, places], texts[:, places])

    def crc(self) -> int:
        """Give the checksum (wire clause 8.24)."""
        numbers = np.concatenate(([len(self.slots)], self.slots, self.generations, self.values.ravel()))
        return zlib.crc32(numbers.astype("<i4").tobytes())


def merged(parts: list[Ring]) -> Ring:
    """Give the rows of several, which share no slot."""
    arrays: list[Any] = [np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)]
    both = Ring(*arrays)
    return both.take(np.argsort(both.slots))


class Domains:
    """What a table's integer columns can hold, and how they wrap (wire clause 8.16).

    Attributes:
        lowest: Of each column, as a list.
        widths: Bits of a value that travels raw, of each column.
    """

    def __init__(self, layout: Layout) -> None:
        columns = layout.columns
        self.lowest = [field.lowest for field in columns]
        spans = [field.highest - field.lowest for field in columns]
        self.widths = [span.bit_length() for span in spans]
        rings = [field.modulus or (span + 1 if span + 1 in SMALL else 0) for field, span in zip(columns, spans, strict=True)]
        self._lowest = _column(self.lowest)
        self._highest = _column([field.highest for field in columns])
        self._modulus = _column([ring or 1 << 32 for ring in rings])
        self._begin = _column([low if ring else -(1 << 31) for low, ring in zip(self.lowest, rings, strict=True)])
        self._below = -(self._modulus // 2)

    def check(self, values: Numbers) -> None:
        """Make sure that values of all columns are in their domains.

        Raises:
            FrameError: One is not.
        """
        if (values > self._highest).any():
            raise FrameError("a value outside its field's domain")

    def brought(self, sums: Numbers, columns: Slots) -> Numbers:
        """Bring sums into their domains.

        Args:
            sums: Shape (columns, rows).
            columns: Which these are.

        Raises:
            FrameError: One leaves its domain.
        """
        lowest, highest, begin = self._lowest[columns], self._highest[columns], self._begin[columns]
        outside = (sums < lowest) | (sums > highest)
        if outside.any():
            sums = np.where(outside, (sums - begin) % self._modulus[columns] + begin, sums)
            if ((sums < lowest) | (sums > highest)).any():
                raise FrameError("a value leaves its field's domain")
        return sums

    def clipped(self, sums: Numbers) -> Numbers:
        """Bring sums of all columns into their domains; what is outside then, which nobody sends, is its border."""
        sums = (sums - self._begin) % self._modulus + self._begin
        return sums.clip(self._lowest, self._highest)

    def least(self, differences: Numbers, columns: Slots) -> Numbers:
        """Bring differences of some columns to their least magnitude."""
        below = self._below[columns]
        return (differences - below) % self._modulus[columns] + below


def _column(numbers: list[int]) -> Numbers:
    return np.array(numbers, dtype=np.int64)[:, None]


class HeldTable:
    """The rows of one table that are in sight.

    Lists, and arrays, are replaced and never written to: so a fork shares them, and whoever is refused drops the fork.

    Args:
        kind: A keyed table.

    Attributes:
        rings: The list of each.
        version: The rows that are shown, as `compose` made it last.
    """

    def __init__(self, kind: type[Table]) -> None:
        assert kind.key_spec is not None
        self.kind = kind
        self.layout = kind.layout()
        self.domains = Domains(self.layout)
        self._none = Ring.empty(self.layout)
        self.rings = [self._none] * kind.key_spec.rings
        self.version = TableVersion.empty(self.layout)
        #: At which the rings stand.
        self._ticks = [0] * len(self.rings)
        self._forget()

    def _forget(self) -> None:
        self.rings = [self._none] * len(self.rings)
        #: By slot: the ring whose row is shown. Where there is only one that is clear.
        self._shown_of = np.full(MAX_SLOTS if len(self.rings) > 1 else 0, NOBODY, dtype=np.int8)
        #: Slots of rows that left their ring for the next one, which was not told of since; they are shown as they were.
        self._waiting: set[int] = set()
        #: Whether other rows are there than in `version`, and whether they have other texts.
        self._other_rows = self._other_texts = True

    def fork(self) -> HeldTable:
        """Give one that may be changed while this one stays."""
        forked = copy(self)
        forked.rings = self.rings.copy()
        forked._shown_of = self._shown_of.copy()
        forked._waiting = self._waiting.copy()
        return forked

    def emptied(self) -> HeldTable:
        """Give one without rows; itself if it has none."""
        if not any(len(ring.slots) for ring in self.rings) and not len(self.version.alive):
            return self
        emptied = copy(self)
        emptied._forget()
        return emptied

    def stands(self, number: int, tick: int) -> None:
        """Remember that a ring stands at the version of a tick."""
        self._ticks = [*self._ticks[:number], tick, *self._ticks[number + 1 :]]

    def told(self, number: int, ring: Ring, left: Slots, beyond: Mask) -> None:
        """Let a ring have another list.

        Args:
            number: Of the ring.
            ring: Its rows now.
            left: Slots of the rows that left it.
            beyond: Which of these the next ring is to have.
        """
        before = self.rings[number]
        self.rings[number] = ring
        if ring.texts is not before.texts:
            self._other_texts = True
        if ring.generations is not before.generations:
            self._other_rows = True
        if len(self.rings) > 1:
            self._show(number, left, beyond)

    def _show(self, number: int, left: Slots, beyond: Mask) -> None:
        """Choose anew which ring shows a row."""
        of, slots = self._shown_of, self.rings[number].slots
        for slot, further in zip(left.tolist(), beyond.tolist(), strict=True):
            if of[slot] != number:
                continue  # a lower ring has it
            if further:
                self._waiting.add(slot)
            else:
                of[slot] = NOBODY
        # Who waited for this ring is shown as it has it, or no more.
        came = [slot for slot in self._waiting if of[slot] == number - 1]
        if came:
            of[came] = NOBODY
            self._waiting.difference_update(came)
            self._other_rows = self._other_texts = True
        mine = slots[of[slots] >= number]
        if (of[mine] != number).any():
            of[mine] = number
            self._other_rows = self._other_texts = True
        if self._waiting:
            self._waiting.difference_update(mine.tolist())

    # --- what is shown ---

    def compose(self) -> None:
        """Make `version` of the rows; what is as before is shared, even all of it."""
        old = self.version
        shown = self.rings[0] if len(self.rings) == 1 else self._shown()
        slots = shown.slots
        alive, generation = _structure(old, shown) if self._other_rows else (old.alive, old.generation)
        texts = self._all_texts(shown, len(alive)) if self._other_texts else old.texts
        ints: Ints = np.zeros((len(shown.values), len(alive)), dtype=np.int32)
        ints[:, slots] = shown.values
        self._other_rows = self._other_texts = False
        if alive is old.alive and generation is old.generation and np.array_equal(ints, old.ints):
            if texts is old.texts:
                return
            ints = old.ints
        ints.flags.writeable = False
        self.version = TableVersion(alive, generation, ints, texts)
        self.version.slow = tuple(self._slow())

    def _slow(self) -> Iterator[Slow]:
        """Give the rows that each slower ring shows."""
        for number, ring in enumerate(self.rings[1:], 1):
            places = np.flatnonzero(self._shown_of[ring.slots] == number)
            if len(places):
                was = self.domains.clipped(ring.values[:, places] - ring.velocities[:, places])
                yield Slow(ring.slots[places], was.astype(np.int32), self._ticks[number], 1 << number)

    def _shown(self) -> Ring:
        """Give the rows that are shown, of all rings."""
        parts = [ring.take(np.flatnonzero(self._shown_of[ring.slots] == number)) for number, ring in enumerate(self.rings)]
        if self._waiting:
            old, slots = self.version, np.array(sorted(self._waiting), dtype=np.intp)
            values = old.ints[:, slots].astype(np.int64)
            texts = np.array([text[slots] for text in old.texts], dtype=np.object_).reshape(len(old.texts), len(slots))
            parts.append(Ring(slots, old.generation[slots], values, values, texts))
        return merged(parts)

    def _all_texts(self, shown: Ring, size: int) -> tuple[Texts, ...]:
        columns = []
        for (_, field), texts in zip(self.layout.texts, shown.texts, strict=True):
            column: Texts = np.full(size, field.zero, dtype=np.object_)
            column[shown.slots] = texts
            columns.append(column)
        old = self.version.texts
        same = all(np.array_equal(mine, theirs) for mine, theirs in zip(columns, old, strict=True))
        return old if same else tuple(columns)


def _structure(old: TableVersion, shown: Ring) -> tuple[Mask, Generations]:
    slots = shown.slots
    size = int(slots[-1]) + 1 if len(slots) else 0
    alive: Mask = np.zeros(size, dtype=np.bool_)
    alive[slots] = True
    generation: Generations = np.zeros(size, dtype=np.uint16)
    generation[slots] = shown.generations
    if np.array_equal(alive, old.alive) and np.array_equal(generation, old.generation):
        return old.alive, old.generation
    alive.flags.writeable = generation.flags.writeable = False
    return alive, generation
