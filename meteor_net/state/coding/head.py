"""The head of a step, the same in all codings (wire clause 8.5): its checksum, and which tables have a part."""

from __future__ import annotations

from meteor_net.state.coding.leb128 import Reader
from meteor_net.state.errors import FrameError


def read_head(reader: Reader, tables: int) -> tuple[int, int | None]:
    """Read a head.

    Args:
        reader: Stands at the head.
        tables: How many tables the schema has.

    Returns:
        The tables that have a part, bit 0 for the first; and the checksum if there is one.

    Raises:
        FrameError: It is cut short, or names a table that is not there.
    """
    header = reader.one()
    checksum = int.from_bytes(reader.take(4), "little") if header & 1 else None
    if header >> (tables + 1):
        raise FrameError("the frame has a part for a table that is not in the schema")
    return header >> 1, checksum
