"""What a client is told: where to connect, as whom, and how long to try."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigError
from ..limits import MAX_NAME_CHARS, Limits
from ..messages import Role

if TYPE_CHECKING:
    from twisted.internet.interfaces import IStreamClientEndpoint

_SCHEMES = {"ws": "ws", "http": "ws", "wss": "wss", "https": "wss"}
_PORTS = {"ws": 80, "wss": 443}
_ROLES = {"play": Role.PLAY, "watch": Role.WATCH}


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Options of a client; all are checked when it is made.

    Attributes:
        url: Where the server is, `ws://host:port` or `wss://host:port`; the address of its page, with
            `http` or `https`, does too. Without a path it is `/ws`.
        room: The room to join: `game`, `game/name`, or empty for the server's first.
        name: The wished name; None lets the server choose.
        token: Proves who we are; None for a guest.
        role: `play` or `watch`.
        trust_root: Path of a PEM file with the certificates that are trusted instead of the system's.
        connect_s: So long `connect()` tries until it fails, in seconds. Once in, a client comes back
            for as long as it takes.
        reactor: Twisted's reactor; None for the global one.
        random: Source of ids and of the jitter of reconnecting.
        endpoint: Connects instead of what `url` says; for tests and tunnels.
        limits: What we take from a server.

    Raises:
        ConfigError: If one of them is wrong; the text says which.
    """

    url: str
    room: str = ""
    name: str | None = None
    token: str | None = field(default=None, repr=False)
    role: str = "play"
    trust_root: str | Path | None = None
    connect_s: float = 10.0
    reactor: Any = None
    random: Random = field(default_factory=SystemRandom, repr=False)
    endpoint: IStreamClientEndpoint | None = None
    limits: Limits = field(default_factory=Limits, repr=False)

    def __post_init__(self) -> None:
        self._parts()
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

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"url: {self.url!r}: {error}") from error
        if parts.scheme not in _SCHEMES:
            raise ConfigError(f"url: {self.url!r} does not begin with ws:// or wss://")
        if not parts.hostname:
            raise ConfigError(f"url: {self.url!r} names no host")
        if port == 0:
            raise ConfigError(f"url: {self.url!r} names port 0")
        if "@" in parts.netloc or parts.fragment:
            raise ConfigError(f"url: {self.url!r} has a user or a fragment, and may not")
        if not self.url.isascii() or any(char <= " " for char in self.url):
            raise ConfigError(f"url: {self.url!r} has characters that an address has not")
        return parts

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return _SCHEMES[self._parts().scheme] == "wss"

    @property
    def host(self) -> str:
        """The host's name or address."""
        return self._parts().hostname or ""

    @property
    def port(self) -> int:
        """The port."""
        parts = self._parts()
        return parts.port or _PORTS[_SCHEMES[parts.scheme]]

    @property
    def address(self) -> str:
        """The full address of the WebSocket."""
        parts = self._parts()
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = f"?{parts.query}" if parts.query else ""
        path = parts.path if parts.path not in ("", "/") else "/ws"
        return f"{_SCHEMES[parts.scheme]}://{host}:{self.port}{path}{query}"

    @property
    def role_number(self) -> Role:
        """The role as it is said to the server."""
        return _ROLES[self.role]
