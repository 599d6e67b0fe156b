"""Tables as bytes: what comes back, and what does not."""

from __future__ import annotations

import math
from typing import Any

import cbor2
import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import (
    Angle,
    Cells,
    Choice,
    Fixed,
    Flag,
    Int,
    Local,
    Owner,
    Schema,
    Stream,
    Table,
    Team,
    Text,
    UInt,
    World,
)
from meteor_net.state.rotation import Quaternion
from meteor_net.state.saving import dump_tables, read_saved, read_tables, restore, restore_documents
from meteor_net.state.words import Data


class Thing(Table):
    """A table with a field of every kind."""

    max_rows = 100
    x = Fixed(step=1 / 16, low=0, high=100)
    way = Angle(bits=8)
    hp = UInt(bits=7, default=9)
    debt = Int(bits=8)
    lit = Flag()
    team = Choice("red", "blue")
    name = Text(8)
    blob = Data(4)
    turn = Quaternion(bits=9)
    speed, hits, seen, note = Local(float), Local(int), Local(bool), Local(str, default="new")
    extra = Local(object)


VALUES: dict[str, Any] = {
    "x": 1.23456, "way": 20.0, "hp": 200, "debt": -500, "lit": True, "team": "blue", "name": "Zoë", "blob": b"\0\xff",
    "turn": (0.5, 0.5, -0.5, 0.5), "speed": -math.inf, "hits": -(2**62), "seen": True, "note": "long " * 100,
    "extra": {"a": [1, 2.5, None, True, b"x"], "b": {"c": ""}},
}  # fmt: skip


def table_of(make: type[Table] = Thing) -> Any:
    """An empty table."""
    return make()


def renamed(**fields: Any) -> type[Table]:
    """The class `Thing` as another version of the game may have it."""
    made: type[Table] = type("Thing", (Table,), fields)
    return made


