"""How the time of encoding grows with the rows."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import numpy as np

from .browser import decode_again
from .channel import CODINGS, DEFAULT, Channel, make_world
from .motion import wandering
from .plot import Line, log_plot
from .progress import say, shown
from .rows import OUT, Mover

COUNTS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
#: The exponent is that of the counts from here on.
LARGE = 1_000
TICKS, WARM_UP = 33, 8


class Left(Mover):
    """Half of the rows: 20,000 are more than one table holds."""


class Right(Mover):
    """The other half."""


def encode_ms(rows: int, coding: str) -> tuple[float, Channel]:
    """Let so many rows move, and give the median time of a commit and encode."""
    motion, half = wandering(rows, TICKS), rows // 2
    world = make_world(Left, Right)
    channel = Channel(world, coding)
    for table in world.tables:
        for _ in range(half):
            table.spawn()
    for values in motion.values:
        world.left.x, world.left.y, world.left.angle = values[:, :half]
        world.right.x, world.right.y, world.right.angle = values[:, half:]
        channel.send()
    return median(channel.encode_ns[WARM_UP:]) / 1e6, channel


def exponent(counts: list[int], times: list[float]) -> float:
    """Give e of the best fit of time = c * count ** e."""
    return float(np.polyfit(np.log(counts), np.log(times), 1)[0])


def measure() -> Mapping[str, float]:
    """Measure each count, and draw it."""
    say("growth: all rows move, in two tables; CPU of commit and encode")
    lines, exponents = [], {}
    for coding in CODINGS:
        encode_ms(COUNTS[0], coding)  # what is done for the first time takes longer
        made = [encode_ms(rows, coding) for rows in shown(COUNTS, f"growth, {coding}")]
        decode_again([channel for _, channel in made])
        times = [ms for ms, _ in made]
        say(f"  {coding}: {', '.join(f'{rows:,} rows {ms:.2f} ms' for rows, ms in zip(COUNTS, times, strict=True))}")
        large = [(rows, ms) for rows, ms in zip(COUNTS, times, strict=True) if rows >= LARGE]
        exponents[coding] = exponent([rows for rows, _ in large], [ms for _, ms in large])
        lines.append(Line(f"{coding}, exponent {exponents[coding]:.2f}", list(COUNTS), times))
    path = OUT / "rows-growth.svg"
    path.parent.mkdir(exist_ok=True)
    path.write_text(log_plot("commit and encode of a tick", "rows, all moving", "ms of CPU", lines), encoding="utf-8")
    say(f"  drawn: benchmarks/out/{path.name}")
    return {"rows-growth": exponents[DEFAULT]}
