"""A Python player in a process of its own: flies for a while, and writes down what it saw and heard.

python -m tests.e2e.pilot URL CA NAME SECONDS
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

from meteor_net.client import connect, run


async def fly() -> None:
    """Join, say hello, steer at random, then print one line of JSON."""
    url, trust_root, name, seconds = sys.argv[1:]
    checksums: dict[int, int] = {}
    dice = random.Random(name)
    async with connect(url, name=name, trust_root=trust_root) as game:

        def look(tick: int) -> None:
            state = game.state_sync.last_state
            assert state is not None, "a frame was applied"
            checksums[tick] = state.crc()

        game.on("frame", look)
        await game.say(f"hello from {name}")
        for _ in range(int(float(seconds) * 4)):
            game.act("Steer", turn=dice.uniform(-1, 1), thrust=dice.random() < 0.7)
            await deferLater(reactor, 0.25)
        heard: list[Any] = [line.text for line in game.chat.message_history]
    print(json.dumps({"checksums": checksums, "heard": heard}))


if __name__ == "__main__":
    run(fly)
