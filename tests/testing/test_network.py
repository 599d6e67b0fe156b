"""Connections in memory behave as TCP does."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    NoProtocol,
    NoRouteError,
)
from twisted.internet.interfaces import IConsumer, IPushProducer, IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net.testing import Network
from meteor_net.testing.network import KERNEL_BYTES
from meteor_net.testing.wire import SERVER


class Noting(Protocol):
    """Notes what it is told: the time since the beginning, and what."""

    transport: Any

    def __init__(self, network: Network) -> None:
        self.told: list[tuple[float, Any]] = []
        self._clock = network.clock
        self._start_s = network.clock.seconds()

    def note(self, what: Any) -> None:
        self.told.append((round(self._clock.seconds() - self._start_s, 6), what))

    def dataReceived(self, data: bytes) -> None:
        self.note(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.note(reason.type)

    @property
    def bytes(self) -> bytes:
        """All bytes that came."""
        return b"".join(what for _, what in self.told if isinstance(what, bytes))

    @property
    def end(self) -> Any:
        """How the connection ended, None while it lives."""
        last = self.told[-1][1] if self.told else None
        return last if isinstance(last, type) else None


class Pair(SynchronousTestCase):
    """A client and a server on a network."""

    def connect(self, network: Network | None = None) -> tuple[Noting, Noting]:
        """Connect two protocols; time begins with the connection."""
        self.network = network or Network()
        self.wire = self.network.wire()
        serving = self.factory()
        self.port = self.network.listen(serving)
        client = self.network.wait(self.wire.endpoint().connect(self.factory()))
        return client, serving.made[0]

    def factory(self) -> Any:
        """Make a factory of protocols that note."""

        def make() -> Noting:
            made = Noting(self.network)
            factory.made.append(made)
            return made

        factory: Any = Factory.forProtocol(make)
        factory.noisy, factory.made = False, []
        return factory


class BytesTests(Pair):
    """What is written arrives: later, whole and in order."""

    def test_latency(self) -> None:
        """Bytes take the latency, both ways."""
        client, server = self.connect(Network(latency_s=0.05))
        client.transport.write(b"ab")
        self.network.advance(0.02)
        client.transport.writeSequence([b"c", b"d"])
        self.network.advance(0.1)
        server.transport.write(b"e")
        self.network.advance(0.1)
        self.assertEqual(server.told, [(0.05, b"ab"), (0.07, b"cd")])
        self.assertEqual(client.told, [(0.17, b"e")])

    def test_jitter(self) -> None:
        """Jitter comes from the seed, and never changes the order."""

        def run(seed: int) -> list[tuple[float, Any]]:
            client, server = self.connect(Network(seed, latency_s=0.01, jitter_s=0.5))
            for number in range(50):
                client.transport.write(b"%d " % number)
                self.network.advance(0.02)
            self.network.advance(1.0)
            self.assertEqual(server.bytes.split(), [b"%d" % number for number in range(50)])
            return server.told

        self.assertEqual(run(5), run(5))
        self.assertNotEqual(run(5), run(6))

    def test_chunks(self) -> None:
        """Bytes can be made to come in small pieces."""
        client, server = self.connect(Network(chunk_bytes=3))
        client.transport.write(b"0123456789" * 10)
        self.network.advance(1.0)
        self.assertEqual(server.bytes, b"0123456789" * 10)
        self.assertEqual({len(data) for _, data in server.told}, {1, 2, 3})

    def test_full(self) -> None:
        """When the reader stops, the network fills up, and the rest waits with the writer."""
        client, server = self.connect()
        server.transport.pauseProducing()
        client.transport.write(bytes(KERNEL_BYTES))
        self.assertEqual(client.transport.unsent_bytes, 0)
        client.transport.write(b"more")
        self.network.advance(60)
        self.assertEqual((client.transport.unsent_bytes, server.told, self.wire.unsent_bytes), (4, [], 0))
        server.transport.resumeProducing()
        self.network.advance(0)
        self.assertEqual(client.transport.unsent_bytes, 0)
        self.network.advance(1)
        self.assertEqual(len(server.bytes), KERNEL_BYTES + 4)
        self.assertEqual(max(len(data) for _, data in server.told), 65_536)

    def test_only_bytes(self) -> None:
        """Anything else is the caller's mistake."""
        client, _ = self.connect()
        self.assertRaises(TypeError, client.transport.write, "text")

    def test_log(self) -> None:
        """The network notes each delivery."""
        client, server = self.connect(Network(latency_s=0.25))
        client.transport.write(b"abc")
        self.network.advance(0.25)
        server.transport.write(b"d")
        self.network.advance(0.25)
        self.assertEqual(list(self.network.log), ["0.750000 machine > 3", "1.000000 machine < 1"])

    def test_interfaces(self) -> None:
        """A transport and an endpoint are what they say."""
        client, _ = self.connect()
        for interface in (ITCPTransport, IConsumer, IPushProducer):
            verifyObject(interface, client.transport)
        verifyObject(IStreamClientEndpoint, self.wire.endpoint())
        client.transport.setTcpNoDelay(True)
        client.transport.setTcpKeepAlive(True)
        self.assertTrue(client.transport.getTcpNoDelay() and client.transport.getTcpKeepAlive())
        self.assertEqual((client.transport.getPeer().host, client.transport.getPeer().port), SERVER)
        self.assertEqual(client.transport.getHost().host, self.wire.address)


