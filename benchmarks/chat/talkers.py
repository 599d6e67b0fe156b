"""Clients that talk, hear and write down what happened to them: `python -m benchmarks.chat.talkers --help`.

They are NetworkClients as anybody has them, and come back by themselves whenever the server is gone. tests/e2e/chat_checker.py
says what their logs hold. When standard input ends they stop talking, wait for their answers and for each other, and leave.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet import stdio
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.protocol import Protocol
from twisted.internet.task import LoopingCall, deferLater, react

from meteor_net.chat.system import ChatMessage
from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.server.auth import make_token

from .hall import ROOM, SECRET

reactor: Any = global_reactor

#: Lines that each talker says in a second.
LINES_PER_S = 10
#: A visitor comes as somebody new, and stays so long.
VISIT_S = 1.5
CONNECT_S = 30.0
#: How long the end may take: answers, and lines that others have heard already.
END_S = 30.0
#: The longest wait for another attempt, in seconds: the server is back within one.
HASTE_S = 0.15


class Hasty(Random):
    """Draws short waits, so that a client is back soon after the server."""

    def uniform(self, a: float, b: float) -> float:
        """Draw from the lower end of the range."""
        return super().uniform(a, min(b, HASTE_S))


class Talker:
    """One client with its log.

    Args:
        name: The user, and the name of the log.
        port: The server's.
        folder: Where the log goes.
        token: Whether the user signs in; a guest is somebody else after each restart of the server.
        room: Where it talks.
        random: Chooses ids and waits; None for short waits.
        every_s: Between two lines.

    Attributes:
        client: It.
        held: The offset of the last line that it heard.
    """

    def __init__(
        self, name: str, port: int, folder: Path, token: bool, *, room: str = ROOM, random: Random | None = None,
        every_s: float = 1 / LINES_PER_S,
    ) -> None:  # fmt: skip
        self.held = -1
        self._room = room
        self._every_s = every_s
        self._log = (folder / f"{name}.ndjson").open("w", encoding="utf-8")
        self._said = 0
        self._name = name
        self.client = NetworkClient(
            NetworkConfig(
                url=f"ws://127.0.0.1:{port}",
                name=name,
                token=make_token(SECRET, name, int(time.time()) + 86_400) if token else None,
                random=random or Hasty(name),
                room=room,
                connect_s=CONNECT_S,
            )
        )
        self.client.on("line", self._heard)
        self.client.on("gap", self._gap)
        self.client.on("status", self._status)
        self._away = False
        self._loop = LoopingCall.withCount(self._say_due)

    def _write(self, *record: object) -> None:
        self._log.write(json.dumps(record, ensure_ascii=False) + "\n")

    def _heard(self, line: ChatMessage) -> None:
        if line.channel == self._room:
            self.held = line.offset
            self._write("heard", self._epoch(), line.offset, line.sender, line.cid, line.text)

    def _epoch(self) -> int:
        return next(channel.epoch for channel in self.client._room.lines.channels.values() if channel.name == self._room)

    def _gap(self, channel: str | None) -> None:
        if channel == self._room:
            self._write("gap")

    def _status(self, status: str) -> None:
        if status.startswith("reconnecting"):
            self._away = True
        elif status == "online" and self._away:  # not only stale for a moment
            self._away = False
            self._write("back")

    def talk(self) -> None:
        """Say a line now and then from now on."""
        delay_s = self.client.config.random.random() * self._every_s
        reactor.callLater(delay_s, self._loop.start, self._every_s)

    def _say_due(self, count: int) -> None:
        """Say the lines that are due: several, where the process was busy meanwhile."""
        for _ in range(count):
            self._say()

    def _say(self) -> None:
        queue = self.client.chat.message_queue
        waiting = len(queue)
        self._said += 1
        text = f"{self._name} says {self._said}"
        kept = self.client.say(text)
        if len(queue) == waiting:  # too many wait: it never was on its way
            kept.addErrback(lambda _: None)
            return
        cid = next(reversed(queue))
        self._write("said", cid, text)
        kept.addCallbacks(
            lambda offset: self._write("kept", cid, offset),
            lambda failure: self._write("refused", cid, getattr(failure.value, "reason", str(failure.value))),
        )

    def hush(self) -> None:
        """Say no more."""
        if self._loop.running:
            self._loop.stop()

    @property
    def done(self) -> bool:
        """Whether it is in, and everything that it said was answered."""
        return self.client.status in ("online", "stale") and not self.client.chat.message_queue

    async def leave(self, early: bool = False) -> None:
        """Disconnect, and close the log.

        Args:
            early: Others talk on: the last line that it heard is not the last.
        """
        if early:
            self._write("left")
        await self.client.disconnect()
        self._log.close()


async def visit(number: int, port: int, folder: Path, ended: list[bool]) -> None:
    """Come as a newcomer, again and again, and leave after a while."""
    while not ended:
        visitor = Talker(f"visitor-{number:04d}", port, folder, token=False)
        number += 1
        try:
            await visitor.client.connect()
            await deferLater(reactor, VISIT_S)
        finally:
            await visitor.leave(early=True)


class Input(Protocol):
    """Standard input: fires when it ends."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def connectionLost(self, reason: Any = None) -> None:
        """It ended."""
        self.ended.callback(None)


async def all_done(talkers: list[Talker], end_s: float = END_S) -> None:
    """Wait until all are answered and have heard the same last line; no longer than so many seconds."""
    end = time.monotonic() + end_s
    quiet_since, last = time.monotonic(), -1
    while time.monotonic() < end:
        now = max(talker.held for talker in talkers)
        if now != last or not all(talker.done and talker.held == now for talker in talkers):
            quiet_since, last = time.monotonic(), now
        elif time.monotonic() - quiet_since > 0.5:
            return
        await deferLater(reactor, 0.05)


async def play(options: argparse.Namespace) -> None:
    """Let all come, talk and hear."""
    talkers = [Talker(f"talker-{n:02d}", options.port, options.folder, not options.guests) for n in range(options.talkers)]
    readers = [Talker(f"reader-{n:02d}", options.port, options.folder, False) for n in range(options.readers)]
    everybody = talkers + readers
    await gatherResults([talker.client.connect() for talker in everybody])
    ended: list[bool] = []
    visits = [ensureDeferred(visit(1_000 * n, options.port, options.folder, ended)) for n in range(options.visitors)]
    standard_input = Input()
    stdio.StandardIO(standard_input)  # type: ignore[no-untyped-call]
    for talker in talkers:
        talker.talk()
    print("in", flush=True)
    await standard_input.ended
    ended.append(True)
    for talker in talkers:
        talker.hush()
    await gatherResults(visits)
    await all_done(everybody)
    for talker in everybody:
        await talker.leave()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks.chat.talkers", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="the server's port on loopback")
    parser.add_argument("--folder", type=Path, required=True, help="where the logs go")
    parser.add_argument("--talkers", type=int, default=0, help="clients that talk and hear")
    parser.add_argument("--readers", type=int, default=0, help="clients that hear alone, all the time")
    parser.add_argument("--visitors", type=int, default=0, help="clients that come anew, again and again")
    parser.add_argument("--guests", action="store_true", help="talkers are guests, without a token")
    options = parser.parse_args(sys.argv[1:])
    react(lambda _: ensureDeferred(play(options)))


if __name__ == "__main__":
    main()
