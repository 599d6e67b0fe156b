"""A bad network around a real client: the same client, the same server, and what comes late between them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import NoRouteError
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import Action, Fixed, Game, Table, handles
from meteor_net.client import Simulation
from meteor_net.client.simulate import MAX_WAITING_BYTES, SEGMENT_BYTES, SILENT_S, WAITING_BYTES
from meteor_net.errors import ConfigError
from meteor_net.testing import GameTestCase, Network
from meteor_net.testing.clock import START_S
from tests.testing.test_network import Pair


class OptionsTests(SynchronousTestCase):
    """What a network may be like."""

    def test_wrong(self) -> None:
        """What is wrong is named."""
        for options, text in (
            ({"latency_s": -1}, "latency_s is -1; from 0 to 60"),
            ({"jitter_s": 61}, "jitter_s is 61"),
            ({"loss": 1.0}, "loss is 1.0; from 0 to 0.9"),
            ({"latency_s": float("nan")}, "latency_s is nan"),
            ({"bytes_per_s": 0}, "bytes_per_s is 0"),
        ):
            with self.assertRaises(ConfigError) as caught:
                Simulation(**options)
            self.assertIn(text, str(caught.exception))
        self.assertEqual(Simulation(bytes_per_s=10.0).loss, 0.0)


class WireTests(Pair):
    """What protocols see of it."""

    def through(self, simulation: Simulation, **options: Any) -> tuple[Any, Any]:
        """Connect two protocols through a simulated network, with a real one that takes no time."""
        self.simulation = simulation
        self.network = Network(latency_s=0.0, **options)
        self.wire = self.network.wire()
        self.serving: Any = self.factory()
        self.network.listen(self.serving)
        self.endpoint = simulation.around(self.wire.endpoint(), self.network.clock)
        client = self.network.wait(self.endpoint.connect(self.factory()))
        return client, self.serving.made[0]

    def test_latency(self) -> None:
        """Connecting takes a round trip, and all else its way; the end comes behind what was sent."""
        client, server = self.through(Simulation(latency_s=0.25))
        self.assertAlmostEqual(self.network.clock.seconds() - START_S, 0.5)
        client.transport.write(b"a")
        client.transport.writeSequence([b"b", b"c"])
        self.network.advance(0.2)
        self.assertEqual(server.bytes, b"")
        self.network.advance(0.1)
        self.assertEqual(server.bytes, b"abc")
        server.transport.write(b"d")
        server.transport.loseConnection()
        self.network.advance(0.2)
        self.assertEqual(client.told, [])
        self.network.advance(0.1)
        self.assertEqual((client.bytes, client.end is not None), (b"d", True))

    def test_close(self) -> None:
        """A client that closes has sent what it sent before; one that aborts has not, and is told at once."""
        client, server = self.through(Simulation(latency_s=0.25))
        client.transport.write(b"a")
        client.transport.loseConnection()
        client.transport.loseConnection()
        client.transport.write(b"too late")
        self.network.advance(1.0)
        self.assertEqual((server.bytes, server.end is not None, client.end is not None), (b"a", True, True))
        client, server = self.through(Simulation(latency_s=0.25))
        client.transport.write(b"a")
        client.transport.abortConnection()
        self.assertIsNotNone(client.end)
        self.network.advance(1.0)
        self.assertEqual((server.bytes, server.end is not None), (b"", True))

    def test_seed(self) -> None:
        """Jitter and loss come from the seed, and keep the order."""

        def run(seed: int) -> Any:
            client, server = self.through(Simulation(latency_s=0.01, jitter_s=0.1, loss=0.2, seed=seed))
            for number in range(50):
                client.transport.write(bytes([number]))
                self.network.advance(0.01)
            self.network.advance(60.0)
            self.assertEqual(server.bytes, bytes(range(50)))
            return server.told

        self.assertEqual(run(1), run(1))
        self.assertNotEqual(run(1), run(2))
        self.assertGreater(max(when for when, _ in run(1)), 0.8)

    def test_bandwidth(self) -> None:
        """So much gets through in a second."""
        client, server = self.through(Simulation(bytes_per_s=10_000.0))
        client.transport.write(b"x" * 20_000)
        self.network.advance(1.0)
        self.assertTrue(10_000 - 2 * SEGMENT_BYTES < len(server.bytes) <= 10_000, len(server.bytes))

    def test_stall(self) -> None:
        """A stall holds one way or both, and new connections too; nothing is lost."""
        client, server = self.through(Simulation())
        self.simulation.stall(5.0, "in")
        client.transport.write(b"a")
        server.transport.write(b"b")
        self.network.advance(4.0)
        self.assertEqual((server.bytes, client.bytes), (b"a", b""))
        self.network.advance(1.5)
        self.assertEqual(client.bytes, b"b")
        self.simulation.stall()
        again = self.endpoint.connect(self.factory())
        client.transport.write(b"c")
        self.network.advance(100.0)
        self.assertEqual(server.bytes, b"a")
        self.assertNoResult(again)
        again.addErrback(lambda _: None).cancel()
        self.simulation.flow()
        self.network.advance(0.1)
        self.assertEqual(server.bytes, b"ac")
        self.simulation.stall(1.0)
        later = self.endpoint.connect(self.factory())
        self.network.advance(0.9)
        self.assertNoResult(later)
        self.network.advance(0.2)
        self.successResultOf(later)

    def test_cut(self) -> None:
        """A cut ends connections, and no other comes about for some time."""
        client, server = self.through(Simulation(latency_s=0.1))
        server.transport.write(b"on its way")
        self.simulation.cut(5.0)
        self.assertIsNotNone(client.end)
        self.network.advance(1.0)
        self.assertEqual((client.bytes, server.end is not None), (b"", True))
        self.failureResultOf(self.asked(), NoRouteError)
        self.network.advance(5.0)
        self.successResultOf(self.asked())

    def asked(self) -> Deferred[Any]:
        """Connect again, and let time pass for it."""
        answer = self.endpoint.connect(self.factory())
        self.network.advance(1.0)
        return answer

    def test_silence(self) -> None:
        """A connection that went silent carries nothing, not even its end, until the server is let go at last."""
        client, server = self.through(Simulation())
        self.simulation.silence()
        client.transport.write(b"a")
        server.transport.write(b"b")
        self.network.advance(10.0)
        self.successResultOf(self.asked())
        client.transport.abortConnection()
        self.network.advance(SILENT_S - 1)
        self.assertEqual((server.told, client.bytes), ([], b""))
        self.network.advance(2.0)
        self.assertIsNotNone(server.end)
        client, server = self.through(Simulation())
        self.simulation.silence()
        server.transport.loseConnection()
        self.network.advance(10.0)
        self.assertEqual(client.told, [])

    def test_bounds(self) -> None:
        """What waits has a bound: the server is not read beyond it; a client that goes on is cut off."""
        client, server = self.through(Simulation(), kernel_bytes=1_000_000)
        self.simulation.stall()
        server.transport.write(b"x" * 3_000_000)
        self.network.advance(10.0)
        self.assertGreater(server.transport.unsent_bytes, 3_000_000 - 1_000_000 - WAITING_BYTES - 100_000)
        self.simulation.flow()
        self.network.advance(1.0)
        self.assertEqual(len(client.bytes), 3_000_000)
        self.simulation.stall()
        client.transport.write(b"y" * (MAX_WAITING_BYTES + 1))
        self.assertIsNone(client.end)
        client.transport.write(b"y")
        self.assertIsNotNone(client.end)

    def test_producers(self) -> None:
        """A producer is asked once if it pulls, and told of the end."""
        client, _ = self.through(Simulation())
        calls: list[str] = []

        class Producer:
            def resumeProducing(self) -> None:
                calls.append("resume")

            def stopProducing(self) -> None:
                calls.append("stop")

        client.transport.registerProducer(Producer(), False)
        client.transport.unregisterProducer()
        client.transport.registerProducer(Producer(), True)
        self.simulation.cut()
        self.assertEqual(calls, ["resume", "stop"])

    def test_no_list(self) -> None:
        """Nothing grows with the number of connections that were."""
        client, _ = self.through(Simulation())
        client.transport.abortConnection()
        self.assertEqual(self.simulation._connections, [])
        self.assertIsInstance(self.serving, Factory)


class Move(Action):
    """Go somewhere."""

    x = Fixed(step=1, low=0, high=100)


class Walker(Table):
    """One who goes."""

    x = Fixed(step=1, low=0, high=100)


class Walk(Game):
    """A small game."""

    tables = (Walker,)

    def joined(self, player: Any) -> None:
        player.row = self.world.walker.spawn()

    @handles(Move)
    def move(self, player: Any, move: Move) -> int:
        """Go."""
        player.row.x = move.x
        return int(move.x)


class GameTests(GameTestCase):
    """A whole game over it."""

    game = Walk
    latency_s = 0.0

    def test_round_trip(self) -> None:
        """Answers take the round trip that was asked for, and one client's network is not another's."""
        ann, bob = self.player("ann", simulate=Simulation(latency_s=0.2)), self.player("bob")
        for player, seconds in ((ann, 0.4), (bob, 0.0)):
            began = self.network.clock.seconds()
            self.assertEqual(player.act(Move(x=7)), 7)
            self.assertAlmostEqual(self.network.clock.seconds() - began, seconds, delta=0.01, places=1)
        self.advance(15.0)
        self.assertAlmostEqual(ann.game.round_trip_ms or 0.0, 400.0, delta=5, places=-1)

    def test_bad_times(self) -> None:
        """The client comes back from all of it, and is where the server is."""
        network = Simulation(latency_s=0.1, jitter_s=0.04, loss=0.05, seed=1)
        ann, bob = self.player("ann", simulate=network), self.player("bob")
        for strike in (lambda: network.cut(2.0), lambda: network.stall(4.0), network.silence):
            strike()
            done = ann.game.act(Move(x=5))
            ann.game.say("hello")
            assert done is not None
            self.advance(1.0)
            bob.act(Move(x=9))
            self.advance(70.0)
            self.assertEqual((ann.status, self.successResultOf(done)), ("online", 5))
            self.assertEqual([row.x for row in ann.world.walker], [row.x for row in self.room.world.walker])
        self.assertEqual(bob.lines, ["hello"] * 3)
        self.assertIn("stale", ann.statuses)
