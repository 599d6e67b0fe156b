"""What a way to a server is: who opens one, who is told, and what an open one can do.

There are two: WebSocket (protocol.py) and plain HTTP for where that is blocked (http.py). Both carry the same packets, and
the `ConnectionManager` sees no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from twisted.internet import ssl
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint

from ..errors import CloseCode, ConfigError, ConnectionFailed

if TYPE_CHECKING:
    from .config import NetworkConfig

#: For the name to be looked up and TCP to stand, in seconds.
TCP_S = 5.0
_SCHEMES = {"ws": "ws", "http": "ws", "wss": "wss", "https": "wss"}
_PORTS = {"ws": 80, "wss": 443}


class OpenFailed(ConnectionFailed):
    """A connection did not open, or did not last.

    Attributes:
        code: 1006, or what whoever answered closed with.
        reached: Whether something answered that might be a server: if so, another transport may do.
        final: Whether another attempt at the same address, by the same transport, must fail in the same way.
    """

    def __init__(self, text: str, code: int = CloseCode.ABNORMAL, *, reached: bool = False, final: bool = False) -> None:
        super().__init__(text, code)
        self.reached = reached
        self.final = final


class OpenConnection(Protocol):
    """A connection that is open."""

    @property
    def congested(self) -> bool:
        """Whether 64 KiB or so wait to be sent: what is worth something only now comes too late."""

    def send(self, packet: bytes) -> None:
        """Send a packet; nothing happens once the connection closes."""

    def close(self, code: int, text: str = "") -> None:
        """Close it, behind all that was sent; by force if that takes longer than 5 s."""

    def abort(self) -> None:
        """End it by force, now. Its owner is told, as of every end."""


class ConnectionOwner(Protocol):
    """Who is told what becomes of one connection; each has an owner of its own."""

    def connection_open(self, connection: OpenConnection) -> None:
        """It is open: packets can be sent."""

    def packet_came(self, packet: bytes) -> None:
        """A packet came."""

    def connection_over(self, code: int, text: str, final: bool) -> None:
        """It was open, and is gone; told once.

        Args:
            code: The close code; 1006 where there was none.
            text: Why.
            final: True if another one must end in the same way.
        """


class Opener(Protocol):
    """Opens connections of one kind to one address: `Opener(address, config, reactor)`.

    Attributes:
        name: `websocket` or `http`.
    """

    name: str

    def open(self, owner: ConnectionOwner) -> Deferred[None]:
        """Open one.

        Returns:
            A Deferred. Either it fires, and `owner.connection_open` is told in the same moment; or it fails with OpenFailed,
            and the owner is told nothing. Cancelled before, it gives up at once, and the owner is told nothing either.
        """


@dataclass(frozen=True)
class ServerAddress:
    """A server's address in parts; `parse_address` makes one.

    Attributes:
        secure: Whether TLS is spoken.
        host: Name or number, without brackets.
        port: The port.
        path: That of the WebSocket, `/ws` where the address has none.
        query: What stands behind `?`, for the WebSocket alone.
    """

    secure: bool
    host: str
    port: int
    path: str
    query: str

    @property
    def websocket(self) -> str:
        """The full address of the WebSocket."""
        query = f"?{self.query}" if self.query else ""
        return f"{'wss' if self.secure else 'ws'}://{self._place}{self.path}{query}"

    @property
    def http(self) -> str:
        """The full address of the way over HTTP, beside the WebSocket's: `http://host:port/http`."""
        return f"{'https' if self.secure else 'http'}://{self._place}{self.path.rpartition('/')[0]}/http"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(url: str) -> ServerAddress:
    """Take an address apart.

    Raises:
        ConfigError: If it is none; the text says why.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"url: {url!r}: {error}") from error
    if parts.scheme not in _SCHEMES:
        raise ConfigError(f"url: {url!r} does not begin with ws:// or wss://")
    if not parts.hostname:
        raise ConfigError(f"url: {url!r} names no host")
    if port == 0:
        raise ConfigError(f"url: {url!r} names port 0")
    if "@" in parts.netloc or parts.fragment:
        raise ConfigError(f"url: {url!r} has a user or a fragment, and may not")
    if not url.isascii() or any(char <= " " for char in url):
        raise ConfigError(f"url: {url!r} has characters that an address has not")
    scheme = _SCHEMES[parts.scheme]
    path = parts.path if parts.path not in ("", "/") else "/ws"
    return ServerAddress(scheme == "wss", parts.hostname, port or _PORTS[scheme], path, parts.query)


def make_endpoint(address: ServerAddress, config: NetworkConfig, reactor: Any) -> IStreamClientEndpoint:
    """Make the endpoint that leads to an address; over TLS, chain and host are verified.

    Raises:
        ConfigError: If the trust root holds no certificate.
    """
    endpoint: IStreamClientEndpoint
    if config.endpoint is not None:
        endpoint = config.endpoint(address) if callable(config.endpoint) else config.endpoint
    else:
        endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=TCP_S)
    if config.simulate is not None:
        endpoint = config.simulate.around(endpoint, reactor)
    if not address.secure or config.endpoint is not None:
        return endpoint
    options = ssl.optionsForClientTLS(address.host, trustRoot=_trust_root(config.trust_root))
    return wrapClientTLS(options, endpoint)


def _trust_root(path: str | Path | None) -> Any:
    if path is None:
        return None
    begin = "-----BEGIN CERTIFICATE-----"
    try:
        _, *parts = Path(path).read_text("ascii").split(begin)
        certificates = [ssl.Certificate.loadPEM((begin + part).encode()) for part in parts]
    except Exception as error:  # OpenSSL's errors have no common class
        raise ConfigError(f"trust_root: {str(path)!r}: {error}") from error
    if not certificates:
        raise ConfigError(f"trust_root: {str(path)!r} holds no certificate")
    return ssl.trustRootFromCertificates(certificates)  # type: ignore[no-untyped-call]
