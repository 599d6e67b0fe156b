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
from meteor_net.state.coding.motion import NO_ROWS, active_set, flips, motion, moved_rows, others, same
from meteor_net.state.coding.plan import Plan, plan
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
        if not len(places):
            return
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
    structure, taken, old = b"", NO_ROWS, base.ints
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
    after, was = new.ints.take(changed, axis=1), old.take(changed, axis=1)
    d: Ints = after - was
    columns: Slots = np.bitwise_or.reduce(d, axis=1).nonzero()[0]
    known = plan(layout, columns)
    if not known.all:
        d, after = d[columns], after[columns]
    bitmap = int(bool(structure)) | sum(2 << column for column in columns.tolist())
    heads = [encode_one(bitmap), structure]
    active = active_set(before, base, new)
    _encode_rows(active, changed, new, heads, sheet)
    v = motion(known, before, base, active, changed, wide=True)
    for flip in flips(known, was, after, changed, taken):
        d[flip.columns, flip.rows] = after[flip.columns, flip.rows] - flip.predicted
        at = known.wide_at[flip.columns]
        if v is not None and at[0, 0] >= 0:  # two bits a component are small columns, which do not move
            v[at, flip.rows] = 0
    known.rings.shorten(d)
    _encode_values(known, _ways(known, before, base, new, d, v), d, v, heads, sheet)
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
        stopped = (~mask[active]).nonzero()[0]
        heads.append(encode_one(len(stopped)))
        sheet.places(stopped, len(active))
        going = len(active) - len(stopped)
    if going == len(changed):
        heads.append(b"\0")
        return
    rest = others(new.alive, active)
    begun = mask[rest].nonzero()[0]
    heads.append(encode_one(len(begun)))
    sheet.places(begun, len(rest))


def _ways(
    plan: Plan, before: TableVersion | None, base: TableVersion, new: TableVersion, d: Ints, v: Ints | None
) -> list[Choice]:
    """Choose how each column travels; in following steps mostly as it was done before."""
    known: Chosen | None = base.chosen if before else None
    listed, rows, moved = plan.columns.tolist(), d.shape[1], v is not None
    ways = known.again(listed, rows, moved) if known else None
    if known and ways:
        new.chosen = known._replace(left=known.left - 1)
        return ways
    ways = choose(*_tries(plan, d, v), plan.two_values)
    if before:
        old = known.ways if known else {}
        new.chosen = Chosen(rows, moved, KEPT - 1, {**old, **dict(zip(listed, ways, strict=True))})
    return ways


def _tries(plan: Plan, d: Ints, v: Ints | None) -> tuple[NDArray[np.uint32], int, list[int]]:
    """Give the numbers of all columns in every mode; what `choose` wants to know.

    Args:
        plan: Of the columns with values.
        d: The differences to the base.
        v: How the rows moved in the last step, of the wide columns; None if none did.
    """
    count, wide = len(d), len(plan.wide) if v is not None else 0
    tried = np.empty((count + 2 * wide, d.shape[1]), dtype=np.int32)
    tried[:count] = d
    if v is not None:
        for place, p in ((count, v >> 1), (count + wide, v)):
            rest = tried[place : place + wide]
            np.subtract(d[plan.wide], p, out=rest)
            plan.wide_rings.shorten(rest)
    return zigzag(tried), count, plan.wide[:wide].tolist()


def _encode_values(plan: Plan, ways: list[Choice], d: Ints, v: Ints | None, heads: list[bytes], sheet: Sheet) -> None:
    """Put the numbers of each column down, as was chosen (wire clause 8.16).

    Args:
        plan: Of the columns with values.
        ways: What was chosen.
        d: The differences to the base; changed.
        v: How the rows moved in the last step, of the wide columns; None if none did.
        heads: Gets the modes.
        sheet: Gets the numbers.
    """
    if v is not None:
        at = plan.wide.tolist()
        for row, column in enumerate(at):
            mode = ways[column].mode
            if mode == LINEAR:
                d[column] -= v[row]
            elif mode == HALF:
                d[column] -= v[row] >> 1
        plan.rings.shorten(d)
    z = zigzag(d)
    for column, (mode, k) in enumerate(ways):
        heads.append(bytes((k << 3 | mode,)))
        if mode != FEW:
            sheet.add(z[column], k)
            continue
        places = z[column].nonzero()[0]
        heads.append(encode_one(len(places)))
        sheet.places(places, d.shape[1])
        if not plan.two_values[column]:
            sheet.add(z[column, places] - 1, k)
