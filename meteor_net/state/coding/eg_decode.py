"""Decodes a step in the coding `eg` (wire clauses 8.13 to 8.18); the encoder is `eg_encode`.

The heads tell how many numbers there are, so all of them are decoded at once. Everything is checked before
anything is made, and the versions that a step starts from stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.head import read_head
from meteor_net.state.coding.leb128 import Reader
from meteor_net.state.coding.modes import FEW, HALF, LINEAR, gap_k
from meteor_net.state.coding.motion import NO_ROWS, active_set, flips, motion, others
from meteor_net.state.coding.plan import plan
from meteor_net.state.coding.planes import Numbers, decode_planes
from meteor_net.state.coding.rowset import Slots
from meteor_net.state.coding.varint import decode_structure
from meteor_net.state.errors import FrameError
from meteor_net.state.layout import Layout
from meteor_net.state.version import TableVersion, Version


class _Part(NamedTuple):
    """What the head of a table's part tells.

    Attributes:
        layout: Of the table.
        before, base: As given; `before` is None in a self-contained step.
        table: The base with the rows that come and go.
        taken: Slots that are taken in this step.
        active: The active set.
        stopped, begun: How many rows of it do not change; how many other rows do.
        columns: Those with values.
        modes: Of each: mode, k, and the count of its rows in the mode few.
    """

    layout: Layout
    before: TableVersion | None
    base: TableVersion
    table: TableVersion
    taken: Slots
    active: Slots
    stopped: int
    begun: int
    columns: Slots
    modes: list[tuple[int, int, int]]

    @property
    def changed(self) -> int:
        """How many rows change."""
        return len(self.active) - self.stopped + self.begun

    @property
    def rest(self) -> int:
        """How many rows are not in the active set."""
        return int(np.count_nonzero(self.table.alive)) - len(self.active)

    def runs(self) -> Iterator[tuple[int, int]]:
        """Give the parameter and the length of each run of numbers (wire clause 8.14)."""
        yield gap_k(len(self.active), self.stopped), self.stopped
        yield gap_k(self.rest, self.begun), self.begun
        two_values = plan(self.layout, self.columns).two_values
        for two, (mode, k, few) in zip(two_values, self.modes, strict=True):
            if mode != FEW:
                yield k, self.changed
            else:
                yield gap_k(self.changed, few), few
                if not two:
                    yield k, few


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
    for number, table in enumerate(base.schema.tables):
        if parted >> number & 1:
            earlier = before.tables[number] if before else None
            parts[number] = _decode_head(table.layout(), earlier, tables[number], reader)
    runs = [list(part.runs()) for part in parts.values()]
    flat = [run for part_runs in runs for run in part_runs]
    counts = [count for _, count in flat]
    if sum(counts) > 8 * len(data):  # each has a bit at least: refuse before any work
        raise FrameError("the frame ends too early")
    z = decode_planes(data, reader.at, np.repeat(np.array([k for k, _ in flat], dtype=np.int64), counts))
    ends = list(accumulate(counts, initial=0))
    numbers = (z[start:end] for start, end in pairwise(ends))
    for number, part in parts.items():
        tables[number] = _decode_part(part, numbers)
    return tables, crc


def _decode_head(layout: Layout, before: TableVersion | None, base: TableVersion, reader: Reader) -> _Part:
    bitmap = reader.one()
    if bitmap >> (len(layout.columns) + 1):
        raise FrameError("the frame has values for a column that is not in the schema")
    table, taken = (base, NO_ROWS) if not bitmap & 1 else decode_structure(layout, base, reader)
    if bitmap < 2:
        return _Part(layout, before, base, table, taken, NO_ROWS, 0, 0, NO_ROWS, [])
    active = active_set(before, base, table)
    stopped = reader.one() if len(active) else 0
    begun = reader.one()
    columns = np.array([column for column in range(len(layout.columns)) if bitmap >> (column + 1) & 1], dtype=np.intp)
    modes = []
    for _ in range(len(columns)):
        k, mode = divmod(reader.take(1)[0], 8)
        if mode > FEW:
            raise FrameError(f"mode {mode} is not known")
        modes.append((mode, k, reader.one() if mode == FEW else 0))
    part = _Part(layout, before, base, table, taken, active, stopped, begun, columns, modes)
    if stopped > len(active) or begun > part.rest or any(few > part.changed for _, _, few in modes):
        raise FrameError("the frame counts more rows than there are")
    return part


def _decode_part(part: _Part, numbers: Iterator[Numbers]) -> TableVersion:
    """Make a table of its part's head and numbers."""
    changed = _decode_rows(part, numbers)
    d = np.zeros((len(part.columns), len(changed)), dtype=np.int64)
    two_values = plan(part.layout, part.columns).two_values
    for row, (mode, _, _) in enumerate(part.modes):
        if mode != FEW:
            d[row] = next(numbers)
        else:
            places = _places(next(numbers), len(changed))
            d[row, places] = 1 if two_values[row] else next(numbers) + 1
    if not d.size:
        return part.table
    ints = part.table.ints.copy()
    ints[part.columns[:, None], changed] = _values(part, changed, (d >> 1) ^ -(d & 1))
    table = TableVersion(part.table.alive, part.table.generation, ints, part.table.texts)
    return table


def _decode_rows(part: _Part, numbers: Iterator[Numbers]) -> Slots:
    """Give the changed rows, ascending."""
    first, second = next(numbers), next(numbers)
    if not part.stopped and not part.begun:
        return part.active
    stopped = _places(first, len(part.active))
    begun = _places(second, part.rest)
    going = np.delete(part.active, stopped) if len(stopped) else part.active
    if not len(begun):
        return going
    return np.sort(np.concatenate((going, others(part.table.alive, part.active)[begun])))


def _places(gaps: Numbers, size: int) -> Slots:
    places = np.cumsum(gaps + 1) - 1
    if len(places) and places[-1] >= size:
        raise FrameError("the frame chooses a place that is not there")
    return places


def _values(part: _Part, changed: Slots, d: Numbers) -> NDArray[np.int64]:
    """Give the new values of the changed rows: base, and prediction, and difference (wire clause 8.16)."""
    known = plan(part.layout, part.columns)
    was = part.table.ints.take(changed, axis=1)
    sums = d + (was if known.all else was[part.columns])
    modes = [mode for mode, _, _ in part.modes]
    v = None
    if HALF in modes or LINEAR in modes:
        v = motion(known, part.before, part.base, part.active, changed)
    if v is not None:
        for row, mode in enumerate(modes):
            if mode == LINEAR:
                sums[row] += v[row]
            elif mode == HALF:
                sums[row] += v[row] >> 1
    sums -= known.start
    sums %= known.modulus
    sums += known.start
    for flip in flips(known, was, sums, changed, part.taken):
        at = flip.columns, flip.rows
        start = known.start[flip.columns[:, 0]]
        sums[at] = (flip.predicted + d[at] - start) % known.modulus[flip.columns[:, 0]] + start
    if (sums < known.lowest).any() or (sums > known.highest).any():
        raise FrameError("the frame has a value outside its field's domain")
    return sums
