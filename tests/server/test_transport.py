"""The transport that sends at once, on real sockets of one process; what it knows of Twisted's inside is pinned here."""

from __future__ import annotations

import contextlib
import select
import socket
from pathlib import Path
from typing import Any
from unittest import SkipTest

from OpenSSL import SSL
from twisted.internet import tcp
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from meteor_net.server.tls import Certificates, self_signed_files
from meteor_net.server.transport import (
    ACCEPTS,
    EVENTS,
    NOTSENT_LOWAT_BYTES,
    DirectServer,
    DirectTLS,
    few_at_once,
    send_directly,
    unsent_bytes,
)


class FakeReactor(Clock):
    """Notes who wants to read and write, and does nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.addReader, self.removeReader = self.readers.add, self.readers.discard
        self.addWriter, self.removeWriter = self.writers.add, self.writers.discard


@implementer(IHalfCloseableProtocol)
class Recorder(Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def writeConnectionLost(self) -> None:
        """Called when our half is closed."""
        self.log.append("half closed")

    def readConnectionLost(self) -> None:
        """Called when the peer's half is closed."""

    def connectionLost(self, reason: Any = None) -> None:
        self.log.append(reason.type)


class Producer:
    """Notes what its consumer wants."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def pauseProducing(self) -> None:
        """Stop for now."""
        self.log.append("pause")

    def resumeProducing(self) -> None:
        """Go on."""
        self.log.append("resume")

    def stopProducing(self) -> None:
        """Stop for good."""
        self.log.append("stop")


class DirectServerTests(SynchronousTestCase):
    """Writing to one connection."""

    def setUp(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.peer = socket.create_connection(listening.getsockname())
            ours, address = listening.accept()
        self.addCleanup(self.peer.close)
        self.peer.settimeout(5)
        self.reactor = FakeReactor()
        self.protocol = Recorder()
        port: Any = None
        self.transport: Any = DirectServer(ours, self.protocol, address, port, 0, self.reactor)
        self.addCleanup(ours.close)

    def is_waiting(self) -> bool:
        """Tell whether the transport asked to be told when it can write."""
        return self.transport in self.reactor.writers

    def receive(self, size: int) -> bytes:
        """Read so much at the peer, letting the transport write meanwhile as a reactor would."""
        parts = []
        while size:
            if self.is_waiting():
                self.transport.doWrite()
            parts.append(self.peer.recv(size))
            size -= len(parts[-1])
        if self.is_waiting():
            self.transport.doWrite()
        return b"".join(parts)

    def fill(self) -> bytes:
        """Write until the kernel takes no more; answer what was written."""
        self.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        written = b""
        while not self.transport.unsent_bytes:
            chunk = bytes([len(written) // 20_000 % 256]) * 20_000
            self.transport.write(chunk)
            written += chunk
        return written

    def test_at_once(self) -> None:
        """What is written is with the peer before the reactor turns, and nothing waits."""
        self.transport.write(b"hello")
        self.assertEqual(self.peer.recv(100), b"hello")
        self.assertFalse(self.is_waiting())
        self.assertEqual(self.transport.unsent_bytes, 0)

    def test_options(self) -> None:
        """Small frames are not gathered by the kernel, nor do many wait in it."""
        self.assertTrue(self.transport.getTcpNoDelay())
        lowat = self.transport.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
        self.assertEqual(lowat, NOTSENT_LOWAT_BYTES)

    def test_partial_send(self) -> None:
        """A full kernel leaves the rest to the reactor, in order; what is written then waits behind it."""
        written = self.fill()
        self.assertTrue(self.is_waiting())
        before = self.transport.unsent_bytes
        self.transport.write(b"behind")
        self.assertEqual(self.transport.unsent_bytes, before + 6)
        self.assertEqual(self.receive(len(written) + 6), written + b"behind")
        self.assertFalse(self.is_waiting())
        self.transport.write(b"direct again")
        self.assertEqual(self.peer.recv(100), b"direct again")

    def test_large(self) -> None:
        """One write far above what a kernel takes arrives whole."""
        data = bytes(range(256)) * 20_000
        self.transport.write(data)
        self.assertEqual(self.receive(len(data)), data)

    def test_nothing(self) -> None:
        """Writing nothing does nothing."""
        self.transport.write(b"")
        self.assertFalse(self.is_waiting())

    def test_only_bytes(self) -> None:
        """Text is the caller's mistake, as with Twisted's own; sequences take the ordinary path, in order."""
        self.assertRaises(TypeError, self.transport.write, "text")
        self.transport.writeSequence([b"a", b"b"])
        self.assertTrue(self.is_waiting())
        self.transport.write(b"c")
        self.assertEqual(self.receive(3), b"abc")

    def test_reset_peer(self) -> None:
        """A peer that is gone is found by the reactor: the write neither raises nor calls the protocol from inside."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.peer.close()
        self.transport.write(b"x")
        self.transport.write(b"y")
        self.assertEqual(self.protocol.log, [])
        self.assertTrue(self.is_waiting())
        reason = self.transport.doWrite()
        self.assertIsInstance(reason, ConnectionLost)

    def test_after_the_end(self) -> None:
        """Writing to a connection that is gone is as harmless as ever."""
        self.transport.abortConnection()
        self.transport.write(b"x")
        self.reactor.advance(0)
        self.transport.write(b"y")
        self.assertEqual(len(self.protocol.log), 1)

    def test_lose_connection(self) -> None:
        """What was written before the end arrives before it, what waited too."""
        written = self.fill()
        self.transport.loseConnection()
        self.transport.write(b"late")
        self.assertEqual(self.receive(len(written)), written)

    def test_half_close(self) -> None:
        """After our half is closed nothing more is sent."""
        self.transport.write(b"last")
        self.transport.loseWriteConnection()
        self.transport.doWrite()
        self.transport.write(b"late")
        self.assertEqual((self.peer.recv(100), self.peer.recv(100)), (b"last", b""))
        self.assertEqual(self.protocol.log, ["half closed"])

    def test_write_between_the_halves(self) -> None:
        """While a half close is under way, the ordinary path keeps the order."""
        self.transport.loseWriteConnection()
        self.transport.write(b"x")
        self.transport.doWrite()
        self.assertEqual((self.peer.recv(100), self.peer.recv(100)), (b"x", b""))

    def test_streaming_producer(self) -> None:
        """A producer is paused when too much waits, and goes on when it is gone."""
        producer = Producer()
        self.transport.registerProducer(producer, True)
        self.transport.write(b"x")
        self.assertEqual((self.peer.recv(10), producer.log), (b"x", []))
        written = self.fill()
        self.transport.write(b"y" * 100_000)
        self.assertEqual(producer.log, ["pause"])
        self.receive(len(written) + 100_000)
        self.assertEqual(producer.log, ["pause", "resume"])

    def test_pull_producer(self) -> None:
        """A producer that is asked for each piece takes the ordinary path: else it would never be asked again."""
        producer = Producer()
        self.transport.registerProducer(producer, False)
        self.transport.write(b"x")
        self.assertTrue(self.is_waiting())
        self.transport.doWrite()
        self.assertEqual(producer.log, ["resume", "resume"])

    def test_names_of_twisted(self) -> None:
        """The names inside Twisted that the short way relies on are there."""
        for name in ("TLS", "dataBuffer", "offset", "_tempDataLen", "_tempDataBuffer", "disconnecting", "_writeDisconnecting",
                     "_writeDisconnected", "_aborting", "producer", "streamingProducer", "producerPaused"):  # fmt: skip
            self.assertTrue(hasattr(self.transport, name), name)
        self.assertIs(tcp.Port.transport, tcp.Server)


