"""The chat pane of the demo's page: two windows of one browser, with a real server behind them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.browser import chromium
from tests.e2e.test_drift_page import origin
from tests.requirements import require

#: The lines that a window shows: what is said, and by whom.
SAID = "[...document.querySelectorAll('#lines li:not([hidden])')].filter((item) => item.querySelector('b'))"
#: A picture of them: the class of each line and its words.
SHOWN = f"{SAID}.map((item) => `${{item.className}}: ${{item.querySelector('.words').textContent}}`)"

#: Say two lines and reload: the first never leaves the page, and of the second the answer is never heard.
LEAVE = """
const [number] = arguments, { send } = WebSocket.prototype;
WebSocket.prototype.send = function (bytes) { if (window.leaving) send.call(this, bytes); };
meteor.say(`kept ${number}`);
queueMicrotask(() => {
  window.leaving = true;
  meteor.say(`sent ${number}`);
  queueMicrotask(() => location.reload());
});
"""


class ChatPaneTests(SynchronousTestCase):
    """Ann's window and Bo's."""

    def setUp(self) -> None:
        require("chromium")
        require("chromedriver")
        self.driver = chromium.driver()
        self.driver.set_window_size(1280, 800)
        chromium.console()
        self.windows = {"Ann": self.driver.current_window_handle}
        self.load("Ann")
        self.driver.switch_to.new_window("window")
        self.windows["Bo"] = self.driver.current_window_handle
        self.addCleanup(self.close)
        self.load("Bo")

    def close(self) -> None:
        """Leave one window, as other tests expect."""
        said = chromium.console()
        self.to("Bo")
        self.driver.close()
        self.to("Ann")
        self.driver.get("about:blank")
        self.assertEqual(said + chromium.console(), [], "the console stays empty")

    def load(self, name: str) -> None:
        """Open the page under a name."""
        self.driver.get(f"{origin()}/drift.css")
        self.js("sessionStorage.clear(); sessionStorage.setItem('drift:name', arguments[0])", name)
        self.driver.get(f"{origin()}/?room={self._testMethodName}")
        chromium.wait_for("window.meteor && meteor.me")

    def to(self, name: str) -> None:
        self.driver.switch_to.window(self.windows[name])

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def type(self, *text: str) -> None:
        """Type into the chat, and send it."""
        from selenium.webdriver import Keys

        self.driver.find_element("id", "text").send_keys(*text, Keys.ENTER)

    def seen(self, *lines: str) -> None:
        """Wait until the window ends with these lines."""
        wanted = "[" + ", ".join(f"{line!r}" for line in lines) + "].join('\\n')"
        try:
            chromium.wait_for(f"{SHOWN}.slice(-{len(lines)}).join('\\n') === {wanted}")
        except Exception:
            self.assertEqual(self.js(f"return {SHOWN}"), list(lines))
            raise

    def tools(self, words: str) -> None:
        """Open what can be done with the line of these words, by a click on its dots."""
        item = f"{SAID}.findLast((item) => item.querySelector('.words').textContent === arguments[0])"
        self.js(f"{item}.querySelector('.more').click()", words)

    def tool(self, text: str) -> None:
        """Press one of the buttons."""
        self.js(
            "[...document.querySelectorAll('.tools button')].find((each) => each.textContent === arguments[0]).click()", text
        )

    def test_react_answer_edit_delete(self) -> None:
        """What one does with a line, the other sees; a reaction is taken back by a click on it."""
        from selenium.webdriver import Keys

        self.type("a bottel!")
        self.seen("text own: a bottel!")  # only a line that is kept can be changed
        self.type(Keys.ARROW_UP, *[Keys.BACKSPACE] * 3, "le!")
        self.seen("text own: a bottle!")
        chromium.wait_for("document.querySelector('#lines small')?.textContent === 'edited'")
        self.to("Ann")
        self.seen("text: a bottle!")
        self.tools("a bottle!")
        self.tool("🌊")
        chromium.wait_for("document.querySelector('.chip.mine')?.textContent === '🌊1'")
        self.tools("a bottle!")
        self.tool("Answer")
        self.type("where?")
        self.seen("text: a bottle!", "text own: where?")
        self.to("Bo")
        chromium.wait_for("document.querySelector('.quote')?.textContent === 'Boa bottle!'")
        self.js("document.querySelector('.chip').click()")
        chromium.wait_for("document.querySelector('.chip.mine')?.textContent === '🌊2'")
        self.js("document.querySelector('.chip').click()")
        chromium.wait_for("document.querySelector('.chip:not(.mine)')?.textContent === '🌊1'")
        self.tools("a bottle!")
        self.tool("Delete")
        self.to("Ann")
        self.seen("text deleted: deleted", "text own: where?")
        self.assertEqual(self.js("return document.querySelectorAll('.chip').length"), 0)
        self.assertNotIn("bottle", self.js("return document.querySelector('#lines').textContent"))  # no answer quotes it

    def test_whisper_emoji_me_and_mention(self) -> None:
        """Each kind has its looks; a private line is for two, and so is its answer."""
        self.type("🌊")
        self.type("/me waves")
        self.type("/msg Ann psst")
        self.type("look, @Ann")
        self.seen("emoji own: 🌊", "me own: waves", "private own: psst", "text own: look, @Ann")
        self.to("Ann")
        self.seen("emoji: 🌊", "me: waves", "private: psst", "text mentioned: look, @Ann")
        self.assertEqual(self.js("return document.querySelector('#lines .private').textContent"), "from Bopsst⋯")
        self.tools("psst")
        buttons = self.js("return [...document.querySelectorAll('.tools button')].map((each) => each.textContent)")
        self.assertEqual(buttons, ["Answer"], "a private line is neither changed nor reacted to")
        self.tool("Answer")
        self.assertEqual(self.js("return document.getElementById('mode-words').textContent"), "To Bo alone")
        self.type("what?")
        self.seen("private own: what?")
        self.assertEqual(self.js("return [...document.querySelectorAll('#lines .private')].at(-1).textContent"), "to Bowhat?⋯")
        self.to("Bo")
        self.seen("private: what?")

    def test_keys_alone(self) -> None:
        """Arrows go through the lines, Enter opens what can be done, arrows choose, Escape leads back; the craft stays."""
        from selenium.webdriver import ActionChains, Keys

        self.type("one")
        self.seen("text own: one")
        self.js("lines.focus()")
        keys = [Keys.ARROW_UP, Keys.ENTER, Keys.ARROW_RIGHT, Keys.ENTER]
        ActionChains(self.driver).send_keys(*keys).perform()
        chromium.wait_for("document.querySelector('.chip.mine')?.textContent === '❤️1'")
        ActionChains(self.driver).send_keys(Keys.ENTER, Keys.ESCAPE, Keys.ESCAPE).perform()
        self.assertEqual(self.js("return document.activeElement.id"), "text")
        self.assertFalse(self.js("return meteor.me.thrust"))

    def test_what_is_refused_stands_at_the_line(self) -> None:
        """With the reason, and a way to say it again or forget it."""
        self.js("meteor.chat.sendPrivate('nobody', 'hello?').catch(() => {})")
        self.seen("failed: hello?")
        self.assertIn("nobody", self.js("return document.querySelector('.why').textContent"))
        self.js("document.querySelector('.again').click()")
        self.seen("failed: hello?")
        self.js("document.querySelector('.drop').click()")
        chromium.wait_for("document.querySelector('#lines .failed') === null")

    def test_too_many_lines_wait(self) -> None:
        """The button counts down, and a line that came too soon is said again by a click."""
        # Half a second is short for whoever looks now and then: the page writes down what the button said.
        self.js(
            "window.counted = []; const send = document.getElementById('send');"
            "new MutationObserver(() => counted.push(send.disabled && send.textContent))"
            ".observe(send, {childList: true, characterData: true, subtree: true, attributes: true});"
            "for (let i = 0; i < 12; i++) meteor.say(`line ${i}`).catch(() => {})"
        )
        chromium.wait_for("counted.some((text) => text && text.endsWith(' s'))")
        chromium.wait_for("!document.getElementById('send').disabled")
        self.assertEqual(self.js("return document.getElementById('send').textContent"), "Say")
        self.js("window.again = document.querySelector('.failed'); again.querySelector('.again').click()")
        said = "querySelector('.words').textContent"
        chromium.wait_for(f"!again.isConnected && {SAID}.at(-1).{said} === again.{said}")

    def test_earlier_lines(self) -> None:
        """A newcomer sees the newest; the button, or the way up, shows the ones before, once each."""
        say = (
            "(async () => { for (let i = 0; i < 27; i++) for (;;) { try { await meteor.say(`line ${i}`); break; }"
            " catch (error) { await new Promise((go) => setTimeout(go, error.wait + 20)); } } window.said = true; })()"
        )
        for name in self.windows:  # both at once, as each may say only so many in a second
            self.to(name)
            self.js(say)
        chromium.wait_for("window.said")
        self.to("Ann")
        chromium.wait_for("window.said")
        self.load("Ann")
        chromium.wait_for(f"{SAID}.length > 40")
        self.assertLess(self.js(f"return {SAID}.length"), 54)
        self.js("document.querySelector('.earlier button').click()")
        chromium.wait_for(f"{SAID}.length === 54 && document.querySelector('.earlier').hidden")
        words = self.js(f"return {SAID}.map((item) => item.querySelector('.words').textContent)")
        self.assertEqual(sorted(words), sorted(2 * [f"line {i}" for i in range(27)]))
        offsets = "meteor.chat.messageHistory.map(({ offset }) => offset)"
        self.assertEqual(self.js(f"return {offsets}"), sorted(self.js(f"return {offsets}")))

    def test_a_reload_in_the_middle_loses_and_doubles_nothing(self) -> None:
        """Lines that were never sent, and lines whose answer was not heard: both are there once, for both windows."""
        expected: list[str] = []
        for number in range(3):
            self.js(LEAVE, number)
            chromium.wait_for("!window.leaving && window.meteor && meteor.me && meteor.chat.messageQueue.length === 0")
            expected = sorted([*expected, f"kept {number}", f"sent {number}"])
            count = f"{SAID}.filter((item) => item.classList.contains('own')).length"
            chromium.wait_for(f"{count} >= {len(expected)}")
        self.assertEqual(sorted(self.js(f"return {SAID}.map((item) => item.querySelector('.words').textContent)")), expected)
        self.assertEqual(self.js("return meteor.name"), "Bo")
        self.to("Ann")
        chromium.wait_for(f"{SAID}.length >= {len(expected)}")
        self.assertEqual(sorted(self.js(f"return {SAID}.map((item) => item.querySelector('.words').textContent)")), expected)
