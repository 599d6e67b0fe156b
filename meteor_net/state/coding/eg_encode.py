"""Encodes a step in the coding `eg` (wire clauses 8.13 to 8.17); the decoder is `eg_decode`.

A step is heads, and numbers in two planes of bits. All numbers of a step are gathered on a sheet and
written at once, whatever their table and column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.leb128 import encode, encode_one
from meteor_net.state.coding.modes import FEW, HALF, KEPT, LINEAR, Choice, Chosen, choose, gap_k, zigzag
from meteor_net.state.coding.motion import active_set, motion, moved_rows, others, rows_of, same
from meteor_net.state.coding.plan import Plan, plan
from meteor_net.state.coding.planes import Numbers, encode_planes
from meteor_net.state.coding.rowset import Slots, encode_rows
from meteor_net.state.coding.varint import carried, compare_rows
from meteor_net.state.layout import Layout
from meteor_net.state.version import Ints, TableVersion, Version


class Sheet:
    """The numbers of a step as they are gathered.

    Attributes:
        runs: Numbers of one parameter each.
        ks: Those parameters.
    """

    def __init__(self) -> None:
        self.runs: list[NDArray[Any]] = []
        self.ks: list[int] = []

    def places(self, places: Slots, size: int) -> None:
        """Put down which of `size` places are chosen (wire clause 8.15)."""
        if not len(places):
            return
        gaps = places.copy()
        later = gaps[1:]
        later -= places[:-1]
        later -= 1
        self.runs.append(gaps)
        self.ks.append(gap_k(size, len(places)))

    def encode(self) -> bytes:
        """Give the planes."""
        if not self.runs:
            return b""
        z: Numbers = np.concatenate(self.runs, dtype=np.int64, casting="unsafe")
        return encode_planes(z, np.repeat(self.ks, [len(run) for run in self.runs]))


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
    structure, old = b"", base.ints
    if base.alive is new.alive and base.generation is new.generation:
        changed = moved_rows(base, new)
    else:
        freed, taken = compare_rows(base, new)
        if len(freed) or len(taken):
            generations = encode(new.generation[taken].astype(np.uint32))
            structure = encode_rows(freed) + encode_rows(taken) + generations
        old = carried(base, len(new.alive), taken)
        differs = (new.ints != old) & new.alive
        changed = np.flatnonzero(differs.any(axis=0))
    if not len(changed):
        return b"\1" + structure if structure else b""
    was, after = rows_of(old, changed), rows_of(new.ints, changed)
    d: Ints = after - was
    known = plan(layout, np.bitwise_or.reduce(d, axis=1).nonzero()[0])
    bitmap = int(bool(structure)) | known.bitmap
    heads = [encode_one(bitmap), structure]
    active = active_set(before, base, new)
    _encode_rows(active, changed, new, heads, sheet)
    v = motion(layout, before, base, new, active, changed, was)
    d = known.pick(d)
    if v is not None:
        v = known.pick(v)
        known.rings.shorten(v)
    _encode_values(known, base, new, d, v, heads, sheet)
    return b"".join(heads)


def _encode_rows(active: Slots, changed: Slots, new: TableVersion, heads: list[bytes], sheet: Sheet) -> None:
    """Tell which rows change, beside what the active set tells (wire clause 8.15)."""
    if same(active, changed):
        heads.append(b"\0\0")
        return
    mask = np.zeros(len(new.alive), dtype=np.bool_)
    mask[changed] = True
    going = 0
    if len(active):
        stopped = (~mask.take(active)).nonzero()[0]
        heads.append(encode_one(len(stopped)))
        sheet.places(stopped, len(active))
        going = len(active) - len(stopped)
    if going == len(changed):
        heads.append(b"\0")
        return
    rest = others(new.alive, active)
    begun = mask.take(rest).nonzero()[0]
    heads.append(encode_one(len(begun)))
    sheet.places(begun, len(rest))


def _ways(plan: Plan, base: TableVersion, new: TableVersion, d: Ints, v: Ints | None) -> list[Choice]:
    """Choose how each column travels; in following steps mostly as it was done before."""
    known: Chosen | None = base.chosen
    rows, moved = d.shape[1], v is not None
    ways = known.again(plan.listed, rows, moved) if known else None
    if known and ways:
        new.chosen = Chosen(known.rows, moved, known.left - 1, known.ways)
        return ways
    ways = choose(plan.rings, d, v, plan.two_values)
    old = known.ways if known else {}
    new.chosen = Chosen(rows, moved, KEPT - 1, {**old, **dict(zip(plan.listed, ways, strict=True))})
    return ways


def _encode_values(
    plan: Plan, base: TableVersion, new: TableVersion, d: Ints, v: Ints | None, heads: list[bytes], sheet: Sheet
) -> None:
    """Put the numbers of each column down (wire clause 8.16).

    Args:
        plan: Of the columns with values.
        base: The version that the step starts from.
        new: The one that it leads to.
        d: The differences to the base; changed.
        v: How the rows moved in the last step, the shorter way round; None if none did.
        heads: Gets the modes.
        sheet: Gets the numbers.
    """
    ways = _ways(plan, base, new, d, v)
    if v is not None:
        for left, moved, (mode, _) in zip(d, v, ways, strict=True):
            if mode == LINEAR:
                left -= moved
            elif mode == HALF:
                left -= moved >> 1
    plan.rings.shorten(d)
    for z, (mode, k), two_values in zip(zigzag(d), ways, plan.two_values, strict=True):
        heads.append(bytes((k << 3 | mode,)))
        if mode == FEW:
            places = z.nonzero()[0]
            heads.append(encode_one(len(places)))
            sheet.places(places, len(z))
            if two_values:
                continue
            z = z.take(places)
            z -= 1
        sheet.runs.append(z)
        sheet.ks.append(k)
