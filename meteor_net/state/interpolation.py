"""A world between two versions, each field by its rule (wire clause 7.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.layout import Layout
from meteor_net.state.numeric import FloatField
from meteor_net.state.rotation import Quaternion
from meteor_net.state.table import Table
from meteor_net.state.version import Mask, TableVersion, Version
from meteor_net.state.view import TableView, WorldView, shown


def interpolate(previous: Version, following: Version, alpha: float) -> WorldView:
    """Show the world at a moment between two versions.

    Rows that are in both, with the same generation, go by their fields' rules: `linear`, `arc` (the
    shorter way round), or `step` (the earlier value until alpha is 1). Where a `Flag(snap=True)` of the
    row differs all its fields go by steps. All other rows, and no longer those that only the earlier has,
    are as in the later version.

    Args:
        previous: The earlier version.
        following: The later one, of the same schema.
        alpha: 0 is the earlier, 1 the later; beyond 1 all goes on as it went, within its domain. Below 0 is 0.
    """
    alpha = max(float(alpha), 0.0)
    tick = previous.tick + (following.tick - previous.tick) * alpha
    tables = [
        interpolate_table(kind, was, will, alpha)
        for kind, was, will in zip(following.schema.tables, previous.tables, following.tables, strict=True)
    ]
    return WorldView(following, tick, tables)


def interpolate_table(kind: type[Table], was: TableVersion, will: TableVersion, alpha: float) -> TableView:
    """Show one table at a moment between two versions; see `interpolate`. `alpha` is 0 or more."""
    if was is will or alpha == 1.0:
        return TableView(kind, will)
    size = min(len(was.alive), len(will.alive))
    both = was.alive[:size] & will.alive[:size] & (was.generation[:size] == will.generation[:size])
    layout = kind.layout()
    jumped = _jumped(layout, was, will, size)
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
    return TableView(kind, will, columns)


def _jumped(layout: Layout, was: TableVersion, will: TableVersion, size: int) -> Mask:
    """Tell of which rows a `Flag(snap=True)` differs."""
    jumped = np.zeros(size, dtype=np.bool_)
    for place, flag in layout.flags:
        if flag.snap:
            jumped |= was.ints[place, :size] != will.ints[place, :size]
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
