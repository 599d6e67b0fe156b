"""Schemas: numbers, names, and classes made from a server's description."""

from __future__ import annotations

import copy
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError, MessageError
from meteor_net.state import Action, Choice, Fixed, Flag, Input, Local, Schema, Table, Text, UInt
from meteor_net.state.table import snake
from tests.state.samples import SCHEMA, Boom, Buy, Rock, Ship, Steer


class SchemaTests(SynchronousTestCase):
    """What a game declares."""

    def test_numbers(self) -> None:
        """The number of a class is its place in its list."""
        self.assertEqual([SCHEMA.action_number(Buy), SCHEMA.event_number(Boom), SCHEMA.table_number(Rock)], [1, 0, 1])
        self.assertIs(SCHEMA.actions[1], Buy)
        self.assertRaises(KeyError, Schema().action_number, Buy)

    def test_names(self) -> None:
        """Classes are found by their names on the wire."""
        self.assertEqual([SCHEMA.table("ship"), SCHEMA.action("Steer"), SCHEMA.event("Boom")], [Ship, Steer, Boom])
        self.assertRaises(KeyError, SCHEMA.action, "steer")
        self.assertEqual(
            [snake(n) for n in ("Ship", "RedShip", "HTTPThing", "A2B")], ["ship", "red_ship", "http_thing", "a2_b"]
        )

    def test_refused(self) -> None:
        """Twins, other classes, too many, and names that the world uses are refused."""
        twin: Any = type("Ship", (Table,), {})
        tables: Any = type("Tables", (Table,), {})
        other: Any = int
        for classes in [[Ship, twin], [tables], [other], [Steer], [Table], [type(f"T{n}", (Table,), {}) for n in range(32)]]:
            self.assertRaises(ConfigError, Schema, classes)
        self.assertRaises(ConfigError, Schema, [], [Boom])
        self.assertRaises(ConfigError, Schema, [], [5])
        self.assertRaises(ConfigError, Schema, [], [Steer, Steer])

    def test_own_table_name(self) -> None:
        """A table's name may be declared."""
        named: Any = type("Ship", (Table,), {"table_name": "vessel"})
        self.assertIs(Schema([named]).table("vessel"), named)

    def test_describe(self) -> None:
        """The description has what a client needs and nothing of the server's own."""
        described = SCHEMA.describe()
        self.assertEqual([field["name"] for field in described["tables"][0]["fields"]][-1], "name")
        self.assertEqual([action["input"] for action in described["actions"]], [True, False])
        local: Any = type("Rock", (Table,), {"x": Rock.x, "size": Rock.size, "mass": Local(float)})
        self.assertEqual(Schema([local]).hash, Schema([Rock]).hash)
        self.assertNotEqual(Schema([Rock]).hash, Schema([Ship]).hash)


