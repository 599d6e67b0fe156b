"""Makes `state.json`: frames and what they mean, read by the Python and the JavaScript tests alike.

Run `python -m tests.vectors.make_state` after a change of the wire; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from meteor_net.state import (
    Action,
    Angle,
    Choice,
    Event,
    Field,
    Fixed,
    Flag,
    Input,
    Int,
    Schema,
    Step,
    Stream,
    Table,
    Text,
    UInt,
    Version,
    World,
    WorldView,
    interpolate,
)
from meteor_net.state.view import TableView

PATH = Path(__file__).with_name("state.json")

ABOUT = """\
State frames and what they mean (wire page, clauses 7 and 8). Bytes are hexadecimal.
fields: quantization. `values` of a field (NaN, Infinity and -Infinity as text) become `wire`, and `wire` becomes `shown`.
records: an action or event of a `schema`, by `kind` and `number`; `values` as its maker gave them, `wire` its values on the wire, `shown` what the receiver reads. `refused`: lists that must not be read.
worlds: a `schema` with its `hash`; a replica that was told `known_tick` (JOINED) applies `frames` one after another: `tick16`, `base`, `data`, `texts` as in FRAME. Afterwards it holds `tick`, `crc` and `tables`.
A table: `slots` and `generations` of its rows, ascending; `ints` by integer column and `texts` by text column, each in the order of slots; `shown`: the values by field. `top` is the highest slot + 1.
A frame with `refused` must not be applied, and leaves everything as it was: the next one fits what was before.
between: the versions after two frames of a world (by place), and what is shown at `alpha` between them, as `tables` with `shown` alone.
Numbers in `shown` are to be equal within 1e-9, in `ints` exactly."""  # noqa: E501


class Ship(Table):
    """Most kinds of fields."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=-100, high=100)
    heading = Angle(bits=10)
    name = Text(24)
    hp = UInt(bits=7, default=100)
    team = Choice("red", "blue", "grün")
    lit = Flag()
    title = Text(8)


class Crate(Table):
    """The widest and the oddest domains."""

    score = Int(bits=32)
    big = UInt(bits=31)
    ring = Fixed(step=0.1, low=-0.3, high=0.4, wrap=True)
    full = Angle(bits=31, interpolate="linear")
    level = UInt(bits=4, interpolate="linear")


class Note(Table):
    """A table without integers."""

    text = Text(140)


class Steer(Input):
    """An input."""

    turn = Fixed(step=1 / 64, low=-1, high=1)
    thrust = Flag()


class Buy(Action):
    """An action with a text."""

    what = Choice("bottle", "sail")
    count = UInt(bits=5, default=1)
    message = Text(10)


