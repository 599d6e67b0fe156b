"""Tests of `meteor_net.session.client`: connections, phases, time and rooms."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.codec import decode_from_client, encode_packet
from meteor_net.errors import LocalProtocolError, RemoteProtocolError
from meteor_net.limits import Limits
from meteor_net.messages import Role
from meteor_net.session import client_values as values
from meteor_net.session.client import WELCOME_S
from meteor_net.session.client_phases import NEXT, Phase, after
from meteor_net.session.client_rooms import JOIN_S, MAX_ROOMS
from meteor_net.state import Schema

from .scripted import CHAT_EPOCH, SCHEMA, Buy, ScriptedServer


class EnteringTests(SynchronousTestCase):
    """From a connection to a room."""

    def test_hello_welcome_join(self) -> None:
        """A client says who it is, then asks for its room; names and ids are the server's."""
        server = ScriptedServer(name="ann", token="secret", client="test 1")
        server.open()
        self.assertEqual(server.said, [wire.Hello([1], "ann", "secret", None, "test 1", ["eg"])])
        server.welcome()
        self.assertEqual(server.found(wire.Join), [wire.Join("a", 0, {}, None)])
        self.assertEqual(server.told, [values.Welcomed("s1", "u1", "Ann", resumed=False)])
        server.say(server.joined())
        self.assertEqual(server.told, [values.JoinedRoom("game/a", fresh=True)])
        self.assertEqual((server.session.user, server.session.name), ("u1", "Ann"))
        self.assertEqual((server.room.name, server.room.number), ("game/a", 3))

    def test_watch(self) -> None:
        """Who wants to watch says so."""
        server = ScriptedServer()
        server.enter()
        server.session.join("b", Role.WATCH)
        server.take()
        self.assertEqual(server.said, [wire.Join("b", 1, {}, None)])

    def test_join_again_is_the_same_room(self) -> None:
        """Joining a room twice asks once."""
        server = ScriptedServer()
        self.assertIs(server.session.join("a"), server.room)

    def test_rooms_are_bounded(self) -> None:
        """Nobody is in more rooms than the limit."""
        server = ScriptedServer()
        for number in range(MAX_ROOMS - 1):
            server.session.join(f"r{number}")
        with self.assertRaises(LocalProtocolError):
            server.session.join("one more")

    def test_refused(self) -> None:
        """A room that does not let us in is told, and is not asked for again."""
        server = ScriptedServer()
        server.open()
        server.welcome()
        server.say(wire.ErrorMessage(50, "room-full", "full"))
        self.assertEqual(server.told, [values.JoinRefused("a", "room-full", "full")])
        server.lose()
        server.open()
        server.welcome()
        self.assertEqual(server.found(wire.Join), [])

    def test_other_refusals(self) -> None:
        """An ERROR about anything but a JOIN that we wait for is handed on."""
        server = ScriptedServer()
        server.enter()
        server.say(wire.ErrorMessage(50, "failed", "?"), wire.ErrorMessage(1, "slow-down", "!"))
        self.assertEqual(
            server.told,
            [
                values.RequestRefused(50, "failed", "?"),
                values.RequestRefused(1, "slow-down", "!"),
            ],
        )

    def test_left_before_in(self) -> None:
        """A room that is no longer wanted when JOINED, or its refusal, comes is left at once."""
        server = ScriptedServer()
        server.open()
        server.welcome()
        server.session.join("b")
        server.session.leave(server.room)
        server.session.leave(server.session.join("b"))
        server.take()
        server.say(server.joined(), wire.ErrorMessage(50, "room-full", ""))
        self.assertEqual(server.said, [wire.Leave(3)])
        self.assertEqual(server.told, [])

    def test_leave(self) -> None:
        """Leaving is asked for, and told when it is done."""
        server = ScriptedServer()
        server.enter()
        server.session.leave(server.room)
        server.take()
        self.assertEqual(server.said, [wire.Leave(3)])
        server.say(wire.Left(3, "left", ""))
        self.assertEqual(server.told, [values.LeftRoom("game/a", "left", "")])
        server.say(wire.Left(3, "left", ""))
        self.assertEqual(server.told, [])

    def test_removed(self) -> None:
        """Whoever is removed hears why, and what was on its way is refused for the same reason."""
        server = ScriptedServer()
        server.enter()
        server.room.act(Buy(count=1))
        server.room.lines.chat.send_message("hello")
        server.say(wire.Left(3, "removed", "bye"))
        self.assertEqual(
            [type(value) for value in server.told],
            [values.ActionRefused, values.LineRefused, values.LeftRoom],
        )

    def test_resume(self) -> None:
        """On another connection the session is taken up, and its places are named."""
        server = ScriptedServer()
        server.enter()
        server.world.ship.spawn(x=1)
        server.say(server.frame(9))
        server.lose()
        self.assertEqual(server.told, [values.Ended(1006, "gone", come_back=True)])
        server.open()
        self.assertEqual(server.found(wire.Hello)[0].resume, "again-s1")
        server.welcome()
        places = {"event": 0, "epoch": 77, "tick": 9, "channels": {"chat": [CHAT_EPOCH, -1]}}
        self.assertEqual(server.found(wire.Join), [wire.Join("a", 0, places, SCHEMA.hash)])
        self.assertTrue(server.found(values.Welcomed)[0].resumed)
        server.say(server.joined(tick=9, schema=None))
        self.assertEqual(server.found(values.JoinedRoom)[0].fresh, False)

    def test_many_rooms_at_once(self) -> None:
        """Messages go to the room that they name."""
        server = ScriptedServer()
        other = server.session.join("b")
        server.open()
        server.welcome()
        channels = [(8, "chat", 5, 0)]
        server.say(server.joined())
        server.say(server.joined(room=4, name="game/b", stream=6, channels=channels))
        server.say(wire.Own(4, [(0, 9)]), wire.History(8, 5, 3, False, []))
        self.assertEqual((server.room.world.rows, other.world.rows), ([(0, 0)], [(0, 9)]))
        self.assertEqual(other.lines.channels[8].held, 2)

    def test_unknown_rooms(self) -> None:
        """What is on its way of a room that we have left is ignored."""
        server = ScriptedServer()
        server.enter()
        server.say(
            wire.Own(9, []),
            wire.Frame(9, 1, 0, b""),
            wire.Said(9, "c", 1),
        )
        self.assertEqual((server.said, server.told), ([], []))


