"""Connections come and go, handlers fail, servers stop: who loses what, and how it goes on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from twisted.internet.defer import Deferred, succeed

from meteor_net import Fixed, Game, Refused, Table
from meteor_net.errors import CloseCode, LocalProtocolError
from meteor_net.limits import Limits
from meteor_net.messages import Joined, Ping, Welcome
from meteor_net.server import host as host_module
from meteor_net.server.auth import Guests
from meteor_net.session.outbox import Lane
from meteor_net.testing import GameTestCase
from tests.server.harbour import Buy, Harbour, HarbourCase, Horn, Steer


class HandlerTests(HarbourCase):
    """A handler hurts its own event only."""

    def test_raises(self) -> None:
        """The player is told that it failed, the log has room and player; the next event is taken."""
        ann = self.player("ann")
        error = self.assertRaises(Refused, ann.act, Buy(what="storm"))
        self.assertEqual((error.reason, error.text), ("failed", "this failed on the server"))
        (failure,) = self.flushLoggedErrors()
        self.assertEqual(str(failure.value), "the shelf fell over")
        self.assertIn("buy", failure.getTraceback())
        self.assertEqual(self.server.host.counters["error"], 1)
        self.assertEqual(ann.act(Buy(what="bottle")), "a bottle")
        self.check_neighbour()

    def test_refuses(self) -> None:
        """A refusal is told to that player only, and is no error."""
        ann = self.player("ann")
        self.assertEqual(self.assertRaises(Refused, ann.act, Buy(what="sail")).text, "no sails today")
        self.check_neighbour()

    def test_deferred(self) -> None:
        """A Deferred is awaited; that player's later events keep their order behind it, others go on."""
        ann, bob = self.player("ann"), self.player("bob")
        slow, quick = ann.game.act(Buy(what="fog")), ann.game.act(Buy(what="calm"))
        assert slow is not None and quick is not None
        answers: list[Any] = []
        slow.addCallback(answers.append)
        quick.addCallback(answers.append)
        self.advance(1.0)
        self.assertEqual(bob.act(Buy(what="bottle")), "a bottle")
        self.assertEqual(answers, [])
        self.room.asked.callback({"seen": True})  # type: ignore[attr-defined]
        self.advance(0.2)
        self.assertEqual(answers, [{"seen": True}, "a calm"])
        self.check_neighbour()

    def test_deferred_fails(self) -> None:
        """One that fails is that event's failure."""
        ann = self.player("ann")
        answer = ann.game.act(Buy(what="fog"))
        assert answer is not None
        self.advance(0.1)
        self.room.asked.errback(ValueError("lost in the fog"))  # type: ignore[attr-defined]
        self.assertEqual(self.assertRaises(Refused, self.wait, answer).reason, "failed")
        self.assertEqual([str(error) for error in self.flush_errors(ValueError)], ["lost in the fog"])
        self.check_neighbour()

    def test_deferred_takes_too_long(self) -> None:
        """One that never fires is given up after 5 s."""
        ann = self.player("ann")
        answer = ann.game.act(Buy(what="fog"))
        assert answer is not None
        self.assertIn("longer than 5 s", self.assertRaises(Refused, self.wait, answer).text)
        self.assertEqual(ann.act(Buy(what="calm")), "a calm")
        self.check_neighbour()

    def test_deferred_behind_another(self) -> None:
        """So is one that has fired, but waits for another one that a callback of its own answered."""
        ann = self.player("ann")
        self.patch(Harbour, "buy", lambda game, player, buy: succeed(None).addCallback(lambda _: Deferred()))
        answer = ann.game.act(Buy(what="fog"))
        assert answer is not None
        self.assertIn("longer than 5 s", self.assertRaises(Refused, self.wait, answer).text)
        self.check_neighbour()

    def test_nobody_knows_who(self) -> None:
        """An authenticator that answers no Identity, now or later, is logged, and its peer told 1011."""
        for answer in (None, succeed(("ann", "ann"))):
            self.patch(Guests, "authenticate", lambda *_, answer=answer: answer)
            stranger = self.known()
            self.assertEqual((stranger.goodbye, stranger.lost), (CloseCode.INTERNAL, True))
            self.assertEqual(len(self.flush_errors(TypeError)), 1)
        self.check_neighbour()

    def test_heartbeat_goes_on(self) -> None:
        """An error in looking after one session is logged, and the others are looked after."""
        self.patch(host_module, "beat", lambda host, session, now: 1 / 0)
        self.advance(1.0)
        self.assertEqual(len(self.flush_errors(ZeroDivisionError)), 1)

    def test_nothing_to_encode(self) -> None:
        """What cannot be encoded costs the connection of whom it was for; ticks go on."""
        stranger = self.inside()
        self.room.players[1].session.put(Lane.CONTROL, Ping(1, object()))  # type: ignore[arg-type]
        self.advance(0.2)
        self.assertEqual(stranger.closed_with, CloseCode.INTERNAL)
        self.assertEqual(len(self.flush_errors(LocalProtocolError)), 1)
        self.check_neighbour()

    def test_events_and_lines(self) -> None:
        """An event comes once, after its tick's frame; a line to all, its sender included."""
        ann = self.player("ann")
        ann.act(Buy(what="bottle"))
        ann.say("ahoy")
        self.advance(0.2)
        self.assertEqual(self.neighbour.events, [Horn(x=100)])
        self.assertEqual((ann.events, ann.lines), ([Horn(x=100)], ["ahoy"]))
        self.assertEqual(self.neighbour.lines, ["ahoy"])
        self.check_neighbour()