class Boom(Event):
    """An event."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=-100, high=100)


SCHEMA = Schema([Ship, Crate, Note], [Steer, Buy], [Boom])


def build() -> dict[str, Any]:
    """Give the whole content of the file."""
    world = Recorder(SCHEMA, known_tick=65_500)
    _story(world)
    many = Recorder(Schema([Ship]), known_tick=0)
    _many(many)
    return {
        "about": ABOUT.split("\n"),
        "fields": list(_fields()),
        "records": list(_records()),
        "worlds": [world.case("a story of three tables"), many.case("many rows: bitmaps")],
        "between": [_between(0, world, pair, alpha) for pair, alpha in BETWEEN],
    }


BETWEEN = [((0, 1), 0.0), ((0, 1), 0.25), ((0, 1), 1.0), ((2, 3), 0.5), ((3, 4), 0.75)]


class Recorder:
    """Runs a world and writes down every frame and what it led to."""

    def __init__(self, schema: Schema, known_tick: int) -> None:
        self.schema = schema
        self.world = World(schema, 0xC0FFEE)
        self.stream = Stream(self.world)
        self.known_tick = known_tick
        self.frames: list[dict[str, Any]] = []
        self.versions: list[Version | None] = []

    def commit(self, about: str, tick: int, base: int | None, check: bool = False) -> Step:
        """Commit, and write down the step from version number `base`."""
        assert self.stream.commit(tick, check)
        step, version = self.stream.step(base), self.stream.version
        self.frames.append({**_frame(about, step), "tick": tick, "crc": version.crc(), "tables": _tables(version)})
        self.versions.append(version)
        return step

    def refused(self, about: str, step: Step, **changed: Any) -> None:
        """Write down a frame that must be refused."""
        self.frames.append({**_frame(about, step), **changed, "refused": True})
        self.versions.append(None)

    def case(self, about: str) -> dict[str, Any]:
        """Give what was written down."""
        return {
            "about": about,
            "schema": self.schema.describe(),
            "hash": self.schema.hash.hex(),
            "known_tick": self.known_tick,
            "frames": self.frames,
        }


def _story(told: Recorder) -> None:
    ship, crate, note = told.world.ship, told.world.crate, told.world.note
    ann = ship.spawn(x=4095.5, y=-100, heading=6.2, name="ann", lit=True)
    bob = ship.spawn(x=1, y=99.97, heading=0.1, name="bob", team="blue", hp=127)
    box = crate.spawn(score=-(2**31), big=2**31 - 1, ring=0.3, full=1.0, level=3)
    first = told.commit("a keyframe: two tables, texts, a 31-bit and a 32-bit integer", 65_530, None, check=True)
    ann.x, ann.heading, ann.y = 0.5, 0.05, -99
    box.score, box.ring, box.full, box.level = 2**31 - 1, -0.3, 2.0, 6
    step = told.commit("a step: the short way over the wrap, negative values, all 32 bits", 65_535, 1)
    for about, data in _broken(step.data):
        told.refused(about, step, data=data.hex())
    told.refused("coding 1 is not known here", step, base=9)
    note.spawn(text="Wer hat die Flasche? 🍾")
    bob.name, ann.team = "bob ✓", "grün"
    told.commit("texts of two tables, a table that begins; the tick passes 65,536", 65_537, 2)
    bob.hp, bob.x = 0, 2.0625
    told.commit("one field of one row, and another", 65_538, 3)
    ann.despawn()
    bob.x += 1
    cid = ship.spawn(name="cid", x=7, y=3)
    told.commit("a row goes and another takes its slot: generation 1, values from zero, texts anew", 65_539, 4, check=True)
    bob.despawn()
    told.commit("the highest row goes", 65_540, 5)
    told.refused("texts for a row that is not there", told.stream.step(5), texts=[[0, 3, [1], ["bob"]]])
    cid.despawn()
    box.despawn()
    told.commit("all ships and crates go; a checksum over a table of texts only", 65_560, 6, check=True)
    dan = ship.spawn(name="dan", x=9)
    crate.spawn(score=-1, full=0.5)
    told.stream.commit(65_570)
    dan.x += 1
    told.stream.commit(65_580)
    dan.name = "Dan"
    told.commit("a step over three versions: a catch-up", 65_600, 7, check=True)
    ship.spawn(x=5)
    told.commit("a keyframe to one who holds another version", 65_700, None)
    told.refused("the keyframe with a checksum that differs", first, data="01" + "00000000")


def _broken(good: bytes) -> list[tuple[str, bytes]]:
    return [
        ("no byte", b""),
        ("the last byte is missing", good[:-1]),
        ("a byte is left over", good + b"\0"),
        ("a part for a fourth table", b"\x10" + good[1:]),
        ("a column that is not there", b"\x02\x80\x02" + good[2:]),
        ("a uvarint of six bytes", b"\x80\x80\x80\x80\x80\x00"),
        ("a uvarint of 2^32", b"\x80\x80\x80\x80\x10"),
        ("a changed row that is not there", b"\x02\x02\x02\x05\x01"),
        ("a freed row that is not there", b"\x02\x01\x02\x05\x00"),
        ("a taken row that is there with this generation", b"\x02\x01\x00\x02\x00\x00"),
        ("a generation of 65,536", b"\x02\x01\x00\x02\x05\x80\x80\x04"),
        ("slot 16,384", b"\x02\x01\x00\x02\x80\x80\x01\x00"),
        ("a bitmap with another count", b"\x02\x02\x03\x01\x03\x01\x01"),
        ("a bitmap of 2,049 bytes", b"\x02\x02\x03\x81\x10"),
        ("more rows than there can be", b"\x02\x02\x82\x80\x02"),
        ("hp 128", b"\x02\x10\x02\x00\x38"),
        ("y below its domain", b"\x02\x04\x02\x00\xff\xff\x01"),
    ]


def _many(told: Recorder) -> None:
    ship = told.world.ship
    rows = [ship.spawn(x=3 * i, y=i - 30, heading=i / 10, team="blue" if i % 3 else "red") for i in range(60)]
    told.commit("60 rows at once: a bitmap of those taken", 1, None)
    ship.x += 2.5
    told.commit("a column of all rows", 2, 1)
    for row in rows[1::2]:
        row.despawn()
    for row in rows[::4]:
        row.lit, row.hp = True, 0
    ship.y -= 200
    told.commit("every other row goes, some change, a column is clamped", 3, 2, check=True)
    for _ in range(10):
        ship.spawn(hp=1)
    rows[58].heading -= 6.28
    told.commit("ten of the free slots are taken again", 40, 3)
    rows[58].heading += 0.2
    told.commit("one row of many", 41, 4, check=True)


def _fields() -> Any:
    rows: list[tuple[Field[Any, Any], list[Any]]] = [
        (Ship.x, [0, 0.03, 0.03125, 1.03, -0.02, -0.04, 4095.97, 4096, -1e300, math.nan, math.inf, -math.inf]),
        (Ship.y, [-100, -99.98, 99.9999, 100, 101, -101, 1e300, math.nan, math.inf, -math.inf]),
        (Crate.ring, [-0.3, -0.26, -0.25, 0, 0.349, 0.35, 0.4, 0.5, math.nan]),
        (Ship.heading, [0, 0.003, 0.0031, -0.0031, math.pi, 2 * math.pi, -7, 100, math.nan, math.inf, -math.inf]),
        (Crate.full, [0, 1e-9, 1.5e-9, 3, -3]),
        (Ship.hp, [0, 100, 127, 128, -1]),
        (Crate.score, [0, -1, 2**31, -(2**31) - 1]),
        (Crate.big, [2**31 - 1, 2**31]),
        (Ship.team, ["red", "grün"]),
        (Ship.lit, [False, True]),
    ]
    for field, values in rows:
        wire = [field.to_wire(field.coerce(value)) for value in values]
        yield {
            "field": field.describe(),
            "values": [str(v).replace("inf", "Infinity").replace("nan", "NaN") if _odd(v) else v for v in values],
            "wire": wire,
            "shown": [field.from_wire(n) for n in wire],
        }


def _odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _records() -> Any:
    made: list[tuple[str, type[Action | Event], int, dict[str, Any], list[Any]]] = [
        (
            "actions",
            Steer,
            0,
            {"turn": 0.3, "thrust": True},
            [[83], [83, 1, 0], [129, 0], [-1, 0], [0.5, 0], [0, True], [0, 2]],
        ),
        ("actions", Steer, 0, {"turn": -5}, []),
        (
            "actions",
            Buy,
            1,
            {"what": "sail", "count": 3, "message": "für dich"},
            [[2, 1, ""], [0, 32, ""], [0, 1, "x" * 11], [0, 1, 5]],
        ),
        ("events", Boom, 0, {"x": 4100, "y": 3}, [["0", 0], [None, 0]]),
    ]
    for part, cls, number, values, refused in made:
        record = cls(**values)
        yield {
            "schema": SCHEMA.describe(),
            "part": part,
            "kind": cls.__name__,
            "number": number,
            "values": values,
            "wire": record.to_wire(),
            "shown": {field.name: getattr(record, field.name) for field in cls.fields()},
            "refused": refused,
        }


def _frame(about: str, step: Step) -> dict[str, Any]:
    return {"about": about, "tick16": step.tick16, "base": step.base_code, "data": step.data.hex(), "texts": step.texts}


def _tables(version: Version) -> list[dict[str, Any]]:
    tables = []
    for view, table in zip(WorldView(version).tables, version.tables, strict=True):
        layout = version.schema.table(view.table_name).layout()
        slots = [row.slot for row in view]
        tables.append(
            {
                "name": view.table_name,
                "top": len(table.alive),
                "slots": slots,
                "generations": [row.generation for row in view],
                "ints": {f.name: table.ints[n, slots].tolist() for n, f in enumerate(layout.columns)},
                "texts": {
                    f.name: [text[slot] for slot in slots] for (_, f), text in zip(layout.texts, table.texts, strict=True)
                },
                "shown": _shown(view, version.schema),
            }
        )
    return tables


def _shown(view: TableView, schema: Schema) -> dict[str, list[Any]]:
    fields = schema.table(view.table_name).layout().wire
    return {field.name: [getattr(row, field.name) for row in view] for field in fields}


def _between(world: int, told: Recorder, pair: tuple[int, int], alpha: float) -> dict[str, Any]:
    kept = [place for place, version in enumerate(told.versions) if version is not None]
    places = [kept[n] for n in pair]
    before, after = (version for version in (told.versions[place] for place in places) if version is not None)
    view = interpolate(before, after, alpha)
    tables = [
        {"name": table.table_name, "slots": [r.slot for r in table], "shown": _shown(table, told.schema)}
        for table in view.tables
    ]
    return {"world": world, "frames": places, "alpha": alpha, "tick": view.tick, "tables": tables}


def text() -> str:
    """Give the file as it should be: a line for every item that one may want to look at alone."""
    parts = build()
    for world in parts["worlds"]:
        world["frames"] = _lines(world["frames"], "   ")
    listed = {key: _lines(part, "  ") if key != "worlds" else _worlds(part) for key, part in parts.items()}
    return "{\n" + ",\n".join(f' "{key}": {part}' for key, part in listed.items()) + "\n}\n"


def _worlds(worlds: list[dict[str, Any]]) -> str:
    made = []
    for world in worlds:
        frames = world.pop("frames")
        made.append(f'  {_line(world)[:-1]}, "frames": {frames}}}')
    return "[\n" + ",\n".join(made) + "\n ]"


def _lines(items: list[Any], indent: str) -> str:
    return "[\n" + ",\n".join(indent + _line(item) for item in items) + f"\n{indent[1:]}]"


def _line(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, allow_nan=False)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
