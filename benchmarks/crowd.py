"""Many light players over loopback: each speaks the wire, answers pings, says what it holds and steers now and then.

They do not decode the state, so that a hundred of them leave the other core to the server; one may record its frames.
"""

from __future__ import annotations

import asyncio
import os
from random import Random
from typing import Protocol

import cbor2

from meteor_net.codec import decode_from_server, encode_packet
from meteor_net.drift.world import Steer
from meteor_net.limits import Limits
from meteor_net.messages import ActionMessage, Frame, Held, Hello, Join, Joined, Message, Pong

from .websocket import BINARY, LightSocket

LIMITS = Limits()
FRAME, JOINED, WELCOME, PING = 16, 51, 49, 54
HELD_S = 0.5
STEERS_PER_S = 3.0


def frame_tick16(payload: bytes) -> int:
    """The tick of a frame that comes first in a packet: [16, stream, tick16, ...] with a stream below 24."""
    width = {0x18: 1, 0x19: 2}.get(payload[4], 0)
    return int.from_bytes(payload[5 : 5 + width], "big") if width else payload[4]


def later(tick: int, tick16: int) -> int:
    """The tick that `tick16` tells, near a known one."""
    return tick + ((tick16 - tick + 0x8000) & 0xFFFF) - 0x8000


class Recorder(Protocol):
    """Looks at what a player gets."""

    def joined(self, joined: Joined) -> None:
        """The player is in."""

    def frame(self, frame: Frame, size: int) -> None:
        """A frame came, in a WebSocket message of `size` bytes, its header among them."""


class LightPlayer(LightSocket):
    """One player.

    Attributes:
        joined: JOINED, once it came.
        tick: The newest tick that it got.
    """

    def __init__(self, name: str, random: Random, recorder: Recorder | None = None) -> None:
        super().__init__(random)
        self.name = name
        self.joined: Joined | None = None
        self.tick = 0
        self._recorder = recorder
        self._seq = 0

    def opened(self) -> None:
        """Say who comes."""
        self.send(Hello(versions=[1], name=self.name, client="benchmark"))

    def message(self, payload: bytes, size: int) -> None:
        """Take a packet; a frame that came alone is not read further than its tick, unless somebody records."""
        if payload[2] == FRAME and self._recorder is None:
            self._advance(frame_tick16(payload))
            return
        for item in cbor2.loads(payload):
            self._take(item, payload, size)

    def _advance(self, tick16: int) -> None:
        self.tick = later(self.tick, tick16)

    def _take(self, item: list[object], payload: bytes, size: int) -> None:
        code = item[0]
        if code == FRAME:
            tick16 = item[2]
            assert isinstance(tick16, int)
            self._advance(tick16)
            if self._recorder is not None:
                for message in decode_from_server(payload, LIMITS):
                    if isinstance(message, Frame):
                        self._recorder.frame(message, size)
        elif code == PING:
            number = item[1]
            assert isinstance(number, int)
            self.send(Pong(number, 0))
        elif code == WELCOME:
            self.send(Join(""))
        elif code == JOINED:
            joined = next(message for message in decode_from_server(payload, LIMITS) if isinstance(message, Joined))
            self.joined = joined
            self.tick = joined.tick
            if self._recorder is not None:
                self._recorder.joined(joined)

    def send(self, message: Message) -> None:
        """Send one message as one packet."""
        self.send_frame(BINARY, encode_packet([message]))

    async def play(self, room: int) -> None:
        """Steer at random, and tell what is held."""
        loop = asyncio.get_running_loop()
        held_at = loop.time() + self.random.random() * HELD_S
        while self.ended is None:
            self._seq += 1
            steer = Steer(turn=self.random.choice((-1, -0.5, 0, 0, 0.5, 1)), thrust=self.random.random() < 0.6)
            self.send(ActionMessage(room, self._seq, self.tick * 8, 0, list(steer.to_wire())))
            if loop.time() >= held_at:
                held_at += HELD_S
                self.send(Held(room, self.tick))
            await asyncio.sleep(self.random.uniform(0.5, 1.5) / STEERS_PER_S)


class Crowd:
    """Players that are in, and play until the crowd leaves.

    Attributes:
        players: They.
    """

    def __init__(self) -> None:
        self.players: list[LightPlayer] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def enter(self, port: int, count: int, recorder: Recorder | None = None) -> None:
        """Let players in, one after the other.

        Args:
            port: Of the server, on the loopback.
            count: How many.
            recorder: Looks at what the first of them gets.
        """
        loop = asyncio.get_running_loop()
        for number in range(count):
            player = LightPlayer(f"bot {number + 1}", Random(number), None if number else recorder)
            await loop.create_connection(lambda player=player: player, "127.0.0.1", port)  # type: ignore[misc]
            self.players.append(player)
            while player.joined is None:
                self.check()
                await asyncio.sleep(0.002)
            self._tasks.append(asyncio.ensure_future(player.play(player.joined.room)))

    def check(self) -> None:
        """Raise ConnectionError if not all are still there."""
        gone = [f"{player.name} ({player.ended})" for player in self.players if player.ended is not None]
        if gone:
            raise ConnectionError(f"players are gone: {', '.join(gone[:5])}")

    async def leave(self) -> None:
        """Let all go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for player in self.players:
            player.leave()


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, as the system counts them: user and system, all threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
