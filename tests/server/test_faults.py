"""What peers do wrong: each mistake has its documented end, and the neighbour in the same room notices nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import cbor2
from twisted.logger import LogLevel, globalLogPublisher

from meteor_net.codec import encode_packet
from meteor_net.errors import CloseCode
from meteor_net.limits import Limits
from meteor_net.messages import (
    ActionMessage,
    ErrorMessage,
    Goodbye,
    Held,
    Hello,
    Join,
    Joined,
    Leave,
    Ping,
    Pong,
    RefusedMessage,
    Say,
    Unsaid,
    Welcome,
)
from tests.server.harbour import HarbourCase
from tests.server.stranger import BINARY, CLOSE, TEXT, Stranger
from tests.server.stranger import PING as PING_FRAME
from tests.server.stranger import PONG as PONG_FRAME

HELLO = encode_packet([Hello([1], "stranger")])
PING = [54, 1, 0]


def nested(depth: int) -> bytes:
    """Make an array in an array, and so on."""
    return b"\x81" * depth + b"\x00"


class BytesTests(HarbourCase):
    """Bytes that are no packet (wire page, clauses 1 to 3)."""

    def ends(self, do: Callable[[Stranger], object], code: int, why: str = "") -> None:
        """Have a stranger that is in the room do something; it is told why, and closed with the code."""
        stranger = self.inside()
        self.assertEqual(stranger.found(Joined)[0].room, self.room.number)
        do(stranger)
        self.advance(0.2)
        self.assertEqual((stranger.goodbye, stranger.closed_with, stranger.lost), (code, code, True), why)
        self.assertIn(why, stranger.found(Goodbye)[0].text)

    def all_end(self, packets: Iterable[tuple[bytes, str]], code: int = CloseCode.BAD_PACKET) -> None:
        """Each packet ends its sender's connection with the code, and a text that says what was wrong."""
        for packet, why in packets:
            self.ends(lambda stranger, packet=packet: stranger.packet(packet), code, why)  # type: ignore[misc]
        self.check_neighbour()

    def test_not_well_formed(self) -> None:
        """What CBOR, or our part of it, does not allow ends with 4500 and says what it was."""
        self.all_end(
            [
                (b"", "not well-formed"),
                (HELLO[:-3], "not well-formed"),
                (HELLO + b"\x00", "bytes follow it"),
                (b"\xff", "not well-formed"),
                (b"\x9f\x82\x18\x36\x00\xff", "not well-formed"),
                (nested(13), "not well-formed"),
                (nested(10_000), "not well-formed"),
                (b"\x9b\x00\x00\x01\x00\x00\x00\x00\x00", "not well-formed"),
                (b"\xc1" + HELLO, "a tag"),
                (b"\xd9\xd9\xf7" + HELLO, "a tag"),
                (cbor2.dumps([[50, "", 0, {"a": 1}]]).replace(b"\xa1\x61a\x01", b"\xa2\x61a\x01\x61a\x02"), "uplicate"),
            ]
        )

    def test_not_messages(self) -> None:
        """Well-formed values that are no list of messages end with 4500."""
        self.all_end(
            [
                (cbor2.dumps([]), "at least one message"),
                (cbor2.dumps(7), "at least one message"),
                (cbor2.dumps({"a": 1}), "at least one message"),
                (cbor2.dumps([7]), "begins with its code"),
                (cbor2.dumps([[]]), "begins with its code"),
                (cbor2.dumps([["54", 1, 0]]), "begins with its code"),
                (cbor2.dumps([PING] * 257), "257 messages"),
                (cbor2.dumps([[50, "", 0, {"channels": {str(n): [n] * 40 for n in range(100)}}]]), "more than 4096 items"),
                (cbor2.dumps([[54, 2**53, 0]]), "beyond 2^53"),
                (cbor2.dumps([[54, 2**80, 0]]), "a tag"),
                (cbor2.dumps([[32, 0, 1, 0, 0, [float("nan")]]]), "not finite"),
                (cbor2.dumps([[32, 0, 1, 0, 0, [cbor2.undefined]]]), "does not have"),
                (cbor2.dumps([[50, "", 0, {1: 2}]]), "key that is not text"),
            ]
        )

    def test_wrong_fields(self) -> None:
        """A message whose fields have wrong types or ranges ends with 4500, and the text names it."""
        self.all_end(
            [
                (cbor2.dumps([[54]]), "Ping"),
                (cbor2.dumps([[54, "1", 0]]), "Ping"),
                (cbor2.dumps([[54, -1, 0]]), "Ping"),
                (cbor2.dumps([[1, 0, "", 0, "hello"]]), "Say"),
                (cbor2.dumps([[1, 0, "c" * 37, 0, "hello"]]), "Say"),
                (cbor2.dumps([[50, "r" * 130]]), "Join"),
                (cbor2.dumps([[32, 0, 0, 0, 0, []]]), "ActionMessage"),
                (cbor2.dumps([[32, 0, 1, 0, 0, [0] * 65]]), "ActionMessage"),
            ]
        )

    def test_unknown_kinds(self) -> None:
        """A code that the server does not know, or that only servers say, ends with 4500."""
        self.all_end(
            (cbor2.dumps([[code, 0, 0, 0]]), f"no message of code {code}") for code in (6, 15, 16, 49, 51, 58, 255, 4_000_000)
        )

    def test_random_bytes(self) -> None:
        """Whatever bytes come, the answer is a close with 4500, never an error on the server."""
        random = Random(7)
        for _ in range(40):
            stranger = self.known()
            stranger.packet(random.randbytes(random.randint(1, 200)))
            self.advance(0.1)
            self.assertEqual((stranger.goodbye, stranger.closed_with), (4500, 4500))
        self.assertEqual(self.server.host.counters["error"], 0)
        self.check_neighbour()

    def test_broken_packets(self) -> None:
        """A packet in which some bits were turned either still is one, or ends with 4500 or 4501."""
        random = Random(8)
        packet = encode_packet([Say(0, "c1", 0, "hello"), Held(0, 3), ActionMessage(0, 1, 0, 0, [1])])
        for _ in range(60):
            broken = bytearray(packet)
            for _ in range(random.randint(1, 4)):
                broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
            stranger = self.inside(f"s{len(self.frames)}")
            stranger.packet(bytes(broken))
            self.advance(0.1)
            self.assertIn(stranger.goodbye, (None, 4500, 4501))
            stranger.say(Goodbye(1000, ""))
            self.advance(0.1)
        self.assertEqual(self.server.host.counters["error"], 0)
        self.check_neighbour()

    def test_oversized(self) -> None:
        """A packet above the limit ends with 1009, in one frame or in many, before it is all there."""
        most = Limits().packet_in_bytes
        for do in (
            lambda stranger: stranger.packet(bytes(most + 1)),
            lambda stranger: stranger.packet(bytes(1_000_000)),
            lambda stranger: [stranger.frame(BINARY * (not n), bytes(4_000), final=False) for n in range(5)],
            lambda stranger: [stranger.frame(BINARY * (not n), b"", final=False) for n in range(100)],
        ):
            stranger = self.inside()
            do(stranger)
            self.advance(0.2)
            self.assertEqual((stranger.closed_with, stranger.lost), (1009, True))
        self.check_neighbour()

    def test_largest(self) -> None:
        """A packet of just the limit is taken."""
        stranger = self.known()
        packet = cbor2.dumps([[54, 1, 0, "x" * (Limits().packet_in_bytes - 9)]])
        self.assertEqual(len(packet), Limits().packet_in_bytes)
        stranger.packet(packet)
        self.advance(0.1)
        self.assertEqual(stranger.found(Pong)[0].number, 1)

    def test_text_frame(self) -> None:
        """A text message ends with 1003 (clause 1.2)."""
        self.ends(lambda stranger: stranger.frame(TEXT, b"hello"), 1003)
        self.check_neighbour()

    def test_wrong_websocket(self) -> None:
        """Frames that WebSocket does not allow end the connection, as RFC 6455 has it."""
        for do, code in (
            (lambda stranger: stranger.frame(3, b""), 1002),
            (lambda stranger: stranger.frame(TEXT, b"\xff"), 1007),
            (lambda stranger: stranger.transport.write(b"\x82\x01x"), 1002),
            (lambda stranger: stranger.frame(0, b"go on"), 1002),
        ):
            stranger = self.inside()
            do(stranger)
            self.advance(0.2)
            self.assertEqual((stranger.goodbye, stranger.closed_with, stranger.lost), (code, code, True))
        self.check_neighbour()

    def test_quiet(self) -> None:
        """What a peer does wrong is one line of the log, and none of Autobahn's above debug."""
        told: list[dict[str, Any]] = []
        observer: Any = told.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        stranger = self.inside()
        del told[:]
        stranger.frame(3, b"")
        stranger.transport.loseConnection()
        self.advance(0.2)
        lines = [event["names"] for event in told if event["log_level"] > LogLevel.debug]
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("code=1002", lines[0])
        self.assertIn("player=stranger", lines[1])

    def test_further_items(self) -> None:
        """Items at the end of a message that this version does not know are ignored (clause 3.2)."""
        stranger = self.known()
        stranger.packet(cbor2.dumps([[*PING, "of a later version", {}]]))
        self.advance(0.1)
        self.assertEqual(stranger.found(Pong)[0].number, 1)


