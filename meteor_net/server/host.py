"""The shell around the plain half: which connections and sessions there are.

Whatever happens is a turn (see `turns`): `begin_turn`, then the plain half is called, then `end_turn`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from inspect import isawaitable
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from ..errors import CloseCode, ConfigError
from ..game import Chat
from ..interfaces import IAuthenticator, Identity, IStorage
from ..limits import Limits
from ..lobby import Lobby
from ..messages import Hello
from ..requests import Await
from ..room import Room
from ..session.outbox import Pipe
from ..session.registry import SLOTS, Registry
from ..session.session import Session
from .auth import Guests
from .connection import Connection
from .counts import monitor
from .heartbeat import LOOK_S, beat
from .logbook import Logbook
from .tickers import Tickers
from .turns import Turns, as_deferred

#: The heartbeat looks at every session in turn, a tenth of them at a time; and whose HELLO is late.
BEAT_S = LOOK_S / SLOTS
#: What the rooms' last saves may wait for, one after another: `closed` of their games, a save, and one more.
LAST_ANSWERS = 3


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

    Attributes:
        monitor: Counts all; `monitor.generate_report()` tells.
        opened: Told of each room that opens, before its first tick; None: nobody is.

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
        self._turns = Turns(self.lobby, self.registry, storage, reactor, limits.await_s, self.report)
        self._logbook = Logbook(limits, reactor.seconds)
        self.counters = self._logbook.counters
        self._tickers = Tickers(self._turns, reactor, self.report)
        self.monitor = monitor(self.counters, self.registry, self.lobby, self._tickers, storage, reactor)
        self._reactor = reactor
        self.opened: Callable[[Room], object] | None = None
        self._storage = storage
        self._authenticator = authenticator
        self._connections: dict[Connection, None] = {}
        self._addresses: Counter[str] = Counter()
        #: Connections without a HELLO -> by when it has to come, in seconds; the oldest first.
        self._strangers: dict[Connection, float] = {}
        self._beats = 0
        self._heartbeat = LoopingCall(self._beat)
        self._heartbeat.clock = reactor
        self._started_at = 0.0
        self._stopping: Deferred[None] | None = None

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
        self._tickers.stop()
        saved: Deferred[Any] = Deferred()
        self.lobby.around.shelf.when_idle(lambda: saved.callback(None))
        saved.addTimeout(LAST_ANSWERS * self.limits.await_s, self._reactor)
        saved.addErrback(lambda failure: self.report("error", failure.value, verb="save"))
        closed = saved.addCallback(lambda _: as_deferred(self._storage.close()))
        return closed.addErrback(lambda failure: self.report("error", failure.value, verb="close"))

    # --- time and turns ---

    def server_ms(self, now: float) -> int:
        """Milliseconds of the server's clock."""
        return int(now * 1000)

    def begin_turn(self) -> float:
        """Something happens; see `Turns.begin`."""
        return self._turns.begin()

    def end_turn(self, now: float) -> None:
        """It is over; see `Turns.end`."""
        self._turns.end(now)

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

    def expect_hello(self, connection: Connection) -> None:
        """A connection is open: its HELLO is due."""
        self._strangers[connection] = self._reactor.seconds() + self.limits.hello_s

    def expect_no_hello(self, connection: Connection) -> None:
        """It has come, or will not come any more."""
        self._strangers.pop(connection, None)

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

    @property
    def knows_tokens(self) -> bool:
        """Whether a token of HELLO's says who somebody is: guests are somebody new each time."""
        return not isinstance(self._authenticator, Guests)

    def authenticate(
        self, hello: Hello, address: str, then: Callable[[Identity, float], None],
        failed: Callable[[BaseException, float], None], now: float,
    ) -> None:  # fmt: skip
        """Find out who says hello."""

        def known(who: Any, now: float) -> None:
            if isinstance(who, Identity):
                then(who, now)
            else:
                failed(TypeError(f"authenticate answered {type(who).__name__}; an Identity was expected"), now)

        try:
            who = self._authenticator.authenticate(hello.token, hello.name, address)
        except Exception as error:
            failed(error, now)
            return
        if isawaitable(who):
            self.lobby.requests.append(Await(known, failed, who, self.limits.await_s))
        else:
            known(who, now)

    def attach(self, session: Session, connection: Connection, now: float) -> None:
        """A connection takes a session up; an older one of the same session ends."""
        hang_up = session.hang_up
        if hang_up is not None:
            self._away(session, now)
            if self.registry.is_settled(session):
                hang_up(CloseCode.REPLACED, "this session was taken up on another connection")
            else:  # it may be the newer one of the two: the HELLO of one that was given up came late
                hang_up(CloseCode.SILENT, "this session was taken up on another connection before you said anything")
        session.attach(connection.pipe, now, connection.features, connection.end)

    def lose(self, session: Session, now: float) -> None:
        """A session's connection was lost: a player may come back; in no room there is nothing to come back to."""
        if not session.seats:
            self.forget(session, now)
            return
        self._away(session, now)
        while len(self.registry.away) > self.limits.away_sessions:
            self.forget(next(iter(self.registry.away)), now)

    def _away(self, session: Session, now: float) -> None:
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
        for connection in [each for each, due in self._strangers.items() if due <= now]:
            connection.end(CloseCode.HELLO_TIMEOUT, "no HELLO came in time")
        for session in self.registry.slot(self._beats):
            try:
                beat(self, session, now)
            except Exception as error:  # ours: the heart of all others beats on
                self.report("error", error, player=session.name, verb="beat")
        if self._beats % SLOTS == 0:
            self._tickers.look(now)
            self.lobby.busy = self._tickers.busy > self.limits.busy_share
        self.end_turn(now)

    def _room_opened(self, room: Room) -> None:
        self._tickers.add(room)
        if self.opened is not None:
            self.opened(room)

    # --- what is told ---

    def report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        """Count and log what happened: one line for each join, leave and error; see `Logbook`."""
        self._logbook.report(event, error, **fields)

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

    def websocket_factory(self, origins: list[str] | None = None) -> Any:
        """The factory whose protocols talk to this host."""
        from .protocol import MeteorFactory

        return MeteorFactory(self, self.limits, self._reactor, origins)
