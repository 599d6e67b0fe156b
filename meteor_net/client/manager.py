"""Getting a connection, and getting it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Protocol

from twisted.application.internet import ClientService
from twisted.internet import ssl
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import CloseCode, ConfigError, ConnectionFailed
from .config import NetworkConfig
from .protocol import Connection, make_factory

#: Full jitter: the n-th wait is drawn from 0 to min(cap, base * 2^n), in seconds.
BACKOFF_BASE_S = 0.5
BACKOFF_CAP_S = 20.0
#: A connection that lasted so long after the server took us was good: the next attempt is quick again.
SETTLED_S = 5.0
#: Further doublings change nothing.
_MAX_DOUBLINGS = 10
_log = Logger()


class ConnectionUser(Protocol):
    """Who uses the connections that a manager gets."""

    def connected(self) -> None:
        """A connection is open."""

    def received(self, packet: bytes) -> None:
        """A packet came."""

    def disconnected(self, code: int, text: str, final: bool) -> bool:
        """The connection is over, or an attempt failed.

        Args:
            code: The close code; 1006 where there was none.
            text: Why.
            final: True if another attempt must fail in the same way.

        Returns:
            Whether to try again.
        """

    def waiting(self, seconds: float) -> None:
        """The next attempt is in so many seconds."""


class ConnectionManager:
    """Hold one connection to a server, and open another when it is lost.

    Attributes:
        counters: Plain integers for the monitor.
    """

    def __init__(self, config: NetworkConfig, user: ConnectionUser, reactor: Any) -> None:
        self._attempts = 0
        self.counters: dict[str, float] = {"opened": 0, "lost": 0, "failed_attempts": 0}
        self._config = config
        self._user = user
        self._reactor = reactor
        self._random: Random = config.random
        self._connection: Connection | None = None
        self._service: ClientService | None = None
        self._ending: ClientService | None = None
        self._opening: list[Deferred[None]] = []
        self._settled_at: float | None = None

    def connect(self) -> Deferred[None]:
        """Begin to connect; the user is told what comes of it, now and later.

        Returns:
            A Deferred that fires when a connection is open. It fails with ConnectionFailed when
            no further attempt will be made.

        Raises:
            ConfigError: If the trust root holds no certificate.
        """
        opened = Deferred[None]()
        if self._connection is not None:
            opened.callback(None)
            return opened
        service = self._service or self._make_service()
        self._opening.append(opened)
        if self._service is None:
            self._service = service
            service.startService()
        return opened

    def _make_service(self) -> ClientService:
        endpoint = self._config.endpoint or make_endpoint(self._config, self._reactor)
        factory = make_factory(self, self._config.address, self._reactor, self._config.limits.packet_out_bytes)
        told = _ToldEndpoint(endpoint, self._attempt_failed, self._reactor)
        return ClientService(told, factory, self.handle_reconnection, self._reactor)

    def disconnect(self, code: int = CloseCode.NORMAL, text: str = "") -> Deferred[None]:
        """Close the connection, and open no other.

        Returns:
            A Deferred that fires when it is gone.
        """
        if self._connection is not None:
            self._connection.close(code, text)
        return self._stop(ConnectionFailed(text or "the client disconnected", code))

    def _stop(self, error: ConnectionFailed) -> Deferred[None]:
        # one that is ending already is asked again: its Deferred fires when it has ended
        self._ending, self._service = self._service or self._ending, None
        opening, self._opening = self._opening, []
        for each in opening:
            each.errback(error)
        return succeed(None) if self._ending is None else self._ending.stopService()

    @property
    def reconnect_attempts(self) -> int:
        """Attempts since the last connection that lasted: one that is lost at once, again and again, is no success."""
        if self._settled_at is not None and self._reactor.seconds() - self._settled_at >= SETTLED_S:
            self._attempts = 0
        return self._attempts

    def handle_reconnection(self, _attempt: int = 0) -> float:
        """Count another attempt and tell how long to wait for it: full jitter, the first is quick.

        Returns:
            Seconds.
        """
        doublings = min(self.reconnect_attempts, _MAX_DOUBLINGS)
        self._attempts += 1
        self._settled_at = None
        most_s = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2**doublings)
        delay_s = self._random.uniform(0, most_s)
        self._user.waiting(delay_s)
        return delay_s

    def settled(self) -> None:
        """The server has taken us; if that lasts, the next loss begins with a quick attempt again."""
        self._settled_at = self._reactor.seconds()

    def send(self, packet: bytes) -> None:
        """Send a packet, if there is a connection."""
        if self._connection is not None:
            self._connection.send(packet)

    def close(self, code: int, text: str) -> None:
        """Close this connection; its end decides whether another is opened."""
        if self._connection is not None:
            self._connection.close(code, text)

    # --- what a connection tells ---

    def connection_open(self, connection: Connection) -> None:
        """Its upgrade is done."""
        self._connection = connection
        self.counters["opened"] += 1
        opening, self._opening = self._opening, []
        for each in opening:
            each.callback(None)
        self._user.connected()

    def packet_came(self, packet: bytes) -> None:
        """A packet came."""
        self._user.received(packet)

    def connection_over(self, code: int, text: str, final: bool) -> None:
        """It is gone."""
        if self._connection is None:
            self.counters["failed_attempts"] += 1
        else:
            self.counters["lost"] += 1
        self._connection = None
        self._ended(code, text, final)

    def _attempt_failed(self, failure: Failure) -> None:
        self.counters["failed_attempts"] += 1
        text = str(failure.value) or type(failure.value).__name__
        _log.info("no connection to {address}: {text}", address=self._config.address, text=text)
        self._ended(CloseCode.ABNORMAL, text, final=False)

    def _ended(self, code: int, text: str, final: bool) -> None:
        again = False
        try:
            again = self._user.disconnected(code, text, final or self._service is None)
        finally:
            if not again:
                self._stop(ConnectionFailed(text, code))


@implementer(IStreamClientEndpoint)
class _ToldEndpoint:
    """An endpoint that tells why an attempt failed, which ClientService does not.

    A failure is never told within `connect`: ClientService is not ready for it there.
    """

    def __init__(self, endpoint: IStreamClientEndpoint, failed: Callable[[Failure], None], reactor: Any) -> None:
        self._endpoint = endpoint
        self._failed = failed
        self._reactor = reactor

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        attempt = self._endpoint.connect(factory)
        told: Deferred[IProtocol] = Deferred(lambda _: attempt.cancel())

        def failed(failure: Failure) -> None:
            if not told.called:  # else it was cancelled meanwhile
                self._failed(failure)
            if not told.called:  # else whoever was told has stopped the service
                told.errback(failure)

        def failed_later(failure: Failure) -> None:
            self._reactor.callLater(0, failed, failure)

        attempt.addCallbacks(told.callback, failed_later)
        return told


def make_endpoint(config: NetworkConfig, reactor: Any) -> IStreamClientEndpoint:
    """Make the endpoint of a client's options; over TLS, chain and host are verified.

    Raises:
        ConfigError: If the trust root holds no certificate.
    """
    endpoint = HostnameEndpoint(reactor, config.host, config.port)
    if not config.secure:
        return endpoint
    options = ssl.optionsForClientTLS(config.host, trustRoot=_trust_root(config.trust_root))
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