class PhaseTests(HarbourCase):
    """Who says what when (wire page, clause 4)."""

    def test_before_hello(self) -> None:
        """Whatever comes before HELLO ends with 4501."""
        for message in (Join(""), Ping(1, 0), Leave(0), Say(0, "c", 0, "hi"), ActionMessage(0, 1, 0, 0, []), Held(0, 1)):
            stranger = self.stranger()
            stranger.say(message)
            self.advance(0.1)
            self.assertEqual((stranger.goodbye, stranger.closed_with), (4501, 4501))
        self.check_neighbour()

    def test_hello_twice(self) -> None:
        """So does a second HELLO."""
        stranger = self.known()
        stranger.hello()
        self.advance(0.1)
        self.assertEqual((stranger.goodbye, stranger.closed_with), (4501, 4501))

    def test_in_a_hurry(self) -> None:
        """More in the packet of HELLO is not waited for: guests are known at once, and it counts."""
        stranger = self.stranger()
        stranger.say(Hello([1], "stranger"), Ping(3, 0))
        self.advance(0.1)
        self.assertEqual([type(message) for message in stranger.heard][:2], [Welcome, Pong])

    def test_no_hello(self) -> None:
        """Without a HELLO within 5 s: 4003; then without an answer to the close, the end by force."""
        stranger = self.stranger()
        stranger.answers = False
        self.advance(4.5)
        self.assertIsNone(stranger.goodbye)
        self.advance(0.6)
        self.assertEqual((stranger.goodbye, stranger.closed_with, stranger.lost), (4003, 4003, False))
        self.advance(6)
        self.assertTrue(stranger.lost)
        self.check_neighbour()

    def test_half_an_upgrade(self) -> None:
        """Who does not even finish asking for the upgrade is cut after 5 s."""
        stranger = self.stranger(Host="10.0.0.1\r\nX: ")
        slow = self.stranger(Sec_WebSocket_Key=None, Upgrade=None, Connection="keep-alive")
        self.assertEqual((stranger.status, slow.status), (101, 426))
        self.advance(40)
        self.assertTrue(slow.lost)

    def test_wrong_version(self) -> None:
        """No version in common: 4502."""
        stranger = self.stranger()
        stranger.say(Hello([2, 3]))
        self.advance(0.1)
        self.assertEqual((stranger.goodbye, stranger.closed_with), (4502, 4502))

    def test_wrong_subprotocol(self) -> None:
        """Other subprotocols only: 4502; none at all will do."""
        stranger = self.stranger(Sec_WebSocket_Protocol="chat, meteor.v9")
        self.assertEqual((stranger.status, stranger.goodbye, stranger.closed_with), (101, 4502, 4502))
        stranger = self.stranger(Sec_WebSocket_Protocol=None)
        stranger.hello()
        self.advance(0.1)
        self.assertEqual(len(stranger.found(Welcome)), 1)

    def test_names(self) -> None:
        """A name too long is no HELLO (4500); one with control characters is not let in (4503); blanks become a guest's."""
        for name, code in (("n" * 65, 4500), ("a\nb", 4503), ("a\u2028b", 4503)):
            stranger = self.stranger()
            stranger.packet(cbor2.dumps([[48, [1], name]]))
            self.advance(0.1)
            self.assertEqual((stranger.goodbye, stranger.closed_with), (code, code))
        for blank in ("   ", "", None):
            stranger = self.known(blank)
            self.assertEqual(stranger.found(Welcome)[0].name[:6], "guest-")
        self.assertEqual(self.known("n" * 64).found(Welcome)[0].name, "n" * 64)

    def test_token_without_a_secret(self) -> None:
        """A server for guests does not look at tokens, and a resume token that is none is ignored."""
        stranger = self.stranger()
        stranger.hello(token="x" * 200, resume="y" * 64)
        self.advance(0.1)
        self.assertEqual(stranger.found(Welcome)[0].name, "stranger")


