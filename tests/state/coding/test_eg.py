"""Steps in the coding `eg`, by hand and from rows that move."""

from __future__ import annotations

from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Coding, Fixed, FrameError, Quaternion, Replica, Schema, Stream, Table, UInt, Version, World
from meteor_net.state.coding.eg import decode_frame
from meteor_net.state.coding.eg_decode import decode_step
from meteor_net.state.coding.eg_encode import encode_step
from meteor_net.state.coding.plan import MAX_PLANS, Plan, plan


class Dot(Table):
    """Columns of three sizes."""

    x = UInt(12)
    y = UInt(12)
    z = UInt(1)
    w = Fixed(step=1, low=0, high=256, wrap=True)


class Crowd:
    """Dots, and the steps between their versions."""

    def __init__(self, rows: int = 40) -> None:
        self.world = World(Schema([Dot]), 1)
        self.stream = Stream(self.world)
        self.dot = self.world.dot
        for n in range(rows):
            self.dot.spawn(x=100 + n, y=7 * n)
        self.commit()

    def commit(self) -> Version:
        """Make a version."""
        self.stream.commit(self.stream.version.tick + 1)
        return self.stream.version

    def versions(self) -> tuple[Version, Version, Version]:
        """Give the last three."""
        return self.stream._ring[-3], self.stream._ring[-2], self.stream._ring[-1]


