"""Encodes a step in the coding `eg` (wire clauses 8.13 to 8.17); the decoder is `eg_decode`.

A step is heads, and numbers in two planes of bits. All numbers of a step are gathered on a sheet and
written at once, whatever their table and column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.leb128 import encode, encode_one
from meteor_net.state.coding.modes import FEW, HALF, HOLD, LINEAR, choose, gap_k, zigzag
from meteor_net.state.coding.motion import NO_ROWS, active_set, flips, motion, note_moved, others
from meteor_net.state.coding.planes import Numbers, encode_planes
from meteor_net.state.coding.rowset import Slots, encode_rows
from meteor_net.state.coding.varint import carried, compare_rows
from meteor_net.state.layout import Layout
from meteor_net.state.version import Ints, TableVersion, Version


class Sheet:
    """The numbers of a step as they are gathered, each run with its parameter."""

    def __init__(self) -> None:
        self._runs: list[NDArray[Any]] = []
        self._ks: list[int] = []

    def add(self, numbers: NDArray[Any], k: int) -> None:
        """Put down numbers of one parameter."""
        self._runs.append(numbers)
        self._ks.append(k)

    def places(self, places: Slots, size: int) -> None:
        """Put down which of `size` places are chosen (wire clause 8.15)."""
        gaps = places.copy()
        gaps[1:] -= places[:-1]
        gaps[1:] -= 1
        self.add(gaps, gap_k(size, len(places)))

    def encode(self) -> bytes:
        """Give the planes."""
        if not self._runs:
            return b""
        z: Numbers = np.concatenate(self._runs, dtype=np.int64, casting="unsafe")
        return encode_planes(z, np.repeat(self._ks, [len(run) for run in self._runs]))


def encode_step(base: Version, new: Version, before: Version | None = None, check: bool = False) -> bytes:
    """Encode all but the texts of a step.

    Args:
        base: A version of the same world, or the empty version.
        new: A later one.
        before: For a following step, the version before the base.
        check: The step carries a checksum.
    """
    header, heads, sheet = int(check), [], Sheet()
    for number, table in enumerate(new.schema.tables):
        earlier = before.tables[number] if before else None
        head = _encode_part(table.layout(), earlier, base.tables[number], new.tables[number], sheet)
        if head:
            header |= 2 << number
            heads.append(head)
    checksum = new.crc().to_bytes(4, "little") if check else b""
    return b"".join((encode_one(header), checksum, *heads, sheet.encode()))


def _encode_part(layout: Layout, before: TableVersion | None, base: TableVersion, new: TableVersion, sheet: Sheet) -> bytes:
    """Give the head of a table's part, empty if nothing changed, and put its numbers down."""
    if base is new:
        return b""
    structure, taken, old = b"", None, base.ints
    if base.alive is not new.alive or base.generation is not new.generation:
        freed, taken = compare_rows(base, new)
        if len(freed) or len(taken):
            generations = encode(new.generation[taken].astype(np.uint32))
            structure = encode_rows(freed) + encode_rows(taken) + generations
        old = carried(base, len(new.alive), taken)
        old[:, ~new.alive] = 0
    difference = new.ints - old
    if not len(difference):
        return b"\1" + structure if structure else b""
    changed: Slots = np.flatnonzero(np.bitwise_or.reduce(difference, axis=0))
    if taken is None:
        note_moved(base, new, changed)
    if not len(changed):
        return b"\1" + structure if structure else b""
    d: Ints = difference if len(changed) == difference.shape[1] else difference.take(changed, axis=1)
    columns = np.flatnonzero(np.bitwise_or.reduce(d, axis=1))
    if len(columns) < len(d):
        d = d[columns]
    active = active_set(before, base, new)
    heads = [encode_one(int(bool(structure)) | sum(2 << column for column in columns.tolist())), structure]
    _encode_rows(active, changed, new, heads, sheet)
    after = new.ints
    turned = flips(layout, columns, old, changed, lambda place: after[place, changed], NO_ROWS if taken is None else taken)
    for flip in turned:
        d[np.ix_(flip.columns, flip.rows)] = after[np.ix_(columns[flip.columns], changed[flip.rows])] - flip.predicted
    v = motion(layout, columns, before, base, active, changed)
    for flip in turned:
        v[np.ix_(flip.columns, flip.rows)] = 0
    _encode_values(layout, columns, d, v, heads, sheet)
    return b"".join(heads)


def _encode_rows(active: Slots, changed: Slots, new: TableVersion, heads: list[bytes], sheet: Sheet) -> None:
    """Tell which rows change, beside what the active set tells (wire clause 8.15)."""
    if len(active) == len(changed) and (active is changed or np.array_equal(active, changed)):
        heads.append(b"\0\0" if len(active) else b"\0")
        return
    mask = np.zeros(len(new.alive), dtype=np.bool_)
    mask[changed] = True
    if len(active):
        stopped = np.flatnonzero(~mask[active])
        heads.append(encode_one(len(stopped)))
        sheet.places(stopped, len(active))
    rest = others(new.alive, active)
    begun = np.flatnonzero(mask[rest])
    heads.append(encode_one(len(begun)))
    sheet.places(begun, len(rest))


def _encode_values(layout: Layout, columns: Slots, d: Ints, v: Ints, heads: list[bytes], sheet: Sheet) -> None:
    """Choose how each column travels, and put its numbers down (wire clause 8.16).

    Args:
        layout: Of the table.
        columns: Those with values.
        d: The differences to the base.
        v: How the rows moved in the last step.
        heads: Gets the modes.
        sheet: Gets the numbers.
    """
    rings = layout.rings_of(columns.tolist())
    rings.shorten(d)
    tried = np.empty((LINEAR + 1 if v.any() else 1, *d.shape), dtype=np.uint32)
    tried[HOLD] = zigzag(d)
    if len(tried) > 1:
        for mode, p in ((HALF, v >> 1), (LINEAR, v)):
            rest = d - p
            rings.shorten(rest)
            tried[mode] = zigzag(rest)
    two_values = [layout.two_values[column] for column in columns.tolist()]
    for column, (mode, k) in enumerate(choose(tried, two_values)):
        heads.append(bytes((k << 3 | mode,)))
        if mode != FEW:
            sheet.add(tried[mode, column], k)
            continue
        z = tried[HOLD, column]
        places = np.flatnonzero(z)
        heads.append(encode_one(len(places)))
        sheet.places(places, len(z))
        if not two_values[column]:
            sheet.add(z[places] - 1, k)
