"""The plain half without its shell: pipes that write into lists, time as a number, requests done when a test says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from random import Random
from typing import Any, ClassVar, TypeVar

from meteor_net.codec import decode_from_server
from meteor_net.game import Chat, Game, handles
from meteor_net.interfaces import Identity, IPlayer, StoredLine
from meteor_net.limits import Limits
from meteor_net.lobby import Lobby
from meteor_net.messages import ActionMessage, Join, Joined, LineKind, Message, Say
from meteor_net.requests import Await, EndOfTurn, Pause, Request, ask_storage
from meteor_net.room import Player, Room
from meteor_net.session.burst import Hot
from meteor_net.session.registry import Registry
from meteor_net.session.session import Session
from meteor_net.state import Action, Event, Input, Replica, Schema, Table, UInt
from meteor_net.storage.memory import MemoryStorage

Kind = TypeVar("Kind", bound=Message)
#: Where tests begin, in seconds: not 0, as no clock does.
START = 100.0


class FakePipe:
    """A pipe that writes into a list, and can be full.

    Attributes:
        sent: Each send, as the framed bytes.
        unsent: What it claims to have waiting.
        packed: How often a packet was framed.
        ended: The close code and text; `aborted` whether it was cut.
    """

    kind = "fake"
    hot: Hot | None = None

    def __init__(self) -> None:
        self.heard = False
        self.unsent = 0
        self.sent: list[bytes] = []
        self.packed = 0
        self.ended: tuple[int, str] | None = None
        self.aborted = False

    def head(self, size: int) -> bytes:
        self.packed += 1
        return size.to_bytes(4, "big")

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, code: int, text: str) -> None:
        self.ended = (code, text)

    def abort(self) -> None:
        self.aborted = True

    def packets(self) -> list[bytes]:
        """Take the packets that were sent."""
        data = b"".join(self.sent)
        self.sent.clear()
        found = []
        while data:
            size = 4 + int.from_bytes(data[:4], "big")
            found.append(data[4:size])
            data = data[size:]
        return found

    def read(self) -> list[Message]:
        """Take the messages that were sent, read as a client would."""
        return [message for packet in self.packets() for message in decode_from_server(packet, Limits())]


class Later:
    """What a verb answers that wants to be awaited; a test decides when and how."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def run(awaitable: Awaitable[Any]) -> Any:
    """The answer of what never waits."""
    try:
        next(awaitable.__await__())
    except StopIteration as stop:
        return stop.value
    raise AssertionError(f"{awaitable!r} waits")


class Ship(Table):
    """A row for each player."""

    max_rows = 512
    x = UInt(bits=16)


class Steer(Input):
    """An input."""

    by = UInt(bits=8)


class Buy(Action):
    """An action."""

    count = UInt(bits=8)


class Boom(Event):
    """An event."""

    size = UInt(bits=8)


class Alien(Event):
    """An event that no game declares."""

    size = UInt(bits=8)


class Sea(Game):
    """Tells what happens in it, and does as `answers` says.

    Attributes:
        told: The verbs, as text.
        answers: Verb (for actions: "steer", "buy") -> what it answers; an exception is raised, a callable is called.
    """

    tables = (Ship,)
    events = (Boom,)
    tick_hz: ClassVar[float] = 10
    max_players = 3

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answers: dict[str, Any] = {}

    def _tell(self, text: str, verb: str, *arguments: Any) -> Any:
        self.told.append(text)
        answer = self.answers.get(verb)
        if isinstance(answer, BaseException):
            raise answer
        return answer(*arguments) if callable(answer) else answer

    def opened(self) -> Any:
        return self._tell("opened", "opened")

    def joined(self, player: IPlayer) -> Any:
        return self._tell(f"{player.name} joined", "joined", player)

    def away(self, player: IPlayer) -> Any:
        return self._tell(f"{player.name} away", "away", player)

    def back(self, player: IPlayer) -> Any:
        return self._tell(f"{player.name} back", "back", player)

    def left(self, player: IPlayer) -> Any:
        super().left(player)
        return self._tell(f"{player.name} left", "left", player)

    @handles(Steer)
    def steer(self, player: IPlayer, steer: Steer) -> Any:
        return self._tell(f"{player.name} steers {steer.by}", "steer", player)

    @handles(Buy)
    def buy(self, player: IPlayer, buy: Buy) -> Any:
        return self._tell(f"{player.name} buys {buy.count}", "buy", player)

    def tick(self, dt: float) -> None:
        self._tell("tick", "tick", dt)

    def closed(self) -> Any:
        return self._tell("closed", "closed")

    def events_told(self) -> list[str]:
        """Take what was told, without the ticks."""
        told = [text for text in self.told if text != "tick"]
        self.told.clear()
        return told


