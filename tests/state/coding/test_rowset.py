"""Sets of rows: the shorter of two forms, and nothing out of bounds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import FrameError
from meteor_net.state.coding.leb128 import Reader
from meteor_net.state.coding.rowset import decode_rows, encode_rows


def encoded(slots: list[int]) -> bytes:
    """Encode a list."""
    return encode_rows(np.array(slots, dtype=np.intp))


class RowSetTests(SynchronousTestCase):
    """Ascending slots."""

    def test_known(self) -> None:
        """One row is its slot, few are gaps, many a bitmap; as the wire page has it."""
        few = [([], "00"), ([0], "02"), ([300], "b209"), ([3, 4, 300], "0c0300a702")]
        for slots, text in [*few, (list(range(12)), "3102ff0f")]:
            self.assertEqual(encoded(slots).hex(), text)

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(st.one_of(st.sets(st.integers(0, 16_383), max_size=40), st.sets(st.integers(0, 60))))
    def test_round_trip(self, rows: set[int]) -> None:
        """Any set is read again, in no more bytes than a bitmap takes."""
        slots = sorted(rows)
        data = encoded(slots)
        reader = Reader(data)
        self.assertEqual(decode_rows(reader).tolist(), slots)
        reader.finish()
        self.assertLessEqual(len(data), 4 + (max(slots, default=0) // 8 + 1))

    def test_refused(self) -> None:
        """Slots from 16,384 on, counts above that, and bitmaps that are too long or of another count."""
        heads = ["828004", "03", "84800400"]
        bitmaps = ["050103", "010101", "058110" + "00" * 2049, "050301"]
        for text in [*heads, *bitmaps, "04808001", "048080808008", "0802"]:
            self.assertRaises(FrameError, decode_rows, Reader(bytes.fromhex(text)))
        self.assertEqual(decode_rows(Reader(bytes.fromhex("04ff7f"))).tolist(), [16_383])
