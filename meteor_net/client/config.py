"""What a client is told: where to connect, as whom, and how long to try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..limits import MAX_NAME_CHARS, Limits
from ..messages import Role
from .transports import ServerAddress, parse_address

if TYPE_CHECKING:
    from twisted.internet.interfaces import IStreamClientEndpoint

    from .simulate import Simulation

#: Addresses of one server; each is tried in turn before a client waits.
MAX_ADDRESSES = 16
TRANSPORTS = frozenset({"websocket", "http"})
_ROLES = {"play": Role.PLAY, "watch": Role.WATCH}


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Options of a client; all are checked when it is made.

    Attributes:
        url: Where the server is, `ws://host:port` or `wss://host:port`; the address of its page, with
            `http` or `https`, does too. Without a path it is `/ws`.
        urls: Other addresses of the same server, or of servers that share their storage: when one fails, the next is tried.
        transports: Ways to the server, by preference: `websocket`, and `http` for where that is blocked.
        room: The room to join: `game`, `game/name`, or empty for the server's first.
        name: The wished name; None lets the server choose.
        token: Proves who we are; None for a guest.
        role: `play` or `watch`.
        trust_root: Path of a PEM file with the certificates that are trusted instead of the system's.
        connect_s: So long `connect()` tries until it fails, in seconds. Once in, a client comes back
            for as long as it takes.
        reactor: Twisted's reactor; None for the global one.
        random: Source of ids and of the jitter of reconnecting.
        endpoint: Connects instead of what `url` says, or gives what connects to an address; for tests and tunnels.
        limits: What we take from a server.
        outbox: A file in which lines wait that the server has not answered: they are said though the process be killed, by the
            next client with this file, server, room and user. It wants a `token`: a guest is another user each time.
        simulate: A bad network between this client and its server, to feel how the game plays over one.

    Raises:
        ConfigError: If one of them is wrong; the text says which.
    """

    url: str
    urls: Sequence[str] = ()
    transports: Sequence[str] = ("websocket", "http")
    room: str = ""
    name: str | None = None
    token: str | None = field(default=None, repr=False)
    role: str = "play"
    trust_root: str | Path | None = None
    connect_s: float = 10.0
    reactor: Any = None
    random: Random = field(default_factory=SystemRandom, repr=False)
    endpoint: IStreamClientEndpoint | Callable[[ServerAddress], IStreamClientEndpoint] | None = None
    limits: Limits = field(default_factory=Limits, repr=False)
    outbox: str | Path | None = None
    simulate: Simulation | None = None

    def __post_init__(self) -> None:
        if len(self.addresses) > MAX_ADDRESSES:
            raise ConfigError(f"urls: more than {MAX_ADDRESSES} addresses")
        if not self.transports or len(set(self.transports)) < len(self.transports) or not set(self.transports) <= TRANSPORTS:
            raise ConfigError(f"transports: {self.transports!r} is not made of {' and '.join(sorted(TRANSPORTS))}, each once")
        if self.role not in _ROLES:
            raise ConfigError(f"role: {self.role!r} is neither 'play' nor 'watch'")
        if self.name is not None and not 0 < len(self.name) <= MAX_NAME_CHARS:
            raise ConfigError(f"name: it has 1 to {MAX_NAME_CHARS} characters")
        if len(self.room) > 2 * MAX_NAME_CHARS + 1:
            raise ConfigError(f"room: {self.room[:20]!r}… is too long")
        if not 0 < self.connect_s < float("inf"):
            raise ConfigError(f"connect_s: {self.connect_s} is no number of seconds")
        if self.trust_root is not None and not Path(self.trust_root).is_file():
            raise ConfigError(f"trust_root: there is no file {str(self.trust_root)!r}")
        if self.outbox is not None and self.token is None:
            raise ConfigError("outbox: it wants a token, for a guest who comes again is somebody else")

    @cached_property
    def addresses(self) -> tuple[ServerAddress, ...]:
        """All the server's addresses, in the order in which they are tried first."""
        return tuple(dict.fromkeys(map(parse_address, (self.url, *self.urls))))

    @property
    def address(self) -> str:
        """The full address of the first WebSocket."""
        return self.addresses[0].websocket

    @property
    def role_number(self) -> Role:
        """The role as it is said to the server."""
        return _ROLES[self.role]
