"""The demo's page when the network is bad: killed servers, a browser without a network, and the page's own simulation."""

from __future__ import annotations

import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.server import Server, free_port, meteor
from tests.browser import chromium
from tests.requirements import require

from .demo import demo

#: Says a line now and then, less often than the server allows, and keeps what came of each.
TALK = """
window.kept = []; window.failed = []; window.said = 0;
window.talking = setInterval(() => {
  const text = `line ${said++}`;
  meteor.say(text).then(() => kept.push(text), (error) => failed.push([text, error.reason]));
}, 2800);
"""
TEXTS = "meteor.chat.messageHistory.filter(({ kind }) => kind === 'text').map(({ text }) => text)"
STATUS = "document.querySelector('#status').textContent"
#: The tests' page and its server are in one machine: no network, for Chromium.
NO_NETWORK = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


class PageCase(SynchronousTestCase):
    """The demo's page, and a server that may be killed."""

    options: tuple[str, ...] = ("--database", "memory")
    query = ""
    #: So much faster than ours the page's time runs.
    times = 1

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        self.port = free_port()
        self.server = self.start()
        chromium.driver().set_window_size(500, 400)
        with chromium.hurried(self.times):
            chromium.driver().get(f"http://127.0.0.1:{self.server.port}/?room={self._testMethodName}{self.query}")
        chromium.wait_for("window.meteor && meteor.me")
        chromium.driver().execute_script("Math.random = () => 0.9")  # each wait is nearly as long as it may be
        self.addCleanup(chromium.console)  # the browser itself says that it could not connect
        self.addCleanup(chromium.driver().get, "about:blank")

    def start(self) -> Server:
        """Start a server on the port, and wait until it listens."""
        server = meteor(self.port, *self.options)
        self.addCleanup(server.kill)
        server.wait()
        return server

    def js(self, script: str, *arguments: Any) -> Any:
        """Ask the page."""
        return chromium.driver().execute_script(f"return {script}", *arguments)


class KilledServerTests(PageCase):
    """Servers that keep their lines, killed while the page talks."""

    times = 4

    def setUp(self) -> None:
        self.options = ("--database", f"sqlite:///{self.mktemp()}.db")
        super().setUp()

    def test_no_line_is_lost_or_doubled(self) -> None:
        """Every line that is said to be kept is there once, in its order, though the server was killed twice meanwhile.

        What went wrong comes to the page's listener, with what is done about it.
        """
        self.js("void (window.errors = [], meteor.on('error', ({ answer, fault }) => errors.push(`${fault} ${answer}`)))")
        chromium.driver().execute_script(TALK)
        for _ in range(2):
            chromium.wait_for("kept.length > 1")
            self.server.kill()
            chromium.wait_for(f"{STATUS}.startsWith('reconnecting')")
            self.assertIn(self.js("errors.shift()"), ("network resume", "theirs resume"))
            self.server = self.start()
            chromium.wait_for("meteor.status === 'online'")
            self.assertEqual(self.js("errors.splice(0).at(-1)"), "network rejoin")  # the new server does not know the session
            chromium.driver().execute_script("window.all = [...(window.all ?? []), ...kept.splice(0)]")
        self.js("clearInterval(talking)")
        chromium.wait_for("meteor.chat.messageQueue.length === 0")
        kept, failed, texts = self.js("[...all, ...kept]"), self.js("failed"), self.js(TEXTS)
        # A guest is another user on the new server: of a line that was sent and not answered nobody knows whether it was kept.
        unknown = {text for text, reason in failed if reason == "unknown"}
        self.assertEqual(len(unknown), len(failed), failed)
        self.assertEqual(
            [text for text in texts if text not in unknown],
            [f"line {n}" for n in range(self.js("said")) if f"line {n}" in kept],
        )
        self.assertEqual(len(texts), len(set(texts)))
        self.assertGreater(len(kept), 3)


class AgainTests(PageCase):
    """A player who does not want to wait."""

    def test_try_again(self) -> None:
        """While the page waits for its next try, a button makes it now."""
        self.server.kill()
        chromium.wait_for("!document.querySelector('#again').hidden")
        self.assertRegex(self.js(STATUS), r"^reconnecting in [2-8] s$")
        self.server = self.start()
        tries = "meteor.report().metrics.errors"
        before = self.js(tries)
        self.js("document.querySelector('#again').click()")
        chromium.wait_for("meteor.status === 'online' && meteor.me")
        self.assertLessEqual(self.js(tries), before + 2)
        self.assertTrue(self.js("document.querySelector('#again').hidden"))