class LossTests(HarbourCase):
    """A connection is lost, and the player comes back, or does not."""

    def told(self, name: str) -> list[str]:
        """What the game was told of a player."""
        return [text.removeprefix(f"{name} ") for text in self.room.game.told if text.startswith(f"{name} ")]

    def test_comes_back(self) -> None:
        """Cut: away; by itself back, on the same row, in the present, with the lines and events said meanwhile."""
        ann = self.player("ann")
        row, user = self.room.players[1].row, ann.game.user
        ann.network.cut(3.0)
        self.advance(1.0)
        self.assertEqual(self.told("ann"), ["joined", "away"])
        self.assertIn("reconnecting in 1 s", ann.statuses)
        self.assertFalse(self.room.players[1].online)
        self.neighbour.say("where is ann?")
        self.neighbour.act(Buy(what="bottle"))
        self.neighbour.act(Steer(thrust=True))
        self.advance(10.0)
        self.assertEqual(self.told("ann"), ["joined", "away", "back"])
        self.assertEqual((ann.status, ann.game.user, ann.gaps), ("online", user, []))
        self.assertTrue(row.alive)
        self.assertEqual((ann.me.slot, ann.me.name), (row.slot, "ann"))
        self.assertEqual((ann.lines, ann.events), (["where is ann?"], [Horn(x=100)]))
        self.assertEqual(ann.world.tide[0].height, self.neighbour.world.tide[0].height)
        self.assertEqual(ann.world.ship[0].x, 101)
        self.check_neighbour()

    def test_does_not_come_back(self) -> None:
        """Away for 30 s: left, and the row is gone; who comes later is somebody new."""
        ann = self.player("ann")
        ann.network.cut(60.0)
        self.advance(29.0)
        self.assertEqual(self.told("ann"), ["joined", "away"])
        self.advance(3.0)
        self.assertEqual(self.told("ann"), ["joined", "away", "left"])
        self.assertEqual(len(self.room.world.ship), 1)
        self.advance(60.0)
        self.assertEqual(self.told("ann"), ["joined", "away", "left", "joined"])
        self.assertEqual(ann.status, "online")
        self.check_neighbour()

    def test_in_no_room(self) -> None:
        """Who is in no room has nothing to come back to: lost is gone, and the resume token worth nothing."""
        stranger = self.known()
        resume = stranger.found(Welcome)[0].resume
        self.network.wire("stranger").cut()
        stranger.transport.abortConnection()
        self.advance(0.2)
        self.assertEqual(len(self.server.host.registry), 1)
        self.assertIsNone(self.server.host.registry.resume(resume))

    def test_too_many_away(self) -> None:
        """Above the limit of those who are away, who went first is gone for good."""
        self.server.host.limits = Limits(away_sessions=1)
        ann, bob = self.inside("ann"), self.inside("bob")
        for stranger in (ann, bob):
            stranger.transport.abortConnection()
            self.advance(0.2)
        self.assertEqual((self.told("ann"), self.told("bob")), (["joined", "away", "left"], ["joined", "away"]))
        self.check_neighbour()

    def test_says_goodbye(self) -> None:
        """Who leaves is gone at once; an empty room is closed."""
        ann = self.player("ann")
        ann.leave()
        self.assertEqual(self.told("ann"), ["joined", "left"])
        self.assertEqual(ann.status, "offline")
        self.check_neighbour()
        self.neighbour.leave()
        self.assertEqual((len(self.server.host.lobby), len(self.server.host.registry)), (0, 0))

    def test_actions_are_applied_once(self) -> None:
        """An action whose answer was lost with the connection is applied once; its player hears it when it is back."""
        ann = self.player("ann")
        ann.network.stall(way="in")
        answer = ann.game.act(Buy(what="bottle"))
        assert answer is not None
        self.advance(0.1)
        ann.network.cut()
        ann.network.flow()
        self.assertEqual(self.wait(answer), "a bottle")
        self.assertEqual(len(self.neighbour.events), 1)
        self.check_neighbour()

    def test_lines_are_said_once(self) -> None:
        """A line that was under way is said once; one that is said meanwhile goes out later."""
        ann = self.player("ann")
        ann.network.stall(way="in")
        first = ann.game.say("first")
        self.advance(0.1)
        ann.network.cut(1.0)
        ann.network.flow()
        self.advance(0.1)
        second = ann.game.say("second")
        self.assertEqual(self.wait(second) - self.wait(first), 1)
        self.assertEqual(self.neighbour.lines, ["first", "second"])
        self.assertEqual(ann.lines, ["first", "second"])
        self.check_neighbour()

    def test_two_connections(self) -> None:
        """A session that is taken up on another connection leaves the first, which is told 4504."""
        first = self.inside()
        second = self.stranger()
        second.hello(resume=first.found(Welcome)[0].resume)
        self.advance(0.1)
        self.assertEqual(second.found(Welcome)[0].session, first.found(Welcome)[0].session)
        self.assertEqual((first.goodbye, first.closed_with), (CloseCode.REPLACED, CloseCode.REPLACED))
        second.join()
        self.advance(0.1)
        self.assertEqual(len(second.found(Joined)), 1)
        self.assertEqual(self.told("stranger"), ["joined", "away", "back"])
        self.check_neighbour()

    def test_resume_token_is_good_once(self) -> None:
        """Once the next one was shown to have come, a resume token is worth nothing."""
        first = self.inside()
        second = self.stranger()
        second.hello(resume=first.found(Welcome)[0].resume)
        self.advance(0.1)
        second.say(Ping(1, 0))
        self.advance(0.1)
        thief = self.stranger()
        thief.hello(resume=first.found(Welcome)[0].resume)
        self.advance(0.1)
        self.assertNotEqual(thief.found(Welcome)[0].session, first.found(Welcome)[0].session)
        self.assertIsNone(second.closed_with)


