"""The coding `eg`: the smallest (wire clause 8.12). What a frame holds; its steps are `eg_encode` and `eg_decode`."""

from __future__ import annotations

from meteor_net.state.coding.eg_decode import decode_step
from meteor_net.state.coding.eg_encode import encode_step
from meteor_net.state.coding.leb128 import Reader, encode_one
from meteor_net.state.errors import FrameError
from meteor_net.state.version import TableVersion, Version


def encode_following(before: Version, base: Version, new: Version) -> bytes:
    """Encode a step for those who hold the last two versions."""
    return encode_step(base, new, before, new.check)


def encode_joining(old: Version, base: Version, new: Version) -> bytes:
    """Encode two steps, from any version to the one before the newest, and to that: then one can follow."""
    first = encode_step(old, base)
    return encode_one(len(first)) + first + encode_step(base, new, None, new.check)


def decode_frame(
    back: int, before: Version | None, base: Version, data: bytes
) -> tuple[list[TableVersion], int | None, Version]:
    """Decode the data of a frame.

    Args:
        back: Versions back, as the frame tells.
        before: The version just before the base, if it is held.
        base: The version that the frame starts from.
        data: The frame's data.

    Returns:
        The tables, the checksum if there is one, and the version just before.

    Raises:
        FrameError: the data are not a frame for this base.
    """
    if back == 1:
        if before is None:
            raise FrameError("a following step, and the version before the last is not held")
        return *decode_step(base, data, before), base
    reader = Reader(data)
    length = reader.one()
    tables, crc = decode_step(base, reader.take(length))
    if crc is not None:
        raise FrameError("the first of two steps has a checksum")
    between = Version(base.schema, base.number + max(back - 1, 0), base.tick, tuple(tables))
    return *decode_step(between, data[reader.at :]), between
