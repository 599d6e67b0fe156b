"""A handle for one row of a live table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meteor_net.state.errors import DeadRow
from meteor_net.state.fields import Field

if TYPE_CHECKING:
    from meteor_net.state.table import Table


class Row:
    """One row; its fields are attributes. It stays good until the row is gone.

    Attributes:
        slot: Where in the columns the row lies.
        generation: How often the slot was used before, modulo 65,536.
    """

    __slots__ = ("_table", "generation", "slot")

    def __init__(self, table: Table, slot: int, generation: int) -> None:
        self._table = table
        self.slot = slot
        self.generation = generation

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    @property
    def table(self) -> Table:
        """The table that the row is, or was, in."""
        return self._table

    @property
    def alive(self) -> bool:
        """Whether the row is still there."""
        return self._table._holds(self.slot, self.generation)

    def despawn(self) -> None:
        """Remove the row; its slot will be used again.

        Raises:
            DeadRow: it is gone already.
        """
        self._check()
        self._table._free(self.slot)

    def _check(self) -> None:
        if not self._table._holds(self.slot, self.generation):
            raise DeadRow(f"the row {self.slot} of {self._table.table_name} is gone")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Row)
            and self._table is other._table
            and (self.slot, self.generation) == (other.slot, other.generation)
        )

    def __hash__(self) -> int:
        return hash((id(self._table), self.slot, self.generation))

    def __repr__(self) -> str:
        state = "" if self.alive else " dead"
        return f"<Row {self._table.table_name}[{self.slot}] generation={self.generation}{state}>"


def row_class(fields: tuple[Field[Any, Any], ...]) -> type[Row]:
    """Make the class of one table's rows, with a property for each field."""
    return type("Row", (Row,), {"__slots__": (), **{field.name: _property(field) for field in fields}})


def _property(field: Field[Any, Any]) -> property:
    name = field.name

    def get(row: Row) -> Any:
        row._check()
        return field.cell(row._table._cells[name], row.slot)

    def put(row: Row, value: Any) -> None:
        row._check()
        row._table._cells[name][row.slot] = field.coerce(value)

    return property(get, put, doc=f"The row's {name}.")