class NoNetworkTests(PageCase):
    """A browser whose network is gone for a while."""

    def network(self, **emulated: Any) -> None:
        """Tell Chromium how its network is."""
        chromium.driver().execute_cdp_cmd("Network.enable", {})
        chromium.driver().execute_cdp_cmd("Network.emulateNetworkConditions", {**NO_NETWORK, **emulated})

    def test_back_at_once(self) -> None:
        """What is said without a network waits, and the page is back as soon as the browser says that there is one again."""
        self.addCleanup(self.network, offline=False)
        self.network()
        self.server.kill()  # Chromium lets connections live that were there before
        self.server = self.start()
        chromium.driver().execute_script("window.answer = meteor.say('in the tunnel')")
        chromium.wait_for(f"/^reconnecting in [4-8] s$/.test({STATUS})")  # a long wait begins
        began = time.monotonic()
        self.network(offline=False)
        chromium.wait_for("meteor.status === 'online'")
        self.assertLess(time.monotonic() - began, 2.0)
        chromium.driver().execute_async_script("answer.then(arguments[0])")
        self.assertEqual(self.js(TEXTS), ["in the tunnel"])


#: Every WebSocket that the page opens is refused, until it is told otherwise.
BLOCK = """
window.blocked = true;
const Real = WebSocket;
window.WebSocket = function (url, protocol) { return new Real(blocked ? url.replace(/ws$/, "nowhere") : url, protocol); };
"""


class SharedServerCase(PageCase):
    """A page whose server is not killed."""

    def start(self) -> Server:
        """Nothing need be started."""
        return demo()


class BlockedTests(SharedServerCase):
    """A network that lets no WebSocket through, for a while."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        with chromium.before_pages(BLOCK):
            super().setUp()

    def test_over_http_and_back(self) -> None:
        """The page plays over HTTP; when WebSockets get through again it moves over, and the player sees nothing of it."""
        self.assertEqual(self.js("meteor.stats.transport"), "http")
        chromium.driver().execute_script(
            "window.statuses = []; meteor.on('status', (status) => statuses.push(status)); window.user = meteor.user;"
            "window.first = meteor.say('over HTTP'); blocked = false;"
        )
        chromium.driver().execute_async_script("first.then(arguments[0])")
        chromium.wait_for("meteor.stats.transport === 'websocket' && meteor.status === 'online'")
        chromium.driver().execute_async_script("meteor.say('and back').then(arguments[0])")
        self.assertEqual(self.js(TEXTS), ["over HTTP", "and back"])
        self.assertEqual(self.js("[statuses, meteor.user === user, meteor.stats.reconnections]"), [[], True, 0])


class SimulationTests(SharedServerCase):
    """What the page's address and its panel do to the network."""

    query = "&latency=200&jitter=40"
    times = 4

    def test_address_and_panel(self) -> None:
        """The round trip is as long as the address says, and as the panel says afterwards; the address follows the panel."""
        chromium.wait_for("parseInt(document.querySelector('#trip').textContent) >= 180")
        self.assertLess(self.js("meteor.stats.roundTripMs"), 2000)
        self.assertEqual(self.js("document.querySelector('#network').textContent"), "+200 ms, 0 %")
        self.js("document.querySelector('#network').click()")
        self.assertFalse(self.js("document.querySelector('#faults').hidden"))
        for name in ("latency", "jitter"):
            self.js(
                "(({ elements: { [arguments[0]]: slider } }) => { slider.value = 0;"
                " for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind, { bubbles: true }));"
                " })(document.querySelector('#faults'))",
                name,
            )
        self.assertEqual(self.js("location.search"), "?room=test_address_and_panel")
        self.assertEqual(self.js("document.querySelector('#network').textContent"), "network")
        chromium.wait_for("meteor.stats.roundTripMs < 150")
        self.assertEqual(chromium.console(), [])

    def test_cut(self) -> None:
        """A cut is a lost connection: the page waits, comes back as who it was, and what was said meanwhile is kept once."""
        user, name = self.js("meteor.user"), self.js("meteor.name")
        self.js("document.querySelector('#cut').click()")
        chromium.driver().execute_script("window.answer = meteor.say('cut off')")
        chromium.wait_for(f"{STATUS}.startsWith('reconnecting')")
        chromium.wait_for("meteor.status === 'online'")
        chromium.driver().execute_async_script("answer.then(arguments[0])")
        self.assertEqual([self.js("meteor.user"), self.js("meteor.name"), self.js(TEXTS)], [user, name, ["cut off"]])

    def test_stall(self) -> None:
        """A stall shows as stale, and ends without a new connection."""
        self.js("document.querySelector('#stall').click()")
        time.sleep(0.25)
        self.js("document.querySelector('#stall').click()")
        chromium.wait_for("meteor.status === 'stale'")
        chromium.wait_for("meteor.status === 'online'")
        self.assertEqual(self.js("meteor.stats.reconnections"), 0)