class SilenceTests(HarbourCase):
    """The heartbeat, both ways (wire page, clause 5)."""

    def test_server_pings(self) -> None:
        """A peer that says nothing is asked; its answer keeps it alive, and measures the round trip."""
        stranger = self.inside()
        self.advance(120)
        self.assertGreaterEqual(len(stranger.found(Ping)), 8)
        self.assertIsNone(stranger.closed_with)
        self.assertAlmostEqual(self.room.players[1].round_trip_ms, 40.0, places=3)
        self.check_neighbour()

    def test_silent_peer(self) -> None:
        """One that does not answer is dead after 45 s: away, and its connection is cut."""
        stranger = self.inside()
        stranger.answers = False
        self.advance(44)
        self.assertFalse(stranger.lost)
        self.advance(3)
        self.assertTrue(stranger.lost)
        self.assertEqual(self.room.game.told[-1], "stranger away")
        self.check_neighbour()

    def test_lost_cable(self) -> None:
        """Nothing arrives, and nobody is told: both ends find out by themselves, and it goes on when they can."""
        ann = self.player("ann")
        ann.network.stall(60.0)
        self.advance(4.0)
        self.assertEqual(ann.status, "stale")
        self.advance(48.0)
        self.assertEqual(self.room.game.told[-1], "ann away")
        self.assertTrue(ann.status.startswith("reconnecting"), ann.status)
        self.advance(30.0)
        self.assertEqual(ann.status, "online")
        self.assertEqual(self.room.game.told[-1], "ann back")
        self.check_neighbour()

    def test_short_stall(self) -> None:
        """A stall of some seconds costs nothing but those: nothing is lost, and no frame is old."""
        ann = self.player("ann")
        ann.network.stall(5.0)
        self.neighbour.say("hello?")
        self.advance(5.2)
        self.assertEqual(ann.world.tide[0].height, self.neighbour.world.tide[0].height)
        self.assertEqual((ann.lines, ann.status), (["hello?"], "online"))
        self.assertEqual(ann.statuses, ["connecting", "online", "stale", "online"])
        self.check_neighbour()

    def test_clocks(self) -> None:
        """A client knows the round trip, and what tick the room is at now."""
        self.advance(2.0)
        self.assertAlmostEqual(self.neighbour.game.round_trip_ms or 0, 40.0, places=3)
        self.assertLess(abs(self.neighbour.game.tick_now() - self.room.tick), 1.01)


