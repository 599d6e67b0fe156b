"""Makes `prediction.json`: what a step does, and what is predicted and drawn when; read by the tests of both languages.

Run `python -m tests.vectors.make_prediction` after a change of the arithmetic; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from meteor_net.drift.flight import step
from meteor_net.drift.world import SIZE, Steer
from meteor_net.session.client_prediction import Prediction
from meteor_net.state import Angle, Coding, Fixed, Flag, Replica, Schema, Stream, Table, World
from meteor_net.state.interpolation import interpolate
from meteor_net.state.own import OwnFields, input_ints
from meteor_net.state.trig import cos_int, sin_int

PATH = Path(__file__).with_name("prediction.json")

ABOUT = """\
Prediction (docs/explanation/prediction.md). All integers are exact; numbers of a draw are to be equal within 1e-6, x and y modulo 2,048 and heading modulo a full turn.
trig: angle, bits; the sine and the cosine as whole numbers.
flight: the step of the demo's craft (meteor_net/drift/flight.py, page/flight.js). `start` is its integers by name; `inputs` are the integers of turn and thrust; `states` those of the fields, in the order of `names`, after each input.
A story has a `schema`, `tick_ms`, `smooth_ms` and `snap` (null: none), for that same step; and what happens to a client, by its clock in milliseconds, in this order:
joined: JOINED has come, on a new connection. own: the rows, as in OWN. frame: `tick16`, `base`, `data` (hexadecimal) as in FRAME; they all come on one connection. ack: seq and tick. refused: seq.
act: `now`, and the values of Steer as in ACTION; then the number of the input if it is to be sent, 0 if not. Numbers go on from 1.
draw: `now`; then x, y, heading, vx and thrust of the own row as it is drawn, null if there is no prediction."""  # noqa: E501
STEPS = 1_000
TICK_MS = 50
DRAW_MS = 1000 / 60
#: What is read of a drawn row, and what is no distance in it: once round the world.
DRAWN = ("x", "y", "heading", "vx", "thrust")
ROUND = (SIZE, SIZE, math.tau, math.inf, math.inf)
Happening = list[Any]


class Craft(Table):
    """The demo's craft, without what is no number, and with a way to jump."""

    x = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=SIZE, wrap=True)
    heading = Angle(bits=10)
    vx = Fixed(step=1 / 16, low=-1024, high=1024)
    vy = Fixed(step=1 / 16, low=-1024, high=1024)
    thrust = Flag()
    jumped = Flag(snap=True)


def angles() -> list[list[int]]:
    """Give angles with their sines and cosines."""
    chance = Random(3)
    some = [(n, 10) for n in range(0, 1024, 37)] + [(chance.randrange(-(1 << 33), 1 << 33), 1 + n % 31) for n in range(124)]
    return [[angle, bits, sin_int(angle, bits), cos_int(angle, bits)] for angle, bits in some]


def flight() -> dict[str, Any]:
    """Fly through the whole world, over its edges, in all directions."""
    chance = Random(5)
    fields = OwnFields([Craft])
    names = [field.name for field in fields.fields]
    world = World(Schema([Craft]), 1)
    ints = fields.move([world.tables[0].spawn(x=7, y=2040, heading=1)], lambda s, i: None, None)
    start, inputs, states = dict(zip(names, ints, strict=True)), [], []
    ints_of, helm = input_ints(Steer), Steer()
    for _ in range(STEPS):
        if chance.random() < 0.08:
            helm = Steer(turn=chance.choice([-1, 0, 0, 1, chance.uniform(-1, 1)]), thrust=chance.random() < 0.7)
        ints = fields.step(step, ints, ints_of(helm))
        inputs.append(list(ints_of(helm)))
        states.append(list(ints))
    return {"names": names, "start": start, "inputs": inputs, "states": states}


def differs(came: list[float], told: list[float]) -> float:
    """Give the greatest distance of two drawn rows."""
    return max(min(abs(a - b), abs(around - abs(a - b))) for a, b, around in zip(came, told, ROUND, strict=True))


