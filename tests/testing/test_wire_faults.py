"""What goes wrong on wires, on machines and with clocks, as protocols see it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.client.simulate import SEGMENT_BYTES
from meteor_net.testing import MachineClock, Network, SteppedClock
from meteor_net.testing.wire import SERVER
from tests.testing.test_network import Noting, Pair


class MachineClockTests(SynchronousTestCase):
    """Clocks that jump and stop."""

    def setUp(self) -> None:
        self.world = SteppedClock(100.0)
        self.clock = MachineClock(self.world)
        self.seen: list[tuple[str, float, float]] = []

    def note(self, what: str) -> None:
        """Write down when it was called, by both clocks."""
        self.seen.append((what, self.world.seconds(), self.clock.seconds()))

    def test_ahead(self) -> None:
        """After a jump ahead, what was due meanwhile happens at once, and the rest at its time by the machine's clock."""
        self.clock.callLater(1.0, self.note, "a")
        self.clock.callLater(20.0, self.note, "b")
        self.clock.jump(10.0)
        self.assertEqual(self.clock.seconds(), 110.0)
        self.world.advance(15.0)
        self.assertEqual(self.seen, [("a", 100.0, 110.0), ("b", 110.0, 120.0)])

    def test_back(self) -> None:
        """After a jump back nothing happens until the old time has come again, but for what is asked for then."""
        self.clock.callLater(1.0, self.note, "a")
        self.clock.jump(-5.0)
        self.clock.callLater(1.0, self.note, "b")
        self.world.advance(10.0)
        self.assertEqual(self.seen, [("b", 101.0, 96.0), ("a", 106.0, 101.0)])

    def test_stop(self) -> None:
        """What runs on a machine that is killed is never called again, nor what it asks for afterwards."""
        call = self.clock.callLater(1.0, self.note, "a")
        self.clock.stop()
        later = self.clock.callLater(1.0, self.note, "b")
        self.world.advance(10.0)
        self.assertEqual((self.seen, call.active(), later.active()), ([], False, True))
        later.cancel()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """Calls that are over are forgotten: a long game does not fill the memory."""
        for _ in range(2_000):
            self.clock.callLater(0.0, lambda: None)
            self.world.advance(0.1)
        self.clock.callLater(3.0, self.note, "a")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertLess(len(self.clock._calls), 200)


class SteppedCallTests(SynchronousTestCase):
    """Calls that are moved about."""

    def test_moved(self) -> None:
        """A call that is delayed, brought forward or cancelled happens at its new time, once or not at all."""
        clock, seen = SteppedClock(0.0), []
        calls = {name: clock.callLater(5.0, lambda name=name: seen.append((name, clock.seconds()))) for name in "abcd"}
        calls["a"].delay(2.0)
        calls["b"].reset(1.0)
        calls["c"].cancel()
        calls["d"].reset(1.0)
        calls["d"].reset(6.0)
        self.assertEqual([call.getTime() for call in clock.getDelayedCalls()], [1.0, 6.0, 7.0])
        clock.advance(10.0)
        self.assertEqual(seen, [("b", 1.0), ("d", 6.0), ("a", 7.0)])
        self.assertEqual(clock.getDelayedCalls(), [])


class SilenceTests(Pair):
    """Half-open connections."""

    def test_silence(self) -> None:
        """Nothing comes out of a connection that went silent, not even its end; a new one works."""
        client, server = self.connect()
        self.wire.silence()
        client.transport.write(b"a")
        server.transport.write(b"b")
        self.network.advance(100.0)
        client.transport.abortConnection()
        self.network.advance(100.0)
        self.assertEqual((server.told, client.bytes, self.wire.connections), ([], b"", 1))
        again = self.network.wait(self.wire.endpoint().connect(self.factory()))
        again.transport.write(b"c")
        self.network.advance(0.1)
        self.assertEqual(self.port.factory.made[1].bytes, b"c")

    def test_heal(self) -> None:
        """When the network heals, ends of silent connections are told that these are lost."""
        client, server = self.connect()
        self.wire.silence()
        self.network.advance(10.0)
        self.wire.cut(100.0)
        self.wire.loss, self.wire.bytes_per_s = 0.5, 100.0
        self.network.heal()
        self.network.advance(0.0)
        self.assertEqual((client.end, server.end), (ConnectionLost, ConnectionLost))
        self.assertEqual((self.wire.is_cut, self.wire.loss, self.wire.bytes_per_s), (False, 0.0, None))


