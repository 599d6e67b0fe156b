"""LEB128: the bytes are the textbook's, and nothing else is read."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import FrameError
from meteor_net.state.coding.leb128 import Reader, encode, encode_one

numbers = st.lists(st.one_of(st.integers(0, 200), st.integers(0, 2**32 - 1)), max_size=30)


class Leb128Tests(SynchronousTestCase):
    """Many numbers at once, and one at a time."""

    def test_known(self) -> None:
        """Known numbers have known bytes."""
        for number, text in [(0, "00"), (127, "7f"), (128, "8001"), (624_485, "e58e26"), (2**32 - 1, "ffffffff0f")]:
            self.assertEqual(encode_one(number).hex(), text)
            self.assertEqual(encode(np.array([number], dtype=np.uint32)).hex(), text)

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(numbers)
    def test_round_trip(self, values: list[int]) -> None:
        """Many numbers have the bytes of each, and are read again, at once or one by one."""
        data = encode(np.array(values, dtype=np.uint32))
        self.assertEqual(data, b"".join(map(encode_one, values)))
        reader = Reader(b"\x85" + b"\x01" + data)
        self.assertEqual(reader.one(), 133)
        self.assertEqual(reader.many(len(values)).tolist(), values)
        reader.finish()
        reader = Reader(data)
        self.assertEqual([reader.one() for _ in values], values)
        reader.finish()

    def test_runs(self) -> None:
        """Runs of numbers and bytes follow each other, whatever the bytes between look like."""
        reader = Reader(encode_one(300) + b"\xff\x80" + encode_one(5) + encode_one(2**32 - 1) + b"\x00")
        self.assertEqual(reader.many(1).tolist(), [300])
        self.assertEqual(reader.take(2), b"\xff\x80")
        self.assertEqual(reader.many(2).tolist(), [5, 2**32 - 1])
        self.assertEqual(reader.many(0).tolist(), [])
        self.assertRaises(FrameError, reader.finish)

    def test_refused(self) -> None:
        """Too few bytes, numbers of six bytes and numbers of 2^32 are refused."""
        for data, count in [
            ("", 1),
            ("8080", 1),
            ("0080", 2),
            ("808080808000", 1),
            ("8080808010", 1),
            ("00", 2),
            ("808001", 2),
        ]:
            self.assertRaises(FrameError, Reader(bytes.fromhex(data)).many, count)
            if count == 1:
                self.assertRaises(FrameError, Reader(bytes.fromhex(data)).one)
        self.assertRaises(FrameError, Reader(b"").take, 1)

    def test_padded(self) -> None:
        """A number that takes more bytes than it needs is read all the same."""
        self.assertEqual(Reader(b"\x81\x80\x00").one(), 1)
        self.assertEqual(Reader(b"\x81\x80\x00\x02").many(2).tolist(), [1, 2])
