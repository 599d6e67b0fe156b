"""Getting a connection, and getting it again: from several addresses, over more than one transport, with growing pauses."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from ..errors import CloseCode, ConnectionFailed, LocalProtocolError
from .config import NetworkConfig
from .recovery import Pause
from .routes import Routes
from .transports import OpenConnection, Opener, OpenFailed, ServerAddress
from .way import OPEN_S, Way, make_opener

#: A connection on which nothing came for so long, drawn from these seconds, may be dead though TCP does not tell: another is
#: tried beside it. Where the network is good again at last, that is there before TCP tries the old one again.
BESIDE_S = (6.0, 10.0)
#: For one such attempt, in seconds; the next follows, for TCP asks at 0, 1 and 3 s and then too seldom.
BESIDE_OPEN_S = 5.0
#: A connection that lasted so long after the server took us was good: the next attempt is quick again.
SETTLED_S = 5.0
#: Ends before WELCOME that look like a way which does not carry what it opened for, rather than like a server's decision.
NO_WELCOME = frozenset({CloseCode.NO_STATUS, CloseCode.ABNORMAL, CloseCode.HELLO_TIMEOUT})


class State(Enum):
    """Where a manager stands."""

    OFFLINE = "nothing is wanted"
    CONNECTING = "a connection is being opened"
    GREETING = "it is open, HELLO is said"
    ONLINE = "the server has taken us"
    WAITING = "for the next attempt"


#: State -> what happens -> the next state. What is not here does not happen.
NEXT: dict[State, dict[str, State]] = {
    State.OFFLINE: {"connect": State.CONNECTING},
    State.CONNECTING: {"opened": State.GREETING, "over": State.WAITING, "stop": State.OFFLINE},
    State.GREETING: {"taken": State.ONLINE, "over": State.WAITING, "stop": State.OFFLINE},
    State.ONLINE: {"switched": State.GREETING, "over": State.WAITING, "stop": State.OFFLINE},
    State.WAITING: {"connect": State.CONNECTING, "stop": State.OFFLINE},
}


class ConnectionUser(Protocol):
    """Who uses the connections that a manager gets."""

    def connected(self) -> None:
        """A connection is open, the first one or one after `disconnected`."""

    def switched(self) -> None:
        """Another connection has taken the place of the one that was open: say HELLO there."""

    def received(self, packet: bytes) -> None:
        """A packet came."""

    def disconnected(self, error: OpenFailed) -> None:
        """The connection is over, or an attempt failed.

        Call `handle_reconnection` in here for another attempt; without that there is none.
        """

    def waiting(self, seconds: float) -> None:
        """The next attempt is in so many seconds; 0.0 for at once."""


class ConnectionManager:
    """Hold one connection to a server, and open another when it is lost.

    Attributes:
        state: Where it stands.
        counters: Plain integers for the monitor.
    """

    def __init__(self, config: NetworkConfig, user: ConnectionUser, reactor: Any) -> None:
        self.state = State.OFFLINE
        self.counters: dict[str, float] = dict.fromkeys(["opened", "lost", "failed_attempts", "fallbacks"], 0)
        self._config = config
        self._user = user
        self._reactor = reactor
        self._random: Random = config.random
        self._routes = Routes(config.addresses, config.transports)
        self._openers: dict[tuple[str, ServerAddress], Opener] = {}
        self._way: Way | None = None
        self._side: Way | None = None
        self._beside_s = BESIDE_S[0] + self._random.random() * (BESIDE_S[1] - BESIDE_S[0])
        self._beside_at = 0.0
        self._retry: IDelayedCall | None = None
        self._attempts = self._rounds = 0
        self._settled_at: float | None = None
        #: Closed by us, and not gone yet.
        self._closing: set[Way] = set()
        self._opened: list[Deferred[None]] = []
        self._gone: list[Deferred[None]] = []

    # --- what the user calls ---

    def connect(self) -> Deferred[None]:
        """Begin to connect; the user is told what comes of it, now and later.

        Returns:
            A Deferred that fires when a connection is open. It fails with ConnectionFailed when no further attempt will be
            made.

        Raises:
            ConfigError: If the trust root holds no certificate.
        """
        if self.state in (State.GREETING, State.ONLINE):
            return succeed(None)
        begin = self.state is State.OFFLINE
        if begin:
            self._opener(self._routes.transport)  # what is wrong with it is raised here
        opened = Deferred[None]()
        self._opened.append(opened)
        if begin:
            self._routes.begin()
            self._try()
        return opened

    def disconnect(self, code: int = CloseCode.NORMAL, text: str = "") -> Deferred[None]:
        """Close the connection, and open no other; the user is told nothing more.

        Returns:
            A Deferred that fires when it is gone.
        """
        self._stop(ConnectionFailed(text or "the client disconnected", code))
        if not self._closing:
            return succeed(None)
        gone = Deferred[None]()
        self._gone.append(gone)
        return gone

    def close(self, code: int, text: str) -> None:
        """Close this connection: it is over at once, for us, and its end decides whether another is opened."""
        way = self._way
        if way is not None and way.connection is not None:
            self._let_go(way, code, text)
            self._over(way, OpenFailed(text, int(code), reached=True))

    def send(self, packet: bytes) -> None:
        """Send a packet, if there is a connection."""
        if self._way is not None and self._way.connection is not None:
            self._way.connection.send(packet)

    def settled(self) -> None:
        """The server has taken us; if that lasts, the next loss begins with a quick attempt again."""
        assert self._way is not None
        self._move("taken")
        self._settled_at = self._reactor.seconds()
        self._routes.good(self._way.transport, self._reactor.seconds())

    def tick(self, now: float, silent_s: float = 0.0) -> None:
        """Do what is due while a connection is open: try another one beside it, of a better transport or because it seems dead.

        Args:
            now: The time in seconds.
            silent_s: So long nothing has come.
        """
        if self.state is not State.ONLINE or self._side is not None:
            return
        transport, open_s = self._routes.better(now), OPEN_S
        if transport is None and silent_s >= self._beside_s and now >= self._beside_at:
            transport, open_s = self.transport, BESIDE_OPEN_S
            self._beside_at = now + open_s  # also where it is refused at once
        if transport is not None:
            self._side = Way(self, self._opener(transport))
            self._side.start(self._reactor, open_s)

    @property
    def congested(self) -> bool:
        """Whether much waits to be sent; see `OpenConnection`."""
        return self._way is not None and self._way.connection is not None and self._way.connection.congested

    @property
    def reconnect_attempts(self) -> int:
        """Attempts since the last connection that lasted: one that is lost at once, again and again, is no success."""
        if self._settled_at is not None and self._reactor.seconds() - self._settled_at >= SETTLED_S:
            self._attempts = 0
        return self._attempts

    def handle_reconnection(self, pause: Pause = Pause()) -> float:  # noqa: B008 - it is frozen
        """Arrange another attempt: at once at an address not tried in this round, else after a pause.

        Args:
            pause: How long that is.

        Returns:
            Seconds until then.

        Raises:
            LocalProtocolError: There is a connection or an attempt, or none is wanted.
        """
        if self.state is not State.WAITING or self._retry is not None:
            raise LocalProtocolError(f"no reconnection now: {self.state.value}")
        at_once = self._routes.next()
        delay_s = 0.0 if at_once else self._pause_s(pause)
        self._attempts += 1
        self._settled_at = None
        self._retry = self._reactor.callLater(delay_s, self._try)
        self._user.waiting(delay_s)
        return delay_s

    @property
    def can_fall_back(self) -> bool:
        """Whether the next attempt is by another transport than the last one."""
        return self._routes.falls_back

    @property
    def transport(self) -> str:
        """The transport that is used or tried, `websocket` or `http`."""
        return self._routes.transport if self._way is None else self._way.transport

    def _pause_s(self, pause: Pause) -> float:
        if self.reconnect_attempts == 0:
            self._rounds = 0
        most_s = pause.most_s(self._rounds)
        self._rounds += 1
        return self._random.uniform(0, most_s)

    # --- attempts ---

    def _move(self, event: str) -> None:
        self.state = NEXT[self.state][event]

    def _opener(self, transport: str) -> Opener:
        key = (transport, self._routes.address)
        if key not in self._openers:
            self._openers[key] = make_opener(*key, self._config, self._reactor)
        return self._openers[key]

    def _try(self) -> None:
        self._retry = None
        self._move("connect")
        self._way = Way(self, self._opener(self._routes.transport))
        self._way.start(self._reactor)

    def _let_go(self, way: Way | None, code: int, text: str) -> None:
        """Nobody hears of it any more."""
        if way is not None and way.connection is not None:
            self._closing.add(way)
            way.connection.close(code, text)
        elif way is not None:
            way.cancel()

    def _stop(self, error: ConnectionFailed) -> None:
        if self.state is State.OFFLINE:
            return
        self._move("stop")
        retry, self._retry = self._retry, None
        if retry is not None:
            retry.cancel()
        (way, self._way), (side, self._side) = (self._way, None), (self._side, None)
        for each in (side, way):
            self._let_go(each, error.code, str(error))
        opened, self._opened = self._opened, []
        for waiter in opened:
            waiter.errback(error)

    # --- what an attempt and its connection tell ---

    def way_open(self, way: Way, connection: OpenConnection) -> None:
        """An attempt has come to a connection."""
        if way is not self._way and way is not self._side:
            connection.abort()
            return
        self.counters["opened"] += 1
        if way is self._side:
            self._switch(way)
            return
        self._move("opened")
        opened, self._opened = self._opened, []
        for waiter in opened:
            waiter.callback(None)
        self._user.connected()

    def _switch(self, way: Way) -> None:
        """Take the other connection; the server ends the one before when it hears our HELLO on this one."""
        (old, self._way), self._side = (self._way, way), None
        assert old is not None and old.connection is not None
        self._move("switched")
        self._user.switched()
        self._closing.add(old)
        old.connection.abort()

    def way_packet(self, way: Way, packet: bytes) -> None:
        """A packet came."""
        if way is self._way:
            self._user.received(packet)

    def way_over(self, way: Way, error: OpenFailed) -> None:
        """An attempt failed, or a connection is over."""
        if way is self._side:
            self._side = None
            self.counters["failed_attempts"] += 1
        elif way is self._way:
            self._over(way, error)
        else:
            self._closing.discard(way)
            if not self._closing:
                gone, self._gone = self._gone, []
                for waiter in gone:
                    waiter.callback(None)

    def _over(self, way: Way, error: OpenFailed) -> None:
        taken, greeted = self.state is State.ONLINE, self.state is State.GREETING
        self.counters["failed_attempts" if way.connection is None else "lost"] += 1
        (side, self._side), self._way = (self._side, None), None
        if side is not None:
            side.cancel()
        self._move("over")
        if greeted and way.transport == self._config.transports[0] and error.code in NO_WELCOME:
            self._routes.hollow()
        if taken:
            self._routes.lost()
        elif way.transport == self._routes.transport:
            reached = error.code in NO_WELCOME if greeted else error.reached
            self._routes.failed(OpenFailed(str(error), error.code, reached=reached, final=error.final))
            self.counters["fallbacks"] += self._routes.falls_back
        final = error.final and self._routes.hopeless
        told = OpenFailed(str(error), error.code, reached=error.reached, final=final)
        try:
            self._user.disconnected(told)
        finally:
            if self._retry is None and self.state is State.WAITING:
                self._stop(told)
