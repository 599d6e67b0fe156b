"""A process that says lines into a database: `python -m tests.storage.talker URL SENDER LINES AT_ONCE`.

Writes `say N` before it gives line N to the storage, and `kept N OFFSET` as soon as that tells it to be kept; nothing is held
back, so what stands there is what a client would have been told.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import DeferredSemaphore, gatherResults
from twisted.internet.task import react

from meteor_net.storage.sql import SqlStorage

from .model import line


def tell(text: str) -> None:
    """Write a line at once."""
    os.write(1, f"{text}\n".encode())


def main(reactor: Any, url: str, sender: str, lines: str, at_once: str) -> Any:
    """Say the lines."""
    storage = SqlStorage(url, reactor)
    storage.start()
    some = DeferredSemaphore(int(at_once))

    def say(number: int) -> Any:
        tell(f"say {number}")
        kept = storage.append("a", line(f"{sender} {number}", sender, cid=str(number)))
        return kept.addCallback(lambda kept: tell(f"kept {number} {kept.offset}"))

    said = gatherResults([some.run(say, number) for number in range(int(lines))], consumeErrors=True)
    return said.addCallback(lambda _: storage.close())


if __name__ == "__main__":
    react(main, sys.argv[1:], installed)
