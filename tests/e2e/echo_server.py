"""A server that sends back what it gets, on the protocol of our own server: what conformance is asked of.

Prints the port it took, and serves until it is ended.
"""

from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort

from meteor_net.limits import Limits
from meteor_net.server.protocol import FramedProtocol, set_options
from meteor_net.server.transport import send_directly

#: The suite sends messages of 65,536 bytes, in one frame and in many.
LIMITS = Limits(packet_in_bytes=16 * 1024 * 1024, fragments=100_000)


class Echo(FramedProtocol):
    """Sends each message back as it came, text or binary: below packets, all is as in a real server."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Autobahn calls this with each whole message."""
        self.sendMessage(payload, isBinary)


class EchoFactory(WebSocketServerFactory):
    """Makes them, with the options of a real server but for its limits."""

    protocol = Echo
    max_fragments = LIMITS.fragments


def main() -> None:
    """Serve on a free port of the loopback, by the transport of a real server."""
    factory = EchoFactory(reactor=reactor)
    set_options(factory, LIMITS)

    def listening(port: IListeningPort) -> None:
        send_directly(port)
        host = port.getHost()
        assert isinstance(host, IPv4Address)
        print(host.port, flush=True)

    TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory).addCallback(listening)
    reactor.run()


if __name__ == "__main__":
    main()