class BrokenServerTests(SynchronousTestCase):
    """Whatever a server sends, nothing is raised, and the connection ends with the right code."""

    def closed(self, server: ScriptedServer) -> int:
        """Give the code that the client closed with, in GOODBYE and for its shell alike."""
        (goodbye,) = server.found(wire.Goodbye)
        (closing,) = server.found(values.Closing)
        self.assertEqual((goodbye.code, goodbye.text), (closing.code, closing.text))
        self.assertIs(server.session.phase, Phase.GONE)
        return int(goodbye.code)

    def test_no_packet(self) -> None:
        """Bytes that are no packet: 4500, and the client stays away."""
        server = ScriptedServer()
        server.open()
        server.session.receive(b"\xff", server.now)
        server.take()
        self.assertEqual(self.closed(server), 4500)
        server.lose(1006)
        self.assertEqual([(e.code, e.come_back) for e in server.told], [(4500, False)])  # type: ignore[attr-defined]

    @given(st.binary(max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_any_bytes(self, data: bytes) -> None:
        """Random bytes never raise."""
        server = ScriptedServer()
        server.enter()
        server.session.receive(data, server.now)
        server.take()

    def test_out_of_phase(self) -> None:
        """A message before its time: 4501."""
        for message in (wire.Clock(1, 1, 1), wire.Joined(1, "", 1, 1, 1, 1, 1, [], b"8" * 8, None, [], 0, 0)):
            server = ScriptedServer()
            server.open()
            server.say(message)
            self.assertEqual(self.closed(server), 4501)

    def test_joined_twice(self) -> None:
        """JOINED that nobody asked for, or with a number that is taken: 4501."""
        server = ScriptedServer()
        server.enter()
        server.say(server.joined())
        self.assertEqual(self.closed(server), 4501)
        server = ScriptedServer()
        server.enter()
        server.session.join("b")
        server.say(server.joined())
        self.assertEqual(self.closed(server), 4501)

    def test_bad_schema(self) -> None:
        """A schema that is none, is missing, or has another hash: 4500; what was known stays."""
        for changes in (
            {"schema": {"tables": 3}},
            {"schema": None},
            {"schema_hash": b"8 bytes."},
        ):
            server = ScriptedServer()
            server.open()
            server.welcome()
            server.say(server.joined(**changes))
            self.assertEqual(self.closed(server), 4500)
            self.assertIsNone(server.room.world.schema)

    def test_nothing_after_the_end(self) -> None:
        """What comes after the end, in the same packet or later, is not heard."""
        server = ScriptedServer()
        server.enter()
        server.say(wire.Goodbye(4000, "restart"), wire.Ping(1, 1))
        self.assertEqual(server.said, [])
        server.say(wire.Ping(1, 1))
        self.assertEqual(server.said, [])
        server.pass_time(100)
        self.assertEqual((server.said, server.told), ([], []))

    def test_absurd_limits(self) -> None:
        """Limits that make no sense leave ours."""
        server = ScriptedServer()
        server.open()
        server.welcome(ping_s=-1.0, line_chars=10**9, packet_in_bytes=0)
        self.assertEqual(server.room.lines.chat.line_chars, 1_000)


class EndTests(SynchronousTestCase):
    """How a conversation ends, and whether the client comes back."""

    def test_goodbye_counts_more_than_the_close(self) -> None:
        """GOODBYE's code decides, for a close code may get lost."""
        for code, again in ((4000, True), (4503, False), (4504, False)):
            server = ScriptedServer()
            server.enter()
            server.say(wire.Goodbye(code, "why"))
            self.assertEqual(server.session.end, (code, "why"))
            server.lose(1006)
            self.assertEqual(server.told, [values.Ended(code, "why", come_back=again)])

    def test_close_by_the_player(self) -> None:
        """A player who goes leaves the rooms, so that the session does not wait for them."""
        server = ScriptedServer()
        server.enter()
        server.session.join("not in yet")
        server.take()
        server.session.close(1000, "done")
        server.take()
        self.assertEqual(server.said, [wire.Leave(3), wire.Goodbye(1000, "done")])
        self.assertEqual(server.told, [values.Closing(1000, "done")])
        server.session.close(1000, "again")
        server.take()
        self.assertEqual(server.said, [])

    def test_silence(self) -> None:
        """A server silent for 45 s is dead; the client comes back."""
        server = ScriptedServer()
        server.enter()
        server.pass_time(44.9)
        self.assertEqual(server.found(values.Closing), [])
        server.pass_time(0.1)
        self.assertEqual([closing.code for closing in server.found(values.Closing)], [4002])

    def test_no_welcome(self) -> None:
        """A server that does not answer HELLO is given up, and tried again."""
        server = ScriptedServer()
        server.open()
        server.pass_time(WELCOME_S - 0.1)
        self.assertEqual(server.told, [])
        server.pass_time(0.1)
        self.assertEqual([closing.code for closing in server.found(values.Closing)], [4003])

    def test_no_answer_to_join(self) -> None:
        """A server that does not answer JOIN is given up; the time begins anew with each JOIN, on each connection."""
        server = ScriptedServer()
        for _ in range(2):
            server.open()
            server.welcome()
            server.pass_time(0.0)
            server.pass_time(JOIN_S - 0.1)
            self.assertEqual(server.found(values.Closing), [])
            server.pass_time(0.1)
            self.assertEqual([closing.code for closing in server.found(values.Closing)], [4002])
            server.lose()

    def test_phases(self) -> None:
        """The table knows every phase, and no message comes before a connection."""
        self.assertEqual(set(NEXT), set(Phase))
        for phase in (Phase.AWAY, Phase.GONE):
            with self.assertRaises(RemoteProtocolError) as caught:
                after(phase, wire.Ping(1, 1))
            self.assertEqual(caught.exception.code, 4501)


class TimeTests(SynchronousTestCase):
    """Heartbeat, stale, and the server's clock."""

    def test_pong_at_once(self) -> None:
        """A ping is answered from the receive call, even before WELCOME."""
        server = ScriptedServer()
        server.open()
        server.say(wire.Ping(7, 1))
        self.assertEqual(server.said, [wire.Pong(7, 100_000)])

    def test_stale(self) -> None:
        """Silence of 1.5 pings shows as stale, sooner in a room with a world; any packet ends it."""
        server = ScriptedServer()
        server.open()
        server.welcome(ping_world_s=2.0, ping_s=10.0)
        server.pass_time(4)
        self.assertEqual(server.found(values.StaleChanged), [])
        server.say(server.joined())
        server.pass_time(2.9)
        self.assertFalse(server.session.stale)
        server.pass_time(0.1)
        self.assertEqual(server.found(values.StaleChanged), [values.StaleChanged(True)])
        server.say(wire.Ping(1, 1))
        self.assertEqual(server.found(values.StaleChanged), [values.StaleChanged(False)])

    def test_stale_without_a_world(self) -> None:
        """A room of talk alone may be silent as long as none."""
        server = ScriptedServer()
        server.open()
        server.welcome(ping_world_s=2.0, ping_s=10.0)
        server.say(server.joined(schema=Schema([]).describe(), schema_hash=Schema([]).hash))
        server.pass_time(14.9)
        self.assertFalse(server.session.stale)
        server.pass_time(0.1)
        self.assertTrue(server.session.stale)

    def test_stale_ends_with_the_connection(self) -> None:
        """A lost connection is no longer stale, it is lost."""
        server = ScriptedServer()
        server.enter()
        server.pass_time(10)
        self.assertTrue(server.session.stale)
        server.lose()
        self.assertFalse(server.session.stale)

    def test_clock(self) -> None:
        """The server's clock is the one of the quickest round trip."""
        server = ScriptedServer()
        server.open()
        server.welcome()
        self.assertEqual(server.session.clock.server_ms(server.now), 1_000_000)
        (ping,) = server.found(wire.Ping)
        server.now += 0.2
        server.say(wire.Pong(ping.number, 2_000_100))
        self.assertAlmostEqual(server.session.clock.round_trip_ms or 0, 200)
        self.assertAlmostEqual(server.session.clock.server_ms(server.now), 2_000_200)
        server.pass_time(0.5)
        (ping,) = server.found(wire.Ping)
        server.now += 1
        server.say(wire.Pong(ping.number, 2_999_999))
        self.assertAlmostEqual(server.session.clock.server_ms(server.now), 2_001_700)
        self.assertAlmostEqual(server.session.counters["round_trip_ms"], 1000)

    def test_pong_that_nobody_asked_for(self) -> None:
        """It changes nothing."""
        server = ScriptedServer()
        server.enter()
        server.say(wire.Pong(999, 5))
        self.assertIsNone(server.session.clock.round_trip_ms)

    def test_pings_slow_down(self) -> None:
        """A few pings soon, so that the clock is right; then one in 5 s; never many unanswered."""
        server = ScriptedServer()
        server.enter()
        server.say(wire.Goodbye(4000, ""))
        server.lose()
        server.enter(schema=None)
        sent = 0
        for _ in range(400):
            server.pass_time(0.1)
            sent += len(server.found(wire.Ping))
        self.assertIn(sent, range(8, 14))
        self.assertLessEqual(len(server.session.clock._sent), 8)


class PacketTests(SynchronousTestCase):
    """What a client sends keeps to the server's limits."""

    def test_split(self) -> None:
        """Many long lines go out in packets that the server takes, in order."""
        server = ScriptedServer()
        server.open()
        server.welcome(packet_in_bytes=4_096, line_chars=900)
        server.say(server.joined())
        before = server.session.counters["packets_out"]
        for number in range(20):
            server.room.lines.chat.send_message(f"{number:03}" + "x" * 897)
        packets, _ = server.session.take()
        self.assertGreater(len(packets), 4)
        self.assertLessEqual(max(map(len, packets)), 4_096)
        self.assertEqual(server.session.counters["packets_out"], before + len(packets))
        said = [message for packet in packets for message in decode_from_client(packet, Limits())]
        self.assertEqual([message.text[:3] for message in said if isinstance(message, wire.Say)],
                         [f"{number:03}" for number in range(20)])  # fmt: skip

    def test_one_message_that_is_too_big(self) -> None:
        """One message is never cut; the server will say what it thinks of it."""
        server = ScriptedServer()
        server.open()
        server.welcome(packet_in_bytes=1_024, line_chars=8_000)
        server.room.lines.chat.send_message("x" * 5_000)
        server.session.receive(encode_packet([server.joined()]), server.now)
        packets, _ = server.session.take()
        self.assertEqual(len(packets), 2)

    def test_ids_come_from_the_given_random(self) -> None:
        """Two sessions with one seed make the same ids."""
        first, second = ScriptedServer(), ScriptedServer()
        self.assertEqual(first.session.new_cid(), second.session.new_cid())