class RoomTests(HarbourCase):
    """Requests that are refused: the connection goes on (wire page, clause 4.6)."""

    def refused(self, room: str, reason: str, stranger: Stranger | None = None) -> None:
        """The JOIN is answered by ERROR, and a PING by PONG."""
        stranger = stranger or self.known()
        stranger.join(room)
        stranger.say(Ping(99, 0))
        self.advance(0.2)
        (error,) = stranger.found(ErrorMessage)
        self.assertEqual((error.about, error.reason), (50, reason))
        self.assertEqual(stranger.found(Pong)[0].number, 99)
        self.check_neighbour()

    def test_full(self) -> None:
        """A room that is full turns players away, and lets those in who watch."""
        self.inside("two")
        self.inside("three")
        self.refused("", "room-full")
        watcher = self.known()
        watcher.join(role=1)
        self.advance(0.2)
        self.assertEqual(len(watcher.found(Joined)), 1)

    def test_unknown(self) -> None:
        """A game that is not there."""
        self.refused("chess/a", "unknown-room")

    def test_bad_names(self) -> None:
        """A room's name that is too long, or none."""
        for name in ("r" * 65, "harbour/" + "r" * 65, "a\x07b", "harbour/ "):
            self.refused(name, "bad-name")

    def test_handler_refuses(self) -> None:
        """A game that does not let somebody in; the room is as it was."""
        self.refused("", "refused", self.known("pirate"))
        self.assertEqual([player.name for player in self.room.players], ["neighbour"])

    def test_too_many_rooms(self) -> None:
        """A session is in 8 rooms at most."""
        stranger = self.known()
        for number in range(9):
            stranger.join(f"room{number}")
        self.advance(0.2)
        self.assertEqual(len(stranger.found(Joined)), 8)
        self.assertEqual(stranger.found(ErrorMessage)[0].reason, "too-many-rooms")
        for number in range(8):
            stranger.say(Leave(stranger.found(Joined)[number].room))
        self.advance(0.2)
        self.assertEqual(len(self.server.host.lobby), 1)
        self.check_neighbour()

    def test_not_there(self) -> None:
        """What is said to a room or channel that one is not in is refused, or ignored."""
        stranger = self.known()
        stranger.say(ActionMessage(self.room.number, 1, 0, 0, [1]), Say(0, "c", 0, "hi"), Held(7, 1), Leave(7))
        self.advance(0.1)
        self.assertEqual(stranger.found(RefusedMessage)[0].reason, "not-here")
        self.assertEqual(stranger.found(Unsaid)[0].reason, "refused")
        self.check_neighbour()

    def test_bad_actions(self) -> None:
        """An action that there is not, or with wrong values, is refused; the next one is taken."""
        stranger = self.inside()
        room = self.room.number
        wrong: list[tuple[int, list[int | str]]] = [(7, []), (0, []), (0, [2]), (0, ["1"]), (1, [5]), (1, [0, 0])]
        for seq, (kind, values) in enumerate(wrong, 1):
            stranger.say(ActionMessage(room, seq, 0, kind, values))
        self.advance(0.2)
        self.assertEqual([refused.reason for refused in stranger.found(RefusedMessage)], ["bad-action"] * 6)
        stranger.say(ActionMessage(room, 7, 0, 0, [1]))
        self.advance(0.2)
        self.assertEqual(self.neighbour.world.ship[1].x, 101)
        self.check_neighbour()

    def test_bad_lines(self) -> None:
        """Lines that are empty, too long, of a kind that players do not say, or in another's place, are refused."""
        stranger = self.inside()
        channel = stranger.found(Joined)[0].channels[0][0]
        inbox = stranger.found(Joined)[0].channels[1][0]
        for cid, (where, kind, text) in enumerate(
            [
                (channel, 0, "  "),
                (channel, 0, "x" * 1001),
                (channel, 0, "a\x00b"),
                (channel, 1, "I am the server"),
                (inbox, 0, "hi"),
            ]
        ):
            stranger.say(Say(where, str(cid), kind, text))
        self.advance(0.2)
        self.assertEqual([unsaid.reason for unsaid in stranger.found(Unsaid)], ["bad-text"] * 4 + ["refused"])
        self.assertEqual(self.neighbour.lines, [])
        self.check_neighbour()


