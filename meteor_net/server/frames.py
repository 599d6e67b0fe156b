"""WebSocket frames as bytes (RFC 6455 §5.2): the ones we write, and the common case of those that we read.

Nearly all that players send is one small binary message in one frame, whole in one read. Those are cut out here; whatever else
comes (other opcodes, fragments, longer ones, parts of frames) is for the general parser, which then sees just those bytes.
"""

from __future__ import annotations

from struct import pack

_BINARY = 0x82  # FIN, no reserved bit, opcode 2
_MASKED = 0x80
#: The longest payload whose length fits into the second byte.
SMALL = 125
_HEAD = 6  # two bytes, and the mask


def binary_head(size: int) -> bytes:
    """The head of one unfragmented, unmasked binary frame, as servers send."""
    if size <= SMALL:
        return pack("!BB", _BINARY, size)
    if size < 65_536:
        return pack("!BBH", _BINARY, 126, size)
    return pack("!BBQ", _BINARY, 127, size)


def small_end(data: bytes, at: int) -> int:
    """Tell whether a whole, masked, unfragmented binary frame of at most 125 bytes begins at a place.

    Returns:
        The place behind it; 0 if there is none.
    """
    if len(data) - at < _HEAD or data[at] != _BINARY or not _MASKED <= data[at + 1] <= _MASKED + SMALL:
        return 0
    end = at + _HEAD + data[at + 1] - _MASKED
    return end if end <= len(data) else 0


def unmask_small(data: bytes, at: int, end: int) -> bytes:
    """Unmask the payload of such a frame (RFC 6455 §5.3): as two long numbers, which is quickest for so few bytes.

    Args:
        data: Holds the frame.
        at: Where it begins.
        end: What `small_end` told.
    """
    start = at + _HEAD
    length = end - start
    mask = (data[at + 2 : start] * (length // 4 + 1))[:length]
    return (int.from_bytes(data[start:end], "little") ^ int.from_bytes(mask, "little")).to_bytes(length, "little")
