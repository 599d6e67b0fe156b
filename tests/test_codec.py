"""Bytes to messages and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import codec
from meteor_net import messages as wire
from meteor_net.codec import (
    Shared,
    bytes_head,
    decode_from_client,
    decode_from_server,
    encode_packet,
    frame_around_sight,
    plain_data,
)
from meteor_net.errors import CloseCode, LocalProtocolError, PacketError
from meteor_net.limits import MAX_DATA_BYTES, MAX_INT, MAX_MESSAGES, Limits
from meteor_net.messages import FROM_CLIENT, FROM_SERVER, Message

LIMITS = Limits()
HASH = b"12345678"
#: One of each message, and each that has items which may be absent without them.
SAMPLES: list[Message] = [
    wire.Line(1, 2, 3, 4, 0, "u", "ann", "hi", "c"),
    wire.Line(1, 2, 3, 4, 0, "u", "ann", "hi", "c", 1, "", ["u", "v"], None, 1, [("\u2764\ufe0f", 2, True)]),
    wire.Line(1, 2, 3, 4, 64, "u", "ann", "", "c", -1, "", [], {"a": [1, 1.5, None, True, b"x"]}),
    wire.Line(1, 2, 3, 4, 7, "u", "ann", "hi", "c", -1, "v"),
    wire.Say(1, "c", 0, "hi"),
    wire.Say(1, "c", 7, "hi", -1, "v"),
    wire.Say(1, "c", 64, "", 1, "", {"a": [1, 1.5, None, True, b"x"]}),
    wire.Said(1, "c", -1),
    wire.Said(1, "c", 5, 3_000),
    wire.History(1, 2, 3, True, [[0, 3, 4, 0, "u", "ann", "hi", "c"]]),
    wire.Unsaid(1, "c", "bad-text", "no"),
    wire.Unsaid(1, "c", "slow-down", "no", 400),
    wire.Earlier(1, 50),
    wire.Earlier(1, 50, 100),
    wire.Page(1, 2, 50, True, [[0, 3, 4, 0, "u", "ann", "hi", "c"]]),
    wire.Frame(1, 65_535, 8, b"\x00\xff"),
    wire.Frame(1, 0, 8, b"", [[0, 1, [2], ["ann"]]]),
    wire.EventMessage(1, 0, 3, 2, [1, -1, "a"]),
    wire.Lost(1),
    wire.Held(1, 2),
    wire.Clock(1, 2, 3),
    wire.Own(1, [(0, 1), (1, 2)]),
    wire.Gap(1, 2),
    wire.ActionMessage(1, 1, 0, 2, [MAX_INT, -MAX_INT, ""]),
    wire.Ack(1, 0, 3),
    wire.Result(1, 1, {"a": [1, 1.5, None, True, b"x"]}),
    wire.RefusedMessage(1, 1, "refused", "no"),
    wire.Hello([1]),
    wire.Hello([1, 2], "ann", "token", "resume", "me", ["eg"]),
    wire.Welcome(1, "s", "u", "ann", 2, "r", {"a": 1, "b": 1.5}, ["eg"]),
    wire.Join("a"),
    wire.Join("a/b", 1, {"epoch": 1, "channels": {"a/b": [1, -1]}}, HASH),
    wire.Joined(1, "a/b", 2, 3, 4, 50_000, 1, [(1, "a/b", 2, 3)], HASH, {"tables": []}, [(0, 1)], 5, 6),
    wire.Joined(1, "a/b", 2, 3, 4, 1, 1, [], HASH, None, [], 0, 0),
    wire.Leave(1),
    wire.Left(1, "left", ""),
    wire.Ping(1, 0),
    wire.Pong(1, 2),
    wire.ErrorMessage(50, "room-full", "no"),
    wire.Goodbye(4000, "bye"),
]  # fmt: skip


def decode(message: Message) -> list[Message]:
    """Send a message the way that it goes."""
    data = encode_packet([message])
    return decode_from_client(data, LIMITS) if type(message) in FROM_CLIENT else decode_from_server(data, LIMITS)


def refused(packet: Any, *, server: bool = False) -> str:
    """Why plain values are no packet."""
    data = packet if isinstance(packet, bytes) else cbor2.dumps(packet)
    try:
        (decode_from_server if server else decode_from_client)(data, LIMITS)
    except PacketError as error:
        return error.text
    raise AssertionError(f"{packet!r} was taken")


class RoundTripTests(SynchronousTestCase):
    """What is said is what is heard."""

    def test_every_message(self) -> None:
        """Each kind of message arrives as it was sent."""
        for message in SAMPLES:
            self.assertEqual(decode(message), [message])
        self.assertEqual({type(message) for message in SAMPLES}, set(wire.CODES))

    def test_many(self) -> None:
        """Messages of one packet keep their order."""
        said = [message for message in SAMPLES if type(message) in FROM_CLIENT]
        self.assertEqual(decode_from_client(encode_packet(said), LIMITS), said)
        said = [message for message in SAMPLES if type(message) in FROM_SERVER]
        self.assertEqual(decode_from_server(encode_packet(said), LIMITS), said)

    def test_frame_without_texts(self) -> None:
        """A frame without texts spares the byte for them."""
        self.assertEqual(cbor2.loads(encode_packet([wire.Frame(1, 2, 8, b"a")])), [[16, 1, 2, 8, b"a"]])

    def test_frame_around_sight(self) -> None:
        """A frame whose item `sight` is joined to it afterwards is the same packet, whatever its length."""
        for size in (1, 23, 24, 255, 256, 65_535, 65_536):
            for texts, docs in (([], b""), ([[0, 1, [2], ["ann"]]], b"docs")):
                sight = b"s" * size
                frame = wire.Frame(1, 65_535, 8, b"data", texts, docs=docs)
                before, after = frame_around_sight(frame)
                whole = wire.Frame(1, 65_535, 8, b"data", texts, sight, docs)
                self.assertEqual(before + bytes_head(size) + sight + after, encode_packet([whole]))

    def test_plain_line(self) -> None:
        """A line that has nothing special spares the bytes for it, as does one of its answers."""
        for message, size in (
            (wire.Line(1, 2, 3, 4, 0, "u", "ann", "hi"), 9),
            (wire.Line(1, 2, 3, 4, 0, "u", "ann", "hi", "c", 5), 11),
            (wire.Say(1, "c", 0, "hi"), 5),
            (wire.Said(1, "c", 2), 4),
            (wire.Unsaid(1, "c", "refused", "no"), 5),
        ):
            self.assertEqual(len(cbor2.loads(encode_packet([message]))[0]), size)

    def test_later_versions(self) -> None:
        """Items that later versions add at the end are ignored, and new codes by a client; a server refuses those."""
        self.assertEqual(decode_from_client(cbor2.dumps([[19, 1, 2, "new"]]), LIMITS), [wire.Held(1, 2)])
        self.assertEqual(decode_from_server(cbor2.dumps([[99, {}], [33, 1, 2, 3]]), LIMITS), [wire.Ack(1, 2, 3)])
        self.assertEqual(refused([[99]]), "no message of code 99 may come this way")


class EncodeTests(SynchronousTestCase):
    """What cannot be said."""

    def test_nothing(self) -> None:
        """An empty packet is our own mistake."""
        self.assertRaises(LocalProtocolError, encode_packet, [])

    def test_values_without_a_place(self) -> None:
        """A value that CBOR has no place for is told to the caller, whatever it is."""
        circle: list[Any] = []
        circle.append(circle)
        for value in (object(), 1 + 2j, "\ud800", circle):
            self.assertRaises(LocalProtocolError, encode_packet, [wire.Result(0, 1, value)])

    def test_shared(self) -> None:
        """What is for many is encoded once, and knows its size."""
        shared = Shared.of(wire.Ack(1, 2, 3))
        self.assertEqual(shared.payload, encode_packet([wire.Ack(1, 2, 3)]))
        self.assertEqual((len(shared), shared.framed), (len(shared.payload), b""))

    def test_checked(self) -> None:
        """A value of a handler's that the peer could not read is told here, and does not end the peer's connection."""
        good = Shared.checked(wire.Result(0, 1, {"price": [1, 2.5, "x", (3,)]}), LIMITS)
        self.assertEqual(decode_from_server(good.payload, LIMITS), [wire.Result(0, 1, {"price": [1, 2.5, "x", [3]]})])
        deep: Any = 1
        for _ in range(12):
            deep = [deep]
        for value in (float("nan"), MAX_INT + 1, {1: 2}, deep, b"x" * LIMITS.packet_out_bytes):
            self.assertRaises(LocalProtocolError, Shared.checked, wire.Result(0, 1, value), LIMITS)


class DataTests(SynchronousTestCase):
    """What a line of a game's own kind carries."""

    def test_plain(self) -> None:
        """It is what its readers will have; they have lists for tuples."""
        value = {"dice": (3, 5), "sum": 8.5, "by": None, "raw": b"x"}
        self.assertEqual(plain_data(value), {**value, "dice": [3, 5]})
        self.assertIsNone(plain_data(None))

    def test_size(self) -> None:
        """4 KiB as CBOR are carried, and no byte more."""
        for size in (0, 23, 255, MAX_DATA_BYTES - 3):
            self.assertEqual(plain_data(b"x" * size), b"x" * size)
        error = self.assertRaises(LocalProtocolError, plain_data, b"x" * (MAX_DATA_BYTES - 2))
        self.assertEqual(str(error), "data of 4097 bytes; at most 4096")

    def test_wrong(self) -> None:
        """What some reader could not read is refused: what has no place on the wire, and what is deep, as HISTORY is deeper."""
        fits: Any = 1
        for _ in range(8):
            fits = [fits]
        self.assertEqual(plain_data(fits), fits)
        for value in ([fits], float("nan"), MAX_INT + 1, {1: 2}, object()):
            self.assertRaises(LocalProtocolError, plain_data, value)


