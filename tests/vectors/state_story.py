"""What happens in the worlds of `state.json`, and how it is written down."""

from __future__ import annotations

from typing import Any

from meteor_net.state import (
    Action,
    Angle,
    Choice,
    Event,
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
)
from meteor_net.state.view import TableView


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


class Recorder:
    """Runs a world and writes down every frame and what it led to."""

    def __init__(self, schema: Schema, known_tick: int, coding: int = 0) -> None:
        self.schema = schema
        self.coding = coding
        self.world = World(schema, 0xC0FFEE)
        self.stream = Stream(self.world)
        self.known_tick = known_tick
        self.frames: list[dict[str, Any]] = []
        self.versions: list[Version | None] = []

    def commit(self, about: str, tick: int, base: int | None, check: bool = False) -> Step:
        """Commit, and write down the step from version number `base`."""
        assert self.stream.commit(tick, check)
        step, version = self.stream.step(base, self.coding), self.stream.version
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


def three_tables(told: Recorder) -> None:
    """A story of three tables, told frame by frame; what is broken on the way is of the coding `varint`."""
    ship, crate, note = told.world.ship, told.world.crate, told.world.note
    ann = ship.spawn(x=4095.5, y=-100, heading=6.2, name="ann", lit=True)
    bob = ship.spawn(x=1, y=99.97, heading=0.1, name="bob", team="blue", hp=127)
    box = crate.spawn(score=-(2**31), big=2**31 - 1, ring=0.3, full=1.0, level=3)
    first = told.commit("a keyframe: two tables, texts, a 31-bit and a 32-bit integer", 65_530, None, check=True)
    ann.x, ann.heading, ann.y = 0.5, 0.05, -99
    box.score, box.ring, box.full, box.level = 2**31 - 1, -0.3, 2.0, 6
    step = told.commit("a step: the short way over the wrap, negative values, all 32 bits", 65_535, 1)
    for about, data in _broken(step.data) if told.coding == 0 else []:
        told.refused(about, step, data=data.hex())
    told.refused("a coding that is not known", step, base=15)
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
    if told.coding == 0:
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


def many_rows(told: Recorder) -> None:
    """Many rows of one table."""
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


def _frame(about: str, step: Step) -> dict[str, Any]:
    texts = step.texts and [[*entry[:3], plain(entry[3])] for entry in step.texts]
    return {"about": about, "tick16": step.tick16, "base": step.base_code, "data": step.data.hex(), "texts": texts}


def plain(values: list[Any]) -> list[Any]:
    """Write values as JSON can carry them: bytes as `{"hex": …}`, a quaternion as a list."""
    return [
        {"hex": value.hex()} if isinstance(value, bytes) else list(value) if isinstance(value, tuple) else value
        for value in values
    ]


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
                "texts": {f.name: plain(text[slots].tolist()) for (_, f), text in zip(layout.texts, table.texts, strict=True)},
                "shown": shown(view, version.schema),
            }
        )
    return tables


def shown(view: TableView, schema: Schema) -> dict[str, list[Any]]:
    """Give the values of a table's rows, by field."""
    fields = schema.table(view.table_name).layout().wire
    return {field.name: plain([getattr(row, field.name) for row in view]) for field in fields}
