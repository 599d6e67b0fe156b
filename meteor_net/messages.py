"""What can be said: a frozen class for each message of the wire, and the mission's `NetworkMessage`.

Both ends use these classes. The order of the fields is the order on the wire (wire page, clause 3); a later version adds
fields at the end, with a default. The code is not a field: it stands in `CODES`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from .limits import MAX_INT, MAX_NAME_CHARS, MAX_PROSE_CHARS, MAX_VALUES, MAX_WORD_CHARS

UInt = Annotated[int, Meta(ge=0, le=MAX_INT)]
#: A place before the first, an offset of a command: one below nothing.
UIntOrMinus1 = Annotated[int, Meta(ge=-1, le=MAX_INT)]
Small = Annotated[int, Meta(ge=0, le=0xFFFF)]
Seq = Annotated[int, Meta(ge=1, le=MAX_INT)]
Number = Annotated[int, Meta(ge=-MAX_INT, le=MAX_INT)]
Name = Annotated[str, Meta(max_length=MAX_NAME_CHARS)]
Id = Annotated[str, Meta(min_length=1, max_length=36)]
Word = Annotated[str, Meta(max_length=MAX_WORD_CHARS)]
Prose = Annotated[str, Meta(max_length=MAX_PROSE_CHARS)]
Text = Annotated[str, Meta(max_length=8_192)]
Secret = Annotated[str, Meta(max_length=4_096)]
#: The fields of an action or an event: integers and texts (clause 7.4).
Values = Annotated[list[Number | Text], Meta(max_length=MAX_VALUES)]
Hash = Annotated[bytes, Meta(min_length=8, max_length=8)]
#: Rows that one player may call its own.
MAX_OWN_ROWS = 64
#: (table, slot) of own rows.
Rows = Annotated[list[tuple[UInt, UInt]], Meta(max_length=MAX_OWN_ROWS)]
#: Users that one line may mention.
MAX_MENTIONS = 16
Mentions = Annotated[list[Name], Meta(max_length=MAX_MENTIONS)]
#: Different emojis that one line may have as reactions.
MAX_REACTIONS = 20
#: (emoji, how many users, whether the reader is one of them).
Reactions = Annotated[list[tuple[Word, UInt, bool]], Meta(max_length=MAX_REACTIONS)]
#: (epoch, offset) of a channel.
Place = tuple[UInt, UIntOrMinus1]


def fitting(text: object, most: int) -> str:
    """Make of a handler's text one that the wire takes: cut to `most` characters, no lone surrogates."""
    return str(text)[:most].encode("utf-8", "replace").decode()


class MessageType(IntEnum):
    """The mission's kinds of message: the upper bits of a code."""

    CHAT = 0
    GAME_STATE = 1
    PLAYER_ACTION = 2
    SYSTEM = 3


class LineKind(IntEnum):
    """Kinds of lines (clause 10.2)."""

    TEXT = 0
    NOTICE = 1
    EMOJI = 2
    REACTION = 3
    UNREACTION = 4
    EDIT = 5
    DELETE = 6
    PRIVATE = 7
    ME = 8


#: Kinds from here on are a game's own.
OWN_KINDS = 64
#: Kinds that change another line, and are not shown as lines of their own.
CHANGES = frozenset({LineKind.REACTION, LineKind.UNREACTION, LineKind.EDIT, LineKind.DELETE})


class LineState(IntEnum):
    """What became of a line since it was said (clause 10.4)."""

    AS_SAID = 0
    EDITED = 1
    DELETED = 2


