"""The page of docs/howto/chat.md in a browser, as its reader would see it."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.server import running
from tests import pages
from tests.browser import chromium
from tests.requirements import REPOSITORY, require

PAGE = REPOSITORY / "docs" / "howto" / "chat.md"
LINES = "[...document.querySelectorAll('li')].map((item) => item.textContent.split(': ').at(-1).trim())"


class ChatPageTests(SynchronousTestCase):
    """What the page does with lines."""

    def test_lines_reactions_and_refusals(self) -> None:
        """A line is said and is text, a click reacts to it, a second click is refused with its reason."""
        for needed in ("chromium", "chromedriver"):
            require(needed)
        folder = Path(self.mktemp())
        for block in pages.blocks(PAGE):
            if block.file.startswith("page/"):
                pages.save(block, folder)
        driver = chromium.driver()
        self.addCleanup(driver.get, "about:blank")
        with running("--database", "memory", "--site", str(folder / "page")) as server:
            chromium.console()
            driver.get(f"http://127.0.0.1:{server.port}/")
            chromium.wait_for("document.querySelector('li')")
            driver.find_element("id", "text").send_keys("<b>ahoy</b>\n")
            chromium.wait_for(f"{LINES}.at(-1) === '<b>ahoy</b>'")
            driver.find_element("css selector", "li:last-child").click()
            chromium.wait_for(f"{LINES}.at(-1) === '<b>ahoy</b> 👍 1!'")
            driver.find_element("css selector", "li:last-child").click()
            chromium.wait_for("document.querySelector('#refused').textContent.endsWith('(already)')")
            self.assertEqual(chromium.console(), [])
