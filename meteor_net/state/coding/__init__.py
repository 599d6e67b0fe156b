"""How a version becomes bytes: `varint`, plain enough for anybody's client, and `eg`, the smallest (wire clause 8)."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum


class Coding(IntEnum):
    """A coding, by its number in a frame's base (wire clause 8.3)."""

    VARINT = 0
    EG = 1

    @classmethod
    def of(cls, features: Collection[str]) -> Coding:
        """Give the best coding of one who announced these features."""
        return cls.EG if "eg" in features else cls.VARINT


#: The features of HELLO and WELCOME that we know (wire clause 4.2).
FEATURES = frozenset({"eg"})
