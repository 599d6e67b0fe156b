"""One peer that speaks HTTP because it cannot have a WebSocket (wire page, clause 11): its packets down and up.

Down they come in one response that goes on, or, where something on the way holds that back, in answers to one question after
the other. Nothing is sent again here: where it is not certain that a response arrived whole, the link is over, and the session
is taken up on another one. What is counted (questions, and requests up) is so because browsers and proxies repeat requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.interfaces import ITCPTransport
from twisted.web import http, server

from ..errors import CloseCode
from ..limits import MAX_MESSAGES
from .channel import plain
from .transport import unsent_bytes

if TYPE_CHECKING:
    from ..session.burst import Hot
    from .connection import Connection
    from .http_links import HttpLinks

#: Bytes before each packet that tell how long it is.
HEAD_BYTES = 4
#: Says nothing; sent at once, for the peer to see that a stream gets through.
NOTHING = bytes(HEAD_BYTES)
#: A question is answered after so many seconds, even if there is nothing to say.
POLL_S = 20.0
#: A link is closed for which nobody has listened for so long, in seconds.
UNHEARD_S = 10.0
#: A peer has so many seconds to find out how it hears; then the time for HELLO begins, if it did not yet.
LISTEN_S = 5.0
#: A peer whose stream is lost may still say goodbye, in seconds: a page that is closed drops its stream first.
LAST_WORD_S = 1.0
#: Packets in one request up.
MAX_PACKETS = MAX_MESSAGES


class HttpLink:
    """What a peer has instead of a WebSocket; the `Pipe` of its session.

    Args:
        links: All of them.
        id: The secret by which the peer names it.

    Attributes:
        connection: What it carries.
    """

    kind = "http"
    hot: Hot | None = None
    #: Whether any byte came since the heartbeat last looked.
    heard = False
    connection: Connection

    def __init__(self, links: HttpLinks, id: str) -> None:
        self.id = id
        self._links = links
        self._waiting = bytearray()
        #: The request that is answered with what there is: a stream, or a question.
        self._request: Any = None
        #: The connection of the response that ended last, which may not have taken all of it.
        self._channel: Any = None
        self._streams = False
        self._said = False  # on the stream, so that losing it loses packets
        self._polls = self._ups = 0
        self._made_at = self._since = links.seconds()
        self._hello_due = False
        self._ending: int | None = None
        #: Packets were lost on the way down.
        self._broken = False
        self._over = False

    # --- what the peer asks for ---

    def down(self, request: Any) -> Any:
        """Send all that there is and will be."""
        if self._bound(request):
            return self._refuse(request)
        self._listen(request, True)
        request.setHeader(b"x-accel-buffering", b"no")
        request.setHeader(b"connection", b"close")
        channel = request.channel
        channel.persistent = False
        channel.stream = self
        channel.site.gone(channel)
        request.write(NOTHING)
        self._pass_on()
        return server.NOT_DONE_YET

    def poll(self, request: Any, number: int) -> Any:
        """Answer with what there is, or with what comes first."""
        if number != self._polls or self._bound(request):
            return self._refuse(request)
        if not self._polls:
            self._links.counters["http_polling"] += 1
        self._polls += 1
        self.heard = True
        self._listen(request, False)
        request.notifyFinish().addErrback(lambda _: self._lost(request))
        self._begin_hello()
        self._pass_on()
        return server.NOT_DONE_YET

    def up(self, request: Any, number: int) -> Any:
        """Take packets."""
        if number == self._ups - 1:  # the answer was lost, and somebody asks again
            self.connection.asked()
        elif number != self._ups or self._over:
            return self._refuse(request)
        else:
            self._ups += 1
            self.heard = True
            self._begin_hello()
            self._take(request.content.read())
        request.setResponseCode(http.NO_CONTENT)
        return b""

    def _take(self, body: bytes) -> None:
        at = count = 0
        while at < len(body) or not count:
            size = int.from_bytes(body[at : at + HEAD_BYTES], "big")
            at += HEAD_BYTES + size
            count += 1
            if size > self._links.limits.packet_in_bytes:
                self.connection.end(CloseCode.TOO_BIG, f"a packet of {size} bytes")
            elif not size or at > len(body):
                self.connection.end(CloseCode.BAD_PACKET, "the body is not packets, each behind its length")
            elif count > MAX_PACKETS:
                self.connection.end(CloseCode.BAD_PACKET, f"more than {MAX_PACKETS} packets in one request")
            else:
                self.connection.received(body[at - size : at])
                continue
            return

    def _bound(self, request: Any) -> bool:
        """Whether no other request may listen: packets went into a stream, a question waits, or an answer is not read."""
        waits = self._request is not None and not self._streams
        return self._over or self._broken or self._said or waits or self._unread(request)

    def _unread(self, request: Any) -> bool:
        """Whether the last answer waits in our process; not what else the peer has asked for on its connection since."""
        last = self._channel
        return last is not None and (last.answered is self or last is request.channel) and unsent_bytes(last.transport) > 0

    def _listen(self, request: Any, streams: bool) -> None:
        """Another request listens now; a stream on which nothing was said makes way."""
        old, self._request, self._streams = self._request, request, streams
        if old is not None:
            old.channel.stream = None
            old.finish()
        request.setHeader(b"content-type", b"application/octet-stream")
        request.setHeader(b"cache-control", b"no-store, no-transform")
        self._since = self._links.seconds()
        self._links.unheard.discard(self)

    def _refuse(self, request: Any) -> bytes:
        self.lose()
        return plain(request, http.CONFLICT, "This is not the next request of that link, which is over.")

    def _begin_hello(self) -> None:
        if not self._hello_due:
            self._hello_due = True
            self.connection.opened()

    # --- Pipe ---

    @property
    def unsent(self) -> int:
        """Bytes that wait in our process."""
        channel = self._request.channel if self._request is not None else None
        return len(self._waiting) + (unsent_bytes(channel.transport) if channel is not None else 0)

    def head(self, size: int) -> bytes:
        """Of one packet."""
        return size.to_bytes(HEAD_BYTES, "big")

    def send(self, data: bytes) -> None:
        """Send framed packets, or keep them until somebody listens."""
        if self._ending is None and not self._over and not self._broken:
            self._waiting += data
            if self._streams:
                self._pass_on()
            elif self._request is not None and len(self._waiting) == len(data):
                self._links.call_later(0, self._pass_on)  # what else is said now goes with it

    def close(self, code: int, text: str) -> None:
        """End it behind what waits; by force if that takes too long. The peer knows why from GOODBYE."""
        if self._ending is None and not self._over:
            self._ending, self._since = code, self._links.seconds()
            if self._broken:
                self._links.call_later(0, self._end, code)
            else:
                self._pass_on()

    def abort(self) -> None:
        """End it now; the connection is told a moment later."""
        self._cut()
        self._links.call_later(0, self._end, CloseCode.ABNORMAL)

    def _pass_on(self) -> None:
        """Give what waits to the request that listens."""
        request, last = self._request, self._ending is not None
        if request is None or not (self._waiting or last):
            return
        data = bytes(self._waiting)
        self._waiting.clear()
        if not self._streams:
            self._answer(data, last)
            return
        if data:
            self._said = True
            request.write(data)
        if last:
            self._request, self._channel = None, request.channel
            request.finish()  # which closes its connection: `stream_gone`

    def _answer(self, data: bytes, last: bool = False) -> None:
        request, self._request = self._request, None
        self._channel = request.channel
        self._channel.answered = self
        self._since = self._links.seconds()
        request.setHeader(b"content-length", b"%d" % len(data))
        if last:  # the answer must have left before the link, and perhaps the server, ends
            request.setHeader(b"connection", b"close")
            self._channel.stream = self
            self._channel.persistent = False
        request.write(data)
        request.finish()

    # --- the end ---

    def stream_gone(self) -> None:
        """The connection of the stream, or of the last answer, is gone."""
        if self._ending is not None:
            self._end(self._ending)
        elif self._said:
            self._break()
        else:
            self._request = None
            self._since = self._links.seconds()

    def _lost(self, request: Any) -> None:
        """The connection of a question is gone."""
        if request is self._request:
            self._break()

    def _break(self) -> None:
        self._request, self._broken = None, True
        self._waiting.clear()
        self._links.call_later(LAST_WORD_S, self.lose)

    def lose(self) -> None:
        """It is over, and nobody knows what has arrived."""
        self._cut()
        self._end(CloseCode.ABNORMAL)

    def _cut(self) -> None:
        request, self._request = self._request, None
        channel, self._channel = self._channel, None
        if request is not None:
            channel = request.channel
        elif self._ending is None:
            channel = None  # of an answer that is past: the peer may be using it for something else
        if channel is not None:
            channel.stream = None
            cast(ITCPTransport, channel.transport).abortConnection()
        self._waiting.clear()

    def _end(self, code: int) -> None:
        if not self._over:
            self._over, self._channel = True, None
            self._links.forget(self)
            self.connection.closed(code)

    def look(self, now: float) -> None:
        """Time has passed: answer a question that waits for long, end what nobody listens to."""
        idle_s = now - self._since
        if self._ending is not None:
            if idle_s >= self._links.limits.close_s:
                self.lose()
        elif self._request is None:
            if idle_s >= UNHEARD_S:
                self.lose()
        elif not self._streams and idle_s >= POLL_S:
            self._answer(b"")
        if not self._over and now - self._made_at >= LISTEN_S and self not in self._links.unheard:
            self._begin_hello()
