"""What a player may not see never reaches its socket: a server in a process of its own, and every byte that it sends."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import time
from struct import pack

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import decode_from_server, encode_packet
from meteor_net.limits import Limits
from meteor_net.messages import Frame, Hello, Join, Joined, Message, Welcome
from meteor_net.state import Replica, Schema
from tests.requirements import REPOSITORY

from .ports import free_port, listens
from .secrets_game import BLUE, CARD, FAR, RED

#: A second of the game: who does not tell what it holds is sent no more than that.
FRAMES = 20


class RawClient:
    """A client that keeps every byte it was sent.

    Attributes:
        raw: Those bytes, as they came from the socket.
    """

    def __init__(self, port: str, name: str, features: list[str]) -> None:
        self.raw = b""
        self.replica: Replica | None = None
        self.frames = 0
        self._at = 0
        self._socket = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: meteor.v1\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.raw:
            self.receive()
        self._at = self.raw.index(b"\r\n\r\n") + 4
        self.say(Hello(versions=[1], name=name, features=features))

    def close(self) -> None:
        """Be gone."""
        self._socket.close()

    def receive(self) -> None:
        """Take what comes next."""
        data = self._socket.recv(65_536)
        if not data:
            raise AssertionError("the server has closed")
        self.raw += data

    def say(self, message: Message) -> None:
        """Send a small packet; its mask is zeros."""
        payload = encode_packet([message])
        self._socket.sendall(pack("!BBI", 0x82, 0x80 + len(payload), 0) + payload)

    def take(self) -> None:
        """Take what comes, until a packet is whole; do what it says."""
        while (payload := self._packet()) is None:
            self.receive()
        for message in decode_from_server(payload, Limits()):
            if isinstance(message, Welcome):
                self.say(Join(""))
            elif isinstance(message, Joined):
                self.replica = Replica(Schema.parse(message.schema), message.epoch)
                self.replica.note_tick(message.tick)
            elif isinstance(message, Frame):
                assert self.replica is not None
                self.replica.apply(
                    message.tick16, message.base, message.data, message.texts, message.sight, message.docs
                )  # fmt: skip
                self.frames += 1

    def _packet(self) -> bytes | None:
        data = self.raw[self._at : self._at + 10]
        if len(data) < 2:
            return None
        wide = {126: 2, 127: 8}.get(data[1], 0)
        if len(data) < 2 + wide:
            return None
        size = int.from_bytes(data[2 : 2 + wide], "big") if wide else data[1]
        begin = self._at + 2 + wide
        if len(self.raw) < begin + size:
            return None
        self._at = begin + size
        return self.raw[begin : self._at]

    def texts(self) -> set[str]:
        """The texts of all rows that it holds."""
        assert self.replica is not None
        world = self.replica.world
        return {row.text for table in (world.plan, world.card, world.gold) for row in table}


class SecretsTests(SynchronousTestCase):
    """Two teams, and a card for each player."""

    def setUp(self) -> None:
        self.port = free_port()
        self.server = subprocess.Popen(
            [sys.executable, "-m", "twisted", "meteor", "--listen", f"tcp:{self.port}:interface=127.0.0.1",
             "--database", "memory", "--data-dir", self.mktemp(), "--game", "teams=tests.e2e.secrets_game.Teams"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )  # fmt: skip
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        end = time.monotonic() + 20
        while not listens(self.port):
            self.assertLess(time.monotonic(), end, "the server does not listen")

    def come(self, name: str, features: list[str]) -> RawClient:
        """Somebody is in, and was told of its world."""
        client = RawClient(self.port, name, features)
        self.addCleanup(client.close)
        while not client.frames:
            client.take()
        return client

    def test_never_sent(self) -> None:
        """Each sees its own team's plan, its own card and what is near, as these change; of the rest there is no byte."""
        for features in (["eg"], []):
            clients = {name: self.come(name, features) for name in ("ann", "bob")}
            for client in clients.values():
                while client.frames < FRAMES:
                    client.take()
            plans = {name: (client.texts() & {RED, BLUE}).pop() for name, client in clients.items()}
            self.assertEqual(set(plans.values()), {RED, BLUE})
            for name, client in clients.items():
                self.assertEqual(client.texts(), {plans[name], CARD + name, "near"})
                (other,) = {"ann", "bob"} - {name}
                for secret in (plans[other], CARD + other, FAR):
                    self.assertNotIn(secret.encode(), client.raw)
                self.assertIn(plans[name].encode(), client.raw)
                client.close()
