"""A small game for tests of the server, a neighbour who looks whether anything is amiss, and strangers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred

from meteor_net import Action, Choice, Event, Fixed, Flag, Game, Input, Refused, Table, Text, UInt, handles
from meteor_net.testing import GameTestCase, PlayerHandle
from tests.server.stranger import Stranger, knock


class Ship(Table):
    """A row for each player."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    name = Text(24)


class Tide(Table):
    """One row that changes at each tick."""

    height = UInt(bits=20)


class Steer(Input):
    """Moves a ship."""

    thrust = Flag()


class Buy(Action):
    """Something that can go wrong in every way."""

    what = Choice("bottle", "sail", "storm", "fog", "calm")


class Horn(Event):
    """Heard by all."""

    x = Fixed(step=1 / 16, low=0, high=4096)


class Harbour(Game):
    """Ships and a tide."""

    tables, events, max_players = (Ship, Tide), (Horn,), 3

    def opened(self) -> None:
        self.tide = self.world.tide.spawn()
        self.told: list[str] = []

    def joined(self, player: Any) -> None:
        if player.name == "pirate":
            raise Refused("no pirates here")
        player.row = self.world.ship.spawn(x=100, name=player.name)
        self.told.append(f"{player.name} joined")

    def away(self, player: Any) -> None:
        self.told.append(f"{player.name} away")

    def back(self, player: Any) -> None:
        self.told.append(f"{player.name} back")

    def left(self, player: Any) -> None:
        super().left(player)
        self.told.append(f"{player.name} left")

    @handles(Steer)
    def steer(self, player: Any, steer: Steer) -> None:
        player.row.x += 1 if steer.thrust else 0

    @handles(Buy)
    def buy(self, player: Any, buy: Buy) -> Any:
        if buy.what == "sail":
            raise Refused("no sails today")
        if buy.what == "storm":
            raise ValueError("the shelf fell over")
        if buy.what == "fog":
            late: Deferred[Any] = Deferred()
            self.room.asked = late  # type: ignore[attr-defined]
            return late
        self.room.emit(Horn(x=player.row.x))
        return f"a {buy.what}"

    def tick(self, dt: float) -> None:
        self.tide.height = self.room.tick


class HarbourCase(GameTestCase):
    """A room with a neighbour in it.

    Whatever happens to others, the neighbour gets each tick's frame in time, stays online, and sees the server's world.
    """

    game = Harbour

    def setUp(self) -> None:
        super().setUp()
        self.neighbour = self.neighbour_comes()

    def neighbour_comes(self) -> PlayerHandle:
        """Let the neighbour in, who notes each frame."""
        neighbour = self.newcomer("neighbour")
        self.frames: list[tuple[int, float]] = []
        neighbour.game.on("frame", lambda tick: self.frames.append((tick, self.network.clock.seconds())))
        self.wait(neighbour.game.connect())
        return neighbour

    def check_neighbour(self) -> None:
        """The neighbour has noticed nothing."""
        self.advance(0.5)
        ticks, times = zip(*self.frames[1:], strict=True)
        self.assertEqual(list(ticks), list(range(ticks[0], ticks[0] + len(ticks))))
        late = [second - first for first, second in pairwise(times)]
        self.assertLess(max(late) - 0.05, 0.001 + self.jitter_s)
        self.assertEqual(self.neighbour.statuses, ["connecting", "online"])
        self.assertEqual(self.neighbour.gaps, [])
        self.assertGreaterEqual(ticks[-1] + 2, self.room.tick)
        self.assertEqual(self.neighbour.world.tide[0].height, ticks[-1])
        self.assertEqual(self.neighbour.say("all is well") >= 0, True)

    def stranger(self, **headers: str | None) -> Stranger:
        """Let a stranger connect, and let its upgrade be answered."""
        stranger = self.wait(knock(self.network.wire("stranger"), **headers))
        self.advance(0.1)
        assert isinstance(stranger, Stranger)
        return stranger

    def known(self, name: str | None = "stranger") -> Stranger:
        """Let a stranger connect and say HELLO."""
        stranger = self.stranger()
        stranger.hello(name)
        self.advance(0.1)
        return stranger

    def inside(self, name: str = "stranger") -> Stranger:
        """Let a stranger into the neighbour's room."""
        stranger = self.known(name)
        stranger.join()
        self.advance(0.2)
        return stranger
