"""One WebSocket to a server. The only file of the client that knows Autobahn.

Autobahn's protocol is held, not inherited from: the thin class below passes its few callbacks on to a
`Connection`, which is what the rest of the client sees. All timers are ours, on the reactor that we
were given; Autobahn's own want the global one, and lose fractions of seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import CloseCode
from .config import NetworkConfig
from .transports import ConnectionOwner, OpenFailed, ServerAddress, make_endpoint

SUBPROTOCOL = "meteor.v1"
#: From the TCP connection to the end of the upgrade, in seconds.
UPGRADE_S = 10.0
#: From a close to the end by force, in seconds.
CLOSE_S = 5.0
#: How Autobahn tells the answer to an upgrade that was not 101.
_STATUS = re.compile(r"\[(\d{3})\]: .*")
#: Statuses of a server that takes nobody just now: another way would not help, but waiting may.
_LATER = frozenset({408, 425, 429, 503})
_log = Logger()


class WebSocketOpener:
    """Opens WebSockets to one address; an `Opener`.

    Raises:
        ConfigError: If the trust root holds no certificate.
    """

    name = "websocket"

    def __init__(self, address: ServerAddress, config: NetworkConfig, reactor: Any) -> None:
        self._address = address.websocket
        self._endpoint = make_endpoint(address, config, reactor)
        self._packet_bytes = config.limits.packet_out_bytes
        self._reactor = reactor

    def open(self, owner: ConnectionOwner) -> Deferred[None]:
        """Open one; see `Opener`."""
        connection = Connection(owner, self._reactor)
        factory = make_factory(connection, self._address, self._reactor, self._packet_bytes)
        connection.connecting(self._endpoint.connect(factory))
        return connection.opening


@implementer(IPushProducer)
class Connection:
    """One connection, from TCP to its end.

    Whatever the owner raises is logged here, for Autobahn would swallow it.

    Attributes:
        opening: Fires when the upgrade is done, fails with OpenFailed if that does not come about; can be cancelled.
        congested: See `OpenConnection`; it is a producer for its transport, which tells so.
    """

    def __init__(self, owner: ConnectionOwner, reactor: Any) -> None:
        self.congested = False
        self.opening: Deferred[None] = Deferred(self._cancelled)
        self._owner = owner
        self._reactor = reactor
        self._protocol: Any = None
        self._timer: IDelayedCall | None = None
        self._open = False
        #: Whether the owner was given it: then it is told of the end, too.
        self._owned = False
        self._why: OpenFailed | None = None

    # --- what the opener calls ---

    def connecting(self, attempt: Deferred[Any]) -> None:
        """TCP, and TLS over it, are on their way."""
        self._attempt = attempt
        attempt.addErrback(self._unreached)

    def _unreached(self, failure: Failure) -> None:
        if not self.opening.called:
            self.opening.errback(OpenFailed(str(failure.value) or type(failure.value).__name__))

    def _cancelled(self, _: object) -> None:
        if self._protocol is None:
            self._attempt.cancel()
        else:
            self.abort()

    # --- what the owner calls ---

    def send(self, packet: bytes) -> None:
        """Send a packet; nothing happens once the connection closes."""
        if self._open:
            self._protocol.sendMessage(packet, isBinary=True)

    def close(self, code: int, text: str = "") -> None:
        """Close the connection, by force if the server does not answer within 5 s."""
        if self._why is None:
            self._why = OpenFailed(text, int(code), reached=True)
        if self._open:
            self._open = False
            self._protocol.transport.unregisterProducer()
            # only 1000 and the private codes may be said by an application (RFC 6455, 7.4)
            said = code if code == CloseCode.NORMAL or code >= 3000 else CloseCode.NORMAL
            self._protocol.sendClose(int(said), text)
            self._abort_after(CLOSE_S)

    def abort(self) -> None:
        """End it by force."""
        self._open = False
        transport = self._protocol.transport
        getattr(transport, "abortConnection", transport.loseConnection)()

    # --- what the protocol calls ---

    def made(self, protocol: Any) -> None:
        """TCP stands, the upgrade is asked for."""
        self._protocol = protocol
        self._abort_after(UPGRADE_S)

    def opened(self, subprotocol: str | None) -> None:
        """The upgrade is done."""
        self._stop_timer()
        if self.opening.called:  # cancelled: this comes from bytes of the same read
            return
        self._open = True
        self._protocol.transport.registerProducer(self, True)
        if subprotocol != SUBPROTOCOL:
            self.close(CloseCode.WRONG_VERSION, f"the server does not speak {SUBPROTOCOL}")
            return
        self._owned = True
        self.opening.callback(None)
        self._guarded(self._owner.connection_open, self)

    def message(self, payload: bytes, binary: bool) -> None:
        """A message came."""
        if binary:
            self._guarded(self._owner.packet_came, payload)
        else:
            self.close(CloseCode.TEXT_FRAME, "a text message; this protocol is binary")

    # what the transport calls: see IPushProducer

    def pauseProducing(self) -> None:
        self.congested = True

    def resumeProducing(self) -> None:
        self.congested = False

    def stopProducing(self) -> None:
        """Nothing: `lost` comes."""

    def closing(self) -> None:
        """The server has said that it closes; it shall do so soon."""
        if self._open:
            self._open = False
            self._protocol.transport.unregisterProducer()
        self._abort_after(CLOSE_S)

    def lost(self, reason: Failure) -> None:
        """The TCP connection is gone: log why, for Autobahn tells only that it is."""
        self._stop_timer()
        self._open = False
        how = self._why
        if how is None:
            how = _explain(reason, self._protocol)
            _log.info("the connection was lost: {how} ({how.code})", how=how)
        if not self.opening.called:
            self.opening.errback(how)
        elif self._owned:
            self._guarded(self._owner.connection_over, how.code, str(how), how.final)

    def _guarded(self, tell: Callable[..., None], *args: Any) -> None:
        try:
            tell(*args)
        except Exception:
            _log.failure("a client failed at what its connection told it")
            self.close(CloseCode.NORMAL, "the client failed")

    def _abort_after(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._reactor.callLater(seconds, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        if self._why is None and not self.opening.called:
            self._why = OpenFailed(f"the upgrade was not answered within {UPGRADE_S:g} s", reached=True)
        self.abort()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _explain(reason: Failure, protocol: Any) -> OpenFailed:
    """Tell how a connection ended, whether it was a server's answer, and whether another would end in the same way."""
    if protocol.failedByMe:
        text = (protocol.localCloseReason or b"the server broke a rule of WebSocket").decode()
        return OpenFailed(text, protocol.localCloseCode or CloseCode.PROTOCOL, reached=True)
    if protocol.wasClean:
        return OpenFailed(protocol.remoteCloseReason or "", protocol.remoteCloseCode or CloseCode.NO_STATUS, reached=True)
    error, why = reason.value, protocol.wasNotCleanReason or ""
    if tls := explain_tls(error):
        return tls
    refused = _STATUS.search(why)
    if refused is not None:
        status = int(refused[1])
        text = f"the server refused the upgrade: {refused[0]}"
        return OpenFailed(text, reached=status not in _LATER, final=400 <= status < 500 and status not in _LATER)
    return OpenFailed(why or str(error), reached=True)


