"""`tests/vectors/state.json`, read as a stranger's client would."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import MessageError
from meteor_net.state import FrameError, Replica, Schema, Table, Version, WorldView, interpolate
from tests.vectors import make_state

FILE = make_state.PATH.read_text(encoding="utf-8")
VECTORS = json.loads(FILE)


def number(value: Any) -> Any:
    """Read a value as JSON can carry it: NaN and the infinities are text, bytes are `{"hex": …}`."""
    if isinstance(value, list):
        return [number(item) for item in value]
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


class VectorTests(SynchronousTestCase):
    """Every case of the file."""

    def test_up_to_date(self) -> None:
        """The file is what its script makes: a change of the wire shows here."""
        self.assertEqual(FILE, make_state.text())

    def test_fields(self) -> None:
        """Values are quantized, and shown, the same in every language; by themselves and as a column."""
        for case in VECTORS["fields"]:
            description = case["field"]
            schema = Schema.parse({"tables": [{"name": "t", "fields": [description]}], "actions": [], "events": []})
            field: Any = schema.tables[0].layout().wire[0]
            values = [field.coerce(number(value)) for value in case["values"]]
            self.assertEqual([field.to_wire(value) for value in values], case["wire"], description)
            self.close([field.from_wire(wire) for wire in case["wire"]], case["shown"])
            self.assertEqual(column(schema.tables[0], values), case["wire"], description)
            self.close(field.values(np.array(case["wire"], dtype=np.int32).T).tolist(), case["shown"])

    def test_records(self) -> None:
        """Actions and events travel as their list of integers and texts; other lists are refused."""
        for case in VECTORS["records"]:
            schema = Schema.parse(case["schema"])
            cls = getattr(schema, case["part"])[case["number"]]
            self.assertEqual(cls.__name__, case["kind"])
            self.assertEqual(cls(**case["values"]).to_wire(), case["wire"])
            read = cls.from_wire(case["wire"])
            for name, value in case["shown"].items():
                self.close([getattr(read, name)], [value])
            for values in case["refused"]:
                self.assertRaises(MessageError, cls.from_wire, values)

    def test_worlds(self) -> None:
        """Every frame leads to the version that the file tells, or is refused and changes nothing."""
        for case in VECTORS["worlds"]:
            for frame, version in zip(case["frames"], play(self, case), strict=True):
                if version is not None:
                    self.assertEqual((version.tick, version.crc()), (frame["tick"], frame["crc"]), frame["about"])
                    self.compare(version, frame["tables"])

    def test_between(self) -> None:
        """The moment between two versions is shown as the file tells."""
        for case in VECTORS["between"]:
            versions = play(self, VECTORS["worlds"][case["world"]])
            before, after = (versions[place] for place in case["frames"])
            assert before is not None and after is not None
            view = interpolate(before, after, case["alpha"])
            self.assertAlmostEqual(view.tick, case["tick"])
            for table, expected in zip(view.tables, case["tables"], strict=True):
                self.assertEqual([row.slot for row in table], expected["slots"])
                for name, values in expected["shown"].items():
                    self.close([getattr(row, name) for row in table], values)

    def compare(self, version: Version, tables: list[dict[str, Any]]) -> None:
        """Compare a version with what the file tells of its tables."""
        for view, table, expected in zip(WorldView(version).tables, version.tables, tables, strict=True):
            slots = [row.slot for row in view]
            layout = version.schema.table(view.table_name).layout()
            self.assertEqual(view.table_name, expected["name"])
            self.assertEqual((slots, len(table.alive)), (expected["slots"], expected["top"]))
            self.assertEqual([row.generation for row in view], expected["generations"])
            ints = {field.name: table.ints[n, slots].tolist() for n, field in enumerate(layout.columns)}
            self.assertEqual(ints, expected["ints"])
            for name, values in {**expected["texts"], **expected["shown"]}.items():
                self.close([getattr(row, name) for row in view], values)

    def close(self, values: list[Any], expected: list[Any]) -> None:
        """Compare, numbers within 1e-9."""
        self.assertEqual(len(values), len(expected))
        for value, wanted in zip(values, expected, strict=True):
            if isinstance(wanted, list):
                self.close(list(value), wanted)
            elif isinstance(wanted, float):
                self.assertTrue(math.isclose(value, wanted, abs_tol=1e-9), (value, wanted))
            else:
                self.assertEqual(value, number(wanted))


def column(kind: type[Table], values: list[Any]) -> list[Any]:
    """Quantize a whole column of a table of one field."""
    table = kind()
    for value in values:
        table.spawn(**{kind.layout().fields[0].name: value})
    ints = table._freeze(Version.empty(Schema([kind])).tables[0]).ints
    wire: list[Any] = ints.T.tolist() if len(ints) > 1 else ints[0].tolist()
    return wire


def play(test: SynchronousTestCase, case: dict[str, Any]) -> list[Version | None]:
    """Apply the frames of a world; None where one was refused as it should be."""
    schema = Schema.parse(case["schema"])
    test.assertEqual(schema.hash.hex(), case["hash"])
    replica = Replica(schema, 1)
    replica.note_tick(case["known_tick"])
    versions: list[Version | None] = []
    for frame in case["frames"]:
        texts = frame["texts"] and [[*entry[:3], number(entry[3])] for entry in frame["texts"]]
        told = frame["tick16"], frame["base"], bytes.fromhex(frame["data"]), texts
        if frame.get("refused"):
            before = replica.version
            test.assertRaises(FrameError, replica.apply, *told)
            test.assertIs(replica.version, before)
            versions.append(None)
        else:
            versions.append(replica.apply(*told))
    return versions
