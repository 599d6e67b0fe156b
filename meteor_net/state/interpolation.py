"""A world between two versions, each field by its rule (wire clause 7.2)."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.layout import Layout
from meteor_net.state.numeric import FloatField
from meteor_net.state.rotation import Quaternion
from meteor_net.state.table import Table
from meteor_net.state.version import Ints, Mask, TableVersion, Version
from meteor_net.state.view import TableView, WorldView, shown


def interpolate(previous: Version, following: Version, alpha: float, at: float = inf) -> WorldView:
    """Show the world at a moment between two versions.

    Rows that are in both, with the same generation, go by their fields' rules: `linear`, `arc` (the
    shorter way round), or `step` (the earlier value until alpha is 1). Where a `Flag(snap=True)` of the
    row differs all its fields go by steps. All other rows, and no longer those that only the earlier has,
    are as in the later version.

    Args:
        previous: The earlier version.
        following: The later one, of the same schema.
        alpha: 0 is the earlier, 1 the later; beyond 1 all goes on as it went, within its domain. Below 0 is 0.
        at: The tick shown: rows that are told of at every few ticks only are shown on their way at it. If it is not given
            they are where they were told to be.
    """
    alpha = max(float(alpha), 0.0)
    tick = previous.tick + (following.tick - previous.tick) * alpha
    tables = [
        interpolate_table(kind, was, will, alpha, at)
        for kind, was, will in zip(following.schema.tables, previous.tables, following.tables, strict=True)
    ]
    return WorldView(following, tick, tables)


def interpolate_table(kind: type[Table], was: TableVersion, will: TableVersion, alpha: float, at: float = inf) -> TableView:
    """Show one table at a moment between two versions; see `interpolate`. `alpha` is 0 or more."""
    columns = {} if was is will or alpha == 1.0 else _between(kind, was, will, alpha)
    if was.slow or will.slow:
        _glide(kind, columns, was, will, alpha, at)
    return TableView(kind, will, columns)


def _between(kind: type[Table], was: TableVersion, will: TableVersion, alpha: float) -> dict[str, Any]:
    size = min(len(was.alive), len(will.alive))
    both = was.alive[:size] & will.alive[:size] & (was.generation[:size] == will.generation[:size])
    layout = kind.layout()
    jumped = _jumped(layout, was.ints[:, :size], will.ints[:, :size])
    if alpha < 1.0:
        jumped |= _waiting(was, will, size)
    moving = both & ~jumped
    early = both if alpha < 1.0 else np.zeros_like(both)
    columns: dict[str, Any] = {}
    for name, place in layout.places.items():
        field: Any = layout.by_name[name]
        old, new = was.ints[place][..., :size], will.ints[place][..., :size]
        values = shown(field, will.ints[place], will.alive)
        if field.interpolate == "step":
            values, stepping = values.copy(), early
        else:
            column = _column(field, old, new, alpha)
            values, stepping = values.astype(column.dtype), early & jumped
            values[:size][moving] = column[moving]
        if stepping.any():
            values[:size][stepping] = field.values(old)[stepping]
        values.flags.writeable = False
        columns[name] = values
    if alpha < 1.0:
        columns.update(_texts(layout, was, will, both))
    return columns


def _waiting(was: TableVersion, will: TableVersion, size: int) -> Mask:
    """Tell who is told of at every few ticks only from the later version on: it stays as it was until then."""
    waiting = np.zeros(size, dtype=np.bool_)
    for version, waits in ((will, True), (was, False)):
        for slow in version.slow:
            waiting[slow.slots[slow.slots < size]] = waits
    return waiting


def _glide(kind: type[Table], columns: dict[str, Any], was: TableVersion, will: TableVersion, alpha: float, at: float) -> None:
    """Show rows that are told of at every few ticks only on their way from where they were to where they were told to be."""
    layout = kind.layout()
    size = min(len(was.alive), len(will.alive))
    both = np.zeros(len(will.alive), dtype=np.bool_)
    if alpha < 1.0:
        both[:size] = was.alive[:size] & will.alive[:size] & (was.generation[:size] == will.generation[:size])
    for version, rows in ((was, both), (will, ~both)):  # a row is on the way that the earlier version tells, if it is in both
        for slow in version.slow:
            done = min(max(0.0, (at - slow.tick) / slow.span), 1.0)
            chosen = np.flatnonzero(slow.slots < len(rows))
            chosen = chosen[rows[slow.slots[chosen]]]
            slots, old = slow.slots[chosen], slow.was[:, chosen]
            new = version.ints[:, slots]
            moving = ~_jumped(layout, old, new)
            _put(layout, columns, will, slots[moving], old[:, moving], new[:, moving], done)


def _put(layout: Layout, columns: dict[str, Any], will: TableVersion, slots: Any, old: Ints, new: Ints, alpha: float) -> None:
    """Put values of some rows, between two of theirs, into columns."""
    for name, place in layout.places.items():
        field: Any = layout.by_name[name]
        if field.interpolate != "step":
            column = _column(field, old[place], new[place], alpha)
            values = columns[name] if name in columns else shown(field, will.ints[place], will.alive)
            values = values.astype(column.dtype)
            values[slots] = column
            values.flags.writeable = False
            columns[name] = values


def _jumped(layout: Layout, old: Ints, new: Ints) -> Mask:
    """Tell of which rows a `Flag(snap=True)` differs."""
    jumped = np.zeros(new.shape[1], dtype=np.bool_)
    for place, flag in layout.flags:
        if flag.snap:
            jumped |= old[place] != new[place]
    return jumped


def _column(field: Any, old: NDArray[np.int32], new: NDArray[np.int32], alpha: float) -> NDArray[Any]:
    if isinstance(field, Quaternion):
        return field.between(old, new, alpha)
    difference = new.astype(np.int64) - old
    if field.interpolate == "arc":
        half = field.modulus // 2
        difference = (difference + half) % field.modulus - half
    between = old + difference * alpha
    if field.interpolate == "arc":
        between %= field.modulus
    else:
        np.clip(between, field.lowest, field.highest, out=between)
    # What is not of steps is a whole number itself or a scale of one, so a fraction has a value too.
    return field.low + between * field.step if isinstance(field, FloatField) else between


def _texts(layout: Layout, was: TableVersion, will: TableVersion, both: Mask) -> dict[str, list[Any]]:
    columns = {}
    for (_, field), old, new in zip(layout.texts, was.texts, will.texts, strict=True):
        text = new.copy()
        text[: len(both)][both] = old[: len(both)][both]
        columns[field.name] = text.tolist()
    return columns
