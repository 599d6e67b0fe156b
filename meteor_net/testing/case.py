"""A test case with a server and players in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, cast

import txaio
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ..client import NetworkClient, NetworkConfig
from ..limits import Limits
from ..room import Room
from .network import Network
from .player import PlayerHandle
from .server import MemoryServer


class GameTestCase(SynchronousTestCase):
    """Test a game with real clients against a real server, in memory and in no time.

    Say which game, make players, let time pass, and look at what they see::

        class HarbourTests(GameTestCase):
            game = Harbour

            def test_thrust(self):
                ann = self.player("ann")
                ann.act(Steer(thrust=True))
                self.advance(1.0)
                self.assertGreater(ann.world.ship[0].x, 100)

    A test fails if a handler raised, whatever else it looked at; `flush_errors` takes errors that it expects. The same test
    goes the same way each time: all chance comes from `seed`.

    Attributes:
        game: The game's class.
        chat: The chat handler's class, if not the default one.
        limits: The server's limits.
        authenticator: Who may enter: an IAuthenticator; guests, if None.
        storage: What a server that starts anew finds again, made in `setUp`, such as a `SimulatedStore(self.network)`; nothing,
            if None.
        seed: Another one is another run.
        latency_s, jitter_s: Of each player's wire, in seconds.
        chunk_bytes: If given, all bytes arrive in small pieces, of at most so many.
    """

    game: ClassVar[Any] = None
    chat: ClassVar[Any] = None
    limits: ClassVar[Limits] = Limits()
    authenticator: ClassVar[Any] = None
    storage: Any = None
    seed: ClassVar[int] = 1
    latency_s: ClassVar[float] = 0.02
    jitter_s: ClassVar[float] = 0.0
    chunk_bytes: ClassVar[int | None] = None

    @cached_property
    def network(self) -> Network:
        """The network, and the clock in it."""
        network = Network(self.seed, latency_s=self.latency_s, jitter_s=self.jitter_s, chunk_bytes=self.chunk_bytes)
        # Autobahn's timers run on this, whatever reactor its factories were given.
        self.patch(cast(Any, txaio).config, "loop", network.clock)
        return network

    @cached_property
    def server(self) -> MemoryServer:
        """The server; it starts when it is first asked for, and stops after the test."""
        if self.game is None:
            raise AssertionError(f"{type(self).__name__} names no game: game = ...")
        games = {self.game.__name__.lower(): self.game}
        server = MemoryServer(
            self.network, games, chat=self.chat, limits=self.limits, authenticator=self.authenticator, storage=self.storage
        )
        server.start()
        self.addCleanup(self._stop)
        return server

    @property
    def room(self) -> Room:
        """The room, where there is one; `self.room.world` is the world, `self.room.game` the game."""
        rooms = list(self.server.host.lobby)
        if len(rooms) != 1:
            raise AssertionError(f"there are {len(rooms)} rooms now; see self.server.host.lobby")
        return rooms[0]

    def player(self, name: str, room: str = "", **options: Any) -> PlayerHandle:
        """Let a player come in; the clock goes on until that is done.

        Args:
            name: The name that others see.
            room: As of NetworkConfig; the game's room `main` by default.
            options: As of NetworkConfig, such as `role="watch"`.

        Raises:
            Refused: The game, or the room, does not let the player in.
            ConnectionFailed: The server does not.
        """
        handle = self.newcomer(name, room, **options)
        self.wait(handle.game.connect())
        return handle

    def newcomer(self, name: str, room: str = "", **options: Any) -> PlayerHandle:
        """Make a player who does not come in yet; `handle.game.connect()` begins it."""
        url, wire = self.server.url, self.network.wire(name)
        config = NetworkConfig(
            **{
                "url": url, "room": room, "name": name, "reactor": wire.clock, "endpoint": wire.endpoint(),
                "random": self.network.seeds.random(f"client {wire.address}"), **options,
            }
        )  # fmt: skip
        handle = PlayerHandle(self.network, wire, NetworkClient(config), self.game.events)
        self._handles.append(handle)
        return handle

    @cached_property
    def _handles(self) -> list[PlayerHandle]:
        return []

    def advance(self, seconds: float) -> None:
        """Let time pass; all that is due in it happens."""
        self.network.advance(seconds)

    def wait(self, deferred: Deferred[Any], seconds: float = 30.0) -> Any:
        """Let time pass until a Deferred has fired; see `Network.wait`."""
        return self.network.wait(deferred, seconds)

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Let time pass until a condition holds; see `Network.wait_until`."""
        self.network.wait_until(condition, seconds)

    def stop_server(self) -> None:
        """Stop the server as an operator does: the players are told to come back."""
        self.wait(self.server.stop())

    def start_server(self) -> None:
        """Start it anew, with empty rooms and without the lines said before, but for what `storage` has."""
        self.server.start()

    def crash_server(self, silent: bool = False) -> None:
        """Kill it in the middle of whatever it does; see `MemoryServer.crash`. `start_server` begins it anew."""
        self.server.crash(silent)

    def flush_errors(self, *kinds: type[BaseException]) -> list[BaseException]:
        """Take the errors that handlers have raised so far, so that they do not fail the test.

        Args:
            kinds: Which; all, if none is named.

        Returns:
            The errors, in order.
        """
        return [failure.value for failure in self.flushLoggedErrors(*kinds)]

    def _stop(self) -> None:
        for handle in self._handles:
            if not handle.network.is_killed:
                handle.network.heal()
                handle.game.disconnect()
        self.wait(self.server.stop())
        self.advance(self.limits.close_s + 5.0)