class Gossip(Chat):
    """A chat that does as `answers` says: verb -> an answer, an exception, or a callable."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}

    def opened(self) -> Any:
        return self._answer("opened", None)

    def line(self, player: IPlayer, text: str) -> Any:
        return self._answer("line", text, text)

    def private(self, player: IPlayer, to: str, text: str) -> Any:
        return self._answer("private", text, to, text)

    def own(self, player: IPlayer, kind: int, text: str, data: Any) -> Any:
        if "own" not in self.answers:
            return super().own(player, kind, text, data)
        return self._answer("own", None, kind, text, data)

    def moderates(self, player: IPlayer) -> Any:
        return self._answer("moderates", super().moderates(player))

    def command_me(self, player: IPlayer, rest: str) -> Any:
        return self._answer("me", None, rest)

    def _answer(self, verb: str, default: Any, *arguments: Any) -> Any:
        answer = self.answers.get(verb, default)
        if isinstance(answer, BaseException):
            raise answer
        return answer(*arguments) if callable(answer) else answer


class Bench:
    """A lobby with its sessions, and what a shell does for it.

    Attributes:
        now: The time, in seconds.
        held: Requests that wait for the test; others are done at the end of a turn.
        hold: Hold requests of these classes; awaits are always held.
        pauses: Pauses, which never end by themselves.
        reports: What was reported: the word, the error, the names.
    """

    def __init__(
        self, game: Callable[[], Any] = Sea, chat: Callable[[], Any] = Gossip, storage: MemoryStorage | None = None,
        **limits: Any,
    ) -> None:  # fmt: skip
        self.now = START
        self.limits = Limits(**limits)
        self.storage = storage or MemoryStorage(Random(3))
        self.held: list[Request] = []
        self.pauses: list[Pause] = []
        self.hold: tuple[type[Request], ...] = ()
        self.reports: list[tuple[str, BaseException | None, dict[str, object]]] = []
        self.opened_rooms: list[Room] = []
        self.registry = Registry(self.limits, Random(1))
        self.lobby = Lobby(
            {"sea": game}, chat, self.limits, self._report, lambda now: round(now * 1000), Random(2), self.opened_rooms.append
        )
        self.lobby.around.now = self.now

    def _report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        self.reports.append((event, error, fields))

    def errors(self) -> list[BaseException | None]:
        """Take the errors that were reported."""
        found = [error for event, error, _ in self.reports if event in ("error", "room-failed")]
        self.reports.clear()
        return found

    @property
    def room(self) -> Room:
        """The room that was made last."""
        return list(self.lobby)[-1]

    @property
    def game(self) -> Sea:
        """The handler of that room."""
        game: Sea = self.room.game
        return game

    @property
    def chat(self) -> Gossip:
        """The chat handler of that room."""
        chat: Gossip = self.room.chat
        return chat

    def turn(self) -> None:
        """The end of a turn: requests that are not held are done, and outboxes flushed."""
        requests = self.lobby.requests
        while requests:
            request = requests.pop(0)
            if isinstance(request, Pause):
                self.pauses.append(request)
            elif isinstance(request, (Await, *self.hold)):
                self.held.append(request)
            else:
                self.perform(request)
        for _, error in self.registry.flush(self.now):
            raise error

    def perform(self, request: Request) -> None:
        """Do a storage request now, or what waits for the end of the turn."""
        try:
            answer = None if isinstance(request, EndOfTurn) else run(ask_storage(self.storage, request))
        except Exception as error:
            request.failed(error, self.now)
        else:
            request.then(answer, self.now)

    def release(self, place: int = 0, answer: Any = None) -> None:
        """Do a held request: an await is answered with `answer`."""
        request = self.held.pop(place)
        if isinstance(request, Await):
            request.then(answer, self.now)
        else:
            self.perform(request)
        self.turn()

    def break_(self, place: int = 0, error: BaseException | None = None) -> None:
        """Let a held request fail."""
        self.held.pop(place).failed(error or OSError("disk full"), self.now)
        self.turn()

    def pass_time(self, seconds: float = 0.1) -> None:
        """Time passes, and rooms do what is due."""
        self.now += seconds
        self.lobby.around.now = self.now
        for room in self.lobby:
            room.advance(self.now)
        self.turn()

    def ticks(self, count: int) -> None:
        """So many ticks, each in its time."""
        for _ in range(count):
            self.pass_time(0.1)

    def guest(self, name: str, room: str | None = "", **options: Any) -> Guest:
        """Somebody comes, and joins a room unless that is None."""
        guest = Guest(self, name)
        if room is not None:
            guest.join(room, **options)
        return guest


class Guest:
    """One session with its pipe, as the shell would drive it."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench = bench
        self.session: Session = bench.registry.make(Identity(name, name), bench.now)
        self.pipe = FakePipe()
        self.session.attach(self.pipe, bench.now)
        self.seq = 0

    @property
    def player(self) -> Player:
        """The player in the room that was joined last."""
        player: Player = list(self.session.seats.values())[-1]
        return player

    def join(self, room: str = "", role: int = 0, schema_hash: bytes | None = None, **places: Any) -> None:
        """Say JOIN."""
        self.bench.lobby.join(self.session, Join(room, role, places, schema_hash), self.bench.now)
        self.bench.turn()

    def tell(self, message: Message) -> None:
        """Say something to the room."""
        self.player.room.receive(self.session, message, self.bench.now)
        self.bench.turn()

    def say(self, text: str, cid: str = "1", kind: int = 0, channel: int | None = None, **more: Any) -> None:
        """Say a line; `more` as SAY has it."""
        self.tell(Say(self.player.room.channel.number if channel is None else channel, cid, kind, text, **more))

    def whisper(self, to: str, text: str, cid: str = "1") -> None:
        """Say something to one user, by id."""
        self.say(text, cid, LineKind.PRIVATE, self.bench.lobby.inbox(self.session.user).number, to=to)

    def act(self, action: Action, seq: int | None = None) -> None:
        """Do something."""
        self.seq = self.seq + 1 if seq is None else seq
        room = self.player.room
        self.tell(ActionMessage(room.number, self.seq, 80, room.schema.action_number(type(action)), action.to_wire()))

    def lose(self) -> None:
        """The connection is lost."""
        self.session.detach(self.bench.now)
        for number in list(self.session.seats):
            room = self.bench.lobby.room(number)
            assert room is not None
            room.lose(self.session, self.bench.now)
        self.bench.turn()

    def connect(self) -> None:
        """Connect again; JOIN is another step."""
        self.pipe = FakePipe()
        self.session.attach(self.pipe, self.bench.now)

    def leave(self) -> None:
        """The session ends."""
        self.session.pipe = None
        for number in list(self.session.seats):
            room = self.bench.lobby.room(number)
            assert room is not None
            room.leave(self.session, self.bench.now)
        if self.bench.registry.forget(self.session):
            self.bench.lobby.forget(self.session.user)
        self.bench.turn()

    def read(self) -> list[Message]:
        """Take what came."""
        return self.pipe.read()

    def found(self, kind: type[Kind]) -> list[Kind]:
        """Take what came, and keep the messages of a kind."""
        return [message for message in self.read() if isinstance(message, kind)]


def replica_of(joined: Joined) -> Replica:
    """A client's copy of the world, from JOINED."""
    replica = Replica(Schema.parse(joined.schema), joined.epoch)
    replica.note_tick(joined.tick)
    return replica


def stored(offset: int = -1, text: str = "hi", cid: str = "", sender: str = "ann") -> StoredLine:
    """A line."""
    return StoredLine(offset, 1_000, 1, 0, sender, sender, text, cid)


def kinds(messages: Sequence[Message]) -> list[str]:
    """The names of messages, in order."""
    return [type(message).__name__ for message in messages]
