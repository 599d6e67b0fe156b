"""Fan-out: 400 connections are sent the same 100 bytes, 20 times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median

from ..server import Server, part_cores
from ..state.progress import say
from ..worlds.load import Crowd, Viewer, Window
from ..worlds.ours import OurViewer
from .servers import Hearer, floor, ours, ws

HEARERS = 400
ROUNDS, SECONDS, WARM_S = 3, 8.0, 1.5


async def window(server: Server, make: Callable[[int], Viewer], hearers: int, seconds: float) -> Window:
    """Let hearers in, count, and let them go."""
    server.wait()
    part_cores(server.pid)
    crowd = Crowd([make(number) for number in range(hearers)])
    await crowd.enter(server.port)
    await asyncio.sleep(WARM_S)
    counted = await crowd.window(server.pid, seconds)
    await crowd.leave()
    return counted


def measure(folder: Path, rounds: int = ROUNDS, seconds: float = SECONDS) -> dict[str, float]:
    """Compare; the server's CPU for a frame.

    Returns:
        Figure -> value.
    """
    sides: dict[str, tuple[Callable[[], Server], Callable[[int], Viewer]]] = {
        "ours": (lambda: ours(folder), OurViewer),
        "ws": (ws, Hearer),
        "floor": (lambda: floor(folder), Hearer),
        "ours again": (lambda: ours(folder), OurViewer),
    }
    us: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, (start, make) in sides.items():
            server = start()
            try:
                counted = asyncio.run(window(server, make, HEARERS, seconds))
            finally:
                server.stop()
            us[name].append(counted.cpu_ms * 1000 / HEARERS)
            say(
                f"round {number + 1}: {name}: {us[name][-1]:.1f} µs a frame, {counted.bytes:.0f} bytes, {counted.hz:.1f} Hz,"
                f" load on {counted.load:.0%} of its core"
            )
    typical = {name: median(values) for name, values in us.items()}
    say(", ".join(f"{name} {value:.1f} µs" for name, value in typical.items()))
    say(f"A/A: {typical['ours again'] / typical['ours']:.2f}")
    return {"fanout-ws-ratio": typical["ours"] / typical["ws"], "fanout-floor-ratio": typical["ours"] / typical["floor"]}
