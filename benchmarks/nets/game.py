"""The game that is played: boats that steer, buoys that drift, marks that are counted; it writes down what it did."""

from __future__ import annotations

import json
import os
from typing import Any, ClassVar

import numpy as np
from twisted.internet import reactor
from twisted.internet.task import deferLater

from meteor_net import Action, Angle, Fixed, Flag, Game, Input, IPlayer, Refused, Table, Text, UInt, handles

ROOM = "nets/main"
SECRET = b"only for a benchmark in a namespace, never for players"
#: Names the file that the handlers write to: [user, number of the mark, answer] a line.
LOG = "NETS_LOG"
BUOYS, EDGE = 100, 4_096
#: Every n-th mark is refused, every n-th is answered with nothing, every n-th late, in seconds.
REFUSED, SILENT, LATE, LATE_S = 7, 4, 5, 0.4


class Boat(Table):
    """A player's."""

    x = Fixed(step=1 / 16, low=0, high=EDGE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=EDGE, wrap=True)
    heading = Angle(bits=10)
    marks = UInt(bits=16)
    away = Flag()
    name = Text(24)


class Buoy(Table):
    """Drifts by itself, so that there is news in every tick."""

    x = Fixed(step=1 / 16, low=0, high=EDGE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=EDGE, wrap=True)


class Steer(Input):
    """Turn: only the newest counts."""

    turn = Fixed(step=1 / 64, low=-1, high=1)


class Mark(Action):
    """Count: each, once, in order."""

    number = UInt(bits=24)


class Rest(Action):
    """Let nothing move any more, so that all can be compared."""


class Weigh(Action):
    """Tell what the world is: [epoch, checksum of the newest version]."""


class Nets(Game):
    """The game."""

    tables: ClassVar = [Boat, Buoy]
    tick_hz = 20
    max_players = 100

    def opened(self) -> None:
        """Lay out the buoys."""
        self._resting = False
        self._marks: dict[str, int] = {}
        self._log = open(os.environ[LOG], "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # closed with the room
        for _ in range(BUOYS):
            self.world.buoy.spawn(x=self.random.uniform(0, EDGE), y=self.random.uniform(0, EDGE))

    def joined(self, player: IPlayer) -> None:
        """Give a boat to who plays."""
        if player.role == "play":
            player.row = self.world.boat.spawn(x=EDGE / 2, y=EDGE / 2, name=player.name)

    def away(self, player: IPlayer) -> None:
        """All see it."""
        if player.row is not None:
            player.row.away = True

    def back(self, player: IPlayer) -> None:
        """Likewise."""
        if player.row is not None:
            player.row.away = False

    @handles(Steer)
    def steer(self, player: IPlayer, steer: Steer) -> None:
        """Turn."""
        if not self._resting:
            player.row.heading += steer.turn * 0.2

    @handles(Mark)
    async def mark(self, player: IPlayer, mark: Mark) -> int | None:
        """Count a mark, and tell how many that is; some are refused, some are answered late, some not."""
        number = int(mark.number)
        if number % REFUSED == 0:
            self._note(player, number, ("refused", "odd"))
            raise Refused("not this one", "odd")
        count = self._marks[player.user] = self._marks.get(player.user, 0) + 1
        if player.row.alive:
            player.row.marks = count % 2**16
        answer = None if number % SILENT == 0 else count
        self._note(player, number, ("done", answer))
        if number % LATE == 0:
            await deferLater(reactor, LATE_S)
        return answer

    def _note(self, player: IPlayer, number: int, answer: tuple[str, Any]) -> None:
        self._log.write(json.dumps([player.user, number, answer]) + "\n")

    @handles(Rest)
    def rest(self, player: IPlayer, rest: Rest) -> None:
        """Stop."""
        self._resting = True

    @handles(Weigh)
    def weigh(self, player: IPlayer, weigh: Weigh) -> list[int]:
        """Look at what players are to hold."""
        return [self.world.epoch, self.room.feed.stream.version.crc()]

    def tick(self, dt: float) -> None:
        """Move all."""
        if self._resting:
            return
        boat, buoy = self.world.boat, self.world.buoy
        boat.x += 40 * dt * np.cos(boat.heading)
        boat.y += 40 * dt * np.sin(boat.heading)
        buoy.x += 10 * dt
        buoy.y += 6 * dt

    def closed(self) -> None:
        """Close the file."""
        self._log.close()
