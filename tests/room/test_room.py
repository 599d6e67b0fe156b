"""A room: opening, ticking, closing."""

from __future__ import annotations

from typing import Any

import cbor2
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import Refused
from meteor_net.messages import Ack, Clock, ErrorMessage, Frame, Held, Joined, Left
from meteor_net.requests import OpenChannel
from meteor_net.room import room as room_module

from ..plain import START, Bench, Buy, Gossip, Later, Sea, Steer


class OpeningTests(SynchronousTestCase):
    """From the first JOIN to the first tick."""

    def test_opened_first(self) -> None:
        """The handler is told `opened` before anybody is in, and the shell that the room ticks from now on."""
        bench = Bench()
        bench.guest("ann")
        self.assertEqual(bench.game.told, ["opened", "ann joined"])
        self.assertEqual(bench.opened_rooms, [bench.room])
        self.assertEqual(repr(bench.room), "<Room 'sea/main': 1 players, tick 1>")

    def test_join_while_it_opens(self) -> None:
        """Who comes while the channel or a handler is being waited for gets in when it is open, in order."""
        bench = Bench()
        bench.hold = (OpenChannel,)
        ann, bob = bench.guest("ann"), bench.guest("bob")
        ann.join()  # again: it is in once, and each gets its answer
        bench.ticks(3)
        self.assertEqual((ann.read(), bob.read(), bench.opened_rooms), ([], [], []))
        bench.hold = ()
        bench.release()
        self.assertEqual(bench.game.events_told(), ["opened", "ann joined", "bob joined"])
        self.assertEqual((len(ann.found(Joined)), len(bob.found(Joined))), (2, 1))

    def test_async_opened(self) -> None:
        """Both handlers may take their time."""

        class SlowGossip(Gossip):
            """Opens later."""

            def opened(self) -> Any:
                return Later()

        class SlowSea(Sea):
            """Opens later."""

            def opened(self) -> Any:
                super().opened()
                return Later()

        bench = Bench(SlowSea, SlowGossip)
        ann = bench.guest("ann")
        self.assertEqual(bench.game.told, [])
        bench.release()
        self.assertEqual(bench.game.told, ["opened"])
        bench.release()
        self.assertEqual(bench.game.told, ["opened", "ann joined"])
        self.assertEqual(len(ann.found(Joined)), 1)

    def test_does_not_open(self) -> None:
        """A room that cannot be opened is told to those who wait for it, and to the operator; the next JOIN tries again."""
        bench = Bench()
        bench.hold = (OpenChannel,)
        ann = bench.guest("ann")
        bench.break_()
        self.assertEqual(ann.read(), [ErrorMessage(50, "failed", "room sea/main could not be opened")])
        self.assertEqual(([str(error) for error in bench.errors()], len(bench.lobby)), (["disk full"], 0))
        bench.hold = ()
        ann.join()
        self.assertEqual((len(ann.found(Joined)), bench.room.number), (1, 0))

    def test_handler_does_not_open(self) -> None:
        """So does a handler that raises in `opened`, or refuses."""
        for error in (ZeroDivisionError("oops"), Refused("not today")):

            class Broken(Sea):
                """Does not open."""

                def opened(self, error: Exception = error) -> Any:
                    raise error

            bench = Bench(Broken)
            ann = bench.guest("ann")
            self.assertEqual([message.reason for message in ann.found(ErrorMessage)], ["failed"])
            self.assertEqual((len(bench.lobby), bench.opened_rooms), (0, []))
            self.assertIn("room-failed", [event for event, _, _ in bench.reports])

    def test_nobody_waits_any_more(self) -> None:
        """A room whose visitor is gone before it has opened closes at once, and so does one with a bad JOIN."""
        bench = Bench()
        bench.hold = (OpenChannel,)
        ann = bench.guest("ann")
        game = bench.game
        ann.lose()
        bench.release()
        self.assertEqual((game.events_told(), len(bench.lobby), ann.session.waits_for), (["opened", "closed"], 0, set()))

    def test_waiting_for_another_connection(self) -> None:
        """A JOIN of a connection that is gone is no JOIN of the one that the session has now."""
        bench = Bench()
        bench.hold = (OpenChannel,)
        ann = bench.guest("ann")
        ann.lose()
        ann.connect()
        bench.release()
        self.assertEqual((ann.read(), len(bench.lobby)), ([], 0))


