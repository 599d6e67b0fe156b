"""One WebSocket to a server. The only file of the client that knows Autobahn.

Autobahn's protocol is held, not inherited from: the thin class below passes its few callbacks on to a
`Connection`, which is what the rest of the client sees. All timers are ours, on the reactor that we
were given; Autobahn's own want the global one, and lose fractions of seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import CloseCode

SUBPROTOCOL = "meteor.v1"
#: From the TCP connection to the end of the upgrade, in seconds.
UPGRADE_S = 10.0
#: From a close to the end by force, in seconds.
CLOSE_S = 5.0
_log = Logger()


class ConnectionOwner(Protocol):
    """Who is told what becomes of a connection."""

    def connection_open(self, connection: Connection) -> None:
        """The upgrade is done: packets can be sent."""

    def packet_came(self, packet: bytes) -> None:
        """A packet came."""

    def connection_over(self, code: int, text: str, final: bool) -> None:
        """It is gone, or never came about; `final` if there is no use in trying again."""


class Connection:
    """One connection, from TCP to its end.

    Whatever the owner raises is logged here, for Autobahn would swallow it.
    """

    def __init__(self, owner: ConnectionOwner, reactor: Any) -> None:
        self._owner = owner
        self._reactor = reactor
        self._protocol: Any = None
        self._timer: IDelayedCall | None = None
        self._open = False
        self._over = False
        self._why: tuple[int, str] | None = None

    # --- what the owner calls ---

    def send(self, packet: bytes) -> None:
        """Send a packet; nothing happens once the connection closes."""
        if self._open:
            self._protocol.sendMessage(packet, isBinary=True)

    def close(self, code: int, text: str = "") -> None:
        """Close the connection, by force if the server does not answer within 5 s."""
        if self._why is None:
            self._why = (code, text)
        if self._open:
            self._open = False
            # only 1000 and the private codes may be said by an application (RFC 6455, 7.4)
            said = code if code == CloseCode.NORMAL or code >= 3000 else CloseCode.NORMAL
            self._protocol.sendClose(int(said), text)
            self._abort_after(CLOSE_S)
        elif not self._over and self._protocol is not None and self._timer is None:
            self.abort()

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
        if subprotocol != SUBPROTOCOL:
            self._open = True
            self.close(CloseCode.WRONG_VERSION, f"the server does not speak {SUBPROTOCOL}")
            return
        self._open = True
        self._guarded(self._owner.connection_open, self)

    def message(self, payload: bytes, binary: bool) -> None:
        """A message came."""
        if binary:
            self._guarded(self._owner.packet_came, payload)
        else:
            self.close(CloseCode.TEXT_FRAME, "a text message; this protocol is binary")

    def closing(self) -> None:
        """The server has said that it closes; it shall do so soon."""
        self._open = False
        self._abort_after(CLOSE_S)

    def lost(self, reason: Failure) -> None:
        """The TCP connection is gone: log why, for Autobahn tells only that it is."""
        self._stop_timer()
        self._open = False
        final = False
        if self._why is None:
            self._why, final = _explain(reason, self._protocol)
            _log.info("the connection was lost: {why[1]} ({why[0]})", why=self._why)
        self._over = True
        code, text = self._why
        self._guarded(self._owner.connection_over, int(code), text, final)

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
        self.abort()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _explain(reason: Failure, protocol: Any) -> tuple[tuple[int, str], bool]:
    """Tell how a connection ended, and whether another would end in the same way."""
    if protocol.failedByMe:
        code = protocol.localCloseCode or CloseCode.PROTOCOL
        text = (protocol.localCloseReason or b"the server broke a rule of WebSocket").decode()
        return (code, text), False
    if protocol.wasClean:
        code = protocol.remoteCloseCode or CloseCode.NO_STATUS
        return (code, protocol.remoteCloseReason or ""), False
    text, final = _explain_loss(reason.value, protocol.wasNotCleanReason or "")
    return (CloseCode.ABNORMAL, text), final


def _explain_loss(error: BaseException | None, why: str) -> tuple[str, bool]:
    if isinstance(error, VerificationError):
        return f"the certificate is not for this host: {error}", True
    if isinstance(error, TLSError):
        texts = [part[-1] for part in error.args[0]] if error.args and error.args[0] else []
        distrusted = "certificate verify failed" in texts
        hint = "; trust_root=FILE names a certificate to trust" if distrusted else ""
        return f"TLS: {', '.join(texts) or repr(error)}{hint}", distrusted
    if "upgrade failed [" in why:
        answer = why.split("upgrade failed ", 1)[1]
        return f"the server refused the upgrade: {answer}", answer.startswith("[4")
    return why or str(error), False


class _WebSocket(WebSocketClientProtocol):
    """Autobahn's protocol, passing on."""

    connection: Connection

    def connectionMade(self) -> None:
        self.connection.made(self)
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
    """Makes a `_WebSocket` with a new Connection for each attempt."""

    noisy = False
    owner: ConnectionOwner

    def buildProtocol(self, address: object) -> _WebSocket:
        protocol = _WebSocket()
        protocol.factory = self
        protocol.connection = Connection(self.owner, self.reactor)
        return protocol


def make_factory(owner: ConnectionOwner, address: str, reactor: Any, packet_bytes: int) -> IProtocolFactory:
    """Make the factory of connections to one address.

    Args:
        owner: Is told what becomes of each connection.
        address: The WebSocket's address.
        reactor: Drives the timers.
        packet_bytes: Largest packet that is taken.
    """
    factory: Any = _Factory(  # type: ignore[no-untyped-call]
        url=address, protocols=[SUBPROTOCOL], reactor=reactor, useragent="meteor_net"
    )
    factory.owner = owner
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
