"""A room and players for the game's tests: the world is a real one, and what the game says goes into lists."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from zope.interface import implementer

from meteor_net import IPlayer, IRoom, World
from meteor_net.drift import Drift
from meteor_net.drift.world import Craft, Steer
from meteor_net.state import Schema, Stream
from meteor_net.state.own import OwnFields, input_ints


@implementer(IPlayer)
class FakePlayer:
    """A player that notes what it is told."""

    online = True
    round_trip_ms = None
    seen = 0.0
    key = 0
    team = None

    def __init__(self, name: str, room: Any, role: str = "play") -> None:
        self.user = f"user-{name}"
        self.name = name
        self.role = role
        self.room = room
        self.row: Any = None
        self.helm = Steer()
        self.data: dict[Any, Any] = {}
        self.told: list[Any] = []

    @property
    def rows(self) -> list[Any]:
        return [] if self.row is None else [self.row]

    def look(self, x: float | None = None, y: float | None = None, reach: float | None = None) -> None:
        self.told.append((x, y, reach))

    def say(self, text: str) -> None:
        self.told.append(text)

    def tell(self, to: str, text: str) -> None:
        self.told.append((to, text))

    def emit(self, event: object) -> None:
        self.told.append(event)

    def remove(self, text: str = "") -> None:
        self.told.append(("removed", text))


@implementer(IRoom)
class FakeRoom:
    """A room that notes what is said, with a game in it that was opened."""

    name = "drift/main"
    tick = 1

    def __init__(self, seed: int = 1) -> None:
        self.random = Random(seed)
        self.rng = np.random.default_rng(seed)
        self.players: list[Any] = []
        self.notices: list[str] = []
        self.events: list[Any] = []
        self.saves = 0
        game: Any = Drift()
        schema = Schema(tables=list(game.tables), actions=list(game.actions), events=list(game.events))
        self.world: Any = World(schema, epoch=1)
        self.game = game
        self.game.room = self
        self.game.opened()

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def say(self, player: Any, text: str, kind: int = 0, data: Any = None) -> None:
        self.notices.append(f"{player.name}: {text}")

    def mute(self, user: str, seconds: float) -> None:
        self.notices.append(f"{user} is muted")

    def emit(self, event: object) -> None:
        self.events.append(event)

    def rewind(self, tick: float) -> Any:
        return self.world

    def save(self) -> None:
        self.saves += 1

    def join(self, name: str, role: str = "play") -> FakePlayer:
        """Let somebody in."""
        player = FakePlayer(name, self, role)
        self.players.append(player)
        self.game.joined(player)
        return player

    def leave(self, player: FakePlayer) -> None:
        """Let somebody go."""
        self.players.remove(player)
        self.game.left(player)

    def run(self, seconds: float) -> None:
        """Let time pass: each player's step, then the game's tick."""
        own = OwnFields([Craft])
        for _ in range(round(seconds * 20)):
            for player in self.players:
                if player.row is not None:
                    i = input_ints(Steer)(player.helm)
                    own.move(player.rows, self.game.steps[Steer], i)
            self.game.tick(0.05)
            self.tick += 1

    def calm(self) -> None:
        """Take all that drifts out of the way, but one small meteorite in a corner."""
        for table in (self.world.meteor, self.world.bottle):
            for row in table:
                row.despawn()
        self.world.meteor.spawn(x=1, y=1, radius=10)
        Stream(self.world).commit(1)  # only then do the columns end where the last row does
