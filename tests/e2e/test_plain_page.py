"""The page for games that bring none, in a browser, with a server in memory behind it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.browser import chromium

EVIL = "<img src=x onerror=\"document.title='owned'\">"


def text(selector: str) -> str:
    """Give what an element of the page says."""
    said: str = chromium.driver().execute_script("return document.querySelector(arguments[0]).textContent", selector)
    return said


class PlainPageTests(SynchronousTestCase):
    """What a player finds there."""

    def setUp(self) -> None:
        chromium.driver().set_window_size(1280, 800)
        chromium.console()
        chromium.driver().get(f"{chromium.origin()}/plain?room=a")
        chromium.wait_for("document.querySelectorAll('#lines li').length === 2 && document.querySelector('#lists td') !== null")

    def js(self, script: str, *arguments: Any) -> Any:
        return chromium.driver().execute_script(script, *arguments)

    def test_what_others_write_is_text(self) -> None:
        """Markup in a name, a line or a table is shown as it was written, and nothing of it runs."""
        self.assertEqual(text("#lines li b"), EVIL)
        self.assertEqual(text("#lines li"), EVIL + EVIL)
        self.assertIn(EVIL, text("#lists"))
        self.assertEqual(self.js("return document.images.length"), 0)
        self.assertEqual(self.js("return document.title"), "drift/a")

    def test_the_console_stays_empty(self) -> None:
        """Nothing that the page needs is missing or forbidden by the policy."""
        chromium.wait_for("window.fake.heard.some((message) => message.type === 'HELD')")
        self.assertEqual(chromium.console(), [])

    def test_the_room_is_the_one_of_the_address(self) -> None:
        """?room= or #room names the room; the page joins it."""
        joined = "return window.fake.heard.find((message) => message.type === 'JOIN').name"
        self.assertEqual(self.js(joined), "a")
        chromium.driver().get("about:blank")
        chromium.driver().get(f"{chromium.origin()}/plain#the%20cove")
        chromium.wait_for("document.querySelector('#lists td') !== null")
        self.assertEqual(self.js(joined), "the cove")

    def test_the_world_is_drawn(self) -> None:
        """The map shows something, and it moves."""
        painted = "document.querySelector('#map').toDataURL()"
        before = self.js(f"return {painted}")
        self.js("window.before = arguments[0]", before)
        chromium.wait_for(f"{painted} !== window.before")

    def test_the_rest_is_listed(self) -> None:
        """A table without a place on the map is a list."""
        self.assertIn("note (1)", text("#lists caption"))
        self.assertEqual(text("#lists td:nth-child(2)"), "3")
        self.assertEqual(self.js("return document.querySelectorAll('#lists table').length"), 1)

    def test_a_line_is_shown_as_it_stands_now(self) -> None:
        """Edited, reacted to, deleted: what others do to a line is seen at it."""
        change = "window.fake.line(arguments[0], arguments[1], { kind: arguments[2], about: 0 })"
        self.js(change, 2, "mended", 5)
        self.js(change, 3, "🌊", 3)
        chromium.wait_for("document.querySelector('#lines small')?.textContent === ' edited 🌊 1'")
        self.assertIn("mended", text("#lines li"))
        self.js(change, 4, "", 6)
        chromium.wait_for("document.querySelector('#lines li i')?.textContent === 'deleted'")
        self.assertEqual(self.js("return document.querySelectorAll('#lines li').length"), 2)

    def test_a_line_is_said_and_a_refusal_is_shown(self) -> None:
        """Enter says the line; when the server refuses it, its words are shown and the line is there to be mended."""
        box = chromium.driver().find_element("id", "text")
        box.send_keys("ahoy\n")
        chromium.wait_for("window.said = window.fake.heard.find((message) => message.type === 'SAY')")
        self.assertEqual(self.js("return window.said.text"), "ahoy")
        self.js(
            "const { channel, cid } = window.said;"
            "window.fake.say({ type: 'UNSAID', channel, cid, reason: 'refused', text: 'hush' }); "
        )
        chromium.wait_for("document.querySelector('#refused').textContent === 'hush'")
        self.assertEqual(box.get_property("value"), "ahoy")

    def test_a_lost_connection_comes_back_and_the_gap_is_told(self) -> None:
        """The page says that it is gone, connects by itself, and says that earlier lines are gone."""
        self.js("window.fake.drop(1006)")
        self.assertIn("reconnecting", text("#status"))
        chromium.wait_for("document.querySelector('#status').textContent === 'online'")
        chromium.wait_for("document.querySelector('#lines .gap') !== null")
        chromium.wait_for("document.querySelector('#again').textContent === '1'")
        self.assertEqual(text("#lines .gap"), "Earlier lines are gone.")

    def test_a_button_where_trying_again_helps(self) -> None:
        """While a longer wait goes on, a click tries now; when all is over, it loads the page anew, unless that cannot help."""
        hidden = "document.querySelector('#retry').hidden"
        self.js("Math.random = () => 0.99")
        self.assertTrue(self.js(f"return {hidden}"))
        self.js("window.fake.drop(1013)")  # the server is busy: up to 5 s
        self.assertEqual(text("#status"), "reconnecting in 5 s")
        self.assertFalse(self.js(f"return {hidden}"))
        self.js("document.querySelector('#retry').click()")
        chromium.wait_for("document.querySelector('#status').textContent === 'online'")
        self.assertTrue(self.js(f"return {hidden}"))
        self.js("window.fake.drop(4505, 'no shouting')")
        self.assertEqual([text("#status"), self.js(f"return {hidden}")], ["offline: no shouting", True])
        chromium.driver().refresh()
        chromium.wait_for("document.querySelector('#lists td') !== null")
        self.js("window.before = true; window.fake.drop(4504, 'taken up elsewhere')")
        self.assertEqual([text("#status"), self.js(f"return {hidden}")], ["offline: taken up elsewhere", False])
        self.js("document.querySelector('#retry').click()")
        chromium.wait_for("!window.before && document.querySelector('#status').textContent === 'online'")

    def test_a_phone_shows_it_without_scrolling_sideways(self) -> None:
        """On a narrow screen everything is below each other."""
        chromium.driver().set_window_size(500, 800)  # as narrow as this Chromium's window goes
        self.js("document.documentElement.style.width = '360px'")
        self.assertTrue(self.js("return document.documentElement.scrollWidth <= window.innerWidth"))

    def test_closing_the_page_says_goodbye(self) -> None:
        """The room hears at once that a player is gone."""
        self.js("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
        self.assertEqual(
            self.js("return window.fake.heard.at(-1)"), {"type": "GOODBYE", "code": 1000, "text": "the page was closed"}
        )

    def test_the_name_is_the_tab_s(self) -> None:
        """A reload keeps the name; the secret of the session is nowhere to be copied."""
        self.assertEqual(self.js("return sessionStorage.getItem('meteor-net:name')"), EVIL)
        self.assertEqual(self.js("return Object.keys(sessionStorage).sort()"), ["meteor-net:name", "meteor-net:tab"])
        self.assertEqual(self.js("return localStorage.length + document.cookie.length"), 0)
