"""The demo's page in a browser, with a real server behind it."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.server import running
from docs.screenshots import CHASE
from tests.browser import chromium
from tests.requirements import require

EVIL = "<img src=x onerror=\"document.title='owned'\">"


@cache
def origin() -> str:
    """Start a server once, and tell where it is; it ends with the tests. (Trial knows no setUpClass.)"""
    stack = ExitStack()
    atexit.register(stack.close)
    return f"http://127.0.0.1:{stack.enter_context(running()).port}"


class DriftPageTests(SynchronousTestCase):
    """What a player can do there."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        chromium.driver().set_window_size(1280, 800)
        chromium.console()
        chromium.driver().get(f"{origin()}/?room={self._testMethodName}")
        chromium.wait_for("window.meteor && meteor.me")
        self.addCleanup(chromium.driver().get, "about:blank")

    def tearDown(self) -> None:
        self.assertEqual(chromium.console(), [], "the console stays empty")

    def keys(self, *keys: str) -> None:
        """Press keys, each for a moment."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(chromium.driver()).key_down(key).pause(0.3).key_up(key).perform()

    def write(self, text: str) -> None:
        """Type into whatever has the focus, and send it."""
        from selenium.webdriver import ActionChains, Keys

        ActionChains(chromium.driver()).send_keys(text, Keys.ENTER).perform()

    def js(self, script: str, *arguments: Any) -> Any:
        return chromium.driver().execute_script(script, *arguments)

    def test_keys_fly_the_craft(self) -> None:
        """Arrows and letters: the craft turns, and leaves its place."""
        from selenium.webdriver import Keys

        self.js("window.before = { ...meteor.me }")
        self.keys(Keys.ARROW_RIGHT)
        chromium.wait_for("meteor.me.heading !== before.heading")
        self.keys("w")
        chromium.wait_for("Math.hypot(meteor.me.x - before.x, meteor.me.y - before.y) > 20")
        chromium.wait_for("!meteor.me.thrust")  # and it ends when the key is let go

    def test_a_pointer_flies_the_craft(self) -> None:
        """It flies where the mouse, or a finger, is held."""
        from selenium.webdriver import ActionChains

        sky = chromium.driver().find_element("id", "sky")
        ActionChains(chromium.driver()).move_to_element_with_offset(sky, 300, 0).click_and_hold().perform()
        chromium.wait_for("meteor.me.thrust && Math.cos(meteor.me.heading) > 0.9")
        ActionChains(chromium.driver()).release().perform()
        chromium.wait_for("!meteor.me.thrust")

    def test_a_line_is_text(self) -> None:
        """Enter opens the chat; markup is shown as it was written, and nothing of it runs."""
        from selenium.webdriver import Keys

        self.keys(Keys.ENTER)
        self.write(EVIL)
        said = chromium.wait_for("document.querySelector('#lines .text .words')?.textContent")
        self.assertEqual(said, EVIL)
        self.assertEqual(self.js("return [document.images.length, document.title]"), [0, "Meteorite Drift Bottle"])

    def test_a_bottle_is_thrown(self) -> None:
        """B opens the card; the bottle is in the world, and its text is not."""
        self.keys("b")
        self.write("to whom it may concern")
        chromium.wait_for("document.getElementById('told').textContent === 'Your bottle is adrift.'")
        rows = self.js("return JSON.stringify([...meteor.world.bottle])")
        self.assertNotIn("concern", rows)

    def test_news_lie_beside_the_chat_on_a_small_screen(self) -> None:
        """What the page tells of a bottle covers no line of the chat, before the first flight and after it."""
        chromium.driver().set_window_size(500, 844)
        free = "lines.getBoundingClientRect().bottom <= told.getBoundingClientRect().top"
        for body in ("", "flown"):
            self.js("document.body.className = arguments[0]; told.textContent = 'News.'", body)
            chromium.wait_for(free)

    def test_a_bottle_too_many_is_refused(self) -> None:
        """The card says why, and keeps what was written."""
        for number in range(4):
            self.keys("b")
            self.write(f"bottle {number}")
            chromium.wait_for(
                "document.getElementById('write').hidden"
                if number < 3
                else "document.querySelector('#write .error').textContent"
            )
        self.assertEqual(self.js("return document.querySelector('#write textarea').value"), "bottle 3")

    def test_a_bottle_is_found_and_answered(self) -> None:
        """Flying to one is enough; the answer goes away with it."""
        chromium.wait_for("meteor.world.bottle.size > 0")
        self.js(CHASE)
        chromium.wait_for("!document.getElementById('found').hidden")
        self.assertNotEqual(self.js("return document.getElementById('message').textContent"), "")
        self.assertTrue(self.js("return meteor.me.holding"))
        chromium.driver().find_element("css selector", "#found textarea").click()
        self.write("hello back")
        chromium.wait_for("document.getElementById('found').hidden && !meteor.me.holding")

    def test_the_readout(self) -> None:
        """Round trip, bytes and reconnections are shown, and that we are online."""
        chromium.wait_for("document.getElementById('trip').textContent.endsWith(' ms')")
        chromium.wait_for("parseFloat(document.getElementById('rate').textContent) > 1")
        self.assertEqual(self.js("return document.getElementById('reconnections').textContent"), "0")
        self.assertEqual(self.js("return document.getElementById('status').textContent"), "online")
