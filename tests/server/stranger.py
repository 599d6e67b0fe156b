"""A peer that speaks WebSocket by hand, so that it can say what no client of ours would."""

from __future__ import annotations

from struct import pack, unpack
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from meteor_net.codec import decode_from_server, encode_packet
from meteor_net.limits import Limits
from meteor_net.messages import Goodbye, Hello, Join, Message, Ping, Pong
from meteor_net.testing import Wire

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
#: Headers of an upgrade, as a browser's page of the server's own would send them.
HEADERS = {
    "Host": "10.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "meteor.v1",
}


class Stranger(Protocol):
    """A connection that does as it is told, and notes what it hears.

    Attributes:
        status: Of the answer to the upgrade, 0 before it.
        heard: Messages of the server, in order.
        closed_with: Close code of the server's close frame, None before it.
        lost: Whether the connection is gone.
        answers: Whether it answers pings and close frames, as it should.
    """

    transport: Any

    def __init__(self, headers: dict[str, str | None]) -> None:
        self.status = 0
        self.heard: list[Message] = []
        self.closed_with: int | None = None
        self.lost = False
        self.answers = True
        self._headers = {name: value for name, value in {**HEADERS, **headers}.items() if value is not None}
        self._bytes = b""

    # --- saying ---

    def connectionMade(self) -> None:
        lines = ["GET /ws HTTP/1.1", *(f"{name}: {value}" for name, value in self._headers.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode())

    def frame(self, opcode: int, payload: bytes, final: bool = True) -> None:
        """Send a WebSocket frame, masked with zeros (RFC 6455 §5.2)."""
        size = len(payload)
        length = (
            pack("!B", 0x80 | size) if size < 126 else pack("!BH", 0xFE, size) if size < 65_536 else pack("!BQ", 0xFF, size)
        )
        self.transport.write(bytes([opcode | (0x80 if final else 0)]) + length + bytes(4) + payload)

    def packet(self, payload: bytes) -> None:
        """Send whatever bytes as a packet."""
        self.frame(BINARY, payload)

    def say(self, *messages: Message) -> None:
        """Send messages in one packet."""
        self.packet(encode_packet(messages))

    def hello(self, name: str | None = "stranger", **fields: Any) -> None:
        """Say HELLO."""
        self.say(Hello([1], name, **fields))

    def join(self, room: str = "", **fields: Any) -> None:
        """Ask for a room."""
        self.say(Join(room, **fields))

    # --- hearing ---

    def found(self, kind: type[Any]) -> list[Any]:
        """Of what was heard, all of one class."""
        return [message for message in self.heard if type(message) is kind]

    @property
    def goodbye(self) -> int | None:
        """The code of the GOODBYE that was heard."""
        return next((message.code for message in self.found(Goodbye)), None)

    def dataReceived(self, data: bytes) -> None:
        self._bytes += data
        if not self.status:
            head, end, rest = self._bytes.partition(b"\r\n\r\n")
            if not end:
                return
            self.status, self._bytes = int(head.split()[1]), rest
        if self.status == 101:
            while self._frame():
                pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True

    def _frame(self) -> bool:
        """Take a whole frame, if there is one; the server sends them unmasked and in one piece."""
        if len(self._bytes) < 2:
            return False
        opcode, size, start = self._bytes[0] & 15, self._bytes[1], 2
        if size >= 126:
            start, form = (4, "!H") if size == 126 else (10, "!Q")
            if len(self._bytes) < start:
                return False
            (size,) = unpack(form, self._bytes[2:start])
        if len(self._bytes) < start + size:
            return False
        payload, self._bytes = self._bytes[start : start + size], self._bytes[start + size :]
        self._take(opcode, payload)
        return True

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == BINARY:
            messages = decode_from_server(payload, Limits())
            self.heard += messages
            for message in messages:
                if isinstance(message, Ping) and self.answers:
                    self.say(Pong(message.number, 0))
        elif opcode == CLOSE:
            (self.closed_with,) = unpack("!H", payload[:2])
            if self.answers:
                self.frame(CLOSE, payload)


def knock(wire: Wire, **headers: str | None) -> Deferred[Stranger]:
    """Connect a stranger.

    Args:
        wire: Its machine's.
        headers: Others than the usual ones, with `_` for `-`; None leaves one out.
    """
    factory = Factory.forProtocol(lambda: Stranger({name.replace("_", "-"): value for name, value in headers.items()}))
    factory.noisy = False
    assert IProtocolFactory.providedBy(factory)
    connected: Deferred[Any] = wire.endpoint().connect(factory)
    return connected
