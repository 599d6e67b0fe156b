"""The Python client over HTTP: it plays and talks as over a WebSocket, through what holds streams back too."""

from __future__ import annotations

from typing import Any

from twisted.web import server
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.static import Data

from meteor_net.client.http import UP_S
from meteor_net.errors import CloseCode
from meteor_net.server.http_link import UNHEARD_S, HttpLink
from meteor_net.testing import PlayerHandle
from tests.server.harbour import Buy, HarbourCase, Steer
from tests.server.holding import HoldingProxy

PROXY = ("10.0.0.2", 80)
HTTP_UP = HttpLink.up


class HttpClientCase(HarbourCase):
    """Players without WebSockets."""

    def over_http(self, name: str = "ann", **options: Any) -> PlayerHandle:
        """Let one in; `self.wire` is its machine's."""
        self.wire = self.network.wire(name)
        return self.player(name, transports=("http",), endpoint=self.wire.endpoint(), **options)

    def behind_proxy(self, name: str = "ann", **options: Any) -> PlayerHandle:
        """Let one in behind a proxy that holds back what is not whole."""
        proxy_wire = self.network.wire("proxy")
        self.proxy = HoldingProxy(proxy_wire.endpoint())
        port = self.network.listen(self.proxy, PROXY)
        self.addCleanup(port.stopListening)
        self.wire = self.network.wire(name)
        return self.player(name, transports=("http",), endpoint=self.wire.endpoint(PROXY), **options)

    @property
    def counters(self) -> Any:
        """The server's."""
        return self.server.host.counters

    def plays(self, ann: PlayerHandle, seconds: float = 3.0) -> None:
        """A player acts, talks, hears, and sees the server's world."""
        before = self.room.world.ship[ann.game.me.slot].x
        for _ in range(10):
            ann.game.act(Steer(thrust=True))
            self.advance(0.1)
        bought = ann.game.act(Buy(what="bottle"))
        assert bought is not None
        said = [ann.game.say(f"line {number}") for number in range(5)]
        self.advance(seconds)
        self.assertEqual(self.wait(bought), "a bottle")
        for each in said:
            self.wait(each)
        self.assertEqual([line for line in self.neighbour.lines if line.startswith("line")], [f"line {n}" for n in range(5)])
        self.assertEqual([line for line in ann.lines if line.startswith("line")], [f"line {n}" for n in range(5)])
        self.assertGreater(self.room.world.ship[ann.game.me.slot].x, before)
        self.assertGreater(ann.game.world.tide[0].height, self.room.tick - 10)
        self.assertEqual(ann.game.status, "online")