class BadPacketTests(SynchronousTestCase):
    """Bytes that are no packet get an answer that says why."""

    def test_no_cbor(self) -> None:
        """Truncated, trailing, empty and broken bytes."""
        packet = encode_packet([wire.Say(1, "c", 0, "hello")])
        for size in range(len(packet)):
            self.assertIn("not well-formed CBOR", refused(packet[:size]))
        self.assertIn("bytes follow it", refused(packet + b"\x00"))
        self.assertIn("not well-formed CBOR", refused(b"\x81\xff"))
        self.assertIn("utf-8", refused(b"\x81\x62\xc3\x28"))

    def test_indefinite(self) -> None:
        """Lengths are definite."""
        for data in (b"\x9f\xff", b"\x81\x9f\xff", b"\x81\x82\x00\xbf\xff", b"\x81\x5f\xff", b"\x81\x7f\xff"):
            self.assertIn("indefinite", refused(data))

    def test_tags(self) -> None:
        """There are no tags, known to CBOR or not; dates, sets and big numbers among them."""
        for tag in (*range(300), 1004, 43_000, 55_799, 2**32):
            for value in (0, b"\x01", "2013-03-21", [1, 2]):
                self.assertIn("a tag", refused([cbor2.CBORTag(tag, value)]))

    def test_keys(self) -> None:
        """Map keys are text, and none occurs twice."""
        for key in (1, b"a", None, 1.5, True):
            self.assertEqual(refused([[50, "a", 0, {key: 1}]]), "a map's key that is not text")
        self.assertIn("uplicate", refused(b"\x81\xa2\x61a\x01\x61a\x02"))

    def test_numbers(self) -> None:
        """Integers are such that JavaScript reads them, other numbers finite, and undefined is nothing."""
        self.assertEqual(decode_from_client(cbor2.dumps([[54, MAX_INT, 0]]), LIMITS), [wire.Ping(MAX_INT, 0)])
        for number in (MAX_INT + 1, -MAX_INT - 1, 2**64 - 1, -(2**64)):
            self.assertEqual(refused([[54, number, 0]]), "an integer beyond 2^53 - 1")
        for value in (float("nan"), float("inf"), -float("inf")):
            self.assertEqual(refused([[50, "a", 0, {"a": value}]]), "a number that is not finite")
        self.assertIn("a kind that the wire does not have", refused([[50, "a", 0, {"a": cbor2.undefined}]]))
        self.assertIn("a kind that the wire does not have", refused([cbor2.CBORSimpleValue(3)]))
        self.assertIn("a tag", refused([2**64]))
        self.assertEqual(decode_from_server(cbor2.dumps([[34, 0, 1, -0.5]]), LIMITS), [wire.Result(0, 1, -0.5)])

    def test_no_messages(self) -> None:
        """A packet is an array of messages, each an array that begins with a code."""
        packets: list[Any] = [0, "a", {}, None, []]
        for packet in packets:
            self.assertEqual(refused(packet), "a packet is an array of at least one message")
        messages: list[Any] = [0, "a", {}, [], ["a"], [None], [True], [1.0], [[1]]]
        for message in messages:
            self.assertEqual(refused([message]), "a message is an array that begins with its code")

    def test_wrong_way(self) -> None:
        """What only the other side may say is refused, on both sides."""
        self.assertEqual(refused([[0, 1, 2, 3, 4, 0, "u", "n", "t"]]), "no message of code 0 may come this way")
        self.assertEqual(refused([[48, [1]]], server=True), "no message of code 48 may come this way")

    def test_fields(self) -> None:
        """A field of another type or range is refused, and the text names the message and the field."""
        for packet, text in [
            ([[54, 1]], "Ping: Expected"), ([[54, "a", 1]], "Ping: Expected `int`, got `str` - at `$[0]`"),
            ([[54, 1.0, 1]], "Ping: Expected `int`"), ([[54, True, 1]], "Ping: Expected `int`"),
            ([[54, -1, 1]], "Ping: Expected `int` >= 0"), ([[1, 1, "", 0, "a"]], "Say: Expected `str` of length >= 1"),
            ([[1, 1, "c", 65_536, "a"]], "Say: Expected `int` <= 65535"),
            ([[32, 1, 0, 0, 0, []]], "ActionMessage: Expected `int` >= 1"),
            ([[32, 1, 1, 0, 0, [[]]]], "ActionMessage: Expected `int | str`"),
            ([[32, 1, 1, 0, 0, [None]]], "ActionMessage: Expected `int | str`"),
            ([[50, "a", 2]], "Join: Expected `int` <= 1"), ([[50, "a", 0, {}, b"1234567"]], "Join: Expected `bytes`"),
            ([[48, []]], "Hello: Expected `array` of length >= 1"),
        ]:  # fmt: skip
            self.assertIn(text, refused(packet))


