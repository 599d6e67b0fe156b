"""Which rooms there are: made on demand by name, disposed of when empty."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any
from weakref import WeakValueDictionary

from .chat.channel import Channel
from .chat.text import check_name
from .errors import CloseCode, ConfigError, Refused
from .limits import Limits
from .messages import CODES, ErrorMessage, Join
from .requests import Report, Request
from .room import Room, Surroundings
from .room.checks import check_chat, check_game
from .session.outbox import Lane
from .session.session import Session

#: The room of a game that is asked for without a room's name.
MAIN = "main"


class Numbers:
    """Numbers of the wire: the lowest that is free comes first, so that they stay short."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._next = 0

    def take(self) -> int:
        """The lowest free number."""
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1

    def give_back(self, number: int) -> None:
        """The number is free again."""
        heapq.heappush(self._free, number)


class Lobby:
    """The rooms and channels of one process.

    Args:
        games: Name -> class with ISyncHandler; the first is the default one.
        chat: A class with IChatHandler.
        limits: What is allowed.
        report: Told what happened.
        server_ms: Seconds of the shell's clock -> milliseconds of the server's.
        random: The source of all rooms' seeds.
        opened: Told when a room begins to tick.

    Attributes:
        requests: What rooms ask of the shell; it takes them out.
        around: What all rooms share; the shell sets `around.now` before each turn.
        busy: The shell says that those there are keep the process busy: no new ones are made.

    Raises:
        ConfigError: If a handler does not keep its interface; says which and why.
    """

    def __init__(
        self, games: Mapping[str, Callable[[], Any]], chat: Callable[[], Any], limits: Limits, report: Report,
        server_ms: Callable[[float], int], random: Random, opened: Callable[[Room], None],
    ) -> None:  # fmt: skip
        if not games:
            raise ConfigError("a server needs at least one game")
        self.requests: list[Request] = []
        self.around = Surroundings(limits, self.requests, report, server_ms, self.inbox, self._closed, opened)
        self.busy = False
        self._games = dict(games)
        self._chat = chat
        self._limits = limits
        self._report = report
        self._random = random
        self._rooms: dict[str, Room] = {}
        self._by_number: dict[int, Room] = {}
        self._room_numbers = Numbers()
        self._channel_numbers = Numbers()
        self._inboxes: dict[str, Channel] = {}
        #: All inboxes in use: also those of users who are gone, while something is being kept there. Who comes back hears it.
        self._inboxes_in_use: WeakValueDictionary[str, Channel] = WeakValueDictionary()
        self._declared = {name: check_game(name, game) for name, game in self._games.items()}
        check_chat(chat)

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    def __len__(self) -> int:
        return len(self._rooms)

    @property
    def games(self) -> list[str]:
        """The names of the games, the default one first."""
        return list(self._games)

    def room(self, number: int) -> Room | None:
        """The room of a number of the wire."""
        return self._by_number.get(number)

    def join(self, session: Session, message: Join, now: float) -> None:
        """A session wants into a room, by name; it is made if it is not there.

        Raises:
            PacketError: If the places of the message are none.
        """
        try:
            room = self._find(session, message.name, now)
        except Refused as refused:
            session.put(Lane.CONTROL, ErrorMessage(CODES[Join], refused.reason, refused.text))
            return
        room.join(session, message, now)

    def inbox(self, user: str, *, passing: bool = False) -> Channel:
        """A user's own channel; kept as long as the user has a session in a room.

        Args:
            user: Whose.
            passing: The user may be gone: a channel that is made for this is not kept, as nobody would hear it.
        """
        channel = self._inboxes.get(user)
        if channel is None:
            channel = self._inboxes_in_use.get(user)
            if channel is None:
                channel = Channel(0, f"@{user}", self._limits, self.requests, self._report)
                self._inboxes_in_use[user] = channel
            if not passing:
                channel.number = self._channel_numbers.take()
                self._inboxes[user] = channel
        return channel

    def forget(self, user: str) -> None:
        """The user has no session any more."""
        channel = self._inboxes.pop(user, None)
        if channel is not None:
            self._channel_numbers.give_back(channel.number)

    def _find(self, session: Session, wanted: str, now: float) -> Room:
        game, name = self._parse(wanted)
        full = f"{game}/{name}"
        room = self._rooms.get(full)
        most = self._limits.rooms_per_session
        if (room is None or session not in room) and len(session.seats) + len(session.waits_for) >= most:
            raise Refused(f"you are in {most} rooms, which is the most", "too-many-rooms")
        if room is None or session not in room:
            self._meet_others(session, game, now)
            room = self._rooms.get(full)  # it may have been theirs alone
        if room is None:
            if len(self._rooms) >= self._limits.rooms:
                raise Refused("the server has no room for more rooms", "too-many-rooms")
            if self.busy:
                raise Refused("the server is too busy for another room", "too-many-rooms")
            room = self._make(game, full)
            room.open(now)
        return room

    def _meet_others(self, session: Session, game: str, now: float) -> None:
        """Do as the game says about a user who is in it already, with another session.

        Raises:
            Refused: The other one stays. One that waits for its connection gives way: its user is here.
        """
        same_user = self._declared[game].same_user
        if same_user == "allow":
            return
        others = [other for other in session.others() if self._is_in(other, game)]
        if same_user == "refuse" and any(other.pipe is not None for other in others):
            raise Refused("you are here already, on another connection", "already-here")
        for other in others:
            other.end(CloseCode.ELSEWHERE, "you came in elsewhere", now)
            for number in list(other.seats):
                self._by_number[number].leave(other, now)

    def _is_in(self, session: Session, game: str) -> bool:
        rooms = map(self._by_number.get, (*session.seats, *session.waits_for))
        return any(room is not None and room.name.startswith(f"{game}/") for room in rooms)

    def _parse(self, wanted: str) -> tuple[str, str]:
        """(game, room) of a room's name (wire page, clause 6.1)."""
        first, slash, rest = wanted.partition("/")
        if slash:
            if first not in self._games:
                raise Refused(f"there is no game {first[:64]!r} here", "unknown-room")
            return first, _room_name(rest)
        if wanted in self._games:
            return wanted, MAIN
        return next(iter(self._games)), _room_name(wanted) if wanted else MAIN

    def _make(self, game: str, full: str) -> Room:
        try:
            handler, chat = self._games[game](), self._chat()
        except Exception as error:
            self._report("room-failed", error, room=full)
            raise Refused(f"room {full} could not be made", "failed") from error
        room = Room(
            self._room_numbers.take(), full, handler, chat, self._declared[game].schema, self._channel(full),
            self.around, Random(self._random.getrandbits(64)),
        )  # fmt: skip
        handler.room = chat.room = room
        self._rooms[full] = room
        self._by_number[room.number] = room
        return room

    def _channel(self, name: str) -> Channel:
        return Channel(self._channel_numbers.take(), name, self._limits, self.requests, self._report)

    def _closed(self, room: Room) -> None:
        del self._rooms[room.name]
        del self._by_number[room.number]
        self._room_numbers.give_back(room.number)
        self._channel_numbers.give_back(room.channel.number)


def _room_name(name: str) -> str:
    if "/" in name:
        raise Refused("a room's name without /", "bad-name")
    return check_name(name)
