"""A world to look at: versions shown as columns and rows of values, read only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.errors import DeadRow
from meteor_net.state.table import Table
from meteor_net.state.version import Mask, TableVersion, Version
from meteor_net.state.words import Data, Text


class RowView:
    """One row; its fields are attributes. It shows the newest state for as long as the row is there.

    Attributes:
        slot: Where in the columns the row lies.
        generation: How often the slot was used before, modulo 65,536.
    """

    __slots__ = ("_table", "generation", "slot")

    def __init__(self, table: TableView, slot: int, generation: int) -> None:
        self._table = table
        self.slot = slot
        self.generation = generation

    @property
    def table(self) -> TableView:
        """The table that the row is, or was, in."""
        return self._table

    @property
    def alive(self) -> bool:
        """Whether the row is still there."""
        return self._table._holds(self.slot, self.generation)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # no field; a copy in the making has no table yet
            raise AttributeError(name)
        column = getattr(self._table, name)
        if not self.alive:
            raise DeadRow(f"the row {self.slot} of {self._table.table_name} is gone")
        return self._table._kind.layout().by_name[name].cell(column, self.slot)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RowView)
            and self._table is other._table
            and (self.slot, self.generation) == (other.slot, other.generation)
        )

    def __hash__(self) -> int:
        return hash((id(self._table), self.slot, self.generation))

    def __repr__(self) -> str:
        state = "" if self.alive else " dead"
        return f"<RowView {self._table.table_name}[{self.slot}] generation={self.generation}{state}>"


class TableView:
    """One table; its fields are attributes.

    They are numpy columns of values up to the highest taken slot (a quaternion's has four values a row),
    and lists of text or bytes. Free slots are zero, as in a live table.
    """

    __slots__ = ("_columns", "_kind", "_version", "table_name")

    def __init__(self, kind: type[Table], version: TableVersion, columns: dict[str, Any] | None = None) -> None:
        self._kind = kind
        self.table_name = kind.table_name
        self._version = version
        self._columns: dict[str, Any] = columns or {}

    @property
    def alive(self) -> Mask:
        """Which slots are taken."""
        return self._version.alive

    @property
    def generation(self) -> NDArray[np.uint16]:
        """How often each slot was used before, modulo 65,536."""
        return self._version.generation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # no field; a copy in the making has no columns yet
            raise AttributeError(name)
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._column(name)
        return column

    def _column(self, name: str) -> Any:
        layout = self._kind.layout()
        field = layout.by_name.get(name)
        if field not in layout.wire:
            raise AttributeError(f"the table {self.table_name} has no field {name!r}")
        if isinstance(field, Text | Data):
            place = next(n for n, (_, text) in enumerate(layout.texts) if text is field)
            return self._version.texts[place].tolist()
        return shown(field, self._version.ints[layout.places[name]], self._version.alive)

    def __getitem__(self, slot: int) -> RowView:
        version = self._version
        if not 0 <= slot < len(version.alive) or not version.alive[slot]:
            raise KeyError(slot)
        return RowView(self, slot, int(version.generation[slot]))

    def __iter__(self) -> Iterator[RowView]:
        version = self._version
        for slot in np.flatnonzero(version.alive).tolist():
            yield RowView(self, slot, int(version.generation[slot]))

    def __len__(self) -> int:
        return int(np.count_nonzero(self._version.alive))

    def __repr__(self) -> str:
        return f"<TableView {self.table_name} rows={len(self)}>"

    def with_row(self, slot: int, generation: int, values: dict[str, Any]) -> TableView:
        """Give this table with other values in one row; the table itself if it does not have that row."""
        if not self._holds(slot, generation):
            return self
        columns = dict(self._columns)
        for name, value in values.items():
            column = getattr(self, name)
            # A whole number that is drawn smoothly has a fraction.
            column = column.astype(np.float64) if isinstance(value, float) else column.copy()
            column[slot] = value
            column.flags.writeable = False
            columns[name] = column
        return TableView(self._kind, self._version, columns)

    def _holds(self, slot: int, generation: int) -> bool:
        version = self._version
        return slot < len(version.alive) and bool(version.alive[slot]) and int(version.generation[slot]) == generation

    def _show(self, version: TableVersion) -> None:
        if version is not self._version:
            self._version = version
            self._columns = {}


class WorldView:
    """A world by its tables' and documents' names: `view.ship`, `view.match`.

    A document is a dict, all of it as of one version: read it, and never write to it or to what it holds, for versions share
    what did not change. It is another dict when something in it changed.

    Attributes:
        tables: In the schema's order.
        tick: The tick it shows; between two versions a fraction.
    """

    def __init__(self, version: Version, tick: float | None = None, tables: list[TableView] | None = None) -> None:
        self.schema = version.schema
        self.tick: float = version.tick if tick is None else tick
        self.tables: list[TableView] = tables or [
            TableView(kind, table) for kind, table in zip(version.schema.tables, version.tables, strict=True)
        ]
        for table in self.tables:
            setattr(self, table.table_name, table)
        vars(self).update(version.docs)

    def __getattr__(self, name: str) -> Any:
        schema = self.__dict__.get("schema")
        known = ", ".join(schema.names) if schema is not None else ""
        raise AttributeError(f"the world has no table {name!r}; it has {known or 'none'}")

    def _show(self, version: Version) -> None:
        self.tick = version.tick
        vars(self).update(version.docs)
        for table, shown_now in zip(self.tables, version.tables, strict=True):
            table._show(shown_now)

    def __repr__(self) -> str:
        return f"<WorldView tick={self.tick} {', '.join(f'{table.table_name}={len(table)}' for table in self.tables)}>"


def shown(field: Any, ints: NDArray[np.int32], alive: Mask) -> NDArray[Any]:
    """Give the values of a field's column or columns, zero in free slots, read only."""
    values: NDArray[Any] = field.values(ints)
    if not alive.all():
        values[~alive] = field.zero
    values.flags.writeable = False
    return values
