"""A server in memory for tests of the client's shell: real WebSockets at both ends, one clock."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.test.iosim import FakeTransport, IOPump, connect
from zope.interface import implementer

from meteor_net import messages as wire
from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.codec import decode_from_client, encode_packet
from meteor_net.limits import Limits
from meteor_net.messages import Message
from meteor_net.state import Stream, World

from ..session.scripted import CHAT_EPOCH, EPOCH, SCHEMA

#: Takes a message, gives what is answered in one packet.
Answer = Callable[[Any], list[Message]]


class _Socket(WebSocketServerProtocol):
    """The server's end of one connection."""

    server: MemoryServer

    def onConnect(self, request: Any) -> Any:
        return self.server.subprotocol

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        for message in decode_from_client(payload, Limits()):
            self.server.heard.append(message)
            answer = self.server.answers.get(type(message))
            if answer is not None:
                messages = answer(message)
                if messages:
                    self.server.say(*messages)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.server.closes.append((code, reason))


class _Factory(WebSocketServerFactory):
    """Makes them; the newest is the one that tests talk to."""

    noisy = False
    server: MemoryServer

    def buildProtocol(self, address: object) -> _Socket:
        socket = _Socket()
        socket.factory, socket.server = self, self.server
        self.server.socket = socket
        return socket


@implementer(IStreamClientEndpoint)
class MemoryServer:
    """A server that answers by a table, and the endpoint that leads to it.

    Attributes:
        refuse: True if nobody listens.
        deaf: True if it accepts, and never says a byte.
        answers: Message class -> what is answered.
        heard: All that the client said, on all connections.
        attempts: Times at which the client tried to connect.
        closes: Code and reason of each close that the server saw.
    """

    subprotocol: str | None = "meteor.v1"

    def __init__(self) -> None:
        self.clock = Clock()
        self.refuse = False
        self.deaf = False
        self.heard: list[Message] = []
        self.attempts: list[float] = []
        self.closes: list[tuple[int | None, str | None]] = []
        self.session = "s1"
        self.epoch = EPOCH
        self.world = World(SCHEMA, epoch=EPOCH)
        self.ship = self.world.ship.spawn(x=1)
        self.stream = Stream(self.world)
        self.stream.commit(1)
        self.answers: dict[type[Message], Answer] = {
            wire.Hello: self._welcome,
            wire.Join: self._joined,
            wire.Ping: lambda ping: [wire.Pong(ping.number, self.time)],
            wire.Say: self._said,
            wire.Leave: lambda leave: [wire.Left(leave.room, "left", "")],
        }
        self.socket: Any = None
        self.pump: IOPump | None = None
        self._ends: list[FakeTransport] = []

    def config(self, **options: Any) -> NetworkConfig:
        """Make options of a client of this server."""
        defaults: dict[str, Any] = {
            "url": "ws://memory",
            "room": "a",
            "reactor": self.clock,
            "random": Random(1),
            "endpoint": self,
        }
        return NetworkConfig(**(defaults | options))

    def client(self, **options: Any) -> NetworkClient:
        """Make a client."""
        return NetworkClient(self.config(**options))

    @property
    def time(self) -> int:
        """The server's clock in milliseconds; the room's tick 1 was at 1,000,000."""
        return 1_000_000 + int(self.clock.seconds() * 1000)

    # --- the table ---

    def _welcome(self, hello: wire.Hello) -> list[Message]:
        return [wire.Welcome(1, self.session, "u1", "Ann", self.time, "again", {})]

    def _joined(self, join: wire.Join) -> list[Message]:
        step = self.stream.step(None)
        schema = None if join.schema_hash == SCHEMA.hash else SCHEMA.describe()
        return [
            wire.Joined(
                3, "game/a", self.epoch, 1, 1_000_000, 50_000, 5, [(7, "chat", CHAT_EPOCH, 0)],
                SCHEMA.hash, schema, [(0, 0)], 0, 0,
            ),
            wire.Frame(5, step.tick16, step.base_code, step.data, step.texts or []),
            wire.History(7, CHAT_EPOCH, 0, False, []),
        ]  # fmt: skip

    def _said(self, say: wire.Say) -> list[Message]:
        line = wire.Line(7, 0, 1, 1, 0, "u1", "Ann", say.text, say.cid)
        return [wire.Said(7, say.cid, 0), line]

    # --- what a test does ---

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        self.attempts.append(self.clock.seconds())
        if self.refuse:
            return fail(ConnectionRefusedError())
        client: Any = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 80))
        self.factory().buildProtocol(None)
        self._ends = [FakeTransport(self.socket, True), FakeTransport(client, False)]
        self.pump = connect(self.socket, self._ends[0], client, self._ends[1], greet=False)
        return succeed(client)

    def factory(self) -> Any:
        """Make the factory of the server's ends, for a real port."""
        made: Any = _Factory(protocols=["meteor.v1"], reactor=self.clock)
        made.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        made.server = self
        return made

    def run(self, seconds: float = 0.0) -> None:
        """Let all bytes arrive, then time pass in steps of 50 ms, with bytes arriving between."""
        self._flush()
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)
            self._flush()
        self.clock.advance(0)
        self._flush()

    def _flush(self) -> None:
        if self.pump is not None and not self.deaf:
            self.pump.flush()

    def say(self, *messages: Message) -> None:
        """Send one packet."""
        self.socket.sendMessage(encode_packet(messages), isBinary=True)

    def step(self, tick: int) -> None:
        """Move the ship, and send the frame."""
        self.ship.x += 1
        before = self.stream.version.number
        self.stream.commit(tick)
        step = self.stream.step(before)
        self.say(wire.Frame(5, step.tick16, step.base_code, step.data, step.texts or []))
        self.run()

    def close(self, code: int, text: str = "") -> None:
        """Close the connection, with GOODBYE before."""
        self.say(wire.Goodbye(code, text))
        self.socket.sendClose(code, text)
        self.run()

    def cut(self) -> None:
        """Cut the connection without a word."""
        for end in self._ends:
            end.abortConnection()
        self.run()

    def found(self, kind: type[Any]) -> list[Any]:
        """Of what was heard, all of one class."""
        return [message for message in self.heard if type(message) is kind]
