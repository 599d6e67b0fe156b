"""Makes `playback.json`: when frames came, and what was drawn when; read by the Python and the JavaScript tests alike.

Run `python -m tests.vectors.make_playback` after a change of the arithmetic; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from meteor_net.state import Angle, Coding, Flag, Replica, Schema, StateSync, Stream, Table, UInt, World

PATH = Path(__file__).with_name("playback.json")

ABOUT = """\
Which world is shown when: the snapshot buffer of the clients (docs/howto/draw.md).
A case has a `schema`, `tick_ms`, and a `clock`: a tick, and the server's milliseconds then (JOINED); and what happens, by our clock in milliseconds, in this order:
frame: `now`, and `tick16`, `base`, `data` (hexadecimal) as in FRAME. draw: `now`; then the tick that is shown, the delay in ms (null: none is known yet), and x, y and heading of the row in slot 0.
clock: a tick, and the server's milliseconds then (CLOCK). rate: `update_rate` is set. present: back from a pause.
All numbers of a draw are to be equal within 1e-6."""  # noqa: E501
TICK_MS = 50
DRAW_MS = 1000 / 60
Happening = list[Any]


class Ship(Table):
    """What flies."""

    x = UInt(31, interpolate="linear")
    y = UInt(6, interpolate="linear")
    heading = Angle(8)
    jumped = Flag(snap=True)


def play(case: dict[str, Any]) -> Iterator[list[float | None]]:
    """Let a case happen; give what is drawn, each time as the case tells it after `now`."""
    schema = Schema.parse(case["schema"])
    replica = Replica(schema, 1)
    tick, time_ms = case["clock"]
    replica.note_tick(tick)
    sync = StateSync(tick_s=case["tick_ms"] / 1000, tick=tick, time_s=time_ms / 1000)
    for kind, *told in case["happens"]:
        if kind == "frame":
            now, tick16, base, data = told
            sync.sync_state(replica.apply(tick16, base, bytes.fromhex(data), None), now=now / 1000)
        elif kind == "draw":
            view = sync.show(told[0] / 1000)
            assert view is not None
            row, delay_s = view.ship[0], sync.delay_s
            yield [sync.shown, None if delay_s is None else delay_s * 1000, row.x, row.y, row.heading]
        elif kind == "clock":
            sync.set_clock(told[0], told[1] / 1000)
        elif kind == "rate":
            sync.update_rate = told[0]
        else:
            sync.to_present()


class Film:
    """A flight whose frames come as `latency_ms` says of each tick, but never before the one sent earlier."""

    def __init__(self, latency_ms: Callable[[int], float]) -> None:
        self.happens: list[Happening] = []
        self.now = 0.0  # of the server; ours is 1,000 ms ahead
        self._latency = latency_ms
        self._last = 0.0
        self._coming: list[tuple[float, Happening]] = []
        world = World(Schema([Ship]), 1)
        self._stream = Stream(world)
        self._ship = world.ship.spawn(heading=6.2)

    def fly(self, ticks: range, draw: bool = True) -> Film:
        """Go on, with a frame for each of these ticks, until the last."""
        for tick in ticks:
            ship = self._ship
            if tick % 40 == 30:
                ship.x, ship.jumped = 0, not ship.jumped
            ship.x, ship.y, ship.heading = ship.x + 10, min(63, tick), ship.heading + 0.05
            self._stream.commit(tick)
            step = self._stream.step(self._stream.version.number - 1, Coding.VARINT)
            self._last = max(self._last, tick * TICK_MS + self._latency(tick))
            self._coming.append((self._last, ["frame", step.tick16, step.base_code, step.data.hex()]))
        return self.rest(ticks[-1] * TICK_MS, draw)

    def rest(self, until_ms: float, draw: bool = True) -> Film:
        """Go on with what is under way."""
        while self.now < until_ms:
            while self._coming and self._coming[0][0] <= self.now:
                at, (kind, *frame) = self._coming.pop(0)
                self.happens.append([kind, at + 1000, *frame])
            if draw and self.happens:
                self.happens.append(["draw", self.now + 1000])
            self.now += DRAW_MS
        return self

    def note(self, *happening: Any) -> Film:
        """Let something else happen now."""
        self.happens.append(list(happening))
        return self


def films() -> Iterator[tuple[str, Film]]:
    """Give the cases."""
    chance = random.Random(1)
    yield "a steady network", Film(lambda _: 40).fly(range(1, 60))
    jitter = Film(lambda tick: 40 + 60 * chance.random() * (tick > 30))
    yield "jitter; the clock is set anew", jitter.fly(range(1, 61)).note("clock", 60, 2990).fly(range(61, 90))
    stall = Film(lambda tick: 400 if tick == 30 else 40)
    yield "a stall, then rest, then motion again", stall.fly(range(1, 41)).rest(4000).fly(range(80, 100))
    slow = Film(lambda _: 40).fly(range(1, 30)).note("rate", 10.0)
    yield "the rate is halved while running", slow.fly(range(30, 90, 2))
    pause = Film(lambda _: 40).fly(range(1, 20)).fly(range(20, 60), draw=False)
    yield "a pause, and back in the present", pause.note("present").fly(range(60, 80))
    gone = Film(lambda tick: 40 if tick < 20 else 900)
    yield "a network that becomes slow for good", gone.fly(range(1, 70)).rest(4400)


def build() -> dict[str, Any]:
    """Give the whole content of the file."""
    cases = []
    for about, film in films():
        case: dict[str, Any] = {"about": about, "schema": Schema([Ship]).describe(), "tick_ms": TICK_MS, "clock": [0, 0]}
        case["happens"] = [_round(each) for each in film.happens]
        drawn = play(case)
        case["happens"] = [each + _round(next(drawn)) if each[0] == "draw" else each for each in case["happens"]]
        cases.append(case)
    return {"about": ABOUT.split("\n"), "cases": cases}


def _round(items: list[Any]) -> list[Any]:
    return [round(item, 9) if isinstance(item, float) else item for item in items]


def text() -> str:
    """Give the file as it should be: a line for everything that happens."""
    made = build()
    cases = []
    for case in made["cases"]:
        lines = ",\n".join("   " + json.dumps(each) for each in case.pop("happens"))
        cases.append(f'  {json.dumps(case)[:-1]}, "happens": [\n{lines}\n  ]}}')
    return f'{{\n "about": {json.dumps(made["about"])},\n "cases": [\n' + ",\n".join(cases) + "\n ]\n}\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
