"""Makes `state.json`: frames and what they mean, read by the Python and the JavaScript tests alike.

Run `python -m tests.vectors.make_state` after a change of the wire; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from meteor_net.state import Action, Event, Field, Schema, interpolate
from tests.vectors import eg_story
from tests.vectors.state_story import SCHEMA, Boom, Buy, Crate, Recorder, Ship, Steer, many_rows, plain, shown, three_tables

PATH = Path(__file__).with_name("state.json")

ABOUT = """\
State frames and what they mean (wire page, clauses 7 and 8). Bytes are hexadecimal.
fields: quantization. `values` of a field (NaN, Infinity and -Infinity as text) become `wire`, and `wire` becomes `shown`.
records: an action or event of a `schema`, by `kind` and `number`; `values` as its maker gave them, `wire` its values on the wire, `shown` what the receiver reads. `refused`: lists that must not be read.
worlds: a `schema` with its `hash`; a replica that was told `known_tick` (JOINED) applies `frames` one after another: `tick16`, `base`, `data`, `texts` as in FRAME. Afterwards it holds `tick`, `crc` and `tables`.
Bytes of a `data` field are `{"hex": …}` in `texts` and `shown`; a quaternion is a list of four.
A table: `slots` and `generations` of its rows, ascending; `ints` by integer column and `texts` by text column, each in the order of slots; `shown`: the values by field. `top` is the highest slot + 1.
A frame with `refused` must not be applied, and leaves everything as it was: the next one fits what was before.
between: the versions after two frames of a world (by place), and what is shown at `alpha` between them, as `tables` with `shown` alone.
Numbers in `shown` are to be equal within 1e-9, in `ints` exactly."""  # noqa: E501


def build() -> dict[str, Any]:
    """Give the whole content of the file."""
    world = Recorder(SCHEMA, known_tick=65_500)
    three_tables(world)
    many = Recorder(Schema([Ship]), known_tick=0)
    many_rows(many)
    small = Recorder(SCHEMA, known_tick=65_500, coding=1)
    three_tables(small)
    bodies = Recorder(eg_story.SCHEMA, known_tick=0, coding=1)
    eg_story.turning(bodies)
    worlds = [
        (world, "a story of three tables"),
        (many, "many rows: bitmaps"),
        (small, "the story of three tables in the coding eg"),
        (bodies, "bodies that turn, in the coding eg"),
    ]
    return {
        "about": ABOUT.split("\n"),
        "fields": list(_fields()),
        "records": list(_records()),
        "worlds": [told.case(about) for told, about in worlds],
        "between": [
            *(_between(0, world, pair, alpha) for pair, alpha in BETWEEN),
            *(_between(3, bodies, (n, n + 1), alpha) for n, alpha in ((0, 0.0), (3, 0.25), (5, 0.5), (8, 0.75))),
        ],
    }


_X, _NAN, _INF = 0.5, math.nan, math.inf
ROTATIONS = [
    (0, 0, 0, 1), (0, 0, 0, -3), (1, 0, 0, 0), (0.1, -0.2, 0.3, 0.4), (_X, _X, _X, _X), (_X, -_X, _X, -_X), (-7, 7, 0, 0),
    (0, 0, 0, 0), (_NAN, 0, 0, 1), (0, _INF, 0, 1), (1e200, 0, 1, 0), (1e-200, 0, 0, 0), (3, -4, 5, -4.99),
]  # fmt: skip
BETWEEN = [((0, 1), 0.0), ((0, 1), 0.25), ((0, 1), 1.0), ((2, 3), 0.5), ((3, 4), 0.75)]


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
        (eg_story.Body.rotation, ROTATIONS),
        (eg_story.Body.tilt, ROTATIONS),
    ]
    for field, values in rows:
        wire = [field.to_wire(field.coerce(value)) for value in values]
        yield {
            "field": field.describe(),
            "values": [[_number(n) for n in v] if isinstance(v, tuple) else _number(v) for v in values],
            "wire": wire,
            "shown": plain([field.from_wire(n) for n in wire]),
        }


def _number(value: Any) -> Any:
    return str(value).replace("inf", "Infinity").replace("nan", "NaN") if _odd(value) else value


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


def _between(world: int, told: Recorder, pair: tuple[int, int], alpha: float) -> dict[str, Any]:
    kept = [place for place, version in enumerate(told.versions) if version is not None]
    places = [kept[n] for n in pair]
    before, after = (version for version in (told.versions[place] for place in places) if version is not None)
    view = interpolate(before, after, alpha)
    tables = [
        {"name": table.table_name, "slots": [r.slot for r in table], "shown": shown(table, told.schema)}
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
