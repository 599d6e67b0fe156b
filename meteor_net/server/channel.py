"""HTTP as strangers speak it to us, before any upgrade: small heads, no bodies but for those we know, little time.

Twisted gives a client new time with every byte that it sends; here a head must be whole in a fixed time, so that a
thousand slow ones cannot sit here for long, and cost little while they do. Names of Twisted's that are not public are
pinned by the tests.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import IConsumer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.web import http, server

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from .http_link import HttpLink
    from .site import MeteorSite

#: From the connection, or the end of the response before, until a request's head must be there.
HEAD_S = 5
#: From a request's head until its body must be there, of a peer that may send one; its next head has as long.
BODY_S = 20
#: A response may take so long without the client taking any of it.
RESPONSE_S = 30
#: From our close until the end by force.
ABORT_S = 5

CSP = (
    b"default-src 'self'; connect-src 'self' ws: wss: http: https:; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)


class Channel(http.HTTPChannel):
    """One connection, until it is closed or a WebSocket's.

    Attributes:
        stream: Whose response goes on and on here; it sees to the time, and is told when the connection is gone.
        answered: Whose question was answered last, as long as the peer has not asked for anything else since.
    """

    abortTimeout = ABORT_S
    site: MeteorSite
    stream: HttpLink | None = None
    answered: HttpLink | None = None

    def connectionMade(self) -> None:
        self.totalHeadersSize = self.MAX_LENGTH = self.site.head_bytes
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        LineReceiver.dataReceived(self, data)  # leaves out HTTPChannel's own: it would give new time

    def allContentReceived(self) -> None:
        super().allContentReceived()
        if self._handlingRequest and self.transport is not None and self.stream is None:
            self.setTimeout(RESPONSE_S)

    def resumeProducing(self) -> None:
        self.resetTimeout()
        super().resumeProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.gone(self)
        super().connectionLost(reason)
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.stream_gone()

    def release(self) -> None:
        """Let go of the transport: somebody else takes it over now."""
        cast(IConsumer, self.transport).unregisterProducer()

    def forget(self) -> None:
        """The transport was taken over: drop what would keep this and its request in memory."""
        self.site.gone(self)
        self.setTimeout(None)
        self.requests.clear()


class Refusing(Protocol):
    """For a connection too many."""

    def connectionMade(self) -> None:
        cast(ITCPTransport, self.transport).abortConnection()


class MeteorRequest(server.Request):
    """A request, hardly ever with a body; its response has the headers that every one has."""

    defaultContentType = None
    _refused = False

    def gotLength(self, length: int | None) -> None:
        """Called when the head is whole: a body is refused before it comes, unless it is expected."""
        self.content = BytesIO()
        channel: Any = self.channel
        channel.answered = None
        if length == 0:
            return
        if length is not None and length <= channel.site.body_bytes(channel._command, channel._path):
            channel.setTimeout(BODY_S)
        else:
            self._refused = True
            channel._respondToBadRequestAndDisconnect()

    def handleContentChunk(self, data: bytes) -> None:
        """Called with a piece of a body."""
        if not self._refused:
            cast(Any, self.content).write(data)

    def process(self) -> None:
        if self._refused:
            return
        for name, value in (
            (b"content-security-policy", CSP),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cache-control", b"no-cache"),
        ):
            self.setHeader(name, value)
        super().process()

    def render(self, resrc: Any) -> None:
        self.responseHeaders.removeHeader(b"server")
        super().render(resrc)


def plain(request: Any, code: int, text: str) -> bytes:
    """Answer with a status and a line of text."""
    request.setResponseCode(code)
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    return text.encode() + b"\n"
