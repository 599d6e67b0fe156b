"""The steps and keyframes of all keys of a table, coded in one pass (wire clause 8.21)."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.leb128 import encode_one
from meteor_net.state.coding.modes import zigzag
from meteor_net.state.coding.plan import plan
from meteor_net.state.layout import Layout
from meteor_net.state.sight.bits import Codes, Numbers, Streams, beside, numbers, raws
from meteor_net.state.sight.keyed import Keyed, Slots
from meteor_net.state.version import Ints

#: What a key's piece is where nothing changed.
NOTHING = b"\0"
#: The modes (wire clause 8.20).
HOLD, LINEAR = 0, 2
#: Parameters of numbers that are tried for a column, and of how many rows.
_TRIED, _SAMPLE = 20, 256
#: A choice of parameters is good for so many steps.
_KEPT = 8


class Shape:
    """What the encoder knows of a table, worked out once.

    Attributes:
        layout: Of the table.
        rings: How many rates there are.
        key_bits: Bits of a key.
        widths: Of the integer columns, in bits.
        all: The plan of all integer columns.
    """

    def __init__(self, layout: Layout, rings: int, key_bits: int) -> None:
        self.layout = layout
        self.rings = rings
        self.key_bits = key_bits
        self.widths = np.array([(f.highest - f.lowest).bit_length() for f in layout.columns], dtype=np.int64)
        self.lowest = layout.lowest.ravel()
        self.all = plan(layout, np.arange(len(layout.columns), dtype=np.intp))
        #: Components of a rotation stand for others when its largest changes: they are never predicted.
        self.unpredicted = [place + part for place, _ in layout.quaternions for part in range(4)]
        self._chosen: tuple[Any, list[int], list[int]] | None = None
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
            if linear is not None and column not in self.unpredicted and cost[count + place] < cost[place]:
                modes[place], ks[place] = LINEAR, best[count + place]
        self._chosen, self._left = (state, modes, ks), _KEPT
        return modes, ks

    def shorten(self, difference: Ints) -> Ints:
        """Bring differences of integers to their least magnitude, in place."""
        self.all.rings.shorten(difference)
        return difference


class Pieces(NamedTuple):
    """What the keys of one ring get at a version.

    Attributes:
        head: Before the pieces of a client.
        by_key: The pieces; a key that is not in it gets `NOTHING`.
    """

    head: bytes
    by_key: dict[int, bytes]


def encode_pieces(shape: Shape, before: Keyed, base: Keyed, now: Keyed, check: bool) -> Pieces:
    """Encode the step of all keys from `base` to `now`, for those who stood at `before` earlier."""
    entered = now.since[now.slots] > base.number
    stay, enter = now.slots[~entered], now.slots[entered]
    leave, to = _leaving(base, now, stay)
    change, values, ways = _changes(shape, before, base, now, stay)
    texts = _Texts(shape, base, now, stay) if shape.layout.texts else None
    moved = change if texts is None or not len(texts.slots) else np.union1d(change, texts.slots)
    keys = np.unique(np.concatenate((now.key[moved], now.key[enter], base.key[leave])))
    gap = _gap_k(len(now.slots), len(enter))
    columns = sum(1 << column for column, _ in ways)
    head = bytes((gap,)) + encode_one(columns) + bytes(way for _, way in ways)
    if not len(keys):
        return Pieces(head, {})
    streams = Streams(len(keys))
    _write(shape, streams, keys, _Rows(base, now, stay, enter, leave, to, change, gap), values)
    return Pieces(head, _cut(shape, streams, keys, now, texts, enter, check))


class _Rows(NamedTuple):
    base: Keyed
    now: Keyed
    stay: Slots
    enter: Slots
    leave: Slots
    to: NDArray[np.int32]  # the key that a leaving row has now, or -1
    change: Slots  # those that stay and have other integers
    gap: int


def _leaving(base: Keyed, now: Keyed, stay: Slots) -> tuple[Slots, NDArray[np.int32]]:
    """Give the rows that leave their key, by key and slot, and the keys that they have now."""
    size = len(base.key)
    gone = np.ones(size, dtype=np.bool_)
    gone[stay[stay < size]] = False
    kept = min(size, len(now.key))
    again = np.zeros(size, dtype=np.bool_)
    again[:kept] = now.key[:kept] == base.key[:kept]  # entered anew, which says it all
    leave = base.slots[(gone & ~again)[base.slots]]
    to = np.full(len(leave), -1, dtype=np.int32)
    there = leave < kept
    rows = leave[there]
    same = now.table.alive[rows] & (now.table.generation[rows] == base.table.generation[rows])
    to[there] = np.where(same, now.key[rows], -1)
    return leave, to


def _changes(
    shape: Shape, before: Keyed, base: Keyed, now: Keyed, stay: Slots
) -> tuple[Slots, Codes | None, list[tuple[int, int]]]:
    """Give the rows that stay and change, the codes of their numbers, and column and way of each column that has values."""
    if now.table.ints is base.table.ints or not len(stay) or not len(shape.layout.columns):
        return stay[:0], None, []
    was = base.table.ints.take(stay, axis=1)
    d = now.table.ints.take(stay, axis=1) - was
    changed = np.logical_or.reduce(d).nonzero()[0]
    if not len(changed):
        return stay[:0], None, []
    if len(changed) < len(stay):
        d, was = d.take(changed, axis=1), was.take(changed, axis=1)
    change = stay[changed]
    v = _velocities(shape, before, base, change, was)
    columns = np.logical_or.reduce(d, axis=1).nonzero()[0]
    own = plan(shape.layout, columns)
    d = own.pick(d)
    hold = d.copy()
    own.rings.shorten(hold)
    linear = None
    if v is not None:
        linear = d - own.pick(v)
        own.rings.shorten(linear)
    holds = zigzag(hold)
    linears = None if linear is None else zigzag(linear)
    modes, ks = shape.choose(own.listed, holds, linears)
    z = np.empty((len(change), len(columns)), dtype=np.int64)
    for place, mode in enumerate(modes):
        z[:, place] = (linears if mode == LINEAR and linears is not None else holds)[place]
    codes = numbers(z, np.array(ks, dtype=np.int64))
    return change, codes, [(column, k * 8 + mode) for column, k, mode in zip(own.listed, ks, modes, strict=True)]


def _velocities(shape: Shape, before: Keyed, base: Keyed, slots: Slots, was: Ints) -> Ints | None:
    """Give how rows moved in the step before, not shortened; None if none did. Rows that entered in it have none."""
    if before.table.ints is base.table.ints:
        return None
    held = base.since[slots] <= before.number
    if held.all():
        return was - before.table.ints.take(slots, axis=1)
    rows = np.flatnonzero(held)
    if not len(rows):
        return None
    v = np.zeros(was.shape, dtype=np.int32)
    v[:, rows] = was[:, rows] - before.table.ints.take(slots[rows], axis=1)
    return v


def _write(shape: Shape, streams: Streams, keys: NDArray[np.int32], rows: _Rows, values: Codes | None) -> None:
    base, now = rows.base, rows.now
    count = len(keys)
    of_leave = np.searchsorted(keys, base.key[rows.leave])
    of_enter = np.searchsorted(keys, now.key[rows.enter])
    of_change = np.searchsorted(keys, now.key[rows.change])
    lefts = np.bincount(of_leave, minlength=count)
    enters = np.bincount(of_enter, minlength=count)
    stay_key = now.key[rows.stay]
    place = np.searchsorted(keys, stay_key)
    place[place == count] = 0
    inside = np.flatnonzero(keys[place] == stay_key)
    of_stay = place[inside]
    stays = np.bincount(of_stay, minlength=count)
    every = np.bincount(of_change, minlength=count) == stays
    every_index = np.arange(count, dtype=np.intp)
    flags = 1 + 2 * (lefts > 0) + 4 * (enters > 0) + 8 * every
    streams.add(raws(flags.astype(np.int64), 4), every_index)
    if len(rows.leave):
        some = np.flatnonzero(lefts)
        streams.add(numbers(lefts[some] - 1, 0), some)
        at = base.rank[rows.leave] - np.searchsorted(base.keys, base.key[rows.leave])
        left = numbers(_gaps(at, of_leave)[:, None], 2)
        if shape.rings > 1:
            has = (rows.to >= 0).astype(np.int64)
            left = beside(
                left, raws(has[:, None], 1), raws((rows.to * has).astype(np.int64)[:, None], (has * shape.key_bits)[:, None])
            )
        streams.add(left, of_leave)
    if len(rows.enter):
        some = np.flatnonzero(enters)
        streams.add(numbers(enters[some] - 1, 0), some)
        streams.add(_whole_rows(shape, now, rows.enter, of_enter, rows.gap), of_enter)
    if not every.all():
        marked = np.zeros(len(now.key), dtype=np.int64)
        marked[rows.change] = 1
        asked = np.flatnonzero(~every[of_stay])
        streams.add(raws(marked[rows.stay[inside[asked]]], 1), of_stay[asked])
    if values is not None:
        streams.add(values, of_change)


def _whole_rows(shape: Shape, now: Keyed, slots: Slots, of: NDArray[np.intp], gap: int) -> Codes:
    """Give the codes of gap, generation and values of rows."""
    gaps = numbers(_gaps(slots, of)[:, None], gap)
    generations = numbers(now.table.generation[slots].astype(np.int64)[:, None], 0)
    values = now.table.ints.take(slots, axis=1).T.astype(np.int64) - shape.lowest
    return beside(gaps, generations, raws(values, shape.widths))


def _gaps(places: NDArray[np.intp], of: NDArray[np.intp]) -> Numbers:
    """Give each place less the one before it and 1; the first of each stream as it is."""
    gaps = places.astype(np.int64)
    gaps[1:] -= np.where(of[1:] == of[:-1], places[:-1] + 1, 0)
    return gaps


def _gap_k(rows: int, listed: int) -> int:
    """Give a parameter for gaps between slots: of a few rows of a key among all."""
    return max(0, (rows // 2).bit_length() - 1) if listed else 0


class Choice(NamedTuple):
    """By which parameters keyframes are coded.

    Attributes:
        gap: Of the gaps between slots.
        ks: Of each integer column's velocities.
    """

    gap: int
    ks: list[int]

    @property
    def head(self) -> bytes:
        """What stands before a client's keyframes."""
        return bytes((self.gap, *self.ks))