class EndTests(Pair):
    """How connections end."""

    def test_lose(self) -> None:
        """What was written before arrives first; each end hears that it was closed well."""
        client, server = self.connect()
        client.transport.write(b"bye")
        client.transport.loseConnection()
        client.transport.loseConnection()
        self.assertEqual(client.told, [])
        self.network.advance(0.1)
        self.assertEqual(client.told, [(0.0, ConnectionDone)])
        self.assertEqual(server.told, [(0.02, b"bye"), (0.02, ConnectionDone)])
        self.assertEqual(self.wire.connections, 0)

    def test_lose_with_bytes_waiting(self) -> None:
        """A close waits until all that was written is on its way; what comes meanwhile is not read."""
        client, server = self.connect()
        server.transport.pauseProducing()
        client.transport.write(bytes(2 * KERNEL_BYTES))
        client.transport.loseConnection()
        server.transport.write(b"unread")
        self.network.advance(1)
        self.assertEqual((client.told, server.told), ([], []))
        server.transport.resumeProducing()
        self.network.advance(1)
        self.assertEqual(len(server.bytes), 2 * KERNEL_BYTES)
        self.assertEqual((client.end, server.end, client.bytes), (ConnectionDone, ConnectionDone, b""))

    def test_write_after(self) -> None:
        """Once a connection is gone, writing does nothing, and closing neither."""
        client, server = self.connect()
        client.transport.loseConnection()
        self.network.advance(1)
        for end in (client, server):
            end.transport.write(b"x")
            end.transport.loseConnection()
            end.transport.abortConnection()
            end.transport.resumeProducing()
        self.network.advance(1)
        self.assertEqual((client.told, server.told), ([(0.0, ConnectionDone)], [(0.02, ConnectionDone)]))

    def test_abort(self) -> None:
        """What waits is lost; the other end hears of a loss, even if it does not read."""
        client, server = self.connect()
        server.transport.pauseProducing()
        client.transport.write(bytes(2 * KERNEL_BYTES))
        client.transport.abortConnection()
        self.assertEqual(client.told, [])
        self.network.advance(1)
        self.assertEqual((client.told, server.told), ([(0.0, ConnectionAborted)], [(0.02, ConnectionLost)]))

    def test_protocol_fails(self) -> None:
        """A protocol that raises is logged and loses its connection, as a reactor has it."""
        client, server = self.connect()
        server.dataReceived = lambda data: 1 / 0  # type: ignore[assignment]
        client.transport.write(b"x")
        self.network.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual((server.end, client.end), (ConnectionAborted, ConnectionLost))

    def test_protocol_fails_at_its_end(self) -> None:
        """One that raises when it is told of the end is logged, and that is all."""
        client, server = self.connect()

        def fail(reason: Failure = connectionDone) -> None:
            raise ZeroDivisionError

        server.connectionLost = fail  # type: ignore[method-assign]
        client.transport.loseConnection()
        self.network.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.wire.connections, 0)

    def test_half_close(self) -> None:
        """No protocol here half-closes: closing one direction closes both."""
        client, server = self.connect()
        client.transport.loseWriteConnection()
        self.network.advance(1)
        self.assertEqual((client.end, server.end), (ConnectionDone, ConnectionDone))


