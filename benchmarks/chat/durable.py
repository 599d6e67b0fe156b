"""Lines that are kept for good, to a hundred hearers, beside a peer that keeps none: how many, and how late."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median

from ..server import Server, free_port, meteor, part_cores
from ..state.progress import say, shown
from . import peer
from .databases import DATABASES, check_disk
from .hall import configure
from .light import Hearer, MeteorHearer, PeerHearer
from .load import HEARERS, Crowd

ROUNDS = 7
THROUGHPUT_S, LATENCY_S = 4.0, 5.0
OUT = Path(__file__).parents[1] / "out"
PEER = "python-socketio"


@contextmanager
def ours(name: str) -> Iterator[Server]:
    """Run our server with a database; both serve on one core."""
    OUT.mkdir(exist_ok=True)
    check_disk(OUT)
    check_disk(Path(tempfile.gettempdir()))  # where PostgreSQL has its cluster
    # beside the repository's files, for the folder of temporary ones may be in memory, where a flush costs nothing
    with tempfile.TemporaryDirectory(dir=OUT) as folder, DATABASES[name](Path(folder) / "data") as database:
        part_cores(*database.pids)
        server = meteor(free_port(), *configure(Path(folder)), *database.options)
        try:
            server.wait()
            part_cores(server.pid)
            yield server
        finally:
            server.stop()


@contextmanager
def theirs() -> Iterator[Server]:
    """Run the peer's server."""
    server = peer.start()
    try:
        server.wait()
        part_cores(server.pid)
        yield server
    finally:
        server.stop()


SERVERS: dict[str, tuple[Callable[[], AbstractContextManager[Server]], type[Hearer]]] = {
    PEER: (theirs, PeerHearer),
    **{name: (lambda name=name: ours(name), MeteorHearer) for name in DATABASES},  # type: ignore[misc]
}


async def _run(port: int, kind: type[Hearer], rate: float | None) -> float:
    crowd = Crowd()
    await crowd.enter([kind(f"hearer {number}", crowd.heard) for number in range(HEARERS)], port)
    result = await (crowd.throughput(THROUGHPUT_S) if rate is None else crowd.latency(rate, LATENCY_S))
    crowd.leave()
    return result


def _rounds(what: str, rates: dict[str, float | None]) -> dict[str, list[float]]:
    """Measure each server in turn, again and again, each time a fresh one; values in the order of the rounds."""
    found: dict[str, list[float]] = {name: [] for name in rates}
    turns = [name for _ in range(ROUNDS) for name in rates]
    for name in shown(turns, what):
        start, kind = SERVERS[name]
        with start() as server:
            found[name].append(asyncio.run(_run(server.port, kind, rates[name])))
    return found


def _range(values: list[float], scale: float = 1) -> str:
    return f"{median(values) * scale:.3g} ({min(values) * scale:.3g} to {max(values) * scale:.3g})"


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios: what disturbs a round disturbs both sides of it."""
    return median(our / their for our, their in zip(ours, theirs, strict=True))


def measure() -> dict[str, float]:
    """Measure how many lines go through, then how late they are at half of what both carry.

    Raises:
        PeerError: The peer could not be installed.
        ConnectionError: Lines were lost on the way, or hearers.
    """
    say(f"beside {peer.install()}: {HEARERS} hearers, {ROUNDS} rounds in turn, medians")
    lines = _rounds("throughput", dict.fromkeys(SERVERS))
    for name, values in lines.items():
        say(f"  {name}: {_range(values)} lines/s heard by all")
    most = {name: median(values) for name, values in lines.items()}
    measured: dict[str, float] = {}
    for name in DATABASES:
        measured[f"chat-durable-{name}-ratio"] = _ratio(lines[name], lines[PEER])
        # a rate that both carry: beyond its own the peer's lines would be late without end
        rate = min(most[name], most[PEER]) / 2
        late = _rounds(f"latency, {name}", {PEER: rate, name: rate})
        for each, values in late.items():
            say(f"  {each}: 99 % seen within {_range(values, 1000)} ms at {rate:.0f} lines/s")
        measured[f"chat-durable-{name}-p99-ratio"] = _ratio(late[name], late[PEER])
    measured["chat-durable-ratio"] = min(measured[f"chat-durable-{name}-ratio"] for name in DATABASES)
    measured["chat-durable-p99-ratio"] = max(measured[f"chat-durable-{name}-p99-ratio"] for name in DATABASES)
    return measured
