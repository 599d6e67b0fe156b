"""The one file of the server that knows Autobahn: it turns WebSocket messages into packets, and packets into frames.

A `Connection` is held by composition; Autobahn's class owns names such as `log` and `state`, so ours stay beside it.
Names of Autobahn that are not public and are touched here, each pinned by a test: `_dataReceived` (its public twin builds log
text for every read), `CONFIG_ATTRS`, `_fail_connection`, `sendCloseFrame`, `failedByMe`, `message_data`, `message_is_binary`,
`data`, `current_frame`, `inside_message`.
"""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from ..errors import CloseCode
from ..limits import Limits
from .frames import binary_head, small_end, unmask_small

if TYPE_CHECKING:
    from ..session.burst import Hot
    from .connection import Connection
    from .host import Host

#: The subprotocol of the wire page, clause 1.1.
SUBPROTOCOL = "meteor.v1"
#: A peer that sends so many frames more after our close frame is cut.
LATE_FRAMES = 256


class Quiet:
    """A log of Autobahn's: what it says, at whatever level, is about one peer and that peer's doing, so it is for debugging.

    What an operator should know of, `Host.report` counts and logs.
    """

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, level: str) -> Any:
        return self._log.debug


class FramedProtocol(WebSocketServerProtocol):
    """WebSocket without what costs time and serves nobody: log text on every read, announcements, endless fragments."""

    factory: Any
    transport: Any
    log = Quiet(WebSocketServerProtocol.log)
    _fragments = 0

    def connectionMade(self) -> None:
        """A connection is there. Autobahn copies the factory's options, and formats all for its log: half of what it costs."""
        for name in self.CONFIG_ATTRS:
            setattr(self, name, getattr(self.factory, name))
        self.CONFIG_ATTRS = []
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the transport: small whole messages the short way, the rest through Autobahn's parser."""
        at = 0
        while (end := small_end(data, at)) and self.takes_short_way():
            payload = unmask_small(data, at, end)
            at = end
            self.onMessage(payload, True)
        if at < len(data):
            self._dataReceived(data[at:] if at else data)

    def takes_short_way(self) -> bool:
        """Whether Autobahn's parser stands between two messages of an open connection, with nothing in hand."""
        return self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message

    def onMessageBegin(self, isBinary: bool) -> None:
        """A message begins: its fragments are counted (RFC 6455 §5.4 sets no bound)."""
        self._fragments = 0
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length: int) -> None:
        """A fragment begins."""
        self._fragments += 1
        if self._fragments > self.factory.max_fragments:
            self._fail_connection(CloseCode.TOO_BIG, f"a message of more than {self.factory.max_fragments} fragments")
        super().onMessageFrameBegin(length)

    def onMessageEnd(self) -> None:
        """A message is whole. Autobahn's own also announces it to listeners, which nobody is."""
        if not self.failedByMe:
            self.onMessage(b"".join(self.message_data), self.message_is_binary)
        self.message_data = []


