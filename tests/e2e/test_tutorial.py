"""The page that the tutorial builds, in a browser, as its reader would see it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests import pages
from tests.browser import chromium
from tests.e2e.ports import free_port, listens
from tests.requirements import REPOSITORY, require

TUTORIAL = REPOSITORY / "docs" / "tutorial" / "first-game.md"
#: What the tutorial promises of its page: index.html and game.js together.
MOST_LINES = 40
LISTENS_WITHIN_S = 30
MARKUP = "<img src=x onerror=alert(1)>"


class TutorialTests(SynchronousTestCase):
    """A game and a page out of the tutorial's own blocks."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)
        for block in pages.blocks(TUTORIAL):
            if block.use == "file":
                pages.save(block, self.folder)

    def serve(self, *more: str) -> None:
        """Start the server, and wait until it listens."""
        for needed in ("chromium", "chromedriver"):
            require(needed)
        self.port = free_port()
        command = ["-n", "--pidfile=", "meteor", "--game", "mygame.Harbour", "--site", "page", *more]
        self.server = subprocess.Popen(
            [Path(sys.executable).with_name("twistd"), *command, "--listen", f"tcp:{self.port}:interface=127.0.0.1"],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(self.server.wait, 15)
        self.addCleanup(self.server.terminate)
        self.addCleanup(chromium.driver().get, "about:blank")
        until = time.monotonic() + LISTENS_WITHIN_S
        while not listens(self.port):
            self.assertIsNone(self.server.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return chromium.driver().execute_script(script, *arguments)

    def test_is_short(self) -> None:
        """Page and script are 40 lines together."""
        lines = [len((self.folder / "page" / name).read_text().splitlines()) for name in ("index.html", "game.js")]
        self.assertLessEqual(sum(lines), MOST_LINES)

    def test_plays(self) -> None:
        """A ship is drawn and steers, a line is said and is text, and the console stays empty under the policy."""
        self.serve()
        chromium.console()
        chromium.driver().get(f"http://127.0.0.1:{self.port}/?ann")
        chromium.wait_for("document.querySelector('#lines').textContent.includes('ann sails in')")
        self.js("window.sea = () => document.querySelector('#sea').toDataURL()")
        chromium.wait_for("window.sea() !== document.createElement('canvas').toDataURL()")
        for key in ("ArrowUp", "ArrowRight"):
            self.js("window.before = window.sea(); dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0] }))", key)
            chromium.wait_for("window.sea() !== window.before")
        chromium.driver().find_element("id", "line").send_keys(MARKUP + "\n")
        chromium.wait_for("document.querySelectorAll('#lines li').length === 2")
        self.assertTrue(self.js("return document.querySelector('#lines').lastChild.textContent").endswith(MARKUP))
        self.assertEqual(self.js("return document.images.length"), 0)
        chromium.driver().find_element("id", "line").send_keys("/wave\n")
        chromium.wait_for("document.querySelector('#lines').textContent.includes('no command /wave')")
        self.assertEqual(chromium.console(), [])

    def test_refused(self) -> None:
        """Who is not let in reads why in the page."""
        self.serve("--secret-file", str(self.secret()), "--guests", "no")
        chromium.driver().get(f"http://127.0.0.1:{self.port}/?ann")
        chromium.wait_for("document.querySelector('#lines').textContent.includes('a token is needed')")
        chromium.console()

    def secret(self) -> Path:
        """Write a key that tokens may be signed with."""
        path = self.folder.absolute() / "secret"
        path.write_text("k" * 32)
        return path