class ParseTests(SynchronousTestCase):
    """A client makes the classes from what a server says, and cannot be hurt by it."""

    def test_round_trip(self) -> None:
        """What was described is described the same by the classes made of it."""
        odd: Any = type(
            "Odd", (Table,), {"n": UInt(3, interpolate="linear"), "w": Fixed(1, 0, 4, wrap=True, interpolate="step")}
        )
        for schema in (SCHEMA, Schema(), Schema([odd])):
            parsed = Schema.parse(schema.describe())
            self.assertEqual((parsed.describe(), parsed.hash), (schema.describe(), schema.hash))
        parsed = Schema.parse(SCHEMA.describe())
        self.assertTrue(issubclass(parsed.action("Steer"), Input))
        self.assertFalse(issubclass(parsed.action("Buy"), Input))
        self.assertEqual(parsed.action("Steer")(turn=0.5).to_wire(), [96, 0])

    def refused(self, described: Any) -> None:
        """Check that a description is refused, by a MessageError and nothing else."""
        self.assertRaises(MessageError, Schema.parse, described)

    def test_shape(self) -> None:
        """Maps with all the known keys, and lists of bounded length."""
        shapes: list[Any] = [None, [], {}, {"tables": [], "actions": []}, {"tables": {}, "actions": [], "events": []}]
        for described in shapes:
            self.refused(described)
        good: dict[str, Any] = {"tables": [], "actions": [], "events": []}
        table = {"name": "t", "fields": []}
        for tables in [[5], [{}], [table, table], [{"name": "t", "fields": 5}], [table] * 32]:
            self.refused({**good, "tables": tables})
        for action in [{"name": "A", "fields": []}, {"name": "A", "fields": [], "input": 1}]:
            self.refused({**good, "actions": [action]})
        self.refused({**good, "events": [{"name": f"E{n}", "fields": []} for n in range(257)]})

    def test_later_versions(self) -> None:
        """What a later version adds to a schema is passed over."""
        field = {"name": "n", "kind": "uint", "bits": 3, "more": 1}
        record = {"name": "t", "fields": [field], "more": 1}
        parsed = Schema.parse({"tables": [record], "actions": [], "events": [{**record, "input": False}], "more": []})
        self.assertEqual(parsed.table("t").layout().wire[0].name, "n")
        self.assertNotEqual(parsed.hash, Schema.parse(parsed.describe()).hash)

    def test_defaults_of_actions(self) -> None:
        """A client that leaves a field of an action out sends the author's default."""

        class Aim(Action):
            at = Fixed(1 / 2, -1, 1, default=0.5)
            power = UInt(3, default=7)
            word = Text(5, default="now")
            lit = Flag()

        described = Schema(actions=[Aim]).describe()["actions"][0]["fields"]
        self.assertEqual([field.get("default") for field in described], [3, 7, "now", None])
        parsed = Schema.parse(Schema(actions=[Aim]).describe())
        self.assertEqual(parsed.action("Aim")().to_wire(), Aim().to_wire())

    def test_names(self) -> None:
        """No name reaches into Python's own machinery, or hides what a table or a world is made of."""
        for name in ["__init__", "_x", "", "a b", "if", "x" * 65, 5, None, "tables", "epoch"]:
            self.refused({"tables": [{"name": name, "fields": []}], "actions": [], "events": []})
        for name in ["__slots__", "__class__", "_cells", "spawn", "alive", "slot", "table_name", "max_rows", "layout", 5, None]:
            self.field({"name": name, "kind": "flag"})
        for name in ["to_wire", "from_wire", "__dict__"]:
            part = [{"name": "A", "fields": [{"name": name, "kind": "flag"}]}]
            self.refused({"tables": [], "actions": [], "events": part})

    def field(self, field: Any) -> None:
        """Check that a table with such a field is refused."""
        self.refused({"tables": [{"name": "t", "fields": [field]}], "actions": [], "events": []})

    def test_fields(self) -> None:
        """Unknown kinds, missing, unknown and wrong parameters are refused."""
        fixed = {"name": "f", "kind": "fixed", "step": 1, "low": 0, "high": 4, "wrap": False}
        changes: list[dict[str, Any]] = [
            {"step": 0},
            {"step": "1"},
            {"wrap": 0},
            {"default": 5},
            {"default": ""},
            {"interpolate": "fast"},
            {"interpolate": 5},
            {"kind": "fix"},
        ]
        for change in changes:
            self.field({**fixed, **change})
        for field in [
            5,
            {},
            {"name": "f"},
            {"name": "f", "kind": ["fixed"]},
            {"name": "f", "kind": "uint"},
            {"name": "f", "kind": "uint", "bits": "3"},
            {"name": "f", "kind": "uint", "bits": 32},
            {"name": "f", "kind": "flag", "interpolate": "linear"},
            {"name": "f", "kind": "flag", "snap": 1},
            {"name": "f", "kind": "choice", "choices": "ab"},
            {"name": "f", "kind": "choice", "choices": [1]},
            {"name": "f", "kind": "choice", "choices": []},
            {"name": "f", "kind": "text", "max": 10**9},
            {"name": "f", "kind": "local"},
        ]:
            self.field(field)
        flag = {"name": "f", "kind": "flag"}
        self.refused({"tables": [{"name": "t", "fields": [flag, flag]}], "actions": [], "events": []})
        self.refused(
            {
                "tables": [{"name": "t", "fields": [{"name": f"f{n}", "kind": "flag"} for n in range(65)]}],
                "actions": [],
                "events": [],
            }
        )

    def test_given_map_stays(self) -> None:
        """The description is read, not kept or changed."""
        described = SCHEMA.describe()
        before = copy.deepcopy(described)
        Schema.parse(described)
        self.assertEqual(described, before)


class TypingTests(SynchronousTestCase):
    """What a type checker is told, held true at run time."""

    def test_class_attributes(self) -> None:
        """On the class a field is the field."""
        self.assertIsInstance(Ship.team, Choice)
        self.assertTrue(issubclass(Buy, Action))
