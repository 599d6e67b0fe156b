"""One tab of a headless Chromium, by its DevTools protocol: no driver between, for that ends with the first crash."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest import SkipTest

from tests.requirements import require

from ..websocket import TEXT, LightSocket

START_S, ANSWER_S = 30.0, 30.0
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run")


class Tab(LightSocket):
    """A tab, and the connection to its browser.

    Attributes:
        on_console: Takes each text that the page says to its console.
    """

    subprotocol: ClassVar[str] = ""

    def __init__(self, path: str) -> None:
        super().__init__(Random(path))
        self.path = path
        self.on_console: Callable[[str], None] = lambda text: None
        self._open = asyncio.get_running_loop().create_future()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._session: str | None = None
        self._crashed = asyncio.Event()

    def opened(self) -> None:
        """The browser listens."""
        self._open.set_result(None)

    async def make(self) -> None:
        """Open the tab."""
        await asyncio.wait_for(self._open, ANSWER_S)
        target = (await self.ask("Target.createTarget", url="about:blank"))["targetId"]
        self._session = (await self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Inspector"):
            await self.ask(f"{domain}.enable")

    async def show(self, address: str) -> None:
        """Load a page.

        Raises:
            ConnectionError: It cannot be loaded.
        """
        answer = await self.ask("Page.navigate", url=address)
        if answer.get("errorText"):
            raise ConnectionError(f"{address}: {answer['errorText']}")

    async def crash(self) -> None:
        """Crash the tab's process, and wait until it is gone."""
        self._crashed.clear()
        crash = asyncio.ensure_future(self.ask("Page.crash"))  # nobody is left to answer it
        await asyncio.wait_for(self._crashed.wait(), ANSWER_S)
        crash.cancel()

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give an order, and wait for what comes of it.

        Raises:
            ConnectionError: The browser refuses it, or is gone.
        """
        self._asked += 1
        number = self._asked
        order = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            order["sessionId"] = self._session
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        self.send_frame(TEXT, json.dumps(order).encode())
        try:
            return await asyncio.wait_for(answer, ANSWER_S)
        finally:
            del self._answers[number]

    def message(self, payload: bytes, size: int) -> None:
        """Take an answer or an event."""
        told = json.loads(payload)
        answer = self._answers.get(told.get("id"))
        if answer is not None and not answer.done():
            if "error" in told:
                answer.set_exception(ConnectionError(str(told["error"])))
            else:
                answer.set_result(told["result"])
        elif told.get("method") == "Inspector.targetCrashed":
            self._crashed.set()
        elif told.get("method") == "Runtime.consoleAPICalled":
            for each in told["params"]["args"]:
                if each.get("type") == "string":
                    self.on_console(each["value"])

    def connection_lost(self, exc: Exception | None) -> None:
        """The browser is gone: nobody answers any more."""
        super().connection_lost(exc)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the browser is gone"))


@asynccontextmanager
async def browser() -> AsyncIterator[Tab]:
    """Start Chromium, and end it afterwards.

    Raises:
        RuntimeError: It is not there, or does not start.
    """
    try:
        chromium = require("chromium")
    except SkipTest as missing:
        raise RuntimeError(str(missing)) from missing
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port, path = await _address(Path(profile) / "DevToolsActivePort", process)
            _, tab = await asyncio.get_running_loop().create_connection(lambda: Tab(path), "127.0.0.1", port)
            await tab.make()
            yield tab
        finally:
            process.terminate()
            process.wait()


async def _address(file: Path, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Wait for the file in which Chromium says where it listens."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        parts = file.read_text().split() if file.exists() else []
        if len(parts) == 2:
            return int(parts[0]), parts[1]
        await asyncio.sleep(0.05)
    raise RuntimeError("Chromium does not start")