class StreamTests(HttpClientCase):
    """Where nothing is held back."""

    def test_plays(self) -> None:
        """Actions, inputs, lines and frames, in order; one request goes on, and the others share a connection."""
        ann = self.over_http()
        self.plays(ann)
        self.assertEqual((self.counters["http_opened"], self.counters["http_polling"]), (1, 0))
        self.assertLessEqual(self.wire.connections, 2)
        self.check_neighbour()

    def test_every_frame(self) -> None:
        """Each tick's frame comes as soon as it is sent."""
        ann = self.over_http()
        ticks: list[int] = []
        ann.game.on("frame", ticks.append)
        self.advance(2)
        self.assertEqual(ticks, list(range(ticks[0], ticks[0] + len(ticks))))
        self.assertGreaterEqual(len(ticks), 39)

    def test_leaves(self) -> None:
        """Who disconnects has said goodbye: gone for good, at once."""
        ann = self.over_http()
        ann.game.disconnect()
        self.advance(0.5)
        self.assertEqual((self.room.game.told[-1], self.wire.connections), ("ann left", 0))
        self.assertEqual(self.counters["closed_1000"], 1)

    def test_cut(self) -> None:
        """What is lost with a connection is found again on the next: the session resumes, and no line is missing or double."""
        ann = self.over_http()
        self.advance(1)
        for number in range(20):
            ann.game.say(f"mine {number}") if number % 5 == 0 else None
            self.neighbour.game.say(f"line {number}")
            if number % 4 == 1:
                self.wire.cut()
            self.advance(0.7)
        self.advance(20)
        heard = [line for line in ann.lines if line.startswith("line")]
        self.assertEqual(heard, [f"line {number}" for number in range(20)])
        mine = [line for line in self.neighbour.lines if line.startswith("mine")]
        self.assertEqual(mine, [f"mine {number}" for number in range(0, 20, 5)])
        self.assertNotIn("ann left", self.room.game.told)
        self.assertGreater(self.counters["http_opened"], 3)
        self.assertEqual(ann.gaps, [])

    def test_server_stops(self) -> None:
        """It says so, and is found again."""
        ann = self.over_http()
        self.wait(self.server.stop())
        self.advance(0.1)
        self.assertTrue(ann.game.status.startswith("reconnecting"), ann.game.status)
        self.server.start()
        self.advance(10)
        self.assertEqual(ann.game.status, "online")
        self.assertEqual(self.counters["http_opened"], 1)

    def test_silent(self) -> None:
        """A server that falls silent is given up within 45 s, and so is the client."""
        ann = self.over_http()
        self.wire.stall()
        self.advance(46)
        self.assertNotIn(ann.game.status, ("online", "stale"))
        self.assertEqual(self.room.game.told[-1], "ann away")

    def test_small_pieces(self) -> None:
        """However the network cuts the bytes, the packets are the same."""
        wire = self.network.wire("ann")
        wire.chunk_bytes = 7
        ann = self.player("ann", transports=("http",), endpoint=wire.endpoint())
        self.plays(ann, 30)

    def test_lost_answer(self) -> None:
        """A request up whose answer is lost is sent once more, and taken once."""
        ann = self.over_http()
        real, times = HttpLink.up, [0]

        def up(link: HttpLink, request: Any, number: int) -> Any:
            answer = real(link, request, number)
            times[0] += 1
            if times[0] % 2:
                request.channel.transport.abortConnection()
                return server.NOT_DONE_YET
            return answer

        self.patch(HttpLink, "up", up)
        for number in range(5):
            self.wait(ann.game.say(f"line {number}"))
        self.assertEqual([line for line in self.neighbour.lines if line.startswith("line")], [f"line {n}" for n in range(5)])
        self.assertEqual((self.counters["http_opened"], ann.game.status), (1, "online"))
        self.assertGreater(times[0], 9)

    def test_never_answered(self) -> None:
        """A request up that is never answered is a lost connection, and the session goes on over another."""
        ann = self.over_http()
        self.patch(HttpLink, "up", lambda link, request, number: server.NOT_DONE_YET)
        said = ann.game.say("line")
        self.advance(1)
        self.patch(HttpLink, "up", HTTP_UP)
        self.wait(said, 2 * UP_S + 10)
        self.assertIn("line", self.neighbour.lines)

    def test_more_than_gets_through(self) -> None:
        """What waits to be sent has a bound: with more, the connection is lost."""
        ann = self.over_http()
        way: Any = ann.game._link.manager._way
        for _ in range(70):
            way.connection.send(bytes(16_000))
        self.assertEqual(ann.game.status, "online")
        self.advance(0.1)
        self.assertNotEqual(ann.game.status, "online")

    def test_no_server_of_ours(self) -> None:
        """Something else that answers is told from a server."""
        page = Data(b"<html>", "text/html")
        root = Resource()
        root.putChild(b"http", page)
        page.render_POST = page.render_GET  # type: ignore[attr-defined]
        port = self.network.listen(Site(root, reactor=self.network.clock), PROXY)
        self.addCleanup(port.stopListening)
        ann = self.newcomer("ann", transports=("http",), endpoint=self.network.wire("ann").endpoint(PROXY), connect_s=5)
        error = self.failureResultOf(self._fails(ann))
        self.assertIn("no server of ours", str(error.value))

    def test_refused(self) -> None:
        """A server that has no such way says so."""
        ann = self.newcomer("ann", transports=("http",), url="ws://10.0.0.1:80/elsewhere/ws", connect_s=5)
        error = self.failureResultOf(self._fails(ann))
        self.assertIn("405", str(error.value))

    def _fails(self, ann: PlayerHandle) -> Any:
        connecting = ann.game.connect()
        self.advance(6)
        return connecting

    def test_too_large(self) -> None:
        """A packet above the limit ends the connection."""
        ann = self.over_http()
        statuses = ann.statuses
        (pipe,) = [session.pipe for session in self.server.host.registry if session.pipe and session.pipe.kind == "http"]
        pipe.send((2**32 - 1).to_bytes(4, "big"))
        self.advance(1)
        self.assertNotEqual(statuses[-1], "online")


class HeldBackTests(HttpClientCase):
    """Behind a proxy that passes on whole responses only."""

    def test_plays(self) -> None:
        """After 3 s without a byte of the stream, the client asks question after question."""
        ann = self.behind_proxy()
        self.assertEqual(self.counters["http_polling"], 1)
        self.plays(ann)
        self.check_neighbour()

    def test_cut(self) -> None:
        """A lost answer is a lost connection: nothing is missing afterwards."""
        ann = self.behind_proxy()
        for number in range(12):
            self.neighbour.game.say(f"line {number}")
            if number % 4 == 1:
                self.wire.cut()
            self.advance(2)
        self.advance(UNHEARD_S)
        heard = [line for line in ann.lines if line.startswith("line")]
        self.assertEqual(heard, [f"line {number}" for number in range(12)])
        self.assertEqual(ann.gaps, [])
        self.assertNotIn("ann left", self.room.game.told)

    def test_server_stops(self) -> None:
        """The goodbye comes with an answer."""
        ann = self.behind_proxy()
        self.advance(2)
        self.wait(self.server.stop())
        self.advance(0.5)
        self.assertEqual((self.counters[f"closed_{CloseCode.RESTARTING}"], self.counters["closed_1006"]), (1, 0))
        self.assertTrue(ann.game.status.startswith("reconnecting"), ann.game.status)