class Still:
    """A reactor that never turns."""

    def addReader(self, reader: object) -> None:
        """Wait for nothing."""

    removeReader = removeWriter = addReader


class AcceptTests(SynchronousTestCase):
    """Many connect at once."""

    def test_a_few_in_a_turn(self) -> None:
        """Each turn of the reactor takes so many, and none is left out."""
        made: list[Any] = []

        def make() -> Protocol:
            made.append(Protocol())
            return made[-1]  # type: ignore[no-any-return]

        port = tcp.Port(0, Factory.forProtocol(make), 4 * ACCEPTS, "127.0.0.1", Still())
        port.startListening()
        send_directly(port)
        count = 3 * ACCEPTS + 1
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port.getHost().port))
            self.addCleanup(client.close)
        taken = []
        while len(made) < count:
            before = len(made)
            port.doRead()
            taken.append(len(made) - before)
        self.assertEqual(taken, [ACCEPTS, ACCEPTS, ACCEPTS, 1])
        port.doRead()
        for protocol in made:
            protocol.transport.socket.close()
        port.socket.close()


class EventTests(SynchronousTestCase):
    """Many sockets are ready at once."""

    def test_a_few_in_a_turn(self) -> None:
        """The reactor looks after so many, then after the others: nobody has two turns before all had one."""
        if not hasattr(select, "epoll"):
            raise SkipTest("epoll is Linux's")
        from twisted.internet.epollreactor import EPollReactor

        looked_after: list[int] = []
        reactor: Any = EPollReactor.__new__(EPollReactor)
        reactor._poller, reactor._selectables = select.epoll(), {}
        reactor._doReadOrWrite = lambda selectable, number, event: looked_after.append(number)
        self.addCleanup(reactor._poller.close)
        few_at_once(reactor)
        few_at_once(reactor)
        for _ in range(2 * EVENTS + 1):
            near, far = socket.socketpair()
            self.addCleanup(near.close)
            self.addCleanup(far.close)
            reactor._selectables[near.fileno()] = FileDescriptor()
            reactor._poller.register(near.fileno(), select.EPOLLIN)
            far.send(b"x")
        for turn in (1, 2, 3):
            reactor.doPoll(0)
            self.assertEqual(len(looked_after), turn * EVENTS)
        self.assertEqual(set(looked_after), set(reactor._selectables))

    def test_another_reactor(self) -> None:
        """One without epoll stays as it is."""
        still = Still()
        few_at_once(still)
        self.assertEqual(vars(still), {})


