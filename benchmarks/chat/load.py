"""The load: a crowd that hears a room, and says lines there, as many as go through or as many as it is told.

It is one process on one core, and the same for our server and the peer's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from random import Random

import numpy as np

from .light import Hearer, enter

HEARERS = 100
#: Lines that are on their way at once, at most: each is said when an earlier one was heard by all.
WINDOW = 32
#: Of a line; together with its number.
FILLER = "the quick brown fox jumps over the lazy dog"
WARM_UP_S = 1.0
#: How long the last lines may take.
LATE_S = 5.0


class Crowd:
    """All who hear, and say.

    Attributes:
        hearers: They.
    """

    def __init__(self) -> None:
        self.hearers: list[Hearer] = []
        #: By the number of a line: how many have not heard it yet; when it was to be said.
        self._missing: list[int] = []
        self._due: list[float] = []
        self._closed_loop = False
        #: Seconds that each line took to each hearer.
        self._took: list[float] = []
        self._through = 0

    async def enter(self, hearers: Sequence[Hearer], port: int) -> None:
        """Let all in, one after the other."""
        for hearer in hearers:
            self.hearers.append(await enter(hearer, port))

    def leave(self) -> None:
        """Let all go."""
        for hearer in self.hearers:
            hearer.leave()

    def heard(self, text: str) -> None:
        """One hears a line."""
        number = int(text[:8])
        self._took.append(time.perf_counter() - self._due[number])
        self._missing[number] -= 1
        if not self._missing[number]:
            self._through += 1
            if self._closed_loop:
                self._say(time.perf_counter())

    def _say(self, due: float) -> None:
        number = len(self._due)
        self._due.append(due)
        self._missing.append(len(self.hearers))
        self.hearers[number % len(self.hearers)].say(f"{number:08d} {FILLER}")

    async def throughput(self, seconds: float) -> float:
        """Say as much as goes through.

        Returns:
            Lines a second that all have heard.
        """
        self._closed_loop = True
        for _ in range(WINDOW):
            self._say(time.perf_counter())
        await asyncio.sleep(WARM_UP_S)
        through, began = self._through, time.perf_counter()
        await asyncio.sleep(seconds)
        rate = (self._through - through) / (time.perf_counter() - began)
        self._closed_loop = False
        await self._settle()
        return rate

    async def latency(self, rate: float, seconds: float) -> float:
        """Say lines at a rate, whether the server keeps up or not.

        Args:
            rate: Lines a second.
            seconds: How long, beyond a warming up.

        Returns:
            The 99th percentile of the seconds from when a line was to be said to when it was seen, over all lines and hearers.
        """
        random = Random(0)
        begin = due = time.perf_counter()
        warm = 0
        while due < begin + WARM_UP_S + seconds:
            due += random.uniform(0.5, 1.5) / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if not warm and due > begin + WARM_UP_S:
                warm = len(self._took)
            self._say(due)
        await self._settle()
        return float(np.percentile(self._took[warm:], 99))

    async def _settle(self) -> None:
        """Wait for the last lines.

        Raises:
            ConnectionError: If some hearer is gone, or has not heard all.
        """
        end = time.perf_counter() + LATE_S
        while self._through < len(self._due) and time.perf_counter() < end:
            await asyncio.sleep(0.01)
        gone = [f"{hearer.name} ({hearer.ended})" for hearer in self.hearers if hearer.ended is not None]
        if gone:
            raise ConnectionError(f"{len(gone)} hearers are gone: {', '.join(gone[:3])}")
        if self._through < len(self._due):
            raise ConnectionError(f"{len(self._due) - self._through} lines were not heard by all within {LATE_S:g} s")
