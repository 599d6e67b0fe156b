"""Meteorite Drift Bottle: what happens, verb by verb. What the world is made of stands in world.py; read that first."""

from __future__ import annotations

from typing import Any

import numpy as np

from meteor_net import Game, IPlayer, Refused, handles
from meteor_net.chat.text import check_text

from .flight import step
from .physics import bounce, shortest
from .world import (
    BOTTLE_CHARS,
    BOTTLES,
    METEORS,
    PLAYERS,
    SIZE,
    Answer,
    Bottle,
    Craft,
    Meteor,
    Note,
    Read,
    Splash,
    Steer,
    Throw,
    Toss,
)

PACE = 36.0  # how fast meteorites like to drift, in units a second
CRAFT_RADIUS, CRAFT_MASS = 12.0, 60.0  # light: meteorites weigh their radius squared
REACH = 30  # from a craft to a bottle that it can fish
BOTTLES_EACH, FEWEST_BOTTLES = 3, 6  # bottles of one player adrift; with fewer in all, the sea adds its own
SAYINGS = [
    "Whoever finds this: the stars look best from behind a big one.",
    "I counted two hundred meteorites. One of them winked.",
    "Do not fight the rocks. Lean on them.",
    "If you read this, we are neighbours now. Say hello.",
    "Lost: one left glove, blue. Drifting somewhere near the middle.",
    "Every bottle comes round again, if you wait long enough.",
    "Somebody out there is reading this very slowly, and smiling.",
]