class TLSTests(SynchronousTestCase):
    """The same under TLS."""

    def setUp(self) -> None:
        key, certificate = self_signed_files(Path(self.mktemp()))
        factory: Any = TLSMemoryBIOFactory(
            Certificates(str(key), str(certificate)), False, Factory.forProtocol(Protocol), Clock()
        )
        self.assertIs(factory.protocol, BufferingTLSTransport)
        factory.protocol = DirectTLS
        self.tls: Any = factory.buildProtocol(None)
        self.below = StringTransport()
        self.tls.makeConnection(self.below)
        self.client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self.client.set_connect_state()

    def shake_hands(self) -> None:
        """Carry bytes back and forth until both sides are ready."""
        for _ in range(4):
            with contextlib.suppress(SSL.WantReadError):
                self.client.do_handshake()
            self.carry()

    def carry(self) -> None:
        """Carry what waits, both ways."""
        with contextlib.suppress(SSL.WantReadError):
            self.tls.dataReceived(self.client.bio_read(100_000))
        if data := self.below.value():
            self.client.bio_write(data)
            self.below.clear()

    def test_at_once(self) -> None:
        """What is written is encrypted and handed on before the reactor turns."""
        self.shake_hands()
        self.tls.write(b"hello")
        self.assertTrue(self.below.value())
        self.carry()
        self.assertEqual(self.client.recv(100), b"hello")

    def test_unsent(self) -> None:
        """What waits for the handshake counts as unsent, and so does what waits below."""
        self.tls.write(b"early")
        self.assertEqual(unsent_bytes(self.tls), 5)
        self.shake_hands()
        self.assertEqual(unsent_bytes(self.tls), 0)
        self.assertEqual(self.client.recv(100), b"early")
        self.below.unsent_bytes = 7  # type: ignore[attr-defined]
        self.assertEqual(unsent_bytes(self.tls), 7)

    def test_no_transport_of_ours(self) -> None:
        """A transport that cannot tell counts as empty."""
        self.assertEqual(unsent_bytes(StringTransport()), 0)


class PortTests(SynchronousTestCase):
    """How ports come to it."""

    def test_tcp(self) -> None:
        """A TCP port makes connections that send at once."""
        port: Any = tcp.Port(0, Factory(), reactor=FakeReactor())
        send_directly(port)
        self.assertIs(port.transport, DirectServer)

    def test_tls(self) -> None:
        """Twisted's own TLS endpoints are freed of their gathering, too."""
        factory: Any = TLSMemoryBIOFactory.__new__(TLSMemoryBIOFactory)
        port: Any = tcp.Port(0, factory, reactor=FakeReactor())
        send_directly(port)
        self.assertIs(factory.protocol, DirectTLS)

    def test_others(self) -> None:
        """Other ports stay as they are."""
        port = object()
        send_directly(port)
        self.assertFalse(hasattr(port, "transport"))
