"""What many sights get of one ring of a table, coded in one pass (wire clauses 8.20 and 8.21).

Each row's numbers are coded once, whoever sees it; a sight's part is made of those of its rows. All of it is numpy over all
sights at once: a call for each would cost more than what it saves.
"""

from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.leb128 import encode_one
from meteor_net.state.coding.modes import zigzag
from meteor_net.state.coding.plan import plan
from meteor_net.state.layout import Layout
from meteor_net.state.sight.bits import Codes, Numbers, Streams, Strings, beside, numbers, raws
from meteor_net.state.sight.keyed import Keyed, Slots, same_rows
from meteor_net.state.sight.keys import Cells
from meteor_net.state.sight.lists import Lists, apart, marked, ones, split
from meteor_net.state.sight.texts import Texts
from meteor_net.state.version import Ints

#: The modes (wire clause 8.20).
HOLD, LINEAR = 0, 2
#: The parameter of the places of rows that leave (wire clause 8.21), and bits of a parameter that is told.
LEFT_K, K_BITS = 4, 5
#: Parameters of numbers that are tried for a column, and of how many rows.
_TRIED, _SAMPLE = 20, 256
#: A choice of parameters is good for so many steps.
_KEPT = 16


class Table:
    """What the encoder knows of a keyed table, and what it chose last.

    Args:
        layout: Of the table.
        rings: How many rates there are.
    """

    def __init__(self, layout: Layout, rings: int) -> None:
        self.layout = layout
        self.rings = rings
        #: Rows go from hand to hand; those in cells are seen on their way.
        self.handed = not isinstance(layout.key, Cells)
        self.widths = np.array([(field.highest - field.lowest).bit_length() for field in layout.columns], dtype=np.int64)
        self.lowest = layout.lowest.ravel()
        self.all = plan(layout, np.arange(len(layout.columns), dtype=np.intp))
        #: Components of a rotation stand for others when its largest changes: they are never predicted.
        self._unpredicted = {place + part for place, _ in layout.quaternions for part in range(4)}
        self._chosen: tuple[tuple[list[int], bool], list[int], list[int]] | None = None
        self._left = 0

    def choose(
        self, columns: list[int], hold: NDArray[np.uint32], linear: NDArray[np.uint32] | None
    ) -> tuple[list[int], list[int]]:
        """Choose mode and parameter of each column, from zigzags; one choice is good for some steps."""
        state = (columns, linear is None)
        self._left -= 1
        if self._chosen is not None and self._left > 0 and self._chosen[0] == state:
            return self._chosen[1], self._chosen[2]
        every = max(1, hold.shape[1] // _SAMPLE)
        tried = [hold[:, ::every]] if linear is None else [hold[:, ::every], linear[:, ::every]]
        z = np.concatenate(tried).astype(np.int64)
        costs = np.array([numbers(z, k).length.sum(axis=1) for k in range(_TRIED)])
        best, cost = costs.argmin(axis=0).tolist(), costs.min(axis=0).tolist()
        count = len(columns)
        modes, ks = [HOLD] * count, best[:count]
        for place, column in enumerate(columns):
            if linear is not None and column not in self._unpredicted and cost[count + place] < cost[place]:
                modes[place], ks[place] = LINEAR, best[count + place]
        self._chosen, self._left = (state, modes, ks), _KEPT
        return modes, ks


class RingStep:
    """One ring of a table at a version.

    Args:
        table: Which.
        before: What those who follow stood at before `base`.
        base: What they stand at.
        now: What they get; `base` itself where the ring makes no step.
        step: It makes one: then `before` to `base` tells how rows moved, else `base` was the last step's and `before` where
            that came from.
        check: Parts carry checksums.

    Attributes:
        head: What every part begins with.
        size: Slots that are looked at; a multiple of eight.
    """

    def __init__(self, table: Table, before: Keyed, base: Keyed, now: Keyed, step: bool, check: bool) -> None:
        self._table, self._now, self._check = table, now, check
        self.size = (max(len(now.key), len(base.key), 1) + 7) & ~7
        self._from = base if step else before  # what velocities are counted from
        self._same = same_rows(base, now, self.size, table.handed)
        self._all_same = _all_same(base, now, table.handed)
        self._stays: Strings | None = None
        #: Slots, generations and values of all rows, as checksums are made of them.
        self._whole: NDArray[np.int32] | None = None
        self._texts = Texts(base, now, self._same & step) if table.layout.texts else None
        columns, ways = self._code(before, base, now) if step else (0, b"")
        self.head = encode_one(columns) + ways

    def _code(self, before: Keyed, base: Keyed, now: Keyed) -> tuple[int, bytes]:
        """Code the numbers of all rows that stay; give `columns` and `ways`."""
        slots = now.slots[self._same[now.slots]]
        d = now.table.ints.take(slots, axis=1)
        was = base.table.ints.take(slots, axis=1)
        d -= was
        moved = np.logical_or.reduce(d) if len(d) else np.zeros(len(slots), dtype=np.bool_)
        changed = moved.nonzero()[0]
        every = len(changed) == len(slots)
        if not len(changed):
            if not every:
                self._stays = Strings(raws(np.zeros((len(slots), 1), dtype=np.int64), 1), slots, self.size)
            return 1 | every << 1, b""
        some = slots if every else slots[changed]
        if not every:
            d, was = d.take(changed, axis=1), was.take(changed, axis=1)
        columns, ways, codes = self._numbers(before, base, some, d, was)
        if not every:
            unary, rest, width = (np.zeros((len(slots), 1 + codes.rest.shape[1]), dtype=np.int64) for _ in range(3))
            width[:, 0], rest[changed, 0] = 1, 1
            unary[changed, 1:], rest[changed, 1:], width[changed, 1:] = codes
            codes = Codes(unary, rest, width)
        self._stays = Strings(codes, slots, self.size)
        return 1 | every << 1 | columns << 2, ways

    def _numbers(self, before: Keyed, base: Keyed, slots: Slots, d: Ints, was: Ints) -> tuple[int, bytes, Codes]:
        """Give the columns with values, their ways, and the numbers of rows that changed."""
        table = self._table
        columns = np.logical_or.reduce(d, axis=1).nonzero()[0]
        own = plan(table.layout, columns)
        d = own.pick(d)
        linear = None
        v = _velocities(before, base, slots, was, table.handed)
        if v is not None:
            linear = d - own.pick(v)
            own.rings.shorten(linear)
        own.rings.shorten(d)
        holds, linears = zigzag(d), None if linear is None else zigzag(linear)
        modes, ks = table.choose(own.listed, holds, linears)
        z = np.empty((len(slots), len(columns)), dtype=np.int64)
        for place, mode in enumerate(modes):
            z[:, place] = (linears if mode == LINEAR and linears is not None else holds)[place]
        ways = bytes(k * 8 + mode for k, mode in zip(ks, modes, strict=True))
        return sum(1 << column for column in own.listed), ways, numbers(z, np.array(ks, dtype=np.int64))

    def parts(self, count: int, old: Lists, new: Lists, beyond: Lists | None) -> tuple[list[bytes], Lists]:
        """Give the parts of some ways from one sight to another.

        Args:
            count: How many.
            old: Which rows each has, of `base`.
            new: Which rows each is to have, of the version that the ring stands at now; in any order within a sight.
            beyond: Which rows the next ring has then, likewise; None if there is none.

        Returns:
            The parts, and `new` in order.
        """
        size = self.size
        there = marked(new, count, size)
        place = old.sight * size
        place += old.slot
        stays = there.take(place)
        leaving = (~stays).nonzero()[0]
        if not self._all_same:
            stays &= self._same.take(old.slot)
        stay_place = place.compress(stays)
        there[stay_place] = False
        entering = ones(there)
        enter = apart(entering, count, size)
        streams = Streams(count)
        self._write_left(streams, count, old, leaving, beyond)
        self._write_entered(streams, count, enter)
        if self._stays is not None:
            streams.add_raw(*self._stays.of(old.slot, old.sight, stays))
        data, at = streams.finish()
        head = self.head
        parts = [head + data[begin:end] for begin, end in pairwise(at)]
        if len(entering):
            listed = np.sort(np.concatenate((stay_place, entering)), kind="stable")
            there_now = apart(listed, count, size)
        else:
            there_now = apart(stay_place, count, size)
        if self._texts is not None:
            stay = Lists(old.sight.compress(stays), old.slot.compress(stays))
            more = self._texts.after(count, size, there_now, enter, stay)
            parts = [part + texts for part, texts in zip(parts, more, strict=True)]
        if self._check:
            parts = [part + self.checksum(slots) for part, slots in zip(parts, split(there_now, count), strict=True)]
        return parts, there_now

    def _write_left(self, streams: Streams, count: int, old: Lists, leaving: NDArray[np.intp], beyond: Lists | None) -> None:
        sight = old.sight.take(leaving)
        streams.add(*_counts(sight, count))
        if not len(leaving):
            return
        place = leaving - np.searchsorted(old.sight, sight)  # in its sight's list
        codes = numbers(_gaps(place, sight)[:, None], LEFT_K)
        if self._table.rings > 1:
            still = np.zeros(len(leaving), dtype=np.int64)
            if beyond is not None:
                slot = old.slot.take(leaving)
                still[:] = marked(beyond, count, self.size).take(sight * self.size + slot) & self._same.take(slot)
            codes = beside(codes, raws(still[:, None], 1))
        streams.add(codes, sight)

    def _write_entered(self, streams: Streams, count: int, enter: Lists) -> None:
        sight, slot = enter
        streams.add(*_counts(sight, count))
        if not len(slot):
            return
        now, table = self._now.table, self._table
        slots = np.unique(slot)
        values = now.ints.take(slots, axis=1)
        v = _velocities(self._from, self._now, slots, values, table.handed)
        if v is None:
            v = np.zeros(values.shape, dtype=np.int32)
        table.all.rings.shorten(v)
        z = zigzag(v).T.astype(np.int64)
        ks = np.array([max(0, int(mean * 0.7).bit_length() - 1) for mean in z.mean(axis=0).tolist()], dtype=np.int64)
        some = np.unique(sight)
        gap = max(0, (self.size * len(some) // len(slot)).bit_length() - 1)
        told = np.array([min(gap, 14), *ks.tolist()], dtype=np.int64)
        streams.add(raws(np.broadcast_to(told, (len(some), len(told))), K_BITS), some)
        streams.add(numbers(_gaps(slot, sight), int(told[0])), sight)
        whole = raws(values.T.astype(np.int64) - table.lowest, table.widths)
        generations = numbers(now.generation[slots].astype(np.int64)[:, None], 0)
        rows = Strings(beside(generations, whole, numbers(z, ks)), slots, self.size)
        streams.add_raw(*rows.of(slot, sight))

    def checksum(self, slots: Slots) -> bytes:
        """Give the checksum of some rows (wire clause 8.24)."""
        if self._whole is None:
            table = self._now.table
            self._whole = np.empty((2 + len(table.ints), len(table.alive)), dtype="<i4")
            self._whole[0] = np.arange(len(table.alive))
            self._whole[1], self._whole[2:] = table.generation, table.ints
        rows = self._whole.take(slots, axis=1).tobytes()
        return zlib.crc32(rows, zlib.crc32(len(slots).to_bytes(4, "little"))).to_bytes(4, "little")


def _all_same(one: Keyed, other: Keyed, handed: bool) -> bool:
    """Whether it is known that `same_rows` are all of them."""
    same = one.table.alive is other.table.alive and one.table.generation is other.table.generation
    return same and not (handed and one.key is not other.key)


def _velocities(before: Keyed, base: Keyed, slots: Slots, was: Ints, handed: bool) -> Ints | None:
    """Give how rows moved from one to the other, not shortened; None if none did. Rows that were not there have none."""
    if before.table.ints is base.table.ints:
        return None
    if _all_same(before, base, handed):
        return was - before.table.ints.take(slots, axis=1)
    held = same_rows(before, base, max(len(before.key), len(base.key), 1), handed)[slots].nonzero()[0]
    v = np.zeros(was.shape, dtype=np.int32)
    v[:, held] = was[:, held] - before.table.ints.take(slots[held], axis=1)
    return v


def _counts(sight: NDArray[np.intp], count: int) -> tuple[Codes, NDArray[np.intp]]:
    return numbers(np.bincount(sight, minlength=count), 0), np.arange(count, dtype=np.intp)


def _gaps(places: NDArray[np.intp], sight: NDArray[np.intp]) -> Numbers:
    """Give each place less the one before it and 1; the first of each sight as it is."""
    gaps = places.astype(np.int64)
    gaps[1:] -= np.where(sight[1:] == sight[:-1], places[:-1] + 1, 0)
    return gaps
