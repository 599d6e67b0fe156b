"""A whole server in memory: the site, the WebSockets, the rooms; all but sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from ..limits import Limits
from ..server.auth import Guests
from ..server.host import Host
from ..server.hosts import HostRules
from ..server.http_links import HttpLinks
from ..server.protocol import websocket_resource
from ..server.site import MeteorSite, Routes, page_folder
from ..storage.cache import CachedStorage
from ..storage.memory import MemoryStorage
from .clock import MachineClock
from .network import Network, Port
from .store import SimulatedStore
from .wire import SERVER


class MemoryServer:
    """A server on a network in memory.

    Args:
        network: Where it serves.
        games: Name -> class with ISyncHandler; the first is the default.
        chat: Class with IChatHandler, or None for the default one.
        limits: What is allowed.
        authenticator: Who may enter; guests, if None.
        storage: Keeps lines; a `SimulatedStore` outlives the server. In memory, and gone with it, if None.
        rules: Which names it answers to, and whose pages may connect.
        address: Where it listens.

    Attributes:
        host: Runs the rooms and sessions; another one after each `start`.
        clock: The server's own; it can jump. Another one after each `start`.

    Raises:
        ConfigError: If a handler does not keep its interface.
    """

    host: Host
    clock: MachineClock
    _port: Port

    def __init__(
        self, network: Network, games: Mapping[str, Callable[[], Any]], *, chat: Callable[[], Any] | None = None,
        limits: Limits | None = None, authenticator: Any = None, storage: Any = None, rules: HostRules | None = None,
        address: tuple[str, int] = SERVER,
    ) -> None:  # fmt: skip
        self._network = network
        self._games, self._chat = dict(games), chat
        self._limits = limits or Limits()
        self._authenticator, self._storage = authenticator, storage
        self._rules = rules or HostRules()
        self._address = address
        self._starts = 0

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"ws://{self._address[0]}:{self._address[1]}/ws"

    def start(self) -> None:
        """Begin to serve; without anything of an earlier time, but for a storage that was given.

        Raises:
            ValueError: If it serves already.
        """
        self._starts += 1
        name, seeds = f"server {self._address} start {self._starts}", self._network.seeds
        storage: Any = self._storage or MemoryStorage(seeds.random(f"{name} storage"), self._limits.channel_lines)
        if isinstance(storage, SimulatedStore):
            storage = CachedStorage(storage.connect())
        authenticator = self._authenticator or Guests(seeds.random(f"{name} guests"))
        clock = self.clock = MachineClock(self._network.clock)
        self.host = Host(self._games, self._chat, self._limits, clock, storage, authenticator, seeds.random(name))
        routes = Routes(
            websocket_resource(self.host.websocket_factory()),
            self.host.health,
            page_folder(None, type(next(iter(self._games.values()))())),
            self._rules,
            HttpLinks(self.host, clock, seeds.random(f"{name} http")),
        )
        self._site = MeteorSite(routes, self._limits, clock)
        self._port = self._network.listen(self._site, self._address)
        self.host.start()

    def stop(self) -> Deferred[Any]:
        """End as a server does that is told to: players are sent away, to come back."""
        self._port.stopListening()
        return self.host.stop().addCallback(lambda _: self._site.close())

    def crash(self, silent: bool = False) -> None:
        """End in the middle of whatever it does, as `kill -9`: all in memory is lost, and nobody is told goodbye.

        A `SimulatedStore` keeps what it had committed. `start` begins anew.

        Args:
            silent: The peers' connections just go silent, as when the power fails; else its kernel resets them.
        """
        self.clock.stop()
        if isinstance(self._storage, SimulatedStore):
            self._storage.crash()
        self._network.kill(self._address, silent)
