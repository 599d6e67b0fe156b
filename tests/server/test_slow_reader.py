"""A peer that stops reading, over real sockets: the kernel takes megabytes before it refuses, and nobody may feel it."""

from __future__ import annotations

import base64
import struct
from random import Random
from typing import Any, ClassVar, cast

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from meteor_net import Fixed, Game, Limits, Table
from meteor_net.codec import decode_from_server, encode_packet
from meteor_net.messages import Frame, Held, Hello, Join, Joined, Message, Ping, Pong, Welcome
from meteor_net.server.auth import Guests
from meteor_net.server.host import Host
from meteor_net.server.transport import send_directly
from meteor_net.state import Replica, Schema
from meteor_net.storage import MemoryStorage

reactor: Any = global_reactor

ROWS = 8_000
#: What one peer may cost in the server's process.
MOST_BYTES = 256 * 1024
HELD_S = 0.4


class Sand(Table):
    """Grains."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=4096, wrap=True)


class Desert(Game):
    """Every grain moves in every tick: frames of more than 20 kB."""

    tables = (Sand,)
    tick_hz = 20
    rooms: ClassVar[list[Desert]] = []

    def opened(self) -> None:
        """Lay the sand."""
        self.rooms.append(self)
        for _ in range(ROWS):
            self.world.sand.spawn(x=self.random.uniform(0, 4096), y=self.random.uniform(0, 4096))

    def tick(self, dt: float) -> None:
        """Blow."""
        sand = self.world.sand
        sand.x += self.rng.uniform(4, 12, len(sand.x))
        sand.y += self.rng.uniform(4, 12, len(sand.y))


class Peer(Protocol):
    """A peer that speaks WebSocket by hand, so that nothing but the kernel reads when it does not."""

    transport: Any

    def __init__(self) -> None:
        self.buffer = b""
        self.open = False
        self.frames: list[tuple[int, int, int]] = []  # tick, versions back, bytes
        self.replica: Replica | None = None
        self.room = 0
        self._held_at = 0.0

    def connectionMade(self) -> None:
        """Shake hands."""
        key = base64.b64encode(bytes(16)).decode()
        self.transport.write(
            "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: meteor.v1\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def say(self, *messages: Message) -> None:
        """Send a packet; masked with zeros."""
        payload = encode_packet(messages)
        self.transport.write(bytes([0x82, 0x80 | len(payload), 0, 0, 0, 0]) + payload)

    def dataReceived(self, data: bytes) -> None:
        """Take whole frames out of the bytes."""
        self.buffer += data
        if not self.open:
            head, end, rest = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head.split(b"\r\n")[0]
            self.open, self.buffer = True, rest
            self.say(Hello([1], "peer"))
        while (payload := self._take()) is not None:
            for message in decode_from_server(payload, Limits()):
                self._heard(message, len(payload))

    def _take(self) -> bytes | None:
        if len(self.buffer) < 2:
            return None
        size, at = self.buffer[1], 2
        if size == 126 and len(self.buffer) >= 4:
            size, at = struct.unpack_from("!H", self.buffer, 2)[0], 4
        elif size == 127 and len(self.buffer) >= 10:
            size, at = struct.unpack_from("!Q", self.buffer, 2)[0], 10
        elif size >= 126:
            return None
        if len(self.buffer) < at + size:
            return None
        payload, self.buffer = self.buffer[at : at + size], self.buffer[at + size :]
        return payload

    def _heard(self, message: Message, size: int) -> None:
        match message:
            case Welcome():
                self.say(Join("desert/a"))
            case Joined():
                self.room = message.room
                assert message.schema is not None
                self.replica = Replica(Schema.parse(message.schema), message.epoch)
                self.replica.note_tick(message.tick)
            case Ping():
                self.say(Pong(message.number, 0))
            case Frame():
                assert self.replica is not None
                version = self.replica.apply(message.tick16, message.base, message.data, message.texts)
                self.frames.append((version.tick, message.base >> 3, size))
                if reactor.seconds() - self._held_at > HELD_S:
                    self._held_at = reactor.seconds()
                    self.say(Held(self.room, version.tick))


class SlowReaderTests(TestCase):
    """One peer stops; another does not."""

    timeout = 60

    def setUp(self) -> Any:
        return ensureDeferred(self._start())

    async def _start(self) -> None:
        Desert.rooms.clear()
        seed = Random(1)
        self.host = Host({"desert": Desert}, None, Limits(), reactor, MemoryStorage(seed), Guests(seed), seed)
        self.port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(self.host.websocket_factory())
        send_directly(self.port)
        self.host.start()
        self.peers: list[Peer] = []
        self.addCleanup(lambda: ensureDeferred(self._stop()))

    async def _stop(self) -> None:
        for peer in self.peers:
            peer.transport.abortConnection()
        await self.port.stopListening()
        await self.until(lambda: self.host.health()["connections"] == 0)
        await self.host.stop()

    async def peer(self) -> Peer:
        """Connect one, and wait for its first frames."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port.getHost().port)
        peer = cast(Peer, await endpoint.connect(Factory.forProtocol(Peer)))
        self.peers.append(peer)
        await self.until(lambda: len(peer.frames) >= 5)
        return peer

    async def until(self, answer: Any) -> None:
        """Ask again and again; the test's own timeout ends it."""
        while not answer():
            await deferLater(reactor, 0.01)

    def test_stops_reading(self) -> Deferred[None]:
        """It is skipped, costs little, delays nobody, and is in the present with one frame when it reads again."""
        return ensureDeferred(self._stop_reading())

    async def _stop_reading(self) -> None:
        slow, quick = await self.peer(), await self.peer()
        self.assertGreater(slow.frames[-1][2], 20_000)
        here = slow.transport.getHost().port
        pipes: dict[int, Any] = {session.pipe.transport.getPeer().port: session for session in cast(Any, self.host.registry)}
        session = pipes[here]
        room = Desert.rooms[0].room
        most = 0

        def stuck() -> bool:
            nonlocal most
            most = max(most, session.pipe.unsent + session.outbox.waiting_bytes)
            return room.feed.counters["skipped"] >= 60

        slow.transport.pauseProducing()
        before, ticks_before = len(quick.frames), room.tick
        await self.until(stuck)
        self.assertLessEqual(most, MOST_BYTES)
        # The other one has every tick, one version after the other.
        ticks = [tick for tick, _, _ in quick.frames[before:]]
        self.assertEqual(ticks, list(range(ticks[0], ticks[0] + len(ticks))))
        self.assertGreaterEqual(len(ticks), room.tick - ticks_before - 2)
        # Reading again: what was under way, then one frame over all that was skipped, then each version.
        seen = len(slow.frames)
        slow.transport.resumeProducing()
        await self.until(lambda: slow.frames[-1][0] >= quick.frames[-1][0] - 1 and slow.frames[-1][1] == 1)
        await self.until(lambda: len(slow.frames) > seen + 20 and slow.frames[-1][1] == 1)
        jumps = [back for _, back, _ in slow.frames[seen:] if back != 1]
        self.assertEqual(len(jumps), 1, jumps)
        assert slow.replica is not None
        assert quick.replica is not None
        await self.until(lambda: slow.replica.version.tick == quick.replica.version.tick)
        self.assertTrue(slow.replica.version.same(quick.replica.version))
