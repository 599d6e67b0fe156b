"""The shell around the plain half: it gives it the time, does what it asks for, and sends what it leaves.

Whatever happens is a *turn*: `begin_turn`, then the plain half is called, then `end_turn` does the requests that rooms left
(their answers may bring more) and flushes every session that has something to say. A turn never waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList, TimeoutError
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import CloseCode, ConfigError, Refused
from ..game import Chat
from ..interfaces import IAuthenticator, Identity, IStorage
from ..limits import Limits
from ..lobby import Lobby
from ..messages import Hello
from ..requests import Await, Fetch, OpenChannel, Request, Store
from ..session.outbox import Pipe
from ..session.registry import SLOTS, Registry
from ..session.session import Session
from .connection import Connection
from .heartbeat import beat

if TYPE_CHECKING:
    from ..monitor import NetworkReport
    from ..room import Room

#: The heartbeat looks at every session once a second, a tenth of them at a time.
BEAT_S = 1.0 / SLOTS


class Host:
    """Runs the rooms and sessions of one process.

    Args:
        games: Name -> class with ISyncHandler; the first is the default.
        chat: Class with IChatHandler, or None for the default one.
        limits: What is allowed.
        reactor: Gives the time.
        storage: Keeps lines.
        authenticator: Lets in.
        seed: Source of ids, tokens, epochs and of the rooms' seeds.

    Raises:
        ConfigError: If a handler does not keep its interface.
    """

    def __init__(
        self, games: Mapping[str, Callable[[], Any]], chat: Callable[[], Any] | None, limits: Limits, reactor: Any,
        storage: Any, authenticator: Any, seed: Random,
    ) -> None:  # fmt: skip
        for interface, part in ((IStorage, storage), (IAuthenticator, authenticator)):
            if not interface.providedBy(part):
                raise ConfigError(f"{type(part).__name__} does not provide {interface.__name__}")
        self.limits = limits
        self.registry = Registry(limits, seed)
        self.lobby = Lobby(games, chat or Chat, limits, self.report, self.server_ms, seed, self._room_opened)
        self.counters: Counter[str] = Counter()
        self._reactor = reactor
        self._storage = storage
        self._authenticator = authenticator
        self._connections: dict[Connection, None] = {}
        self._addresses: Counter[str] = Counter()
        self._log = Logger(namespace="meteor_net", source=self)
        self._beats = 0
        self._heartbeat = LoopingCall(self._beat)
        self._heartbeat.clock = reactor
        self._tickers: dict[Room, Any] = {}
        self._started_at = 0.0
        self._stopping: Deferred[None] | None = None
        self._in_turn = False

    # --- life ---

    def start(self) -> None:
        """Begin to look after sessions."""
        self._started_at = self._reactor.seconds()
        self._heartbeat.start(BEAT_S, now=False)

    def stop(self) -> Deferred[None]:
        """Tell the peers to come back later, close, and fire when all are gone; after `limits.close_s` they are cut."""
        if self._stopping is None:
            self._stopping = Deferred()
            if self._heartbeat.running:
                self._heartbeat.stop()
            for connection in list(self._connections):
                connection.end(CloseCode.RESTARTING, "the server stops")
            cut = self._reactor.callLater(self.limits.close_s, self._cut)
            self._stopping.addCallback(lambda _: cut.cancel() if cut.active() else None)
            self._stopping.addCallback(lambda _: self._close())
            if not self._connections:
                self._stopping.callback(None)
        return self._stopping

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.pipe.abort()
            self.disconnected(connection, CloseCode.ABNORMAL)

    def _close(self) -> Deferred[Any]:
        now = self.begin_turn()
        for session in self.registry:
            self.forget(session, now)
        self.end_turn(now)
        for ticker in self._tickers.values():
            if ticker.active():
                ticker.cancel()
        self._tickers.clear()
        return DeferredList([_deferred(self._storage.close())], consumeErrors=True)

    # --- time and turns ---

    def server_ms(self, now: float) -> int:
        """Milliseconds of the server's clock."""
        return int(now * 1000)

    def call_later(self, delay_s: float, call: Callable[..., object], *arguments: object) -> Any:
        """Call something later, with the reactor's clock."""
        return self._reactor.callLater(delay_s, call, *arguments)

    def begin_turn(self) -> float:
        """Something happens: tell the plain half the time.

        Returns:
            The time in seconds.
        """
        now: float = self._reactor.seconds()
        self.lobby.around.now = now
        return now

    def end_turn(self, now: float) -> None:
        """Do what was asked for, and send what was left. A turn inside a turn leaves that to the outer one."""
        if self._in_turn:
            return
        self._in_turn = True
        try:
            requests = self.lobby.requests
            while requests or self.registry.dirty:
                waiting = requests[:]
                requests.clear()
                for request in waiting:
                    self._perform(request)
                if not requests:
                    self.registry.flush(now)
        finally:
            self._in_turn = False

    def _perform(self, request: Request) -> None:
        try:
            awaitable, seconds = self._awaitable(request)
            deferred = _deferred(awaitable)
        except Exception:
            deferred, seconds = Deferred(), 0.0
            deferred.errback(Failure())
        if not deferred.called:
            deferred.addTimeout(seconds, self._reactor)

        def then(answer: Any) -> None:
            now = self.begin_turn()
            request.then(answer, now)
            self.end_turn(now)

        def failed(failure: Failure) -> None:
            now = self.begin_turn()
            error: Any = failure.value
            if isinstance(error, TimeoutError):
                error = Refused(f"this took longer than {seconds:g} s", "failed")
            request.failed(error, now)
            self.end_turn(now)

        deferred.addCallbacks(then, failed)
        deferred.addErrback(lambda failure: self.report("error", failure.value, verb="turn"))

    def _awaitable(self, request: Request) -> tuple[Any, float]:
        """(what to await, how long)."""
        seconds = self.limits.await_s
        match request:
            case Store():
                return self._storage.append(request.channel, request.line), seconds
            case Fetch(after=None):
                return self._storage.latest(request.channel, request.limit), seconds
            case Fetch():
                return self._storage.lines(request.channel, request.after, request.limit), seconds
            case OpenChannel():
                return self._storage.open(request.channel), seconds
            case Await():
                return request.what, request.seconds
        raise AssertionError(f"no way to perform {request!r}")

    # --- rooms ---

    def _room_opened(self, room: Room) -> None:
        self._tickers[room] = self._reactor.callLater(room.tick_s, self._tick, room)

    def _tick(self, room: Room) -> None:
        if room.is_closed:
            self._tickers.pop(room, None)
            return
        now = self.begin_turn()
        try:
            room.advance(now)
        except Exception as error:  # ours: this room misses its tick, the others do not
            self.report("error", error, room=room.name, verb="tick")
        self.end_turn(now)
        self._tickers[room] = self._reactor.callLater(max(0.0, room.next_tick_at - self._reactor.seconds()), self._tick, room)

    # --- connections and sessions ---

    def full(self, address: str) -> str | None:
        """Why no more connections are taken, from all or from an address; None if there is room."""
        if self._stopping is not None:
            return "the server stops"
        if len(self._connections) >= self.limits.connections:
            return "the server is full"
        if self._addresses[address] >= self.limits.connections_per_address:
            return "too many connections from your address"
        return None

    def connected(self, pipe: Pipe, address: str) -> Connection:
        """A transport wants to be a connection."""
        connection = Connection(self, pipe, address)
        self._connections[connection] = None
        self._addresses[address] += 1
        self.counters["connections"] += 1
        return connection

    def disconnected(self, connection: Connection, code: int) -> None:
        """A connection is gone."""
        if self._connections.pop(connection, self) is self:
            return
        self.counters[f"closed_{code}"] += 1
        self._addresses[connection.address] -= 1
        if not self._addresses[connection.address]:
            del self._addresses[connection.address]
        if self._stopping is not None and not self._connections and not self._stopping.called:
            self._stopping.callback(None)

    def authenticate(
        self, hello: Hello, address: str, then: Callable[[Identity, float], None],
        failed: Callable[[BaseException, float], None], now: float,
    ) -> None:  # fmt: skip
        """Find out who says hello."""
        try:
            who = self._authenticator.authenticate(hello.token, hello.name, address)
        except Exception as error:
            failed(error, now)
            return
        if isinstance(who, Identity):
            then(who, now)
        else:
            self.lobby.requests.append(Await(then, failed, who, self.limits.await_s))

    def attach(self, session: Session, connection: Connection, now: float) -> None:
        """A connection takes a session up; an older one of the same session ends."""
        old = session.pipe
        if old is not None:
            self.lose(session, now)
            for other in list(self._connections):
                if other.pipe is old:
                    other.end(CloseCode.REPLACED, "this session was taken up on another connection")
        session.attach(connection.pipe, now)

    def lose(self, session: Session, now: float) -> None:
        """A session's connection was lost: its user may come back."""
        session.detach(now)
        for number in list(session.seats):
            room = self.lobby.room(number)
            if room is not None:
                room.lose(session, now)

    def forget(self, session: Session, now: float) -> None:
        """A session is over."""
        session.pipe = None
        for number in list(session.seats):
            room = self.lobby.room(number)
            if room is not None:
                room.leave(session, now)
        if self.registry.forget(session):
            self.lobby.forget(session.user)

    def _beat(self) -> None:
        now = self.begin_turn()
        self._beats += 1
        for session in self.registry.slot(self._beats):
            beat(self, session, now)
        self.end_turn(now)

    # --- what is told ---

    def report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        """Count and log what happened: one line for each join, leave and error."""
        self.counters[event] += 1
        names = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
        if error is None:
            self._log.info("{event} {names}", event=event, names=names)
        else:
            failure = Failure(error, type(error), error.__traceback__)
            self._log.failure("{event} {names}", failure, event=event, names=names)

    def health(self) -> dict[str, object]:
        """How the server is, in a few plain values."""
        return {
            "status": "stopping" if self._stopping is not None else "ok",
            "uptime_s": round(self._reactor.seconds() - self._started_at, 1),
            "connections": len(self._connections),
            "sessions": len(self.registry),
            "rooms": len(self.lobby),
            "players": sum(len(room.players) for room in self.lobby),
            "errors": self.counters["error"],
        }

    def report_now(self) -> NetworkReport:
        """All counts of the process, its sessions and its rooms."""
        from ..monitor import NetworkMonitor

        return NetworkMonitor(
            {"server": lambda: {**self.counters}, "sessions": self._session_counts, "rooms": self._room_counts},
            self._reactor.seconds,
        ).generate_report()

    def _session_counts(self) -> dict[str, float]:
        total: Counter[str] = Counter()
        trips = []
        for session in self.registry:
            total.update(session.counters)
            if session.round_trip_ms is not None:
                trips.append(session.round_trip_ms)
        mean = sum(trips) / len(trips) if trips else 0.0
        return {**total, "sessions": len(self.registry), "round_trip_ms_mean": mean}

    def _room_counts(self) -> dict[str, float]:
        total: Counter[str] = Counter()
        for room in self.lobby:
            for part in (room.counters, room.feed.counters, room.actions.counters, room.feed.stream.counters):
                total.update(part)
            total.update(lines=room.talk.lines, events=room.events.number, errors=room.asking.errors)
        return {**total, "rooms": len(self.lobby)}

    def websocket_factory(self, origins: list[str] | None = None) -> Any:
        """The factory whose protocols talk to this host."""
        from .protocol import MeteorFactory

        return MeteorFactory(self, self.limits, self._reactor, origins)


def _deferred(what: Awaitable[Any]) -> Deferred[Any]:
    """Any awaitable as a Deferred."""
    if isinstance(what, Deferred):
        return what

    async def wait() -> Any:
        return await what

    return Deferred.fromCoroutine(wait())
