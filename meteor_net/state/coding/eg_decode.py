"""Decodes a step in the coding `eg` (wire clauses 8.13 to 8.18); the encoder is `eg_encode`.

The heads tell how many numbers there are, so all of them are decoded at once. Everything is checked before
anything is made, and the versions that a step starts from stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from meteor_net.state.coding.head import read_head
from meteor_net.state.coding.leb128 import Reader
from meteor_net.state.coding.modes import FEW, HALF, LINEAR, gap_k
from meteor_net.state.coding.motion import NO_ROWS, active_set, motion, others, rows_of
from meteor_net.state.coding.plan import Plan, plan
from meteor_net.state.coding.planes import Numbers, decode_planes
from meteor_net.state.coding.rowset import Slots
from meteor_net.state.coding.varint import decode_structure
from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout
from meteor_net.state.version import Ints, TableVersion, Version, note_moved


class _Part(NamedTuple):
    """What the head of a table's part tells.

    Attributes:
        layout: Of the table.
        before, base: As given; `before` is None in a self-contained step.
        table: The base with the rows that come and go.
        active: The active set.
        stopped, begun: How many rows of it do not change; how many other rows do.
        plan: Of the columns with values; None if there are none.
        modes: Of each.
    """

    layout: Layout
    before: TableVersion | None
    base: TableVersion
    table: TableVersion
    active: Slots
    stopped: int
    begun: int
    plan: Plan | None
    modes: list[int]


def decode_step(base: Version, data: bytes, before: Version | None = None) -> tuple[list[TableVersion], int | None]:
    """Decode all but the texts of a step.

    Args:
        base: The version that it starts from.
        data: The step.
        before: For a following step, the version before the base.

    Returns:
        The tables, with the texts of the base in those rows that stay; and the checksum if there is one.

    Raises:
        FrameError: the data are not a step from this base.
    """
    reader = Reader(data)
    parted, crc = read_head(reader, len(base.tables))
    tables = list(base.tables)
    parts: dict[int, _Part] = {}
    ks: list[int] = []
    counts: list[int] = []
    for number, table in enumerate(base.schema.tables):
        if parted >> number & 1:
            earlier = before.tables[number] if before else None
            parts[number] = _decode_head(table.layout(), earlier, tables[number], reader, ks, counts)
    if sum(counts) > 8 * len(data):  # each has a bit at least: refuse before any work
        raise FrameError("the frame ends too early")
    z = decode_planes(data, reader.at, np.repeat(np.array(ks, dtype=np.int64), counts))
    ends = list(accumulate(counts, initial=0))
    numbers = iter([z[start:end] for start, end in pairwise(ends)])
    for number, part in parts.items():
        tables[number] = _decode_part(part, numbers)
    return tables, crc


def _decode_head(
    layout: Layout, before: TableVersion | None, base: TableVersion, reader: Reader, ks: list[int], counts: list[int]
) -> _Part:
    """Read the head of a part; note the parameter and the length of each run of its numbers (wire clause 8.14)."""
    bitmap = reader.one()
    if bitmap >> (len(layout.columns) + 1):
        raise FrameError("the frame has values for a column that is not in the schema")
    table = decode_structure(layout, base, reader) if bitmap & 1 else base
    if bitmap < 2:
        return _Part(layout, before, base, table, NO_ROWS, 0, 0, None, [])
    active = active_set(before, base, table)
    stopped = reader.one() if len(active) else 0
    begun = reader.one()
    rest = int(np.count_nonzero(table.alive)) - len(active) if begun else 0
    changed = len(active) - _counted(stopped, len(active)) + _counted(begun, rest)
    ks += gap_k(len(active), stopped), gap_k(rest, begun)
    counts += stopped, begun
    columns = np.array([column for column in range(len(layout.columns)) if bitmap >> (column + 1) & 1], dtype=np.intp)
    known, modes = plan(layout, columns), []
    for two_values in known.two_values:
        k, mode = divmod(reader.byte(), 8)
        count = changed
        if mode > FEW:
            raise FrameError(f"mode {mode} is not known")
        if mode == FEW:
            count = _counted(reader.one(), changed)
            ks.append(gap_k(changed, count))
            counts.append(count)
        if mode != FEW or not two_values:
            ks.append(k)
            counts.append(count)
        modes.append(mode)
    return _Part(layout, before, base, table, active, stopped, begun, known, modes)


def _counted(count: int, size: int) -> int:
    """Give a count, unless it is of more rows than there are."""
    if count > size:
        raise FrameError("the frame counts more rows than there are")
    return count


def _decode_part(part: _Part, numbers: Iterator[Numbers]) -> TableVersion:
    """Make a table of its part's head and numbers."""
    known = part.plan
    if known is None:
        return part.table
    slots = _decode_rows(part, numbers)
    d = np.zeros((len(part.modes), len(slots)), dtype=np.int64)
    for row, two_values, mode in zip(d, known.two_values, part.modes, strict=True):
        if mode != FEW:
            row[:] = next(numbers)
        else:
            places = _places(next(numbers), len(slots))
            row[places] = 1 if two_values else next(numbers) + 1
    if not d.size:
        return part.table
    sign = d & 1
    d >>= 1
    d ^= np.negative(sign, out=sign)
    held = rows_of(part.table.ints, slots)
    was = known.pick(held)
    values = known.wrap(_sums(part, known, slots, held, d + was))
    ints = part.table.ints.copy()
    # One index into flat memory is a third of the price of two.
    ints.reshape(-1)[known.columns[:, None] * ints.shape[1] + slots] = values
    table = TableVersion(part.table.alive, part.table.generation, ints, part.table.texts)
    if part.table is part.base:  # the next step wants to know
        moving = np.logical_or.reduce(values != was)
        note_moved(part.base, table, slots if np.logical_and.reduce(moving) else slots[moving])
    return table


def _decode_rows(part: _Part, numbers: Iterator[Numbers]) -> Slots:
    """Give the changed rows, ascending."""
    first, second = next(numbers), next(numbers)
    if not part.stopped and not part.begun:
        return part.active
    mask = np.zeros(len(part.table.alive), dtype=np.bool_)
    mask[part.active] = True
    mask[part.active.take(_places(first, len(part.active)))] = False
    if part.begun:
        rest = others(part.table.alive, part.active)
        mask[rest.take(_places(second, len(rest)))] = True
    slots: Slots = mask.nonzero()[0]
    return slots


def _places(gaps: Numbers, size: int) -> Slots:
    places = np.add.accumulate(gaps + 1)
    places -= 1
    if len(places) and places[-1] >= size:
        raise FrameError("the frame chooses a place that is not there")
    return places


def _sums(part: _Part, known: Plan, slots: Slots, held: Ints, sums: Numbers) -> Numbers:
    """Add what was predicted (wire clauses 8.16 and 8.17).

    Args:
        part: The head.
        known: The plan of its columns.
        slots: The changed rows.
        held: What the base has in those, in all columns of the table.
        sums: Of base and difference, in the columns with values; changed.
    """
    if HALF in part.modes or LINEAR in part.modes:
        moved = motion(part.layout, part.before, part.base, part.table, part.active, slots, held)
        if moved is not None:
            v = known.pick(moved)
            known.rings.shorten(v)
            for row, step, mode in zip(sums, v, part.modes, strict=True):
                if mode == LINEAR:
                    row += step
                elif mode == HALF:
                    row += step >> 1
    return sums
