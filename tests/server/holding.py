"""A proxy that passes a response on only when it is whole, as some filters do; so a stream never comes out of it."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure


class _Up(Protocol):
    """The side to the server: keeps what comes until it is a response."""

    transport: Any

    def __init__(self, down: _Down) -> None:
        self._down = down
        self._bytes = b""

    def dataReceived(self, data: bytes) -> None:
        self._bytes += data
        while end := _end(self._bytes):
            self._down.transport.write(self._bytes[:end])
            self._bytes = self._bytes[end:]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._down.transport.loseConnection()


class _Down(Protocol):
    """The side to the client: passes on what comes."""

    transport: Any
    factory: HoldingProxy

    def __init__(self) -> None:
        self._up: Any = None
        self._waiting = b""
        self._lost = False

    def connectionMade(self) -> None:
        self.factory.connections += 1
        factory = Factory.forProtocol(lambda: _Up(self))
        factory.noisy = False
        self.factory.endpoint.connect(factory).addCallbacks(self._connected, lambda _: self.transport.loseConnection())

    def _connected(self, up: Any) -> None:
        self._up = up
        if self._lost:
            up.transport.loseConnection()
        elif self._waiting:
            up.transport.write(self._waiting)

    def dataReceived(self, data: bytes) -> None:
        if self._up is None:
            self._waiting += data
        else:
            self._up.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = True
        if self._up is not None:
            self._up.transport.loseConnection()


class HoldingProxy(Factory):
    """Relays each connection to a server.

    Args:
        endpoint: Leads there.

    Attributes:
        connections: So many were made.
    """

    protocol: Any = _Down
    noisy = False

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self.endpoint: Any = endpoint
        self.connections = 0


def _end(data: bytes) -> int:
    """Where a response ends that is whole; 0 if none is."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return 0
    start = len(head) + 4
    lines = head.decode("latin-1").lower().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    if fields.get("transfer-encoding") == "chunked":
        at = body.find(b"0\r\n\r\n") if body.startswith(b"0\r\n") else body.find(b"\r\n0\r\n\r\n") + 2
        return start + at + 5 if at > 1 or body.startswith(b"0\r\n\r\n") else 0
    if lines[0].split()[1] in ("101", "204", "304"):
        return start
    size = int(fields.get("content-length", 0))
    return start + size if len(body) >= size else 0


def main(listen: int, server: int) -> None:
    """Relay a port of the loopback to another one."""
    from twisted.internet import reactor as global_reactor
    from twisted.internet.endpoints import TCP4ClientEndpoint

    reactor: Any = global_reactor
    proxy = HoldingProxy(TCP4ClientEndpoint(reactor, "127.0.0.1", server))
    reactor.listenTCP(listen, proxy, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
