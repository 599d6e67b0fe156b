"""A game of two teams with a secret each, and a card for each player; run by a server of its own."""

from __future__ import annotations

from meteor_net import Cells, Fixed, Game, Owner, Table, Team, Text, UInt
from meteor_net.interfaces import IPlayer

#: Texts that only some may ever be sent.
RED, BLUE, FAR = "red-Zx81qPlan", "blue-Kw7tPlan", "far-Qq93Gold"
CARD = "card-of-"


class Plan(Table):
    """A team's."""

    text = Text(32)
    step = UInt(bits=16)
    team = Team()


class Card(Table):
    """A player's."""

    text = Text(32)
    step = UInt(bits=16)
    owner = Owner()


class Gold(Table):
    """Lies somewhere."""

    x = Fixed(step=1, low=0, high=1_000)
    y = Fixed(step=1, low=0, high=1_000)
    text = Text(32)
    cell = Cells(50, sight=100)


class Teams(Game):
    """Players are red and blue in turn; all changes all the time."""

    tables = (Plan, Card, Gold)

    def opened(self) -> None:
        for team, text in enumerate((RED, BLUE)):
            self.world.plan.spawn(team=team, text=text)
        self.world.gold.spawn(x=900, y=900, text=FAR)
        self.world.gold.spawn(x=100, y=100, text="near")

    def joined(self, player: IPlayer) -> None:
        player.team = player.key % 2
        player.look(100, 100)
        self.world.card.spawn(owner=player, text=CARD + player.name)

    def tick(self, dt: float) -> None:
        self.world.plan.step += 1
        self.world.card.step += 1
        for gold in self.world.gold:
            gold.x += 1 if self.room.tick % 2 else -1