class ThereAndBackTests(SynchronousTestCase):
    """What is written comes back."""

    def copy(self, table: Table, make: type[Table] = Thing) -> tuple[Any, list[str]]:
        """Write a table, and read it into another."""
        copy = make()
        return copy, restore([copy], read_tables(dump_tables([table])))

    def test_every_kind(self) -> None:
        """As the simulation has it, not as it is sent; also what is beyond a domain, which commits clamp as always."""
        thing = table_of()
        thing.spawn(**VALUES)
        thing.spawn()
        copy, lost = self.copy(thing)
        self.assertEqual(lost, [])
        self.assertEqual({name: getattr(copy[0], name) for name in VALUES}, VALUES)
        self.assertEqual((copy[1].hp, copy[1].note, copy[1].extra, len(copy)), (9, "new", None, 2))
        self.assertEqual(dump_tables([copy]), dump_tables([thing]))

    def test_nan(self) -> None:
        """A number that is none stays one; the same rows are the same bytes then, too."""
        thing = table_of()
        thing.spawn(x=math.nan)
        copy, _ = self.copy(thing)
        self.assertTrue(math.isnan(copy[0].x))
        self.assertEqual(dump_tables([copy]), dump_tables([thing]))

    def test_slots(self) -> None:
        """A row has the slot that it had; those between are free, and what is spawned next takes them."""
        thing = table_of()
        rows = [thing.spawn(hits=number) for number in range(6)]
        for place in (0, 3, 5):
            rows[place].despawn()
        copy, _ = self.copy(thing)
        self.assertEqual([(row.slot, row.hits) for row in copy], [(1, 1), (2, 2), (4, 4)])
        self.assertEqual([copy.spawn().slot for _ in range(4)], [0, 3, 5, 6])
        self.assertEqual(copy[0].hp, 9)

    def test_keys(self) -> None:
        """Teams come back. Owners do not: another player has the number when the room opens again. Cells are worked out."""

        class Coin(Table):
            """In a cell."""

            x, y = Fixed(step=1, low=0, high=64), Fixed(step=1, low=0, high=64)
            cell = Cells(8, sight=8)

        class Plan(Table):
            """A team's."""

            team = Team()

        class Card(Table):
            """A player's."""

            owner = Owner()

        plans, cards = table_of(Plan), table_of(Card)
        plans.spawn(team=3)
        cards.spawn(owner=0)
        world: Any = World(Schema([Coin]), epoch=1)
        coins = world.coin
        coins.spawn(x=9, y=1)
        Stream(world).commit(1)
        self.assertEqual(coins[0].cell, 1)
        copies = [self.copy(table, type(table)) for table in (coins, plans, cards)]
        self.assertEqual([lost for _, lost in copies], [[], [], []])
        self.assertEqual((copies[0][0][0].cell, copies[1][0][0].team, copies[2][0][0].owner), (-1, 3, -1))
        number = renamed(owner=Local(int), table_name="card")()
        number.spawn(owner=0)
        copy, lost = self.copy(number, Card)
        self.assertEqual((copy[0].owner, lost), (-1, ["field card.owner"]))

    def test_empty(self) -> None:
        """No rows, no tables; a table that nobody saved stays empty."""
        copy, lost = self.copy(table_of())
        self.assertEqual((len(copy), lost, restore([copy], {}), read_tables(dump_tables([]))), (0, [], [], {}))

    def test_in_a_stream(self) -> None:
        """What came back is committed and sent like anything else."""
        thing = table_of()
        thing.spawn(**VALUES)
        world = World(Schema(tables=[Thing]), 1)
        restore(world.tables, read_tables(dump_tables([thing])))
        version = Stream(world).commit(1)
        self.assertIsNotNone(version)
        self.assertEqual(world.thing.alive.tolist(), [True])

    def test_documents(self) -> None:
        """Documents come back as trees; of what is none the place is named, and what is none any more is said."""
        deep: Any = 1
        for _ in range(10):
            deep = [deep]
        saved = read_saved(dump_tables([], {"match": {"a": (1, deep)}, "empty": {}}))
        self.assertEqual(saved.documents, {"match": {"a": [1, deep]}, "empty": {}})
        world: Any = World(Schema(documents=["match", "new"]), 1)
        self.assertEqual(restore_documents(world, ["match", "new"], saved.documents), ["document empty"])
        self.assertEqual((world.match, world.new), ({"a": [1, deep]}, {}))
        error = self.assertRaises(ValueError, dump_tables, [], {"match": {"a": [math.nan]}})
        self.assertEqual(str(error), "match['a'][0]: a number that is not finite")
        lost = restore_documents(world, ["match"], {"match": {"a": math.nan}})
        self.assertEqual((lost, world.match), (["document match['a']: a number that is not finite"], {"a": [1, deep]}))

    def test_anybody_can_read_it(self) -> None:
        """It is one CBOR map that says what it is."""

        class Bottle(Table):
            """A table."""

            x = Fixed(step=1 / 16, low=0, high=100)
            text = Local(str)

        bottle: Any = Bottle()
        bottle.spawn(x=1.5, text="hello")
        self.assertEqual(
            cbor2.loads(dump_tables([bottle])),
            {
                "format": "meteor_net world", "version": 1,
                "tables": {"bottle": {"slots": [0], "fields": {"x": [1.5], "text": ["hello"]}}},
            },
        )  # fmt: skip

    def test_cleans_texts(self) -> None:
        """What a whole-column assignment put into a text is as it would be sent."""
        thing = table_of()
        thing.spawn()
        thing.name[0], thing.blob[0] = "a\ud800 name that is long", "no bytes"
        copy, _ = self.copy(thing)
        self.assertEqual((copy[0].name, copy[0].blob), ("a? name ", b""))