class ClosingTests(SynchronousTestCase):
    """The end."""

    def test_closed_when_empty(self) -> None:
        """When the last has left, the handler is told `closed` once, and there are no more ticks."""
        bench = Bench()
        ann, bob = bench.guest("ann"), bench.guest("bob")
        room, game = bench.room, bench.game
        ann.leave()
        self.assertEqual(len(bench.lobby), 1)
        bob.leave()
        self.assertEqual(len(bench.lobby), 0)
        room.advance(bench.now + 1)
        self.assertEqual(game.told[3:], ["ann left", "bob left", "closed"])
        self.assertTrue(room.is_closed)

    def test_who_is_away_keeps_it(self) -> None:
        """A player who may come back keeps the room."""
        bench = Bench()
        ann = bench.guest("ann")
        ann.lose()
        bench.ticks(2)
        self.assertEqual((len(bench.lobby), bench.room.tick), (1, 3))

    def test_removed_in_an_action(self) -> None:
        """A game that takes out its last player while it takes an input gets no tick after `closed`."""
        bench = Bench()
        ann = bench.guest("ann")
        game = bench.game
        game.answers["steer"] = lambda player: player.remove("out")
        ann.act(Steer(by=1))
        bench.pass_time(0.3)
        self.assertEqual(game.told, ["opened", "ann joined", "ann steers 1", "ann left", "closed"])

    def test_removed_in_a_tick(self) -> None:
        """So does one that does it in a tick, though more ticks are due."""
        bench = Bench()
        bench.guest("ann")
        game = bench.game

        def clear(dt: float) -> None:
            for player in game.room.players:
                player.remove("out")

        game.answers["tick"] = clear
        bench.pass_time(0.3)
        self.assertEqual(game.told, ["opened", "ann joined", "tick", "ann left", "closed"])

    def test_removed_player_does_nothing_more(self) -> None:
        """Who is taken out by another's input takes no input of its own in that tick, and gets no frame."""
        bench = Bench()
        ann, bob = bench.guest("ann"), bench.guest("bob")
        bench.game.answers["steer"] = lambda player: bob.player.remove("out")
        bob_session = bob.session
        ann.act(Steer(by=1))
        bob.act(Steer(by=2))
        bob.read()
        bench.room.world.ship.spawn()
        bench.ticks(2)
        self.assertEqual([type(message) for message in bob.read()], [Left])
        self.assertNotIn("bob steers 2", bench.game.told)
        self.assertNotIn(bob_session, bench.room)


