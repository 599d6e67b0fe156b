"""The tables that these tests play with, and a way to send frames without a network."""

from __future__ import annotations

from meteor_net.limits import Limits
from meteor_net.state import (
    Action,
    Angle,
    Choice,
    Event,
    Fixed,
    Flag,
    Input,
    Int,
    Local,
    Replica,
    Schema,
    Stream,
    Table,
    Text,
    UInt,
    Version,
    World,
)


class Ship(Table):
    """A table with every kind of field."""

    max_rows = 64
    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=-100, high=100)
    heading = Angle(bits=10)
    hp = UInt(bits=7, default=100)
    debt = Int(bits=9)
    lit = Flag()
    team = Choice("red", "blue")
    name = Text(8)
    speed = Local(float)
    owner = Local(object)


class Rock(Table):
    """A table of two numbers."""

    x = Fixed(step=1, low=0, high=100)
    size = UInt(bits=4)


class Steer(Input):
    """An input."""

    turn = Fixed(step=1 / 64, low=-1, high=1)
    thrust = Flag()


class Buy(Action):
    """An action with a word and a text."""

    what = Choice("bottle", "sail")
    note = Text(5)


class Boom(Event):
    """An event."""

    x = Fixed(step=1, low=0, high=100)


SCHEMA = Schema([Ship, Rock], [Steer, Buy], [Boom])


class Pair:
    """A world with its stream, and a replica that is sent its frames."""

    def __init__(self, schema: Schema = SCHEMA, limits: Limits | None = None) -> None:
        self.world = World(schema, 1)
        self.stream = Stream(self.world, limits)
        self.replica = Replica(schema, 1)
        self.tick = 0
        self.held: int | None = None

    def commit(self, check: bool = False) -> bool:
        """Commit at the next tick."""
        self.tick += 1
        return self.stream.commit(self.tick, check)

    def send(self) -> Version:
        """Send the replica the step from what it holds to the newest version."""
        step = self.stream.step(self.held)
        self.held = self.stream.version.number
        return self.replica.apply(step.tick16, step.base_code, step.data, step.texts)

    def sync(self, check: bool = False) -> Version:
        """Commit what changed, and send it."""
        assert self.commit(check)
        return self.send()
