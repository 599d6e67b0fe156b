"""A peer that speaks HTTP by hand, as clause 11 of the wire page has it, and as it does not."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from meteor_net.codec import decode_from_server, encode_packet
from meteor_net.limits import Limits
from meteor_net.messages import Goodbye, Hello, Join, Message
from meteor_net.testing import Network, Wire


def framed(*packets: bytes) -> bytes:
    """Packets, each behind its length."""
    return b"".join(len(packet).to_bytes(4, "big") + packet for packet in packets)


class Exchange(Protocol):
    """One TCP connection: what is written is written, and what comes is read as a response."""

    transport: Any

    def __init__(self) -> None:
        self.bytes = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.bytes += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True

    @property
    def status(self) -> int:
        """Of the response; 0 before it."""
        head, end, _ = self.bytes.partition(b"\r\n\r\n")
        return int(head.split()[1]) if end else 0

    @property
    def headers(self) -> dict[str, str]:
        """Of the response, in small letters."""
        lines = self.bytes.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    @property
    def body(self) -> bytes:
        """Of the response, as far as it is there."""
        rest = self.bytes.partition(b"\r\n\r\n")[2]
        if self.headers.get("transfer-encoding") != "chunked":
            return rest
        body = b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return body

    @property
    def packets(self) -> list[bytes]:
        """Of the body, the empty ones too."""
        body, packets = self.body, []
        while len(body) >= 4 + int.from_bytes(body[:4], "big"):
            size = int.from_bytes(body[:4], "big")
            packets.append(body[4 : 4 + size])
            body = body[4 + size :]
            if not body:
                break
        return packets


class Asker:
    """A machine that asks; each request on a connection of its own.

    Attributes:
        id: Of the link that it opened.
        stream: The response that goes on.
        answers: Of what was asked one after the other.
    """

    def __init__(self, network: Network, wire: Wire) -> None:
        self.network = network
        self.wire = wire
        self.id = ""
        self.stream = Exchange()
        self.answers: list[Exchange] = []
        self.ups = self.polls = 0

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        seconds: float = 0.2,
        on: Exchange | None = None,
        **headers: str,
    ) -> Exchange:
        """Ask on a new connection that is closed then, or on one that is there and stays; and let some time pass."""
        head = {"Host": "10.0.0.1", "Connection": "close" if on is None else "keep-alive"}
        head |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            head.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        exchange = on or self.connect()
        exchange.bytes = b""
        exchange.transport.write("\r\n".join(lines).encode() + (body or b""))
        self.network.advance(seconds)
        return exchange

    def connect(self) -> Exchange:
        """Make a connection on which nothing was said."""
        factory = Factory.forProtocol(Exchange)
        factory.noisy = False
        assert IProtocolFactory.providedBy(factory)
        exchange: Exchange = self.network.wait(self.wire.endpoint().connect(factory))
        return exchange

    def open(self) -> str:
        """Open a link."""
        exchange = self.ask("POST", "/http")
        assert exchange.status == 200, exchange.bytes
        self.id = exchange.body.decode().strip()
        return self.id

    def listen(self) -> Exchange:
        """Ask for the stream."""
        self.stream = self.ask("GET", f"/http/{self.id}/down")
        return self.stream

    def poll(self, number: int | None = None, seconds: float = 0.2, on: Exchange | None = None) -> Exchange:
        """Ask what there is."""
        answer = self.ask("GET", f"/http/{self.id}/poll?n={self.polls if number is None else number}", None, seconds, on)
        self.polls += 1
        self.answers.append(answer)
        return answer

    def up(self, body: bytes, number: int | None = None, **options: Any) -> Exchange:
        """Send a body."""
        exchange = self.ask("POST", f"/http/{self.id}/up?n={self.ups if number is None else number}", body, **options)
        self.ups += number is None
        return exchange

    def say(self, *messages: Message, seconds: float = 0.2) -> Exchange:
        """Send messages in one packet."""
        return self.up(framed(encode_packet(messages)), seconds=seconds)

    def inside(self, room: str = "") -> None:
        """Say HELLO and JOIN."""
        self.say(Hello([1], "stranger"))
        self.say(Join(room))

    @property
    def heard(self) -> list[Message]:
        """All that came, in order."""
        exchanges = [self.stream, *self.answers]
        packets = [packet for exchange in exchanges if exchange.status == 200 for packet in exchange.packets if packet]
        return [message for packet in packets for message in decode_from_server(packet, Limits())]

    def found(self, kind: type[Any]) -> list[Any]:
        """Of what was heard, all of one class."""
        return [message for message in self.heard if type(message) is kind]

    @property
    def goodbye(self) -> int | None:
        """The code of the GOODBYE that was heard."""
        return next((message.code for message in self.found(Goodbye)), None)
