"""One HTTP request with its answer, and what the packets of an answer are cut out of; twisted.web's client, held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IDelayedCall, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

#: A connection that is not used is kept for so long, in seconds: less than a server of ours keeps it.
KEEP_S = 4
#: Bytes before each packet that tell how long it is.
HEAD_BYTES = 4
_HEADERS = Headers({"User-Agent": ["meteor_net"]})
_log = Logger()


class Request:
    """A request under way.

    Attributes:
        status: Of its answer; 0 if there is none.
        error: Why there is none, if that is known.
    """

    def __init__(self, more: Callable[[Request, bytes], None], done: Callable[[Request, bool], None]) -> None:
        """Make one that was not sent.

        Args:
            more: Takes bytes of the answer.
            done: Told once of its end, and whether all of the answer came; not if it was cancelled.
        """
        self.status = 0
        self.error: BaseException | None = None
        self._more, self._done = more, done
        self._over = False
        self._asked: Deferred[IResponse] | None = None
        self._body: _Body | None = None
        self._timer: IDelayedCall | None = None

    def send(self, agent: Agent, method: str, url: str, body: bytes) -> None:
        """Send it."""
        self._asked = agent.request(method.encode(), url.encode(), _HEADERS, _Data(body) if body else None)
        self._asked.addCallbacks(self._answered, self._failed)
        self._asked.addErrback(lambda failure: _log.failure("a client failed at an answer", failure))

    def end_after(self, seconds: float, reactor: Any) -> None:
        """Let it fail if it takes longer."""
        self._timer = reactor.callLater(seconds, self._too_late)

    def cancel(self) -> None:
        """Give it up; nobody is told."""
        self._over = True
        self._stop_timer()
        if self._body is not None:
            self._body.transport.loseConnection()
        elif self._asked is not None:
            self._asked.cancel()

    def _too_late(self) -> None:
        self._timer = None
        self.cancel()
        self._done(self, False)

    def _answered(self, response: IResponse) -> None:
        self.status = response.code
        if response.length == 0:
            self.finish(True)
        else:
            self._body = _Body(self)
            response.deliverBody(self._body)  # type: ignore[no-untyped-call]

    def _failed(self, failure: Failure) -> None:
        reasons = getattr(failure.value, "reasons", None)
        self.error = reasons[0].value if reasons else failure.value
        self.finish(False)

    def came(self, data: bytes) -> None:
        """Bytes of the answer."""
        if not self._over:
            self._more(self, data)

    def finish(self, whole: bool) -> None:
        """The answer has ended."""
        self._stop_timer()
        if not self._over:
            self._over = True
            self._done(self, whole)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


class _Body(Protocol):
    """Passes an answer's body on."""

    transport: Any

    def __init__(self, request: Request) -> None:
        self._request = request

    def dataReceived(self, data: bytes) -> None:
        self._request.came(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._request.finish(isinstance(reason.value, ResponseDone))


@implementer(IBodyProducer)
class _Data:
    """A request's body, written at once: it is small."""

    def __init__(self, data: bytes) -> None:
        self.length = len(data)
        self._data = data

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """It is done already."""

    resumeProducing = stopProducing = pauseProducing


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class Ways:
    """Leads all requests to one server, and remembers the connections, so that they can be cut.

    Args:
        endpoint: Leads there.
        reactor: Drives the timers.

    Attributes:
        agent: Sends requests; it keeps connections for the next ones, and never sends a request twice.
    """

    def __init__(self, endpoint: IStreamClientEndpoint, reactor: Any) -> None:
        self._endpoint = endpoint
        self._made: list[Any] = []
        self._pool: Any = HTTPConnectionPool(reactor)  # type: ignore[no-untyped-call]
        self._pool.retryAutomatically = False
        self._pool.cachedConnectionTimeout = KEEP_S
        self.agent: Agent = Agent.usingEndpointFactory(reactor, self, self._pool)  # type: ignore[no-untyped-call]

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:
        """Called by the agent."""
        way: IStreamClientEndpoint = self
        return way

    def connect(self, factory: Any) -> Deferred[Any]:
        """Called by the agent."""
        return self._endpoint.connect(factory).addCallback(self._remember)

    def _remember(self, protocol: Any) -> Any:
        self._made = [each for each in self._made if each.state != "CONNECTION_LOST"]
        self._made.append(protocol)
        return protocol

    def cut(self) -> None:
        """Cut them all."""
        self._pool.closeCachedConnections()
        made, self._made = self._made, []
        for protocol in made:
            protocol.transport.abortConnection()


class Packets:
    """Cuts packets out of bytes: each stands behind its length in 4 bytes; a length of 0 says nothing.

    Args:
        most_bytes: Of one packet.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = bytearray()

    @property
    def begun(self) -> bool:
        """Whether a part of one is here."""
        return bool(self._bytes)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, and give the packets that are whole now.

        Raises:
            ValueError: One is larger than allowed.
        """
        self._bytes += data
        packets, at, held = [], 0, len(self._bytes)
        while held - at >= HEAD_BYTES:
            size = int.from_bytes(self._bytes[at : at + HEAD_BYTES], "big")
            if size > self._most_bytes:
                raise ValueError(f"a packet of {size} bytes; at most {self._most_bytes} are taken")
            if held - at - HEAD_BYTES < size:
                break
            at += HEAD_BYTES + size
            if size:
                packets.append(bytes(self._bytes[at - size : at]))
        del self._bytes[:at]
        return packets
