"""The crowd's page in a browser, with a real server behind it."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.server import running
from tests.browser import chromium
from tests.requirements import REPOSITORY, require

FOLDER = str(REPOSITORY / "docs" / "examples" / "crowd")
SEEN = "[...meteor.world.agent].map((agent) => agent.slot)"
#: The sight, what a cell and a moment add to it.
FAR = 640
#: From one place to another, on a world without edges.
APART = "const apart = (a, b) => { const d = Math.abs(a - b); return Math.min(d, 2048 - d); };"


@cache
def origin() -> str:
    """Start a server once, and tell where it is; it ends with the tests."""
    stack = ExitStack()
    atexit.register(stack.close)
    options = ("--python-path", FOLDER, "--game", "crowd.Crowd", "--database", "memory")
    return f"http://127.0.0.1:{stack.enter_context(running(*options)).port}"


class CrowdPageTests(SynchronousTestCase):
    """What a visitor sees and can do."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        chromium.driver().set_window_size(1280, 800)
        chromium.console()
        chromium.driver().get(origin())
        self.addCleanup(chromium.driver().get, "about:blank")
        chromium.wait_for("window.meteor && meteor.world.agent.size > 100")

    def tearDown(self) -> None:
        self.assertEqual(chromium.console(), [], "the console stays empty")

    def js(self, script: str, *arguments: Any) -> Any:
        return chromium.driver().execute_script(script, *arguments)

    def jump(self, x: float, y: float) -> None:
        """Look from another place, and wait for who is there; `before` in the page are their slots."""
        self.js("[eye.x, eye.y] = arguments", x, y)
        chromium.wait_for(self.around(x, y))
        self.js(f"window.before = new Set({SEEN})")

    def around(self, x: object, y: object) -> str:
        """What the page is to ask: whether it sees some, and all of them around a point."""
        near = f"apart(agent.x, {x}) < {FAR} && apart(agent.y, {y}) < {FAR}"
        return (
            f"(() => {{ {APART} return meteor.world.agent.size > 50 && [...meteor.world.agent].every((agent) => {near}); }})()"
        )

    def test_a_part_is_seen_and_moves(self) -> None:
        """Some hundreds of the 5,000 are there, near; they walk, are drawn, and are counted."""
        chromium.wait_for(self.around("eye.x", "eye.y"))
        self.assertLess(self.js("return meteor.world.agent.size"), 2500)
        self.js("window.before = Object.fromEntries([...meteor.world.agent].map((agent) => [agent.slot, agent.x]))")
        chromium.wait_for("[...meteor.world.agent].filter((agent) => before[agent.slot] !== agent.x).length > 100")
        self.js("window.before = document.getElementById('crowd').toDataURL()")
        chromium.wait_for("document.getElementById('crowd').toDataURL() !== before")
        chromium.wait_for("parseInt(document.getElementById('shown').textContent.replace(',', '')) > 100")
        chromium.wait_for("parseFloat(document.getElementById('rate').textContent) > 1")

    def test_wanders_by_itself(self) -> None:
        """Whoever does nothing is taken for a walk."""
        self.js("window.before = { ...eye }")
        chromium.wait_for(f"(() => {{ {APART} return apart(before.x, eye.x) + apart(before.y, eye.y) > 5; }})()")

    def test_other_places_have_others(self) -> None:
        """The map leads there: who was in sight is gone, others come."""
        from selenium.webdriver import ActionChains

        self.jump(512, 512)
        there = chromium.driver().find_element("id", "map")
        quarter = round(there.size["width"] / 4)
        ActionChains(chromium.driver()).move_to_element_with_offset(there, quarter, quarter).click().perform()
        self.assertApproximates(self.js("return eye.x"), 1536, 30)
        self.assertApproximates(self.js("return eye.y"), 1536, 30)
        chromium.wait_for(self.around(1536, 1536))
        self.assertFalse(self.js(f"return {SEEN}.some((slot) => before.has(slot))"))

    def test_keys_and_pointer_move_the_view(self) -> None:
        """An arrow key and a drag do; others come into sight."""
        from selenium.webdriver import ActionChains, Keys

        self.jump(600, 1000)
        x = self.js("return eye.x")
        ActionChains(chromium.driver()).key_down(Keys.ARROW_RIGHT).pause(0.6).key_up(Keys.ARROW_RIGHT).perform()
        self.assertGreater(self.js("return eye.x"), x + 80)
        chromium.wait_for(f"{SEEN}.filter((slot) => !before.has(slot)).length > 10")
        y = self.js("return eye.y")
        crowd = chromium.driver().find_element("id", "crowd")
        ActionChains(chromium.driver()).move_to_element(crowd).click_and_hold().move_by_offset(0, 200).release().perform()
        self.assertLess(self.js("return eye.y"), y - 50)

    def test_fits_a_phone(self) -> None:
        """At 390 px nothing sticks out, and the facts do not lie on the map."""
        size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
        chromium.driver().execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.addCleanup(chromium.driver().execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
        chromium.wait_for("document.getElementById('crowd').width === 780")
        self.assertEqual(self.js("return document.documentElement.scrollWidth"), 390)
        facts, map_ = (chromium.driver().find_element("id", name).rect for name in ("facts", "map"))
        self.assertLess(facts["x"] + facts["width"], map_["x"])
        self.assertLessEqual(map_["x"] + map_["width"], 390)
