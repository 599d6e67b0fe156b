"""`make bench-first`: bytes of a tick of the demo, the same as JSON, and the server's CPU for a player and a tick.

A server in a process of its own serves the demo, at its own speeds, to bots in this process. The bytes are those that one of 20
bots gets; the CPU is what the system counts for the server's process with 100 of them, the game's own motion among it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from statistics import median
from typing import Any

import numpy as np

from meteor_net.drift.physics import shortest
from meteor_net.drift.world import SIZE
from meteor_net.messages import Frame, Joined
from meteor_net.state import Replica, Schema

from .crowd import Crowd, cpu_s
from .figures import report
from .server import Server, part_cores, running

WARM_UP_S = 5
MEASURE_S = 20
#: Windows of the measuring of CPU: another process that wakes up for a moment shall not decide.
WINDOWS = 5
BOTS, PLAYERS = 20, 100
#: What JSON needs to say the same: two decimals tell steps of 1/16 apart, three a 1,024th of a turn.
DECIMALS = {"fixed": 2, "angle": 3}


class ByteRecorder:
    """Applies one player's frames, and notes what they cost and what JSON would.

    Attributes:
        measuring: Whether it notes.
        sizes: Bytes of each frame's WebSocket message.
        json_sizes: Bytes of the same changes in JSON.
        speeds: Table -> the speeds of its rows, in units a tick.
    """

    def __init__(self) -> None:
        self.measuring = False
        self.sizes: list[int] = []
        self.json_sizes: list[int] = []
        self.speeds: dict[str, list[Any]] = {"meteor": [], "craft": []}

    def joined(self, joined: Joined) -> None:
        """Begin with an empty replica."""
        assert joined.schema is not None
        self.schema = Schema.parse(joined.schema)
        self.replica = Replica(self.schema, joined.epoch)
        self.replica.note_tick(joined.tick)

    def frame(self, frame: Frame, size: int) -> None:
        """Apply a frame."""
        places = {name: self._places(name) for name in self.speeds}
        self.replica.apply(frame.tick16, frame.base, frame.data, frame.texts or None)
        if not self.measuring:
            return
        self.sizes.append(size)
        self.json_sizes.append(len(json.dumps(self._changes(), separators=(",", ":"))))
        for name, before in places.items():
            now = self._places(name)
            if now.shape == before.shape:
                self.speeds[name].append(np.hypot(*shortest(now - before, SIZE)))

    def _places(self, name: str) -> Any:
        table = getattr(self.replica.world, name)
        return np.array([table.x[table.alive], table.y[table.alive]])

    def _changes(self) -> dict[str, list[dict[str, Any]]]:
        """What the last frame changed, as a frugal author would say it in JSON: ids and changed fields."""
        changes: dict[str, list[dict[str, Any]]] = {}
        versions = zip(self.schema.tables, self.replica.previous.tables, self.replica.version.tables, strict=True)
        for kind, old, new in versions:
            count = min(old.ints.shape[1], new.ints.shape[1])
            changed = old.ints[:, :count] != new.ints[:, :count]
            table = getattr(self.replica.world, kind.table_name)
            for slot in np.flatnonzero(changed.any(axis=0)).tolist():
                fields = [kind.layout().columns[column] for column in np.flatnonzero(changed[:, slot])]
                row = {field.name: _plain(field, getattr(table, field.name)[slot].item()) for field in fields}
                changes.setdefault(kind.table_name, []).append({"id": slot, **row})
        return changes


def _plain(field: Any, value: Any) -> Any:
    return round(value, DECIMALS[field.kind]) if field.kind in DECIMALS else value


def show(text: str) -> None:
    """Say something that is no figure."""
    print(text, flush=True)


async def _wait(crowd: Crowd, what: str, seconds: int) -> None:
    for second in range(seconds):
        if sys.stderr.isatty():
            print(f"\r{what}: {seconds - second} s ", end="", file=sys.stderr, flush=True)
        await asyncio.sleep(1)
        crowd.check()
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


async def measure_bytes(server: Server) -> dict[str, float]:
    """Let 20 bots fly, and look at what one of them gets."""
    show(f"bytes: {BOTS} bots fly for {WARM_UP_S} + {MEASURE_S} s")
    crowd, recorder = Crowd(), ByteRecorder()
    await crowd.enter(server.port, BOTS, recorder)
    await _wait(crowd, "warming up", WARM_UP_S)
    recorder.measuring = True
    await _wait(crowd, "measuring", MEASURE_S)
    await crowd.leave()
    for name, speeds in recorder.speeds.items():
        units = 20 * np.concatenate(speeds)
        mean, most = units.mean(), np.percentile(units, 95)
        show(f"  {name}: {mean:.0f} units/s on average, 95 % below {most:.0f}, at most {units.max():.0f}")
    sizes = np.array(recorder.sizes)
    show(f"  frame: {sizes.mean():.0f} bytes on average, {sizes.min()} to {sizes.max()}, of {len(sizes)} ticks")
    show(f"  JSON: {np.mean(recorder.json_sizes):.0f} bytes on average")
    return {
        "first-tick-bytes": float(sizes.mean()),
        "first-json-ratio": float(sizes.mean() / np.mean(recorder.json_sizes)),
    }


async def _cpu_per_tick_us(server: Server, players: int) -> list[float]:
    """CPU of the server for a tick with so many players, in µs: a value for each window, smallest first."""
    crowd = Crowd()
    await crowd.enter(server.port, players)
    await _wait(crowd, "warming up", WARM_UP_S)
    used_us = []
    for number in range(WINDOWS):
        cpu, tick = cpu_s(server.pid), crowd.players[0].tick
        await _wait(crowd, f"measuring {players} players, {number + 1} of {WINDOWS}", MEASURE_S // WINDOWS)
        used_us.append((cpu_s(server.pid) - cpu) * 1e6 / (crowd.players[0].tick - tick))
    late = [player.name for player in crowd.players if crowd.players[0].tick - player.tick > 20]
    await crowd.leave()
    if late:
        raise RuntimeError(f"{len(late)} players lag behind by a second: nothing was measured")
    return sorted(used_us)


async def measure_cpu(server: Server) -> dict[str, float]:
    """Count the server's CPU with 100 players; and, to tell what of it is the world's own, with one."""
    show(f"CPU: {PLAYERS} players for {WARM_UP_S} + {MEASURE_S} s, then one; the median of {WINDOWS} windows counts")
    many, one = await _cpu_per_tick_us(server, PLAYERS), await _cpu_per_tick_us(server, 1)
    for players, used_us in ((PLAYERS, many), (1, one)):
        low, middle, high = (used_us[place] / 1000 for place in (0, WINDOWS // 2, -1))
        show(f"  players: {players}; a tick takes {middle:.2f} ms of CPU, {low:.2f} to {high:.2f}")
    show(f"  each player more takes {(median(many) - median(one)) / (PLAYERS - 1):.1f} µs")
    return {"first-client-cpu-us": median(many) / PLAYERS}


async def measure() -> dict[str, float]:
    """Measure all, each with a server of its own."""
    measured: dict[str, float] = {}
    for part in (measure_bytes, measure_cpu):
        with running() as server:
            part_cores(server.pid)
            measured |= await part(server)
    return measured


def main() -> int:
    """Run it.

    Returns:
        The exit status: 0 if every figure is there and none is short.
    """
    return report(asyncio.run(measure()), "first-")


if __name__ == "__main__":
    sys.exit(main())
