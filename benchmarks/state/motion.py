"""The motion of many rows, made once into a file that both sides of a comparison replay.

The file holds little-endian 64-bit floats, tick after tick: x of all rows, y of all, angle of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIZE = 4096.0
TICK_HZ = 20
ROWS, TICKS = 1_000, 600
SEED = 1
#: Speeds, in units a second.
SLOWEST, FASTEST = 20.0, 120.0
#: Radians a tick.
HEADING_NOISE, TURN_NOISE, TURN_DAMPING = 0.1, 0.02, 0.9
SPEED_NOISE = 0.05


@dataclass(frozen=True)
class Motion:
    """Where each row is at each tick.

    Attributes:
        name: Of the file.
        values: Shape (ticks, 3, rows): x and y below the size of the world, and an angle in radians.
    """

    name: str
    values: Floats

    @property
    def ticks(self) -> int:
        """How many there are."""
        return int(self.values.shape[0])

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.values.shape[2])

    def save(self, folder: Path) -> Path:
        """Write the file, for a peer to read."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.f64"
        path.write_bytes(self.values.astype("<f8").tobytes())
        return path


def wandering(
    rows: int = ROWS,
    ticks: int = TICKS,
    seed: int = SEED,
    size: float = SIZE,
    speeds: tuple[float, float] = (SLOWEST, FASTEST),
) -> Motion:
    """Rows that wander: heading and speed change a little each tick, and the angle turns at a rate that drifts.

    Args:
        rows: How many.
        ticks: How long.
        seed: Tells which of all such motions.
        size: Of the world, at whose borders places wrap.
        speeds: The slowest and the fastest, in units a second.
    """
    random = np.random.default_rng(seed)
    place, heading, speed, angle = _start(random, rows, size, speeds)
    turn = np.zeros(rows)
    values = np.empty((ticks, 3, rows))
    for tick in range(ticks):
        values[tick] = *place, angle
        heading += random.normal(0, HEADING_NOISE, rows)
        speed *= 1 + random.uniform(-SPEED_NOISE, SPEED_NOISE, rows)
        np.clip(speed, *speeds, out=speed)
        turn = turn * TURN_DAMPING + random.normal(0, TURN_NOISE, rows)
        angle = (angle + turn) % (2 * np.pi)
        place = (place + speed / TICK_HZ * np.array([np.cos(heading), np.sin(heading)])) % size
    name = f"wandering-{rows}x{ticks}-{seed}"
    if (size, speeds) != (SIZE, (SLOWEST, FASTEST)):
        name += f"-{size:g}-{speeds[0]:g}to{speeds[1]:g}"
    return Motion(name, values)


def constant(rows: int = ROWS, ticks: int = TICKS, seed: int = SEED) -> Motion:
    """Rows that keep their velocity and their turn rate."""
    random = np.random.default_rng(seed)
    place, heading, speed, angle = _start(random, rows, SIZE, (SLOWEST, FASTEST))
    turn = random.normal(0, TURN_NOISE, rows)
    values = np.empty((ticks, 3, rows))
    way = speed / TICK_HZ * np.array([np.cos(heading), np.sin(heading)])
    for tick in range(ticks):
        values[tick, :2] = (place + tick * way) % SIZE
        values[tick, 2] = (angle + tick * turn) % (2 * np.pi)
    return Motion(f"constant-{rows}x{ticks}-{seed}", values)


def _start(
    random: np.random.Generator, rows: int, size: float, speeds: tuple[float, float]
) -> tuple[Floats, Floats, Floats, Floats]:
    place = random.uniform(0, size, (2, rows))
    heading = random.uniform(0, 2 * np.pi, rows)
    speed = random.uniform(*speeds, rows)
    return place, heading, speed, random.uniform(0, 2 * np.pi, rows)
