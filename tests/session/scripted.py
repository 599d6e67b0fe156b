"""A server for tests of a client's session: it says what it is told, and reads what the client says."""

from __future__ import annotations

from random import Random
from typing import Any

from meteor_net import messages as wire
from meteor_net.codec import decode_from_client, encode_packet
from meteor_net.limits import Limits
from meteor_net.messages import Message
from meteor_net.session.client import ClientSession
from meteor_net.session.client_room import ClientRoom
from meteor_net.session.client_values import Value
from meteor_net.state import Action, Event, Fixed, Input, Schema, Stream, Table, UInt, World


class Ship(Table):
    """A thing that moves."""

    x = Fixed(step=1 / 16, low=0, high=1024, wrap=True)


class Steer(Input):
    """An input."""

    turn = Fixed(step=1 / 64, low=-1, high=1)


class Buy(Action):
    """An action that is answered."""

    count = UInt(bits=4)


class Boom(Event):
    """Something that happens once."""

    x = Fixed(step=1 / 16, low=0, high=1024)


SCHEMA = Schema(tables=[Ship], actions=[Steer, Buy], events=[Boom])
EPOCH = 77
CHAT_EPOCH = 88


class ScriptedServer:
    """Talk to a `ClientSession`, with time as a plain number.

    `said` is what the client sent in the last step, `told` what it told its shell.
    """

    def __init__(self, **options: Any) -> None:
        self.session = ClientSession(random=Random(1), **options)
        self.room: ClientRoom = self.session.join("a")
        self.now = 100.0
        self.said: list[Message] = []
        self.told: list[Value] = []
        self.world = World(SCHEMA, epoch=EPOCH)
        self.stream = Stream(self.world)
        self._base: int | None = None

    def take(self) -> None:
        """Look at what the session gives."""
        packets, self.told = self.session.take()
        self.said = [message for packet in packets for message in decode_from_client(packet, Limits())]

    def say(self, *messages: Message) -> None:
        """Send one packet to the client."""
        self.session.receive(encode_packet(messages), self.now)
        self.take()

    def pass_time(self, seconds: float) -> None:
        """Let the client know that time passes."""
        self.now += seconds
        self.session.tick(self.now)
        self.take()

    def live(self, seconds: float) -> None:
        """The same, and the server shows life."""
        self.pass_time(seconds)
        self.say(wire.Ping(1, 0))

    def open(self) -> None:
        """Open a connection."""
        self.session.opened(self.now)
        self._base = None
        self.take()

    def lose(self, code: int = 1006, text: str = "gone") -> None:
        """Lose it."""
        self.session.lost(code, text, self.now)
        self.take()

    def welcome(self, session: str = "s1", **limits: float) -> None:
        """Say WELCOME."""
        self.say(wire.Welcome(1, session, "u1", "Ann", 1_000_000, f"again-{session}", limits))

    def joined(self, **changes: Any) -> wire.Joined:
        """Make a JOINED."""
        fields: dict[str, Any] = {
            "room": 3,
            "name": "game/a",
            "epoch": EPOCH,
            "tick": 0,
            "time": 1_000_000,
            "tick_us": 50_000,
            "stream": 5,
            "channels": [(7, "chat", CHAT_EPOCH, 0)],
            "schema_hash": SCHEMA.hash,
            "schema": SCHEMA.describe(),
            "rows": [(0, 0)],
            "last_seq": 0,
            "event": 0,
        }
        return wire.Joined(**(fields | changes))

    def enter(self, **changes: Any) -> None:
        """Bring the client into its room on a new connection."""
        self.open()
        self.welcome()
        self.say(self.joined(**changes), wire.History(7, CHAT_EPOCH, 0, False, []))

    def frame(self, tick: int) -> wire.Frame:
        """Commit the world, and make the frame that brings the client to it."""
        if tick > self.stream.version.tick:
            self.stream.commit(tick)
        step = self.stream.step(self._base)
        self._base = self.stream.version.number
        return wire.Frame(5, tick & 0xFFFF, step.base_code, step.data, step.texts or [])

    def found(self, kind: type[Any]) -> list[Any]:
        """Of what was said and told last, all of one class."""
        return [each for each in (*self.said, *self.told) if type(each) is kind]