class FaultTests(Pair):
    """What goes wrong on a wire."""

    def test_stall(self) -> None:
        """Nothing arrives for a while, then all that was said."""
        client, server = self.connect()
        self.wire.stall(3.0)
        client.transport.write(b"a")
        server.transport.write(b"b")
        self.network.advance(1.0)
        client.transport.write(b"c")
        self.network.advance(3.0)
        self.assertEqual((server.told, client.told), ([(3.0, b"ac")], [(3.0, b"b")]))

    def test_one_way(self) -> None:
        """A stall can be of one way only; `flow` ends it."""
        client, server = self.connect()
        self.wire.stall(way="in")
        client.transport.write(b"a")
        server.transport.write(b"b")
        self.network.advance(60)
        self.assertEqual((server.bytes, client.bytes), (b"a", b""))
        self.wire.flow()
        self.network.advance(0)
        self.assertEqual(client.told, [(60.0, b"b")])
        self.wire.stall(way="out")
        client.transport.write(b"c")
        server.transport.write(b"d")
        self.network.advance(1)
        self.assertEqual((server.bytes, client.bytes), (b"a", b"bd"))

    def test_cut(self) -> None:
        """Both ends lose the connection, with all that was on its way; another can be made at once."""
        client, server = self.connect()
        client.transport.write(b"lost")
        self.wire.cut()
        self.network.advance(1)
        self.assertEqual((client.told, server.told), ([(0.0, ConnectionLost)], [(0.0, ConnectionLost)]))
        again = self.network.wait(self.wire.endpoint().connect(self.factory()))
        self.assertTrue(again.transport.connected)

    def test_cut_while_it_ends(self) -> None:
        """Each end is told of one end only."""
        client, server = self.connect()
        client.transport.abortConnection()
        self.wire.cut()
        self.network.advance(1)
        self.assertEqual((client.told, server.told), ([(0.0, ConnectionAborted)], [(0.0, ConnectionLost)]))

    def test_cut_for_a_while(self) -> None:
        """No connection can be made while a cut lasts."""
        self.connect()
        self.wire.cut(5.0)
        self.assertRaises(NoRouteError, self.network.wait, self.wire.endpoint().connect(self.factory()))
        self.network.advance(5.0)
        self.network.wait(self.wire.endpoint().connect(self.factory()))

    def test_connect_through_a_stall(self) -> None:
        """Who connects while nothing arrives is answered when something does."""
        self.connect()
        self.wire.stall()
        connecting = self.wire.endpoint().connect(self.factory())
        self.network.advance(10.0)
        self.assertNoResult(connecting)
        self.wire.flow()
        self.network.advance(1.0)
        self.successResultOf(connecting)
        self.wire.stall(0.3)
        connecting = self.wire.endpoint().connect(self.factory())
        self.network.advance(0.31)
        self.successResultOf(connecting)


