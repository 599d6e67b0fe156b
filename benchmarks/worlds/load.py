"""The load: viewers that hear one server, ours or the peer's, from one loop on another core; they count, and may record."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..crowd import cpu_s
from ..state.motion import TICK_HZ, Floats
from ..websocket import LightSocket

ENTER_S = 20.0
#: Viewers that come in together, so that not each waits for a tick of its own.
AT_ONCE = 20
#: Of one viewer: bytes of messages that are recorded, at most.
MOST_RECORDED = 64 << 20


class Held(NamedTuple):
    """What a client holds at some tick: its rows, and where they are, shape (2, rows)."""

    rows: NDArray[np.intp]
    at: Floats


class Viewer(LightSocket):
    """One client, which does not look into what it gets.

    Args:
        number: In the motion of the viewers.
        records: Whether it keeps its messages.

    Attributes:
        ready: Whether state comes.
        frames: Messages with state that came, of one a tick.
        bytes: Of all messages, without WebSocket headers.
        recorded: Messages, if it keeps them.
    """

    def __init__(self, number: int, records: bool = False) -> None:
        super().__init__(Random(number))
        self.number = number
        self.ready = False
        self.frames = 0
        self.bytes = 0
        self.recorded: list[bytes] = []
        self._records = records
        self._kept = 0

    async def seat(self, port: int) -> None:
        """Do what comes before the connection."""

    def take(self, payload: bytes) -> bool:
        """Take a message.

        Returns:
            Whether it holds the state of a tick.
        """
        raise NotImplementedError

    def tend(self) -> None:
        """Say what is to be said twice a second."""

    def message(self, payload: bytes, size: int) -> None:
        """Count it."""
        self.bytes += len(payload)
        self.frames += self.take(payload)
        if self._records:
            self._kept += len(payload)
            if self._kept > MOST_RECORDED:
                raise ConnectionError("too much was recorded")
            self.recorded.append(payload)


@dataclass(frozen=True)
class Window:
    """What was counted for some seconds.

    Attributes:
        cpu_ms: The server's CPU time for a tick.
        bytes: That a viewer got for a tick.
        hz: Ticks a second.
        load: How much of its core the load took.
    """

    cpu_ms: float
    bytes: float
    hz: float
    load: float


class Crowd:
    """All viewers of one server.

    Args:
        viewers: They.
    """

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self.viewers = viewers
        self._tending: asyncio.Task[None] | None = None

    async def enter(self, port: int) -> None:
        """Let all in, some at once.

        Raises:
            ConnectionError: One is not let in.
        """
        self._tending = asyncio.ensure_future(self._tend())
        for first in range(0, len(self.viewers), AT_ONCE):
            await asyncio.gather(*(_enter(viewer, port) for viewer in self.viewers[first : first + AT_ONCE]))

    async def window(self, pid: int, seconds: float) -> Window:
        """Count.

        Raises:
            ConnectionError: Viewers are gone, or were left out: what was measured is less than said.
        """
        before = [(viewer.frames, viewer.bytes) for viewer in self.viewers]
        cpu, load, began = cpu_s(pid), time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        cpu, load, took = cpu_s(pid) - cpu, time.process_time() - load, time.perf_counter() - began
        frames = [viewer.frames - was for viewer, (was, _) in zip(self.viewers, before, strict=True)]
        got = sum(viewer.bytes - was for viewer, (_, was) in zip(self.viewers, before, strict=True))
        gone = [f"{viewer.number} ({viewer.ended})" for viewer in self.viewers if viewer.ended is not None]
        if gone:
            raise ConnectionError(f"{len(gone)} viewers are gone: {', '.join(gone[:3])}")
        ticks = median(frames)
        if min(frames) < 0.95 * ticks - 1 or not ticks:
            raise ConnectionError(f"viewers got {min(frames)} to {max(frames)} frames of {ticks:g}")
        return Window(cpu * 1000 / ticks, got / ticks / len(self.viewers), ticks / took, load / took)

    async def leave(self) -> None:
        """Let all go."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        for viewer in self.viewers:
            if viewer.ready and viewer.ended is None:
                viewer.leave()

    async def _tend(self) -> None:
        """Let each viewer say its word twice a second, a part of them each tick."""
        turn, turns = 0, TICK_HZ // 2
        while True:
            for viewer in self.viewers[turn::turns]:
                if viewer.ready and viewer.ended is None:
                    viewer.tend()
            turn = (turn + 1) % turns
            await asyncio.sleep(1 / TICK_HZ)


async def _enter(viewer: Viewer, port: int) -> None:
    await viewer.seat(port)
    await asyncio.get_running_loop().create_connection(lambda: viewer, "127.0.0.1", port)
    end = time.monotonic() + ENTER_S
    while not viewer.ready:
        if viewer.ended is not None or time.monotonic() > end:
            raise ConnectionError(f"viewer {viewer.number} sees nothing: {viewer.ended or 'no answer'}")
        await asyncio.sleep(0.005)


def cores() -> str:
    """Say on which cores the load runs."""
    return ", ".join(map(str, sorted(os.sched_getaffinity(0)))) if hasattr(os, "sched_getaffinity") else "any"
