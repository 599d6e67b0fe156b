"""A page in Chromium that says lines without a pause, and whose tab crashes again and again."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random

from meteor_net.server.auth import make_token

from ..chat.hall import SECRET
from .devtools import Tab, browser
from .log import Count, Log

PAGE = Path(__file__).with_name("page")
#: A tab crashes at most so long after its page is in; what waits at the end is answered within as much as the second.
ALIVE_S, PATIENCE_S = 0.5, 30.0
NAME = "page"


def site(folder: Path) -> Path:
    """Put the page where a server's `--site` can be.

    Args:
        folder: Takes a folder with it.
    """
    return Path(shutil.copytree(PAGE, folder / "page"))


class Pages:
    """One tab, with all its lives.

    Args:
        port: The server's.
        folder: Takes the log.
        random: Chooses the moments.
    """

    def __init__(self, port: int, folder: Path, random: Random) -> None:
        self._port = port
        self._log = Log(folder / f"{NAME}.ndjson")
        self._random = random
        self._life = 0
        self._waiting: set[str] = set()
        self._told: set[str] = set()

    async def die(self, kills: Iterable[int]) -> Count:
        """Live and crash so often, and then live to the end."""
        count = Count()
        async with browser() as tab:
            tab.on_console = self._hear
            for _ in kills:
                await self._begin(tab)
                await asyncio.sleep(self._random.uniform(0, ALIVE_S))
                await tab.crash()
                count.kills += 1
                count.waiting += len(self._waiting)
                count.caught += bool(self._waiting)
                self._waiting.clear()
            await self._begin(tab, last=True)
            await asyncio.wait_for(self._ended.wait(), PATIENCE_S)
        self._log.close()
        return count

    async def _begin(self, tab: Tab, last: bool = False) -> None:
        self._life += 1
        self._in, self._ended = asyncio.Event(), asyncio.Event()
        token = make_token(SECRET, NAME, int(time.time()) + 86_400)
        address = f"http://127.0.0.1:{self._port}/?life={self._life}&last={int(last)}&token={token}"
        await tab.show(address)
        await asyncio.wait_for(self._in.wait(), PATIENCE_S)

    def _hear(self, text: str) -> None:
        """Take what the page says to its console; after a crash some of it may be said again."""
        if text in self._told:
            return
        self._told.add(text)
        what, life, *details = json.loads(text)
        if what == "in" and life == self._life:
            self._in.set()
        elif what == "ended" and life == self._life:
            self._ended.set()
        elif what in ("said", "kept", "unsaid"):
            self._log.write(what, *details)
            if what == "said":
                self._waiting.add(details[0])
            else:
                self._waiting.discard(details[0])