class Client:
    """What a story happens to."""

    def __init__(self, story: dict[str, Any]) -> None:
        self.replica = Replica(Schema.parse(story["schema"]), 1)
        anchor = (0, 0, story["tick_ms"] * 1000)
        self._world = SimpleNamespace(replica=self.replica, rows=[], anchor=anchor)
        self.prediction = Prediction(cast(Any, self._world))
        self.prediction.predict(Steer, step, story["smooth_ms"] / 1000, story["snap"])
        self.prediction.joined()
        self._seq = 0

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def happen(self, kind: str, *told: Any) -> Any:
        """Let something happen; give what came of it: a number for act, numbers or None for draw."""
        if kind == "act":
            now, values = told[:2]
            return self.prediction.act(Steer.from_wire(values), self._next, now / 1000) or 0
        if kind == "draw":
            return self._draw(told[0] / 1000)
        if kind == "joined":
            self.prediction.joined()
        elif kind == "own":
            self._world.rows = [tuple(row) for row in told[0]]
        elif kind == "frame":
            tick16, base, data = told
            self.replica.apply(tick16, base, bytes.fromhex(data), None)
        elif kind == "ack":
            self.prediction.acked(*told)
        else:
            self.prediction.refused(*told)
        return None

    def _draw(self, now: float) -> list[float] | None:
        version = self.replica.version
        view = interpolate(version, version, 1.0)
        shown = self.prediction.shown(view, now)
        if shown is view:
            return None
        row = shown.tables[0][self._world.rows[0][1]]
        return [float(getattr(row, name)) for name in DRAWN]


class Sea:
    """A server and a client 100 ms from it, roughly; what happens to the client is written down.

    Attributes:
        story: So far.
    """

    def __init__(self, about: str, seed: int, smooth_ms: int = 100, snap: float | None = None) -> None:
        self.story: dict[str, Any] = {
            "about": about, "schema": Schema([Craft], [Steer]).describe(), "tick_ms": TICK_MS,
            "smooth_ms": smooth_ms, "snap": snap, "happens": [],
        }  # fmt: skip
        self.chance = Random(seed)
        self.way_ms = 50.0
        self.jitter_ms = 0.0
        self.drops = 0.0
        self.calls_ms = DRAW_MS
        self.helm = Steer()
        self.world = World(Schema([Craft], [Steer]), 1)
        self.craft = self.world.craft.spawn(x=100, y=2000)
        self._client = Client(self.story)
        self._stream = Stream(self.world)
        self._fields, self._ints = OwnFields([Craft]), input_ints(Steer)
        self._queue: deque[tuple[int, Steer]] = deque(maxlen=4)
        self._ways: dict[str, deque[tuple[float, Happening]]] = {"up": deque(), "down": deque()}
        self._now = 1000.0
        self._tick, self._tick_at = 0, 1010.0
        self._act_at = self._draw_at = 1000.0
        self.note("own", [[0, 0]])

    def note(self, *happening: Any) -> Any:
        """Let something happen to the client now, and write it down."""
        written = _round(list(happening))  # as who reads the file lets it happen
        came = self._client.happen(*written)
        if happening[0] in ("act", "draw"):
            written.append(came)
        self.story["happens"].append(written)
        return came

    def play(self, ms: float, act: bool = True) -> Sea:
        """Go on for so long."""
        until = self._now + ms
        while self._now < until:
            self._now = min(
                [until, self._tick_at, self._act_at, self._draw_at, *(way[0][0] for way in self._ways.values() if way)]
            )
            self._arrive()
            if self._now >= self._tick_at:
                self._do_tick()
            if self._now >= self._act_at:
                self._act_at = self._now + self.calls_ms
                if act:
                    self._act()
            if self._now >= self._draw_at:
                self._draw_at = self._now + DRAW_MS
                self.note("draw", self._now)
        return self

    def cut(self) -> None:
        """Lose the connection; another one is there at once, and what the server sent of the world comes on it."""
        self._ways["up"].clear()
        self._queue.clear()
        down = self._ways["down"]
        self._ways["down"] = deque(each for each in down if each[1][0] == "frame")
        self.note("joined")

    def _send(self, way: str, what: Happening) -> None:
        lane = self._ways[way]
        at = self._now + self.way_ms + self.chance.random() * self.jitter_ms
        lane.append((max(at, lane[-1][0] if lane else 0.0), what))

    def _arrive(self) -> None:
        for name, lane in self._ways.items():
            while lane and lane[0][0] <= self._now:
                what = lane.popleft()[1]
                if name == "up":
                    self._queue.append((what[0], what[1]))
                else:
                    self.note(*what)

    def _act(self) -> None:
        if self.chance.random() < 0.06:
            self.helm = Steer(turn=self.chance.choice([-1, 0, 0, 1]), thrust=self.chance.random() < 0.7)
        seq = self.note("act", self._now, self.helm.to_wire())
        if not seq:
            return
        if self.chance.random() < self.drops:
            self._send("down", ["refused", seq])
        else:
            self._send("up", [seq, self.helm])

    def _do_tick(self) -> None:
        self._tick, self._tick_at = self._tick + 1, self._tick_at + TICK_MS
        seq = 0
        if self._queue:
            seq, helm = self._queue.popleft()
            self._fields.move([self.craft], step, self._ints(helm))
        made = self._stream.commit(self._tick)
        if seq:
            self._send("down", ["ack", seq, self._stream.version.tick])
        if made:
            frame = self._stream.step(self._stream.version.number - 1, Coding.VARINT)
            self._send("down", ["frame", frame.tick16, frame.base_code, frame.data.hex()])


