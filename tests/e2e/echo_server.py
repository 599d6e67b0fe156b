"""A server that sends back what it gets, on the protocol of our own server: what conformance is asked of.

Prints the port it took, and serves until it is ended.
"""

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort


class Echo(WebSocketServerProtocol):
    """Sends each message back as it came, text or binary."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Autobahn calls this with each whole message."""
        self.sendMessage(payload, isBinary)


def main() -> None:
    """Serve on a free port of the loopback."""
    factory = WebSocketServerFactory(reactor=reactor)
    factory.protocol = Echo
    factory.setProtocolOptions(failByDrop=False)

    def listening(port: IListeningPort) -> None:
        host = port.getHost()
        assert isinstance(host, IPv4Address)
        print(host.port, flush=True)

    TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory).addCallback(listening)
    reactor.run()


if __name__ == "__main__":
    main()
