"""Tests of frames as bytes, and that the short way in gives just what the general parser gives."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from struct import pack
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket import protocol as autobahn_protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.limits import Limits
from meteor_net.server.frames import SMALL, binary_head, small_end, unmask_small
from meteor_net.server.protocol import FramedProtocol, set_options

_REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(payload: bytes, first: int = 0x82, mask: bytes | None = b"\x01\x02\x03\x04") -> bytes:
    """A frame as clients send it."""
    size = len(payload)
    bit = 0 if mask is None else 0x80
    head = pack("!BB", first, bit | size) if size < 126 else pack("!BBH", first, bit | 126, size)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class Told(FramedProtocol):
    """Writes down what it is told."""

    short = True

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def takes_short_way(self) -> bool:
        """Whether small frames may be cut out now."""
        return self.short and super().takes_short_way()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A message; one of them makes us close, as an error of the peer's would."""
        self.told.append((payload, isBinary))
        if payload == b"close":
            self.sendClose(4500, "as you wish")

    def onPing(self, payload: bytes) -> None:
        """A ping."""
        self.told.append(("ping", payload))
        super().onPing(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The end."""
        self.told.append(("close", wasClean, code, reason))


class General(Told):
    """The same, with nothing but Autobahn's parser."""

    short = False


def run(kind: type[Told], pieces: list[bytes]) -> tuple[list[Any], bytes, bool]:
    """Feed pieces: (what was told, what was written, whether it let go)."""
    factory: Any = WebSocketServerFactory(reactor=Clock())
    factory.protocol = kind
    factory.max_fragments = Limits().fragments
    set_options(factory, Limits())
    protocol: Any = factory.buildProtocol(None)
    transport = StringTransport()
    transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]
    transport.unregisterProducer = lambda: None  # type: ignore[method-assign]  # a real one does not mind
    protocol.makeConnection(transport)
    protocol.dataReceived(_REQUEST)
    transport.clear()
    for piece in pieces:
        if transport.disconnecting:
            break
        protocol.dataReceived(piece)
    return protocol.told, transport.value(), transport.disconnecting


class OptionTests(SynchronousTestCase):
    """The options that Autobahn copies for each connection."""

    def test_all_are_there(self) -> None:
        """A connection has each of its factory's, and they were not formatted for a log."""
        formatted: list[Any] = []
        self.patch(autobahn_protocol, "pformat", formatted.append)
        factory: Any = WebSocketServerFactory(reactor=Clock())
        factory.protocol = Told
        set_options(factory, Limits())
        protocol: Any = factory.buildProtocol(None)
        protocol.makeConnection(StringTransport())
        for name in WebSocketServerProtocol.CONFIG_ATTRS:
            self.assertEqual(getattr(protocol, name), getattr(factory, name), name)
        self.assertEqual(protocol.maxMessagePayloadSize, Limits().packet_in_bytes)
        self.assertEqual(formatted, [[]])


def stream(random: Random) -> bytes:
    """Frames, good and bad, as no honest client would send them."""
    parts = []
    for _ in range(random.randrange(1, 12)):
        payload = random.randbytes(random.choice((0, 1, 4, 5, 30, SMALL, SMALL + 1, 300)))
        mask = random.randbytes(4)
        match random.randrange(14):
            case 0:
                parts.append(frame(payload[:SMALL], 0x89, mask))  # ping
            case 1:
                parts.append(frame(payload, 0x02, mask) + frame(b"more", 0x80, mask))  # two fragments
            case 2:
                parts.append(frame(payload, 0x02, mask))  # a message that is not ended
            case 3:
                parts.append(frame(b"text", 0x81, mask))
            case 4:
                parts.append(frame(b"close", 0x82, mask))
            case 5:
                parts.append(frame(b"\x03\xe8", 0x88, mask))
            case 6:
                parts.append(frame(payload, random.choice((0xC2, 0x83, 0x80, 0x92)), mask))  # broken rules
            case 7:
                parts.append(frame(payload, 0x82, None))
            case _:
                parts.append(frame(payload, 0x82, mask))
    return b"".join(parts)


def cuts(random: Random, data: bytes) -> Iterator[bytes]:
    """The same bytes, cut anywhere; often between frames, sometimes not at all."""
    if random.random() < 0.3:
        yield data
        return
    at = 0
    while at < len(data):
        size = random.choice((1, 2, 5, 6, 7, 36, 131, 500))
        yield data[at : at + size]
        at += size


class FrameTests(SynchronousTestCase):
    """Frames."""

    def test_written(self) -> None:
        """Each length has the head that RFC 6455 gives it."""
        for size, head in [
            (0, "8200"),
            (125, "827d"),
            (126, "827e007e"),
            (65_535, "827effff"),
            (65_536, "827f0000000000010000"),
        ]:
            self.assertEqual(binary_head(size), bytes.fromhex(head))

    def test_small_ones_are_read(self) -> None:
        """A small masked frame is cut out and unmasked, whatever follows it."""
        for size in (0, 1, 3, 4, 5, 124, SMALL):
            payload = bytes(range(1, size + 1))
            data = b"before" + frame(payload) + b"next"
            self.assertEqual(small_end(data, 6), size + 12)
            self.assertEqual(unmask_small(data, 6, size + 12), payload)

    def test_all_else_is_left(self) -> None:
        """Parts, fragments, other opcodes, reserved bits, longer ones and unmasked ones are for the general parser."""
        whole = frame(b"abc")
        others = [b"", whole[:1], whole[:5], whole[:-1], frame(b"abc", 0x02), frame(b"abc", 0x81), frame(b"abc", 0xC2)]
        for data in [*others, frame(bytes(126)), frame(b"abc", mask=None) + bytes(9)]:
            self.assertEqual(small_end(data, 0), 0, data)

    def test_the_short_way_tells_the_same(self) -> None:
        """Any bytes, cut anywhere, give the same messages, answers and ends with the short way as without it."""
        for seed in range(1_500):
            random = Random(seed)
            pieces = list(cuts(random, stream(random)))
            self.assertEqual(run(Told, pieces), run(General, pieces), seed)
