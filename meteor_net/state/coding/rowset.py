"""Sets of rows (wire clause 8.6): the slot of one, gaps where there are few, a bitmap where there are many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.coding.leb128 import Reader, encode, encode_one
from meteor_net.state.errors import FrameError
from meteor_net.state.version import MAX_SLOTS

Slots = NDArray[np.intp]

#: The modes of a head, in its two low bits.
GAPS, BITMAP, ONE = 0, 1, 2


def encode_rows(slots: Slots) -> bytes:
    """Encode ascending slots."""
    count = len(slots)
    if not count:
        return b"\0"
    if count == 1:  # which is most of what a quiet world says
        return encode_one(int(slots[0]) * 4 + ONE)
    bitmap_bytes = int(slots[-1]) // 8 + 1
    if count <= bitmap_bytes + 1:  # most gaps take a byte; those of two are few where this holds
        gaps = np.empty(count, dtype=np.uint32)
        gaps[0] = slots[0]
        gaps[1:] = slots[1:] - slots[:-1] - 1
        return encode_one(count * 4 + GAPS) + encode(gaps)
    bits = np.zeros(bitmap_bytes * 8, dtype=np.bool_)
    bits[slots] = True
    return encode_one(count * 4 + BITMAP) + encode_one(bitmap_bytes) + np.packbits(bits, bitorder="little").tobytes()


def decode_rows(reader: Reader) -> Slots:
    """Decode ascending slots.

    Raises:
        FrameError: it is not well formed, or a slot is too high.
    """
    head = reader.one()
    mode, count = head & 3, head >> 2
    if mode == ONE and count < MAX_SLOTS:
        return np.array([count], dtype=np.intp)
    if mode > BITMAP or count > MAX_SLOTS:
        raise FrameError(f"{head} is no head of rows: a slot is below {MAX_SLOTS}, and so many rows there are at most")
    if mode == BITMAP:
        length = reader.one()
        if length > MAX_SLOTS // 8:
            raise FrameError(f"a bitmap of {length} bytes in the frame")
        bits = np.unpackbits(np.frombuffer(reader.take(length), dtype=np.uint8), bitorder="little")
        slots = np.flatnonzero(bits)
        if len(slots) != count:
            raise FrameError(f"a bitmap of {len(slots)} rows where {count} were announced")
        return slots
    # At most 16,384 numbers below 2^32: the sum cannot overflow.
    slots = (np.cumsum(reader.many(count) + 1) - 1).astype(np.intp)
    if count and slots[-1] >= MAX_SLOTS:
        raise FrameError(f"slot {slots[-1]} in the frame; slots are below {MAX_SLOTS}")
    return slots
