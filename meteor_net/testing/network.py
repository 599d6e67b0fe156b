"""A network in memory: machines that connect and listen, on one clock and from one seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from .clock import START_S, SteppedClock
from .seeds import Seeds
from .wire import SERVER, Wire

#: What a kernel and the network hold of one direction of a connection.
KERNEL_BYTES = 128 * 1024
#: Deliveries that the log holds; the oldest go first.
LOG_LINES = 100_000


class Network:
    """Machines that talk in memory, on one clock and from one seed.

    Args:
        seed: Of all chance; see `Seeds`.
        latency_s: The way from one machine to another, in seconds.
        jitter_s: At most so much is added to it, by chance, in seconds; order is kept, as TCP keeps it.
        chunk_bytes: If given, bytes are read in pieces of 1 to so many, by chance.
        kernel_bytes: What is held of one direction of a connection before `unsent_bytes` grows.

    Attributes:
        clock: The time; goes on by `advance` and `wait` only.
        seeds: The chance.
        wires: Of all machines, in the order in which they were made.
        log: What was delivered: time, machine, direction (`<` to it, `>` from it), bytes.
    """

    def __init__(
        self, seed: int = 1, *, latency_s: float = 0.02, jitter_s: float = 0.0, chunk_bytes: int | None = None,
        kernel_bytes: int = KERNEL_BYTES,
    ) -> None:  # fmt: skip
        self.clock = SteppedClock()
        self.seeds = Seeds(seed)
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.kernel_bytes = kernel_bytes
        self._options = (latency_s, jitter_s, chunk_bytes)
        self._ports: dict[tuple[str, int], Port] = {}
        self.wires: list[Wire] = []
        self._random = self.seeds.random("network")
        self._to_come: list[IDelayedCall] = []

    def wire(self, name: str = "machine") -> Wire:
        """Make another machine; answers the wire between it and the rest."""
        number = len(self.wires) + 1
        wire = Wire(self, name, f"10.1.{number // 250}.{number % 250 + 1}", *self._options)
        self.wires.append(wire)
        return wire

    def listen(self, factory: Any, address: tuple[str, int] = SERVER) -> Port:
        """Let a factory serve at an address.

        Raises:
            ValueError: If another one does.
        """
        if address in self._ports:
            raise ValueError(f"something listens at {address} already")
        self._ports[address] = port = Port(self, factory, address)
        factory.doStart()
        return port

    def port(self, address: tuple[str, int]) -> Port | None:
        """What listens at an address."""
        return self._ports.get(address)

    def forget(self, port: Port) -> bool:
        """It listens no more; tells whether it did."""
        if self._ports.get(port.address) is not port:
            return False
        del self._ports[port.address]
        return True

    def swizzle(self, seconds: float) -> None:
        """Clog some of the wires, one after another, and let them flow again in another order; returns at once.

        Each is stalled one way or both ways: what such a time brings to light, evenly bad times seldom do.

        Args:
            seconds: From now until all flow again.
        """
        random = self._random
        self._to_come = [call for call in self._to_come if call.active()]
        for wire in self.wires:
            if not wire.is_killed and random.random() < 0.5:
                begin_s, end_s = random.uniform(0.0, seconds / 2), random.uniform(seconds / 2, seconds)
                way = random.choice(("in", "out", "both"))
                self._to_come.append(self.clock.callLater(begin_s, wire.stall, end_s - begin_s, way))

    def heal(self) -> None:
        """End the faults of all wires, those too that are to come."""
        for call in self._to_come:
            if call.active():
                call.cancel()
        for wire in self.wires:
            wire.heal()

    def kill(self, address: tuple[str, int], silent: bool) -> None:
        """What listens at an address is killed; see `Wire.kill`."""
        self._ports.pop(address, None)
        for wire in self.wires:
            wire.server_killed(address, silent)

    def advance(self, seconds: float) -> None:
        """Let time pass; all that is due happens at its time."""
        self.clock.advance(seconds)

    def wait(self, deferred: Deferred[Any], seconds: float = 30.0) -> Any:
        """Let time pass until a Deferred has fired.

        Returns:
            Its result; an error that it has is raised.

        Raises:
            AssertionError: If that takes longer than so many seconds of the clock.
        """
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.wait_until(lambda: bool(results), seconds)
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Let time pass until a condition holds.

        Raises:
            AssertionError: If that takes longer than so many seconds of the clock.
        """
        until_s = self.clock.seconds() + seconds
        while not condition():
            if not self.clock.step(until_s) and not condition():
                raise AssertionError(f"nothing came of it within {seconds:g} s")

    def note(self, wire: Wire, inbound: bool, size: int) -> None:
        """Write a delivery into the log."""
        self.log.append(f"{self.clock.seconds() - START_S:.6f} {wire.name} {'<' if inbound else '>'} {size}")


class Port:
    """Something that listens; `stopListening` as of a real port."""

    def __init__(self, network: Network, factory: Any, address: tuple[str, int]) -> None:
        self.factory = factory
        self.address = address
        self._network = network

    def getHost(self) -> IPv4Address:
        """The address."""
        return IPv4Address("TCP", *self.address)

    def stopListening(self) -> Deferred[None]:
        """Take no more connections; those that are there stay. Once it does not, nothing happens."""
        if self._network.forget(self):
            self.factory.doStop()
        return succeed(None)
