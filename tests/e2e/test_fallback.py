"""Where a proxy lets no WebSocket through, players come in over HTTP by themselves; and go back when it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from meteor_net.client import NetworkClient, NetworkConfig, http, protocol, routes
from meteor_net.session import client as session
from tests.browser import chromium
from tests.requirements import require

from .demo import demo
from .proxies import HAProxy, Proxy, holding, over_http
from .test_python_client import said, until

reactor: Any = global_reactor


class PythonTests(TestCase):
    """Python players."""

    timeout = 120

    def setUp(self) -> Any:
        self.port = str(demo().port)
        # what is on the way is in this machine: it need not be waited for so long
        for module, name in ((protocol, "UPGRADE_S"), (session, "WELCOME_S"), (routes, "BETTER_S")):
            self.patch(module, name, 1.5)
        self.patch(http, "STREAM_S", 1.0)

    async def player(self, name: str, port: str) -> NetworkClient:
        """Let one in."""
        game = NetworkClient(NetworkConfig(
            url=f"ws://127.0.0.1:{port}", room=self._testMethodName, name=name, reactor=reactor, connect_s=60,
        ))  # fmt: skip
        self.addCleanup(game.disconnect)
        return await game.connect()

    async def proxy(self, make: Callable[..., Proxy], *arguments: str) -> Any:
        """Put a proxy before the server."""
        proxy = await deferToThread(make, self.port, *arguments)
        self.addCleanup(proxy.stop)
        return proxy

    async def links(self) -> int:
        """How many players are over HTTP."""
        return await deferToThread(over_http, self.port)

    async def plays(self, ann: NetworkClient, bob: NetworkClient) -> None:
        """One sees the world move, and talks with the other."""
        await until(lambda: ann.me is not None and len(ann.world.craft) == 2)
        ticks: list[int] = []
        ann.on("frame", ticks.append)
        before = len(said(bob))
        for number in range(3):
            await ann.say(f"{before + number}")
            await bob.say(f"{before + number} heard")
        await until(lambda: len(said(ann)) == len(said(bob)) == before + 6)
        self.assertEqual(said(ann), said(bob))
        await until(lambda: len(ticks) > 20)
        self.assertEqual(ticks, sorted(set(ticks)))

    def falls_back(self, refusal: str) -> Deferred[None]:
        """Behind a proxy that refuses in this way: over HTTP, and back to a WebSocket without a gap."""

        async def play() -> None:
            proxy = await self.proxy(HAProxy, refusal)
            bob = await self.player("bob", self.port)
            ann = await self.player("ann", proxy.port)
            self.assertEqual((await self.links(), ann.status), (1, "online"))
            await self.plays(ann, bob)
            gaps: list[Any] = []
            ann.on("gap", gaps.append)
            statuses: list[str] = []
            ann.on("status", statuses.append)
            self.assertEqual(len(bob.world.craft), 2)
            proxy.let_through()
            end = time.monotonic() + 30
            while await self.links():
                self.assertLess(time.monotonic(), end)
                await ann.say("on the way")
                await deferLater(reactor, 0.6)
            await until(lambda: ann.status == "online")
            await self.plays(ann, bob)
            self.assertEqual((await self.links(), gaps), (0, []))
            self.assertNotIn("reconnecting", " ".join(statuses))

        return ensureDeferred(play())

    def test_denied(self) -> Deferred[None]:
        """The proxy answers 403."""
        return self.falls_back("denies")

    def test_stripped(self) -> Deferred[None]:
        """The proxy does not pass the header on, and the server answers 426."""
        return self.falls_back("strips")

    def test_never_answered(self) -> Deferred[None]:
        """The proxy leaves the question where it is: 101 never comes."""

        async def play() -> None:
            proxy = await self.proxy(HAProxy, "cuts")
            bob = await self.player("bob", self.port)
            ann = await self.player("ann", proxy.port)
            self.assertEqual(await self.links(), 1)
            await self.plays(ann, bob)

        return ensureDeferred(play())

    def test_held_back(self) -> Deferred[None]:
        """The proxy lets a WebSocket open, and nothing through; and a response only when it is whole: long polling is left."""

        async def play() -> None:
            proxy = await self.proxy(holding)
            bob = await self.player("bob", self.port)
            ann = await self.player("ann", proxy.port)
            self.assertEqual(await self.links(), 1)
            await self.plays(ann, bob)

        return ensureDeferred(play())


class BrowserTests(SynchronousTestCase):
    """Chromium."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        self.port = str(demo().port)
        self.addCleanup(chromium.driver().get, "about:blank")

    def open(self, proxy: Proxy) -> None:
        """Open the demo's page behind a proxy, and wait until it plays."""
        self.addCleanup(proxy.stop)
        chromium.driver().get(f"http://127.0.0.1:{proxy.port}/?room={self._testMethodName}")
        chromium.wait_for("window.meteor && meteor.me")
        self.assertEqual(over_http(self.port), 1)

    def plays(self, text: str, ticks: int = 20) -> None:
        """Frames come, and a line is said and heard."""
        js = chromium.driver().execute_script
        before = js("return meteor.stats.tick")
        js("meteor.chat.sendMessage(arguments[0])", text)
        heard = f"meteor.chat.messageHistory.filter(({{ text }}) => text === '{text}').length"
        chromium.wait_for(f"{heard} === 1 && meteor.stats.tick > {before} + {ticks}")
        self.assertEqual(js("return meteor.status"), "online")

    def test_denied(self) -> None:
        """HAProxy answers 403 to WebSockets, later no more: the page goes over HTTP, and back, and misses nothing."""
        proxy = HAProxy(self.port, "denies")
        self.open(proxy)
        self.plays("over http", ticks=2)  # a WebSocket is tried 2 s after we came in
        js = chromium.driver().execute_script
        js("window.lost = []; meteor.on('status', (status) => lost.push(status)); meteor.on('gap', () => lost.push('gap'))")
        proxy.let_through()
        end = time.monotonic() + 90
        while over_http(self.port):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.5)
        self.plays("over a websocket")
        self.assertEqual(js("return lost.filter((word) => /gap|reconnect|offline/.test(word))"), [])
        texts = js("return meteor.chat.messageHistory.map(({ text }) => text)")
        self.assertEqual([text for text in texts if text.startswith("over")], ["over http", "over a websocket"])

    def test_held_back(self) -> None:
        """Behind a proxy that holds streams back the page asks question after question."""
        # two WebSockets that open and say nothing, and a stream of which nothing comes, take their time
        with chromium.hurried(4):
            self.open(holding(self.port))
        self.plays("by questions")
        self.assertGreater(
            chromium.driver().execute_script(
                "return performance.getEntriesByType('resource').filter(({name}) => /poll/.test(name)).length"
            ),
            10,
        )
