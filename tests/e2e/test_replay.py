"""The demo is recorded, its server killed, and the file played: to a Python player and in a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.replay import Recording
from tests.browser import chromium
from tests.requirements import REPOSITORY, require

from .ports import free_port, listens

FLOWN_S = 8
SEEN_S = 4


class ReplayTests(SynchronousTestCase):
    """Real processes."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        self.folder = Path(self.mktemp()).resolve()
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/ws"

    @contextmanager
    def serving(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a server; it is killed at the end."""
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        server = subprocess.Popen(
            [sys.executable, "-m", "meteor_net", "run", "--listen", listen, "--database", "memory", *options],
            cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            end = time.monotonic() + 20
            while not listens(self.port):
                self.assertLess(time.monotonic(), end, "the server does not listen")
            yield server
        finally:
            server.kill()
            server.wait()

    def viewer(self, seconds: float, *lines: str) -> Any:
        """Let somebody watch in a process of its own; answers what it saw."""
        command = [sys.executable, "-m", "tests.e2e.viewer", self.url, str(seconds), *lines]
        done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, timeout=60, check=True)
        seen = json.loads(done.stdout)
        seen["checksums"] = {int(tick): crc for tick, crc in seen["checksums"].items()}
        return seen

    def record(self) -> dict[int, int]:
        """Let bots fly, and somebody watch; then kill the server. Answers what was seen."""
        with self.serving("--record", str(self.folder)):
            bots = subprocess.Popen(
                [sys.executable, "-m", "meteor_net", "bots", "--url", self.url, "--count", "3"],
                cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                live: dict[int, int] = self.viewer(FLOWN_S, "what a view")["checksums"]
            finally:
                bots.kill()
                bots.wait()
        return live

    def test_killed_and_played(self) -> None:
        """All up to the kill is in the file; a player sees the same world at the same ticks, a page shows it."""
        live = self.record()
        (path,) = self.folder.iterdir()
        with Recording.open(path) as film:
            self.assertFalse(film.whole)
            recorded = {version.tick: version.crc() for version in film}
            self.assertGreater(len(live), 0.5 * FLOWN_S / film.tick_s)
            self.assertEqual({tick: recorded.get(tick) for tick in live}, live)
            self.assertIn("what a view", [line.text for _, line in film.lines()])
            places = [film.tick_at(seconds) for seconds in (2.5, 6.0, 1.0)]
            head, sought = film.playhead(), []
            for tick in places:
                head.seek(tick)
                sought.append(head.version.crc())
        with self.serving("--replay", str(path)):
            seen = self.viewer(SEEN_S, "/pause", "/seek 2.5", "/seek 0:06", "/seek 0:01")
            self.assertGreater(len(seen["checksums"]), 0.5 * SEEN_S / film.tick_s)
            self.assertEqual({tick: recorded.get(tick) for tick in seen["checksums"]}, seen["checksums"])
            self.assertEqual(seen["after"][1:], sought)
            self.look()

    def look(self) -> None:
        """The demo's page shows it: all meteorites and craft, in motion; there is no craft of one's own."""
        chromium.driver().set_window_size(1280, 800)
        chromium.console()
        chromium.driver().get(f"http://127.0.0.1:{self.port}/")
        self.addCleanup(chromium.driver().get, "about:blank")
        chromium.wait_for("window.meteor && [...meteor.world.meteor].length === 200 && [...meteor.world.craft].length >= 3")
        self.assertIsNone(self.js("meteor.me"))
        self.js("window.before = [...meteor.world.meteor][0].x")
        chromium.wait_for("[...meteor.world.meteor][0].x !== before")
        painted = "document.querySelector('#sky').toDataURL()"
        self.js(f"window.before = {painted}")
        chromium.wait_for(f"{painted} !== before")
        chromium.wait_for("document.querySelector('#lines').innerText.includes('A replay of drift/main')")
        self.assertEqual(chromium.console(), [], "the console stays empty")

    def js(self, script: str) -> Any:
        """Ask the page."""
        return chromium.driver().execute_script(f"return {script}")