class TickTests(SynchronousTestCase):
    """Time."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """A room of 10 ticks a second."""
        self.bench = Bench(**limits)
        self.ann = self.bench.guest("ann")
        self.room = self.bench.room
        (self.joined,) = self.ann.found(Joined)
        self.bench.game.told.clear()

    def test_in_time(self) -> None:
        """Ticks are numbered from 1, and come when they are due, not before."""
        dts: list[float] = []
        self.bench.game.answers["tick"] = dts.append
        self.assertEqual((self.joined.tick, self.joined.time, self.joined.tick_us), (0, 100_000, 100_000))
        self.assertAlmostEqual(self.room.next_tick_at, START + 0.1)
        self.bench.pass_time(0.09)
        self.assertEqual(self.room.tick, 1)
        self.bench.pass_time(0.01)
        self.bench.pass_time(0.1)
        self.assertEqual((self.room.tick, dts), (3, [0.1, 0.1]))
        self.assertAlmostEqual(self.room.next_tick_at, START + 0.3)

    def test_late(self) -> None:
        """As many late ticks as the limit are caught up, and clients need not know."""
        self.bench.pass_time(0.3)
        self.assertEqual((self.room.tick, self.room.counters["ticks_dropped"]), (4, 0))
        self.assertEqual(self.ann.found(Clock), [])

    def test_too_late(self) -> None:
        """The rest is dropped and counted, and clients are told at what time the tick is now."""
        self.bench.pass_time(0.9)
        self.assertEqual((self.room.tick, self.room.counters["ticks_dropped"]), (4, 6))
        self.assertEqual(self.ann.found(Clock), [Clock(0, 3, 100_900)])
        self.bench.ticks(1)
        self.assertEqual((self.room.tick, self.ann.found(Clock)), (5, []))

    def test_a_limit_of_one(self) -> None:
        """With a limit of 1 one tick is done, however late."""
        self.begin(late_ticks=1)
        self.bench.pass_time(0.5)
        self.assertEqual((self.room.tick, self.room.counters["ticks_dropped"]), (2, 4))

    def test_an_hour_late(self) -> None:
        """A machine that slept for an hour goes on in the present."""
        self.bench.pass_time(3_600.0)
        self.assertEqual(self.room.counters["ticks"], 3)
        self.assertAlmostEqual(self.room.next_tick_at, self.bench.now + 0.1, places=3)

    def test_clock_goes_back(self) -> None:
        """A clock that is put back stops nothing: a tick is done at once, and clients are told the new time."""
        self.bench.ticks(2)
        self.bench.pass_time(-50.0)
        self.assertEqual(self.room.tick, 4)
        self.assertEqual(self.ann.found(Clock), [Clock(0, 3, 50_200)])
        self.bench.ticks(3)
        self.assertEqual(self.room.tick, 7)

    def test_clock_often_enough(self) -> None:
        """A frame's 16 bits of tick are never ambiguous: CLOCK comes though nothing is late."""
        self.patch(room_module, "CLOCK_TICKS", 3)
        self.bench.ticks(7)
        self.assertEqual(self.ann.found(Clock), [Clock(0, 3, 100_300), Clock(0, 6, 100_600)])

    def test_tick_raises(self) -> None:
        """A tick that raises is logged, and the rest of it is done; the next is tried again."""
        self.bench.game.answers["tick"] = ZeroDivisionError("oops")
        self.room.world.ship.spawn()
        self.ann.act(Buy(count=1))
        self.bench.ticks(2)
        self.assertEqual(len(self.bench.errors()), 2)
        self.assertEqual([type(message) for message in self.ann.read()], [Ack, Frame])

    def test_tick_is_awaitable(self) -> None:
        """A tick that answers a coroutine, or anything else to await, is the author's mistake: told once, and not awaited."""

        async def swim() -> None:
            raise AssertionError("nobody awaits a tick")

        for answer in (lambda dt: swim(), lambda dt: Later()):
            self.begin()
            self.bench.game.tick = answer  # type: ignore[method-assign, assignment]
            self.bench.ticks(3)
            (error,) = self.bench.errors()
            self.assertIn("which nobody awaits", str(error))
            self.assertEqual(self.room.asking.errors, 1)

    def test_columns_that_cannot_be_sent(self) -> None:
        """What a handler wrote into a column may stop a commit; it is logged, and the room goes on once it is mended."""
        patched = self.patch(self.room.feed.stream, "commit", lambda tick, check, force: 1 / 0)
        self.bench.ticks(2)
        self.assertEqual([type(error) for error in self.bench.errors()], [ZeroDivisionError] * 2)
        patched.restore()
        self.room.world.ship.spawn()
        self.bench.ticks(1)
        self.assertEqual([frame.tick16 for frame in self.ann.found(Frame)], [3])

    def test_documents_that_cannot_be_sent(self) -> None:
        """A document that is none is told once, with the place; players keep what it was, and all else goes on."""

        class Chess(Sea):
            """A game with a document."""

            documents = ("match",)

        bench = Bench(Chess)
        ann = bench.guest("ann")
        world: Any = bench.room.world
        world.match = {"players": [{"hp": 1}]}
        bench.ticks(1)
        world.match["players"].append({"hp": float("nan")})
        world.ship.spawn()
        bench.ticks(3)
        self.assertEqual([str(error) for error in bench.errors()], ["match['players'][1]['hp']: a number that is not finite"])
        world.match["players"][1]["hp"] = 2
        bench.ticks(1)
        docs = [cbor2.loads(frame.docs) if frame.docs else None for frame in ann.found(Frame)]
        players = [[{"hp": 1}], [{"hp": 1}, {"hp": 2}]]
        self.assertEqual(docs, [{"match": {"players": players[0]}}, None, {"match": {"players": players[1]}}])

    def test_checksum(self) -> None:
        """About once a second a frame carries a checksum, so that a client that drifted notices."""
        ship = self.room.world.ship.spawn()
        marked = []
        for _ in range(20):
            ship.x += 1
            self.bench.ticks(1)
            self.ann.tell(Held(0, self.room.tick - 1))
            marked += [frame.tick16 for frame in self.ann.found(Frame) if frame.data[0] & 1]
        self.assertEqual(marked, [10, 20])

    def test_random(self) -> None:
        """With one seed a room draws the same numbers; each room has its own."""
        again = Bench()
        again.guest("ann")
        again.guest("bob", "other")
        first, second = again.lobby
        drawn = (self.room.random.random(), float(self.room.rng.random()))
        self.assertEqual((first.random.random(), float(first.rng.random())), drawn)
        self.assertNotEqual(second.random.random(), drawn[0])
        self.assertEqual(self.room.world.epoch, first.world.epoch)
