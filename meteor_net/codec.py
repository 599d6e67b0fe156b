"""Bytes to messages and back (wire page, clauses 2 and 3).

Reading goes in three steps, each with its own bounds: CBOR to plain values (`load_item`), a walk that counts items and refuses
numbers that JavaScript cannot read (`_check`), and plain values to the class of the code (`msgspec.convert`). Whatever bytes
come, the answer is a list of messages or a `PacketError`; anything else is our bug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from secrets import token_bytes
from typing import Any, NoReturn

import cbor2
import msgspec

from .errors import CloseCode, LocalProtocolError, PacketError
from .limits import MAX_DATA_BYTES, MAX_DEPTH, MAX_INT, MAX_MESSAGES, Limits
from .messages import BY_CODE, CODES, FROM_CLIENT, FROM_SERVER, Frame, Held, History, Joined, Line, Message, Said, Say, Unsaid

#: Items that a packet from a server may hold: a history page or a large schema, not a flood.
SERVER_PACKET_ITEMS = 200_000


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("a tag; the wire has none")


# cbor2 builds values from the tags it knows without asking; each is mapped to a refusal (clause 2.2).
_KNOWN_TAGS = (
    0, 1, 2, 3, 4, 5, 21, 22, 23, 25, 28, 29, 30, 32, 33, 34, 35, 36, 37, 52, 54, 100, 256, 258,
    260, 261, 1004, 43000, 55799,
)  # fmt: skip
_REFUSE: dict[int, Callable[..., Any]] = dict.fromkeys(_KNOWN_TAGS, _refuse_tag)


_END_STRING = token_bytes(16)
_END = b"\x50" + _END_STRING

#: How a packet of one HELD begins; and the bytes of an unsigned integer of CBOR, by its head.
_HELD = bytes((0x81, 0x83, CODES[Held]))
_UINT_BYTES = {0x18: 1, 0x19: 2, 0x1A: 4}

_PLAIN = frozenset({str, bytes, bool, type(None)})

#: What the last items nearly always are, from the end: left out, bytes are saved for each hearer.
_LAST: dict[type[Message], tuple[Any, ...]] = {
    Frame: (b"", b"", []), Line: ([], 0, None, [], "", -1, ""), Say: (None, "", -1), Said: (0,), Unsaid: (0,), Joined: (0,),
}  # fmt: skip


#: Bytes of the HISTORY that `plain_data` puts around a value.
_AROUND_DATA = 9


class Shared:
    """A packet for many: encoded once; each kind of transport keeps its framing of it here, made on first use."""

    __slots__ = ("framed", "kind", "others", "parts", "size")

    def __init__(self, payload: bytes, *more: bytes) -> None:
        #: The payload, in pieces that are joined only once: when it is framed.
        self.parts = payload, *more
        self.size = len(payload)
        for part in more:
            self.size += len(part)
        #: The first transport's name, and the bytes as it writes them: nearly all of a server are of one kind.
        self.kind = ""
        self.framed = b""
        #: The same of others.
        self.others: dict[str, bytes] | None = None

    @classmethod
    def of(cls, *messages: Message) -> Shared:
        """Encode messages as one packet."""
        return cls(encode_packet(messages))

    @classmethod
    def checked(cls, message: Message, limits: Limits) -> Shared:
        """Encode a server's message that holds a value of a handler's, and read it as its peer will.

        Raises:
            LocalProtocolError: If the peer could not read it.
        """
        shared = cls.of(message)
        try:
            decode_from_server(shared.payload, limits)
        except PacketError as error:
            raise LocalProtocolError(f"a value that the wire does not carry: {error.text}") from error
        return shared

    @property
    def payload(self) -> bytes:
        """The packet."""
        return b"".join(self.parts)

    def __len__(self) -> int:
        return self.size


def encode_packet(messages: Iterable[Message]) -> bytes:
    """Encode messages as one packet.

    Raises:
        LocalProtocolError: If there is none, or one holds a value that CBOR has no place for.
    """
    try:
        items = [[CODES[type(message)], *encode_items(message)] for message in messages]
        packet = cbor2.dumps(items)
    except (cbor2.CBORError, TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"a message cannot be encoded: {error}") from error
    if not items:
        raise LocalProtocolError("a packet holds at least one message")
    return packet


def frame_around_sight(frame: Frame) -> tuple[bytes, bytes]:
    """Encode a packet of one frame but for its item `sight`, which is another one for each player.

    Returns:
        What comes before that byte string, and what after it: `before + bytes_head(len(sight)) + sight + after`.
    """
    items = [CODES[Frame], frame.stream, frame.tick16, frame.base, frame.data, frame.texts]
    after = cbor2.dumps(frame.docs) if frame.docs else b""
    count = len(items) + (2 if frame.docs else 1)
    return b"".join([b"\x81", bytes((0x80 + count,)), *map(cbor2.dumps, items)]), after


def bytes_head(size: int) -> bytes:
    """Encode the head of a byte string of that many bytes."""
    if size < 24:
        return bytes((0x40 + size,))
    if size < 256:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big") if size < 65_536 else b"\x5a" + size.to_bytes(4, "big")


def encode_items(message: Message) -> list[Any]:
    """Make plain values of a message's items; last ones that are as usual are left out."""
    items: list[Any] = msgspec.to_builtins(message, builtin_types=(bytes,))
    for usual in _LAST.get(type(message), ()):
        if items[-1] != usual:
            break
        items.pop()
    return items