class LimitTests(SynchronousTestCase):
    """Every bound, just within and just beyond."""

    def test_bytes(self) -> None:
        """A packet that is too big is told so, with the code for it; one that just fits is read."""
        packet = encode_packet([wire.Held(1, 2)])
        size = len(packet)
        self.assertEqual(decode_from_client(packet, Limits(packet_in_bytes=size)), [wire.Held(1, 2)])
        for most in (0, 1, size - 1):
            error = self.assertRaises(PacketError, decode_from_client, packet, Limits(packet_in_bytes=most))
            self.assertEqual((error.code, error.text), (CloseCode.TOO_BIG, f"a packet of {size} bytes; at most {most}"))
        packet = encode_packet([wire.Ack(1, 2, 3)])
        size = len(packet)
        self.assertEqual(len(decode_from_server(packet, Limits(packet_out_bytes=size))), 1)
        error = self.assertRaises(PacketError, decode_from_server, packet, Limits(packet_out_bytes=size - 1))
        self.assertEqual(error.code, CloseCode.TOO_BIG)

    def test_messages(self) -> None:
        """1 to 256 messages in a packet, both ways."""
        self.assertEqual(len(decode_from_client(encode_packet([wire.Lost(1)] * MAX_MESSAGES), LIMITS)), MAX_MESSAGES)
        self.assertEqual(refused([[18, 1]] * (MAX_MESSAGES + 1)), "257 messages in one packet; at most 256")
        self.assertEqual(len(decode_from_server(encode_packet([wire.Ack(1, 1, 1)] * MAX_MESSAGES), LIMITS)), MAX_MESSAGES)
        self.assertIn("at most 256", refused([[33, 1, 1, 1]] * (MAX_MESSAGES + 1), server=True))
        self.assertEqual(len(decode_from_client(encode_packet([wire.Lost(1)]), Limits(packet_messages=1))), 1)

    def test_items(self) -> None:
        """Few bytes cannot become many objects: items are counted, those of maps and lists within too."""
        # The packet, the message, its code, name and role, the map, its key, the list: 8 items, and those of the list.
        packet = cbor2.dumps([[50, "a", 0, {"k": [0] * 12}]])
        self.assertEqual(len(decode_from_client(packet, Limits(packet_items=20))), 1)
        for most in (1, 19):
            error = self.assertRaises(PacketError, decode_from_client, packet, Limits(packet_items=most))
            self.assertEqual(error.text, f"more than {most} items in one packet")
        packet = cbor2.dumps([[50, "a", 0, {f"{key}": 0 for key in range(10)}]])
        self.assertEqual(len(decode_from_client(packet, Limits(packet_items=26))), 1)
        self.assertRaises(PacketError, decode_from_client, packet, Limits(packet_items=25))

    def test_depth(self) -> None:
        """12 deep is read, 13 is not, and a million deep costs nothing."""

        def nested(depth: int) -> bytes:
            # the packet, the message and the map of places are three
            value: Any = 0
            for _ in range(depth - 3):
                value = [value]
            return cbor2.dumps([[50, "a", 0, {"k": value}]])

        self.assertEqual(len(decode_from_client(nested(12), LIMITS)), 1)
        self.assertIn("depth", refused(nested(13)))
        self.assertIn("depth", refused(b"\x81" * 16_000))
        self.assertRaises(PacketError, decode_from_server, b"\x81" * 1_000_000, LIMITS)

    def test_lengths(self) -> None:
        """Texts and lists have bounds of their own."""
        for size, good in ((0, True), (1, True), (128, True), (129, True), (130, False)):
            packet = encode_packet([wire.Join("n" * size)])
            if good:
                self.assertEqual(decode_from_client(packet, LIMITS), [wire.Join("n" * size)])
            else:
                self.assertIn("length <= 129", refused(packet))
        for cid in ("c", "c" * 36):
            self.assertEqual(len(decode_from_client(encode_packet([wire.Say(1, cid, 0, "")]), LIMITS)), 1)
        self.assertIn("length <= 36", refused([[1, 1, "c" * 37, 0, ""]]))
        self.assertEqual(len(decode_from_client(cbor2.dumps([[32, 1, 1, 0, 0, [0] * 64]]), LIMITS)), 1)
        self.assertIn("length <= 64", refused([[32, 1, 1, 0, 0, [0] * 65]]))


