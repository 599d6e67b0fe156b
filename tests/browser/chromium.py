"""One headless Chromium for the tests, and the little site that it looks at.

The site serves the client as a server of ours does: `/meteor-net.js`, `/meteor-net/…`, and the plain page at `/plain`; with
them the test modules under `/tests/`, the vectors under `/vectors/`, and the demo's modules under `/drift/`. All answers carry
the content-security policy of ours.
"""

from __future__ import annotations

import atexit
import json
import mimetypes
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.requirements import REPOSITORY, require

#: What our server says of every page.
POLICY = "default-src 'self'; connect-src 'self' ws: wss: http: https:"
#: Seconds that a test module, or a page, may take.
PATIENCE_S = 30

#: Makes a page's clock and timers run so many times as fast.
_HURRY = """
{
  const [times, now, wait, repeat] = [%d, performance.now.bind(performance), window.setTimeout, window.setInterval];
  performance.now = () => times * now();
  window.setTimeout = (call, ms = 0, ...rest) => wait(call, ms / times, ...rest);
  window.setInterval = (call, ms = 0, ...rest) => repeat(call, ms / times, ...rest);
}
"""

TESTS = Path(__file__).parent
BROWSER = REPOSITORY / "meteor_net" / "browser"
DRIFT = REPOSITORY / "meteor_net" / "drift" / "page"
FOLDERS = {"meteor-net": BROWSER, "tests": TESTS, "vectors": TESTS.parent / "vectors", "drift": DRIFT}
FACE = b'export * from "/meteor-net/meteor-net.js";\n'


class Site(BaseHTTPRequestHandler):
    """Serves what the tests need, from memory's point of view: files by their place, nothing else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file, under the policy."""
        path = self.path.partition("?")[0].strip("/")
        if path == "meteor-net.js":
            self._answer(FACE, "text/javascript")
            return
        if path == "plain":
            self._answer(plain_page(), "text/html")
            return
        file = self._file(path)
        if file is None or not file.is_file():
            self.send_error(404)
            return
        self._answer(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain")

    def _file(self, path: str) -> Path | None:
        folder, _, rest = path.partition("/")
        if folder not in FOLDERS or ".." in rest:
            return None
        return FOLDERS[folder] / rest

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the tests look at the browser's console."""


def plain_page() -> bytes:
    """Give the plain page with a server in memory behind it."""
    page = (BROWSER / "plain" / "index.html").read_bytes()
    return page.replace(b"<script ", b'<script type="module" src="/tests/plain.setup.js"></script>\n  <script ', 1)


@cache
def origin() -> str:
    """Start the site once and tell where it is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, name="test site", daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    atexit.register(stop)
    return f"http://127.0.0.1:{server.server_port}"


@cache
def driver() -> Any:
    """Start Chromium once; it ends with the tests."""
    chromium, chromedriver = require("chromium"), require("chromedriver")
    require("selenium")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    started.set_script_timeout(PATIENCE_S)
    started.set_page_load_timeout(PATIENCE_S)
    atexit.register(started.quit)
    return started


def console() -> list[str]:
    """Give what the page said to its console since the last time."""
    return [f"{entry['level']}: {entry['message']}" for entry in driver().get_log("browser")]


@contextmanager
def before_pages(script: str) -> Iterator[None]:
    """Run a script in each page that is opened meanwhile, before its own."""
    added = driver().execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        yield
    finally:
        driver().execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def hurried(times: int) -> AbstractContextManager[None]:
    """For pages that wait for long: their time, and nobody else's, runs so many times as fast."""
    return before_pages(_HURRY % times)


def wait_for(script: str) -> Any:
    """Wait until an expression of the page is neither null nor undefined nor false, and give it."""
    return driver().execute_async_script(
        f"""
        const done = arguments[0];
        const look = () => {{ const value = {script}; if (value) done(value); else setTimeout(look, 20); }};
        look();
        """
    )


@cache
def results(module: str) -> dict[str, str]:
    """Run a test module in a page of its own.

    Returns:
        The name of each test, and "" or what went wrong.
    """
    page = driver()
    page.get(f"{origin()}/tests/page.html?module={module}")
    from selenium.common.exceptions import TimeoutException

    try:
        found: dict[str, str] = json.loads(wait_for("window.results && JSON.stringify(window.results)"))
    except TimeoutException:
        return {f"{module} ended in {PATIENCE_S} s; its console: {console()}": "no"}
    return found
