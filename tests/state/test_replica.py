"""Replicas: frames applied, or refused with nothing changed."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import MessageError
from meteor_net.state import FrameError, Replica, Schema, Table, Text, Version
from tests.state.samples import SCHEMA, Pair


class ApplyTests(SynchronousTestCase):
    """The client's copy."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.replica = self.pair.replica
        self.row = self.pair.world.ship.spawn(x=1, name="ann")

    def test_follows(self) -> None:
        """It shows what the server has, step by step, and keeps the version before."""
        self.assertIs(self.replica.previous, self.replica.version)
        first = self.pair.sync()
        self.assertIs(self.replica.previous, first)
        self.row.x = 2
        second = self.pair.sync(check=True)
        self.assertEqual((self.replica.previous, self.replica.version, self.replica.tick), (first, second, 2))
        self.assertEqual(self.replica.crc(), self.pair.stream.version.crc())

    def test_checksum(self) -> None:
        """A world that drifted apart is noticed by the checksum; nothing is applied."""
        self.pair.sync()
        self.row.x = 2
        self.pair.sync()
        ints = self.replica.version.tables[0].ints
        ints[0, 0] += 1
        self.row.y = 5
        self.pair.commit(check=True)
        self.assertIn("checksum", str(self.assertRaises(FrameError, self.pair.send)))
        self.assertEqual(self.replica.tick, 2)

    def test_wrong_items(self) -> None:
        """Items of wrong types are refused as any bad frame is."""
        self.assertTrue(issubclass(FrameError, MessageError))
        self.pair.sync()
        good: list[Any] = [2, 8, b"\0"]
        wrong: list[tuple[int, list[Any]]] = [
            (0, [-1, 65_536, 1.0, True, None]),
            (1, [-8, 9, 15, True, "0", None]),
            (2, ["", None, bytearray(1)]),
        ]
        for place, values in wrong:
            for value in values:
                self.assertRaises(FrameError, self.replica.apply, *good[:place], value, *good[place + 1 :])
        self.replica.apply(2, 8, b"\0")

    def test_step_before_keyframe(self) -> None:
        """A step is refused until there is something to step from."""
        self.pair.commit()
        step = self.pair.stream.step(None)
        self.assertIn("keyframe", str(self.assertRaises(FrameError, self.replica.apply, 1, 8, step.data)))

    def test_keyframe_anew(self) -> None:
        """A keyframe replaces all there was, whatever that was."""
        self.pair.sync()
        self.row.despawn()
        self.pair.world.rock.spawn(x=9)
        self.pair.commit()
        self.pair.held = None
        self.assertTrue(self.pair.send().same(self.pair.stream.version))

    def test_ticks_unwrap(self) -> None:
        """16 bits of the tick are enough: it is the one nearest to what was known."""
        replica = Replica(SCHEMA, 1)
        self.assertEqual(replica.apply(65_535, 0, b"\0").tick, 65_535)
        self.assertEqual(replica.apply(3, 8, b"\0").tick, 65_539)
        self.assertEqual(replica.apply(65_530, 8, b"\0").tick, 65_530)
        self.assertEqual(replica.apply(32_760, 8, b"\0").tick, 65_536 + 32_760)
        replica.note_tick(1_000_000)
        self.assertEqual(replica.tick, 98_296)
        self.assertEqual(replica.apply(1_000_003 & 0xFFFF, 8, b"\0").tick, 1_000_003)

    def test_epoch(self) -> None:
        """A replica is of one world, and starts empty."""
        replica = Replica(SCHEMA, 77)
        self.assertEqual((replica.epoch, replica.tick, replica.crc()), (77, 0, Version.empty(SCHEMA).crc()))

    def test_largest_of_worlds(self) -> None:
        """A few bytes that make rows in the last slots of all tables: their empty texts are one piece of memory."""
        fields = [f"t{n}" for n in range(33)]
        schema = Schema([type(f"Many{n}", (Table,), {k: Text(9) for k in fields}) for n in range(31)])
        replica = Replica(schema, 1)
        data = bytes.fromhex("feffffff0f" + "0100" + "feff0300" + "0100feff0300" * 30)
        world = replica.apply(1, 0, data, [[30, 8, [16_383], ["last"]]])
        columns = [text for table in world.tables for text in table.texts]
        owners = {id(text.base if text.base is not None else text) for text in columns}
        self.assertEqual([len(columns), len(owners)], [31 * 33, 2])
        row = replica.world.many30[16_383]
        self.assertEqual([row.t8, row.t7], ["last", ""])
