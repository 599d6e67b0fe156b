"""The game of the simulation: a little of everything that a world can hold and players can do."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.defer import Deferred

from meteor_net import Action, Cells, Event, Fixed, Flag, Game, Input, Owner, Refused, Table, Team, Text, UInt, handles
from meteor_net.testing.checks import DoneAction

SIZE = 512.0
#: What a deed does, by its `kind`.
COUNT, REFUSE, LATER, SAIL, RING, TRADE, KINDS = range(7)


class Buoy(Table):
    """Told to all; drifts."""

    max_rows = 32
    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    hits = UInt(bits=16)


class Boat(Table):
    """Told to who is near."""

    max_rows = 64
    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    name = Text(24)
    cell = Cells(32, sight=128)


class Order(Table):
    """Told to a team."""

    max_rows = 64
    text = Text(24)
    team = Team()


class Purse(Table):
    """Told to its owner."""

    max_rows = 64
    gold = UInt(bits=16)
    owner = Owner()


class Steer(Input):
    """Move the boat."""

    turn = Fixed(step=1 / 16, low=-1, high=1)
    thrust = Flag()


class Deed(Action):
    """Do one of several things; `who` and `number` tell which one of whose it is."""

    who = UInt(bits=16)
    number = UInt(bits=16)
    kind = UInt(bits=4)


class Bell(Event):
    """Rings; numbered within a world."""

    number = UInt(bits=16)


class Book:
    """What a test notes of the game from outside, over all lives of the server.

    Attributes:
        applied: By `who`: the deeds that the handler was given, in order, and what it answered.
        rung: By the world's epoch: how many bells rang.
        still: The sea does not move by itself any more.
        changed: The tick at which a player changed the world last: by a deed, which may have waited for another, or by leaving.
    """

    def __init__(self) -> None:
        self.applied: dict[int, list[DoneAction]] = {}
        self.rung: dict[int, int] = {}
        self.still = False
        self.changed = 0


class Sea(Game):
    """The game."""

    tables = (Buoy, Boat, Order, Purse)
    documents = ("score", "match")
    events = (Bell,)
    tick_hz = 4
    max_players = 16
    book: ClassVar[Book]

    def opened(self) -> None:
        self.book.changed = self.room.tick
        for _ in range(4):
            self.world.buoy.spawn(x=self.random.uniform(0, SIZE), y=self.random.uniform(0, SIZE))
        self.world.match = {"round": 0, "turns": []}
        self._teams = 0

    def joined(self, player: Any) -> None:
        self._teams += 1
        player.team = self._teams % 2
        player.row = self.world.boat.spawn(
            x=self.random.uniform(0, SIZE), y=self.random.uniform(0, SIZE), name=player.name
        )  # fmt: skip
        player.data["purse"] = self.world.purse.spawn(gold=10, owner=player)
        self.room.notice(f"{player.name} sails in")

    def away(self, player: Any) -> None:
        self.world.match.setdefault("away", {})[player.user] = self.room.tick

    def back(self, player: Any) -> None:
        self.world.match["away"].pop(player.user, None)

    def left(self, player: Any) -> None:
        super().left(player)
        self.book.changed = self.room.tick
        player.data["purse"].despawn()
        self.world.match.get("away", {}).pop(player.user, None)

    @handles(Steer)
    def steer(self, player: Any, steer: Steer) -> None:
        """Sail on."""
        player.row.x += 4.0 * steer.thrust
        player.row.y += 4.0 * float(steer.turn)

    @handles(Deed)
    def deed(self, player: Any, deed: Deed) -> Any:
        """Do what it says, and note it."""
        done = DoneAction(int(deed.number))
        self.book.changed = self.room.tick
        self.book.applied.setdefault(int(deed.who), []).append(done)
        try:
            answer = self._do(player, deed, done)
        except Refused as refused:
            done.answer = ("refused", refused.reason)
            raise
        if not isinstance(answer, Deferred):
            done.answer = ("done", answer)
        return answer

    def _do(self, player: Any, deed: Deed, done: DoneAction) -> Any:
        score = self.world.score
        score[player.user] = score.get(player.user, 0) + 1
        number = int(deed.number)
        if deed.kind == REFUSE:
            raise Refused("not this time", "odd")
        if deed.kind == LATER:
            return self._later(player, done)
        if deed.kind == SAIL:
            player.row.x, player.row.y = self.random.uniform(0, SIZE), self.random.uniform(0, SIZE)
        elif deed.kind == RING:
            rung = self.book.rung
            rung[self.world.epoch] = rung.get(self.world.epoch, 0) + 1
            self.room.emit(Bell(number=rung[self.world.epoch]))
        elif deed.kind == TRADE:
            self._trade(player, number)
        return None if deed.kind == COUNT and number % 2 else number * 2

    def _trade(self, player: Any, number: int) -> None:
        player.data["purse"].gold += 1
        orders = list(self.world.order)
        if len(orders) >= 8:
            orders[0].despawn()
        elif orders and number % 3 == 0:
            orders[-1].team = 1 - int(orders[-1].team)
        self.world.order.spawn(text=f"{player.name} {number}", team=self.random.randrange(2))
        self.world.match["turns"] = [*self.world.match["turns"], number][-5:]
        self.world.match["round"] += 1

    def _later(self, player: Any, done: DoneAction) -> Deferred[Any]:
        def given_up(_: Deferred[Any]) -> None:
            done.answer = ("refused", "failed")  # it took too long

        answered: Deferred[Any] = Deferred(given_up)

        def answer() -> None:
            if not answered.called:
                done.answer = ("done", done.number * 2)
                answered.callback(done.number * 2)

        self.soon.append((self.room.tick + 2, answer))
        return answered

    @property
    def soon(self) -> list[Any]:
        """What is to be answered, and at which tick."""
        soon: list[Any] = self.__dict__.setdefault("_soon", [])
        return soon

    def tick(self, dt: float) -> None:
        due = [call for tick, call in self.soon if tick <= self.room.tick]
        self.soon[:] = [entry for entry in self.soon if entry[0] > self.room.tick]
        for call in due:
            call()
        if not self.book.still and self.room.tick % 4 == 0:
            buoys = self.world.buoy
            buoys.x += 1.5 * dt
            buoys.hits[0] = self.room.tick % 1000
