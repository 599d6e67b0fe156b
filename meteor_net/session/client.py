"""The client's end of a conversation. Plain: packets and the time go in, packets and values come out.

The plan. A `ClientSession` outlives its connections. Its shell tells it `opened`, `receive`, `tick`
and `lost`, each with the time in seconds, and after each takes what came out: `take()` gives the
packets to send, and the values (client_values) in the order they happened. A `Closing` among them
asks the shell to close the connection; when it is gone the shell says `lost`, and `Ended` tells
whether to open another. Rooms are joined again by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .. import messages as wire
from ..codec import decode_from_server
from ..errors import CloseCode, MessageError, RemoteProtocolError, come_back
from ..limits import Limits
from ..messages import Message, Role
from ..state import FEATURES, Action
from . import client_values as values
from .client_clock import ServerClock
from .client_phases import Phase, after
from .client_room import ClientRoom
from .client_rooms import JOIN_S, ClientRooms
from .client_terms import ServerTerms

#: From HELLO to WELCOME, in seconds; a server may ask a token service meanwhile.
WELCOME_S = 10.0


class ClientSession:
    """Talk to a server, on one connection after the other.

    Attributes:
        phase: Where the conversation stands.
        rooms: Those we are in, or want into.
        clock: The server's clock and the round trip.
        user: Our user's id, empty before the first WELCOME.
        name: Our name as others see it.
        end: Close code and text that either side gave for the end that is coming, else None.
        stale: True if the server was silent for suspiciously long.
        counters: Plain integers for the monitor.
    """

    def __init__(
        self,
        *,
        random: Random,
        name: str | None = None,
        token: str | None = None,
        client: str = "meteor_net",
        limits: Limits | None = None,
        line_queued: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a session that has no connection yet.

        Args:
            random: Source of the ids of lines.
            name: The wished name.
            token: Proves who we are; None for a guest.
            client: Who speaks, for the server's log.
            limits: What we take from a server.
            line_queued: Called when a line was queued through a room's `ChatSystem`, so that the
                shell takes what is to be sent.
        """
        self.phase = Phase.AWAY
        self.rooms = ClientRooms()
        self.clock = ServerClock()
        self.user = ""
        self.name = name or ""
        self.stale = False
        self.counters: dict[str, float] = dict.fromkeys(
            ["packets_in", "packets_out", "bytes_in", "bytes_out", "messages_in", "connections"], 0
        )
        self._wished_name = name
        self._token = token
        self._client = client
        self._limits = limits or Limits()
        self._random = random
        self._line_queued = line_queued
        self._resume: str | None = None
        self._session = ""
        self._resumed = False
        self._terms = ServerTerms(self._limits)
        self._opened_at = 0.0
        self._heard_at = 0.0
        self.end: tuple[int, str] | None = None
        self._out: list[Message] = []
        self._told: list[values.Value] = []

    # --- what the shell calls ---

    def take(self) -> tuple[list[bytes], list[values.Value]]:
        """Take what is to be sent, and what happened, since the last time."""
        packets = list(self._terms.packets(self._out))
        self.counters["packets_out"] += len(packets)
        self.counters["bytes_out"] += sum(map(len, packets))
        told = self._told[:]
        # cleared in place: the rooms write into these very lists
        self._out.clear()
        self._told.clear()
        return packets, told

    def opened(self, now: float) -> None:
        """A connection is open: say HELLO."""
        self.phase = Phase.HELLO
        self.end = None
        self._opened_at = self._heard_at = now
        self.counters["connections"] += 1
        self.clock.opened(now)
        self._out.clear()
        self._out.append(wire.Hello([1], self._wished_name, self._token, self._resume, self._client, sorted(FEATURES)))

    def lost(self, code: int, text: str, now: float) -> None:
        """The connection is gone, with this close code and text; what it ends with is `Ended`."""
        code, text = self.end or (code, text)
        self.phase = Phase.AWAY
        self.end = None
        self._out.clear()
        self.rooms.away()
        self._set_stale(False)
        self._told.append(values.Ended(code, text, come_back(code)))

    def receive(self, packet: bytes, now: float) -> None:
        """Take a packet. Whatever it holds, nothing is raised: a broken one ends the connection."""
        if self.phase not in (Phase.HELLO, Phase.READY):
            return
        self._heard_at = now
        self._set_stale(False)
        self.counters["packets_in"] += 1
        self.counters["bytes_in"] += len(packet)
        try:
            for message in decode_from_server(packet, self._limits):
                self._take(message, now)
                if self.end is not None:
                    return
        except RemoteProtocolError as error:
            self.close(error.code, error.text)
        except MessageError as error:
            self.close(CloseCode.BAD_PACKET, str(error))
        for room in self.rooms:
            room.packet_read()

    def tick(self, now: float) -> None:
        """Do what the time asks for: pings, HELD, stale, and an end to a dead connection."""
        if self.phase not in (Phase.HELLO, Phase.READY):
            return
        silent_s = now - self._heard_at
        if silent_s >= self._limits.silent_s:
            self.close(CloseCode.SILENT, f"the server was silent for {silent_s:.0f} s")
        elif self.phase is Phase.HELLO:
            if now - self._opened_at >= WELCOME_S:
                self.close(CloseCode.HELLO_TIMEOUT, f"no WELCOME within {WELCOME_S:.0f} s")
        elif self.rooms.overdue(now):
            self.close(CloseCode.SILENT, f"no answer to JOIN within {JOIN_S:.0f} s")
        else:
            self._set_stale(silent_s >= self._terms.stale_s(self.rooms.in_world()))
            if self.clock.due(now):
                self._out.append(self.clock.ping(now))
            for room in self.rooms:
                room.tick(now)

    def silent_s(self, now: float) -> float:
        """Tell for how long nothing has come, in seconds; 0.0 where nothing has to."""
        return now - self._heard_at if self.phase is Phase.READY else 0.0

    def close(self, code: int, text: str) -> None:
        """End the connection: GOODBYE, then a close by the shell. Nothing that comes after counts."""
        if self.phase not in (Phase.HELLO, Phase.READY):
            return
        if code == CloseCode.NORMAL:
            self._out.extend(wire.Leave(room.number) for room in self.rooms if room.number is not None)
        self.phase = Phase.GONE
        self.end = (int(code), text)
        self._out.append(wire.Goodbye(int(code), text[:1_000]))
        self._told.append(values.Closing(int(code), text))

    # --- what the player does ---

    def join(self, name: str = "", role: Role = Role.PLAY) -> ClientRoom:
        """Join a room, now or when there is a connection.

        Raises:
            LocalProtocolError: If we are in 8 rooms already.
        """
        known = self.rooms.get(name)
        if known is not None:
            return known
        room = ClientRoom(name, int(role), self._out, self._told, self.new_cid, self._line_queued)
        self._tell_chat(room)
        self.rooms.add(room)
        if self.phase is Phase.READY:
            self._out.append(self.rooms.ask(room))
        return room

    def leave(self, room: ClientRoom) -> None:
        """Leave a room; `LeftRoom` tells when we are out."""
        if room.number is not None:
            self._out.append(wire.Leave(room.number))
        else:
            self.rooms.drop(room, "left", "we left")

    def act(self, room: ClientRoom, action: Action) -> int | None:
        """Do something in a room.

        Returns:
            The action's key, as in ActionDone and ActionRefused; None for an input.

        Raises:
            LocalProtocolError: If the game has no such action, or we were never in the room.
            Refused: If too many actions wait already.
        """
        return room.act(action)

    def new_cid(self) -> str:
        """Make an id for a line."""
        return f"{self._random.getrandbits(96):024x}"

    # --- what the server says ---

    def _take(self, message: Message, now: float) -> None:
        self.phase = after(self.phase, message)
        self.counters["messages_in"] += 1
        take = _TAKERS.get(type(message))
        if take is None:
            self.rooms.take(message, now)
        else:
            take(self, message, now)

    def _take_welcome(self, message: wire.Welcome, now: float) -> None:
        self._resumed = message.session == self._session
        self._session, self._resume = message.session, message.resume
        self.user, self.name = message.user, message.name
        self._terms.told(message.limits)
        self.clock.welcomed(message.time, now)
        self._out.append(self.clock.ping(now))
        self._told.append(values.Welcomed(message.session, message.user, message.name, self._resumed))
        for room in self.rooms:
            self._tell_chat(room)
            self._out.append(self.rooms.ask(room))

    def _tell_chat(self, room: ClientRoom) -> None:
        chat = room.lines.chat
        chat.user, chat.line_chars = self.user, self._terms.line_chars

    def _take_joined(self, message: wire.Joined, now: float) -> None:
        room = self.rooms.answered()
        if room is None:
            raise RemoteProtocolError("JOINED without a JOIN", CloseCode.WRONG_PHASE)
        self.rooms.check_free(message.room)
        if not self.rooms.holds(room):
            self._out.append(wire.Leave(message.room))
            return
        room.joined(message, self._resumed, now)
        ping = self.clock.ping(now)
        self.rooms.pinged(ping.number, room)
        self._out.append(ping)

    def _take_left(self, message: wire.Left, now: float) -> None:
        room = self.rooms.by_number(message.room)
        if room is not None:
            self.rooms.drop(room, message.reason, message.text)
            self._told.append(values.LeftRoom(room.name, message.reason, message.text))

    def _take_error(self, message: wire.ErrorMessage, now: float) -> None:
        room = self.rooms.answered() if message.about == wire.CODES[wire.Join] else None
        if room is None and message.about == wire.CODES[wire.Earlier]:
            # It does not say which page: there is seldom more than one, and who asked may ask again.
            for each in self.rooms:
                each.lines.pages.refused(message.reason, message.text)
        elif room is None:
            self._told.append(values.RequestRefused(message.about, message.reason, message.text))
        elif self.rooms.holds(room):
            self.rooms.drop(room, message.reason, message.text)
            self._told.append(values.JoinRefused(room.asked, message.reason, message.text))

    def _take_ping(self, message: wire.Ping, now: float) -> None:
        self._out.append(wire.Pong(message.number, max(0, int(now * 1000))))

    def _take_pong(self, message: wire.Pong, now: float) -> None:
        if self.clock.pong(message, now):
            self.counters["round_trip_ms"] = self.clock.round_trip_ms or 0.0
        self.rooms.ponged(message.number)

    def _take_goodbye(self, message: wire.Goodbye, now: float) -> None:
        self.end = (message.code, message.text)

    def _set_stale(self, stale: bool) -> None:
        if stale != self.stale:
            self.stale = stale
            for room in self.rooms:
                room.hold_back(stale)
            self._told.append(values.StaleChanged(stale))


_TAKERS: dict[type[Message], Callable[[ClientSession, Any, float], None]] = {
    wire.Welcome: ClientSession._take_welcome,
    wire.Joined: ClientSession._take_joined,
    wire.Left: ClientSession._take_left,
    wire.ErrorMessage: ClientSession._take_error,
    wire.Ping: ClientSession._take_ping,
    wire.Pong: ClientSession._take_pong,
    wire.Goodbye: ClientSession._take_goodbye,
}