class Drift(Game):
    """The game: one object for each room."""

    tables = (Meteor, Craft, Bottle)
    keep = (Bottle,)  # what was thrown yesterday still drifts today
    events = (Splash,)
    actions = (Steer,)  # the first; those that methods handle follow
    steps = {Steer: step}  # noqa: RUF012  # flies a craft before each tick; a page that has the same step need not wait for it
    tick_hz = 20
    max_players = PLAYERS
    page = "page"  # the folder beside this file that browsers get at /

    def opened(self) -> None:
        """The bottles of before are there; add meteorites, each in a cell of its own so that none begins inside another."""
        cells = 15
        for cell in self.rng.permutation(cells * cells)[:METEORS].tolist():
            x, y = (np.array(divmod(cell, cells)) + self.rng.uniform(0.3, 0.7, 2)) * (SIZE / cells)
            way, radius = self.rng.uniform(0, 2 * np.pi), int(10 + 26 * self.rng.random() ** 2)  # few are big
            vx, vy, spin = PACE * np.cos(way), PACE * np.sin(way), self.rng.normal(0, 0.5)
            self.world.meteor.spawn(x=x, y=y, angle=way, radius=radius, vx=vx, vy=vy, spin=spin)

    def joined(self, player: IPlayer) -> None:
        """Somebody is in: those who play get a craft, where there is room near the middle."""
        if player.role == "play":
            m = self.world.meteor
            places = self.rng.uniform(-200, 200, (16, 2)) + SIZE / 2
            free = [np.hypot(shortest(m.x - x, SIZE), shortest(m.y - y, SIZE)).min() for x, y in places]
            x, y = places[int(np.argmax(free))]
            player.row = self.world.craft.spawn(x=x, y=y, heading=-np.pi / 2, name=player.name, pilot=player)
        self.room.notice(f"{player.name} flies in" if player.role == "play" else f"{player.name} watches")

    def away(self, player: IPlayer) -> None:
        """The connection is lost, and the player may come back: the craft drifts on by itself."""
        if player.row:
            player.row.away = True

    def back(self, player: IPlayer) -> None:
        """There is a connection again."""
        if player.row:
            player.row.away = False

    def left(self, player: IPlayer) -> None:
        """The player is gone: a bottle in hand goes back for others, and the row goes."""
        if "note" in player.data:
            self.toss(player, Toss())
        super().left(player)
        self.room.notice(f"{player.name} is gone")

    def closed(self) -> None:
        """Nobody is left: bottles of the sea's own go, so that of a room without others nothing is kept."""
        for bottle in self.world.bottle:
            if not bottle.user:
                bottle.despawn()

    @handles(Throw)
    def throw(self, player: IPlayer, throw: Throw) -> dict[str, int]:
        """What a handler returns is the player's result; Refused tells the player, and nobody else, why not."""
        if sum(bottle.user == player.user for bottle in self.world.bottle) >= BOTTLES_EACH:
            raise Refused(f"{BOTTLES_EACH} bottles of yours are adrift; wait until one is found")
        return self._launch(player, Note(check_text(throw.text, BOTTLE_CHARS), player.name, player.user))

    @handles(Read)
    def read(self, player: IPlayer, _: Read) -> dict[str, str]:
        """The message is for its finder alone, so it is told here and not in the world."""
        note = self._note(player)
        return {"text": note.text, "name": note.author}

    @handles(Answer)
    def answer(self, player: IPlayer, answer: Answer) -> dict[str, int]:
        """To the writer, as a notice that nobody else gets; if there is none, or gone, the answer becomes a bottle."""
        note, text = self._note(player), check_text(answer.text, BOTTLE_CHARS)
        writer = next((other for other in self.room.players if other.user == note.user), None)
        if writer is None:
            place = self.throw(player, Throw(text=text))
        else:
            place = {}
            writer.say(f"{player.name} found your bottle and answers: {text}")
        del player.data["note"]
        player.row.holding = False
        return place

    @handles(Toss)
    def toss(self, player: IPlayer, _: Toss) -> dict[str, int]:
        """Throw it back as it was."""
        place = self._launch(player, self._note(player))
        del player.data["note"]
        player.row.holding = False
        return place

    def tick(self, dt: float) -> None:
        """Move the world by `dt` seconds. Each line works on a whole column, for all rows at once."""
        m, c, b = self.world.meteor, self.world.craft, self.world.bottle
        m.angle += m.spin * dt
        m.x = (m.x + m.vx * dt) % SIZE
        m.y = (m.y + m.vy * dt) % SIZE
        b.vx += (9 * np.sin(b.y / 170) - b.vx) * dt  # a slow current takes what floats
        b.vy += (9 * np.sin(b.x / 210) - b.vy) * dt
        b.x = (b.x + b.vx * dt) % SIZE
        b.y = (b.y + b.vy * dt) % SIZE
        self._bounce(m, c)
        if self.room.tick % 4 == 0:
            self._fish(c, b)
        if self.room.tick % self.tick_hz == 0:
            self._settle(m, b)

    def _bounce(self, m: Any, c: Any) -> None:
        """Meteorites and craft bounce, circles alike; slots of craft that are gone are left out."""
        here, n = np.flatnonzero(c.alive), len(m.x)
        at = np.concatenate((m.x, c.x[here], m.y, c.y[here])).reshape(2, -1)
        speed = np.concatenate((m.vx, c.vx[here], m.vy, c.vy[here])).reshape(2, -1)
        spin, radius, mass = np.zeros(n + len(here)), np.full(n + len(here), CRAFT_RADIUS), np.full(n + len(here), CRAFT_MASS)
        spin[:n], radius[:n], mass[:n] = m.spin, m.radius, m.radius**2
        bounce(at, speed, spin, radius, mass, SIZE)
        (m.x, m.y), (m.vx, m.vy), m.spin = at[:, :n], speed[:, :n], spin[:n]
        (c.x[here], c.y[here]), (c.vx[here], c.vy[here]) = at[:, n:], speed[:, n:]

    def _settle(self, m: Any, b: Any) -> None:
        """Once a second: what was hit finds back to its pace, bottles age, and the sea adds one where there are few."""
        ease = 1 + 0.4 * (PACE / np.maximum(np.hypot(m.vx, m.vy), 1) - 1).clip(max=1)
        m.vx, m.vy, m.spin = m.vx * ease, m.vy * ease, np.clip(m.spin, -2, 2)
        b.age += 1
        if len(b) < FEWEST_BOTTLES:
            x, y = self.rng.uniform(0, SIZE, 2)
            b.spawn(x=x, y=y, text=self.random.choice(SAYINGS), author="the sea")

    def _fish(self, c: Any, b: Any) -> None:
        """A craft with empty hands takes a bottle that it touches, unless it was the last to throw it."""
        far = np.hypot(shortest(c.x[:, None] - b.x, SIZE), shortest(c.y[:, None] - b.y, SIZE))
        near = (far < REACH) & (c.alive & ~c.holding & ~c.away)[:, None] & b.alive
        for slot, place in np.argwhere(near).tolist():  # nearly always none
            craft, bottle = c[slot], b[place] if b.alive[place] else None
            if bottle is not None and not craft.holding and bottle.last != craft.pilot.user:
                craft.pilot.data["note"] = Note(bottle.text, bottle.author, bottle.user)
                craft.holding = True
                self.room.emit(Splash(x=bottle.x, y=bottle.y))
                bottle.despawn()

    def _note(self, player: IPlayer) -> Note:
        if "note" not in player.data:
            raise Refused("there is no bottle in your hands")
        note: Note = player.data["note"]
        return note

    def _launch(self, player: IPlayer, note: Note) -> dict[str, int]:
        """Let a bottle fly from the bow; where there are too many, the oldest sinks. Answers which row it is."""
        craft, bottles = player.row, self.world.bottle
        if len(bottles) == BOTTLES:
            max(bottles, key=lambda bottle: bottle.age).despawn()
        ahead = np.array([np.cos(craft.heading), np.sin(craft.heading)])
        x, y = (np.array([craft.x, craft.y]) + ahead * REACH) % SIZE
        vx, vy = np.array([craft.vx, craft.vy]) + ahead * 140
        bottle = bottles.spawn(x=x, y=y, vx=vx, vy=vy, last=player.user, **note._asdict())
        self.room.emit(Splash(x=x, y=y))
        self.room.save()  # soon, and not only every ten seconds
        return {"slot": bottle.slot, "generation": bottle.generation}
