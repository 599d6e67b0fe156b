"""The same packets over HTTP, for where WebSockets are blocked (wire page, clause 11).

Down they come in one response that goes on; where something on the way holds it back, in answers to one question after the
other. Up they go in requests, one at a time. Whatever fails ends the connection, and the session is taken up on another; only
a request up is sent once more, for its number tells the server whether it was there before.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.logger import Logger

from ..errors import CloseCode
from .config import NetworkConfig
from .http_request import HEAD_BYTES, Packets, Request, Ways
from .protocol import explain_tls
from .transports import ConnectionOwner, OpenFailed, ServerAddress, make_endpoint

#: For the link to be opened, in seconds.
LINK_S = 10.0
#: The first bytes of a stream may take so long, in seconds; without them, questions are asked instead.
STREAM_S = 3.0
#: For the answer to a question, which the server may keep back for 20 s, in seconds.
POLL_S = 35.0
#: For a request up, in seconds; it is then sent once more.
UP_S = 20.0
#: From a close to the end by force, in seconds.
CLOSE_S = 5.0
#: Packets, and bytes, of one request up.
UP_PACKETS = 256
UP_BYTES = 64 * 1024
#: Bytes that may wait to be sent up.
WAITING_BYTES = 1024 * 1024
#: Bytes of the answer that names a link, or says why there is none.
ANSWER_BYTES = 4 * 1024

_LINK = re.compile(r"[0-9a-f]{32}")
#: Statuses of a server, or a proxy, that takes nobody just now.
_LATER = frozenset({408, 425, 429, 502, 503, 504})
_log = Logger()


class HttpOpener:
    """Opens connections over HTTP to one address; an `Opener`.

    Raises:
        ConfigError: If the trust root holds no certificate.
    """

    name = "http"

    def __init__(self, address: ServerAddress, config: NetworkConfig, reactor: Any) -> None:
        self._url = address.http
        self._endpoint = make_endpoint(address, config, reactor)
        self._packet_bytes = config.limits.packet_out_bytes
        self._reactor = reactor

    def open(self, owner: ConnectionOwner) -> Deferred[None]:
        """Open one; see `Opener`."""
        return HttpConnection(owner, self._url, self._endpoint, self._packet_bytes, self._reactor).begin()


class HttpConnection:
    """One connection over HTTP, from its first request to its end.

    Args:
        owner: Is told what becomes of it.
        url: The server's `http://host:port/http`.
        endpoint: Leads there.
        packet_bytes: Largest packet that is taken.
        reactor: Drives the timers.
    """

    def __init__(
        self, owner: ConnectionOwner, url: str, endpoint: IStreamClientEndpoint, packet_bytes: int, reactor: Any
    ) -> None:
        self._owner = owner
        self._url = url
        self._reactor = reactor
        self._ways = Ways(endpoint, reactor)
        self._packets = Packets(packet_bytes)
        self._opening: Deferred[None] = Deferred(lambda _: self._drop())
        self._requests: set[Request] = set()
        self._timer: IDelayedCall | None = None
        self._queue: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._sending = b""
        self._polls = self._ups = 0
        self._open = self._over = False
        self._why: tuple[int, str] | None = None

    # --- opening ---

    def begin(self) -> Deferred[None]:
        """Open the link, and find out how we hear.

        Returns:
            As of `Opener.open`.
        """
        answer = bytearray()

        def more(_: Request, data: bytes) -> None:
            answer.extend(data[: ANSWER_BYTES - len(answer)])

        def done(request: Request, whole: bool) -> None:
            text = answer.decode("latin-1").strip()
            if request.status != 200 or not whole:
                self._lost(self._explain(request, text))
            elif _LINK.fullmatch(text) is None:
                self._lost(OpenFailed("something answered that is no server of ours", reached=True))
            else:
                self._url += f"/{text}"
                self._listen()

        self._ask("POST", "", LINK_S, more, done)
        return self._opening

    def _explain(self, request: Request, text: str = "") -> OpenFailed:
        """Tell why a request failed."""
        status = request.status
        if not status:
            error = request.error
            return explain_tls(error) or OpenFailed(str(error) if error is not None else "no answer in time")
        if status == 200:
            return OpenFailed("an answer has ended too soon", reached=True)
        refused = 400 <= status < 500 and status not in _LATER
        what = f"[{status} - {text.partition(chr(10))[0][:200]}]"
        return OpenFailed(f"the server refused a request: {what}", reached=status not in _LATER, final=refused)

    def _listen(self) -> None:
        """Ask for the stream; what comes first shows that it gets through."""

        def more(request: Request, data: bytes) -> None:
            if request.status == 200:
                self._opened()
                self._take(data)

        def done(request: Request, whole: bool) -> None:
            if request.status == 200 and whole and not self._open:
                self._ask_on()  # something on the way wants an end to it
            else:
                self._lost(self._explain(request))

        def held_back() -> None:
            self._timer = None
            stream.cancel()
            self._requests.discard(stream)
            self._ask_on()

        stream = self._ask("GET", "/down", None, more, done)
        self._timer = self._reactor.callLater(STREAM_S, held_back)

    def _ask_on(self) -> None:
        """The stream does not get through: ask again and again instead."""
        self._poll()
        self._opened()

    def _poll(self) -> None:
        def more(request: Request, data: bytes) -> None:
            if request.status == 200:
                self._take(data)

        def done(request: Request, whole: bool) -> None:
            if request.status == 200 and whole and not self._packets.begun:
                self._poll()
            else:
                self._lost(self._explain(request))

        number, self._polls = self._polls, self._polls + 1
        self._ask("GET", f"/poll?n={number}", POLL_S, more, done)

    def _opened(self) -> None:
        self._stop_timer()
        if not self._open and not self._over:
            self._open = True
            self._opening.callback(None)
            self._guarded(self._owner.connection_open, self)

    def _take(self, data: bytes) -> None:
        try:
            packets = self._packets.feed(data)
        except ValueError as error:
            self._end(CloseCode.TOO_BIG, str(error))
            return
        for packet in packets:
            if self._why is None and not self._over:
                self._guarded(self._owner.packet_came, packet)

    # --- what the owner calls ---

    @property
    def congested(self) -> bool:
        """Whether more waits than one request takes."""
        return self._waiting_bytes > UP_BYTES

    def send(self, packet: bytes) -> None:
        """Send a packet; nothing happens once the connection closes."""
        if not self._open or self._over or self._why is not None:
            return
        if not self._queue and not self._sending:
            self._reactor.callLater(0, self._up)  # what else is said now goes with it
        self._queue.append(len(packet).to_bytes(HEAD_BYTES, "big") + packet)
        self._waiting_bytes += HEAD_BYTES + len(packet)
        if self._waiting_bytes > WAITING_BYTES:
            self._why = (CloseCode.ABNORMAL, "more waits to be sent than gets through")
            self.abort()

    def close(self, code: int, text: str = "") -> None:
        """Close the connection behind what was sent, by force if that takes longer than 5 s."""
        if self._why is None and not self._over:
            self._why = (int(code), text)
            seconds = CLOSE_S if self._queue or self._sending else 0.0
            self._stop_timer()
            self._timer = self._reactor.callLater(seconds, self._end, *self._why)

    def abort(self) -> None:
        """End it by force."""
        if not self._over:
            self._drop()
            self._reactor.callLater(0, self._tell, *(self._why or (CloseCode.ABNORMAL, "aborted")))

    # --- up ---

    def _up(self) -> None:
        """Send what waits, as far as one request goes."""
        body, count = bytearray(), 0
        while self._queue and count < UP_PACKETS and (not body or len(body) + len(self._queue[0]) <= UP_BYTES):
            body += self._queue.popleft()
            count += 1
        self._sending = bytes(body)
        if self._sending:
            self._post(again=True)
        elif self._why is not None:
            self._end(*self._why)

    def _post(self, again: bool) -> None:
        def done(request: Request, _: bool) -> None:
            if request.status == 204:
                self._ups += 1
                self._waiting_bytes -= len(self._sending)
                self._up()
            elif not request.status and again:
                self._post(again=False)
            else:
                self._lost(self._explain(request))

        if not self._over:
            self._ask("POST", f"/up?n={self._ups}", UP_S, lambda *_: None, done, self._sending)

    def _ask(
        self, method: str, path: str, seconds: float | None, more: Callable[[Request, bytes], None],
        done: Callable[[Request, bool], None], body: bytes = b"",
    ) -> Request:  # fmt: skip
        def over(request: Request, whole: bool) -> None:
            self._requests.discard(request)
            if not self._over:
                done(request, whole)

        request = Request(more, over)
        self._requests.add(request)
        if seconds is not None:
            request.end_after(seconds, self._reactor)
        request.send(self._ways.agent, method, self._url + path, body)
        return request

    # --- the end ---

    def _lost(self, how: OpenFailed) -> None:
        """Something failed; before it was open, so did the attempt."""
        if self._open:
            self._end(*(self._why or (CloseCode.ABNORMAL, str(how))))
        elif not self._over:
            self._drop()
            self._opening.errback(how)

    def _end(self, code: int, text: str) -> None:
        if not self._over:
            self._drop()
            self._tell(code, text)

    def _drop(self) -> None:
        """Nothing is sent, heard or waited for any more."""
        self._over = True
        self._stop_timer()
        requests, self._requests = self._requests, set()
        for request in requests:
            request.cancel()
        self._ways.cut()
        self._queue.clear()

    def _tell(self, code: int, text: str) -> None:
        _log.info("the connection over HTTP is gone: {text} ({code})", text=text, code=int(code))
        if self._open:
            self._open = False
            self._guarded(self._owner.connection_over, int(code), text, False)

    def _guarded(self, tell: Callable[..., None], *args: Any) -> None:
        try:
            tell(*args)
        except Exception:
            _log.failure("a client failed at what its connection told it")
            self.close(CloseCode.NORMAL, "the client failed")

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
