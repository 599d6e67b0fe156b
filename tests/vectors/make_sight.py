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
from tests.state.sight_writer import Bits, uvarint
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
    stories = [_standing(), _sailing(), _jumping(), _still(), _far()]
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
BETWEEN += [(4, n, 0.5, 0.5) for n in range(3, 10)]


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
    client, story = _story("a ship in ring 0, and one in ring 2", 4, 7, 4)
    ship = next(iter(client.scene.tables[0].values()))
    for table in client.scene.tables:
        table.clear()
    for slot, x in ((3, 25), (9, 65)):
        client.scene.tables[0][slot] = client.scene._placed(type(ship)(0, 5, (x, *ship.values[1:]), ("ship", b"\1\2")))
    client.scene.go_on = lambda: None  # type: ignore[method-assign]
    view = {key: 0 if key < 4 else 2 for key in range(CELLS - 1)}
    story["frames"].append(client.frame([view, {7: 0}, {0: 0}], check=True, back=0))
    story["frames"].append(client.frame([view, {7: 0}, {0: 0}], check=True))
    return story


def _far() -> dict[str, Any]:
    """Give frames in which nothing is in sight but a ship far off."""
    client, story = _story("a ship that sails in ring 2", 5, 3, 4)
    ship = next(iter(client.scene.tables[0].values()))
    for table in client.scene.tables:
        table.clear()

    def sail() -> None:
        x = 100 + 3 * client.tick
        client.scene.tables[0][0] = client.scene._placed(type(ship)(0, 0, (x % 160, *ship.values[1:]), ("far", b"")))

    client.scene.go_on = sail  # type: ignore[method-assign]
    for n in range(11):
        story["frames"].append(client.frame([dict.fromkeys(range(CELLS), 2), {}, {}], back=min(n, 1)))
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


#: No row leaves, and none enters.
STAY = ((0, None), (0, None))


def _part(head: bytes, *bits: tuple[int, int | None], texts: bytes = b"\0", ring: int = 0) -> bytes:
    """Write an item with one part of the ships' table."""
    return bytes([2, 2 << ring]) + head + _bits(*bits) + texts


def _bad() -> list[tuple[str, bytes]]:
    """Give items that are refused where the ship 3 is in ring 0, and the ship 9 in ring 2."""
    still, x, y = b"\0", b"\5", b"\11"  # no step; a step with values for x, or for y
    leaves = ((1, None), (0, None), (0, 4))  # the first: its place is a number with the parameter 4
    return [
        ("no byte of a head's second", b"\x80"),
        ("a head of 36 bits", b"\x80\x80\x80\x80\x80\1"),
        ("a section for a fourth keyed table", b"\x10\2\0\3"),
        ("a byte is left over", _part(still, *STAY) + b"\0"),
        ("a section is missing", b"\2"),
        ("a section without parts", b"\2\0"),
        ("a section with nothing but checksums", b"\2\1"),
        ("a ring that is not in the schema", _part(still, *STAY, ring=3)),
        ("a ring of a table with one ring", b"\4\4\0\3"),
        ("all rows have numbers, and it is no step", _part(b"\2", *STAY)),
        ("values, and it is no step", _part(b"\4\0", *STAY)),
        ("a column that is not there", _part(uvarint(1 + (1 << 13)) + b"\0", *STAY, (0, 1))),
        ("mode half", _part(x + b"\1", *STAY, (0, 1))),
        ("mode 7", _part(x + b"\7", *STAY, (0, 1))),
        ("bits that fill up are set", _part(still, *STAY, (1, 3))),
        ("two rows leave a ring of one", _part(still, (2, None), (0, None), (0, 5), (0, None), (0, 5), (0, None))),
        ("a row leaves at a place that is not there", _part(still, (1, None), (1, 1), (1, 4), (0, 1), (0, None))),
        ("a row leaves a ring without rows", _part(still, *leaves, (0, 1), (0, None), ring=1)),
        ("a row leaves the last ring for the next", _part(still, *leaves, (1, 1), (0, None), ring=2)),
        ("more rows enter than there are bytes", _part(still, (0, None), (100, None), (0, 900))),
        ("2^32 - 1 rows enter", _part(still, (0, None), ((1 << 32) - 1, None), (0, 900))),
        ("16,385 rows enter", b"\x08\2\0" + _bits((0, None), (16_385, None), *[(0, 999)] * 33)),
        ("slot 16,384", _entered(16_384, 0)),
        ("a generation of 65,536", _entered(0, 65_536)),
        ("a row of side 3", _entered(0, 0, 3 << (8 + 7 + 10))),
        ("a row with a text that is cut", _entered(0, 0)[:-1] + b"\1"),
        ("a value leaves its domain", _part(y + b"\0", *STAY, (1, 1), (300, None))),
        ("a number of 36 zeros", _part(x + b"\0", *STAY, (1, 1), (0, 36), (1, 1), (0, 60))),
        ("a number without an end", _part(x + b"\0", *STAY, (1, 1), (0, 99))),
        ("a number of 2^32", _part(x + b"\xf8", *STAY, (1, 1), (0, 3), (1, 1), (0, 31))),
        ("a text of a row that is not there", _part(still, *STAY, texts=b"\1\1\0\0")),
        ("a text of a third column", _part(still, *STAY, texts=b"\1\0\2\0")),
        ("a text that is too long", _part(still, *STAY, texts=b"\1\0\0\x09" + b"x" * 9)),
        ("a text that is no UTF-8", _part(still, *STAY, texts=b"\1\0\0\2\xc3\x28")),
        ("a text of a lone surrogate", _part(still, *STAY, texts=b"\1\0\0\3\xed\xa0\x80")),
        ("data of five bytes", _part(still, *STAY, texts=b"\1\0\1\5" + bytes(5))),
        ("a text that is cut", _part(still, *STAY, texts=b"\1\0\0\x7f" + b"x")),
        ("more texts than bytes", _part(still, *STAY, texts=b"\xff\xff\xff\xff\x0f\0\0\0")),
        ("the checksum differs", b"\2\3\0\3\0" + bytes(4)),
    ]


def _entered(slot: int, generation: int, raw: int = 0) -> bytes:
    """Write that a row enters ring 0, with no texts; the parameter of its slot is 14, its velocities are 0."""
    bits = Bits()
    bits.number(0, 0)
    bits.number(1, 0)
    bits.raw(14, 5)
    bits.raw(0, 11 * 5)
    bits.number(slot, 14)
    bits.number(generation, 0)
    bits.raw(raw, 8 + 7 + 10 + 2 + 1 + 32 + 6 + 2 + 3 * 4)
    for _ in range(11):
        bits.number(0, 0)
    return b"\2\2\0" + bytes(bits) + b"\0\0\0"


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