def choose_keyframes(shape: Shape, before: Keyed, now: Keyed) -> Choice:
    """Choose for all keyframes of a version, by a sample of the rows."""
    slots = now.slots[:: max(1, len(now.slots) // _SAMPLE)]
    z = _zigzag_velocities(shape, before, now, slots)
    means = z.mean(axis=0).tolist() if z.size else [0.0] * z.shape[1]
    ks = [max(0, int(mean * 0.7).bit_length() - 1) for mean in means]
    keys = int(np.count_nonzero(now.keys[1:] != now.keys[:-1])) + 1
    gap = max(0, (keys * len(now.key) // max(1, len(now.keys))).bit_length() - 1)
    return Choice(min(gap, 14), ks)


def encode_keyframes(shape: Shape, choice: Choice, before: Keyed, now: Keyed, keys: list[int], check: bool) -> dict[int, bytes]:
    """Encode some keys whole, with how their rows moved from `before` to `now`."""
    wanted = np.array(keys, dtype=np.int32)
    place = np.searchsorted(wanted, now.keys)
    place[place == len(wanted)] = 0
    inside = np.flatnonzero(wanted[place] == now.keys)
    slots, of = now.slots[inside], place[inside]
    streams = Streams(len(keys))
    streams.add(numbers(np.bincount(of, minlength=len(keys)), 2), np.arange(len(keys), dtype=np.intp))
    velocities = numbers(_zigzag_velocities(shape, before, now, slots), np.array(choice.ks, dtype=np.int64))
    streams.add(beside(_whole_rows(shape, now, slots, of, choice.gap), velocities), of)
    texts = _Texts(shape, None, now, slots) if shape.layout.texts else None
    return _cut(shape, streams, wanted, now, texts, slots, check)


def _zigzag_velocities(shape: Shape, before: Keyed, now: Keyed, slots: Slots) -> Numbers:
    v = _velocities(shape, before, now, slots, now.table.ints.take(slots, axis=1))
    if v is None:
        return np.zeros((len(slots), len(shape.layout.columns)), dtype=np.int64)
    return zigzag(shape.shorten(v)).T.astype(np.int64)


class _Texts:
    """The texts of rows that are told whole, and the texts that changed in rows that stay."""

    def __init__(self, shape: Shape, base: Keyed | None, now: Keyed, stay: Slots) -> None:
        self._columns = now.table.texts
        self._changed: list[tuple[int, int]] = []  # (slot, text column), by slot
        if base is not None:
            for column, (new, old) in enumerate(zip(now.table.texts, base.table.texts, strict=True)):
                if new is not old:
                    slots = stay[new[stay] != old[stay]]
                    self._changed += [(slot, column) for slot in slots.tolist()]
        self._changed.sort()
        self.slots = np.unique(np.array([slot for slot, _ in self._changed], dtype=np.intp))
        self._of_key: dict[int, list[tuple[int, int]]] = {}
        for slot, column in self._changed:
            self._of_key.setdefault(int(now.key[slot]), []).append((slot, column))
        self._now = now
        self._is_step = base is not None

    def after(self, key: int, whole: list[int]) -> bytes:
        """Give what follows the bits of a key, of which these rows are told whole."""
        parts = [_text(self._columns[column][slot]) for slot in whole for column in range(len(self._columns))]
        if self._is_step:
            changed = self._of_key.get(key, [])
            first = int(np.searchsorted(self._now.keys, key))
            parts.append(encode_one(len(changed)))
            for slot, column in changed:
                parts += [encode_one(int(self._now.rank[slot]) - first), encode_one(column), _text(self._columns[column][slot])]
        return b"".join(parts)


def _text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return encode_one(len(data)) + data


def _cut(
    shape: Shape, streams: Streams, keys: NDArray[np.int32], now: Keyed, texts: _Texts | None, whole: Slots, check: bool
) -> dict[int, bytes]:
    """Cut the streams apart, and add what follows the bits."""
    data, at = streams.finish()
    listed = keys.tolist()
    pieces = {key: data[at[i] : at[i + 1]] for i, key in enumerate(listed)}
    if texts is not None:
        of_key: dict[int, list[int]] = {}
        for slot in whole.tolist():
            of_key.setdefault(int(now.key[slot]), []).append(slot)
        for key in listed:
            pieces[key] += texts.after(key, of_key.get(key, []))
    if check:
        first, last = np.searchsorted(now.keys, keys).tolist(), np.searchsorted(now.keys, keys, side="right").tolist()
        for i, key in enumerate(listed):
            pieces[key] += checksum(now, now.slots[first[i] : last[i]])
    return pieces


def checksum(now: Keyed, slots: Slots) -> bytes:
    """Give the checksum of some rows (wire clause 8.24)."""
    table = now.table
    block: NDArray[Any] = np.empty((2 + len(table.ints), len(slots)), dtype="<i4")
    block[0] = slots
    block[1] = table.generation[slots]
    block[2:] = table.ints[:, slots]
    return zlib.crc32(block.tobytes(), zlib.crc32(len(slots).to_bytes(4, "little"))).to_bytes(4, "little")
