"""A small game with all that can be recorded: tables, keyed ones too, texts, documents, events, lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from meteor_net import Action, Event, Fixed, Game, Input, Refused, Table, Team, Text, UInt, handles
from meteor_net.interfaces import StoredLine
from meteor_net.replay import Recorder, record
from meteor_net.state import Version
from meteor_net.testing import GameTestCase


class Boat(Table):
    """A row for each player; one that moves all the time."""

    x = Fixed(step=1 / 16, low=0, high=256, wrap=True)
    name = Text(24)


class Mine(Table):
    """What only one team sees."""

    team = Team()
    x = UInt(bits=8)


class Row(Input):
    """An input."""

    by = UInt(bits=4)


class Lay(Action):
    """An action: another mine."""

    x = UInt(bits=8)


class Boom(Event):
    """An event."""

    size = UInt(bits=8)


class Cove(Game):
    """The game."""

    tables, events, tick_hz = (Boat, Mine), (Boom,), 10
    documents = ("match",)

    def opened(self) -> None:
        self.world.match = {"round": 1}
        self.drift = self.world.boat.spawn(x=0, name="drift")

    def joined(self, player: Any) -> None:
        player.row = self.world.boat.spawn(x=10, name=player.name)
        self.room.notice(f"{player.name} comes")

    @handles(Row)
    def row(self, player: Any, row: Row) -> None:
        player.row.x += row.by

    @handles(Lay)
    def lay(self, player: Any, lay: Lay) -> int:
        if lay.x == 0:
            raise Refused("not there")
        self.world.mine.spawn(x=lay.x, team=1)
        self.world.match["mines"] = len(self.world.mine)
        self.room.emit(Boom(size=lay.x))
        return int(lay.x)

    def tick(self, dt: float) -> None:
        self.drift.x += 1


class Watched:
    """Notes the versions of a room, whole, beside a recorder."""

    def __init__(self, room: Any) -> None:
        self.versions: dict[int, Version] = {}
        self._room = room
        room.observers.add(self)
        self.ticked(0, ())

    def ticked(self, tick: int, events: Any) -> None:
        """Take the newest version."""
        version = self._room.feed.stream.version
        self.versions[version.tick] = version

    def line(self, line: StoredLine) -> None:
        """Nothing."""

    def closed(self) -> None:
        """Nothing."""


class CoveCase(GameTestCase):
    """A cove, and a recording of it."""

    game = Cove

    def recorded(self) -> Recorder:
        """Record the room; nothing is there yet but ann."""
        self.ann = self.player("ann")
        self.watched = Watched(self.room)
        return record(self.room, self.mktemp())

    def film(self, seconds: float = 12.0) -> Path:
        """Make a recording of so many seconds, in which something happens."""
        recorder = self.recorded()
        self.advance(seconds / 3)
        self.ann.act(Lay(x=7))
        self.ann.say("a mine!")
        self.advance(seconds / 3)
        self.ann.act(Row(by=3))
        bob = self.player("bob")
        self.advance(seconds / 3)
        bob.leave()
        recorder.close()
        return recorder.file.path
