"""The wire between one machine and all others, and what goes wrong on it."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError, NoProtocol, NoRouteError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from zope.interface import implementer

from ..client.simulate import SEGMENT_BYTES, way_s
from .clock import MachineClock
from .transport import Transport
from .way import READ_BYTES, Way

if TYPE_CHECKING:
    from .network import Network, Port

#: The address of a server that names none.
SERVER = ("10.0.0.1", 80)
#: A machine that hears nothing asks for a connection again after so many seconds.
ASK_AGAIN_S = 1.0


class Wire:
    """The way between one machine and all others, with its faults.

    Attributes:
        name: The machine's, for the log.
        address: The machine's.
        clock: The machine's own; it can jump.
        latency_s, jitter_s, chunk_bytes: As of `Network`; can be changed at any time. Jitter reorders what travels on different
            connections, and never what travels on one.
        loss: The share of all pieces that is lost and sent again, as TCP does: what is behind it waits. From 0 to below 1.
        bytes_per_s: How much gets through in each direction, in bytes a second; None for all.
    """

    def __init__(
        self, network: Network, name: str, address: str, latency_s: float, jitter_s: float, chunk_bytes: int | None
    ) -> None:
        self.network = network
        self.name = name
        self.address = address
        self.clock = MachineClock(network.clock)
        self.latency_s, self.jitter_s, self.chunk_bytes = latency_s, jitter_s, chunk_bytes
        self.loss = 0.0
        self.bytes_per_s: float | None = None
        self._random = network.seeds.random(f"wire {address}")
        self._connections: list[Connection] = []
        self._stalled_until_s = {True: 0.0, False: 0.0}
        self._free_at_s = {True: 0.0, False: 0.0}
        self._cut_until_s = 0.0
        self._next_port = 40_000
        self._killed = False

    # --- faults ---

    def stall(self, seconds: float = inf, way: str = "both") -> None:
        """Let nothing arrive for some time; nothing is lost, and nobody is told. The default is until `flow`.

        Args:
            seconds: How long.
            way: `in` to the machine, `out` from it, or `both`.
        """
        for inbound, name in ((True, "in"), (False, "out")):
            if way in (name, "both"):
                self._stalled_until_s[inbound] = self.network.clock.seconds() + seconds
        self._look()

    def flow(self) -> None:
        """End a stall: what was on its way arrives now."""
        self._stalled_until_s = {True: 0.0, False: 0.0}
        self._look()

    def cut(self, seconds: float = 0.0) -> None:
        """Lose all connections, with what was on its way.

        Args:
            seconds: So long no new ones can be made.
        """
        self._cut_until_s = self.network.clock.seconds() + seconds
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.client.cut()
            connection.server.cut()

    def silence(self) -> None:
        """Let the connections that there are carry nothing any more, and tell nobody, as when a cable was pulled on the way.

        New ones can be made. Each end finds out by itself that it hears nothing.
        """
        for connection in self._open():
            connection.silence()

    def heal(self) -> None:
        """End all faults: stalls, cuts, loss and limits; what waited for its turn to be sent again arrives.

        Connections that went silent are reset, as a new way tells both ends.
        """
        self._cut_until_s = 0.0
        self.loss, self.bytes_per_s = 0.0, None
        self._free_at_s = {True: 0.0, False: 0.0}
        for connection in self._open():
            if connection.silent:
                connection.client.cut()
                connection.server.cut()
            else:
                connection.inward.hurry(self.latency_s)
                connection.outward.hurry(self.latency_s)
        self.flow()

    def kill(self, silent: bool = False) -> None:
        """Kill all that runs on the machine, in the middle of whatever it does, as `kill -9`: it does nothing any more.

        Args:
            silent: The other ends are not told, as when the power fails; else its kernel resets the connections.
        """
        self._killed = True
        self.clock.stop()
        for connection in self._open():
            connection.kill(connection.client, silent)

    def _look(self) -> None:
        for connection in self._open():
            connection.inward.look()
            connection.outward.look()

    # --- what the two ends use ---

    def endpoint(self, address: tuple[str, int] = SERVER) -> IStreamClientEndpoint:
        """Make an endpoint that connects the machine to an address."""
        endpoint: IStreamClientEndpoint = Endpoint(self, address)
        return endpoint

    def delay_s(self) -> float:
        """How long bytes that are sent now are on their way."""
        return way_s(self._random, self.latency_s, self.jitter_s, self.loss)

    def leaves_s(self, inbound: bool, size: int) -> float:
        """When bytes that are sent now have all left: at once, or behind those that wait for the wire."""
        now = self.network.clock.seconds()
        if self.bytes_per_s is None:
            return now
        self._free_at_s[inbound] = max(now, self._free_at_s[inbound]) + size / self.bytes_per_s
        return self._free_at_s[inbound]

    def pieces(self, data: bytes) -> Iterable[bytes]:
        """What travels by itself of some bytes."""
        if len(data) <= SEGMENT_BYTES or (self.bytes_per_s is None and not self.loss):
            return [data]
        return (data[at : at + SEGMENT_BYTES] for at in range(0, len(data), SEGMENT_BYTES))

    def chunk(self) -> int:
        """How many bytes the next read takes at most."""
        return READ_BYTES if self.chunk_bytes is None else self._random.randint(1, self.chunk_bytes)

    def open_at_s(self, inbound: bool) -> float:
        """From when on bytes get through; in the past if they do now."""
        return self._stalled_until_s[inbound]

    @property
    def is_cut(self) -> bool:
        """Whether no connection can be made now."""
        return self.network.clock.seconds() < self._cut_until_s

    @property
    def is_killed(self) -> bool:
        """Whether nothing runs here any more."""
        return self._killed

    @property
    def connections(self) -> int:
        """How many connections there are, those included of which only one end knows that they are over."""
        return len(self._open())

    @property
    def unsent_bytes(self) -> int:
        """Bytes for this machine that wait in the processes of others, as the network and the kernels are full."""
        return sum(each.server.unsent_bytes for each in self._open())

    def join(self, port: Port, protocol: Any) -> None:
        """Make a connection between a protocol on this machine and one of a port's."""
        self._next_port += 1
        here = IPv4Address("TCP", self.address, self._next_port)
        connection = Connection(self, here, port.getHost())
        self._connections = [*self._open(), connection]
        accepted = port.factory.buildProtocol(here)
        refused = accepted is None
        connection.server.protocol = Protocol() if refused else accepted
        connection.client.protocol = protocol
        connection.server.protocol.makeConnection(connection.server)
        protocol.makeConnection(connection.client)
        if refused:
            connection.server.abortConnection()

    def server_killed(self, address: tuple[str, int], silent: bool) -> None:
        """What listened at an address was killed; see `kill`."""
        for connection in self._open():
            if connection.there == address:
                connection.kill(connection.server, silent)

    def _open(self) -> list[Connection]:
        return [each for each in self._connections if each.client.connected or each.server.connected]