class KillTests(Pair):
    """Machines that are killed."""

    def test_reset(self) -> None:
        """The other end of a killed machine is told, after what was on its way; the machine itself is told nothing."""
        client, server = self.connect()
        server.transport.write(b"on its way")
        client.transport.write(b"last words")
        self.wire.kill()
        self.network.advance(1.0)
        self.assertEqual((client.told, server.end), ([], ConnectionLost))
        self.assertEqual(self.wire.connections, 0)
        server.transport.write(b"too late")
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_silent(self) -> None:
        """Where the power fails, nobody is told."""
        client, server = self.connect()
        self.wire.kill(silent=True)
        server.transport.write(b"hello?")
        self.network.advance(1_000.0)
        self.assertEqual((client.told, server.told), ([], []))

    def test_asking(self) -> None:
        """A machine that is killed while it connects connects no more."""
        self.network = Network()
        wire, serving = self.network.wire(), self.factory()
        self.network.listen(serving)
        wire.endpoint().connect(self.factory())
        wire.kill()
        self.network.advance(10.0)
        self.assertEqual(serving.made, [])

    def test_server(self) -> None:
        """A server that is killed listens no more; another may take its place."""
        client, server = self.connect()
        self.network.kill(SERVER, silent=False)
        self.network.advance(1.0)
        self.assertEqual((client.end, server.told), (ConnectionLost, []))
        self.failureResultOf(self.asked(), ConnectionRefusedError)
        self.network.listen(self.factory())
        self.successResultOf(self.asked())

    def asked(self) -> Deferred[Any]:
        """Ask for a connection, and let time pass until there is an answer."""
        answer = self.wire.endpoint().connect(self.factory())
        self.network.advance(1.0)
        return answer


class LineTests(Pair):
    """Loss, limits, and what they do to the order."""

    def test_loss(self) -> None:
        """What is lost comes later, and all that is behind it on the same connection waits: nothing is lost for good."""
        client, server = self.connect()
        self.wire.loss = 0.2
        for number in range(100):
            client.transport.write(bytes([number]))
            self.network.advance(0.01)
        self.network.advance(60.0)
        self.assertEqual(server.bytes, bytes(range(100)))
        times = [when for when, _ in server.told]
        waits = [later - earlier for earlier, later in pairwise(times)]
        self.assertGreater(max(waits), 0.15)
        self.assertLess(len(times), 100)

    def test_heal(self) -> None:
        """When the network heals, what was still to be sent again arrives soon, in order."""
        client, server = self.connect()
        self.wire.loss = 0.9
        client.transport.write(b"a")
        client.transport.write(b"b")
        client.transport.loseConnection()
        self.network.advance(0.0)
        self.network.heal()
        client.transport.write(b"too late")
        self.network.advance(0.021)
        self.assertEqual((server.bytes, server.end), (b"ab", ConnectionDone))

    def test_bandwidth(self) -> None:
        """So much gets through in a second in each direction, whatever number of connections shares it."""
        client, server = self.connect()
        self.wire.bytes_per_s = 10_000.0
        client.transport.write(b"x" * 20_000)
        server.transport.write(b"y" * 5_000)
        self.network.advance(1.0)
        self.assertTrue(10_000 - 2 * SEGMENT_BYTES < len(server.bytes) <= 10_000, len(server.bytes))
        self.assertEqual(len(client.bytes), 5_000)
        self.network.advance(1.1)
        self.assertEqual(len(server.bytes), 20_000)

    def test_reorder(self) -> None:
        """Jitter reorders what travels on two connections, and never what travels on one."""
        first, _ = self.connect()
        second = self.network.wait(self.wire.endpoint().connect(self.factory()))
        self.wire.jitter_s = 0.5
        made: list[Noting] = self.port.factory.made
        overtaken = 0
        for number in range(20):
            first.transport.write(bytes([number]))
            second.transport.write(bytes([number]))
            self.network.advance(1.0)
            overtaken += made[1].told[-1][0] < made[0].told[-1][0]
        self.assertEqual([each.bytes for each in made], [bytes(range(20))] * 2)
        self.assertTrue(2 < overtaken < 18, overtaken)

    def test_swizzle(self) -> None:
        """Some wires are clogged one after another and flow again in another order; at the end all flow."""
        network = Network(3)
        wires = [network.wire(str(number)) for number in range(8)]
        network.swizzle(4.0)
        begins: list[str] = []
        ends: list[str] = []
        for _ in range(50):
            network.advance(0.1)
            now = network.clock.seconds()
            for wire in wires:
                clogged = max(wire.open_at_s(True), wire.open_at_s(False)) > now
                if clogged and wire.name not in begins:
                    begins.append(wire.name)
                elif not clogged and wire.name in begins and wire.name not in ends:
                    ends.append(wire.name)
        self.assertGreater(len(begins), 2)
        self.assertEqual(sorted(ends), sorted(begins))
        network.swizzle(4.0)
        network.heal()
        network.advance(2.5)
        self.assertTrue(all(wire.open_at_s(way) <= network.clock.seconds() for wire in wires for way in (True, False)))
        self.assertNotEqual(ends, begins)