def stories() -> Iterator[Sea]:
    """Give the stories."""
    yield Sea("a steady way, act for each picture", 1).play(2500)
    calm = Sea("act once a tick; in the end no more, and the row comes to rest", 2)
    calm.calls_ms = TICK_MS
    yield calm.play(1500).play(800, act=False)
    jitter = Sea("jitter, so that the queue runs empty and overflows", 3)
    jitter.jitter_ms = 300
    yield jitter.play(4000)
    refused = Sea("the server refuses some inputs", 4)
    refused.drops = 0.2
    yield refused.play(2000)
    hit = Sea("the craft is pushed, then set to another place with snap", 5).play(600)
    hit.craft.x += 30
    hit.craft.vx -= 100
    hit.play(700)
    hit.craft.x, hit.craft.jumped = 1000, True
    yield hit.play(500)
    far = Sea("pushed far, beyond snap; and by a little", 6, smooth_ms=200, snap=20.0).play(500)
    far.craft.y += 60
    far.play(400)
    far.craft.y += 9
    yield far.play(500)
    rough = Sea("nothing is smoothed", 7, smooth_ms=0).play(400)
    rough.craft.y += 9
    yield rough.play(400)
    lost = Sea("a connection is lost, and another takes its place; then the row is another", 8).play(700)
    lost.cut()
    lost.play(700)
    lost.craft.despawn()
    lost.craft = lost.world.craft.spawn(x=300, y=300)
    lost.play(400)
    lost.note("own", [])
    lost.play(100)
    lost.note("own", [[0, 0]])
    yield lost.play(300)


def build() -> dict[str, Any]:
    """Give the whole content of the file."""
    told = [sea.story for sea in stories()]
    for story in told:
        story["happens"] = [_round(each) for each in story["happens"]]
    return {"about": ABOUT.split("\n"), "trig": angles(), "flight": flight(), "stories": told}


def _round(item: Any) -> Any:
    if isinstance(item, list):
        return [_round(each) for each in item]
    return round(item, 9) if isinstance(item, float) else item


def text() -> str:
    """Give the file as it should be: a line for everything that happens."""
    made = build()
    stories = []
    for story in made["stories"]:
        lines = ",\n".join("   " + json.dumps(each) for each in story.pop("happens"))
        stories.append(f'  {json.dumps(story)[:-1]}, "happens": [\n{lines}\n  ]}}')
    head = ",\n".join(f' "{name}": {json.dumps(made[name])}' for name in ("about", "trig", "flight"))
    return f'{{\n{head},\n "stories": [\n' + ",\n".join(stories) + "\n ]\n}\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
