"""Steps in the coding `varint`: their bytes, their size, and what a decoder refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Angle, Fixed, FrameError, Schema, Table, Version
from meteor_net.state.coding.varint import decode_step
from tests.state.samples import Pair, Rock


class StepTests(SynchronousTestCase):
    """What is written."""

    def setUp(self) -> None:
        self.pair = Pair(Schema([Rock]))
        self.rock: Rock = self.pair.world.rock
        self.rows = [self.rock.spawn(x=n, size=n) for n in range(3)]

    def data(self) -> str:
        """Commit, and give the step from the version before."""
        self.pair.commit()
        return self.pair.stream.step(self.pair.stream.version.number - 1).data.hex()

    def test_keyframe(self) -> None:
        """Rows taken, their generations, and the values that are not zero."""
        self.assertEqual(self.data(), "0207000d0107000000" + "08010002040204")

    def test_one_field(self) -> None:
        """One field of one row is four bytes."""
        self.data()
        self.rows[1].size = 0
        self.assertEqual(self.data(), "02040601")

    def test_only_what_changed(self) -> None:
        """A table or column at rest takes nothing; a row's column at rest beside a moving one takes a zero."""
        self.data()
        self.rows[0].x = 99
        self.rows[2].size = 1
        self.assertEqual(self.data(), "0206080001c601000001")

    def test_rows_only(self) -> None:
        """A row that goes takes its slot; one that comes with zeros its slot and generation."""
        self.data()
        self.rows[0].despawn()
        self.assertEqual(self.data(), "02010200")
        self.rock.spawn()
        self.assertEqual(self.data(), "0201000201")

    def test_there_and_back(self) -> None:
        """A step between two versions that are equal has no part."""
        self.data()
        for x in (5, 0):
            self.rows[0].x = x
            self.pair.commit()
        self.assertEqual(self.pair.stream.step(1).data, b"\0")
        self.rows[0].despawn()
        self.pair.commit()
        step = self.pair.stream.step(1)
        self.assertEqual(step.data.hex(), "02010200")

    def test_moved_structure_and_back(self) -> None:
        """Rows that came and went between the two versions leave nothing in the step."""
        self.data()
        row = self.rock.spawn()
        self.pair.commit()
        row.despawn()
        self.pair.commit()
        self.assertEqual(self.pair.stream.step(1).data, b"\0")

    def test_shorter_way(self) -> None:
        """Where a domain wraps, the difference goes the shorter way, whatever the modulus."""
        for modulus in (1, 2, 5, 8, 2**31):
            ring: Any = type("Ring", (Table,), {"x": Fixed(1, 0, modulus, wrap=True)})
            for old, new in [(0, modulus - 1), (modulus - 1, 0), (0, modulus // 2), (modulus // 2, 0), (1, modulus // 2 + 1)]:
                pair = Pair(Schema([ring]))
                row = pair.world.ring.spawn(x=old)
                pair.sync()
                row.x = new
                if pair.commit():
                    pair.send()
                self.assertEqual(pair.replica.world.ring.x[0], new % modulus)
        wide: Any = type("Wide", (Table,), {"a": Angle(31)})
        pair = Pair(Schema([wide]))
        row = pair.world.wide.spawn(a=0)
        pair.sync()
        row.a = -1e-9
        self.assertTrue(pair.commit() is False or len(pair.stream.step(1).data) < 7)


class HostileTests(SynchronousTestCase):
    """What is refused; more of it is in the vectors."""

    def test_rows_freed_and_taken(self) -> None:
        """A row cannot be freed and taken at once, nor freed above the highest."""
        pair = Pair(Schema([Rock]))
        pair.world.rock.spawn()
        pair.sync()
        for text in ["020102020500", "02012600"]:
            self.assertRaises(FrameError, decode_step, pair.replica.version, bytes.fromhex(text))

    def test_any_difference_that_fits(self) -> None:
        """A wrapping field takes any difference, a clamped one only what leads into its domain."""
        ring: Any = type("Ring", (Table,), {"x": Fixed(1, 0, 5, wrap=True), "y": Fixed(1, 0, 5)})
        pair = Pair(Schema([ring]))
        pair.world.ring.spawn(x=1, y=1)
        version = pair.sync()
        tables, crc = decode_step(version, bytes.fromhex("020202feffffff0f"))
        self.assertEqual((tables[0].ints[0, 0], crc), ((1 + 2**31 - 1) % 5, None))
        for z in ("feffffff0f", "03", "0a"):
            self.assertRaises(FrameError, decode_step, version, bytes.fromhex("020402" + z))

    def test_base_stays(self) -> None:
        """Decoding leaves the base as it was."""
        pair = Pair(Schema([Rock]))
        row = pair.world.rock.spawn(x=3)
        version = pair.sync()
        before = version.tables[0].ints.copy()
        row.x = 4
        pair.world.rock.spawn()
        pair.sync()
        self.assertTrue(np.array_equal(version.tables[0].ints, before))
        self.assertIsInstance(version, Version)