def plain_data(value: object) -> Any:
    """Check what a line of a game's own kind is to carry.

    Returns:
        It as its readers will have it, with lists for tuples.

    Raises:
        LocalProtocolError: If it is larger than 4 KiB as CBOR, nested too deep, or of a kind that the wire does not have.
    """
    # In HISTORY it stands deepest.
    shared = Shared.checked(History(0, 0, 0, False, [[value]]), Limits())
    size = len(shared) - _AROUND_DATA
    if size > MAX_DATA_BYTES:
        raise LocalProtocolError(f"data of {size} bytes; at most {MAX_DATA_BYTES}")
    return load_item(shared.payload)[0][5][0][0]


def decode_from_client(data: bytes, limits: Limits) -> list[Message]:
    """Read a packet that a client sent.

    Raises:
        PacketError: If it is none; the text says what was wrong, for the peer.
    """
    if len(data) > limits.packet_in_bytes:
        raise PacketError(f"a packet of {len(data)} bytes; at most {limits.packet_in_bytes}", CloseCode.TOO_BIG)
    held = _held(data) if data[:3] == _HELD else None
    if held is not None:
        return [held]
    return _decode(data, FROM_CLIENT, limits.packet_messages, limits.packet_items, strangers=False)


def _held(data: bytes) -> Message | None:
    """Read the packet of one HELD, which each client sends twice a second, the short way; None if it takes the long one."""
    values, at = [], len(_HELD)
    for _ in range(2):
        head = data[at] if at < len(data) else 0xFF
        size = _UINT_BYTES.get(head, 0)
        if (head >= 24 and not size) or at + size >= len(data):
            return None
        values.append(int.from_bytes(data[at + 1 : at + 1 + size], "big") if size else head)
        at += 1 + size
    return Held(*values) if at == len(data) else None


def decode_from_server(data: bytes, limits: Limits) -> list[Message]:
    """Read a packet that a server sent; messages of unknown codes are left out (clause 3.3).

    Raises:
        PacketError: If it is none.
    """
    if len(data) > limits.packet_out_bytes:
        raise PacketError(f"a packet of {len(data)} bytes; at most {limits.packet_out_bytes}", CloseCode.TOO_BIG)
    return _decode(data, FROM_SERVER, MAX_MESSAGES, SERVER_PACKET_ITEMS, strangers=True)


def _decode(data: bytes, allowed: frozenset[type[Message]], most: int, items: int, *, strangers: bool) -> list[Message]:
    packet = load_item(data)
    if type(packet) is not list or not packet:
        raise PacketError("a packet is an array of at least one message")
    if len(packet) > most:
        raise PacketError(f"{len(packet)} messages in one packet; at most {most}")
    _check(packet, items)
    messages = []
    for item in packet:
        message = _message(item, allowed, strangers)
        if message is not None:
            messages.append(message)
    return messages


def load_item(data: bytes, depth: int = MAX_DEPTH) -> Any:
    """Read one CBOR item, nested at most so deep, and see that nothing follows it.

    Raises:
        PacketError: It is not well-formed, nested too deep, or of a kind that the wire does not have; or something follows it.

    cbor2.loads would pass over what follows. So the item is read as the first of two; the second is a string that no peer
    can know, and it comes second only if the first ends where the data does.
    """
    try:
        items = cbor2.loads(
            b"\x82" + data + _END,
            max_depth=depth + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_REFUSE,
            tag_hook=_refuse_tag,
        )
    except Exception as error:  # a decoder's error of any class is the peer's mistake, never ours
        raise PacketError(f"not well-formed CBOR: {_reason(error)}") from error
    if items[1] != _END_STRING:
        raise PacketError("not well-formed CBOR: it is cut short, or bytes follow it")
    return items[0]


def _reason(error: BaseException) -> str:
    """The innermost cause's text, short: cbor2 wraps ours in its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)[:120] or type(error).__name__


def _check(packet: list[Any], most: int) -> None:
    """Count the items, and refuse what clause 2.2 and 2.3 leave out."""
    count = 0
    waiting: list[Any] = [packet]
    while waiting:
        value = waiting.pop()
        count += 1
        kind = type(value)
        if kind is list:
            waiting.extend(value)
        elif kind is dict:
            if any(type(key) is not str for key in value):
                raise PacketError("a map's key that is not text")
            waiting.extend(value.values())
            count += len(value)
        elif kind not in _PLAIN:
            _check_number(value, kind)
        if count + len(waiting) > most:
            raise PacketError(f"more than {most} items in one packet")


def _check_number(value: Any, kind: type) -> None:
    if kind is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise PacketError("an integer beyond 2^53 - 1")
    elif kind is not float:
        raise PacketError(f"a value of a kind that the wire does not have: {kind.__name__}")
    elif not isfinite(value):
        raise PacketError("a number that is not finite")


def _message(item: Any, allowed: frozenset[type[Message]], strangers: bool) -> Message | None:
    if type(item) is not list or not item or type(item[0]) is not int:
        raise PacketError("a message is an array that begins with its code")
    kind = BY_CODE.get(item[0])
    if kind not in allowed:
        if strangers and kind is None:
            return None
        raise PacketError(f"no message of code {item[0]} may come this way")
    try:
        return msgspec.convert(item[1:], kind, builtin_types=(bytes,))
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise PacketError(f"{kind.__name__}: {error}") from error
