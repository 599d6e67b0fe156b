"""Makes `sight.json`: what is in sight of keyed tables, read by the Python and the JavaScript tests alike.

The frames are written by `tests/state/sight_writer.py`, which knows nothing of the package's own encoder.
Run `python -m tests.vectors.make_sight` after a change of the wire; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from meteor_net.state import Replica, Schema, interpolate
from tests.state.sight_writer import Bits
from tests.vectors.sight_story import CELLS, SCHEMA, Scene, Told, around
from tests.vectors.state_story import shown

PATH = Path(__file__).with_name("sight.json")

ABOUT = """\
What is in sight of keyed tables (wire page, clauses 8.19 to 8.24). Bytes are hexadecimal; those of a `data` field are {"hex": …}.
stories: a replica of the `schema` that was told `known_tick` (JOINED) applies `frames` one after another: `tick16`, `base`, `data`, `texts` and `sight` as in FRAME. Afterwards it holds `tick`, `crc` (of the version without keyed tables) and `tables`: `slots` and `generations` of the rows in sight, ascending, `ints` of each integer column and `texts` by field, in the order of slots. `top` is the highest slot + 1.
between: the ships that are shown at `alpha` between the versions of two frames, by place, of a story, when the tick `at` is shown: slots, and the values by field, within 1e-9.
refused: items `sight` that must not be applied after the frames of the story `after`, and leave everything as it was."""  # noqa: E501


def build() -> dict[str, Any]:
    """Give the whole content of the file."""
    stories = [_standing(), _sailing(), _jumping(), _still()]
    return {
        "about": ABOUT.split("\n"),
        "schema": SCHEMA,
        "hash": Schema.parse(SCHEMA).hash.hex(),
        "stories": stories,
        "between": [_between(stories, *case) for case in BETWEEN],
        "refused": [{"about": about, "after": 3, "sight": data.hex()} for about, data in _bad()],
    }


#: Story, place of the later frame, alpha, ticks that are shown after the earlier one.
BETWEEN = [(0, n, alpha, alpha) for n in (7, 8, 9, 10, 11) for alpha in (0.0, 0.25, 0.5)]
BETWEEN += [(0, 15, 1.0, 1.0), (0, 15, 1.5, 1.5), (0, 15, 2.0, 3.25), (0, 15, 1.0, 9.0), (1, 9, 0.5, 0.5), (2, 9, 0.75, 0.75)]


def _between(stories: list[dict[str, Any]], story: int, place: int, alpha: float, after: float) -> dict[str, Any]:
    schema = Schema.parse(SCHEMA)
    replica = Replica(schema, 1)
    replica.note_tick(stories[story]["known_tick"])
    versions = [
        replica.apply(frame["tick16"], frame["base"], bytes.fromhex(frame["data"]), None, bytes.fromhex(frame["sight"]))
        for frame in stories[story]["frames"][: place + 1]
    ]
    at = versions[-2].tick + after
    ships = interpolate(versions[-2], versions[-1], alpha, at).ship
    told = {"story": story, "frames": [place - 1, place], "alpha": alpha, "at": at, "slots": [row.slot for row in ships]}
    return {**told, "shown": shown(ships, schema)}


def _story(about: str, seed: int, tick: int, slots: int) -> tuple[Told, dict[str, Any]]:
    chance = random.Random(seed)
    frames: list[dict[str, Any]] = []
    return Told(Scene(chance, slots), chance, tick), {"about": about, "known_tick": tick, "frames": frames}


def _standing() -> dict[str, Any]:
    client, story = _story("one who stands, and sees in three rings what passes by", 1, 65_525, 24)
    for n in range(16):
        views = [around(5), {7: 0}, {0: 0, 40_000: 0}]
        story["frames"].append(client.frame(views, check=n % 4 == 3, back=min(n, 1)))
    return story


def _sailing() -> dict[str, Any]:
    client, story = _story("one who sails along, changes the team, and misses a tick", 2, 0, 20)
    for n in range(20):
        if n == 13:
            client.go_on()
        views = [around(n // 2, (1, 3, 6)), {1: 0}, {40_000 if n > 8 else 0: 0}]
        story["frames"].append(client.frame(views, check=n % 5 == 4, forget=n == 13, back=min(n, 1) + (n == 13)))
    return story


def _jumping() -> dict[str, Any]:
    client, story = _story("one who jumps about, is told a keyframe again, and loses all in the end", 3, 1_000, 30)
    for n in range(14):
        at = n // 4 * 7
        views: list[dict[int, int]] = [around(at, (0, 2, 5)), {1: 0, 7: 0, 65_535: 0}, {}]
        if n == 13:
            views = [{}, {}, {}]
        story["frames"].append(client.frame(views, check=n % 2 == 1, forget=n == 10, back=0 if n in (0, 7) else 1))
    return story


def _still() -> dict[str, Any]:
    """Give two frames in which little is seen: what is refused comes after them."""
    client, story = _story("one ship, in cell 2", 4, 7, 4)
    client.scene.tables[1].clear()
    client.scene.tables[2].clear()
    ship = client.scene.tables[0].pop(min(client.scene.tables[0]))
    client.scene.tables[0].clear()
    client.scene.tables[0][3] = client.scene._placed(type(ship)(0, 5, (25, *ship.values[1:]), ("ship", b"\1\2")))
    client.scene.go_on = lambda: None  # type: ignore[method-assign]
    view = {key: 0 if key < 4 else 2 for key in range(CELLS - 1)}
    story["frames"].append(client.frame([view, {7: 0}, {0: 0}], check=True, back=0))
    story["frames"].append(client.frame([view, {7: 0}, {0: 0}], check=True))
    return story


def _bits(*parts: tuple[int, int | None]) -> bytes:
    """Write raw bits (value, width), or numbers of the parameter 0 (value, None)."""
    bits = Bits()
    for value, width in parts:
        if width is None:
            bits.number(value, 0)
        else:
            bits.raw(value, width)
    return bytes(bits)


def _bad() -> list[tuple[str, bytes]]:
    """Give items that are refused where the cells 0 to 3 are in ring 0, 4 to 14 in ring 2, and the ship 3 is in cell 2."""
    nothing, no_column = b"\0", b"\0\0"
    ways = b"\0\1\0"  # x: parameter 0, mode hold

    def ring_0(piece: bytes, head: bytes = no_column) -> bytes:
        return b"\2\10" + head + nothing * 2 + piece + nothing

    moved = _bits((1, 1), (0b100, 3))  # all rows have numbers, of no column
    gained = b"\2\2\1\1\0"  # cell 0, in ring 0
    return [
        ("no byte of a head's second", b"\x80"),
        ("a section for a fourth keyed table", b"\x10\0"),
        ("a byte is left over", b"\2\0\0"),
        ("a section is missing", b"\2"),
        ("a ring that is not in the schema", b"\2\x40" + no_column),
        ("a ring of a table with one ring", b"\4\x10" + no_column),
        ("a key is dropped that was not in sight", b"\2\1\1\x0f"),
        ("a key of five bits", b"\2\1\1\x10"),
        ("a key far beyond", b"\2\1\2\1\xff\xff\xff\xff\x0f"),
        ("more keys than bytes", b"\2\1\xff\xff\xff\xff\x0f\0"),
        ("keys are gained in no ring of the schema", b"\2\2\x08\1\0" + bytes(12) + b"\1"),
        ("keys are gained, and none are named", b"\2\2\1\0" + bytes(12)),
        ("a key is gained in two rings", b"\2\2\3\1\0\1\0" + bytes(12) + b"\1\1"),
        ("a parameter of 32 for gaps", gained + b"\x20" + bytes(11) + b"\1"),
        ("a parameter of 32 for a column", gained + bytes(11) + b"\x20" + b"\1"),
        ("bits that fill up are set", gained + bytes(12) + b"\x21"),
        ("16,385 rows in a key", gained + bytes(12) + _rows(16_385)),
        ("a keyframe's checksum differs", b"\2\6\1\1\0" + bytes(12) + b"\1" + bytes(4)),
        ("a piece is missing", b"\2\10" + no_column + nothing * 3),
        ("a piece too many", b"\2\10" + no_column + nothing * 5),
        ("a parameter of 32 for the gaps of pieces", b"\2\10\x20\0" + nothing * 4),
        ("a column that is not there", ring_0(nothing, b"\0\x80\x10\0")),
        ("mode half", ring_0(nothing, b"\0\1\1")),
        ("mode 7", ring_0(nothing, b"\0\1\7")),
        ("nothing changed, and bits that fill up are set", ring_0(b"\x80")),
        (
            "a row leaves a key without rows",
            b"\2\10" + no_column + _bits((1, 1), (1, 3), (0, None), (0, 1), (1, 1), (0, 3)) + b"\0",
        ),
        (
            "a row leaves at a place that is not there",
            ring_0(_bits((1, 1), (0b001, 3), (0, None), (1, None), (0, 2), (0, 1)) + b"\0"),
        ),
        ("a value leaves its domain", ring_0(_bits((1, 1), (0b100, 3), (300, None)) + b"\0", b"\0\2\0")),
        ("a number of 36 zeros", ring_0(b"\x09\0\0\0\0\0\1\0", ways)),
        ("a number without an end", ring_0(b"\x09" + bytes(12), ways)),
        ("a number of 2^32", ring_0(_bits((1, 1), (0b100, 3), (1 << 3, 4), (0, 31), (0, 2)) + bytes(1), b"\0\1\xf8")),
        ("a text of a row that is not there", ring_0(moved + b"\1\1\0\0")),
        ("a text of a third column", ring_0(moved + b"\1\0\2\0")),
        ("a text that is too long", ring_0(moved + b"\1\0\0\x09" + b"x" * 9)),
        ("a text that is no UTF-8", ring_0(moved + b"\1\0\0\2\xc3\x28")),
        ("a text of a lone surrogate", ring_0(moved + b"\1\0\0\3\xed\xa0\x80")),
        ("data of five bytes", ring_0(moved + b"\1\0\1\5" + bytes(5))),
        ("a text that is cut", ring_0(moved + b"\1\0\0\x7f" + b"x")),
        (
            "a row of side 3",
            gained + bytes(12) + _bits((1, None), (0, 2), (0, None), (0, None), (0, 8), (0, 7), (0, 10), (3, 2), (0, 99)),
        ),
        (
            "a row stays in a cell, and has entered another",
            b"\2\x0a\1\1\0\x0d" + bytes(11) + _slot(3, 5) + b"\0\0" + no_column + nothing * 3,
        ),
        ("slot 16,384", gained + b"\x0d" + bytes(11) + _slot(16_384, 0)),
        ("a generation of 65,536", gained + b"\x0d" + bytes(11) + _slot(0, 65_536)),
    ]


def _rows(count: int) -> bytes:
    """Begin a keyframe of so many rows."""
    bits = Bits()
    bits.number(count, 2)
    bits.raw(0, 400)
    return bytes(bits)


def _slot(slot: int, generation: int) -> bytes:
    """Write a keyframe of a row in a slot, with the parameter 13 for the gap; all values are 0, and so are velocities of 0."""
    bits = Bits()
    bits.number(1, 2)
    bits.number(slot, 13)
    bits.number(generation, 0)
    bits.raw(0, 8 + 7 + 10 + 2 + 1 + 32 + 6 + 2 + 3 * 4)
    for _ in range(11):
        bits.number(0, 0)
    return bytes(bits)


def text() -> str:
    """Give the file as it should be: a line for every frame."""
    parts = build()
    stories = [
        f'  {{"about": {_line(s["about"])}, "known_tick": {s["known_tick"]}, "frames": {_lines(s["frames"], "   ")}}}'
        for s in parts.pop("stories")
    ]
    listed = {key: _lines(part, "  ") if isinstance(part, list) else _line(part) for key, part in parts.items()}
    listed["stories"] = "[\n" + ",\n".join(stories) + "\n ]"
    return "{\n" + ",\n".join(f' "{key}": {part}' for key, part in listed.items()) + "\n}\n"


def _lines(items: list[Any], indent: str) -> str:
    return "[\n" + ",\n".join(indent + _line(item) for item in items) + f"\n{indent[1:]}]"


def _line(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, allow_nan=False)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
