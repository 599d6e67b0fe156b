"""Which connections send frames straight to the socket (session/burst.py), and until when."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any

from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import CloseCode
from meteor_net.messages import Frame, Goodbye
from meteor_net.server.tls import Certificates, self_signed_files
from meteor_net.server.transport import DirectServer, DirectTLS

from .harbour import HarbourCase
from .stranger import CLOSE, Stranger
from .test_transport import FakeReactor


class UntilTests(HarbourCase):
    """While a connection is open, and not a byte longer: nothing follows a close frame (RFC 6455 §5.5.1)."""

    def setUp(self) -> None:
        super().setUp()
        self.peer = self.inside()
        self.peer.answers = False
        self.pipe: Any
        (self.pipe,) = [s.pipe for s in self.server.host.registry if s.name == "stranger"]
        self.assertIs(self.pipe.hot, self.pipe.transport)

    def check_silent(self) -> None:
        """Whatever the world does, and whatever the room is told, nothing is sent any more."""
        self.assertIsNone(self.pipe.hot)
        self.advance(0.2)
        before = len(self.peer.heard)
        self.advance(0.5)
        self.assertEqual(len(self.peer.heard), before)

    def test_our_close(self) -> None:
        """We said goodbye; the peer does not answer, and its session is still its own."""
        self.pipe.connection.end(CloseCode.TOO_SLOW, "too slow")
        self.check_silent()
        self.assertEqual(type(self.peer.heard[-1]), Goodbye)

    def test_bare_close(self) -> None:
        """A pipe that is closed past its connection, as by a session that cannot be flushed."""
        self.pipe.close(CloseCode.INTERNAL, "an error")
        self.check_silent()

    def test_its_close(self) -> None:
        """The peer's close frame was answered."""
        self.peer.frame(CLOSE, b"\x03\xe9")
        self.advance(0.1)
        self.check_silent()

    def test_bad_frame(self) -> None:
        """A frame that makes no sense."""
        self.peer.frame(3, b"")
        self.advance(0.1)
        self.check_silent()

    def test_stop(self) -> None:
        """The server stops."""
        self.server.stop()
        self.check_silent()

    def test_abort(self) -> None:
        """It is cut by us."""
        self.pipe.abort()
        self.check_silent()

    def test_lost(self) -> None:
        """It is cut by the peer."""
        self.peer.transport.abortConnection()
        self.advance(0.1)
        self.check_silent()


class Way:
    """A real socket between a stranger and the server's site, with something around the server's side of it."""

    def __init__(self, case: SynchronousTestCase, factory: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.peer = socket.create_connection(listening.getsockname())
            ours, address = listening.accept()
        case.addCleanup(self.peer.close)
        case.addCleanup(ours.close)
        self.peer.settimeout(0.2)
        self.reactor = FakeReactor()
        self.protocol = factory.buildProtocol(address)
        port: Any = None
        self.below: Any = DirectServer(ours, self.protocol, address, port, 0, self.reactor)
        self.protocol.makeConnection(self.below)
        self.tls: ssl.SSLObject | None = None

    def begin_tls(self) -> None:
        """Shake hands."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out)
        for _ in range(4):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.carry()
            self.read()

    def write(self, data: bytes) -> None:
        """What the stranger says."""
        if self.tls is None:
            self.peer.sendall(data)
        else:
            self.tls.write(data)
        self.carry()

    def carry(self) -> None:
        """Carry what was said to the server, and take what it has sent."""
        if self.tls is not None:
            self.peer.sendall(self._out.read())
        if self.below.connected:
            self.below.doRead()
        while self.below in self.reactor.writers:
            self.below.doWrite()
        self.reactor.advance(0)

    def read(self) -> bytes:
        """All that has come; over TLS that is an error if a byte of it is not TLS."""
        parts = []
        self.peer.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while part := self.peer.recv(100_000):
                parts.append(part)
        self.peer.settimeout(0.2)
        if self.tls is None:
            return b"".join(parts)
        self._in.write(b"".join(parts))
        clear = []
        with contextlib.suppress(ssl.SSLWantReadError):
            while part := self.tls.read(100_000):
                clear.append(part)
        return b"".join(clear)


class AroundTests(HarbourCase):
    """What stands between the WebSocket and the socket is never passed by."""

    def inside_by(self, way: Way) -> Stranger:
        """Let a stranger in, and let it hear half a second of the world."""
        stranger = Stranger({"Host": "localhost"})
        stranger.makeConnection(way)
        for step in (lambda: None, stranger.hello, stranger.join, *[lambda: None] * 10):
            step()
            way.carry()
            self.advance(0.05)
            stranger.dataReceived(way.read())
        return stranger

    def pipe(self) -> Any:
        """The stranger's."""
        (pipe,) = [s.pipe for s in self.server.host.registry if s.name == "stranger"]
        return pipe

    def test_plain(self) -> None:
        """The socket alone sends at once."""
        stranger = self.inside_by(Way(self, self.server._site))
        self.assertIsInstance(self.pipe().hot, DirectServer)
        self.assertGreater(len(stranger.found(Frame)), 5)

    def test_tls(self) -> None:
        """All that leaves over TLS is TLS."""
        key, certificate = self_signed_files(Path(self.mktemp()))
        factory: Any = TLSMemoryBIOFactory(
            Certificates(str(key), str(certificate)), False, self.server._site, self.network.clock
        )
        factory.protocol = DirectTLS
        way = Way(self, factory)
        way.begin_tls()
        stranger = self.inside_by(way)
        self.assertIsNone(self.pipe().hot)
        self.assertGreater(len(stranger.found(Frame)), 5)

    def test_wrapper(self) -> None:
        """Any other wrapper, which hands on what it lacks, sees each byte."""
        seen: list[bytes] = []

        class Counting(ProtocolWrapper):
            """Notes what is written."""

            def write(self, data: bytes) -> None:
                """Called to write."""
                seen.append(data)
                super().write(data)

        site: Any = self.server._site
        factory: Any = WrappingFactory(site)
        factory.protocol = Counting
        stranger = self.inside_by(Way(self, factory))
        self.assertIsNone(self.pipe().hot)
        frames = stranger.found(Frame)
        self.assertGreater(len(frames), 5)
        self.assertGreater(len(seen), len(frames))
