"""One attempt at a server, and the connection that comes of it."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from .config import NetworkConfig
from .protocol import WebSocketOpener
from .transports import OpenConnection, Opener, OpenFailed, ServerAddress

#: For one attempt, from looking up the name to an open connection, in seconds.
OPEN_S = 20.0
_log = Logger()


class WayUser(Protocol):
    """Who is told what becomes of an attempt."""

    def way_open(self, way: Way, connection: OpenConnection) -> None:
        """It has come to a connection."""

    def way_packet(self, way: Way, packet: bytes) -> None:
        """A packet came."""

    def way_over(self, way: Way, error: OpenFailed) -> None:
        """It failed, or its connection is over."""


class Way:
    """One attempt, and the connection that comes of it: its owner.

    Attributes:
        transport: By which it goes.
        connection: None before it is open.
    """

    def __init__(self, user: WayUser, opener: Opener) -> None:
        self.transport = opener.name
        self.connection: OpenConnection | None = None
        self._user = user
        self._opener = opener
        self._cancelled = False
        self._opening: Deferred[None] = Deferred()

    def start(self, reactor: Any, open_s: float = OPEN_S) -> None:
        """Begin the attempt; it may take so long, in seconds."""
        self._opening = self._opener.open(self)
        self._opening.addTimeout(open_s, reactor, _too_late)
        self._opening.addErrback(self._failed)
        self._opening.addErrback(lambda failure: _log.failure("a client failed at what its attempt told it", failure))

    def cancel(self) -> None:
        """Give the attempt up; nobody is told."""
        self._cancelled = True
        self._opening.cancel()

    def _failed(self, failure: Failure) -> None:
        if self._cancelled:
            return
        error = failure.value
        if not isinstance(error, OpenFailed):
            error = OpenFailed(str(error) or type(error).__name__)
        _log.info("no connection by {transport}: {error}", transport=self.transport, error=error)
        self._user.way_over(self, error)

    # --- what a connection tells ---

    def connection_open(self, connection: OpenConnection) -> None:
        """It is open."""
        self.connection = connection
        self._user.way_open(self, connection)

    def packet_came(self, packet: bytes) -> None:
        """A packet came."""
        self._user.way_packet(self, packet)

    def connection_over(self, code: int, text: str, final: bool) -> None:
        """It is gone."""
        self._user.way_over(self, OpenFailed(text, code, reached=True, final=final))


def _too_late(result: Any, seconds: float) -> None:
    raise OpenFailed(f"no connection within {seconds:g} s")


def make_opener(transport: str, address: ServerAddress, config: NetworkConfig, reactor: Any) -> Opener:
    """Make what opens connections of one kind to one address.

    Raises:
        ConfigError: If the trust root holds no certificate.
    """
    if transport == "http":
        from .http import HttpOpener  # brings an HTTP client: for those alone who need it

        return HttpOpener(address, config, reactor)
    return WebSocketOpener(address, config, reactor)