class Connection:
    """Two transports, and the two ways between them.

    Attributes:
        there: The address of the server's end.
        silent: Whether it carries nothing any more.
    """

    def __init__(self, wire: Wire, here: IPv4Address, there: IPv4Address) -> None:
        network = wire.network
        self.there = (there.host, there.port)
        self.silent = False
        self.inward = Way(wire, True, network.kernel_bytes)
        self.outward = Way(wire, False, network.kernel_bytes)
        self.client = Transport(network.clock, self.inward, self.outward, here, there)
        self.server = Transport(network.clock, self.outward, self.inward, there, here)

    def silence(self) -> None:
        """Carry nothing any more; nobody is told."""
        self.silent = True
        self.inward.silence()
        self.outward.silence()

    def kill(self, end: Transport, silent: bool) -> None:
        """Kill what runs at one end."""
        end.die()
        if silent:
            self.silence()
        else:
            from_other, to_other = (self.outward, self.inward) if end is self.server else (self.inward, self.outward)
            from_other.close()
            to_other.reset()


@implementer(IStreamClientEndpoint)
class Endpoint:
    """Connects a machine to an address; it takes a round trip."""

    def __init__(self, wire: Wire, address: tuple[str, int]) -> None:
        self._wire = wire
        self._address = address

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect.

        Returns:
            A Deferred of the protocol; it fails with ConnectionRefusedError if nothing listens, with NoRouteError if
            the wire is cut.
        """
        wire, clock = self._wire, self._wire.network.clock
        connected: Deferred[Any] = Deferred(lambda _: timer.cancel())
        timer = clock.callLater(wire.delay_s() + wire.delay_s(), lambda: answer())

        def answer() -> None:
            nonlocal timer
            port = wire.network.port(self._address)
            open_at_s = max(wire.open_at_s(True), wire.open_at_s(False))
            if wire.is_killed:
                return  # who asked is no more
            if wire.is_cut:
                connected.errback(NoRouteError())
            elif open_at_s > clock.seconds():
                timer = clock.callLater(min(ASK_AGAIN_S, open_at_s - clock.seconds()), answer)
            elif port is None:
                connected.errback(ConnectionRefusedError())
            else:
                protocol: Any = factory.buildProtocol(port.getHost())
                if protocol is None:
                    connected.errback(NoProtocol())
                    return
                wire.join(port, protocol)
                connected.callback(protocol)

        return connected
