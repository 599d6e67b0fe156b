"""What is in sight: items `sight` that a slow writer made, good and bad (wire clauses 8.19 to 8.24)."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import MessageError
from meteor_net.state import FrameError, Replica, Schema, StateSync, Table, Version, interpolate
from tests.state.fuzz import mutated
from tests.state.sight_writer import Row, Teller, sight
from tests.vectors import make_sight
from tests.vectors.sight_story import SCHEMA, Scene, Told, around

FILE = make_sight.PATH.read_text(encoding="utf-8")
VECTORS = json.loads(FILE)
#: How far one sees, by ring.
REACHES = [(1, 2, 4), (2, 2, 3), (0, 3, 3), (5, 5, 5), (0, 0, 7)]
#: A step in which nothing of the other tables changed.
QUIET = b"\0"


def told(frame: dict[str, Any]) -> tuple[int, int, bytes, None, bytes]:
    """Give what `Replica.apply` takes of a frame."""
    return frame["tick16"], frame["base"], bytes.fromhex(frame["data"]), None, bytes.fromhex(frame["sight"])


def begin(story: dict[str, Any], frames: int = 0) -> Replica:
    """Make a replica that has heard of a story, and has applied some of its frames."""
    replica = Replica(Schema.parse(VECTORS["schema"]), 1)
    replica.note_tick(story["known_tick"])
    for frame in story["frames"][:frames]:
        replica.apply(*told(frame))
    return replica


def held(replica: Replica) -> Any:
    """Give all that a replica holds of its keyed tables, to be compared."""
    return [
        ([[array.tolist() for array in ring] for ring in table.rings], table._shown_of.tolist(), sorted(table._waiting))
        for table in replica._in_sight.tables
    ]


class StoryTests(SynchronousTestCase):
    """Whatever happens, a client sees what it has to see."""

    def compare(self, replica: Replica, frame: dict[str, Any]) -> None:
        """Compare a replica with what a frame was to lead to."""
        self.assertEqual((replica.tick, replica.crc()), (frame["tick"], frame["crc"]))
        for table, view, expected in zip(replica.version.tables, replica.world.tables, frame["tables"], strict=True):
            slots = [row.slot for row in view]
            self.assertEqual((len(table.alive), slots), (expected["top"], expected["slots"]))
            self.assertEqual(table.generation[slots].tolist(), expected["generations"])
            self.assertEqual(table.ints[:, slots].tolist(), expected["ints"])
            self.assertFalse(table.ints[:, ~table.alive].any() or table.generation[~table.alive].any())
            layout = replica.schema.table(view.table_name).layout()
            for (_, field), text in zip(layout.texts, table.texts, strict=True):
                plain = [value if isinstance(value, str) else {"hex": value.hex()} for value in text[slots].tolist()]
                self.assertEqual(plain, expected["texts"][field.name])

    def test_any_story(self) -> None:
        """Rows cross, die and come anew, keys come and go in any ring, and all is written in any way that is right."""
        for seed in range(12):
            chance = random.Random(seed)
            client, replica = Told(Scene(chance), chance, tick=65_520), Replica(Schema.parse(SCHEMA), 1)
            replica.note_tick(65_520)
            at, reaches = 0, REACHES[0]
            for n in range(40):
                at = (at + chance.choice([0] * 8 + [1, -1, 8])) % 16
                reaches = chance.choice([reaches] * 8 + REACHES)
                views = [around(at, reaches), {chance.choice([1, 7, 65_535]): 0}, {0: 0} if chance.random() < 0.8 else {}]
                back = 0 if not n else chance.choice([1] * 20 + [0, 2])
                if back == 2:
                    client.go_on()
                frame = client.frame(views, check=chance.random() < 0.5, forget=back == 2 or chance.random() < 0.05, back=back)
                replica.apply(*told(frame))
                self.compare(replica, frame)
                for table, teller in zip(replica._in_sight.tables, client.tellers, strict=True):
                    for ring, copies in zip(table.rings, teller.rings, strict=True):
                        self.assertEqual(ring.slots.tolist(), list(copies.rows))
                        velocities = [list(copy.velocities) for copy in copies.rows.values()]
                        self.assertEqual(ring.velocities.T.tolist(), velocities)

    def test_vectors_up_to_date(self) -> None:
        """The file is what its script makes: a change of the wire shows here."""
        self.assertEqual(FILE, make_sight.text())
        self.assertEqual(Schema.parse(VECTORS["schema"]).hash.hex(), VECTORS["hash"])

    def test_vectors(self) -> None:
        """Every frame of the file leads to what the file tells."""
        for story in VECTORS["stories"]:
            replica = begin(story)
            for frame in story["frames"]:
                replica.apply(*told(frame))
                self.compare(replica, frame)


class RefusedTests(SynchronousTestCase):
    """What does not fit changes nothing."""

    def refuse(self, replica: Replica, *frame: Any) -> None:
        """Check that a frame is refused."""
        before = replica.version, replica.previous, replica._base, replica._in_sight, held(replica)
        self.assertRaises(FrameError, replica.apply, *frame)
        after = replica.version, replica.previous, replica._base, replica._in_sight, held(replica)
        self.assertTrue(all(one is other for one, other in zip(before[:4], after[:4], strict=True)))
        self.assertEqual(before[4], after[4])

    def test_vectors(self) -> None:
        """Each item that the file says cannot be."""
        for case in VECTORS["refused"]:
            story = VECTORS["stories"][case["after"]]
            replica = begin(story, len(story["frames"]))
            self.refuse(replica, replica.tick + 1, 8, QUIET, None, bytes.fromhex(case["sight"]))

    def test_cut_at_every_byte(self) -> None:
        """What is cut short, or has a byte too many."""
        story = VECTORS["stories"][1]
        replica = begin(story)
        for frame in story["frames"]:
            *others, whole = told(frame)
            for size in range(1, len(whole)):
                self.refuse(replica, *others, whole[:size])
            self.refuse(replica, *others, whole + b"\0")
            replica.apply(*told(frame))

    def test_changed(self) -> None:
        """What was changed on the way is refused, or leads to a version that is well formed."""
        chance, refused = random.Random(1), 0
        for story in VECTORS["stories"]:
            replica = begin(story)
            for frame in story["frames"]:
                before = held(replica)
                was = replica.version, replica._base, replica._before, replica._in_sight
                for _ in range(40):
                    tick16, base, data, texts, whole = told(frame)
                    try:
                        replica.apply(tick16, base, data, texts, mutated(whole, chance))
                    except FrameError:
                        refused += 1
                    else:
                        self.check(replica.version)
                    self.assertEqual((replica.version is was[0]), replica._in_sight is was[3])
                    replica.version, replica._base, replica._before, replica._in_sight = was
                    self.assertEqual(held(replica), before)
                replica.apply(*told(frame))
        self.assertGreater(refused, 500)

    def check(self, version: Version) -> None:
        """Check that a version keeps every bound."""
        for kind, table in zip(version.schema.tables, version.tables, strict=True):
            layout = kind.layout()
            ints = table.ints[:, table.alive]
            self.assertTrue(((ints >= layout.lowest) & (ints <= layout.highest)).all())
            self.assertTrue(not len(table.alive) or table.alive[-1])

    def test_wrong_items(self) -> None:
        """An item that is no bytes; rows of a keyed table in the data of a frame."""
        replica = begin(VECTORS["stories"][3], 1)
        for item in (None, "", bytearray(), [0]):
            self.refuse(replica, replica.tick + 1, 8, QUIET, None, item)
        self.refuse(replica, replica.tick + 1, 8, bytes([4, 1, 0, 2, 0]), None, b"")


class Line(SynchronousTestCase):
    """One row on a line of keys, of which 0 and 1 are in ring 0, 2 and 3 in ring 1, 4 in ring 2; 9 is out of sight."""

    VIEW: ClassVar = {0: 0, 1: 0, 2: 1, 3: 1, 4: 2}

    def setUp(self) -> None:
        fields = [{"name": "x", "kind": "uint", "bits": 8}]
        tables = [{"name": "ship", "fields": fields, "key": {"kind": "cells", "rings": 3}}]
        self.schema = Schema.parse({"tables": tables, "actions": [], "events": []})
        self.replica = Replica(self.schema, 1)
        self.teller = Teller(self.schema.tables[0], random.Random(5), plain=True)
        self.tick = 0
        self.generation = 0

    def at(self, key: int | None, x: int = 0, view: dict[int, int] | None = None) -> int | None:
        """Let the row be of a key at the next tick; give the x that is seen, None if none is."""
        rows = {} if key is None else {0: Row(key, self.generation, (x,))}
        self.teller.look(rows, self.tick)
        section = self.teller.section(self.VIEW if view is None else view, True)
        self.replica.apply(self.tick, 8 if self.tick else 0, QUIET, None, sight(False, [section]))
        self.tick += 1
        seen = [int(row.x) for row in self.replica.world.ship]
        self.assertEqual(seen, [copy.values[0] for copy in self.teller.seen.values()])
        return seen[0] if seen else None

    def go(self, *keys: int | None) -> list[int | None]:
        """Let the row be of these keys, one after another, x counting from 0; give the x that is seen at each."""
        return [self.at(key, x) for x, key in enumerate(keys)]


class CrossingTests(Line):
    """Rows that cross neither flicker nor stay for ever. Ring 1 is told of at every second tick, ring 2 at every fourth."""

    def test_within_a_ring(self) -> None:
        """It is there at once, in either direction."""
        self.assertEqual(self.go(0, 1, 0, 1, 1), [0, 1, 2, 3, 4])

    def test_out_of_sight(self) -> None:
        """It is gone at once, and comes again."""
        self.assertEqual(self.go(0, 9, 9, 1), [0, None, None, 3])

    def test_to_a_slower_ring(self) -> None:
        """It stays as it was until that ring is told of."""
        self.assertEqual(self.go(1, 2, 2, 2, 2), [0, 0, 2, 2, 4])

    def test_died_while_waiting(self) -> None:
        """It is gone when that ring is told of, as it is not listed."""
        self.assertEqual(self.go(1, 2, None, None), [0, 0, None, None])

    def test_back_while_waiting(self) -> None:
        """It is seen as the quicker ring has it, and when the slower one is told of, too."""
        self.assertEqual(self.go(1, 1, 1, 2, 1, 1, 1), [0, 1, 2, 2, 4, 5, 6])

    def test_to_a_quicker_ring(self) -> None:
        """It is there at once; when the slower ring tells that it left, it stays."""
        self.assertEqual(self.go(2, 1, 1, 1, 1), [0, 1, 2, 3, 4])

    def test_there_and_back(self) -> None:
        """The slower ring lists it all the while, but what it has is old until it is told of."""
        self.assertEqual(self.go(4, 1, 4, 4, 4), [0, 1, None, None, 4])

    def test_to_one_ring_and_another(self) -> None:
        """It leaves for a ring while another one lists it still: it stays as it was."""
        self.assertEqual(self.go(4, 1, 1, 3, 3, 3, 4, 4, 4), [0, 1, 2, 2, 4, 4, 4, 4, 8])

    def test_gone_and_left_later(self) -> None:
        """It went out of sight from a quicker ring before the slower one told that it left."""
        self.assertEqual(self.go(4, 1, 9, 9, 9), [0, 1, None, None, None])

    def test_died_there(self) -> None:
        """It died on its way while a slower ring lists it still: that does not show it again."""
        self.assertEqual(self.go(4, 1, 1, 2, None, None, None, None, None), [0, 1, 2, 2, *[None] * 5])

    def test_key_moves_to_another_ring(self) -> None:
        """The rows of a key go on as the other ring has them, at ticks when only one is told of, too."""
        quicker, wider = {**self.VIEW, 2: 0}, {**self.VIEW, 7: 1}
        views = [None, None, quicker, quicker, None, quicker, None, quicker]
        self.assertEqual([self.at(2, x, view) for x, view in enumerate(views)], [0, 0, 2, 3, 4, 5, 6, 7])
        self.assertEqual([self.at(7, 8), self.at(7, 9, wider), self.at(7, 10, wider)], [None, 8, 10])

    def test_forgotten_while_waiting(self) -> None:
        """Nothing is left of it."""
        self.go(1, 2)
        self.replica.apply(2, 8, QUIET, None, b"\1")
        self.assertEqual(list(self.replica.world.ship), [])
        self.replica.apply(3, 8, QUIET, None, b"\2\4\0\3")
        self.assertEqual(list(self.replica.world.ship), [])

    def test_another_row_in_the_slot(self) -> None:
        """A new row of that slot stays, whatever is told of the old one."""
        self.at(2, 0)
        self.generation = 1
        self.assertEqual([self.at(1, x) for x in range(1, 6)], [1, 2, 3, 4, 5])
        self.assertEqual(self.replica.version.tables[0].generation.tolist(), [1])


class VersionTests(Line):
    """What is composed."""

    def test_shared(self) -> None:
        """What did not change is the same object; nobody may write to it."""
        self.at(0, 1)
        table = self.replica.version.tables[0]
        self.at(1, 1)  # another key, and nothing that can be seen
        self.assertIs(self.replica.version.tables[0], table)
        self.at(1, 2)
        moved = self.replica.version.tables[0]
        self.assertTrue(moved.alive is table.alive and moved.generation is table.generation and moved.texts is table.texts)
        for array in (moved.alive, moved.generation, moved.ints):
            self.assertFalse(array.flags.writeable)
        self.replica.apply(9, 8, QUIET)
        self.assertIs(self.replica.version.tables[0], moved)
        self.replica.apply(10, 0, QUIET)
        self.assertEqual(len(self.replica.world.ship), 0)

    def test_one_of_many_tables(self) -> None:
        """A table without a section is as it was."""
        replica = begin(VECTORS["stories"][0], 5)
        before = replica.version.tables
        replica.apply(replica.tick + 1 & 0xFFFF, 8, QUIET, None, b"\x04\2\0\3")  # cards: nothing changed
        self.assertTrue(all(one is other for one, other in zip(before, replica.version.tables, strict=True)))

    def test_pure(self) -> None:
        """The checksum, and what steps start from, is the version without what is in sight."""
        self.at(0, 1)
        self.assertEqual(self.replica.crc(), Version.empty(self.schema).crc())
        self.assertNotEqual(self.replica.version.crc(), self.replica.crc())
        self.assertEqual(self.replica.version.number, 1)

    def test_shown_between(self) -> None:
        """A row that stays glides; one that enters is shown as in the later version, and one that left no more."""
        versions = []
        for key, x in ((9, 0), (0, 10), (1, 20), (9, 0)):
            self.at(key, x)
            versions.append(self.replica.version)
        shown = [interpolate(one, other, 0.5).ship for one, other in pairwise(versions)]
        self.assertEqual([[row.x for row in table] for table in shown], [[10], [10], []])  # a uint goes by steps
        sync = StateSync()
        for n, version in enumerate(versions):
            sync.sync_state(version, now=n * 0.05)
        view = sync.show(10.0)
        assert view is not None
        self.assertEqual(len(view.ship), 0)


class SlowTests(SynchronousTestCase):
    """Rows of a slower ring are shown on their way from where they were to where they were told to be."""

    def setUp(self) -> None:
        fields = [
            {"name": "x", "kind": "fixed", "step": 1, "low": 0, "high": 100, "wrap": True},
            {"name": "y", "kind": "uint", "bits": 8, "interpolate": "linear"},
            {"name": "hp", "kind": "uint", "bits": 8},
            {"name": "jump", "kind": "flag", "snap": True},
        ]
        tables = [{"name": "ship", "fields": fields, "key": {"kind": "cells", "rings": 3}}]
        self.replica = Replica(Schema.parse({"tables": tables, "actions": [], "events": []}), 1)
        self.teller = Teller(self.replica.schema.tables[0], random.Random(1), plain=True)
        self.versions: list[Version] = []

    def tell(self, *ships: tuple[int, int, int, int, int] | None) -> None:
        """Tell of the next tick: of each slot key, x, y, hp and jump. Keys from 8 on are in ring 2."""
        tick = len(self.versions)
        self.teller.look({slot: Row(ship[0], 0, ship[1:]) for slot, ship in enumerate(ships) if ship}, tick)
        section = self.teller.section({key: 2 if key >= 8 else 0 for key in range(16)}, False)
        self.versions.append(self.replica.apply(tick, 8 if tick else 0, QUIET, None, sight(False, [section])))

    def shown(self, first: int, alpha: float, at: float) -> list[list[float]]:
        """Give what is shown between two versions that follow each other."""
        view = interpolate(self.versions[first], self.versions[first + 1], alpha, at)
        return [[float(row.x), float(row.y), float(row.hp), float(row.jump)] for row in view.ship]

    def test_glide(self) -> None:
        """A quarter of the way a tick, the shorter way round; others go as ever."""
        for tick in range(9):
            self.tell((8, (96 + 2 * tick) % 100, 10 * tick, tick, 0), (0, 2 * tick, tick, 0, 0))
        # Told of at the ticks 0, 4 and 8: 96, 4 and 12.
        self.assertEqual(self.shown(4, 0.5, 4.5), [[97, 5, 4, 0], [9, 4.5, 0, 0]])
        self.assertEqual(self.shown(5, 0.0, 5.0), [[98, 10, 4, 0], [10, 5, 0, 0]])
        self.assertEqual(self.shown(7, 0.5, 7.5), [[3, 35, 4, 0], [15, 7.5, 0, 0]])
        self.assertEqual(self.shown(7, 1.0, 8.0), [[4, 40, 8, 0], [16, 8, 0, 0]])
        self.assertEqual(self.shown(7, 2.0, 9.0), [[6, 50, 8, 0], [18, 9, 0, 0]])
        self.assertEqual(self.shown(7, 2.0, 20.0), [[12, 80, 8, 0], [18, 9, 0, 0]])
        self.assertEqual([row.x for row in interpolate(self.versions[8], self.versions[8], 1).ship], [12, 16])
        # What was told is what everybody else sees.
        self.assertEqual([row.x for row in self.replica.world.ship], [12, 16])

    def test_jump(self) -> None:
        """A row that jumped is where it was told to be."""
        for tick in range(6):
            self.tell((8, 10 * tick, 0, 0, int(tick >= 4)))
        self.assertEqual(self.shown(4, 0.5, 4.5), [[40, 0, 0, 1]])

    def test_comes_and_goes(self) -> None:
        """A row that comes is shown where it was the time before, and then on its way."""
        view = {8: 2}
        self.teller = Teller(self.replica.schema.tables[0], random.Random(3))
        for tick in range(7):
            ships = {0: Row(8, 0, (2 * tick, 0, 0, 0))} if tick < 6 else {}
            self.teller.look({**ships, 1: Row(0, 0, (tick, 0, 0, 0))}, tick)
            section = self.teller.section(view if tick >= 4 else {0: 0}, False)
            self.versions.append(self.replica.apply(tick, 8 if tick else 0, QUIET, None, sight(False, [section])))
        (velocity, *_, jump) = self.teller.seen[0].velocities
        assert velocity and jump % 2 == 0
        [[x, *_]] = self.shown(3, 0.5, 3.5)
        self.assertEqual(x, (8 - velocity) % 100)
        [[x, *_]] = self.shown(4, 0.0, 4.0)
        self.assertEqual(x, (8 - velocity) % 100)

    def test_at_rest(self) -> None:
        """Where no more versions come all arrives where it is."""
        sync = StateSync(tick_s=0.05)
        for tick in range(5):
            self.tell((8, 10 * tick, 0, 0, 0))
            sync.sync_state(self.versions[-1], now=tick * 0.05)
        seen = []
        for frame in range(40):
            view = sync.show(0.2 + frame * 0.02)
            assert view is not None
            seen.append(float(view.ship[0].x))
        self.assertEqual((seen, seen[-1]), (sorted(seen), 40))
        self.assertGreater(len({round(x, 3) for x in seen}), 8)
        self.assertLess(max(after - before for before, after in pairwise(seen)), 6)


class SchemaTests(SynchronousTestCase):
    """The key of a table in a schema."""

    def test_parsed(self) -> None:
        """It is read, and told again; a table without one has none."""
        schema = Schema.parse(SCHEMA)
        self.assertEqual([table.key_spec and tuple(table.key_spec) for table in schema.tables][:2], [None, ("cells", 3)])
        self.assertEqual(Schema.parse(schema.describe()).hash, schema.hash)
        self.assertIsNone(Table.key_spec)

    def test_refused(self) -> None:
        """A key that is none."""
        good = {"kind": "cells", "rings": 4}
        wrong: dict[str, list[Any]] = {"kind": ["cell", 1, []], "rings": [0, 5, "1", True, 1.0]}
        keys: list[Any] = [{**good, name: value} for name, values in wrong.items() for value in values]
        for key in (None, 1, [], {}, *keys):
            tables = [{"name": "t", "fields": [], "key": key}]
            self.assertRaises(MessageError, Schema.parse, {"tables": tables, "actions": [], "events": []})


class NumbersTests(SynchronousTestCase):
    """What numpy would hide: the tables' integers are those of numpy's kind."""

    def test_types(self) -> None:
        """Columns have the types that all versions have."""
        replica = begin(VECTORS["stories"][0], 9)
        table = replica.version.tables[1]
        self.assertEqual((table.ints.dtype, table.generation.dtype, table.alive.dtype), (np.int32, np.uint16, np.bool_))
