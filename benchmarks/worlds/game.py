"""Our side: a room whose rows and players move as the motions say, and whose players see what is near them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

from meteor_net import Cells, Game, IPlayer
from meteor_net.state import Angle, Fixed, Local, Table, UInt

from .scene import LARGE, SMALL, STEPS, Scene

#: Names in the environment: a file that tells of the room, made anew each second; whether equal views are joined anew for each.
TOLD_FILE, NO_SHARING = "WORLDS_TOLD_FILE", "WORLDS_NO_SHARING"


def movers(scene: Scene) -> type[Table]:
    """Make the table of a scene: as in the comparison of all rows, and told by cells."""

    class Mover(Table):
        max_rows = scene.rows
        x = Fixed(step=scene.size / STEPS, low=0, high=scene.size, wrap=True)
        y = Fixed(step=scene.size / STEPS, low=0, high=scene.size, wrap=True)
        angle = Angle(bits=16)
        hp = UInt(8, default=100)
        skin = UInt(8, default=3)
        cell = Cells(scene.cell, sight=scene.radius)

    return Mover


class Eye(Table):
    """Where a player looks from; nothing of it is sent."""

    x, y, number = Local(float), Local(float), Local(int)


class Watching(Game):
    """Plays a scene. A player's name ends in its number among the viewers."""

    scene: ClassVar[Scene]
    max_players = 1_000

    def opened(self) -> None:
        """Rows begin where the motion does."""
        self.rows, self.walks = self.scene.motion.values, self.scene.walks.values
        for _ in range(self.scene.rows):
            self.world.mover.spawn()
        room: Any = self.room
        room.feed.stream.sights.share = NO_SHARING not in os.environ
        self.move()

    def joined(self, player: IPlayer) -> None:
        """One more looks on."""
        player.row = self.world.eye.spawn(number=int(player.name.split()[-1]))
        self.look()

    def tick(self, dt: float) -> None:
        """Move all."""
        self.move()
        self.look()
        if self.room.tick % self.tick_hz == 0 and TOLD_FILE in os.environ:
            self._tell(Path(os.environ[TOLD_FILE]))

    def move(self) -> None:
        """Put the rows where the motion has them."""
        table = self.world.mover
        table.x, table.y, table.angle = self.rows[self.scene.place(self.room.tick)]

    def look(self) -> None:
        """Let the players look from where the motion has them."""
        eye = self.world.eye
        eye.x, eye.y = self.walks[self.scene.place(self.room.tick), :2].take(eye.number, axis=1)

    def _tell(self, path: Path) -> None:
        """Tell how many different views there are."""
        players: list[Any] = self.room.players
        views = len({id(player.sight) for player in players})
        path.write_text(json.dumps({"players": len(players), "views": views}))


class Small(Watching):
    """2,000 rows."""

    scene = SMALL
    tables = (movers(SMALL), Eye)


class Large(Watching):
    """10,000 rows."""

    scene = LARGE
    tables = (movers(LARGE), Eye)