class RestartTests(HarbourCase):
    """The server stops, and is there again."""

    def test_stop(self) -> None:
        """Peers are told 4000, and closed; who does not read is cut after 5 s; who comes meanwhile is not taken."""
        stranger, deaf = self.inside(), self.inside("deaf")
        deaf.answers = False
        stopped = self.server.stop()
        self.advance(0.3)
        self.assertEqual((stranger.goodbye, stranger.closed_with, stranger.lost), (4000, 4000, True))
        self.assertFalse(stopped.called)
        self.wait(stopped)
        self.advance(0.1)
        self.assertTrue(deaf.lost)

    def test_comes_back(self) -> None:
        """Players come back by themselves, see the world again, and are told that earlier chat is gone."""
        self.neighbour.say("before")
        self.stop_server()
        self.advance(2.0)
        self.assertTrue(self.neighbour.status.startswith("reconnecting"), self.neighbour.status)
        self.start_server()
        self.advance(20.0)
        self.assertEqual(self.neighbour.status, "online")
        self.assertEqual(self.neighbour.gaps, [None, self.room.name])
        self.assertEqual(self.neighbour.me.name, "neighbour")
        self.assertGreater(self.neighbour.world.tide[0].height, 0)
        self.neighbour.say("after")
        self.advance(0.1)
        self.assertEqual(self.neighbour.lines, ["before", "after"])
        self.assertEqual([line.text for line in self.neighbour.game.chat.message_history], ["after"])

    def test_nothing_is_left(self) -> None:
        """After the stop no timer of the server's is left."""
        self.wait(self.neighbour.game.disconnect())
        self.stop_server()
        self.advance(10.0)
        self.assertEqual(list(self.network.clock.getDelayedCalls()), [])


class Mote(Table):
    """One of many."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=4096, wrap=True)


class Storm(Game):
    """Frames of 20 kB and more."""

    tables = (Mote,)

    def opened(self) -> None:
        for _ in range(6_000):
            self.world.mote.spawn()

    def tick(self, dt: float) -> None:
        motes = self.world.mote
        motes.x += self.rng.uniform(-100, 100, len(motes))
        motes.y += self.rng.uniform(-100, 100, len(motes))


class SlowReaderTests(GameTestCase):
    """Somebody stops reading."""

    game = Storm

    def test_stops_reading(self) -> None:
        """It is skipped, costs little here and nobody's tick, and gets one frame that brings it to the present."""
        ann, bob = self.player("ann"), self.player("bob")
        frames: list[int] = []
        bobs: list[int] = []
        ann.game.on("frame", frames.append)
        bob.game.on("frame", bobs.append)
        self.advance(1.0)
        self.assertGreater(ann.game.report().totals["session"]["bytes_in"] / len(frames), 20_000)
        ann.network.stall(20.0, way="in")
        most = 0
        for _ in range(190):
            self.advance(0.1)
            most = max(most, ann.network.unsent_bytes)
            self.assertGreaterEqual(bobs[-1] + 2, self.room.tick)
        self.assertGreater(most, 0)
        self.assertLess(most, 256 * 1024)
        del frames[:]
        self.advance(1.5)
        self.assertEqual(ann.status, "online")
        np.testing.assert_array_equal(ann.world.mote.x, bob.world.mote.x)
        gaps = [later - earlier for earlier, later in pairwise(frames)]
        self.assertEqual([gap for gap in gaps if gap > 1], [max(gaps)])
        self.assertGreater(max(gaps), 300)
