"""Tests of `meteor_net.session.client_world`: frames, places, clock and events."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.session import client_values as values
from meteor_net.session.client_world import MAX_BAD_KEYFRAMES, READY_S

from .scripted import EPOCH, SCHEMA, Boom, ScriptedServer


def boom(number: int, x: float = 1.0, room: int = 3) -> wire.EventMessage:
    """Make an event."""
    return wire.EventMessage(room, number, 9, 0, Boom(x=x).to_wire())


class FrameTests(SynchronousTestCase):
    """The replica follows the stream."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.enter()
        self.ship = self.server.world.ship.spawn(x=1)

    def test_follow(self) -> None:
        """Each frame brings the replica to its tick, and is told."""
        self.server.say(self.server.frame(9))
        self.ship.x += 5
        self.server.say(self.server.frame(10))
        self.assertEqual(self.server.told, [values.FrameApplied("game/a", 10)])
        replica = self.server.room.world.replica
        assert replica is not None
        self.assertEqual((replica.tick, replica.world.ship[0].x), (10, 6.0))
        self.assertEqual(self.server.room.world.counters["frames"], 2)

    def test_held(self) -> None:
        """HELD is told every half second while frames come, and once more after the last."""
        self.server.say(self.server.frame(9))
        self.assertEqual(self.server.found(wire.Held), [wire.Held(3, 9)])
        self.ship.x += 1
        self.server.now += 0.4
        self.server.say(self.server.frame(10))
        self.assertEqual(self.server.found(wire.Held), [])
        self.server.pass_time(0.1)
        self.assertEqual(self.server.found(wire.Held), [wire.Held(3, 10)])
        self.server.pass_time(5)
        self.assertEqual(self.server.found(wire.Held), [])

    def test_lost(self) -> None:
        """A frame that cannot be applied: LOST, once; steps are ignored until a keyframe comes."""
        self.server.say(self.server.frame(9))
        self.server.say(wire.Frame(5, 10, 8, b"\xff"))
        self.assertEqual(self.server.said, [wire.Lost(3)])
        self.ship.x += 1
        self.server.say(self.server.frame(10))
        self.assertEqual((self.server.said, self.server.told), ([], []))
        self.server._base = None
        self.server.say(self.server.frame(10))
        self.assertEqual(self.server.told, [values.FrameApplied("game/a", 10)])

    def test_lost_and_rejoined(self) -> None:
        """Who has lost the thread names the world, for its events, but no tick of its stream."""
        self.server.say(self.server.frame(9), wire.Frame(5, 10, 8, b"\xff"))
        self.server.lose()
        self.server.open()
        self.server.welcome()
        (join,) = self.server.found(wire.Join)
        self.assertEqual((join.places["epoch"], "tick" in join.places), (EPOCH, False))
        self.server.say(self.server.joined(tick=9, schema=None))
        self.ship.x += 1
        self.server.say(self.server.frame(10))
        self.assertEqual(self.server.found(values.FrameApplied), [values.FrameApplied("game/a", 10)])

    def test_keyframes_that_cannot_be_applied(self) -> None:
        """A server that sends only such is given up."""
        for _ in range(MAX_BAD_KEYFRAMES - 1):
            self.server.say(wire.Frame(5, 10, 0, b"\xff"))
            self.assertEqual(self.server.said, [wire.Lost(3)])
        self.server.say(wire.Frame(5, 10, 0, b"\xff"))
        self.assertEqual([goodbye.code for goodbye in self.server.found(wire.Goodbye)], [4500])

    def test_another_world(self) -> None:
        """Another epoch is another world: the replica begins anew, and it is told."""
        self.server.say(self.server.frame(9))
        before = self.server.room.world.replica
        self.server.lose()
        self.server.open()
        self.server.welcome("s2")
        self.server.say(self.server.joined(epoch=EPOCH + 1, event=4, schema=None))
        self.assertEqual(self.server.told, [values.JoinedRoom("game/a", fresh=True)])
        self.assertIsNot(self.server.room.world.replica, before)
        self.assertEqual(self.server.room.world.event, 4)

    def test_tick_unwrapped(self) -> None:
        """The 16 bits of a frame's tick are those nearest to the tick that CLOCK told."""
        self.server.say(wire.Clock(3, 70_000, 2_000_000))
        self.server.say(self.server.frame(70_001))
        self.assertEqual(self.server.told[0], values.FrameApplied("game/a", 70_001))
        self.assertEqual(self.server.room.world.tick_at(2_000_025), 70_000.5)


