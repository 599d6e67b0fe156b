"""`storm`: a server with 2,000 clients is killed and started again; all come back, soon, and no line is lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

import numpy as np

from tests.e2e.chat_checker import HISTORY, Verdict, check

from ..chat.light import read_all
from ..server import Server, free_port, meteor, part_cores
from ..state.progress import say
from . import stalls
from .storm_game import BEATS_FILE, GAME, PER_ROOM, configure

CLIENTS, PROCESSES = 2_000, 2
#: They talk so long before the server is killed, and after all are back.
BEFORE_S, AFTER_S = 5.0, 5.0
#: The server is away so long before it is started again.
GONE_S = 1.0
ENTER_S, BACK_S, END_S = 240.0, 120.0, 180.0
OUT = Path(__file__).parents[1] / "out"


@dataclass
class Storm:
    """What came of it.

    Attributes:
        back_s: From the start of the new server's process until the last client was in its room again.
        listens_s: From the same until the server listened.
        late_ms: How late the beats of the server's loop were meanwhile, ascending.
        alone_ms: The same, of what the loop computed itself: without waiting for the core.
        faults: Of lines.
        said, heard: Lines.
    """

    back_s: float = 0.0
    listens_s: float = 0.0
    late_ms: stalls.Floats = field(default_factory=lambda: np.zeros(0))
    alone_ms: stalls.Floats = field(default_factory=lambda: np.zeros(0))
    faults: list[str] = field(default_factory=list)
    said: int = 0
    heard: int = 0

    def late(self, percent: float) -> float:
        """So many ms late were the beats at most, for so many percent of the time."""
        return float(np.percentile(self.late_ms, percent))

    def __str__(self) -> str:
        late, alone = (
            ", ".join(f"p{percent:g} {np.percentile(times, percent):.0f}" for percent in (50, 90, 99, 100))
            for times in (self.late_ms, self.alone_ms)
        )
        return (
            f"back after {self.back_s:.1f} s ({self.listens_s:.1f} s of them until the server listened);"
            f" the loop was late by {late} ms, on a core of its own it would have been by {alone};"
            f" {self.said} lines said, {self.heard} heard; {len(self.faults)} faults"
        )


class _Crowds:
    """The processes with the clients."""

    def __init__(self, clients: int, processes: int, port: int, folder: Path) -> None:
        share = clients // processes
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.recovery.crowd", "--port", str(port), "--folder", str(folder),
                 "--first", str(n * share), "--clients", str(share)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for n in range(processes)
        ]  # fmt: skip

    def read(self, word: str, seconds: float) -> list[str]:
        """Wait until each has said a word, and give what else it said in that line.

        Raises:
            RuntimeError: One did not.
        """
        late = Timer(seconds, self.kill)
        late.start()
        try:
            lines = []
            for process in self._processes:
                assert process.stdout is not None
                said, _, rest = process.stdout.readline().strip().partition(" ")
                if said != word:
                    raise RuntimeError(f"a crowd did not say {word!r} within {seconds:.0f} s, but {said!r}")
                lines.append(rest)
            return lines
        finally:
            late.cancel()

    def finish(self) -> None:
        """Let them wait for their answers, and leave.

        Raises:
            RuntimeError: One failed.
        """
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            if process.wait(END_S):
                raise RuntimeError(f"a crowd ended with status {process.returncode}")

    def kill(self) -> None:
        """End them."""
        for process in self._processes:
            process.kill()
            process.wait()


def storm(clients: int, processes: int, folder: Path) -> Storm:
    """Let all come, kill the server, start it again, and wait until all are back.

    Args:
        clients: How many; whole rooms for each process.
        processes: In how many processes.
        folder: Takes all that is written.

    Raises:
        RuntimeError: They did not come, or not all came back.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True)
    options = configure(folder)
    port = free_port()
    result = Storm()
    servers: list[Server] = []

    def start(name: str) -> Server:
        servers.append(meteor(port, *options, env={**os.environ, BEATS_FILE: str(folder / name)}))
        part_cores(servers[-1].pid)
        return servers[-1]

    start("before.beats").wait()
    crowds = _Crowds(clients, processes, port, logs)
    try:
        began = time.monotonic()
        crowds.read("in", ENTER_S)
        say(f"  {clients} clients came in within {time.monotonic() - began:.0f} s")
        time.sleep(BEFORE_S)
        servers[-1].kill()
        time.sleep(GONE_S)
        began = time.monotonic()
        start("after.beats").wait()
        result.listens_s = time.monotonic() - began
        back = max(map(float, crowds.read("back", BACK_S)))
        result.back_s = back - began
        time.sleep(AFTER_S)
        crowds.finish()
        rooms = sorted(path.name for path in logs.iterdir())
        for room in rooms:
            _read_history(port, room, logs / room)
        beats = stalls.read(folder / "after.beats")
        result.late_ms, result.alone_ms = stalls.late_ms(beats, back), stalls.late_ms(beats, back, alone=True)
    finally:
        crowds.kill()
        for server in servers:
            server.stop()
    for room in rooms:
        _count(result, room, check(logs / room))
    return result


def _read_history(port: int, room: str, logs: Path) -> None:
    with (logs / f"{HISTORY}.ndjson").open("w", encoding="utf-8") as log:
        for line in asyncio.run(read_all(port, f"{GAME}/{room}")):
            log.write(json.dumps(["heard", *line]) + "\n")


def _count(result: Storm, room: str, verdict: Verdict) -> None:
    result.faults += [f"{room}: {fault}" for fault in verdict.faults]
    result.faults += [f"{room}: {verdict.gaps} gaps"] * (verdict.gaps > 0)
    result.faults += [f"{room}: {verdict.refused} lines refused"] * (verdict.refused > 0)
    result.said += verdict.said
    result.heard += verdict.heard


def measure() -> dict[str, float]:
    """Measure."""
    folder = OUT / f"storm-{time.time_ns()}"
    say(f"storm: {CLIENTS} clients in rooms of {PER_ROOM}, SQLite; logs are written to {folder}")
    result = storm(CLIENTS, PROCESSES, folder)
    say(f"  {result}")
    for fault in result.faults[:10]:
        say(f"  {fault}")
    if not result.faults:
        shutil.rmtree(folder)
    return {"storm-back-s": result.back_s, "storm-stall-p99-ms": result.late(99), "storm-lost": len(result.faults)}