class CannotBeKeptTests(SynchronousTestCase):
    """Values that would come back as something else are named."""

    def why(self, **values: Any) -> str:
        """Why a table with such a second row cannot be written."""
        thing = table_of()
        for _ in range(3):
            thing.spawn()
        thing[1].despawn()
        for name, value in values.items():
            getattr(thing, name)[2] = value
        return str(self.assertRaises(ValueError, dump_tables, [thing]))

    def test_objects(self) -> None:
        """Objects and rows, a tuple that would be a list, a date, what is nested too deep or in itself, an array."""
        self.assertEqual(
            self.why(extra=("a", 1)),
            "thing.extra in slot 2 holds ('a', 1), which cannot be kept: only None, bool, int, float, str, bytes, "
            "and lists and dicts of these come back as they were",
        )
        deep: Any = []
        for _ in range(30):
            deep = [deep]
        itself: list[Any] = []
        itself.append(itself)
        row = table_of().spawn()
        for value in (object(), row, {1, 2}, deep, itself, np.zeros(3), {"a": (1,)}, "\ud800"):
            self.assertIn("thing.extra in slot 2 holds ", self.why(extra=value))

    def test_texts(self) -> None:
        """A whole-column assignment may put anything into a text of the server's own."""
        self.assertIn("thing.note in slot 2 holds 5, ", self.why(note=5))
        self.assertIn("thing.note in slot 2 holds '\\ud800', ", self.why(note="\ud800"))


class ChangedTests(SynchronousTestCase):
    """The game has changed since."""

    def restored(self, make: type[Table], rows: int = 1) -> tuple[Any, list[str]]:
        """Read what `Thing` wrote into another class."""
        thing = table_of()
        for _ in range(rows):
            thing.spawn(**VALUES)
        table = make()
        return table, restore([table], read_tables(dump_tables([thing])))

    def test_fields(self) -> None:
        """A new field takes its default, a removed one is dropped, what has another kind does as far as it fits."""
        table, lost = self.restored(renamed(
            x=Local(float), hp=UInt(bits=4), team=Choice("green", "red"), note=Text(4), hits=Flag(),
            age=UInt(bits=5, default=3),
        ))  # fmt: skip
        row = table[0]
        self.assertEqual((row.x, row.hp, row.team, row.note, row.hits, row.age), (1.23456, 200, "green", "long", False, 3))
        self.assertEqual(
            lost,
            [
                "field thing.way", "field thing.debt", "field thing.lit", "1 values of thing.team", "field thing.name",
                "field thing.blob", "field thing.turn", "field thing.speed", "1 values of thing.hits", "field thing.seen",
                "field thing.extra",
            ],
        )  # fmt: skip

    def test_tables(self) -> None:
        """A table that is no more is dropped; one that is new is empty."""
        table, lost = self.restored(type("Other", (Table,), {"x": Flag()}))
        self.assertEqual((len(table), lost), (0, ["table thing"]))

    def test_fewer_rows(self) -> None:
        """Rows beyond the slots there are now are dropped, the others are whole."""
        make = renamed(max_rows=2, note=Local(str), hits=Local(int))
        table, lost = self.restored(make, rows=5)
        self.assertEqual(([row.hits for row in table], lost[0]), ([-(2**62)] * 2, "3 rows of thing"))


class NotSavedTests(SynchronousTestCase):
    """Bytes that are no saved world."""

    def test_refused(self) -> None:
        """Whatever they are, it is a ValueError that says why."""
        good = {"format": "meteor_net world", "version": 1, "tables": {}}
        wrong: list[tuple[Any, str]] = [
            ([], "Expected `object`"),
            ({}, "missing required field"),
            ({**good, "format": "other"}, "$.format"),
            ({**good, "version": 2}, "$.version"),
            ({**good, "tables": {"thing": 5}}, "$.tables[...]"),
            ({**good, "tables": {"thing": {"slots": [-1], "fields": {}}}}, "slots[0]"),
            ({**good, "tables": {"thing": {"slots": [16_384], "fields": {}}}}, "slots[0]"),
            ({**good, "tables": {"thing": {"slots": [2, 1], "fields": {}}}}, "the slots do not ascend"),
            ({**good, "tables": {"thing": {"slots": [1, 1], "fields": {}}}}, "the slots do not ascend"),
            ({**good, "tables": {"thing": {"slots": [1], "fields": {"x": []}}}}, "0 values of x in 1 rows"),
        ]
        self.assertEqual(read_tables(cbor2.dumps(good)), {})
        for value, why in wrong:
            self.assertIn(why, str(self.assertRaises(ValueError, read_tables, cbor2.dumps(value))))
        data = cbor2.dumps(good)
        for size in range(len(data)):
            self.assertRaises(ValueError, read_tables, data[:size])
        self.assertRaises(ValueError, read_tables, data + b"\0")