class FollowingTests(SynchronousTestCase):
    """What a following step gains."""

    def setUp(self) -> None:
        self.crowd = Crowd()
        self.dot = self.crowd.dot

    def size(self) -> int:
        """Commit, check the step, and give its bytes."""
        self.crowd.commit()
        before, base, new = self.crowd.versions()
        data = encode_step(base, new, before)
        tables, crc = decode_step(base, data, before)
        self.assertTrue(tables[0].same(new.tables[0]))
        self.assertIsNone(crc)
        return len(data)

    def test_steady(self) -> None:
        """Rows that move on as they did cost a bit a column, and nothing to name them."""
        self.dot.x += 20
        first = self.size()
        self.dot.x += 20
        self.assertLess(self.size(), first)
        self.assertEqual(self.size_of_steady(), 5 + 40 // 8)

    def size_of_steady(self) -> int:
        """One step more, of the same kind."""
        self.dot.x += 20
        return self.size()

    def test_choice_is_kept(self) -> None:
        """How columns travel is chosen anew when other columns or many more rows change."""
        for rows in (40, 40, 40, 3, 3, 40, 40):
            self.dot.x[:rows] += 30
            self.size()
        self.dot.y += 1
        self.size()
        self.dot.z ^= 1
        self.size()

    def test_half_round(self) -> None:
        """Half of the way that a column went is half of the shorter way round."""
        sizes = []
        for step in (-48, -24, -12):  # of 256, from 0
            self.dot.w = (self.dot.w + step) % 256
            sizes.append(self.size())
        self.assertEqual(sizes[1:], [5 + 40 // 8] * 2)

    def test_few(self) -> None:
        """In a column of which few rows change, those are named."""
        self.dot.x += 5
        self.size()
        self.dot.x += 5
        self.dot.z[3] = 1
        self.dot.y[[4, 30]] += 9
        self.assertLess(self.size(), 24)

    def test_others_begin(self) -> None:
        """Rows that moved stop, and others begin."""
        self.dot.x[:10] += 9
        self.size()
        self.dot.x[10:20] += 9
        self.size()
        self.dot.x[15:25] += 9
        self.size()

    def test_nothing(self) -> None:
        """Versions that are alike are one byte apart."""
        version = self.crowd.stream.version
        self.assertEqual(encode_step(version, version), b"\0")
        self.assertEqual(decode_step(version, b"\0"), (list(version.tables), None))

    def test_many_rows(self) -> None:
        """Of very many rows a part is looked at to choose; all are sent."""
        self.crowd = Crowd(2_000)
        self.dot = self.crowd.dot
        self.dot.x += np.arange(2_000) % 50
        self.size()
        self.dot.x += np.arange(2_000) % 50
        self.assertLess(self.size(), 300)


class RefusedTests(SynchronousTestCase):
    """What a decoder does not apply."""

    def setUp(self) -> None:
        crowd = Crowd(4)
        crowd.dot.x += 1
        crowd.commit()
        crowd.dot.x += 1
        crowd.commit()
        self.before, self.base, self.new = crowd.versions()

    def test_heads(self) -> None:
        """Tables, columns, modes and rows that are not there; numbers that are not; what leaves its domain."""
        cases = [
            b"\x04",
            b"\x02\x10\x00",
            b"\x02\x80\x01\x00",
            b"\x02\x02\x05\x00\x00",
            b"\x02\x02\x00\x01\x00",
            b"\x02\x02\x00\x00\x04",
            b"\x02\x02\x00\x00\x03\x05",
            b"\x02\x02\x00\x00\x00",
            b"\x02\x02\x01\x00\x00\x10\x01",
            b"\x02\x02\x03\x00\x60\xff\xff",
            b"\x02\x02\x03\x00\x58\x08\xff\x3f",
        ]
        for data in cases:
            self.assertRaises(FrameError, decode_step, self.base, data, self.before)

    def test_more_numbers_than_bits(self) -> None:
        """A short frame that claims many numbers is refused before any work."""
        crowd = Crowd(200)
        crowd.dot.x += 1
        crowd.commit()
        crowd.commit()
        base = crowd.stream.version
        before = crowd.stream._ring[-2]
        self.assertRaises(FrameError, decode_step, base, b"\x02\x02\x00\x00\x00", before)

    def test_no_rows(self) -> None:
        """Columns with values for no row change nothing."""
        tables, _ = decode_step(self.base, b"\x02\x02\x04\x00\x00\x0f", self.before)
        self.assertIs(tables[0], self.base.tables[0])

    def test_frames(self) -> None:
        """A step without its version before; a checksum in the first of two."""
        good = encode_step(self.base, self.new, self.before)
        self.assertRaises(FrameError, decode_frame, 1, None, self.base, good)
        self.assertRaises(FrameError, decode_frame, 2, None, self.base, b"\x05\x01abcd\0")
        self.assertRaises(FrameError, decode_frame, 2, None, self.base, b"\x09\0")

    def test_without_the_version_before(self) -> None:
        """Who was brought here by the plain coding from further back cannot follow by `eg`, and says so."""
        replica = Replica(self.new.schema, 1)
        replica.version = self.base
        data = encode_step(self.base, self.new, self.before)
        self.assertRaises(FrameError, replica.apply, 3, 8 + Coding.EG, data)


class PlanTests(SynchronousTestCase):
    """What is known of columns beforehand."""

    def test_bounded(self) -> None:
        """A peer that names ever other columns does not make us remember."""
        table: Any = type("Wide", (Table,), {f"f{n}": UInt(4) for n in range(9)})
        layout = table.layout()
        for bits in range(1, 200):
            made = plan(layout, np.flatnonzero([bits >> n & 1 for n in range(9)]))
            self.assertIsInstance(made, Plan)
        self.assertLessEqual(len(layout.plans), MAX_PLANS)

    def test_quaternion_in_part(self) -> None:
        """A quaternion's columns need not all have values."""

        class Top(Table):
            turn = Quaternion(9)

        schema = Schema([Top])
        world = World(schema, 1)
        stream, replica = Stream(world), Replica(schema, 1)
        row = world.top.spawn()
        for tick, value in enumerate([(0, 0, 0, 1), (0, 0.1, 0, 1), (1, 0, 0, 0), (0, 0, 0, 1), (0.3, 0, 0, 1)], 1):
            row.turn = value
            if stream.commit(tick):
                held = stream.version.number - 1 or None
                step = stream.step(held, Coding.EG)
                replica.apply(step.tick16, step.base_code, step.data, step.texts)
                self.assertTrue(replica.version.same(stream.version))


class CodingTests(SynchronousTestCase):
    """Which coding one gets."""

    def test_of(self) -> None:
        """The best of those that were announced."""
        self.assertIs(Coding.of(["x", "eg"]), Coding.EG)
        self.assertIs(Coding.of([]), Coding.VARINT)
