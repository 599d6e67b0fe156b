"""What is recorded of a room: the versions that its players are told of, or, where they see parts of them, all of it."""

from __future__ import annotations

from typing import Any

from ..limits import Limits
from ..room import Room
from ..state import Schema, Stream, Version, World
from ..state.stream import LEAST_VERSIONS


class Composed:
    """The stream to record.

    A room without keyed tables has it already, with steps that are encoded for players anyway. Of one with keyed tables
    another stream is made, in which these are tables as any other: it has all rows.

    Args:
        room: Which.

    Attributes:
        described: The schema without keys.
    """

    def __init__(self, room: Room) -> None:
        self._live = room.feed.stream
        self._stream = self._live
        self._tick = 0
        described = room.schema.describe()
        tables: list[dict[str, Any]] = described["tables"]
        self._keyed = [number for number, table in enumerate(tables) if table.pop("key", None) is not None]
        self.described = described
        if self._keyed:
            self._stream = Stream(World(Schema.parse(described), room.world.epoch), Limits(ring_versions=LEAST_VERSIONS))

    def stream(self) -> Stream:
        """Give the stream, as new as the room's."""
        version = self._live.version
        if self._keyed and version.tick > self._tick:
            self._tick = version.tick
            tables = list(version.tables)
            for number, keyed in zip(self._keyed, version.keyed, strict=True):
                tables[number] = keyed.table
            whole = Version(self._stream.world.schema, version.number, version.tick, tuple(tables))
            whole.docs = version.docs
            self._stream.put(whole, version.tick, version.check)
        return self._stream
