"""Bad times: random faults of a network, its machines, its server and its store, one after another, from one seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from twisted.internet.interfaces import IDelayedCall

from .clock import START_S
from .network import Network
from .server import MemoryServer
from .store import SimulatedStore
from .wire import Wire

#: The next fault comes after so many seconds, from a few together to one by itself.
PAUSE_S = (0.0, 3.0)
#: A server that crashed or was stopped begins anew after so many seconds.
DOWN_S = (0.0, 4.0)
#: How far clocks jump at most, ahead and back, in seconds. Nothing happens on a machine whose clock was set back so far.
AHEAD_S, BACK_S = 20.0, 1.0


class Faults:
    """Random faults, one after another, from `start` to `heal`.

    Args:
        network: Whose wires suffer, those that are made later too.
        server: Crashes, is stopped, and its clock jumps; spared if None.
        store: Fails; spared if None.
        name: Another one is another course of faults of the same seed.

    Attributes:
        log: What happened: time in seconds, and what.
    """

    def __init__(
        self, network: Network, server: MemoryServer | None = None, store: SimulatedStore | None = None, name: str = "faults"
    ) -> None:
        self.log: list[str] = []
        self._network, self._server, self._store = network, server, store
        self._random: Random = network.seeds.random(name)
        self._call: IDelayedCall | None = None
        self._restart: IDelayedCall | None = None
        self._down = False
        #: Each may be named more than once, so as to come more often.
        self._kinds: list[Callable[[], str]] = [
            *[self._cut, self._clog, self._silence] * 3, self._swizzle, *[self._bad_line] * 2, self._client_clock,
        ]  # fmt: skip
        if server is not None:
            self._kinds += [self._crash, self._stop, self._server_clock]
        if store is not None:
            self._kinds += [self._store_fails, self._store_forgets, self._store_late]

    def start(self) -> None:
        """Begin; the first fault comes soon."""
        self._call = self._network.clock.callLater(self._random.uniform(*PAUSE_S), self._strike)

    def heal(self) -> None:
        """End all faults, and begin no more; a server that is down starts."""
        self._note("all is well again")
        for call in (self._call, self._restart):
            if call is not None and call.active():
                call.cancel()
        self._network.heal()
        for wire in self._network.wires:
            wire.jitter_s = min(wire.jitter_s, wire.latency_s)
        if self._store is not None:
            self._store.heal()
        if self._down:
            self._begin_anew()

    def _strike(self) -> None:
        self._note(self._random.choice(self._kinds)())
        self._call = self._network.clock.callLater(self._random.uniform(*PAUSE_S), self._strike)

    def _note(self, what: str) -> None:
        self.log.append(f"{self._network.clock.seconds() - START_S:.3f} {what}")

    # --- wires ---

    def _wire(self) -> Wire | None:
        """One that is in use."""
        wires = [wire for wire in self._network.wires if not wire.is_killed and wire.connections]
        return self._random.choice(wires) if wires else None

    def _on_wire(self, strike: Callable[[Wire], str]) -> str:
        wire = self._wire()
        return "nothing: nobody is connected" if wire is None else f"{wire.name}: {strike(wire)}"

    def _cut(self) -> str:
        def cut(wire: Wire) -> str:
            seconds = self._random.choice([0.0, self._random.uniform(0.0, 4.0)])
            wire.cut(seconds)
            return f"cut for {seconds:.3f} s"

        return self._on_wire(cut)

    def _clog(self) -> str:
        def clog(wire: Wire) -> str:
            seconds, way = self._random.uniform(0.1, 8.0), self._random.choice(("in", "out", "both"))
            wire.stall(seconds, way)
            return f"clogged {way} for {seconds:.3f} s"

        return self._on_wire(clog)

    def _silence(self) -> str:
        def silence(wire: Wire) -> str:
            wire.silence()
            return "silent"

        return self._on_wire(silence)

    def _swizzle(self) -> str:
        seconds = self._random.uniform(1.0, 6.0)
        self._network.swizzle(seconds)
        return f"swizzled for {seconds:.3f} s"

    def _bad_line(self) -> str:
        def worse(wire: Wire) -> str:
            wire.loss = self._random.choice((0.0, 0.02, 0.1, 0.3))
            wire.jitter_s = self._random.choice((0.0, 0.05, 0.3))
            wire.bytes_per_s = self._random.choice((None, 32_000.0, 4_000.0))
            return f"loses {wire.loss:.0%}, jitter {wire.jitter_s} s, {wire.bytes_per_s} bytes/s"

        return self._on_wire(worse)

    # --- clocks ---

    def _jump(self) -> float:
        return self._random.choice((self._random.uniform(-BACK_S, BACK_S), self._random.uniform(0.0, AHEAD_S)))

    def _client_clock(self) -> str:
        def jump(wire: Wire) -> str:
            seconds = self._jump()
            wire.clock.jump(seconds)
            return f"clock jumps by {seconds:+.3f} s"

        return self._on_wire(jump)

    def _server_clock(self) -> str:
        assert self._server is not None
        seconds = self._jump()
        if not self._down:
            self._server.clock.jump(seconds)
        return f"server: clock jumps by {seconds:+.3f} s"

    # --- the server ---

    def _crash(self) -> str:
        assert self._server is not None
        if self._down:
            return "nothing: the server is down"
        silent = self._random.random() < 0.3
        self._server.crash(silent)
        self._is_down()
        return f"server: crashes{', and its peers are not told' if silent else ''}"

    def _stop(self) -> str:
        assert self._server is not None
        if self._down:
            return "nothing: the server is down"
        self._server.stop()  # one that is not done with that when it shall begin anew is killed
        self._is_down()
        return "server: is told to stop"

    def _is_down(self) -> None:
        self._down = True
        self._restart = self._network.clock.callLater(self._random.uniform(*DOWN_S), self._begin_anew)

    def _begin_anew(self) -> None:
        assert self._server is not None
        self._down = False
        self._server.crash()
        self._server.start()
        self._note("server: begins anew")

    # --- the store ---

    def _store_fails(self) -> str:
        assert self._store is not None
        seconds, share = self._random.uniform(0.1, 3.0), self._random.choice((0.2, 1.0))
        self._store.fail(seconds, share)
        return f"store: fails at {share:.0%} for {seconds:.3f} s"

    def _store_forgets(self) -> str:
        assert self._store is not None
        seconds, share = self._random.uniform(0.1, 3.0), self._random.choice((0.2, 1.0))
        self._store.forget_answers(seconds, share)
        return f"store: forgets {share:.0%} of its answers for {seconds:.3f} s"

    def _store_late(self) -> str:
        assert self._store is not None
        seconds, delay_s = self._random.uniform(0.5, 5.0), self._random.choice((0.05, 0.5, 6.0))
        self._store.delay(delay_s, seconds)
        return f"store: answers {delay_s} s later for {seconds:.3f} s"
