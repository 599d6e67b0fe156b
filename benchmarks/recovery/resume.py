"""`resume`: what it takes to come back to a world of 1,000 rows, beside Colyseus' reconnection and Socket.IO's recovery."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..server import Server, free_port, meteor
from ..state.browser import node
from ..state.channel import Mismatch
from ..state.motion import SIZE
from ..state.peer import FOLDER, WANTED, PeerError, install, installed
from ..state.progress import say
from .relay import Relay
from .thousand import AWAY_S, HZ, LENGTH, OUT, ROWS, TICKS, configure, digests, motion, place

SCRIPT = Path(__file__).with_name("resume.mjs")
PACKAGES = {
    **WANTED,
    "@colyseus/ws-transport": "0.18",
    "@colyseus/sdk": "0.18",
    "express": "5",
    "ws": "8",
    "socket.io": "4",
    "socket.io-client": "4",
}
AWAYS_S = (0.5, 5.0, 60.0)
#: A client plays so long before it is cut off; the world stands still so long before it may come back; nothing goes down for
#: so long when all has been said; all in seconds.
PLAY_S, STILL_S, QUIET_S = 3.0, 0.5, 0.4
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Side:
    """Ours, or a peer.

    Attributes:
        name: In what is printed.
        serve: Makes its server, for so many ticks after a loss and with a folder of its own.
        come: The command of a client of a port.
    """

    name: str
    serve: Callable[[int, Path], Server]
    come: Callable[[int, int], list[str]]


@dataclass(frozen=True)
class Return:
    """What a return took: bytes of TCP's payload, with the opening handshake."""

    down: int
    up: int


def _ours(ticks: int, folder: Path) -> Server:
    return meteor(free_port(), *configure(folder), env={**os.environ, TICKS: str(ticks)})


def _told(ticks: int) -> str:
    world = {"rows": ROWS, "length": LENGTH, "size": SIZE, "hz": HZ, "motion": str(motion().save(OUT))}
    return json.dumps({**world, "ticks": ticks, "away_s": AWAY_S})


def _peer(name: str) -> Side:
    script = str(FOLDER / "recovery-peers.mjs")

    def serve(ticks: int, folder: Path) -> Server:
        port = free_port()
        return Server(port, [node(), script, name, "serve", str(port), _told(ticks)])

    return Side(name, serve, lambda port, ticks: [node(), script, name, "come", str(port), _told(ticks)])


def sides() -> list[Side]:
    """Ours and the peers."""
    ours = Side("ours", _ours, lambda port, _: [sys.executable, "-m", "benchmarks.recovery.comer", f"ws://127.0.0.1:{port}"])
    return [ours, _peer("colyseus"), _peer("socketio")]


def prepare() -> None:
    """Install the peers, if they are missing.

    Raises:
        PeerError: They could not be installed.
    """
    install(PACKAGES)
    found = installed(PACKAGES)
    if len(found) < len(PACKAGES):
        raise PeerError(f"not all of {', '.join(PACKAGES)} are there")
    shutil.copyfile(SCRIPT, FOLDER / "recovery-peers.mjs")
    say(f"resume: beside {', '.join(f'{name} {version}' for name, version in found.items())}")


class _Comer:
    """A client in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_S)
        if not line:
            raise ConnectionError("a client ended")
        return line.decode().strip()

    async def ask(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(b"?\n")
        answer: dict[str, Any] = json.loads(await self.read())
        return answer


@asynccontextmanager
async def _comer(command: list[str]) -> AsyncIterator[_Comer]:
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        comer = _Comer(process)
        if await comer.read() != "in":
            raise ConnectionError("a client did not come in")
        yield comer
    finally:
        process.kill()
        await process.wait()


async def come_back(side: Side, away_s: float, known: list[str]) -> Return:
    """Let a client play, cut it off, and count what it takes until it holds all again.

    Args:
        side: Whose.
        away_s: For so long the world moves on without it.
        known: The digest of each tick of the motion.

    Raises:
        Mismatch: It holds something else afterwards than it should.
        ConnectionError: It does not come back.
    """
    ticks = round(away_s * HZ)
    with tempfile.TemporaryDirectory() as folder:
        server = side.serve(ticks, Path(folder))
        relay = Relay(server.port, free_port())
        try:
            await asyncio.to_thread(server.wait)
            await relay.listen()
            async with _comer(side.come(relay.port, ticks)) as comer:
                await asyncio.sleep(PLAY_S)
                before = known.index((await comer.ask())["digest"])
                relay.cut()
                await asyncio.sleep(away_s + STILL_S)
                await relay.listen()
                await relay.quiet(QUIET_S, PATIENCE_S)
                took = Return(relay.down, relay.up)
                _check(side.name, await comer.ask(), known, before, ticks)
        finally:
            relay.cut()
            server.stop()
    return took


def _check(name: str, answer: dict[str, Any], known: list[str], before: int, ticks: int) -> None:
    if not answer["online"]:
        raise ConnectionError(f"{name}: not online: {answer}")
    # the answer from before the cut took its time, and so did the news of the loss
    if answer["digest"] not in {known[place(before + ticks + late)] for late in range(-1, 6)}:
        where = known.index(answer["digest"]) if answer["digest"] in known else "nowhere"
        raise Mismatch(f"{name}: {ticks} ticks after {before} the client holds tick {where} of the motion")
    if answer.get("recovered") is False:
        raise Mismatch(f"{name}: the state of the connection was not recovered")


async def compare(away_s: float) -> dict[str, Return]:
    """Let a client of each side come back after the same time away; all at once, for most of it is waiting."""
    known = digests()
    every = sides()
    returns = await asyncio.gather(*(come_back(side, away_s, known) for side in every))
    return {side.name: took for side, took in zip(every, returns, strict=True)}


def measure() -> dict[str, float]:
    """Compare."""
    prepare()
    ratios = {}
    for away_s in AWAYS_S:
        returns = asyncio.run(compare(away_s))
        say(f"  back after {away_s:g} s, bytes down and up, handshake and all:")
        for name, took in returns.items():
            say(f"    {name:9} {took.down:9,} {took.up:7,}")
        ratios[away_s] = returns["ours"].down / returns["colyseus"].down
        say(f"    ours takes {ratios[away_s]:.2f} of Colyseus' bytes down")
    return {"resume-bytes-ratio": ratios[AWAYS_S[0]]}
