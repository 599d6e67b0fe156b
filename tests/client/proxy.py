"""A proxy on a network in memory that does not like WebSockets."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from meteor_net.testing import Network

#: Where it listens.
ADDRESS = ("10.0.0.9", 80)


class Proxy(Factory):
    """Passes HTTP on to a server; what it does to an upgrade can be changed at any time.

    Attributes:
        mode: `pass`; a status such as `403`; `hang`: answers nothing; `cut`: closes; `mute`: passes the answer to the
            upgrade on, and nothing after it.
        upgrades, requests: How many began so far.
    """

    noisy = False

    def __init__(self, network: Network, server: tuple[str, int], mode: str) -> None:
        self.mode = mode
        self.upgrades = self.requests = 0
        self.endpoint = network.wire("proxy").endpoint(server)
        network.listen(self, ADDRESS)

    def buildProtocol(self, address: object) -> Protocol:
        return _Front(self)


class _Front(Protocol):
    """Its end towards the client."""

    transport: Any

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.mode = ""
        self.head = b""
        self.waiting: list[bytes] = []
        self.back: _Back | None = None
        self.over = False

    def dataReceived(self, data: bytes) -> None:
        if self.mode:
            self.on(data)
            return
        self.head += data
        if b"\r\n\r\n" in self.head:
            upgrade = b"\nupgrade: websocket" in self.head.lower()
            self.proxy.upgrades += upgrade
            self.proxy.requests += not upgrade
            self.mode = self.proxy.mode if upgrade else "pass"
            self.begin()

    def begin(self) -> None:
        """Do with the connection what its first request asks for."""
        if self.mode.isdigit():
            self.transport.write(f"HTTP/1.1 {self.mode} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            self.transport.loseConnection()
        elif self.mode == "cut":
            self.transport.abortConnection()
        elif self.mode != "hang":
            factory: Any = Factory.forProtocol(lambda: _Back(self))
            self.proxy.endpoint.connect(factory).addErrback(lambda _: self.transport.abortConnection())
            self.on(self.head)

    def on(self, data: bytes) -> None:
        """Pass bytes to the server."""
        if self.back is None:
            self.waiting.append(data)
        else:
            self.back.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over = True
        if self.back is not None:
            self.back.transport.abortConnection()


class _Back(Protocol):
    """Its end towards the server."""

    transport: Any

    def __init__(self, front: _Front) -> None:
        self.front = front
        self.answered = False

    def connectionMade(self) -> None:
        self.front.back = self
        self.transport.write(b"".join(self.front.waiting))
        if self.front.over:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        if self.front.mode != "mute" or not self.answered:
            self.answered = True
            self.front.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.front.transport.abortConnection()
