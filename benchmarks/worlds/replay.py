"""A recording of ten minutes of the demo: its bytes beside those of one client's stream, and how long a seek takes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any, cast

import numpy as np

from meteor_net.codec import Shared
from meteor_net.drift import Drift
from meteor_net.drift.world import Steer
from meteor_net.interfaces import StoredLine
from meteor_net.messages import Frame
from meteor_net.replay import Recording, record
from meteor_net.state import Coding, Step
from meteor_net.testing import GameTestCase

from ..state.progress import say, shown

MINUTES = 10
#: As many as `meteor-net bots` lets play.
BOTS = 8
#: How often each steers, and in how many of its turns it thrusts.
STEERS_PER_S, THRUST = 4, 0.7
KEYFRAME_S = 5
SEEKS = 50
#: Framing of a WebSocket message of 126 to 65,535 bytes from a server.
WEBSOCKET_BYTES = 4


class OneStream:
    """What a client that follows takes of a room's stream, and what keyframes between would take, in bytes."""

    def __init__(self, room: Any) -> None:
        self.stream_bytes = self.keyframe_bytes = self.keyframes = 0
        self._room = room
        self._number = 0
        self._every = round(KEYFRAME_S / room.tick_s)
        room.observers.add(self)

    def ticked(self, tick: int, events: Sequence[Any]) -> None:
        """Count the frame of a tick."""
        stream = self._room.feed.stream
        if stream.version.number != self._number:
            self.stream_bytes += self._size(stream.step(self._number, Coding.EG))
            self._number = stream.version.number
        if tick % self._every == 0:
            self.keyframes += 1
            self.keyframe_bytes += self._size(stream.step(None, Coding.EG))

    def _size(self, step: Step) -> int:
        frame = Frame(self._room.feed.number, step.tick & 0xFFFF, step.base_code, step.data, step.texts or [])
        return len(Shared.of(frame)) + WEBSOCKET_BYTES

    def line(self, line: StoredLine) -> None:
        """Lines are not of the stream: the recording has them besides."""

    def closed(self) -> None:
        """All is counted."""


class Flight(GameTestCase):
    """The demo with its bots, in memory, as fast as it goes."""

    game = Drift

    def fly(self, path: Path, minutes: float) -> tuple[Path, OneStream]:
        """Record so many minutes; answers where, and what a client takes."""
        bots = [self.player(f"bot {number + 1}") for number in range(BOTS)]
        recorder, stream = record(self.room, path), OneStream(self.room)
        dice = Random(1)
        turns = range(round(minutes * 60 * STEERS_PER_S))
        for _ in shown(turns, "quarter seconds flown"):
            for bot in bots:
                bot.act(Steer(turn=dice.uniform(-1, 1), thrust=dice.random() < THRUST))
            self.advance(1 / STEERS_PER_S)
        recorder.close()
        return recorder.file.path, stream


def measure(minutes: float = MINUTES) -> dict[str, float]:
    """Measure; prints what lies behind the figures."""
    with tempfile.TemporaryDirectory() as folder:
        flight = cast(Any, Flight)("fly")
        try:
            path, stream = flight.fly(Path(folder) / "drift.replay", minutes)
        finally:
            flight.doCleanups()
        size = path.stat().st_size
        compared = stream.stream_bytes + stream.keyframe_bytes
        say(
            f"{minutes:g} minutes of the demo with {BOTS} bots: a file of {size:,} bytes; the stream of one client takes "
            f"{stream.stream_bytes:,}, and {stream.keyframes} keyframes {stream.keyframe_bytes:,}"
        )
        return {"replay-bytes-ratio": size / compared, "replay-seek-ms": _seek_ms(path)}


def _seek_ms(path: Path) -> float:
    """Seek to places at random, each for the first time; answers the longest."""
    began = perf_counter()
    with Recording.open(path) as recording:
        say(f"opened in {(perf_counter() - began) * 1e3:.0f} ms")
        dice, took_ms = np.random.default_rng(1), []
        playhead = recording.playhead()
        for seconds in shown(dice.uniform(0, recording.length_s, SEEKS).tolist(), "seeks"):
            began = perf_counter()
            playhead.seek(recording.tick_at(seconds))
            took_ms.append((perf_counter() - began) * 1e3)
    say(f"{SEEKS} seeks: median {median(took_ms):.0f} ms, worst {max(took_ms):.0f} ms")
    return max(took_ms)
