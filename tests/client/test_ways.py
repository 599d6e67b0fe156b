"""Several addresses and transports: what a client does when one fails, against whole servers in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from meteor_net.client import NetworkClient
from meteor_net.client.bots import fly
from meteor_net.client.manager import State
from meteor_net.client.protocol import UPGRADE_S
from meteor_net.client.recovery import Answer, Fault, Verdict
from meteor_net.errors import ConnectionFailed
from meteor_net.limits import Limits
from meteor_net.testing.wire import SERVER

from .proxy import ADDRESS, Proxy
from .several import ONE, TWO, Add, Shake, TwoServersCase


class WaysCase(TwoServersCase):
    """One client."""

    def client(self, **options: Any) -> NetworkClient:
        """Make one that notes its errors and statuses."""
        game = NetworkClient(self.config(**options))
        self.verdicts: list[Verdict] = []
        self.statuses: list[str] = []
        game.on("error", self.verdicts.append)
        game.on("status", self.statuses.append)
        self.addCleanup(lambda: self.wait(game.disconnect()))
        return game

    def back(self, game: NetworkClient, seconds: float = 30.0) -> None:
        """Let the clock go on until it has noticed that its connection is lost, and is in again."""
        self.wait_until(lambda: game.status != "online", seconds)
        self.wait_until(lambda: game.status == "online", seconds)

    def where(self, game: NetworkClient) -> str:
        """The address it is connected to."""
        return "one" if game._link.manager._routes.address.host == "10.0.0.1" else "two"

    def answers(self) -> list[Answer]:
        """What was done about each error."""
        return [verdict.answer for verdict in self.verdicts]


class AddressTests(WaysCase):
    """Fail-over."""

    def test_first_one_down(self) -> None:
        """The next address is tried at once; where it worked is tried first from then on."""
        self.stop_server()
        game = self.client()
        began_s = self.network.clock.seconds()
        self.wait(game.connect())
        self.assertLess(self.network.clock.seconds() - began_s, 0.5)
        self.assertEqual(self.where(game), "two")
        self.start_server()
        self.wire.cut()
        self.back(game)
        self.assertEqual(self.where(game), "two")

    def test_both_down(self) -> None:
        """A pause comes after a round, not before; what comes up first is taken."""
        self.stop_server()
        self.wait(self.second.stop())
        game = self.client(connect_s=60.0)
        joined = game.connect()
        self.advance(0.2)
        self.assertEqual(self.answers(), [Answer.RESUME, Answer.RESUME])
        self.assertEqual(self.statuses, ["connecting", "reconnecting in 1 s"])
        self.advance(20)
        self.second.start()
        self.wait(joined)
        self.assertEqual(self.where(game), "two")

    def test_moves_over(self) -> None:
        """A server that is gone is left for the other one; the room is joined anew there, and that is told."""
        game = self.client()
        self.wait(game.connect())
        self.assertEqual(self.where(game), "one")
        self.stop_server()
        self.back(game)
        self.assertEqual(self.where(game), "two")
        self.assertEqual(self.answers()[0], Answer.RESUME)
        self.assertEqual(self.answers()[-1], Answer.REJOIN)
        self.assertEqual(self.add(game, 2), 2)

    def test_resumed_is_no_rejoin(self) -> None:
        """The same session is no error but the loss itself."""
        game = self.client(urls=[])
        self.wait(game.connect())
        self.wire.cut()
        self.back(game)
        self.assertEqual([(each.answer, each.fault) for each in self.verdicts], [(Answer.RESUME, Fault.NETWORK)])
        self.assertEqual(game.report().totals["errors"]["resume"], 1)


class TransportTests(WaysCase):
    """Where WebSockets do not get through."""

    def behind(self, mode: str, **options: Any) -> NetworkClient:
        """Make a client behind a proxy."""
        self.proxy = Proxy(self.network, SERVER, mode)
        return self.client(
            url="ws://10.0.0.9", urls=[], endpoint=lambda address: self.wire.endpoint(ADDRESS), connect_s=60.0, **options
        )

    def via(self, game: NetworkClient) -> str:
        """By which transport it is connected, as the server sees it."""
        (session,) = self.server.host.registry
        assert session.pipe is not None
        self.assertEqual(session.pipe.kind, game._link.manager.transport)
        return session.pipe.kind

    def test_refused_upgrade(self) -> None:
        """A status of 4xx to an upgrade leads to HTTP at once."""
        for status in ("400", "403", "426"):
            with self.subTest(status=status):
                game = self.behind(status)
                began_s = self.network.clock.seconds()
                self.wait(game.connect())
                self.assertLess(self.network.clock.seconds() - began_s, 1.0)
                self.assertEqual((self.via(game), self.proxy.upgrades), ("http", 1))
                self.assertEqual(self.answers(), [Answer.FALLBACK])
                self.assertEqual(self.add(game, 2), 2)
                self.wait(game.disconnect())
                self.network.port(ADDRESS).stopListening()  # type: ignore[union-attr]
                self.advance(2)

    def test_dies(self) -> None:
        """Two tries in a row that something answered lead to HTTP; how they failed does not matter."""
        for mode, seconds in (("502", 2.0), ("cut", 2.0), ("hang", 2 * UPGRADE_S + 2), ("mute", 22.0)):
            with self.subTest(mode=mode):
                game = self.behind(mode)
                began_s = self.network.clock.seconds()
                self.wait(game.connect(), 60)
                self.assertLess(self.network.clock.seconds() - began_s, seconds)
                self.assertEqual((self.via(game), self.proxy.upgrades), ("http", 2))
                self.assertEqual(self.answers(), [Answer.RESUME, Answer.FALLBACK])
                self.wait(game.disconnect())
                self.network.port(ADDRESS).stopListening()  # type: ignore[union-attr]
                self.advance(2)

    def test_nobody_there(self) -> None:
        """A server that is not there, or takes nobody just now, is no reason for another transport."""
        game = self.behind("503")
        joined = game.connect()
        self.advance(20)
        self.assertEqual((self.proxy.requests, set(self.answers())), (0, {Answer.RESUME}))
        self.proxy.mode = "pass"
        self.wait(joined)
        self.assertEqual(self.via(game), "websocket")

    def test_stays(self) -> None:
        """What worked is used again after a loss."""
        game = self.behind("403")
        self.wait(game.connect())
        self.wire.cut()
        self.back(game)
        self.assertEqual((self.via(game), self.proxy.upgrades), ("http", 1))
        self.assertEqual(self.answers(), [Answer.FALLBACK, Answer.RESUME])

    def test_one_alone(self) -> None:
        """Without HTTP among the transports a refusal is final; with it alone no WebSocket is tried."""
        game = self.behind("403", transports=["websocket"])
        with self.assertRaises(ConnectionFailed):
            self.wait(game.connect())
        self.assertEqual((self.answers(), self.proxy.requests), ([Answer.GIVE_UP], 0))
        self.network.port(ADDRESS).stopListening()  # type: ignore[union-attr]
        game = self.behind("403", transports=["http"])
        self.wait(game.connect())
        self.assertEqual((self.via(game), self.proxy.upgrades), ("http", 0))

    def test_both_refused(self) -> None:
        """A server that refuses both for good is given up: its name is not one that it answers to."""
        game = self.client(url="ws://elsewhere.example", urls=[], endpoint=lambda address: self.wire.endpoint(SERVER))
        with self.assertRaisesRegex(ConnectionFailed, "refused"):
            self.wait(game.connect())
        self.assertEqual(self.answers(), [Answer.FALLBACK, Answer.GIVE_UP])
        self.assertTrue(game.status.startswith("offline: "))

    def begun(self, game: NetworkClient) -> Deferred[int]:
        """Begin to add."""
        added = game.act(Add(by=1))
        assert added is not None
        return added

    def test_back_to_websockets(self) -> None:
        """A WebSocket is tried beside it after 60 s, then 120; once it works the session goes over, and nobody notices."""
        game = self.behind("403")
        self.wait(game.connect())
        self.advance(59)
        self.assertEqual(self.proxy.upgrades, 1)
        self.advance(2)
        self.assertEqual((self.proxy.upgrades, self.via(game)), (2, "http"))
        self.proxy.mode = "pass"
        self.advance(110)
        self.assertEqual((self.proxy.upgrades, self.via(game)), (2, "http"))
        self.statuses.clear()
        self.verdicts.clear()
        ticks: list[int] = []
        answers = [self.begun(game)]
        game.on("frame", ticks.append)
        for _ in range(100):
            answers.append(self.begun(game))
            self.advance(0.2)
        self.assertEqual((self.proxy.upgrades, self.via(game)), (3, "websocket"))
        self.assertEqual([self.wait(answer) for answer in answers], list(range(1, 102)))
        self.assertEqual((self.statuses, self.verdicts), ([], []))
        self.assertGreater(len(ticks), 90)
        self.assertEqual(game._link.manager.state, State.ONLINE)
        self.assertEqual(len(list(self.server.host.registry)), 1)
        self.advance(700)
        self.assertEqual(self.proxy.upgrades, 3)

    def test_a_better_way_that_is_none(self) -> None:
        """A WebSocket that opens and carries nothing costs a resume by HTTP, once; the next is tried after ten minutes."""
        game = self.behind("403")
        self.wait(game.connect())
        self.proxy.mode = "mute"
        self.advance(62)
        self.assertEqual(self.proxy.upgrades, 2)
        self.advance(30)
        self.assertEqual((game.status, self.via(game)), ("online", "http"))
        self.assertEqual(self.add(game, 1), 1)
        self.advance(560)
        self.assertEqual(self.proxy.upgrades, 2)
        self.advance(60)
        self.assertEqual(self.proxy.upgrades, 3)

    def test_lost_while_a_better_way_is_tried(self) -> None:
        """The try goes with the connection."""
        game = self.behind("403")
        self.wait(game.connect())
        self.proxy.mode = "hang"
        self.advance(62)
        self.assertIsNotNone(game._link.manager._side)
        self.wire.cut()
        self.back(game)
        self.assertIsNone(game._link.manager._side)
        self.assertEqual(self.via(game), "http")


class FullTests(WaysCase):
    """A way on which nothing goes out any more; the server forgives a flood."""

    limits = Limits(messages_per_s=100_000)

    def test_inputs(self) -> None:
        """Inputs that would come too late are forgotten, so that they do not pile up; actions wait, and come to an end."""
        self.network.kernel_bytes = 4096
        for transports in (["websocket"], ["http"]):
            with self.subTest(transports=transports):
                game = self.client(urls=[], transports=transports)
                self.wait(game.connect())
                self.wire.stall(8.0, "out")
                manager, sent = game._link.manager, game.report().totals["session"]["bytes_out"]
                for number in range(6_000):
                    game.act(Shake(hard=number % 256))
                self.assertTrue(manager.congested)
                self.assertLess(game.report().totals["session"]["bytes_out"] - sent, 100_000)
                self.assertEqual(self.add(game), 1)
                self.advance(1)
                self.assertFalse(manager.congested)
                self.assertEqual(game.status, "online")
                self.wait(game.disconnect())
                self.advance(1)


class BotTests(TwoServersCase):
    """Bots on several servers."""

    def test_spread(self) -> None:
        """Each has another one first, and goes over to the next if that is gone."""
        flight = ensureDeferred(
            fly([ONE, TWO], 4, seconds=20.0, reactor=self.network.clock, endpoint=self.endpoint, connect_s=5.0)
        )
        self.advance(3)
        self.assertEqual((self.players(self.server), self.players(self.second)), (2, 2))
        self.wait(self.second.stop())
        self.advance(10)
        self.assertEqual(self.players(self.server), 4)
        bots: list[NetworkClient] = self.wait(flight)
        self.assertEqual([bot.status for bot in bots], ["offline"] * 4)
