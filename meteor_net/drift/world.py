"""What the world of Meteorite Drift Bottle is made of, and what players can do in it."""

from __future__ import annotations

from typing import NamedTuple

from meteor_net import Action, Angle, Event, Fixed, Flag, Input, Local, Table, Text, UInt

SIZE = 2048  # the world's width and height; beyond an edge it begins again
METEORS, PLAYERS, BOTTLES = 200, 128, 64  # the most rows there may be
BOTTLE_CHARS = 140


class Note(NamedTuple):
    """What a bottle in somebody's hands says; `user` is the writer's id, "" for the sea itself."""

    text: str
    author: str
    user: str


# A table has a row for each thing and a numpy column for each field. What a field says of its steps and ends is what
# players are sent: 1/16 of a unit is finer than a pixel, and 10 bits of an angle a third of a degree.
class Meteor(Table):
    """A meteorite."""

    max_rows = METEORS
    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    angle = Angle(bits=10)
    radius = UInt(bits=6)
    vx, vy, spin = Local(float), Local(float), Local(float)  # Local: the server's own, never sent


class Craft(Table):
    """A player's craft."""

    max_rows = PLAYERS
    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    heading = Angle(bits=10)
    vx = Fixed(step=1 / 16, low=-1024, high=1024)  # units a second; sent, for a page flies its own craft by it (flight.py)
    vy = Fixed(step=1 / 16, low=-1024, high=1024)
    thrust = Flag()
    holding = Flag()  # a bottle, found and not yet answered or thrown back
    away = Flag()  # the player's connection is lost
    name = Text(24)
    pilot = Local(object)


class Bottle(Table):
    """A bottle that drifts. Its message is for its finder alone, so it is Local too; `last` is who threw it last."""

    max_rows = BOTTLES
    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    vx, vy, age = Local(float), Local(float), Local(float)
    text, author, user, last = Local(str), Local(str), Local(str), Local(str)


class Steer(Input):
    """An Input is taken once a tick and never answered; a lost one does not matter, the next is on its way.

    What this one does to a craft is in flight.py.
    """

    turn = Fixed(step=1 / 64, low=-1, high=1)
    thrust = Flag()


class Throw(Action):
    """Throw a bottle. An Action is applied once, in order, and answered."""

    text = Text(BOTTLE_CHARS)


class Read(Action):
    """Read the message in the bottle that was found."""


class Answer(Action):
    """Answer it; the answer goes to the writer, or drifts on."""

    text = Text(BOTTLE_CHARS)


class Toss(Action):
    """Throw the found bottle back for others."""


class Splash(Event):
    """A bottle went in, or was fished: said once, for the eye."""

    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