def explain_tls(error: BaseException | None) -> OpenFailed | None:
    """Tell what TLS has against a server, if that is what the error is about."""
    if isinstance(error, VerificationError):
        return OpenFailed(f"the certificate is not for this host: {error}", final=True)
    if isinstance(error, TLSError):
        texts = [part[-1] for part in error.args[0]] if error.args and error.args[0] else []
        distrusted = "certificate verify failed" in texts
        hint = "; trust_root=FILE names a certificate to trust" if distrusted else ""
        return OpenFailed(f"TLS: {', '.join(texts) or repr(error)}{hint}", final=distrusted)
    return None


class _WebSocket(WebSocketClientProtocol):
    """Autobahn's protocol, passing on."""

    connection: Connection

    def connectionMade(self) -> None:
        self.connection.made(self)
        for name in self.CONFIG_ATTRS:  # as Autobahn would, which formats them all for a log that nobody reads: that costs more
            setattr(self, name, getattr(self.factory, name))
        self.CONFIG_ATTRS = []
        super().connectionMade()

    def onOpen(self) -> None:
        self.connection.opened(self.websocket_protocol_in_use)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.connection.message(payload, isBinary)

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:
        self.connection.closing()
        return super().onCloseFrame(code, reasonRaw)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.connection.lost(reason)


class _Factory(WebSocketClientFactory):
    """Makes the one `_WebSocket` of an attempt."""

    noisy = False
    connection: Connection

    def buildProtocol(self, address: object) -> _WebSocket:
        protocol = _WebSocket()
        protocol.factory = self
        protocol.connection = self.connection
        return protocol


def make_factory(connection: Connection, address: str, reactor: Any, packet_bytes: int) -> IProtocolFactory:
    """Make the factory of one attempt.

    Args:
        connection: Is told what becomes of it.
        address: The WebSocket's address.
        reactor: Drives the timers.
        packet_bytes: Largest packet that is taken.
    """
    factory: Any = _Factory(  # type: ignore[no-untyped-call]
        url=address, protocols=[SUBPROTOCOL], reactor=reactor, useragent="meteor_net"
    )
    factory.connection = connection
    factory.setProtocolOptions(
        version=18,
        failByDrop=False,
        maxMessagePayloadSize=packet_bytes,
        maxFramePayloadSize=packet_bytes,
        tcpNoDelay=True,
        perMessageCompressionOffers=[],
        openHandshakeTimeout=0,
        closeHandshakeTimeout=0,
        serverConnectionDropTimeout=0,
        autoPingInterval=0,
        autoPingTimeout=0,
    )
    made: IProtocolFactory = factory
    return made