class MeteorProtocol(FramedProtocol):
    """One connection of a peer; the `Pipe` of its session."""

    kind = "websocket"
    #: Whether any byte came since the heartbeat last looked.
    heard = False
    #: The transport, while it sends at once; see session/burst.py.
    hot: Hot | None = None
    connection: Connection | None = None
    _subprotocol_fits = True
    _late_frames = 0

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the transport; any byte counts as life."""
        self.heard = True
        super().dataReceived(data)

    # --- what Autobahn calls ---

    def onConnect(self, request: Any) -> str | None:
        """The opening handshake: is there room, and do we speak the same?"""
        host: Host = self.factory.host
        address = getattr(self.transport.getPeer(), "host", "local")
        full = host.full(address)
        if full:
            raise ConnectionDeny(503, full)
        self.connection = host.connected(self, address)
        self._subprotocol_fits = not request.protocols or SUBPROTOCOL in request.protocols
        return SUBPROTOCOL if SUBPROTOCOL in request.protocols else None

    def onOpen(self) -> None:
        """The handshake is done."""
        connection = self._connection()
        # Its own: TLS, and any wrapper, hands on what it lacks to the transport below, which would send past it, in the clear.
        if getattr_static(self.transport, "send_now", None) is not None:
            self.hot = self.transport
        connection.opened()
        if not self._subprotocol_fits:
            connection.end(CloseCode.WRONG_VERSION, f"this server speaks the subprotocol {SUBPROTOCOL}")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """One WebSocket message: one packet."""
        if isBinary:
            self._connection().received(payload)
        else:
            self._connection().end(CloseCode.TEXT_FRAME, "packets are binary messages")

    def onMessageFrameBegin(self, length: int) -> None:
        """A fragment begins."""
        super().onMessageFrameBegin(length)
        self._late()

    def onPing(self, payload: bytes) -> None:
        """The peer asks whether we are there; one that asks without end, or does not read our answers, gets none."""
        if not self._late() and self._connection().asked() and self.unsent <= self.factory.host.limits.unsent_bytes:
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        """An answer to a ping, which we never send: ours are messages."""
        if not self._late():
            self._connection().asked()

    def _late(self) -> bool:
        """Whether a frame came after our close frame, when only the peer's own is awaited."""
        if self.state == self.STATE_OPEN:
            return False
        self._late_frames += 1
        if self._late_frames > LATE_FRAMES:
            self.abort()
        return True

    def _fail_connection(self, code: int = CloseCode.GOING_AWAY, reason: str = "") -> None:
        """Autobahn finds the peer's frames wrong: the connection ends as for any other mistake."""
        self.failedByMe = True
        if self.state == self.STATE_OPEN:
            self._connection().end(code, reason)
        else:
            self.dropConnection()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection is gone."""
        if self.connection is not None:
            self.connection.closed(code or CloseCode.NO_STATUS)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """The transport is gone; Autobahn does not tell `onClose` of one that failed in its handshake."""
        self.hot = None
        super().connectionLost(reason)
        if self.connection is not None:
            self.connection.closed(CloseCode.ABNORMAL)

    def _connection(self) -> Connection:
        assert self.connection is not None, "made in onConnect, which comes first"
        return self.connection

    # --- Pipe ---

    @property
    def unsent(self) -> int:
        """Bytes that wait in our process; a transport of somebody else's does not tell."""
        return getattr(self.transport, "unsent_bytes", 0)

    def head(self, size: int) -> bytes:
        """Of one binary frame."""
        return binary_head(size)

    def send(self, data: bytes) -> None:
        """Write framed packets. After a close was begun nothing more may be sent (RFC 6455 §5.5.1)."""
        if self.state == self.STATE_OPEN:
            self.transport.write(data)

    def sendCloseFrame(self, *args: Any, **options: Any) -> None:
        """Close, or answer the peer's close: nothing may be sent behind it."""
        self.hot = None
        super().sendCloseFrame(*args, **options)

    def dropConnection(self, abort: bool = False) -> None:
        """Cut it."""
        self.hot = None
        super().dropConnection(abort)

    def close(self, code: int, text: str) -> None:
        """Begin the closing handshake; the transport is cut if the peer does not answer in time."""
        if self.state == self.STATE_OPEN:
            # Not sendClose, which refuses the standard codes: 1003, 1009 and 1011 are ours to say too.
            self.sendCloseFrame(int(code), text.encode()[:120].decode(errors="ignore").encode())

    def abort(self) -> None:
        """Cut the transport now."""
        self.dropConnection(abort=True)


class MeteorFactory(WebSocketServerFactory):
    """Makes protocols for a host."""

    protocol = MeteorProtocol

    def __init__(self, host: Host, limits: Limits, reactor: Any, origins: list[str] | None = None) -> None:
        super().__init__(url=None, protocols=[SUBPROTOCOL], server="", reactor=reactor)  # no banner
        self.host = host
        self.max_fragments = limits.fragments
        set_options(self, limits, origins)


def set_options(factory: WebSocketServerFactory, limits: Limits, origins: list[str] | None = None) -> None:
    """Set what Autobahn leaves open. Its timers want whole seconds, two or more."""
    factory.setProtocolOptions(
        versions=[13],
        webStatus=False,
        maxFramePayloadSize=limits.packet_in_bytes,
        maxMessagePayloadSize=limits.packet_in_bytes,
        failByDrop=False,
        # The request's head is whole before Autobahn sees it; the site has waited for that, with a time limit.
        openHandshakeTimeout=0,
        closeHandshakeTimeout=max(2, round(limits.close_s)),
        tcpNoDelay=True,
        allowedOrigins=origins or ["*"],
        # `null` is what a sandboxed or local page sends: refused, and said here as every call resets it.
        allowNullOrigin=False,
    )


def websocket_resource(factory: WebSocketServerFactory) -> IResource:
    """The resource of twisted.web that hands its connection to the factory's protocol."""
    factory.startFactory()
    resource: IResource = WebSocketResource(factory)
    return resource
