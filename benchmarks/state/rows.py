"""A thousand rows that all move, beside Colyseus: both replay the same file of motion."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from time import process_time_ns

import numpy as np

from meteor_net.state import Angle, Fixed, Stream, Table, UInt

from .browser import decode_again
from .channel import CODINGS, DEFAULT, Channel, Mismatch, make_world, newest_step
from .motion import SIZE, Motion, constant, wandering
from .peer import Peer, running
from .progress import say, shown

#: Where files of one run go.
OUT = Path(__file__).parents[1] / "out"
#: Ticks that one side computes before it is the other's turn; turns before they count; turns that count.
CHUNK, WARM_UP, TURNS = 25, 12, 72


class Mover(Table):
    """A row: place and angle change, the rest rests."""

    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    angle = Angle(bits=16)
    hp = UInt(8, default=100)
    skin = UInt(8, default=3)


class Player:
    """Plays a motion into a table.

    Attributes:
        world: With the table.
    """

    def __init__(self, motion: Motion) -> None:
        self.world = make_world(Mover)
        self._values = motion.values
        for _ in range(motion.rows):
            self.world.mover.spawn()
        self.move(0)

    def move(self, tick: int) -> None:
        """Write the columns of a tick."""
        table = self.world.mover
        table.x, table.y, table.angle = self._values[tick]


def follow(motion: Motion, coding: str) -> tuple[Channel, list[str]]:
    """Send all ticks, and tell what the integers of the moving columns were after each but the first."""
    player = Player(motion)
    channel, hashes = Channel(player.world, coding), []
    for tick in shown(range(motion.ticks), f"rows, {motion.name}, {coding}"):
        player.move(tick)
        channel.send()
        codes = channel.replica.version.tables[0].ints[:3]
        hashes.append(hashlib.sha256(codes.astype("<i4").tobytes()).hexdigest())
    return channel, hashes[1:]


class Timed:
    """Our side of the comparison: column writes, commit and encode, tick after tick."""

    def __init__(self, motion: Motion, coding: str) -> None:
        self._player = Player(motion)
        self._coding = coding
        self._stream = Stream(self._player.world)
        self._stream.commit(1)
        self._now = 1

    def time(self, ticks: list[int]) -> float:
        """Give the CPU time of a tick, in µs."""
        began = process_time_ns()
        for tick in ticks:
            self._now += 1
            self._player.move(tick)
            self._stream.commit(self._now)
            newest_step(self._stream, self._coding)
        return (process_time_ns() - began) / 1000 / len(ticks)


def compare_sizes(motion: Motion, peer: Peer) -> dict[str, float]:
    """Replay a motion on both sides, and compare what the clients hold.

    Returns:
        Mean bytes of a tick: by coding, and the peer's `quantized` and `floats`.

    Raises:
        Mismatch: they do not hold the same.
    """
    made = {coding: follow(motion, coding) for coding in CODINGS}
    decode_again([channel for channel, _ in made.values()])
    sizes = {coding: float(np.mean(channel.following)) for coding, (channel, _) in made.items()}
    path = motion.save(OUT)
    for kind in ("quantized", "floats"):
        peer.ask("load", file=str(path), rows=motion.rows, kind=kind)
        answer = peer.ask("check", ticks=motion.ticks)
        if kind == "quantized" and answer["hashes"] != made[DEFAULT][1]:
            raise Mismatch("the peer's client holds other integers than ours")
        sizes[kind] = float(np.mean(answer["sizes"]))
    say(f"  {motion.name}, bytes a tick: {', '.join(f'{name} {size:.0f}' for name, size in sizes.items())}")
    return sizes


def compare_cpu(motion: Motion) -> dict[str, float]:
    """Let all sides compute in turns.

    The peer gets a process for each kind of fields: code that has seen only one of them is faster there.

    Returns:
        Median CPU time of a tick, in µs: by coding, and the peer's `quantized` and `floats`.
    """
    path, medians = motion.save(OUT), {}
    ours = {coding: Timed(motion, coding) for coding in CODINGS}
    for kind, sides in (("quantized", ours), ("floats", {})):
        taken: dict[str, list[float]] = {name: [] for name in (*sides, kind)}
        with running() as peer:
            peer.ask("load", file=str(path), rows=motion.rows, kind=kind)
            for turn in shown(range(WARM_UP + TURNS), f"rows, CPU beside the peer's {kind}"):
                ticks = _ticks(motion.ticks, turn)
                for coding, side in sides.items():
                    taken[coding].append(side.time(ticks))
                taken[kind].append(peer.ask("time", ticks=ticks)["us"])
        for name, all_us in taken.items():
            low, medians[name], high = np.percentile(all_us[WARM_UP:], [5, 50, 95]).tolist()
            say(f"  {name}: {medians[name] / 1000:.3f} ms of CPU a tick, {low / 1000:.3f} to {high / 1000:.3f}")
    return medians


def _ticks(count: int, turn: int) -> list[int]:
    """Give the ticks of a turn: to and fro through the motion, so that nothing ever jumps."""
    there_and_back = [*range(1, count), *range(count - 2, 0, -1)]
    return [there_and_back[(turn * CHUNK + place) % len(there_and_back)] for place in range(CHUNK)]


def measure() -> Mapping[str, float]:
    """Measure rows that wander; print the same of rows that keep their velocity."""
    motion = wandering()
    say(f"rows: {motion.rows}, of which x, y and angle change in each of {motion.ticks} ticks; every frame is decoded twice")
    with running() as peer:
        say(f"  beside {peer.name}")
        sizes = compare_sizes(motion, peer)
        compare_sizes(constant(), peer)
    cpu = compare_cpu(motion)
    return {
        "rows-bytes-ratio": sizes[DEFAULT] / sizes["quantized"],
        "rows-cpu-ratio": cpu[DEFAULT] / cpu["quantized"],
        "rows-cpu-varint-ratio": cpu["varint"] / cpu["quantized"],
    }
