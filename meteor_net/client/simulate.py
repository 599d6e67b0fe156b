"""A bad network around a real client, so that an author can feel it: what goes over real TCP comes late, or never.

TCP loses no bytes and keeps their order: what it makes of a lost packet is that this one, and all behind it, waits until it was
sent again. `meteor_net.testing` has the same faults in a network in memory, where nothing takes real time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf, isfinite
from random import Random, SystemRandom
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionLost, NoRouteError
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.internet.task import deferLater
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import ConfigError

#: What TCP sends at once, in bytes: what is lost is lost in pieces of this size.
SEGMENT_BYTES = 1_448
#: TCP sends again what was lost after this, or two round trips if that is longer, in seconds; then after twice as long, …
SEND_AGAIN_S = 0.2
#: … but a piece is not lost more often than this in a row.
MAX_LOSSES = 8
#: With more than this on its way to the client, the real connection is not read; with more from the client, it is cut.
WAITING_BYTES = 256 * 1024
MAX_WAITING_BYTES = 8 * 1024 * 1024
#: A real connection that went silent is closed so long after the client has given it up, in seconds: the server is to notice.
SILENT_S = 60.0
#: Longer ways are a mistake, in seconds.
MAX_DELAY_S = 60.0


def way_s(random: Random, latency_s: float, jitter_s: float, loss: float) -> float:
    """Tell how long a piece is on its way: the latency, some jitter, and the time until it was sent again if it was lost."""
    delay_s = latency_s + jitter_s * random.random()
    if loss:
        again_s = max(SEND_AGAIN_S, 4 * latency_s)
        for losses in range(MAX_LOSSES):
            if random.random() >= loss:
                break
            delay_s += again_s * 2**losses
    return delay_s


class Simulation:
    """A bad network; `NetworkConfig(simulate=…)` puts it between a client and its server.

    One may be shared by several clients, which then hang on one wire. Its attributes may be changed at any time.

    Attributes:
        latency_s: So much longer is each way, in seconds: a round trip takes twice as much.
        jitter_s: At most so much is added to it, by chance, in seconds.
        loss: The share of all pieces that is lost and sent again, from 0 to 0.9.
        bytes_per_s: How much gets through in each direction, in bytes a second; None for all.

    Raises:
        ConfigError: One of them is no such number.
    """

    def __init__(
        self, *, latency_s: float = 0.0, jitter_s: float = 0.0, loss: float = 0.0, bytes_per_s: float | None = None,
        seed: int | None = None,
    ) -> None:  # fmt: skip
        """Make one; with a `seed` its chance is the same each time."""
        for name, value, most in (
            ("latency_s", latency_s, MAX_DELAY_S), ("jitter_s", jitter_s, MAX_DELAY_S), ("loss", loss, 0.9),
        ):  # fmt: skip
            if not 0.0 <= value <= most:
                raise ConfigError(f"simulate: {name} is {value!r}; from 0 to {most:g}")
        if bytes_per_s is not None and not (bytes_per_s > 0.0 and isfinite(bytes_per_s)):
            raise ConfigError(f"simulate: bytes_per_s is {bytes_per_s!r}; a number above 0, or None")
        self.latency_s, self.jitter_s, self.loss, self.bytes_per_s = latency_s, jitter_s, loss, bytes_per_s
        self._random: Random = SystemRandom() if seed is None else Random(seed)
        self._connections: list[_Protocol] = []
        self._stalled_until_s = {True: 0.0, False: 0.0}
        self._free_at_s = {True: 0.0, False: 0.0}
        self._cut_until_s = 0.0
        self._seconds: Callable[[], float] = lambda: 0.0

    # --- faults ---

    def stall(self, seconds: float = inf, way: str = "both") -> None:
        """Let nothing arrive for some time; nothing is lost, and nobody is told. The default is until `flow`.

        Args:
            seconds: How long.
            way: `in` to the client, `out` from it, or `both`.
        """
        for inbound, name in ((True, "in"), (False, "out")):
            if way in (name, "both"):
                self._stalled_until_s[inbound] = self._seconds() + seconds
        self._look()

    def flow(self) -> None:
        """End a stall."""
        self._stalled_until_s = {True: 0.0, False: 0.0}
        self._look()

    def cut(self, seconds: float = 0.0) -> None:
        """Lose all connections, with what was on its way; for so long no new ones can be made."""
        self._cut_until_s = self._seconds() + seconds
        for connection in list(self._connections):
            connection.cut()

    def silence(self) -> None:
        """Let the connections that there are carry nothing any more, and tell nobody, as when a cable was pulled on the way."""
        for connection in list(self._connections):
            connection.silence()

    # --- what connections use ---

    def around(self, endpoint: IStreamClientEndpoint, reactor: Any) -> IStreamClientEndpoint:
        """Put the network before an endpoint."""
        self._seconds = reactor.seconds
        wrapped: IStreamClientEndpoint = _Endpoint(self, endpoint, reactor)
        return wrapped

    @property
    def is_cut(self) -> bool:
        """Whether no connection can be made now."""
        return self._seconds() < self._cut_until_s

    def arrival_s(self, inbound: bool, size: int) -> float:
        """When so many bytes that are sent now are there."""
        leaves_s = self._seconds()
        if self.bytes_per_s is not None:
            leaves_s = max(leaves_s, self._free_at_s[inbound]) + size / self.bytes_per_s
            self._free_at_s[inbound] = leaves_s
        return leaves_s + self.delay_s()

    def delay_s(self) -> float:
        """How long a piece is on its way now."""
        return way_s(self._random, self.latency_s, self.jitter_s, self.loss)

    def open_at_s(self, inbound: bool) -> float:
        """From when on anything gets through; in the past if it does now."""
        return self._stalled_until_s[inbound]

    def opened(self, connection: _Protocol) -> None:
        """A connection stands."""
        self._connections.append(connection)

    def closed(self, connection: _Protocol) -> None:
        """It is gone."""
        self._connections.remove(connection)

    def _look(self) -> None:
        for connection in self._connections:
            connection.look()


class _Way:
    """One direction of a connection: what is put in happens later, in order."""

    def __init__(self, simulation: Simulation, reactor: Any, inbound: bool) -> None:
        self.bytes = 0
        self.silent = False
        self._simulation, self._reactor, self._inbound = simulation, reactor, inbound
        self._due: deque[tuple[float, int, Callable[[], None]]] = deque()
        self._last_s = 0.0
        self._timer: IDelayedCall | None = None

    def put(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """Send bytes."""
        for at in range(0, len(data), SEGMENT_BYTES):
            piece = data[at : at + SEGMENT_BYTES]
            self.add(len(piece), lambda piece=piece: deliver(piece))  # type: ignore[misc]

    def add(self, size: int, call: Callable[[], None]) -> None:
        """Have something happen behind all that was put in."""
        self._last_s = max(self._last_s, self._simulation.arrival_s(self._inbound, size))
        self._due.append((self._last_s, size, call))
        self.bytes += size
        self.look()

    def clear(self) -> None:
        """All that is on its way is lost."""
        self._due.clear()
        self.bytes = 0
        self._stop_timer()

    def look(self) -> None:
        """Wait for what is next."""
        self._stop_timer()
        if not self._due or self.silent:
            return
        due_s = max(self._due[0][0], self._simulation.open_at_s(self._inbound))
        if due_s < inf:
            self._timer = self._reactor.callLater(max(0.0, due_s - self._reactor.seconds()), self._happen)

    def _happen(self) -> None:
        self._timer = None
        now = self._reactor.seconds()
        while self._due and not self.silent and max(self._due[0][0], self._simulation.open_at_s(self._inbound)) <= now:
            _, size, call = self._due.popleft()
            self.bytes -= size
            call()
        self.look()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _lost() -> Failure:
    return Failure(ConnectionLost())  # type: ignore[no-untyped-call]


class _Protocol(ProtocolWrapper):
    """Stands between the real transport and the client's protocol, and is each one's other."""

    factory: _Factory

    def __init__(self, factory: Any, wrapped: Any) -> None:
        super().__init__(factory, wrapped)
        self._in = _Way(factory.simulation, factory.reactor, True)
        self._out = _Way(factory.simulation, factory.reactor, False)
        self._gone = self._silent = False
        self._producer: Any = None

    def makeConnection(self, transport: Any) -> None:
        self.factory.simulation.opened(self)
        super().makeConnection(transport)  # type: ignore[no-untyped-call]

    # --- from the client ---

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._gone or self.disconnecting:
            return
        if self._out.bytes > MAX_WAITING_BYTES:
            self.cut()
            return
        self._out.put(data, self._write)

    def _write(self, data: bytes) -> None:
        super().write(data)  # type: ignore[no-untyped-call]

    def writeSequence(self, data: Any) -> None:
        """Send bytes."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close, behind all that was sent."""
        if not self.disconnecting:
            self.disconnecting = True
            self._out.add(0, super().loseConnection)

    def abortConnection(self) -> None:
        """Close now."""
        self.disconnecting = True
        self._end(_lost())
        if self._silent:
            self.factory.reactor.callLater(SILENT_S, self._abort)
        else:
            self._abort()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Nobody here produces more than the network takes: what is said is bounded by the session."""
        self._producer = producer
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Let it go."""
        self._producer = None

    # --- from the network ---

    def dataReceived(self, data: bytes) -> None:
        if self._gone or self._silent:
            return
        self._in.put(data, self._read)
        if self._in.bytes > WAITING_BYTES:
            self.transport.pauseProducing()  # type: ignore[union-attr]

    def _read(self, data: bytes) -> None:
        if self._in.bytes <= WAITING_BYTES and not self._silent:
            self.transport.resumeProducing()  # type: ignore[union-attr]
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._silent:
            return  # the client is not told: it shall find out
        self._out.clear()
        self._in.add(0, lambda: self._end(reason))

    # --- faults ---

    def cut(self) -> None:
        """Lose the connection, with what was on its way."""
        self._end(_lost())
        self._abort()

    def silence(self) -> None:
        """Carry nothing any more."""
        self._silent = self._in.silent = self._out.silent = True

    def look(self) -> None:
        """Whether anything gets through may have changed."""
        self._in.look()
        self._out.look()

    def _end(self, reason: Failure) -> None:
        """The client's connection is over."""
        if self._gone:
            return
        self._gone = True
        self.connected = 0
        self._in.clear()
        self._out.clear()
        self.factory.simulation.closed(self)
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.stopProducing()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _abort(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


class _Factory(WrappingFactory):
    """Wraps what another factory makes."""

    noisy = False
    protocol = _Protocol

    def __init__(self, simulation: Simulation, reactor: Any, wrapped: Any) -> None:
        super().__init__(wrapped)  # type: ignore[no-untyped-call]
        self.simulation = simulation
        self.reactor = reactor

    def registerProtocol(self, protocol: Any) -> None:
        """The base class keeps a list, which nobody needs."""

    def unregisterProtocol(self, protocol: Any) -> None:
        """Likewise."""


@implementer(IStreamClientEndpoint)
class _Endpoint:
    """Connects through the network; that takes a round trip more."""

    def __init__(self, simulation: Simulation, endpoint: IStreamClientEndpoint, reactor: Any) -> None:
        self._simulation, self._endpoint, self._reactor = simulation, endpoint, reactor

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect; fails with NoRouteError while the network is cut."""

        def connect() -> Deferred[Any]:
            if self._simulation.is_cut:
                return fail(NoRouteError())  # type: ignore[no-untyped-call]
            connected: Deferred[Any] = self._endpoint.connect(_Factory(self._simulation, self._reactor, factory))
            return connected.addCallback(lambda protocol: protocol.wrappedProtocol)

        delay_s = self._simulation.delay_s() + self._simulation.delay_s()
        now = self._reactor.seconds()
        blocked_s = max(self._simulation.open_at_s(True), self._simulation.open_at_s(False)) - now
        if blocked_s == inf:
            return Deferred()  # until whoever connects gives up
        return deferLater(self._reactor, max(0.0, blocked_s) + delay_s, connect)
