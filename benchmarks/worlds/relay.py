"""A TCP relay that lets every byte wait: `python -m benchmarks.worlds.relay PORT TARGET MS`."""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

reactor: Any = _reactor
#: Bytes that may be on their way in one direction; what sends more has to wait.
MOST_BYTES = 4 * 1024 * 1024


class Way:
    """One direction: what comes in is written so much later, in order; at last the end of the connection."""

    def __init__(self, delay_s: float, source: Any) -> None:
        self._delay_s = delay_s
        self._source = source
        self._target: Any = None
        self._coming: deque[tuple[float, bytes | None]] = deque()
        self._waiting = 0

    def to(self, target: Any) -> None:
        """Say where it leads; what waited goes on its way."""
        self._target = target
        self._go()

    def put(self, data: bytes | None) -> None:
        """Take some bytes, or None: the end."""
        self._coming.append((reactor.seconds() + self._delay_s, data))
        self._waiting += len(data or b"")
        if self._waiting > MOST_BYTES:
            self._source.pauseProducing()
        reactor.callLater(self._delay_s, self._go)

    def _go(self) -> None:
        while self._target is not None and self._coming and self._coming[0][0] <= reactor.seconds():
            _, data = self._coming.popleft()
            if data is None:
                self._target.loseConnection()
                return
            self._target.write(data)
            self._waiting -= len(data)
            if data and self._waiting + len(data) > MOST_BYTES >= self._waiting:
                self._source.resumeProducing()


class End(Protocol):
    """One end of a relayed connection."""

    way: Way

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s

    def connectionMade(self) -> None:
        """What comes in here goes this way."""
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        self.way = Way(self._delay_s, transport)

    def dataReceived(self, data: bytes) -> None:
        """Send it on, later."""
        self.way.put(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other end hears of it, later."""
        self.way.put(None)


class Relay(Factory):
    """Connects each that comes with the target."""

    noisy = False

    def __init__(self, target: int, delay_s: float) -> None:
        self._target = target
        self._delay_s = delay_s

    def buildProtocol(self, addr: Any) -> Protocol:
        """Begin to connect; until it is done what comes waits."""
        near, far = End(self._delay_s), End(self._delay_s)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self._target)

        def joined(_: Any) -> None:
            near.way.to(far.transport)
            far.way.to(near.transport)

        def failed(_: Failure) -> None:
            transport: Any = near.transport
            transport.loseConnection()

        made: Deferred[Any] = endpoint.connect(Factory.forProtocol(lambda: far))
        made.addCallbacks(joined, failed)
        return near


def main() -> None:
    """Relay until it is ended."""
    port, target, delay_ms = map(int, sys.argv[1:])
    reactor.listenTCP(port, Relay(target, delay_ms / 1000), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main()
