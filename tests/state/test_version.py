"""Versions: the checksum and the comparison."""

from __future__ import annotations

import struct
import zlib

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Version
from tests.state.samples import SCHEMA, Pair


class VersionTests(SynchronousTestCase):
    """One state of a world."""

    def test_empty(self) -> None:
        """The empty version has no rows, number 0, and the checksum of two empty tables."""
        version = Version.empty(SCHEMA)
        self.assertEqual((version.number, version.tick, version.crc()), (0, 0, zlib.crc32(bytes(8))))
        self.assertEqual(repr(version), "<Version 0 tick=0 rows=0, 0>")

    def test_crc(self) -> None:
        """The checksum is what the wire page tells, written out."""
        pair = Pair()
        pair.world.rock.spawn(x=1, size=2).despawn()
        pair.world.rock.spawn(x=3, size=4)
        pair.world.rock.spawn(x=5, size=6)
        pair.world.rock[1].despawn()
        pair.world.rock.spawn(x=7, size=8)
        version = pair.sync(check=True)
        rocks = struct.pack("<I 2i 2i 2i 2i", 2, 0, 1, 1, 1, 3, 7, 4, 8)
        self.assertEqual(version.crc(), zlib.crc32(bytes(4) + rocks))
        self.assertEqual(version.crc(), pair.stream.version.crc())

    def test_same(self) -> None:
        """Two versions are the same if their rows, values and texts are."""
        pair = Pair()
        row = pair.world.ship.spawn(name="ann")
        pair.sync()
        self.assertTrue(pair.stream.version.same(pair.replica.version))
        row.name = "bob"
        pair.commit()
        self.assertFalse(pair.stream.version.same(pair.replica.version))
