"""What happens in the keyed tables of `sight.json`, and to the sight of the one who is told of it."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace
from typing import Any

from meteor_net.state import Schema
from tests.state.sight_writer import Row, Teller, sight, uvarint, zigzag

#: Cells of the ships' grid, in a circle; and how wide one is, in integers of x.
CELLS, WIDTH = 16, 10

SCHEMA: dict[str, Any] = {
    "tables": [
        {"name": "rock", "fields": [{"name": "size", "kind": "uint", "bits": 8}]},
        {
            "name": "ship",
            "key": {"kind": "cells", "rings": 3},
            "fields": [
                {"name": "x", "kind": "fixed", "step": 0.5, "low": 0, "high": 80, "wrap": True},
                {"name": "y", "kind": "fixed", "step": 0.25, "low": -10, "high": 10, "wrap": False},
                {"name": "name", "kind": "text", "max": 8},
                {"name": "heading", "kind": "angle", "bits": 10},
                {"name": "side", "kind": "choice", "choices": ["red", "grün", "blue"]},
                {"name": "lit", "kind": "flag"},
                {"name": "debt", "kind": "int", "bits": 32},
                {"name": "heat", "kind": "int", "bits": 6},
                {"name": "turn", "kind": "quaternion", "bits": 4},
                {"name": "blob", "kind": "data", "max": 4},
            ],
        },
        {
            "name": "card",
            "key": {"kind": "owner", "rings": 1},
            "fields": [{"name": "suit", "kind": "uint", "bits": 2}, {"name": "hint", "kind": "int", "bits": 5}],
        },
        {
            "name": "note",
            "key": {"kind": "team", "rings": 1},
            "fields": [{"name": "text", "kind": "text", "max": 20}],
        },
    ],
    "actions": [],
    "events": [],
}

Rows = dict[int, Row]


class Scene:
    """A world of ships, cards and notes in which much happens.

    Args:
        chance: What happens.
        slots: So many slots each table has at most.
    """

    def __init__(self, chance: random.Random, slots: int = 24) -> None:
        self.chance = chance
        self.slots = slots
        self.tables: list[Rows] = [{}, {}, {}]
        self._used: dict[tuple[int, int], int] = {}  # generation of each slot, by table and slot
        for _ in range(slots * 2 // 3):
            self.spawn()

    def spawn(self) -> None:
        """A row of each table comes, where there is a slot."""
        for number, rows in enumerate(self.tables):
            free = [slot for slot in range(self.slots) if slot not in rows]
            if free:
                slot = self.chance.choice(free)
                generation = self._used[number, slot] = self._used.get((number, slot), -1) + 1
                rows[slot] = self._row(number, generation)

    def _row(self, number: int, generation: int) -> Row:
        chance = self.chance
        if number == 1:
            return Row(chance.choice([1, 7, 65_535, None]), generation, (chance.randrange(4), chance.randrange(-16, 16)))
        if number == 2:
            return Row(chance.choice([0, 40_000]), generation, (), (chance.choice(["", "hü", "x" * 20, "🍾" * 3]),))
        x, debt = chance.randrange(CELLS * WIDTH), chance.choice([0, -1, 2**31 - 1, -(2**31)])
        values = [x, chance.randrange(81), chance.randrange(1024), chance.randrange(3), 0, debt, chance.randrange(-32, 32)]
        return self._placed(Row(0, generation, (*values, chance.randrange(4), 0, 15, 7), (chance.choice("abc") * 3, b"")))

    def _placed(self, ship: Row) -> Row:
        return replace(ship, key=ship.values[0] // WIDTH)

    def go_on(self) -> None:
        """A tick passes."""
        chance = self.chance
        for number, rows in enumerate(self.tables):
            for slot, row in list(rows.items()):
                if chance.random() < 0.07:
                    del rows[slot]
                elif number == 0:
                    rows[slot] = self._sailed(slot, row)
                elif chance.random() < 0.2:
                    other = self._row(number, row.generation)
                    rows[slot] = other if chance.random() < 0.3 else replace(other, key=row.key)
        if chance.random() < 0.8:
            self.spawn()

    def _sailed(self, slot: int, ship: Row) -> Row:
        chance, (x, y, heading, side, lit, debt, heat, *turn) = self.chance, ship.values
        if slot % 4:
            x = (x + slot * 5 % 13 - 6) % (CELLS * WIDTH)
            heading = (heading + 40 * (slot % 5 - 2)) % 1024
        if chance.random() < 0.3:
            y, heat = min(max(y + chance.randrange(-5, 6), 0), 80), min(max(heat + chance.randrange(-9, 10), -32), 31)
        texts = ship.texts
        if chance.random() < 0.1:
            side, lit, debt = chance.randrange(3), 1 - lit, chance.choice([debt, -debt - 1, chance.randrange(-(2**31), 2**31)])
            turn = [chance.randrange(4), *(chance.randrange(16) for _ in range(3))]
            texts = (chance.choice(["ann", "bob", "ße🍾"]), chance.choice([b"", b"\0\xff", b"blob"]))
        return self._placed(Row(0, ship.generation, (x, y, heading, side, lit, debt, heat, *turn), texts))


def around(at: int, reaches: tuple[int, ...] = (1, 2, 4)) -> dict[int, int]:
    """Give the cells around one, and their rings."""
    view = {}
    for ring, reach in reversed(list(enumerate(reaches))):
        view.update(dict.fromkeys(((at + step) % CELLS for step in range(-reach, reach + 1)), ring))
    return view


class Told:
    """A client of the scene, and the frames that it is told; one who holds nothing at first.

    Args:
        scene: What it is told of.
        chance: Which of the ways in which that can be written.
        tick: The tick before the first.
    """

    def __init__(self, scene: Scene, chance: random.Random, tick: int = 0) -> None:
        self.schema = Schema.parse(SCHEMA)
        self.scene = scene
        self.tick = tick
        self.tellers = [Teller(table, chance) for table in self.schema.tables[1:]]
        self._rock: int | None = None
        self._look()

    def _look(self) -> None:
        for teller, rows in zip(self.tellers, self.scene.tables, strict=True):
            teller.look(rows, self.tick)

    def go_on(self) -> None:
        """A tick passes in which nothing is told."""
        self.scene.go_on()
        self.tick += 1
        self._look()

    def frame(self, views: list[dict[int, int]], *, check: bool = False, forget: bool = False, back: int = 1) -> dict[str, Any]:
        """Let a tick pass, and tell of it; `back` 0 is a keyframe, and without one all ticks are to be told."""
        self.go_on()
        if forget or back == 0:
            for teller in self.tellers:
                teller.forget()
        sections: list[bytes | None] = [teller.section(view, check) for teller, view in zip(self.tellers, views, strict=True)]
        sections = [section if section != b"\0" else None for section in sections]
        return {
            "tick16": self.tick % 65_536,
            "base": back * 8,
            "data": self._rocks(back).hex(),
            "texts": None,
            "sight": sight(forget, sections).hex(),
            "tick": self.tick,
            "crc": self._crc(),
            "tables": self.seen(),
        }

    def _rocks(self, back: int) -> bytes:
        """Write the data: one rock, which grows now and then."""
        size = self.tick // 4 % 256
        if not back or self._rock is None:
            data = bytes([2, 3, 0, 2, 0, 2]) + uvarint(zigzag(size))
        else:
            data = bytes([2, 2, 2]) + uvarint(zigzag(size - self._rock)) if size != self._rock else b"\0"
        self._rock = size
        return data

    def _crc(self) -> int:
        """Give the checksum of the world without what is in sight (wire clauses 8.7 and 8.19)."""
        assert self._rock is not None
        words = [1, 0, 0, self._rock, 0, 0, 0]
        return zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words))

    def seen(self) -> list[dict[str, Any]]:
        """Give what the client has to see, by table."""
        tables = [_table(self.schema, 0, {0: (0, (self._rock,), ())})]
        for number, teller in enumerate(self.tellers, 1):
            rows = {slot: (row.generation, row.values, row.texts) for slot, row in sorted(teller.seen.items())}
            tables.append(_table(self.schema, number, rows))
        return tables


def _table(schema: Schema, number: int, rows: dict[int, Any]) -> dict[str, Any]:
    layout = schema.tables[number].layout()
    return {
        "name": schema.tables[number].table_name,
        "top": max(rows, default=-1) + 1,
        "slots": list(rows),
        "generations": [row[0] for row in rows.values()],
        "ints": [[row[1][c] for row in rows.values()] for c in range(len(layout.columns))],
        "texts": {
            text.name: [row[2][n] if isinstance(row[2][n], str) else {"hex": row[2][n].hex()} for row in rows.values()]
            for n, (_, text) in enumerate(layout.texts)
        },
    }
