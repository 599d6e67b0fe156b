"""A Python player in a process of its own: watches for a while, says some things, and writes down what it saw.

python -m tests.e2e.viewer URL SECONDS [LINE ...]

A second passes after each line. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys

from twisted.internet import reactor
from twisted.internet.task import deferLater

from meteor_net.client import connect, run


async def watch() -> None:
    """Join, look on, then say each line and see what comes of it."""
    url, seconds, *lines = sys.argv[1:]
    checksums: dict[int, int] = {}
    after: list[int] = []
    async with connect(url, name="viewer") as game:

        def look(tick: int) -> None:
            state = game.state_sync.last_state
            assert state is not None, "a frame was applied"
            checksums[tick] = state.crc()

        game.on("frame", look)
        await deferLater(reactor, float(seconds))
        seen = dict(checksums)
        for line in lines:
            await game.say(line)
            await deferLater(reactor, 1.0)
            after.append(checksums[max(checksums)])
        heard = [line.text for line in game.chat.message_history]
    print(json.dumps({"checksums": seen, "after": after, "heard": heard}))


if __name__ == "__main__":
    run(watch)
