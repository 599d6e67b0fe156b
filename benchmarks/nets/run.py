"""One run: players in one namespace, a server and two more players in the other, a bad network between."""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from meteor_net.interfaces import StoredLine
from meteor_net.storage import reading
from meteor_net.testing.checks import DoneAction, check_actions, check_histories, check_lines

from ..server import Server
from .child import REPOSITORY, Child, RunFailed, all_do, command
from .game import LOG, ROOM, SECRET
from .namespaces import SERVER_ADDRESS, Namespaces, within
from .outcome import Felt, Outcome
from .way import Conditions

PORT = 9_000
#: Players beside the server, whom the bad network does not touch: they talk on while the others are cut off.
NEAR = 2
#: Processes may take so long to begin, in seconds.
START_S = 90.0
#: A fault begins after this share of the time, but no later than so many seconds.
BEGIN_SHARE, BEGIN_S = 0.25, 45.0
#: There is so much time left after it, in seconds, for players to come back in.
AFTER_S = 8.0
#: A silent peer is gone within so many seconds.
SILENT_S = 45.0

CONFIG = """\
game = ["nets=benchmarks.nets.game.Nets"]
secret-file = "secret"
"""

#: Is told what is done.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Profile:
    """A bad network.

    Attributes:
        name: It, as on the command line.
        conditions: What it is like all the time.
        cut_s: For so long, once, nothing gets through, in seconds; 0 for no cut.
        silent: Once, all connections there are go silent for good.
    """

    name: str
    conditions: Conditions = field(default_factory=Conditions)
    cut_s: float = 0.0
    silent: bool = False


@dataclass
class Result:
    """What one run showed.

    Attributes:
        profile: On which network.
        lost: What is wrong with lines and actions, in words.
        unequal: What is wrong with worlds, in words.
        felt: What the players behind the bad network felt.
        seconds: How long they played.
        broken_s, healed_s: When the fault began and ended, of the monotonic clock; None without one.
        lines: Lines that are kept.
        refused: Why lines and actions were refused, and how often.
        counts: What the relay counted.
    """

    profile: Profile
    lost: list[str]
    unequal: list[str]
    felt: list[Felt]
    seconds: float
    broken_s: float | None
    healed_s: float | None
    lines: int
    refused: Counter[str]
    counts: dict[str, int]


