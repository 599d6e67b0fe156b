"""The plain half of a server and of its clients, alone: packets are handed over as bytes, without WebSocket, TCP or a reactor.

Everything above the transport is the real thing: the server's connections, sessions, rooms, games, chat and state, and the
clients' sessions. So a history of a game with its faults takes milliseconds, and a test can try thousands of them. What a
connection does on its way is all here: delays, stalls, losses that both ends, one or none learns of, crashes of the server, and
clocks that jump. `checks` tells whether all is well.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..limits import Limits
from ..server.auth import Guests
from ..server.connection import Connection
from ..server.host import Host
from ..storage.cache import CachedStorage
from ..storage.memory import MemoryStorage
from .clock import MachineClock, SteppedClock
from .plain_wire import PlainWire
from .seeds import Seeds
from .store import SimulatedStore

if TYPE_CHECKING:
    from .plain_client import PlainClient


class PlainNetwork:
    """The time, and what is on its way.

    Args:
        seed: All chance comes from it: the same is the same run again.
        latency_s: Seconds that a packet takes.
        jitter_s: At most so much more; packets of one connection keep their order.
        kernel_bytes: So many bytes of a connection the network takes from a server before that has to keep them itself.

    Attributes:
        clock: The network's time; each machine has a clock of its own beside it.
        digest: Changes with each packet that arrives: two runs of the same digest went the same way.
        packets: Packets that arrived.
    """

    def __init__(self, seed: int = 1, *, latency_s: float = 0.02, jitter_s: float = 0.0, kernel_bytes: int = 65_536) -> None:
        self.clock = SteppedClock()
        self.seeds = Seeds(seed)
        self.latency_s, self.jitter_s, self.kernel_bytes = latency_s, jitter_s, kernel_bytes
        self.digest = self.packets = 0
        self._random = self.seeds.random("network")

    @property
    def now(self) -> float:
        """The time, in seconds."""
        return self.clock.seconds()

    def delay_s(self) -> float:
        """How long the next packet takes."""
        return self.latency_s + self.jitter_s * self._random.random()

    def note(self, packet: bytes) -> None:
        """A packet arrived."""
        self.packets += 1
        self.digest = zlib.crc32(packet, self.digest)

    def advance(self, seconds: float) -> None:
        """Let time pass, and all that is due in it happen at its time."""
        self.clock.advance(seconds)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30.0, step_s: float = 0.05) -> bool:
        """Let time pass until a condition holds; tell whether it does."""
        until = self.now + seconds
        while not condition():
            if self.now >= until:
                return False
            self.advance(step_s)
        return True


class PlainHost(Host):
    """A server's host that keeps the errors it reports, where others log them.

    Attributes:
        errors: (the error, the names told with it).
    """

    errors: list[tuple[BaseException, dict[str, object]]]

    def report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        """Take what happened."""
        if error is not None:
            self.errors.append((error, fields))


class PlainServer:
    """A server, which may crash and start anew.

    Args:
        network: Where it is.
        games: Name -> class with ISyncHandler; the first is the default.
        chat: Class with IChatHandler, or None for the default one.
        limits: What is allowed.
        storage: Keeps lines and worlds; a `SimulatedStore` outlives the server. In memory, and gone with it, if None.
        authenticator: Who may enter; guests, if None.

    Attributes:
        host: Runs the rooms and sessions; None while the server is down.
        clock: The server's own; it can jump.
        errors: All that was reported since the beginning.
    """

    def __init__(
        self, network: PlainNetwork, games: Mapping[str, Callable[[], Any]], *, chat: Callable[[], Any] | None = None,
        limits: Limits | None = None, storage: Any = None, authenticator: Any = None,
    ) -> None:  # fmt: skip
        self.network = network
        self.limits = limits or Limits()
        self.clock = MachineClock(network.clock)
        self.host: PlainHost | None = None
        self.errors: list[tuple[BaseException, dict[str, object]]] = []
        self._games, self._chat = dict(games), chat
        self._storage = storage
        self._authenticator = authenticator or Guests(network.seeds.random("guests"))
        self._wires: list[PlainWire] = []
        self._starts = 0

    def start(self) -> None:
        """Begin to serve, with nothing of an earlier time but what is kept."""
        self._starts += 1
        name, seeds = f"server start {self._starts}", self.network.seeds
        storage: Any = self._storage or MemoryStorage(seeds.random(f"{name} storage"), self.limits.channel_lines)
        if isinstance(storage, SimulatedStore):
            storage = CachedStorage(storage.connect())
        ahead_s, self.clock = self.clock.ahead_s, MachineClock(self.network.clock)
        self.clock.ahead_s = ahead_s  # what time of day it is outlives a process
        random = seeds.random(name)
        self.host = PlainHost(self._games, self._chat, self.limits, self.clock, storage, self._authenticator, random)
        self.host.errors = self.errors
        self.host.start()

    def crash(self, told: bool = True) -> None:
        """Be gone, without a word.

        Args:
            told: The clients' connections are reset; else they believe that all is well.
        """
        self.host = None
        self.clock.stop()
        if isinstance(self._storage, SimulatedStore):
            self._storage.crash()
        for wire in self._wires:
            wire.up.open = False
            wire.lose("client" if told else "none")

    def reset(self) -> None:
        """All that believe in a connection that is no more learn better, as they do when they send something."""
        for wire in self._wires:
            wire.flow()
            if wire.dead:
                wire.lose("both")

    def connect(self, client: PlainClient) -> PlainWire | None:
        """Take a connection; None if nobody does."""
        if self.host is None or self.host.full(client.name) is not None:
            return None
        end = _ServerEnd(self)
        wire = PlainWire(self.network, client, end, self.clock.callLater)
        end.wire, end.connection = wire, self.host.connected(wire, client.name)
        self._wires = [each for each in self._wires if each.up.open or each.down.open]
        self._wires.append(wire)
        end.connection.opened()
        return wire


class _ServerEnd:
    """Tells the server's connection."""

    connection: Connection
    wire: PlainWire

    def __init__(self, server: PlainServer) -> None:
        self._server = server

    def packet_came(self, packet: bytes) -> None:
        self.wire.heard = True
        self.connection.received(packet)

    def connection_over(self, code: int, text: str) -> None:
        self.connection.closed(code)