#: Plain values of every kind, those that the wire does not have among them.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
CODES = st.sampled_from([*wire.BY_CODE, 5, 58, -1])


class AnyBytesTests(SynchronousTestCase):
    """Whatever comes is messages or a PacketError: a peer cannot make anything else happen."""

    def check(self, data: bytes) -> None:
        """Decode both ways."""
        for decoder in (decode_from_client, decode_from_server):
            try:
                messages = decoder(data, LIMITS)
            except PacketError as error:
                self.assertTrue(error.text)
            else:
                self.assertEqual([message for message in messages if not isinstance(message, Message)], [])

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(st.binary(max_size=64))
    def test_random_bytes(self, data: bytes) -> None:
        """Noise."""
        self.check(data)

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(st.lists(st.tuples(CODES, st.lists(VALUES, max_size=8)), max_size=3))
    def test_random_values(self, packet: list[tuple[int, list[Any]]]) -> None:
        """Well-formed CBOR in the shape of messages, with any values."""
        self.check(cbor2.dumps([[code, *items] for code, items in packet]))

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.sampled_from(SAMPLES), st.integers(0, 200), st.integers(0, 255), st.sampled_from(["change", "add", "cut"]))
    def test_mutated_packets(self, message: Message, place: int, byte: int, how: str) -> None:
        """Good packets with a byte changed, added or cut out."""
        data = bytearray(encode_packet([message]))
        place %= len(data)
        if how == "change":
            data[place] = byte
        elif how == "add":
            data.insert(place, byte)
        else:
            del data[place]
        self.check(bytes(data))


class ShortWayTests(SynchronousTestCase):
    """HELD is read the short way; that makes no difference."""

    def outcome(self, read: Callable[[], list[Message]]) -> object:
        """What comes of reading."""
        try:
            return read()
        except PacketError as error:
            return error.text

    def test_same(self) -> None:
        """Whole packets, cut ones, longer ones and changed ones are read as any packet is."""
        random = Random(7)
        values = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53 - 1]
        for value in values:
            packet = encode_packet([wire.Held(value, values[random.randrange(len(values))])])
            tried = [packet, packet + b"\0", *(packet[:end] for end in range(len(packet)))]
            for _ in range(200):
                changed = bytearray(packet)
                changed[random.randrange(len(packet))] = random.randrange(256)
                tried.append(bytes(changed))
            for data in tried:
                short = self.outcome(partial(decode_from_client, data, LIMITS))
                bounds = wire.FROM_CLIENT, LIMITS.packet_messages, LIMITS.packet_items
                long = self.outcome(partial(codec._decode, data, *bounds, strangers=False))
                self.assertEqual(short, long, data.hex())