class Run:
    """One run of one profile.

    Args:
        profile: The network.
        folder: Where data and logs go; made.
        players: How many are behind the network.
        seconds: How long they are to play; longer, if the profile's fault wants it.
        seed: Chooses what suffers, and what players do.

    Attributes:
        seconds: How long they play.
    """

    def __init__(self, profile: Profile, folder: Path, players: int, seconds: float, seed: int) -> None:
        self._profile = profile
        self._folder = folder
        self._count = players
        self._seed = seed
        self._begin_s = min(BEGIN_SHARE * seconds, BEGIN_S)
        fault_s = profile.cut_s or (SILENT_S if profile.silent else 0.0)
        self.seconds = max(seconds, self._begin_s + fault_s + AFTER_S) if fault_s else seconds
        folder.mkdir(parents=True)

    def run(self, say: Say) -> Result:
        """Do it.

        Raises:
            NoNamespaces: There can be no namespaces here.
            RunFailed: A process failed.
        """
        with ExitStack() as stack:
            names = stack.enter_context(Namespaces())
            server = self._serve(names)
            stack.callback(server.stop)
            relay = self._child(stack, "the relay", "benchmarks.nets.relay", names.players, names.server, str(self._seed),
                                json.dumps(vars(self._profile.conditions)))  # fmt: skip
            if relay.answer(START_S) != "ready":
                raise RunFailed("the relay is not ready")
            groups = [
                self._players(stack, names.players, "far", self._count, SERVER_ADDRESS),
                self._players(stack, names.server, "near", NEAR, "127.0.0.1"),
            ]
            try:
                for group in groups:
                    group.answer(START_S)
                broken_s, healed_s, counts = self._play(groups, relay, say)
            except RunFailed as error:
                (self._folder / "server.log").write_text(server.stop())
                raise RunFailed(f"{error}; logs are in {self._folder}") from None
        return self._judge(broken_s, healed_s, counts)

    def _serve(self, names: Namespaces) -> Server:
        (self._folder / "secret").write_bytes(SECRET)
        (self._folder / "meteor.toml").write_text(CONFIG)
        twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile=", "meteor"]
        options = ["--listen", f"tcp:{PORT}:interface=0.0.0.0", "--config", str(self._folder / "meteor.toml")]
        options += ["--data-dir", str(self._folder / "data"), "--python-path", str(REPOSITORY)]
        env = {**os.environ, LOG: str(self._folder / "marks.ndjson")}
        return Server(PORT, within(names.server, [*twistd, *options]), env)

    def _child(self, stack: ExitStack, name: str, module: str, *options: str, namespace: str | None = None) -> Child:
        command = [sys.executable, "-m", module, *options]
        log = self._folder / f"{name.replace(' ', '-')}.log"
        child = Child(name, command if namespace is None else within(namespace, command), log)
        stack.callback(child.end)
        return child

    def _players(self, stack: ExitStack, namespace: str, name: str, count: int, address: str) -> Child:
        outcome = str(self._folder / f"{name}.pickle")
        return self._child(
            stack, f"the {name} players", "benchmarks.nets.players", "--url", f"ws://{address}:{PORT}", "--count", str(count),
            "--name", name, "--seed", str(self._seed), "--outcome", outcome, namespace=namespace,
        )  # fmt: skip

    def _play(self, groups: list[Child], relay: Child, say: Say) -> tuple[float | None, float | None, dict[str, int]]:
        """Let them play; tell when the fault was, and what the relay counted meanwhile."""
        broken_s = healed_s = None
        began_s = time.monotonic()
        all_do(groups, "play")
        if self._profile.cut_s or self._profile.silent:
            self._wait(self._begin_s, say, "playing")
            broken_s = healed_s = time.monotonic()
            if self._profile.silent:
                command(relay, "silence")
            else:
                command(relay, "cut")
                self._wait(self._profile.cut_s, say, "cut off")
                healed_s = time.monotonic()
                command(relay, "heal")
        self._wait(began_s + self.seconds - time.monotonic(), say, "playing")
        counts = command(relay, "count")
        say("waiting until all is answered and heard")
        last = max(map(int, all_do(groups, "hush")))
        all_do(groups, f"hear {last}")
        say("comparing")
        all_do(groups[1:], "rest")
        all_do(groups, "judge")
        return broken_s, healed_s, counts

    def _wait(self, seconds: float, say: Say, what: str) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            say(f"{what}, {left_s:.0f} s more")
            time.sleep(min(1.0, left_s))

    # --- afterwards ---

    def _judge(self, broken_s: float | None, healed_s: float | None, counts: dict[str, int]) -> Result:
        outcomes: list[Outcome] = [pickle.loads((self._folder / f"{name}.pickle").read_bytes()) for name in ("far", "near")]
        epochs = set().union(*(outcome.epochs for outcome in outcomes))
        lines = history(self._folder / "data" / "meteor.sqlite3")
        histories = {(ROOM, epoch): lines for epoch in epochs}
        lost = check_histories(histories)
        if len(epochs) != 1:
            lost.append(f"the channel has had {len(epochs)} epochs: {sorted(epochs)}")
        marks = applied(self._folder / "marks.ndjson")
        refused: Counter[str] = Counter()
        for outcome in outcomes:
            for log in outcome.logs:
                lost += [*check_lines(log, histories), *check_actions(log, marks.get(log.name, []))]
                refused.update(f"line: {line.refused}" for line in log.said.values() if line.refused)
                refused.update(f"mark: {done.answer[1]}" for done in log.acted if done.answer and done.answer[0] == "refused")
        unequal = [text for outcome in outcomes for text in outcome.unequal]
        return Result(
            self._profile, lost, unequal, outcomes[0].felt, self.seconds, broken_s, healed_s, len(lines), refused, counts
        )


def history(database: Path) -> list[StoredLine]:
    """All lines of the room that the server kept."""
    engine = create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            return reading.lines(connection, ROOM, -1, 1_000_000, "")
    finally:
        engine.dispose()


def applied(path: Path) -> dict[str, list[DoneAction]]:
    """What the handler was given of each user's, in order, and what it answered."""
    marks: dict[str, list[DoneAction]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        user, number, answer = json.loads(line)
        marks.setdefault(user, []).append(DoneAction(number, (answer[0], answer[1])))
    return marks


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of them lies; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def felt(result: Result) -> dict[str, Any]:
    """The row of the table that tells what players felt."""
    players = result.felt
    intervals = [interval for player in players for interval in player.intervals_s]
    row: dict[str, Any] = {
        "p50 ms": 1000 * percentile(intervals, 0.5),
        "p99 ms": 1000 * percentile(intervals, 0.99),
        "longest s": max(intervals, default=float("nan")),
        "resumed": sum(player.resumed for player in players),
        "anew": sum(player.anew - 1 for player in players),
        "KB/s": sum(player.bytes_in for player in players) / len(players) / result.seconds / 1000,
        "on the wire": result.counts["down_bytes"] / len(players) / result.seconds / 1000,
        "dropped %": 100 * result.counts["dropped"] / max(1, result.counts["packets"] + result.counts["dropped"]),
    }
    if result.broken_s is not None and result.healed_s is not None:
        noticed = [at for player in players if (at := player.noticed_s(result.broken_s)) is not None]
        back = [player.back_s(result.healed_s) for player in players]
        row |= {"noticed s": max(noticed, default=None), "back p50 s": percentile(back, 0.5), "back max s": max(back)}
    return row
