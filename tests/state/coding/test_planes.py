"""Numbers in two planes of bits."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import FrameError
from meteor_net.state.coding.planes import decode_planes, encode_planes


def array(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Give numbers as both sides want them."""
    return np.array(numbers, dtype=np.int64)


class PlanesTests(SynchronousTestCase):
    """Wire clause 8.14."""

    def test_bits(self) -> None:
        """Classes come first, then the rest: with k = 1, 5 is 001 and 1; 6 is 0001 and 0; 9 is 00001 and 1, 0."""
        self.assertEqual(encode_planes(array(5, 6, 9), array(1, 1, 1)), bytes([0b0100_0100, 0b1000, 0b0101]))
        self.assertEqual(encode_planes(array(0, 1, 2), array(0, 0, 0)), bytes([0b100101]))
        self.assertEqual(encode_planes(array(), array()), b"")

    def test_round_trip(self) -> None:
        """All numbers of 32 bits come back, whatever their parameters."""
        rng = np.random.default_rng(1)
        for count in (1, 3, 700):
            for bits in (1, 4, 10, 32):
                z = rng.integers(0, 1 << bits, count)
                z[0] = (1 << bits) - 1
                k = rng.integers(0, 32, count)
                self.assertEqual(decode_planes(b"head" + encode_planes(z, k), 4, k).tolist(), z.tolist())
        self.assertEqual(decode_planes(b"head", 4, array()).tolist(), [])

    def test_refused(self) -> None:
        """Bits that are missing or left over, and numbers of more than 32 bits, are refused."""
        zeros = bytes(5)
        cases = [
            (b"", array(0)),
            (b"\0", array(0)),
            (b"\x01\0", array(0)),
            (b"\x03", array(0)),
            (b"\x01", array(3)),
            (b"\x01\x08", array(3)),
            (b"\0", array()),
            (zeros + b"\x01" + bytes(8), array(0)),
            (b"\x08\xff\xff\xff\xff", array(31)),
            (b"\x10\xff\xff\xff\xff", array(31)),
            (b"\x08" + b"\xff" * 4, array(32)),
            (b"\x20" + b"\xff" * 5, array(31)),
        ]
        for data, k in cases:
            self.assertRaises(FrameError, decode_planes, data, 0, k)
