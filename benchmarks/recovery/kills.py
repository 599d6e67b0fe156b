"""`kills`: clients are killed while they talk, and begun anew with their outbox; what was acknowledged to them is kept once.

Clients in Python are processes that are killed by force; the other kind is a page in Chromium, whose tab crashes.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from meteor_net.client.outbox import Outbox

from ..chat.hall import configure
from ..chat.light import read_all
from ..server import free_port, meteor
from ..state.progress import say, shown
from .log import Count, Verdict, judge
from .pages import Pages, site

PYTHON, CHROMIUM = 200, 50
#: Clients in Python that live and die at the same time, each many times.
AT_ONCE = 4
#: A client is killed at most so long after it is in, in seconds.
ALIVE_S = 0.5
#: Every n-th life or so ends before the client is in; that is no kill that counts.
EARLY = 10
SEED = 6
END_S = 60
OUT = Path(__file__).parents[1] / "out"

#: Goes over the numbers of the kills, and may show how far that is.
Progress = Callable[[range], Iterable[int]]


class Victim:
    """A client in Python, with all its lives.

    Args:
        name: The user.
        port: The server's.
        folder: Where its outbox and log are.
        random: Chooses the moments.
    """

    def __init__(self, name: str, port: int, folder: Path, random: Random) -> None:
        self.count = Count()
        self._name = name
        self._port = port
        self._folder = folder
        self._random = random
        self._life = 0
        self._start_s = 1.0

    def die(self, kills: Iterable[int]) -> None:
        """Live and be killed so often, and then live to the end."""
        for _ in kills:
            while self._random.randrange(EARLY) == 0:
                self._live(lambda client: time.sleep(self._random.uniform(0, self._start_s)))
            self._live(self._talk)
            waiting = len(self._outbox())
            self.count.kills += 1
            self.count.waiting += waiting
            self.count.caught += waiting > 0
        self._live(lambda client: client.communicate(timeout=END_S), "--last")
        if self._outbox():
            raise RuntimeError(f"{self._name}: lines wait in the outbox at the end")

    def _talk(self, client: subprocess.Popen[str]) -> None:
        began = time.monotonic()
        assert client.stdout is not None
        if client.stdout.readline() != "in\n":
            raise RuntimeError(f"{self._name} did not come in")
        self._start_s = time.monotonic() - began
        time.sleep(self._random.uniform(0, ALIVE_S))

    def _live(self, until: Callable[[subprocess.Popen[str]], object], *options: str) -> None:
        self._life += 1
        told = ["--port", str(self._port), "--folder", str(self._folder), "--name", self._name, "--life", str(self._life)]
        command = [sys.executable, "-m", "benchmarks.recovery.talker", *told, *options]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            until(client)
        finally:
            client.kill()
            client.communicate()

    def _outbox(self) -> list[object]:
        outbox = Outbox(self._folder / f"{self._name}.outbox")
        outbox.close()
        return [*outbox.lines()]


def kill_processes(kills: int, port: int, folder: Path, seed: int, progress: Progress) -> list[Count]:
    """Kill clients in Python.

    Args:
        kills: How often in all.
        port: The server's.
        folder: Takes outboxes and logs.
        seed: Chooses the moments.
        progress: Goes over the numbers of the kills.

    Raises:
        RuntimeError: A client did something else than to talk.
    """
    numbers = iter(progress(range(kills)))
    victims = [Victim(f"talker-{n}", port, folder, Random(f"{seed}/{n}")) for n in range(min(AT_ONCE, kills))]
    shares = [[*range(n, kills, len(victims))] for n in range(len(victims))]

    def counted(share: list[int]) -> Iterable[int]:
        for number in share:
            yield number
            next(numbers, None)

    with ThreadPoolExecutor(len(victims)) as pool:
        for done in [pool.submit(victim.die, counted(share)) for victim, share in zip(victims, shares, strict=True)]:
            done.result()
    return [victim.count for victim in victims]


def kill_pages(kills: int, port: int, folder: Path, seed: int, progress: Progress) -> list[Count]:
    """Crash a page's tab; see `kill_processes`."""
    return [asyncio.run(Pages(port, folder, Random(f"{seed}/page")).die(progress(range(kills))))]


def torture(
    kill: Callable[[int, int, Path, int, Progress], list[Count]], kills: int, folder: Path, seed: int = SEED,
    progress: Progress = lambda numbers: numbers, durable: bool = True,
) -> tuple[Verdict, Count]:  # fmt: skip
    """Serve, kill clients, read the history, and judge.

    Args:
        kill: Kills: `kill_processes` or `kill_pages`.
        kills: How often.
        folder: Takes all that is written.
        seed: Chooses the moments.
        progress: Goes over the numbers of the kills.
        durable: Whether a line is on the disk once it is said.

    Returns:
        What was found, and what happened to all clients together.
    """
    logs = folder / "logs"
    logs.mkdir(parents=True)
    server = meteor(free_port(), *configure(folder), "--site", str(site(folder)))
    try:
        server.wait()
        counts = kill(kills, server.port, logs, seed, progress)
        history = asyncio.run(read_all(server.port))
    finally:
        server.stop()
    verdict = judge(history, sorted(logs.glob("*.ndjson")), durable)
    return verdict, Count(*(sum(getattr(count, name) for count in counts) for name in ("kills", "waiting", "caught")))


def measure() -> dict[str, float]:
    """Kill both kinds, and tell how many kills there were, and how many lines were lost, doubled or out of order."""
    figures: dict[str, float] = {}
    lost = 0
    for name, kill, kills in (("python", kill_processes, PYTHON), ("chromium", kill_pages, CHROMIUM)):
        folder = OUT / f"kills-{name}-{time.time_ns()}"
        say(f"kills: {kills} times {name}, seed {SEED}; logs are written to {folder}")
        began = time.monotonic()

        def progress(numbers: range, name: str = name) -> Iterable[int]:
            return shown(numbers, f"kills, {name}")

        verdict, count = torture(kill, kills, folder, SEED, progress, durable=name == "python")
        say(f"  {verdict}")
        say(f"  {count.caught} of {count.kills} kills left lines without an answer, {count.waiting} in all")
        say(f"  it took {time.monotonic() - began:.0f} s")
        if verdict.faults:
            say(f"  logs and data stay in {folder}")
        else:
            shutil.rmtree(folder)
        lost += len(verdict.faults)
        figures[f"client-kills-{name}"] = count.kills
    return {**figures, "client-kills-lost": lost}
