"""Events: said once, after their tick's frame, and kept for those who come back."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import LocalProtocolError
from meteor_net.messages import EventMessage, Frame, Gap, Joined

from ..plain import Alien, Bench, Boom, Buy, Guest, Sea


class Silent(Sea):
    """A game without events."""

    events: ClassVar[Any] = ()


class EventsCase(SynchronousTestCase):
    """A room with two players."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """Make it, with limits."""
        self.bench = Bench(**limits)
        self.ann, self.bob = self.bench.guest("ann"), self.bench.guest("bob")
        self.bench.ticks(1)
        self.room = self.bench.room
        self.ann.read()
        self.bob.read()

    def boom(self, count: int = 1) -> None:
        """So many events, each of a tick of its own."""
        for size in range(1, count + 1):
            self.room.emit(Boom(size=size))
            self.bench.ticks(1)

    def sizes(self, guest: Guest) -> list[int | str]:
        """The sizes of the events that came."""
        return [event.values[0] for event in guest.found(EventMessage)]


class EmitTests(EventsCase):
    """Telling all, or one."""

    def test_all(self) -> None:
        """Everybody hears an event once, with its number and tick, after the frame of that tick."""
        self.room.world.ship.spawn(x=1)
        self.room.emit(Boom(size=5))
        self.assertEqual(self.ann.read(), [])
        self.bench.ticks(1)
        for guest in (self.ann, self.bob):
            frame, event = guest.read()
            assert isinstance(frame, Frame) and isinstance(event, EventMessage)
            self.assertEqual((event.number, event.tick, event.values), (1, 2, [5]))
            self.assertEqual(frame.tick16, 2)
        self.bench.ticks(1)
        self.assertEqual(self.ann.read(), [])

    def test_shared(self) -> None:
        """An event for all is framed once."""
        self.ann.pipe.packed = self.bob.pipe.packed = 0
        self.boom()
        self.assertEqual(self.ann.pipe.packed + self.bob.pipe.packed, 1)

    def test_one(self) -> None:
        """An event for one player has number 0, is not kept, and nobody else hears it."""
        self.ann.player.emit(Boom(size=5))
        self.bench.ticks(1)
        self.assertEqual([event.number for event in self.ann.found(EventMessage)], [0])
        self.assertEqual(self.bob.read(), [])
        self.assertEqual(self.room.events.number, 0)

    def test_one_who_left(self) -> None:
        """An event for somebody who has left meanwhile is dropped."""
        self.ann.player.emit(Boom(size=5))
        self.ann.player.remove("out")
        self.bench.ticks(1)
        self.assertEqual(self.ann.found(EventMessage), [])

    def test_undeclared(self) -> None:
        """An event that the game does not declare is the game's mistake, told where it is made."""
        self.assertRaises(LocalProtocolError, self.room.emit, Alien(size=1))
        self.assertRaises(LocalProtocolError, self.room.emit, Buy(count=1))
        self.assertEqual(self.room.events.number, 0)


class ResumeTests(EventsCase):
    """Coming back."""

    def come_back(self, event: int | None) -> None:
        """Lose the connection, and join again with the number of the last event that was heard."""
        self.ann.lose()
        self.ann.connect()
        named: dict[str, Any] = {} if event is None else {"event": event}
        self.ann.join(epoch=self.room.world.epoch, **named)

    def test_missed(self) -> None:
        """Who comes back gets the events since, once and in order."""
        self.boom()
        self.ann.read()
        self.ann.lose()
        for size in (2, 3):
            self.room.emit(Boom(size=size))
            self.bench.ticks(1)
        self.ann.connect()
        self.ann.join(epoch=self.room.world.epoch, event=1)
        self.assertEqual(self.sizes(self.ann), [2, 3])
        self.bench.ticks(1)
        self.assertEqual(self.sizes(self.ann), [])

    def test_as_many_as_are_kept(self) -> None:
        """As many as are kept can be missed; with one more, it is told that they are gone, and where it stands now."""
        self.begin(room_events=3)
        self.boom(5)
        self.come_back(2)
        self.assertEqual(self.sizes(self.ann), [3, 4, 5])
        self.come_back(1)
        self.assertEqual(self.ann.found(Gap), [Gap(self.room.number, 5)])
        self.come_back(5)
        self.assertEqual(self.sizes(self.ann), [])
        self.come_back(99)
        self.assertEqual([message for message in self.ann.read() if isinstance(message, Gap | EventMessage)], [])

    def test_nothing_is_kept(self) -> None:
        """With a limit of 0 any missed event is a gap."""
        self.begin(room_events=0)
        self.boom()
        self.come_back(0)
        self.assertEqual(self.ann.found(Gap), [Gap(self.room.number, 1)])

    def test_newcomer(self) -> None:
        """Who names no event gets none of before; JOINED tells the number of the newest."""
        self.boom(2)
        self.come_back(None)
        messages = self.ann.read()
        self.assertEqual([message for message in messages if isinstance(message, EventMessage)], [])
        self.assertEqual([message.event for message in messages if isinstance(message, Joined)], [2])

    def test_another_world(self) -> None:
        """Who names an event of another world is told that events were lost, and where this one stands."""
        self.boom(2)
        named: list[dict[str, Any]] = [{"event": 1, "epoch": self.room.world.epoch + 1}, {"event": 1}]
        for places in named:
            self.ann.lose()
            self.ann.connect()
            self.ann.join(**places)
            messages = self.ann.read()
            self.assertIn(Gap(self.room.number, 2), messages)
            self.assertEqual([message for message in messages if isinstance(message, EventMessage)], [])

    def test_another_world_without_events(self) -> None:
        """A game that declares no events has lost none."""
        self.bench = Bench(game=Silent)
        ann = self.bench.guest("ann", event=0, epoch=1)
        self.assertEqual((len(ann.read()), ann.found(Gap)), (3, []))

    def test_between_emit_and_tick(self) -> None:
        """Who joins after an event was emitted, and before its tick, hears it once, though it names the one before."""
        self.ann.lose()
        self.room.emit(Boom(size=1))
        self.ann.connect()
        self.ann.join(epoch=self.room.world.epoch, event=0)
        (joined,) = self.ann.found(Joined)
        self.assertEqual(joined.event, 0)
        self.bench.ticks(1)
        self.assertEqual(self.sizes(self.ann), [1])
