"""A server is killed while a browser plays: the page comes back by itself, and shows no more what is gone."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.browser import chromium
from tests.requirements import require

from .ports import free_port, listens


class KilledServerTests(SynchronousTestCase):
    """The demo's page, and a server that dies and keeps nothing."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        self.port = free_port()
        self.start()
        chromium.driver().set_window_size(1280, 800)
        chromium.driver().get(f"http://127.0.0.1:{self.port}/")
        chromium.wait_for("window.meteor && meteor.me")
        self.addCleanup(chromium.console)  # the browser itself says that it could not connect
        self.addCleanup(chromium.driver().get, "about:blank")

    def start(self) -> None:
        """Start a server on the port, and wait until it listens."""
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        self.server = subprocess.Popen(
            [sys.executable, "-m", "twisted", "meteor", "--listen", listen, "--database", "memory"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        end = time.monotonic() + 20
        while not listens(self.port):
            self.assertLess(time.monotonic(), end, "the server does not listen")

    def js(self, script: str) -> Any:
        """Ask the page."""
        return chromium.driver().execute_script(f"return {script}")

    def test_page_comes_back(self) -> None:
        """It shows that it reconnects, then the new server's world with a craft in it, and earlier chat is gone."""
        chromium.driver().execute_async_script("meteor.say('before').then(arguments[0])")
        chromium.wait_for("document.querySelector('#lines').innerText.includes('before')")
        epoch = self.js("meteor.stats.epoch")
        self.server.kill()
        self.server.wait()
        chromium.wait_for("document.querySelector('#status').innerText.startsWith('reconnecting')")
        self.start()
        chromium.wait_for(f"meteor.status === 'online' && meteor.stats.epoch !== {epoch} && meteor.me")
        chromium.wait_for("[...meteor.world.meteor].length === 200")
        chromium.wait_for("document.querySelector('#status').innerText === 'online'")
        chromium.wait_for("!document.querySelector('#lines').innerText.includes('before')")
        chromium.driver().execute_async_script("meteor.say('after').then(arguments[0])")
        chromium.wait_for("document.querySelector('#lines').innerText.includes('after')")
        self.assertGreaterEqual(self.js("meteor.stats.reconnections"), 1)
