"""What it costs to show each of many viewers their part of a large world, beside Colyseus' views."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

from ..server import Server, part_cores
from ..state.channel import Mismatch
from ..state.progress import say, shown
from . import ours, peer
from .load import Crowd, Held, Viewer, Window, cores
from .ours import OurViewer
from .peer import PeerViewer
from .scene import LARGE, SMALL, Scene

ROUNDS, WINDOWS = 3, 2
WARM_UP_S, WINDOW_S = 3.0, 5.0
#: Viewers of a round whose messages are decoded afterwards, and frames of each that are compared.
RECORDED, COMPARED = 4, 20
#: Rows that are sent, for each row in sight.
MOST_SENT = 1.5
#: Parts of a unit within which a row counts as at the edge of what is in sight.
HAIR = 1e-6


@dataclass
class Side:
    """One of the two.

    Attributes:
        name: In what is printed.
        viewer: Makes a client.
        held: Tells what a recorded client held.
        windows: What was counted, round by round.
        sent: Rows that were held for each row in sight, of each frame that was looked at.
    """

    name: str
    viewer: Callable[[int, bool], Viewer]
    held: Callable[[Viewer, int, Scene], list[Held]]
    windows: list[Window] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)

    def median(self, name: str) -> float:
        """The median of one attribute of all windows."""
        return float(median(getattr(window, name) for window in self.windows))

    def show(self, viewers: int) -> None:
        """Say what was counted; and how much two windows of one server differ, where nothing differs but the time."""
        cpu = sorted(window.cpu_ms for window in self.windows)
        again = [second.cpu_ms / first.cpu_ms for first, second in zip(self.windows[::2], self.windows[1::2], strict=True)]
        say(
            f"  {self.name}: {median(cpu):.2f} ms of CPU a tick ({cpu[0]:.2f} to {cpu[-1]:.2f});"
            f" {median(cpu) * 1000 / viewers:.1f} µs and {self.median('bytes'):.0f} bytes for a viewer;"
            f" {self.median('hz'):.1f} Hz; the load took {self.median('load'):.0%} of its core"
        )
        say(f"    A/A: the second window of a server took {min(again):.2f} to {max(again):.2f} times the CPU of its first")


def sides() -> tuple[Side, Side]:
    """The peer and us."""
    return Side("Colyseus", PeerViewer, peer.held), Side("ours", OurViewer, ours.held)


async def _run(server: Server, viewers: Sequence[Viewer]) -> list[Window]:
    crowd = Crowd(viewers)
    try:
        await crowd.enter(server.port)
        await asyncio.sleep(WARM_UP_S)
        return [await crowd.window(server.pid, WINDOW_S) for _ in range(WINDOWS)]
    finally:
        await crowd.leave()


def round_of(side: Side, scene: Scene, server: Server) -> None:
    """Let all viewers in, count, end the server, and look at what some of them held, if that was not done yet."""
    every = scene.viewers // RECORDED
    # decoding takes its time, and one round tells as much as all
    viewers = [side.viewer(number, not side.sent and number % every == 0) for number in range(scene.viewers)]
    try:
        server.wait()
        part_cores(server.pid)
        side.windows += asyncio.run(_run(server, viewers))
    except BaseException:
        say(server.stop()[:6000])
        raise
    server.stop()
    for viewer in viewers:
        if viewer.recorded:
            for held in side.held(viewer, COMPARED, scene):
                side.sent.append(compare(scene, viewer.number, held, exact=side.name == "Colyseus"))


def compare(scene: Scene, viewer: int, held: Held, exact: bool) -> float:
    """Compare what a viewer held with what was in its sight.

    Args:
        scene: The world.
        viewer: Whose sight.
        held: What it held.
        exact: Nothing else shall be held.

    Returns:
        Rows held for each row in sight.

    Raises:
        Mismatch: A row is missing; or one is too many, if that counts.
    """
    place = scene.find(held.rows, held.at)
    has, sees = set(held.rows.tolist()), set(scene.in_sight(place, viewer, -HAIR).tolist())
    if sees - has:
        raise Mismatch(f"viewer {viewer} lacks {len(sees - has)} of {len(sees)} rows in its sight")
    if exact and has - set(scene.in_sight(place, viewer, HAIR).tolist()):
        raise Mismatch(f"viewer {viewer} holds {len(has)} rows, where {len(sees)} are in its sight")
    return len(has) / len(sees)


def _ours(side: Side, scene: Scene, share_views: bool = True) -> dict[str, int]:
    """One round of ours; gives what the room told of itself."""
    with tempfile.TemporaryDirectory() as folder:
        round_of(side, scene, ours.start(scene, Path(folder), share_views))
        told: dict[str, int] = json.loads((Path(folder) / "told.json").read_text())
    return told


def compare_sides(scene: Scene) -> tuple[Side, Side]:
    """Let both serve in turn.

    Raises:
        Mismatch: A client held something else than it should, or too much.
        ConnectionError: Viewers were lost.
    """
    say(f"interest: {scene.rows:,} rows, {scene.viewers} viewers who see {scene.radius:.0f} of {scene.size:g} far")
    theirs, mine = sides()
    told = {}
    for _ in shown(range(ROUNDS), f"interest, {scene.rows} rows"):
        round_of(theirs, scene, peer.start(scene))
        told = _ours(mine, scene)
    for side in (theirs, mine):
        side.show(scene.viewers)
    sent = mean(mine.sent)
    say(f"    ours sends {sent:.2f} rows for each in sight, by cells of {scene.cell:.1f}")
    say(f"    ours has {told['views']} different views of {told['players']} viewers")
    if sent > MOST_SENT:
        raise Mismatch(f"{sent:.2f} rows are sent for each in sight, more than {MOST_SENT}")
    return theirs, mine


def measure() -> dict[str, float]:
    """Measure the world with many viewers, then the one with many rows."""
    peer.prepare()
    theirs, mine = compare_sides(SMALL)
    say(f"  the servers have a core to themselves, the load has {cores()}")
    alone = Side("ours, no view joined for two", OurViewer, ours.held)
    _ours(alone, SMALL, share_views=False)
    alone.show(SMALL.viewers)
    many_theirs, many_mine = compare_sides(LARGE)
    return {
        "interest-cpu-ratio": mine.median("cpu_ms") / theirs.median("cpu_ms"),
        "interest-bytes-ratio": mine.median("bytes") / theirs.median("bytes"),
        "interest-large-cpu-ratio": many_mine.median("cpu_ms") / many_theirs.median("cpu_ms"),
    }
