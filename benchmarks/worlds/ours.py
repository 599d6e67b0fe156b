"""Our server with the scene, and clients that hear it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cbor2
import numpy as np

from meteor_net.codec import decode_from_server, encode_packet
from meteor_net.limits import Limits
from meteor_net.messages import Frame, Hello, Join, Joined, Message, Pong
from meteor_net.messages import Held as Holds
from meteor_net.state import Replica, Schema

from ..crowd import FRAME, JOINED, PING, WELCOME, frame_tick16, later
from ..server import Server, free_port, meteor
from ..state.channel import Mismatch
from ..websocket import BINARY
from .game import NO_SHARING, TOLD_FILE
from .load import Held, Viewer
from .scene import LARGE, Scene

LIMITS = Limits()


def start(scene: Scene, folder: Path, share_views: bool = True) -> Server:
    """Start the server; it does not listen yet.

    Args:
        scene: What it plays.
        folder: Where it keeps its data, and tells of its room.
        share_views: Equal views are joined once for all.
    """
    env = {**os.environ, TOLD_FILE: str(folder / "told.json")}
    if not share_views:
        env[NO_SHARING] = "1"
    game = f"benchmarks.worlds.game.{'Large' if scene is LARGE else 'Small'}"
    paths = ["--data-dir", str(folder / "data"), "--python-path", str(Path(__file__).parents[2])]
    return meteor(free_port(), "--game", f"worlds={game}", *paths, env=env)


class OurViewer(Viewer):
    """One of our clients: it says what it holds, as clients do."""

    def __init__(self, number: int, records: bool = False) -> None:
        super().__init__(number, records)
        self.tick = 0
        self._room = -1

    def opened(self) -> None:
        """Say who comes."""
        self.send(Hello(versions=[1], name=f"viewer {self.number}", client="benchmark", features=["eg"]))

    def send(self, message: Message) -> None:
        """Send one message as one packet."""
        self.send_frame(BINARY, encode_packet([message]))

    def take(self, payload: bytes) -> bool:
        """Take a packet; a frame that comes first is not read further than its tick."""
        if payload[2] == FRAME:
            self.tick = later(self.tick, frame_tick16(payload))
            self.ready = True
            return True
        framed = False
        for item in cbor2.loads(payload):
            framed = self._take(item, payload) or framed
        return framed

    def _take(self, item: list[Any], payload: bytes) -> bool:
        code = item[0]
        if code == FRAME:
            self.tick = later(self.tick, item[2])
        elif code == PING:
            self.send(Pong(item[1], 0))
        elif code == WELCOME:
            self.send(Join(""))
        elif code == JOINED:
            joined = next(message for message in decode_from_server(payload, LIMITS) if isinstance(message, Joined))
            self._room, self.tick = joined.room, joined.tick
        return bool(code == FRAME)

    def tend(self) -> None:
        """Say what is held."""
        self.send(Holds(self._room, self.tick))


def held(viewer: Viewer, last: int, scene: Scene) -> list[Held]:
    """Tell what a recorded client held after each of its last frames.

    Raises:
        Mismatch: Fields that rest have other values.
    """
    replica: Replica | None = None
    found: list[Held] = []
    for number, payload in enumerate(viewer.recorded):
        for message in decode_from_server(payload, LIMITS):
            if isinstance(message, Joined):
                assert message.schema is not None
                replica = Replica(Schema.parse(message.schema), message.epoch)
                replica.note_tick(message.tick)
            elif isinstance(message, Frame):
                assert replica is not None
                replica.apply(message.tick16, message.base, message.data, message.texts or None, message.sight)
                if number >= len(viewer.recorded) - last:
                    found.append(_held(replica.world.mover))
    return found


def _held(table: Any) -> Held:
    rows = np.flatnonzero(table.alive)
    if not ((table.hp[rows] == 100) & (table.skin[rows] == 3)).all():
        raise Mismatch("our client lacks the fields that rest")
    return Held(rows, np.array([table.x[rows], table.y[rows]]))
