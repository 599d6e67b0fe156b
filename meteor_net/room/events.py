"""Events of a room: said once, stamped with their tick, delivered after that tick's frame (wire page, clause 8.11)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from ..codec import Shared
from ..errors import LocalProtocolError
from ..limits import Limits
from ..messages import EventMessage, Gap
from ..session.outbox import Lane
from ..state import Schema
from .player import Player


class Events:
    """The newest events, numbered from 1.

    Attributes:
        number: Of the newest that was delivered: who joins between two ticks will hear what still waits.
    """

    def __init__(self, room: int, schema: Schema, limits: Limits) -> None:
        self.number = 0
        self._room = room
        self._schema = schema
        self._given = 0
        self._kept: deque[tuple[int, Shared]] = deque(maxlen=limits.room_events)
        #: To whom (None: to all), its number, and the event as it was emitted.
        self._waiting: list[tuple[Player | None, int, Shared, Any]] = []

    def emit(self, event: Any, tick: int, player: Player | None = None) -> None:
        """Take an event; to all, or to one player, for whom it is not kept.

        Raises:
            LocalProtocolError: If the game did not declare such an event.
        """
        if type(event) not in self._schema.events:
            raise LocalProtocolError(f"{type(event).__name__} is not among the game's events")
        number = self._given + 1 if player is None else 0
        kind = self._schema.event_number(type(event))
        shared = Shared.of(EventMessage(self._room, number, tick, kind, event.to_wire()))
        self._waiting.append((player, number, shared, event))
        self._given = max(self._given, number)

    def deliver(self, players: Sequence[Player]) -> list[Any]:
        """The tick's frames are out: now its events. Answers those that are for all."""
        waiting, self._waiting = self._waiting, []
        for to, number, shared, _ in waiting:
            if to is None:
                self.number = number
                self._kept.append((number, shared))
            for player in players:
                if to is None or to is player:
                    player.session.put(Lane.EVENTS, shared)
        return [event for to, _, _, event in waiting if to is None]

    def missed(self, player: Player, last: int | None) -> None:
        """Give a player who comes back the events since number `last` (None: of another world), or say that they are gone."""
        missed = [] if last is None else [shared for number, shared in self._kept if number > last]
        gone = bool(self._schema.events) if last is None else len(missed) < self.number - last
        if gone:
            player.session.put(Lane.EVENTS, Gap(self._room, self.number))
            return
        for shared in missed:
            player.session.put(Lane.EVENTS, shared)
