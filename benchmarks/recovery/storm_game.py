"""The game of the storm: a hundred in each room, each with a craft that drifts; the server's loop is watched."""

from __future__ import annotations

import os
from pathlib import Path

from meteor_net import Game, IPlayer
from meteor_net.state import Angle, Fixed, Local, Table

from .stalls import Probe

#: Name in the environment of the file that takes the beats of the server's loop.
BEATS_FILE = "STORM_BEATS_FILE"

GAME, PER_ROOM = "storm", 100
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
    """A player's."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    heading = Angle(bits=10)
    speed = Local(float)


class Drifting(Game):
    """Crafts that drift."""

    tables = (Craft,)
    tick_hz = 1
    max_players = PER_ROOM + 1

    def joined(self, player: IPlayer) -> None:
        """One more."""
        player.row = self.world.craft.spawn(x=self.random.uniform(0, 4096), y=self.random.uniform(0, 4096), speed=1.0)

    def left(self, player: IPlayer) -> None:
        """One less."""
        if player.row is not None:
            player.row.despawn()

    def tick(self, dt: float) -> None:
        """Move all, each fifth tick."""
        if self.room.tick % 5 == 0:
            crafts = self.world.craft
            crafts.x += crafts.speed * dt


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
