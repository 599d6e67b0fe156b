"""What a recording's file is made of (docs/reference/replay-format.md).

A CBOR sequence (RFC 8742). Each item is an array `[kind, tick, body]` whose body is a byte string. So an item tells its length:
a reader finds the keyframes without looking into any body, and a file that was cut short is whole up to the cut.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple, TypeVar

import cbor2
import msgspec
from msgspec import Meta

from ..codec import load_item
from ..errors import MeteorError, PacketError
from ..limits import MAX_INT, MAX_NAME_CHARS, MAX_TEXT_BYTES, MAX_VALUES

FORMAT: Literal["meteor_net recording"] = "meteor_net recording"
VERSION: Literal[1] = 1
#: One item: a keyframe of all rows that a room may have is a few MiB.
MAX_ITEM_BYTES = 8 * 1024 * 1024
#: Header, event or line: the largest is a schema, or 64 long texts.
MAX_SMALL_BYTES = 1024 * 1024
#: Array, kind, tick and the head of the body, at most.
HEAD_BYTES = 1 + 9 + 9 + 9
#: The last moment that has a date: the end of the year 9999.
LATEST_MS = 253_402_300_799_999
#: Dotted name of a class.
MAX_DOTTED_CHARS = 500

UInt = Annotated[int, Meta(ge=0, le=MAX_INT)]
Name = Annotated[str, Meta(max_length=MAX_NAME_CHARS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_BYTES)]
Body = TypeVar("Body", bound=msgspec.Struct)


class RecordingError(MeteorError):
    """A file is no recording, or is damaged; the text tells the file, the byte, and what is wrong there."""


class Kind(IntEnum):
    """Kinds of items. Others are a later version's, and are passed over."""

    HEADER = 0
    KEYFRAME = 1
    STEP = 2
    EVENT = 3
    LINE = 4
    END = 5


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stands first.

    Attributes:
        game: The class of the game, `module.Class`.
        room: The room's name, `game/room`.
        schema: As clients are sent it, without the keys of tables: all rows are here.
        epoch: Of the world.
        tick_us: The length of a tick, in microseconds.
        time: When it began, in milliseconds since 1970.
    """

    format: Literal["meteor_net recording"] = FORMAT
    version: Literal[1] = VERSION
    game: Annotated[str, Meta(max_length=MAX_DOTTED_CHARS)]
    room: Annotated[str, Meta(max_length=2 * MAX_NAME_CHARS + 1)]
    schema: dict[str, Any]
    epoch: UInt
    tick_us: Annotated[int, Meta(ge=1_000, le=60_000_000)]
    time: Annotated[int, Meta(ge=0, le=LATEST_MS)]


class FrameBody(msgspec.Struct, frozen=True, array_like=True):
    """A keyframe or step: what clients get (wire clauses 8.3 and 8.4)."""

    base: UInt
    data: bytes
    texts: list[Any] = []
    docs: bytes = b""


class EventBody(msgspec.Struct, frozen=True, array_like=True):
    """An event: its number in the schema, and its values."""

    kind: UInt
    values: Annotated[list[Any], Meta(max_length=MAX_VALUES)]


class LineBody(msgspec.Struct, frozen=True, array_like=True):
    """A line as it was kept in the room's channel (wire clause 10.4)."""

    offset: UInt
    time: UInt
    kind: UInt
    sender: Name
    name: Name
    text: Text
    about: Annotated[int, Meta(ge=-1, le=MAX_INT)] = -1
    mentions: Annotated[list[Name], Meta(max_length=256)] = []
    data: Any = None


def encode(kind: Kind, tick: int, body: object = None) -> bytes:
    """Give an item as it stands in the file.

    Raises:
        ValueError: it is longer than an item may be.
    """
    data = b"" if body is None else cbor2.dumps(msgspec.to_builtins(body, builtin_types=(bytes,)))
    if len(data) > MAX_ITEM_BYTES:
        raise ValueError(f"an item of {len(data)} bytes; at most {MAX_ITEM_BYTES} can be recorded")
    return cbor2.dumps([int(kind), tick, data])


class Item(NamedTuple):
    """An item, its body not looked at.

    Attributes:
        at, body_at, end: Where in the file it begins, its body begins, and the next item begins.
        kind: A `Kind`, or another integer.
        tick: Of the room.
    """

    at: int
    kind: int
    tick: int
    body_at: int
    end: int


@dataclass
class Items:
    """Reads a file item by item, never more than one at a time.

    Attributes:
        file: Open for reading.
        path: What it is called in errors.
        size: Bytes of it that count; what was written later does not.
    """

    file: BinaryIO
    path: str
    size: int

    def error(self, at: int, what: object) -> RecordingError:
        """Make an error that tells the place."""
        return RecordingError(f"{self.path}: at byte {at}: {what}")

    def read(self, at: int) -> Item | None:
        """Read the head of the item at a place; None where the file ends, or ends before the item does.

        Raises:
            RecordingError: There is no item.
        """
        self.file.seek(at)
        head = self.file.read(min(HEAD_BYTES, self.size - at))
        if head and head[0] != 0x83:
            raise self.error(at, "no item of a recording begins here")
        place, values = 1, []
        for major, what in ((0, "kind"), (0, "tick"), (2, "body")):
            if place >= len(head):
                return None
            first = head[place]
            if first >> 5 != major or first & 31 > 27:
                raise self.error(at, f"an item's {what} is of a wrong kind")
            more = 0 if first & 31 < 24 else 1 << ((first & 31) - 24)
            if place + 1 + more > len(head):
                return None
            values.append(int.from_bytes(head[place + 1 : place + 1 + more], "big") if more else first & 31)
            place += 1 + more
        kind, tick, length = values
        if length > MAX_ITEM_BYTES or tick > MAX_INT:
            raise self.error(at, f"an item of {length} bytes, of tick {tick}; at most {MAX_ITEM_BYTES} bytes")
        if at + place + length > self.size:
            return None
        return Item(at, kind, tick, at + place, at + place + length)

    def body(self, item: Item, kind: type[Body]) -> Body:
        """Read an item's body.

        Raises:
            RecordingError: It is none of that kind.
        """
        size = item.end - item.body_at
        if kind is not FrameBody and size > MAX_SMALL_BYTES:
            raise self.error(item.at, f"{size} bytes where a frame may have so many, and nothing else")
        self.file.seek(item.body_at)
        try:
            return msgspec.convert(load_item(self.file.read(size)), kind, builtin_types=(bytes,))
        except (PacketError, msgspec.ValidationError, ValueError, OverflowError, struct.error) as error:
            raise self.error(item.at, f"{kind.__name__.removesuffix('Body').lower()}: {error}") from error