class Role(IntEnum):
    """What a session does in a room (clause 6.1)."""

    PLAY = 0
    WATCH = 1


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Above all messages of the wire."""


# --- chat ---


class Line(Message, frozen=True):
    """A line as its hearers get it (clause 10.4)."""

    channel: UInt
    offset: UInt
    time: UInt
    tick: UInt
    kind: Small
    sender: Name
    name: Name
    text: Text
    cid: Annotated[str, Meta(max_length=36)] = ""
    about: UIntOrMinus1 = -1
    to: Name = ""
    mentions: Mentions = []
    data: Any = None
    state: Annotated[int, Meta(ge=0, le=2)] = 0
    reactions: Reactions = []


class Say(Message, frozen=True):
    """A client says a line (clause 10.3)."""

    channel: UInt
    cid: Id
    kind: Small
    text: Text
    about: UIntOrMinus1 = -1
    to: Name = ""
    data: Any = None


class Said(Message, frozen=True):
    """The line is kept, at this offset; -1 for a command. The next one may be said in `wait` milliseconds."""

    channel: UInt
    cid: Id
    offset: UIntOrMinus1
    wait: UInt = 0


class History(Message, frozen=True):
    """Lines of before (clause 10.5); each without its channel."""

    channel: UInt
    epoch: UInt
    next: UInt
    gap: bool
    lines: list[list[Any]]


class Unsaid(Message, frozen=True):
    """The line was refused, or (`unknown`) may have been kept. It may be said in `wait` milliseconds."""

    channel: UInt
    cid: Id
    reason: Word
    text: Prose
    wait: UInt = 0


class Earlier(Message, frozen=True):
    """A client wants lines from before an offset (clause 10.7)."""

    channel: UInt
    before: UInt
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Page(Message, frozen=True):
    """They are these; `more` tells that there are older ones. Each without its channel."""

    channel: UInt
    epoch: UInt
    before: UInt
    more: bool
    lines: list[list[Any]]


# --- state ---


class Frame(Message, frozen=True):
    """From one version of a stream to another (clause 8.3)."""

    stream: UInt
    tick16: Small
    base: UInt
    data: bytes
    texts: list[list[Any]] = []
    sight: bytes = b""
    docs: bytes = b""


class EventMessage(Message, frozen=True):
    """Said once, of one tick (clause 8.11)."""

    room: UInt
    number: UInt
    tick: UInt
    kind: Small
    values: Values


class Lost(Message, frozen=True):
    """The client asks for a keyframe (clause 8.9)."""

    room: UInt


class Held(Message, frozen=True):
    """The tick that a client has applied (clause 8.10)."""

    room: UInt
    tick: UInt


class Clock(Message, frozen=True):
    """The room's tick is at this time (clause 6.4)."""

    room: UInt
    tick: UInt
    time: UInt


class Own(Message, frozen=True):
    """The player's own rows, as (table, slot) (clause 6.5)."""

    room: UInt
    rows: Rows


class Gap(Message, frozen=True):
    """Events were lost; this is the number of the newest."""

    room: UInt
    number: UInt


# --- actions ---


class ActionMessage(Message, frozen=True):
    """A player does something (clause 9.1)."""

    room: UInt
    seq: Seq
    seen: UInt
    kind: Small
    values: Values


class Ack(Message, frozen=True):
    """All up to `seq` are taken, and shown at `tick` (clause 9.3)."""

    room: UInt
    seq: UInt
    tick: UInt


class Result(Message, frozen=True):
    """What an action gave (clause 9.4)."""

    room: UInt
    seq: Seq
    value: Any


class RefusedMessage(Message, frozen=True):
    """An action was refused."""

    room: UInt
    seq: Seq
    reason: Word
    text: Prose


# --- system ---


class Hello(Message, frozen=True):
    """The first message of a client (clause 4.2)."""

    versions: Annotated[list[UInt], Meta(min_length=1, max_length=16)]
    name: Name | None = None
    token: Secret | None = None
    resume: Secret | None = None
    client: Name = ""
    features: Annotated[list[Word], Meta(max_length=32)] = []


