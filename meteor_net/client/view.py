"""What a player sees of a room."""

from __future__ import annotations

from typing import Any

from ..chat.system import ChatSystem
from ..errors import LocalProtocolError
from ..session.client import ClientSession
from ..session.client_room import ClientRoom
from ..state import Schema, StateSync, Version, WorldView


class RoomView:
    """The room as it was last told; `NetworkClient` adds what can be done in it."""

    _room: ClientRoom
    _session: ClientSession
    _reactor: Any

    @property
    def world(self) -> Any:
        """The world as the server last told it: `game.world.ship.x`.

        Raises:
            LocalProtocolError: If we were never in the room.
        """
        replica = self._room.world.replica
        if replica is None:
            raise LocalProtocolError("not in the room yet: await connect() first")
        return replica.world

    @property
    def state_sync(self) -> StateSync:
        """The newest versions, and what is shown of them when: `update_rate` may be set, `delay_s` tells how late it is.

        It is another one in another world: after the server began anew.

        Raises:
            LocalProtocolError: If we were never in the room.
        """
        sync = self._room.world.sync
        if sync is None:
            raise LocalProtocolError("not in the room yet: await connect() first")
        return sync

    def show(self) -> WorldView:
        """Give the world to draw now, a little in the past, so that all moves smoothly: call it for each picture.

        Our own rows are in the present, if they are predicted (`NetworkClient.predict`).

        Returns:
            A view that stays as it is: rows and columns as in `world`, between two ticks; `view.tick` has a fraction.

        Raises:
            LocalProtocolError: If we were never in the room.
        """
        now = self._reactor.seconds()
        view = self.state_sync.show(now)
        return WorldView(Version.empty(self.schema)) if view is None else self._room.prediction.shown(view, now)

    @property
    def schema(self) -> Schema:
        """The game's tables, actions and events, as the server told them.

        Raises:
            LocalProtocolError: If we were never in the room.
        """
        schema = self._room.world.schema
        if schema is None:
            raise LocalProtocolError("not in the room yet: await connect() first")
        return schema

    @property
    def me(self) -> Any:
        """Our own first row, None if we have none."""
        return next(iter(self.rows), None)

    @property
    def rows(self) -> list[Any]:
        """Our own rows."""
        replica = self._room.world.replica
        return [] if replica is None else self.rows_in(replica.world)

    def rows_in(self, world: WorldView) -> list[Any]:
        """Give our own rows in a world that `show` gave."""
        rows = []
        for table, slot in self._room.world.rows:
            try:
                rows.append(world.tables[table][slot])
            except LookupError:  # its frame has not come yet, or it is gone
                continue
        return rows

    @property
    def chat(self) -> ChatSystem:
        """The conversation."""
        return self._room.lines.chat

    @property
    def name(self) -> str:
        """Our name as others see it."""
        return self._session.name

    @property
    def user(self) -> str:
        """Our user's id, as in `ChatMessage.sender`."""
        return self._session.user

    @property
    def room(self) -> str:
        """The room's full name."""
        return self._room.name

    @property
    def round_trip_ms(self) -> float | None:
        """The last round trip in milliseconds, None before the first."""
        return self._session.clock.round_trip_ms

    @property
    def tick_s(self) -> float:
        """The length of a tick in seconds."""
        return self._room.world.anchor[2] / 1_000_000

    def tick_now(self) -> float:
        """Tell the room's tick now, by the server's clock; the world we see is some behind."""
        return self._room.world.tick_at(self._session.clock.server_ms(self._reactor.seconds()))
