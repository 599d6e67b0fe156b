"""The world that a client comes back to: a thousand rows that move as in `benchmarks.state.rows`, until its time is over.

Somebody is lost: the rows move on for so many ticks, and then stand still. What a client gets that comes back then is what it
missed, and nothing that happens while it comes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from meteor_net import Game, IPlayer

from ..state.motion import SIZE, Motion, wandering
from ..state.rows import Mover

#: Names in the environment: ticks that the world moves on.
TICKS = "THOUSAND_TICKS"
ROWS, LENGTH, HZ = 1_000, 600, 20
AWAY_S = 120.0
OUT = Path(__file__).parents[1] / "out"
CONFIG = f"""\
game = ["thousand=benchmarks.recovery.thousand.Thousand"]

[limits]
away_s = {AWAY_S}
"""


def motion() -> Motion:
    """The rows' way."""
    return wandering(ROWS, LENGTH, seed=1)


def place(turn: int) -> int:
    """The motion's tick at a turn of the world: forth and back, without an end."""
    turn %= 2 * LENGTH - 2
    return turn if turn < LENGTH else 2 * LENGTH - 2 - turn


def digest(columns: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> str:
    """Tell integers apart: 16 bits each, of the rows' x, y and angle, in the order of the rows."""
    return hashlib.sha256(columns.astype("<u2").tobytes()).hexdigest()


def digests() -> list[str]:
    """The digest of the world at each tick of the motion."""
    values = motion().values
    scale = np.array([65536 / SIZE, 65536 / SIZE, 65536 / (2 * np.pi)])[:, None]
    return [digest(np.floor(each * scale + 0.5).astype(np.int64) % 65536) for each in values]


class Thousand(Game):
    """Plays the motion."""

    tables = (Mover,)
    tick_hz = HZ

    def opened(self) -> None:
        """All rows are there from the beginning."""
        self.values = motion().values
        self.turn = 0
        self.left_ticks: int | None = None
        for _ in range(ROWS):
            self.world.mover.spawn()
        self.move()

    def away(self, player: IPlayer) -> None:
        """One is lost: so many ticks more."""
        self.left_ticks = int(os.environ[TICKS])

    def tick(self, dt: float) -> None:
        """Move, unless the time is over."""
        if self.left_ticks is not None:
            if self.left_ticks == 0:
                return
            self.left_ticks -= 1
        self.turn += 1
        self.move()

    def move(self) -> None:
        """Put the rows where the motion has them."""
        table = self.world.mover
        table.x, table.y, table.angle = self.values[place(self.turn)]


def configure(folder: Path) -> list[str]:
    """Write a server's configuration, and give the options that name it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "meteor.toml"
    config.write_text(CONFIG)
    return ["--config", str(config), "--data-dir", str(folder / "data"), "--python-path", str(Path(__file__).parents[2])]
