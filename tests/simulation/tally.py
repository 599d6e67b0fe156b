"""A small game for histories: it notes what it was given, so that this can be compared with what clients were told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from zope.interface import implementer

from meteor_net.errors import Refused
from meteor_net.game import Game, handles
from meteor_net.interfaces import IAuthenticator, Identity, IPlayer
from meteor_net.state import Action, Event, Fixed, Input, Owner, Table, Text, UInt
from meteor_net.testing.checks import DoneAction

#: Rows that there are at most.
MOST_ROWS = 12
#: What a handler that does not answer at once takes, in seconds, at most.
LONGEST_S = 0.5


class Count(Action):
    """Client and number say which; what comes of it goes by the number."""

    client = UInt(bits=16)
    number = UInt(bits=16)


class Steer(Input):
    """Moves the player's row."""

    by = UInt(bits=8)


class Bang(Event):
    """Something that is heard."""

    size = UInt(bits=8)


class Ball(Table):
    """Rows that everybody sees."""

    max_rows = 64
    x = Fixed(step=1 / 8, low=0, high=256, wrap=True)
    steered = UInt(bits=8)
    counted = UInt(bits=16)
    name = Text(12)


class Card(Table):
    """Rows that one player sees."""

    max_rows = 64
    value = UInt(bits=8)
    owner = Owner()


class Notes:
    """What all rooms of a history note, whatever becomes of the server.

    Attributes:
        applied: Of each client, the actions that handlers were given, and what they answered.
        verbs: Of each player object, the verbs that were told of it.
        at_rest: The world changes no more by itself.
        clock: Of the server that is running: for answers that come later.
    """

    def __init__(self) -> None:
        self.applied: dict[int, list[DoneAction]] = defaultdict(list)
        self.verbs: dict[IPlayer, list[str]] = {}
        self.at_rest = False
        self.clock: Any = None


class Tally(Game):
    """Counts."""

    tables: ClassVar[Sequence[type[Table]]] = (Ball,)
    events = (Bang,)
    tick_hz: ClassVar[float] = 8
    max_players = 16
    notes: ClassVar[Notes]

    def joined(self, player: IPlayer) -> None:
        self.notes.verbs[player] = ["joined"]
        player.row = self.world.ball.spawn(x=self.random.random() * 256, name=player.name[:12])

    def away(self, player: IPlayer) -> None:
        self.notes.verbs[player].append("away")

    def back(self, player: IPlayer) -> None:
        self.notes.verbs[player].append("back")

    def left(self, player: IPlayer) -> None:
        self.notes.verbs[player].append("left")
        super().left(player)
        if player.row is not None and player.row.alive:
            player.row.despawn()

    @handles(Count)
    def count(self, player: IPlayer, count: Count) -> Any:
        """Answer by the number: no, later, nothing, or a value."""
        number, way = count.number, count.number % 8
        value = None if way == 2 else f"{count.client}/{number}"
        answer = ("refused", "odd") if way == 0 else ("done", value)
        self.notes.applied[count.client].append(DoneAction(number, answer))
        if way == 0:
            raise Refused("this one is refused", "odd")
        player.row.counted = number
        self.note(count)
        if way == 3:
            self.room.emit(Bang(size=number % 256))
        if way == 4 and self.notes.clock is not None:
            later: Deferred[Any] = Deferred(lambda _: timer.cancel())
            timer = self.notes.clock.callLater(self.random.random() * LONGEST_S, later.callback, value)
            return later
        return value

    def note(self, count: Count) -> None:
        """An action was applied."""

    @handles(Steer)
    def steer(self, player: IPlayer, steer: Steer) -> None:
        player.row.steered = steer.by

    def tick(self, dt: float) -> None:
        if self.notes.at_rest:
            return
        chance = self.random.random()
        if chance < 0.3:
            self.world.ball.x += self.random.randrange(4)
        elif chance < 0.4:
            self.change_rows()
        elif chance < 0.5:
            self.room.emit(Bang(size=self.random.randrange(256)))

    def change_rows(self) -> None:
        """One more or one less, in either table."""
        players = [player for player in self.room.players if player.row is not None]
        own = {player.row.slot for player in players}
        loose = [ball for ball in self.world.ball if ball.slot not in own]
        if loose and (len(loose) >= MOST_ROWS or self.random.random() < 0.4):
            self.random.choice(loose).despawn()
        else:
            self.world.ball.spawn(x=self.random.randrange(256), name="loose")


class Cards(Tally):
    """The same, with rows that are not for all, and a document."""

    tables: ClassVar[Sequence[type[Table]]] = (Ball, Card)
    documents = ("score",)

    def left(self, player: IPlayer) -> None:
        super().left(player)
        for card in [card for card in self.world.card if card.owner == player.key]:
            card.despawn()

    def note(self, count: Count) -> None:
        score = self.world.score
        score[str(count.client)] = score.get(str(count.client), 0) + 1

    def change_rows(self) -> None:
        """One more or one less, in each table, and something else in the document."""
        super().change_rows()
        self.world.score["tick"] = {"n": [self.room.tick % 7, self.random.randrange(3)]}
        players = self.room.players
        cards = list(self.world.card)
        if cards and (len(cards) >= MOST_ROWS or self.random.random() < 0.4):
            self.random.choice(cards).despawn()
        elif players:
            self.world.card.spawn(value=self.random.randrange(256), owner=self.random.choice(players).key)


@implementer(IAuthenticator)
class Names:
    """Who brings a token is the user of that name; the others are guests, each somebody new.

    Args:
        random: Where guests' ids come from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random

    def authenticate(self, token: str | None, name: str | None, address: str) -> Identity:
        user = token or f"guest-{self._random.getrandbits(48):012x}"
        return Identity(user, name or user)


def check_verbs(notes: Notes) -> list[str]:
    """A handler is told of each player: joined, then away and back in turns, and left at most once."""
    wrong = []
    for player, verbs in notes.verbs.items():
        rest = verbs[1:-1] if verbs[-1] == "left" else verbs[1:]
        if rest != [("away", "back")[place % 2] for place in range(len(rest))]:
            wrong.append(f"the handler was told of {player.name}: {' '.join(verbs)}")
    return wrong
