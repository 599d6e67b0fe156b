"""The pages of docs/howto/recover.md and docs/howto/bad-network.md in a browser, as their readers would see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.server import running
from tests import pages
from tests.browser import chromium
from tests.requirements import REPOSITORY, require


class PagesTests(SynchronousTestCase):
    """What the pages do."""

    def setUp(self) -> None:
        for needed in ("chromium", "chromedriver"):
            require(needed)
        self.addCleanup(chromium.console)
        self.addCleanup(chromium.driver().get, "about:blank")

    def site(self, page: str) -> str:
        """Save the files of a page of the documentation, and name the folder that is served."""
        folder = Path(self.mktemp())
        for block in pages.blocks(REPOSITORY / "docs" / "howto" / page):
            if block.file.startswith("page/"):
                pages.save(block, folder)
        return str(folder / "page")

    def js(self, script: str) -> Any:
        """Ask the page."""
        return chromium.driver().execute_script(f"return {script}")

    def test_recover(self) -> None:
        """The status is shown, the button when there is a pause, and a click on it tries at once."""
        with running("--database", "memory", "--site", self.site("recover.md")) as server:
            chromium.driver().get(f"http://127.0.0.1:{server.port}/")
            chromium.wait_for("document.querySelector('#status').textContent === 'online'")
            self.assertEqual(self.js("[again.hidden, document.querySelector('#status').dataset.standing]"), [True, "online"])
            self.js("void (Math.random = () => 0.9)")
            server.kill()
            chromium.wait_for("!again.hidden")
            self.assertRegex(self.js("document.querySelector('#status').textContent"), "^reconnecting in [2-8] s$")
            self.js("again.click()")
            self.assertTrue(self.js("again.hidden"))

    def test_bad_network(self) -> None:
        """The address sets the faults, and a click cuts the connection, which comes back."""
        with running("--database", "memory", "--site", self.site("bad-network.md")) as server:
            with chromium.hurried(4):
                chromium.driver().get(f"http://127.0.0.1:{server.port}/?latency=150")
            chromium.wait_for("window.game?.stats.roundTripMs >= 140")
            self.js("document.querySelector('#cut').click()")
            self.assertRegex(self.js("game.status"), "^reconnecting")
            chromium.wait_for("game.status === 'online'")
            self.assertEqual(self.js("game.stats.reconnections"), 1)