class DoorTests(HarbourCase):
    """Whom the server does not even upgrade (wire page, clause 1.5)."""

    def test_origins(self) -> None:
        """A page of another origin, of none, or over another scheme's port gets a 403; the server's own gets in."""
        for origin, status in (
            ("http://10.0.0.1", 101),
            (None, 101),
            ("null", 403),
            ("https://evil.example", 403),
            ("http://10.0.0.1.evil.example", 403),
            ("http://10.0.0.1:8080", 403),
            ("file://", 403),
            ("", 403),
        ):
            self.assertEqual(self.stranger(Origin=origin).status, status, origin)
        self.check_neighbour()

    def test_hosts(self) -> None:
        """A name that is not the server's gets a 403, so that no name elsewhere can be made to mean it."""
        for host, status in (("10.0.0.1:80", 101), ("evil.example", 403), ("", 403), (None, 403)):
            self.assertEqual(self.stranger(Host=host).status, status, host)

    def test_no_websocket(self) -> None:
        """What asks for no upgrade is told that here is a WebSocket; a version of it that nobody speaks is refused."""
        self.assertEqual(self.stranger(Upgrade=None).status, 426)
        self.assertEqual(self.stranger(Sec_WebSocket_Version="12").status, 400)

    def test_too_many(self) -> None:
        """Above the server's number of connections: 503, and nothing is kept of it."""
        self.server.host.limits = Limits(connections=2)
        self.assertEqual(self.known().status, 101)
        self.assertEqual(self.stranger().status, 503)
        self.check_neighbour()