class PortTests(Pair):
    """Listening and connecting."""

    def test_nobody_listens(self) -> None:
        """A refusal takes a round trip."""
        client, _ = self.connect()
        self.network.wait(self.port.stopListening())
        connecting = self.wire.endpoint().connect(self.factory())
        self.network.advance(0.03)
        self.assertNoResult(connecting)
        self.network.advance(0.02)
        self.failureResultOf(connecting, ConnectionRefusedError)
        self.assertTrue(client.transport.connected)

    def test_taken(self) -> None:
        """One address, one server."""
        self.connect()
        self.assertRaises(ValueError, self.network.listen, self.factory())
        self.assertEqual(self.network.listen(self.factory(), ("10.0.0.2", 81)).getHost().port, 81)

    def test_stops_once(self) -> None:
        """Stopping again does nothing, whoever listens there by now."""
        self.connect()
        self.network.wait(self.port.stopListening())
        other = self.network.listen(self.factory())
        self.network.wait(self.port.stopListening())
        self.assertIs(self.network.port(SERVER), other)

    def test_cancelled(self) -> None:
        """An attempt can be given up."""
        self.connect()
        connecting = self.wire.endpoint().connect(self.factory())
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.network.advance(1)
        self.assertEqual(self.wire.connections, 1)

    def test_turned_away(self) -> None:
        """A factory that makes no protocol: the connection ends at once."""
        self.connect()
        self.port.factory.buildProtocol = lambda address: None
        client = self.network.wait(self.wire.endpoint().connect(self.factory()))
        self.network.advance(1)
        self.assertEqual(client.end, ConnectionLost)

    def test_client_without_a_protocol(self) -> None:
        """A client's factory that makes none: there is no connection."""
        self.connect()
        factory = self.factory()
        factory.buildProtocol = lambda address: None
        self.assertRaises(NoProtocol, self.network.wait, self.wire.endpoint().connect(factory))
        self.assertEqual(self.wire.connections, 1)

    def test_many_machines(self) -> None:
        """Each has an address of its own."""
        network = Network()
        self.assertEqual(len({network.wire().address for _ in range(2_000)}), 2_000)


class Producer:
    """Writes when it may, until it has nothing more."""

    def __init__(self, transport: Any, pieces: int, size: int) -> None:
        self.transport, self.pieces, self.size = transport, pieces, size
        self.told: list[str] = []

    def resumeProducing(self) -> None:
        self.told.append("resume")
        if not self.pieces:
            self.transport.unregisterProducer()
            return
        self.pieces -= 1
        self.transport.write(bytes(self.size))

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def stopProducing(self) -> None:
        self.told.append("stop")


class ProducerTests(Pair):
    """Producers are told when to write."""

    def test_push(self) -> None:
        """One that pushes is paused when much waits, and resumed when nothing does."""
        client, server = self.connect()
        server.transport.pauseProducing()
        producer = Producer(client.transport, 0, 0)
        client.transport.registerProducer(producer, True)
        client.transport.write(bytes(KERNEL_BYTES + 65_536))
        self.assertEqual(producer.told, [])
        client.transport.write(b"x")
        client.transport.write(b"y")
        self.assertEqual(producer.told, ["pause"])
        server.transport.resumeProducing()
        self.network.advance(1)
        self.assertEqual(producer.told, ["pause", "resume"])

    def test_pull(self) -> None:
        """One that is pulled writes whenever nothing waits; a close waits for its end."""
        client, server = self.connect()
        producer = Producer(client.transport, 10, 50_000)
        client.transport.registerProducer(producer, False)
        client.transport.loseConnection()
        self.network.advance(1)
        self.assertEqual(len(server.bytes), 500_000)
        self.assertEqual(producer.told, ["resume"] * 11)
        self.assertEqual(client.end, ConnectionDone)

    def test_two(self) -> None:
        """There is one at a time."""
        client, _ = self.connect()
        client.transport.registerProducer(Producer(client.transport, 0, 0), True)
        self.assertRaises(RuntimeError, client.transport.registerProducer, Producer(client.transport, 0, 0), True)
        client.transport.unregisterProducer()
        client.transport.registerProducer(Producer(client.transport, 0, 0), True)

    def test_stopped(self) -> None:
        """One is told when the connection is gone, or was before it came."""
        client, server = self.connect()
        producer, late = Producer(client.transport, 0, 0), Producer(client.transport, 0, 0)
        client.transport.registerProducer(producer, True)
        server.transport.stopProducing()
        self.network.advance(1)
        client.transport.registerProducer(late, True)
        self.assertEqual((producer.told, late.told), (["stop"], ["stop"]))


class WaitTests(SynchronousTestCase):
    """Letting time pass until something is done."""

    def test_too_long(self) -> None:
        """What does not come is a failure, at the time it should have come by."""
        network = Network()
        start_s = network.clock.seconds()
        self.assertRaises(AssertionError, network.wait_until, lambda: False, 3.0)
        self.assertEqual(network.clock.seconds() - start_s, 3.0)
        network.wait_until(lambda: True, 0.0)