class ReadyTests(SynchronousTestCase):
    """When the first picture is there."""

    def setUp(self) -> None:
        self.server = ScriptedServer()

    def pong(self) -> None:
        """Answer the ping that followed JOINED."""
        (ping,) = self.server.found(wire.Ping)
        self.server.say(wire.Pong(ping.number, 1))

    def join(self, tick: int, own: bool = False) -> None:
        """Enter a room whose next frame starts from `tick`, with a row of our own or without."""
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(tick=tick, rows=[(0, 0)] if own else []))

    def test_with_the_first_frame(self) -> None:
        """Once, with the first frame."""
        self.join(5)
        ship = self.server.world.ship.spawn(x=1)
        first = self.server.frame(9)
        ship.x += 1
        self.server.say(first, self.server.frame(10))
        self.assertEqual(self.server.found(values.WorldReady), [values.WorldReady("game/a")])

    def test_untouched(self) -> None:
        """A world that nobody has touched sends no frame: the answer to a ping says so."""
        self.join(0)
        self.pong()
        self.assertEqual(self.server.told, [values.WorldReady("game/a")])

    def test_our_own_row_is_on_its_way(self) -> None:
        """Who has a row is ready once it can be seen."""
        self.join(0, own=True)
        self.pong()
        self.assertEqual(self.server.told, [])

    def test_a_frame_is_on_its_way(self) -> None:
        """A world that has a version is waited for, but not for ever."""
        self.join(5)
        self.pong()
        self.assertEqual(self.server.told, [])
        self.server.pass_time(READY_S)
        self.assertEqual(self.server.found(values.WorldReady), [values.WorldReady("game/a")])

    def test_unchanged_since_we_left(self) -> None:
        """Who comes back into an unchanged world gets no frame, and is ready."""
        self.join(0)
        self.server.world.ship.spawn(x=1)
        self.server.say(self.server.frame(9))
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(tick=9, schema=None))
        self.pong()
        self.assertEqual(self.server.told, [values.WorldReady("game/a")])

    def test_left_meanwhile(self) -> None:
        """A room that was left before the answer came is not ready."""
        self.join(0)
        (ping,) = self.server.found(wire.Ping)
        self.server.say(wire.Left(3, "closed", ""), wire.Pong(ping.number, 1))
        self.assertEqual(self.server.found(values.WorldReady), [])


class EventTests(SynchronousTestCase):
    """Events are heard once, in order, and what is missing is said."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.enter(event=6)

    def test_heard(self) -> None:
        """An event comes with its values, once."""
        self.server.say(boom(7, 2.5), boom(7, 2.5))
        (heard,) = self.server.told
        assert isinstance(heard, values.EventHeard)
        self.assertEqual((heard.room, heard.number, heard.tick, heard.event.x), ("game/a", 7, 9, 2.5))

    def test_hole(self) -> None:
        """A hole in the numbers is a gap."""
        self.server.say(boom(9))
        self.assertEqual(self.server.told[0], values.GapFound("game/a", None))

    def test_gap(self) -> None:
        """GAP says that events are lost, and where to go on."""
        self.server.say(wire.Gap(3, 400), boom(400), boom(401))
        self.assertEqual([type(value) for value in self.server.told], [values.GapFound, values.EventHeard])

    def test_place(self) -> None:
        """The last event heard is named when the room is joined again."""
        self.server.say(boom(7))
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.assertEqual(self.server.found(wire.Join)[0].places["event"], 7)

    def test_unknown(self) -> None:
        """An event that the schema does not have, or with other values, ends the connection."""
        for message in (
            wire.EventMessage(3, 7, 9, 1, []),
            wire.EventMessage(3, 7, 9, 0, ["text"]),
        ):
            server = ScriptedServer()
            server.enter()
            server.say(message)
            self.assertEqual([goodbye.code for goodbye in server.found(wire.Goodbye)], [4500])

    def test_schema_is_shared(self) -> None:
        """The client's schema is the one that the server told, hash and all."""
        schema = self.server.room.world.schema
        assert schema is not None
        self.assertEqual(schema.hash, SCHEMA.hash)
