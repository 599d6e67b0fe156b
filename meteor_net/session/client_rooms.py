"""The rooms of a client's session: wished for, asked for, and in. Plain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from ..errors import CloseCode, LocalProtocolError, RemoteProtocolError
from ..messages import Frame, Join, Message
from .client_room import BY_CHANNEL, BY_ROOM, ClientRoom

#: Rooms of one session; a server's own limit is told by an ERROR.
MAX_ROOMS = 8
#: From JOIN to its answer, in seconds; a server may ask a handler, and read lines from a database, meanwhile.
JOIN_S = 30.0


class ClientRooms:
    """Find rooms by name, and by the numbers that are good for one connection."""

    def __init__(self) -> None:
        self._by_name: dict[str, ClientRoom] = {}
        #: Asked for on this connection; a server answers in order.
        self._asked: deque[ClientRoom] = deque()
        #: The first of them, and since when it is that, as `overdue` saw it.
        self._first: tuple[ClientRoom, float] | None = None
        #: Number of a ping that was sent after JOINED -> the room.
        self._pings: dict[int, ClientRoom] = {}

    def __iter__(self) -> Iterator[ClientRoom]:
        return iter(list(self._by_name.values()))

    def get(self, asked: str) -> ClientRoom | None:
        """Find a room by the name that was asked for."""
        return self._by_name.get(asked)

    def add(self, room: ClientRoom) -> None:
        """Wish for another room.

        Raises:
            LocalProtocolError: If there are 8 already.
        """
        if len(self._by_name) >= MAX_ROOMS:
            raise LocalProtocolError(f"a session is in at most {MAX_ROOMS} rooms")
        self._by_name[room.asked] = room

    def drop(self, room: ClientRoom, reason: str, text: str) -> None:
        """Wish for it no longer: what waits there is refused."""
        self._by_name.pop(room.asked, None)
        room.dropped(reason, text)

    def holds(self, room: ClientRoom) -> bool:
        """Tell whether it is still wished for."""
        return self._by_name.get(room.asked) is room

    def ask(self, room: ClientRoom) -> Join:
        """Make the JOIN for a room, and await its answer."""
        self._asked.append(room)
        return room.join()

    def answered(self) -> ClientRoom | None:
        """Take the room that the next JOINED or ERROR is about; None if none was asked for."""
        self._first = None
        return self._asked.popleft() if self._asked else None

    def overdue(self, now: float) -> bool:
        """Tell, asked from time to time, whether a JOIN has no answer for 30 s."""
        if not self._asked:
            self._first = None
        elif self._first is None or self._first[0] is not self._asked[0]:
            self._first = (self._asked[0], now)
        return self._first is not None and now - self._first[1] >= JOIN_S

    def pinged(self, number: int, room: ClientRoom) -> None:
        """A ping was sent after a room's JOINED."""
        self._pings[number] = room

    def ponged(self, number: int) -> None:
        """A ping was answered: what the server sent with JOINED has come."""
        room = self._pings.pop(number, None)
        if room is not None and room.number is not None:
            room.world.pong()

    def in_world(self) -> bool:
        """Tell whether we are in a room with a world now."""
        return any(room.number is not None and room.world.exists for room in self._by_name.values())

    def by_number(self, number: int) -> ClientRoom | None:
        """Find a room; None for one that we have left, of which something was on its way."""
        return next((room for room in self if room.number == number), None)

    def take(self, message: Message, now: float) -> None:
        """Hand a message to the room that it names by a number; none of a room that we have left.

        Raises:
            MessageError: If the room finds it wrong.
        """
        if isinstance(message, Frame):
            for room in self:
                if room.stream == message.stream:
                    room.world.frame(message, now)
        elif type(message) in BY_CHANNEL:
            self._take_line(message, now)
        else:
            self._take_of_room(message)

    def _take_line(self, message: Any, now: float) -> None:
        for room in self:
            channel = room.lines.channels.get(message.channel)
            if room.number is not None and channel is not None:
                BY_CHANNEL[type(message)](room.lines, channel, message, now)

    def _take_of_room(self, message: Any) -> None:
        room = self.by_number(message.room)
        if room is not None:
            BY_ROOM[type(message)](room, message)

    def check_free(self, number: int) -> None:
        """Refuse a second room of the same number.

        Raises:
            RemoteProtocolError: If we are in a room of that number already.
        """
        if self.by_number(number) is not None:
            raise RemoteProtocolError(f"two rooms of number {number}", CloseCode.WRONG_PHASE)

    def away(self) -> None:
        """The connection is gone: all numbers with it."""
        self._asked.clear()
        self._first = None
        self._pings.clear()
        for room in self:
            room.away()
