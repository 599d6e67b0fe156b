"""The live state of a room, on the server."""

from __future__ import annotations

from typing import Any

from meteor_net.state.documents.live import LiveDocuments
from meteor_net.state.schema import Schema
from meteor_net.state.table import Table


class World:
    """One live table for each of the schema's, `world.ship`, and one dict for each document, `world.match`.

    A document is changed as any dict is, or replaced by another one.

    Args:
        schema: The tables.
        epoch: An integer of 48 random bits, another for each world made: versions of one epoch are
            never taken for another's.

    Attributes:
        schema, epoch: As given.
        tables: The tables in the schema's order.
    """

    def __init__(self, schema: Schema, epoch: int) -> None:
        self.schema = schema
        self.epoch = epoch
        self.tables: list[Table] = [table() for table in schema.tables]
        for table in self.tables:
            setattr(self, table.table_name, table)
        for name in schema.documents:
            setattr(self, name, {})
        self._documents = LiveDocuments(vars(self))

    def __getattr__(self, name: str) -> Any:
        schema = self.__dict__.get("schema")
        known = ", ".join(schema.names) if schema is not None else ""
        raise AttributeError(f"the world has no table {name!r}; it has {known or 'none'}")

    def __repr__(self) -> str:
        return f"<World {', '.join(f'{table.table_name}={len(table)}' for table in self.tables)}>"
