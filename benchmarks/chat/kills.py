"""`make torture-chat`: the server is killed again and again while people talk; nothing that it acknowledged may be lost.

Talkers and readers are clients of ours in processes of their own, over real sockets, and come back by themselves. Each writes
down what it said, what it was told, and what it heard. When all is over a client that has never been there reads the history,
the database looks at itself, and tests/e2e/chat_checker.py judges by the logs alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.e2e.chat_checker import HISTORY, Verdict, check

from ..figures import report
from ..server import Server, free_port, meteor
from ..state.progress import say, shown
from .databases import DATABASES, Database
from .hall import configure
from .light import read_all
from .talkers import CONNECT_S, END_S, LINES_PER_S

TALKERS, READERS, VISITORS = 20, 3, 1
#: A kill comes at most so many times the server's start after it listens: on a busy machine clients need longer too.
ALIVE = 1.5
#: Every n-th server or so is killed before it listens; that is no kill that counts.
EARLY = 10
SEED = 4
OUT = Path(__file__).parents[1] / "out"

#: Goes over the numbers of the kills, and may show how far that is.
Progress = Callable[[range], Iterable[int]]


class NotTortured(Exception):
    """Something else went wrong than what is looked for: nothing was shown."""


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        kills: How often the server is killed while it serves.
        folder: Where data and logs go.
        seed: Chooses the moments.
        guests: Whether talkers are guests.
        busy: At least this share of the lines has to be said, or there was hardly anything to lose.
    """

    kills: int
    folder: Path
    seed: int = SEED
    guests: bool = False
    busy: float = 0.8


class Torture:
    """One run, with one database.

    Args:
        plan: What to do.
        database: Where lines are kept.
    """

    def __init__(self, plan: Plan, database: Database) -> None:
        self._plan = plan
        self._random = Random(plan.seed)
        self._logs = plan.folder / "logs"
        self._logs.mkdir(parents=True)
        self._options = [*configure(plan.folder), *database.options]
        self._port = free_port()
        self._server: Server | None = None
        self._start_s = 0.0
        self._clients: list[subprocess.Popen[str]] = []
        self.early = 0

    def run(self, progress: Progress = lambda numbers: numbers) -> Verdict:
        """Do it.

        Args:
            progress: Goes over the numbers of the kills.

        Raises:
            NotTortured: If clients fail.
        """
        try:
            self._serve()
            self._clients = [
                self._client("--talkers", str(TALKERS), *["--guests"] * self._plan.guests),
                self._client("--readers", str(READERS), "--visitors", str(VISITORS)),
            ]
            began = time.monotonic()
            for _ in progress(range(self._plan.kills)):
                self._kill()
            seconds = time.monotonic() - began
            for client in self._clients:
                self._finish(client)
            self._read_history()
        finally:
            for client in self._clients:
                client.kill()
                client.communicate()
            if self._server is not None:
                self._server.stop()
        verdict = check(self._logs)
        rate = verdict.said / seconds
        if rate < self._plan.busy * TALKERS * LINES_PER_S:
            verdict.faults.append(f"nothing shown: only {rate:.0f} lines were said in a second")
        return verdict

    def _start(self) -> Server:
        self._server = meteor(self._port, *self._options)
        return self._server

    def _serve(self) -> None:
        """Start a server, and wait until it listens."""
        began = time.monotonic()
        self._start().wait()
        self._start_s = time.monotonic() - began

    def _client(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "benchmarks.chat.talkers", "--port", str(self._port), "--folder", str(self._logs)]
        client = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert client.stdout is not None
        if client.stdout.readline() != "in\n":
            raise NotTortured("the clients did not come in")
        return client

    def _kill(self) -> None:
        """Kill the server at a random moment, and start the next at once."""
        assert self._server is not None
        time.sleep(self._random.uniform(0, ALIVE * self._start_s))
        self._server.kill()
        while self._random.randrange(EARLY) == 0:
            self.early += 1
            early = self._start()
            time.sleep(self._random.uniform(0, self._start_s))
            early.kill()
        self._serve()

    def _finish(self, client: subprocess.Popen[str]) -> None:
        """Let clients wait for their answers, and leave."""
        client.communicate(timeout=CONNECT_S + 2 * END_S)
        if client.returncode:
            raise NotTortured(f"clients ended with status {client.returncode}")

    def _read_history(self) -> None:
        with (self._logs / f"{HISTORY}.ndjson").open("w", encoding="utf-8") as log:
            for line in asyncio.run(read_all(self._port)):
                log.write(json.dumps(["heard", *line], ensure_ascii=False) + "\n")


def torture(plan: Plan, database: Database, progress: Progress = lambda numbers: numbers) -> Verdict:
    """Run, and have the database look at itself.

    Raises:
        NotTortured: If clients fail.
    """
    run = Torture(plan, database)
    verdict = run.run(progress)
    verdict.faults += database.check()
    return verdict


def measure(name: str, kills: int, seed: int) -> dict[str, float]:
    """Kill a server of one database, and tell how many kills were survived; none, if a fault was found.

    Args:
        name: Of the database.
        kills: How many.
        seed: Chooses the moments.
    """
    folder = OUT / f"kills-{name}-{time.time_ns()}"
    with DATABASES[name](folder / "data") as database:
        say(f"{name}: {kills} kills, seed {seed}; logs are written to {folder}")
        began = time.monotonic()
        verdict = torture(Plan(kills, folder, seed), database, lambda numbers: shown(numbers, f"{name}, kills"))
    say(f"  {verdict}\n  all of it took {time.monotonic() - began:.0f} s")
    if verdict.faults:
        say(f"  logs and data stay in {folder}")
    else:
        shutil.rmtree(folder)  # some hundred megabytes
    return {f"chat-kills-{name}": 0 if verdict.faults else kills}


def main() -> int:
    """Run it.

    Returns:
        The exit status: 0 if both figures are there and none is short.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.chat.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--sqlite", type=int, default=200, metavar="KILLS", help="kills with SQLite (default: 200)")
    parser.add_argument("--postgresql", type=int, default=50, metavar="KILLS", help="kills with PostgreSQL (default: 50)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"chooses the moments (default: {SEED})")
    options = parser.parse_args()
    measured: dict[str, float] = {}
    for name in DATABASES:
        try:
            measured |= measure(name, getattr(options, name), options.seed)
        except (NotTortured, RuntimeError, OSError, subprocess.SubprocessError) as error:
            say(f"FAILED: {name}: {type(error).__name__}: {error}")
    return report(measured, "chat-kills-")


if __name__ == "__main__":
    sys.exit(main())