class Welcome(Message, frozen=True):
    """The server's answer to HELLO (clause 4.3)."""

    version: UInt
    session: Name
    user: Name
    name: Name
    time: UInt
    resume: Secret
    limits: dict[str, int | float]
    features: Annotated[list[Word], Meta(max_length=32)] = []


class Join(Message, frozen=True):
    """A session wants into a room (clause 6.1)."""

    name: Annotated[str, Meta(max_length=129)]
    role: Annotated[int, Meta(ge=0, le=1)] = 0
    places: Annotated[dict[str, Any], Meta(max_length=16)] = {}
    schema_hash: Hash | None = None


class Joined(Message, frozen=True):
    """It is in (clause 6.2)."""

    room: UInt
    name: Annotated[str, Meta(max_length=129)]
    epoch: UInt
    tick: UInt
    time: UInt
    tick_us: Annotated[int, Meta(ge=1, le=60_000_000)]
    stream: UInt
    channels: Annotated[list[tuple[UInt, Text, UInt, UInt]], Meta(max_length=128)]
    schema_hash: Hash
    schema: dict[str, Any] | None
    rows: Rows
    last_seq: UInt
    event: UInt
    key: UInt = 0


class Leave(Message, frozen=True):
    """A session leaves a room."""

    room: UInt


class Left(Message, frozen=True):
    """The session is no longer in the room (clause 6.6)."""

    room: UInt
    reason: Word
    text: Prose


class Ping(Message, frozen=True):
    """Are you there? (clause 5.1)"""

    number: UInt
    time: UInt


class Pong(Message, frozen=True):
    """The answer to a ping, at once."""

    number: UInt
    time: UInt


class ErrorMessage(Message, frozen=True):
    """A request was refused; the connection goes on (clause 4.6)."""

    about: Small
    reason: Word
    text: Prose


class Goodbye(Message, frozen=True):
    """The sender is about to close (clause 4.5)."""

    code: Small
    text: Prose


#: Code on the wire -> class, as in the table of clause 3.
BY_CODE: dict[int, type[Message]] = {
    0: Line, 1: Say, 2: Said, 3: History, 4: Unsaid, 5: Earlier, 6: Page,
    16: Frame, 17: EventMessage, 18: Lost, 19: Held, 20: Clock, 21: Own, 22: Gap,
    32: ActionMessage, 33: Ack, 34: Result, 35: RefusedMessage,
    48: Hello, 49: Welcome, 50: Join, 51: Joined, 52: Leave, 53: Left,
    54: Ping, 55: Pong, 56: ErrorMessage, 57: Goodbye,
}  # fmt: skip
CODES: dict[type[Message], int] = {kind: code for code, kind in BY_CODE.items()}

#: What a client may say.
FROM_CLIENT: frozenset[type[Message]] = frozenset(
    {Say, Earlier, Lost, Held, ActionMessage, Hello, Join, Leave, Ping, Pong, Goodbye}
)
#: What a server may say.
FROM_SERVER: frozenset[type[Message]] = frozenset(BY_CODE.values()) - frozenset(
    {Say, Earlier, Lost, Held, ActionMessage, Hello, Join, Leave}
)


class NetworkMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Any message as users see it.

    Attributes:
        type: Chat, game state, player action or system.
        payload: The message's fields by name, with `"code"` and, in a room, its name under `"room"`.
        timestamp: Milliseconds of the server's clock; when the message has no time of its own, when it came.
        sender: The user it is from; empty for the server itself. Set by the server, always.
    """

    type: MessageType
    payload: Any
    timestamp: int
    sender: str = ""

    @classmethod
    def of(cls, message: Message, timestamp: int, sender: str = "") -> NetworkMessage:
        """Show a message of the wire; its own time and sender, if it has them, come first."""
        code = CODES[type(message)]
        return cls(
            type=MessageType(code >> 4),
            payload={"code": code, **msgspec.structs.asdict(message)},
            timestamp=getattr(message, "time", timestamp),
            sender=getattr(message, "sender", sender),
        )
