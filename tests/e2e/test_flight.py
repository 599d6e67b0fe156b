"""The whole way: a server over TLS, three Python players and a browser in one room, for a minute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import trustme
from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY, require

from .ports import free_port, listens
from .watched import OUT

PILOTS = ("ann", "bob", "cid")
FLIGHT_S = 60
#: Ticks a second in the demo, and the share of them that a player must have seen: the machine has other things to do.
TICK_HZ, SEEN = 20, 0.9


class FlightTests(SynchronousTestCase):
    """Everybody sees one world."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.checksums = self.folder / "checksums"
        self._certify()
        self._serve()
        self.browser = self._browse()

    def _certify(self) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        certificate.private_key_pem.write_to_path(self.folder / "key.pem")
        with (self.folder / "cert.pem").open("wb") as file:
            file.writelines(pem.bytes() for pem in certificate.cert_chain_pems)

    def _serve(self) -> None:
        listen = f"ssl:{self.port}:privateKey={self.folder}/key.pem:certKey={self.folder}/cert.pem:interface=127.0.0.1"
        page = REPOSITORY / "meteor_net" / "drift" / "page"
        game = "drift=tests.e2e.watched.Watched"
        self.server = subprocess.Popen(
            [sys.executable, "-m", "twisted", "meteor", "--game", game, "--site", str(page), "--listen", listen],
            cwd=REPOSITORY, env={**os.environ, OUT: str(self.checksums), "METEOR_DATA_DIR": f"{self.folder}/data"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.terminate)
        self.wait(lambda: listens(self.port))

    def _browse(self) -> Any:
        chromium, chromedriver = require("chromium"), require("chromedriver")
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "ignore-certificate-errors"):
            options.add_argument(f"--{argument}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
        self.addCleanup(driver.quit)
        return driver

    def wait(self, answer: Any, seconds: float = 20) -> None:
        """Ask until the answer is yes."""
        end = time.monotonic() + seconds
        while not answer():
            self.assertLess(time.monotonic(), end, f"not within {seconds} s")
            time.sleep(0.05)

    def js(self, script: str) -> Any:
        """Run a script in the page."""
        return self.browser.execute_script(script)

    def test_one_world(self) -> None:
        """Every replica equals the server's world at every tick; keys steer; a line is heard by all; nothing goes wrong."""
        pilots = [self.pilot(name) for name in PILOTS]
        self.browser.get(f"https://127.0.0.1:{self.port}/")
        self.wait(lambda: self.js("return window.meteor?.me != null"))
        self.js("window.seen = {}; meteor.on('state', () => { seen[meteor.stats.tick] = meteor.stats.crc; });")
        began = time.monotonic()
        self.steer()
        self.say("hello from the page")
        outcomes = [json.loads(pilot.communicate(timeout=2 * FLIGHT_S)[0]) for pilot in pilots]
        flown = time.monotonic() - began
        seen = self.js("return JSON.stringify(window.seen)")
        shown = self.js("return document.body.innerText")
        self.assertEqual(self.browser.get_log("browser"), [])
        for name in PILOTS:
            self.assertIn(f"hello from {name}", shown)
        self.assertIn("hello from the page", shown)
        for outcome in outcomes:
            self.assertIn("hello from the page", outcome["heard"])
            self.compare(outcome["checksums"], FLIGHT_S)
        self.compare(json.loads(seen), flown)

    def pilot(self, name: str) -> subprocess.Popen[bytes]:
        """A player of a process of its own."""
        url = f"wss://localhost:{self.port}/ws"
        command = [sys.executable, "-m", "tests.e2e.pilot", url, str(self.folder / "ca.pem"), name, str(FLIGHT_S)]
        pilot = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
        self.addCleanup(pilot.kill)
        return pilot

    def steer(self) -> None:
        """Press keys: the craft turns, and flies."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        before = self.js("return meteor.me.heading")
        ActionChains(self.browser).key_down(Keys.ARROW_RIGHT).perform()
        self.wait(lambda: abs(self.js("return meteor.me.heading") - before) > 0.3)
        ActionChains(self.browser).key_up(Keys.ARROW_RIGHT).key_down(Keys.ARROW_UP).perform()
        x, y = self.js("return [meteor.me.x, meteor.me.y]")
        self.wait(lambda: self.js(f"return Math.hypot(meteor.me.x - {x}, meteor.me.y - {y})") > 20)
        ActionChains(self.browser).key_up(Keys.ARROW_UP).perform()

    def say(self, text: str) -> None:
        """Say a line with the keyboard."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        ActionChains(self.browser).send_keys(Keys.ENTER).pause(0.2).send_keys(text, Keys.ENTER).perform()
        self.wait(lambda: text in self.js("return document.body.innerText"))

    def compare(self, seen: dict[str, int], seconds: float) -> None:
        """A replica's checksums are the server's, tick by tick, and hardly a tick is missing."""
        lines = self.checksums.read_text().splitlines()
        world = {str(tick): crc for tick, crc in map(json.loads, lines)}
        self.assertEqual({tick: crc for tick, crc in seen.items() if world.get(tick, crc) != crc}, {})
        self.assertGreater(len(seen.keys() & world.keys()), SEEN * TICK_HZ * seconds)
