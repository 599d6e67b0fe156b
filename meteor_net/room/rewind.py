"""The world as it was a moment ago: what a player saw who shot then."""

from __future__ import annotations

from typing import Any

from ..state import Stream, TableView, Version
from ..state.interpolation import interpolate_table
from ..state.version import TableVersion


class Past:
    """A world to read, each table made when it is asked for: a shot seldom asks for all.

    Attributes:
        tick: The tick it shows, with its fraction.
    """

    def __init__(self, was: Version, will: Version, alpha: float, tick: float) -> None:
        self.tick = tick
        self._versions = was, will
        self._alpha = alpha
        self._numbers = {kind.table_name: number for number, kind in enumerate(will.schema.tables)}

    def __getattr__(self, name: str) -> Any:
        numbers = vars(self).get("_numbers", {})
        number = numbers.get(name)
        if number is None:
            raise AttributeError(f"the world has no table {name!r}; it has {', '.join(numbers) or 'none'}")
        was, will = (_table(version, number) for version in self._versions)
        table = interpolate_table(self._versions[1].schema.tables[number], was, will, self._alpha)
        setattr(self, name, table)
        return table

    @property
    def tables(self) -> list[TableView]:
        """All of them, in the schema's order."""
        return [getattr(self, name) for name in self._numbers]

    def __repr__(self) -> str:
        return f"<Past tick={self.tick:.2f}>"


def rewound(stream: Stream, tick: float, oldest: float) -> Past:
    """Give the world at a tick, as clients draw it who follow the stream.

    Args:
        stream: Whose versions these are.
        tick: Which; the present if it is not above 0, or no number.
        oldest: No tick before this one.
    """
    newest = stream.version
    if not 0 < tick < newest.tick:  # NaN is neither
        return Past(newest, newest, 1.0, float(newest.tick))
    tick = max(tick, oldest)
    was, will = stream.around(tick)
    tick = max(tick, float(was.tick))
    if tick >= newest.tick or was is will:
        return Past(was, was, 1.0, tick)
    # A version is made where something changes: until the tick before it the world stood still.
    alpha = tick - (will.tick - 1)
    return Past(was, will, alpha, tick) if alpha > 0 else Past(was, was, 1.0, tick)


def _table(version: Version, number: int) -> TableVersion:
    """A table of a version; of a keyed one all rows, whoever may see them."""
    kinds = version.schema.tables
    if kinds[number].key_spec is None or not version.keyed:
        return version.tables[number]
    return version.keyed[sum(kind.key_spec is not None for kind in kinds[:number])].table