class FloodTests(HarbourCase):
    """Too much of it."""

    def test_messages(self) -> None:
        """Too many messages are dropped and said so; for too long, and it is the end: 4506."""
        stranger = self.inside()
        for _ in range(20):
            stranger.packet(cbor2.dumps([PING] * 120))
            self.advance(0.05)
        self.assertEqual(stranger.found(ErrorMessage)[0].reason, "slow-down")
        self.assertLess(len(stranger.found(Pong)), 700)  # of 2,400
        self.assertEqual(stranger.goodbye, 4506)
        self.check_neighbour()

    def test_pings(self) -> None:
        """WebSocket's own pings and pongs count as messages: answered as far as that goes, and for too long it is the end."""
        for opcode in (PING_FRAME, PONG_FRAME):
            stranger = self.inside()
            for _ in range(20):
                for _ in range(120):
                    stranger.frame(opcode, b"x")
                self.advance(0.05)
            self.assertEqual((stranger.goodbye, stranger.lost), (4506, True))
        self.check_neighbour()

    def test_pings_without_reading(self) -> None:
        """A peer that asks, and does not read our answers, makes us keep no more of them than one packet's worth."""
        stranger = self.inside()
        stranger.transport.pauseProducing()
        most = 0
        for _ in range(30 * 60):
            for _ in range(60):
                stranger.frame(PING_FRAME, bytes(125))
            self.advance(0.5)
            most = max(most, self.network.wire("stranger").unsent_bytes)
        self.assertLess(most, 128 * 1024)
        self.check_neighbour()

    def test_late_frames(self) -> None:
        """Who goes on after our close is not listened to, and cut."""
        for opcode in (BINARY, PING_FRAME, PONG_FRAME):
            stranger = self.inside()
            stranger.answers = False
            stranger.frame(TEXT, b"hello")
            self.advance(0.1)
            for _ in range(300):
                stranger.frame(opcode, b"x")
            self.advance(0.2)
            self.assertEqual((stranger.closed_with, stranger.lost), (1003, True))
        self.check_neighbour()

    def test_joins(self) -> None:
        """Each JOIN reads a history: after 16 at once they are refused, the connection goes on, and later is in time."""
        stranger = self.inside()
        for _ in range(20):
            stranger.join()
        self.advance(0.2)
        self.assertEqual(len(stranger.found(Joined)), 16)
        self.assertEqual([error.reason for error in stranger.found(ErrorMessage)], ["slow-down"] * 5)
        self.advance(1.0)
        stranger.join()
        self.advance(0.2)
        self.assertEqual(len(stranger.found(Joined)), 17)
        self.check_neighbour()

    def test_closes_twice(self) -> None:
        """Frames after a close are nobody's."""
        stranger = self.inside()
        stranger.frame(CLOSE, b"\x03\xe8")
        stranger.packet(HELLO)
        stranger.frame(CLOSE, b"\x03\xe8")
        self.advance(0.2)
        self.assertTrue(stranger.lost)
        self.assertNotIn("stranger", [player.name for player in self.room.players])
        self.check_neighbour()
