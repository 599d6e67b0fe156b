"""HTTP from slow, greedy and broken strangers."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from meteor_net.limits import Limits
from meteor_net.server.channel import ABORT_S, HEAD_S, RESPONSE_S, Channel
from meteor_net.server.protocol import MeteorFactory, websocket_resource
from tests.server.talk import connect, make_site, read, start

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = {
    "upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13",
    "sec_websocket_key": "AAAAAAAAAAAAAAAAAAAAAA==", "sec_websocket_protocol": "meteor.v1",
}  # fmt: skip


class Never(Resource):
    """A response that is not begun."""

    isLeaf = True

    def render(self, request: Any) -> int:
        """Leave it open."""
        return NOT_DONE_YET


class HeadTests(SynchronousTestCase):
    """Heads of requests."""

    def setUp(self) -> None:
        self.site = make_site(Path("."), http_head_bytes=1_000)
        self.clock: Any = self.site.reactor

    def test_silent(self) -> None:
        """Who says nothing is cut."""
        _, transport = connect(self.site)
        self.clock.advance(HEAD_S - 0.1)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(0.1)
        self.assertTrue(transport.disconnecting)

    def test_slow(self) -> None:
        """A head that comes a byte at a time gets no more time than any (slowloris)."""
        channel, transport = connect(self.site)
        for byte in HEAD[:HEAD_S]:
            channel.dataReceived(bytes([byte]))
            self.assertFalse(transport.disconnecting)
            self.clock.advance(1)
        self.assertTrue(transport.disconnecting)

    def test_by_bytes(self) -> None:
        """A whole head is answered however it was cut."""
        channel, transport = connect(self.site)
        for byte in HEAD + b"\r\n":
            channel.dataReceived(bytes([byte]))
        self.assertEqual(read(transport).status, 200)

    def test_several_requests(self) -> None:
        """A connection can be used again; each head has its time, and so has the pause between."""
        channel, transport = connect(self.site)
        for _ in range(3):
            transport.clear()
            channel.dataReceived(HEAD + b"\r\n")
            self.assertEqual(read(transport).status, 200)
            self.clock.advance(HEAD_S - 1)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)

    def test_large(self) -> None:
        """A head above its limit is refused, in one line or in many."""
        for head in (HEAD + b"X: " + b"x" * 2_000, HEAD + b"X: y\r\n" * 300):
            channel, transport = connect(self.site)
            channel.dataReceived(head)
            self.assertTrue(transport.disconnecting)

    def test_bodies(self) -> None:
        """Nothing here takes a body: it is refused before it comes, and not kept."""
        for body in (b"Content-Length: 9000000000\r\n\r\nxx", b"Transfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n",
                     b"Content-Length: 2\r\n\r\nxx"):  # fmt: skip
            channel, transport = connect(self.site)
            channel.dataReceived(HEAD + body)
            self.assertEqual(transport.value(), b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self.assertTrue(transport.disconnecting)

    def test_garbage(self) -> None:
        """What is not HTTP is refused."""
        channel, transport = connect(self.site)
        channel.dataReceived(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        self.assertTrue(transport.disconnecting)

    def test_never_taken(self) -> None:
        """A response that its client does not take ends, and by force if need be."""
        self.site.resource = Never()
        channel, transport = start(self.site, "/", "GET")
        self.clock.advance(RESPONSE_S - 1)
        channel.resumeProducing()
        self.clock.advance(RESPONSE_S - 1)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)
        aborted: list[bool] = []
        transport.abortConnection = lambda: aborted.append(True)
        self.clock.advance(ABORT_S)
        self.assertEqual(aborted, [True])

    def test_names_of_twisted(self) -> None:
        """The names inside Twisted that we rely on are there."""
        channel: Any = Channel()
        for name in ("_handlingRequest", "_respondToBadRequestAndDisconnect", "requests", "allContentReceived", "MAX_LENGTH"):
            self.assertTrue(hasattr(channel, name), name)


class Host:
    """Takes every connection, and hears all of it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.codes: list[int] = []

    def full(self, address: str) -> None:
        """There is room."""

    def connected(self, pipe: Any, address: str) -> Host:
        """Be the connection, too."""
        self.pipe = pipe
        return self

    def opened(self) -> None:
        """The handshake is done."""

    def received(self, data: bytes) -> None:
        """A packet."""
        self.heard.append(data)

    def closed(self, code: int) -> None:
        """The end."""
        self.codes.append(code)


class UpgradeTests(SynchronousTestCase):
    """What is left of HTTP after an upgrade."""

    def setUp(self) -> None:
        self.host = cast(Any, Host())
        factory = MeteorFactory(self.host, Limits(), Clock())
        self.site = make_site(Path("."), websocket=websocket_resource(factory))

    def test_handshake(self) -> None:
        """The WebSocket answers, and hears what comes."""
        _, transport = start(self.site, "/ws", "GET", **UPGRADE)
        response = read(transport)
        self.assertEqual((response.status, response.headers["sec-websocket-protocol"]), (101, "meteor.v1"))
        transport.protocol.dataReceived(b"\x82\x82\0\0\0\0hi")
        self.assertEqual(self.host.heard, [b"hi"])

    def test_nothing_is_left(self) -> None:
        """Neither request nor channel stay in memory for the life of the WebSocket, without waiting for a collection."""
        gc.disable()
        self.addCleanup(gc.enable)
        requests = []
        real = self.site.requestFactory

        def make(*args: Any, **named: Any) -> Any:
            request = real(*args, **named)
            requests.append(weakref.ref(request))
            return request

        self.site.requestFactory = make  # type: ignore[assignment]
        channel, transport = start(self.site, "/ws", "GET", **UPGRADE)
        channel = weakref.ref(channel)
        self.assertEqual(read(transport).status, 101)
        self.assertEqual([ref() for ref in requests], [None])
        self.assertIsNone(channel())
        self.assertIsNone(transport.producer)
        self.assertEqual(self.site.plain_connections, 0)

    def test_no_timeout(self) -> None:
        """HTTP's timeouts do not end a WebSocket."""
        _, transport = start(self.site, "/ws", "GET", **UPGRADE)
        clock: Any = self.site.reactor
        self.assertEqual(clock.getDelayedCalls(), [])
        self.assertFalse(transport.disconnecting)

    def test_closed_factory(self) -> None:
        """Where no WebSocket can be made, HTTP goes on and says so."""
        self.patch(MeteorFactory, "buildProtocol", lambda self, address: None)
        _, transport = start(self.site, "/ws", "GET", **UPGRADE)
        self.assertEqual(read(transport).status, 500)
