"""The game of the storm: a hundred players in each room, who look at crafts that drift; the server's loop is watched."""

from __future__ import annotations

import os
from pathlib import Path

from meteor_net import Game
from meteor_net.state import Angle, Fixed, Table

from .stalls import Probe

#: Name in the environment of the file that takes the beats of the server's loop.
BEATS_FILE = "STORM_BEATS_FILE"

GAME, PER_ROOM = "storm", 100
#: Rows of each room, and seconds between two moves.
CRAFTS, MOVES_EACH = 200, 5
SECRET = b"only for a benchmark on loopback, never for players"
#: All players come from one address, and the historian; nobody is refused for that, or for coming in all rooms of it.
CONFIG = f"""\
game = ["{GAME}=benchmarks.recovery.storm_game.Drifting"]
secret-file = "secret"

[limits]
connections_per_address = 5000
pages_per_s = 1000
pages_burst = 1000
"""


class Craft(Table):
    """One of those that drift."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    heading = Angle(bits=10)


class Drifting(Game):
    """Crafts that drift, seldom: two thousand whole clients, who decode each frame, have one core."""

    tables = (Craft,)
    tick_hz = 1
    max_players = PER_ROOM + 1

    def opened(self) -> None:
        """They are there from the beginning."""
        for _ in range(CRAFTS):
            x, y, heading = (self.random.uniform(0, most) for most in (4096, 4096, 6.28))
            self.world.craft.spawn(x=x, y=y, heading=heading)

    def tick(self, dt: float) -> None:
        """Move all, now and then."""
        if self.room.tick % MOVES_EACH == 0:
            self.world.craft.x += 1.0


def configure(folder: Path) -> list[str]:
    """Write a server's configuration, and give the options that name it; see `benchmarks.chat.hall`."""
    (folder / "secret").write_bytes(SECRET)
    config = folder / "meteor.toml"
    config.write_text(CONFIG)
    return ["--config", str(config), "--data-dir", str(folder / "data"), "--python-path", str(Path(__file__).parents[2])]


def _watch() -> None:
    from twisted.internet import reactor

    probe = Probe(Path(os.environ[BEATS_FILE]), reactor)
    reactor.callWhenRunning(probe.start)


if BEATS_FILE in os.environ:
    _watch()
