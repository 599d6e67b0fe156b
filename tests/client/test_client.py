"""Tests of `meteor_net.client.client`: a player against a server in memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorCore
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from meteor_net import messages as wire
from meteor_net.client import NetworkClient, connect
from meteor_net.client import ticks as ticks_module
from meteor_net.client.answers import Answers
from meteor_net.client.ticks import Ticks
from meteor_net.errors import ConfigError, ConnectionFailed, LocalProtocolError, Refused
from meteor_net.session import client_values as values
from meteor_net.state import Version

from ..session.scripted import CHAT_EPOCH, Boom, Buy, Steer
from .memory import MemoryServer


class ClientCase(SynchronousTestCase):
    """A client that is in its room."""

    def setUp(self) -> None:
        self.server = MemoryServer()
        self.game = self.server.client()
        self.enter()

    def enter(self) -> None:
        """Connect."""
        joined = self.game.connect()
        self.server.run()
        self.assertIs(self.successResultOf(joined), self.game)

    def heard(self, kind: str) -> list[Any]:
        """Hear something, from now on."""
        heard: list[Any] = []
        self.game.on(kind, lambda *what: heard.append(what if len(what) > 1 else what[0]))
        return heard


class ConnectTests(SynchronousTestCase):
    """Nothing is opened before `connect()`, and what comes of it is told."""

    def setUp(self) -> None:
        self.server = MemoryServer()

    def test_nothing_before(self) -> None:
        """Making a client opens nothing, starts no timer, and it says so."""
        game = self.server.client()
        self.assertEqual((self.server.attempts, self.server.clock.getDelayedCalls()), ([], []))
        self.assertEqual((game.status, game.me, game.rows), ("offline", None, []))
        for ask in (lambda: game.world, lambda: game.schema, lambda: game.state_sync, game.show):
            with self.assertRaises(LocalProtocolError):
                ask()

    def test_connect(self) -> None:
        """It fires once there is a picture of the world."""
        game = self.server.client(name="ann", token="t")
        statuses: list[str] = []
        game.on("status", statuses.append)
        joined = game.connect()
        self.assertNoResult(joined)
        self.server.run()
        self.assertIs(self.successResultOf(joined), game)
        self.assertEqual(statuses, ["connecting", "online"])
        self.assertEqual((game.room, game.name, game.user), ("game/a", "Ann", "u1"))
        self.assertEqual((game.world.ship[0].x, game.me.x), (1.0, 1.0))
        self.assertEqual(game.schema.action("Steer").__name__, "Steer")
        hello = self.server.found(wire.Hello)[0]
        self.assertEqual((hello.name, hello.token), ("ann", "t"))

    def test_twice(self) -> None:
        """A client that is connected, or connecting, is not connected again."""
        game = self.server.client()
        game.connect()
        self.failureResultOf(game.connect(), LocalProtocolError)

    def test_nobody_there(self) -> None:
        """Without a server it tries until its patience ends, then says why it failed."""
        self.server.refuse = True
        game = self.server.client(connect_s=3)
        joined = game.connect()
        self.server.run(3.1)
        failure = self.failureResultOf(joined, ConnectionFailed)
        text = failure.getErrorMessage()
        self.assertIn("no connection to ws://memory:80/ws within 3 s", text)
        self.assertIn("refused", text)
        self.assertGreater(len(self.server.attempts), 1)
        self.assertEqual(game.status, f"offline: {text}")
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_comes_up_meanwhile(self) -> None:
        """A server that comes up within the patience is found."""
        self.server.refuse = True
        game = self.server.client()
        joined = game.connect()
        self.server.run(1)
        self.server.refuse = False
        self.server.run(3)
        self.successResultOf(joined)

    def test_deaf(self) -> None:
        """A server that accepts and says nothing is given up; nothing is left behind."""
        self.server.deaf = True
        game = self.server.client(connect_s=2)
        joined = game.connect()
        self.server.run(2)
        self.failureResultOf(joined, ConnectionFailed)
        self.server.deaf = False
        self.server.run(6)
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_sent_away(self) -> None:
        """A server that sends us away is believed at once."""
        self.server.answers[wire.Hello] = lambda _: [wire.Goodbye(4503, "bad token")]
        game = self.server.client()
        joined = game.connect()
        self.server.run()
        self.server.socket.sendClose(4503, "bad token")
        self.server.run(10)
        failure = self.failureResultOf(joined, ConnectionFailed)
        self.assertEqual((failure.value.code, str(failure.value)), (4503, "bad token"))
        self.assertEqual((game.status, len(self.server.attempts)), ("offline: bad token", 1))

    def test_sent_away_and_cut(self) -> None:
        """What GOODBYE says counts, however the connection ends then: no other transport is tried at a server that said no."""
        game = self.server.client(connect_s=30)
        joined = game.connect()
        self.server.answers[wire.Hello] = lambda hello: []
        self.server.run()
        self.server.cut()  # looks like a WebSocket that is blocked
        self.server.answers[wire.Hello] = lambda hello: [wire.Goodbye(4503, "not you")]
        self.server.run(1)
        self.server.cut()
        self.assertEqual(self.failureResultOf(joined, ConnectionFailed).value.code, 4503)
        self.assertEqual((game.status, len(self.server.attempts)), ("offline: not you", 2))

    def test_room_full(self) -> None:
        """A room that does not let us in is told as Refused; the connection is closed."""
        self.server.answers[wire.Join] = lambda _: [wire.ErrorMessage(50, "room-full", "64 play")]
        game = self.server.client()
        joined = game.connect()
        self.server.run(6)
        failure = self.failureResultOf(joined, Refused)
        self.assertEqual((failure.value.reason, failure.value.text), ("room-full", "64 play"))
        self.assertEqual([code for code, _ in self.server.closes], [1000])
        self.server.answers[wire.Join] = self.server._joined
        joined = game.connect()
        self.server.run()
        self.successResultOf(joined)

    def test_wrong_subprotocol(self) -> None:
        """A WebSocket server that speaks something else is no server of ours."""
        self.server.subprotocol = None
        game = self.server.client()
        joined = game.connect()
        self.server.run(6)
        failure = self.failureResultOf(joined, ConnectionFailed)
        self.assertEqual(failure.value.code, 4502)

    def test_cancel(self) -> None:
        """Cancelling the Deferred ends the attempt."""
        game = self.server.client()
        joined = game.connect()
        joined.cancel()
        self.server.run(6)
        self.failureResultOf(joined)
        self.assertTrue(game.status.startswith("offline"))

    def test_bad_trust_root(self) -> None:
        """A trust root without a certificate fails before anything is opened."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("nothing")
        options = {"endpoint": None, "trust_root": path, "reactor": MemoryReactorClock()}
        game = self.server.client(url="wss://memory", **options)
        self.failureResultOf(game.connect(), ConfigError)
        self.assertTrue(game.status.startswith("offline: trust_root"))

    def test_short_form(self) -> None:
        """`async with connect(...)` is in the room inside, and out after."""

        async def play() -> tuple[str, str]:
            config = self.server.config()
            options = {name: getattr(config, name) for name in ("reactor", "random", "endpoint")}
            async with connect("ws://memory", room="a", **options) as game:
                inside = game.status
            return inside, game.status

        played = ensureDeferred(play())
        self.server.run(6)
        self.assertEqual(self.successResultOf(played), ("online", "offline"))


class DisconnectTests(ClientCase):
    """Leaving for good."""

    def test_disconnect(self) -> None:
        """The room is left, goodbye is said, and the Deferred fires when the connection is gone."""
        gone = self.game.disconnect()
        self.server.run()
        self.assertIsNone(self.successResultOf(gone))
        self.assertEqual(len(self.server.found(wire.Leave)), 1)
        self.assertEqual([each.code for each in self.server.found(wire.Goodbye)], [1000])
        self.assertEqual(self.game.status, "offline")
        self.server.run(60)
        self.assertEqual((len(self.server.attempts), self.server.clock.getDelayedCalls()), (1, []))
        self.assertIsNone(self.successResultOf(self.game.disconnect()))

    def test_while_waiting(self) -> None:
        """A client that waits to reconnect can be stopped too."""
        self.server.refuse = True
        self.server.cut()
        self.assertIsNone(self.successResultOf(self.game.disconnect()))
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_from_within_a_hearer(self) -> None:
        """What is said from within a hearer arrives before the end."""

        def last_word(tick: int) -> None:
            self.game.act(Steer(turn=1))
            self.game.disconnect()

        self.game.on("frame", last_word)
        self.server.step(2)
        self.assertEqual(len(self.server.found(wire.ActionMessage)), 1)
        self.assertEqual(len(self.server.found(wire.Leave)), 1)

    def test_from_within_a_hearer_of_what_lets_us_in(self) -> None:
        """Who goes at a line that comes with JOINED is gone, whatever else that packet brings; and may come again."""
        self.game.disconnect()
        joined = self.server.answers[wire.Join]
        line = [0, 5, 6, 0, "u2", "Bob", "hi", "c0", -1, "", [], None, 0, []]

        def with_a_line(join: wire.Join) -> list[wire.Message]:
            told, frame, _ = joined(join)
            return [told, wire.History(7, CHAT_EPOCH, 1, False, [line]), frame]

        self.server.answers[wire.Join] = with_a_line
        self.game.on("line", lambda line: self.game.disconnect())
        entering = self.game.connect()
        self.server.run(1)
        self.failureResultOf(entering, ConnectionFailed)
        self.assertEqual(self.game.status, "offline")
        self.game.off()
        self.server.answers[wire.Join] = joined
        self.enter()

    def test_what_waited_is_not_done_later(self) -> None:
        """What had no answer when the player went has failed: it is not done when the player comes again."""
        self.server.refuse = True
        self.server.cut()
        unsaid = self.heard("unsaid")
        bought, said = self.game.act(Buy(count=3)), self.game.say("never mind")
        assert bought is not None
        failures: list[Failure] = []
        for each in (bought, said):
            each.addErrback(failures.append)
        self.game.disconnect()
        self.assertEqual([failure.type for failure in failures], [ConnectionFailed] * 2)
        self.assertEqual([reason for _, reason, _ in unsaid], ["left"])
        self.server.refuse = False
        self.enter()
        self.server.run(1)
        self.assertEqual(self.server.found(wire.ActionMessage) + self.server.found(wire.Say), [])

    def test_answers_that_nobody_waits_for(self) -> None:
        """Who goes without waiting for answers is not bothered with them; who waits is told."""
        self.server.answers[wire.Say] = lambda say: []
        self.game.say("bye")
        waited = self.game.say("bye!")
        heard: list[ConnectionFailed] = []

        def hear(failure: Failure) -> int:
            heard.append(failure.value)  # type: ignore[arg-type]
            return 0

        waited.addErrback(hear)
        self.game.disconnect()
        self.assertEqual([error.code for error in heard], [1000])

    def test_a_server_that_does_not_answer_the_close(self) -> None:
        """It is closed by force."""
        self.server.deaf = True
        gone = self.game.disconnect()
        self.server.run(5.1)
        self.server.deaf = False
        self.server.run()
        self.successResultOf(gone)


class ReconnectTests(ClientCase):
    """Coming back by itself."""

    def test_cut(self) -> None:
        """A cut connection comes back, to the same session, with the places held."""
        statuses = self.heard("status")
        self.server.cut()
        self.assertEqual(statuses, ["reconnecting in 1 s"])
        self.server.run(2)
        self.assertEqual(statuses[-1], "online")
        self.assertEqual(self.server.found(wire.Hello)[-1].resume, "again")
        self.assertEqual(self.server.found(wire.Join)[-1].places["tick"], 1)
        self.assertEqual(self.game._link.manager.counters["lost"], 1)

    def test_backoff(self) -> None:
        """The first attempt is quick, later ones are further and further apart, at most 8 s."""
        self.server.refuse = True
        self.server.cut()
        self.server.run(120)
        attempts = [0.0, *self.server.attempts[1:]]
        waits = [later - sooner for sooner, later in pairwise(attempts)]
        self.assertLess(waits[0], 0.6)
        for number, wait in enumerate(waits):
            self.assertLess(wait, min(8, 0.5 * 2**number) + 0.1)
        self.assertGreater(max(waits), 5)
        self.assertEqual(self.game._link.manager.reconnect_attempts, len(attempts))
        self.server.refuse = False
        self.server.run(8.1)
        self.assertIn(self.game.status, ("online", "stale"))
        self.server.run(5)
        self.assertEqual(self.game._link.manager.reconnect_attempts, 0)

    def test_same_seed_same_waits(self) -> None:
        """The jitter comes from the given source alone."""
        times = []
        for _ in range(2):
            server = MemoryServer()
            server.refuse = True
            server.client(connect_s=60).connect().addErrback(lambda _: None)
            server.run(30)
            times.append(server.attempts)
        self.assertEqual(*times)

    def test_restart(self) -> None:
        """A server that restarts is found again; that the world is another is seen."""
        self.server.close(4000, "back soon")
        self.server.session, self.server.epoch = "s2", 1
        self.server.run(2)
        self.assertEqual(self.game.status, "online")

    def test_replaced(self) -> None:
        """A session that was taken up elsewhere is not taken back."""
        left = self.heard("left")
        self.server.close(4504, "taken up elsewhere")
        self.server.run(30)
        self.assertEqual(self.game.status, "offline: taken up elsewhere")
        self.assertEqual((len(self.server.attempts), left), (1, []))

    def test_broken_server(self) -> None:
        """A server that does not speak our language is left, for good."""
        self.server.socket.sendMessage(b"\xff", isBinary=True)
        self.server.run(6)
        self.assertIn("offline: not well-formed CBOR", self.game.status)
        self.assertEqual(self.server.closes[-1][0], 4500)

    def test_text_message(self) -> None:
        """Text is refused with 1003; RFC 6455 lets an application say 1000 only."""
        self.server.socket.sendMessage(b"hello", isBinary=False)
        self.server.run(6)
        self.assertIn("text message", self.game.status)

    def test_stale(self) -> None:
        """A silent server shows as stale, and as online when it is heard again."""
        statuses = self.heard("status")
        self.server.deaf = True
        self.server.run(4)
        self.server.deaf = False
        self.server.run(1)
        self.assertEqual(statuses, ["stale", "online"])

    def test_dead(self) -> None:
        """A server that is silent for 45 s is given up, without waiting for its goodbye, and tried again."""
        statuses = self.heard("status")
        self.server.deaf = True
        self.server.run(45.5)
        self.assertEqual(statuses, ["stale", "reconnecting in 1 s"])
        self.server.run(5.5)
        self.server.deaf = False
        self.server.run(3)
        self.assertEqual(self.game.status, "online")


class HearingTests(ClientCase):
    """What a player hears and sees."""

    def test_frame(self) -> None:
        """The world is the newest one; `frame` tells its tick; `state_sync` holds the versions."""
        ticks = self.heard("frame")
        self.server.step(2)
        self.server.step(3)
        self.assertEqual((ticks, self.game.world.ship[0].x), ([2, 3], 3.0))
        sync = self.game.state_sync
        last = sync.last_state
        assert isinstance(last, Version)
        self.assertEqual((last.tick, sync.update_rate), (3, 20.0))

    def test_show(self) -> None:
        """What is drawn lies between two ticks, an interval behind; our row is found in it, and actions name its tick."""
        for tick in range(2, 12):
            self.server.run(0.05)
            self.server.step(tick)
        self.assertEqual((self.game.me.x, self.game.state_sync.shown), (11.0, 0.0))
        self.game.act(Steer(turn=0.5))
        for part in (0.0, 0.2, 0.8):
            self.server.clock.advance(part * 0.05)
            seen = self.game.show()
            self.assertAlmostEqual(seen.ship[0].x, 10.0 + part * (1 if part < 0.5 else 1.25))
            self.assertAlmostEqual(self.game.rows_in(seen)[0].x, seen.ship[0].x)
            self.assertAlmostEqual(seen.tick, seen.ship[0].x)
        self.assertEqual(self.game.world.ship[0].x, 11.0)
        self.game.act(Steer(turn=0.5))
        self.server.run()
        self.assertEqual([action.seen for action in self.server.found(wire.ActionMessage)], [88, 88])

    def test_show_without_a_world(self) -> None:
        """Before the first frame there is an empty world to draw."""
        self.server.answers[wire.Join] = lambda join: self.server._joined(join)[:1]
        game = self.server.client()
        game.connect().addErrback(lambda _: None)
        self.server.run()
        self.assertEqual((len(game.show().ship), game.rows_in(game.show())), (0, []))

    def test_update_rate_outlives_a_world(self) -> None:
        """What the player asked for is kept when the server begins anew; in the same world all is shown from the present on."""
        self.game.state_sync.update_rate = 10
        before = self.game.state_sync
        for tick in range(2, 12):
            self.server.run(0.05)
            self.server.step(tick)
        self.game.show()
        self.server.cut()
        self.server.run(20)
        self.assertEqual(len(self.server.attempts), 2)
        self.assertIs(self.game.state_sync, before)
        self.assertEqual(self.game.show().ship[0].x, 11.0)
        self.server.epoch += 1
        self.server.cut()
        self.server.run(20)
        self.assertIsNot(self.game.state_sync, before)
        self.assertEqual(self.game.state_sync.update_rate, 10)

    def test_lines(self) -> None:
        """Players' lines and notices are told apart, and both are in the history."""
        lines, notices = self.heard("line"), self.heard("notice")
        self.server.say(wire.Line(7, 0, 1, 1, 0, "u2", "Bob", "hi"))
        self.server.say(wire.Line(7, 1, 1, 1, 1, "", "", "Bob has come"))
        self.server.run()
        self.assertEqual([line.text for line in lines], ["hi"])
        self.assertEqual([line.text for line in notices], ["Bob has come"])
        self.assertEqual(len(self.game.chat.message_history), 2)

    def test_event_and_gap(self) -> None:
        """Events come as the game's values; what is missing is said."""
        events, gaps = self.heard("event"), self.heard("gap")
        self.server.say(wire.EventMessage(3, 1, 1, 0, Boom(x=2).to_wire()), wire.Gap(3, 9))
        self.server.run()
        self.assertEqual(([event.x for event in events], gaps), ([2.0], [None]))

    def test_left(self) -> None:
        """A player who is removed is told, and stays out."""
        left = self.heard("left")
        self.server.say(wire.Left(3, "removed", "be nice"))
        self.server.run(30)
        self.assertEqual(left, [("removed", "be nice")])
        self.assertEqual(self.game.status, "offline: be nice")
        self.assertEqual(len(self.server.attempts), 1)

    def test_decorator_and_unknown_kind(self) -> None:
        """`@game.on("frame")` does too; an unknown kind is refused with those there are."""
        ticks: list[int] = []

        @self.game.on("frame")  # type: ignore[untyped-decorator]
        def hear(tick: int) -> None:
            ticks.append(tick)

        self.server.step(2)
        self.assertEqual(ticks, [2])
        with self.assertRaisesRegex(ValueError, "'moon'.*line.*left"):
            self.game.on("moon", print)

    def test_rows_that_are_not_there(self) -> None:
        """A row of ours that is gone, or that the server made up, is left out."""
        self.server.say(wire.Own(3, [(0, 0), (0, 7), (9, 0)]))
        self.server.run()
        self.assertEqual([row.x for row in self.game.rows], [1.0])

    def test_time(self) -> None:
        """Round trip and the room's tick by the server's clock."""
        self.assertIsNotNone(self.game.round_trip_ms)
        self.assertAlmostEqual(self.game.tick_now(), 1.0)
        self.assertEqual(self.game.tick_s, 0.05)

    def test_report(self) -> None:
        """The report has the counters of all parts."""
        report = self.game.report()
        self.assertEqual(set(report.totals), {"session", "world", "chat", "connection", "errors"})
        self.assertEqual(report.totals["connection"]["opened"], 1)

    def test_a_packet_that_we_fail_at(self) -> None:
        """A bug of ours is logged and ends the connection; it is not swallowed."""
        self.game._link._tell = None  # type: ignore[assignment]
        self.server.step(2)
        self.server.run(6)
        self.assertNotEqual(self.flushLoggedErrors(TypeError), [])
        self.assertEqual((self.server.closes[-1][0], len(self.server.attempts)), (1000, 1))


class DoingTests(ClientCase):
    """What a player does, and what comes back."""

    def test_input(self) -> None:
        """An input is sent, and not answered."""
        self.assertIsNone(self.game.act(Steer(turn=0.5)))
        self.assertIsNone(self.game.act("Steer", turn=0.5))
        self.server.run()
        sent = self.server.found(wire.ActionMessage)
        self.assertEqual([each.values for each in sent], [[96], [96]])

    def test_action(self) -> None:
        """An action's Deferred gives the handler's answer, or Refused."""
        self.server.answers[wire.ActionMessage] = lambda action: [
            wire.Result(3, action.seq, "paid")
            if action.values == [1]
            else wire.RefusedMessage(3, action.seq, "poor", "no money")
        ]
        paid, refused = self.game.act(Buy(count=1)), self.game.act(Buy(count=2))
        assert paid is not None and refused is not None
        self.server.run()
        self.assertEqual(self.successResultOf(paid), "paid")
        self.assertEqual(self.failureResultOf(refused, Refused).value.reason, "poor")

    def test_too_many(self) -> None:
        """Too many at once are refused here."""
        answers = [self.game.act(Buy(count=1)) for _ in range(257)]
        assert answers[-1] is not None
        self.failureResultOf(answers[-1], Refused)
        self.game.disconnect()

    def test_say(self) -> None:
        """A line's Deferred gives its offset, or Refused, here or by the server."""
        kept = self.game.say("hello")
        self.server.run()
        self.assertEqual(self.successResultOf(kept), 0)
        self.assertEqual(self.game.chat.message_history[-1].text, "hello")
        self.server.answers[wire.Say] = lambda say: [wire.Unsaid(7, say.cid, "refused", "mute")]
        refused = self.game.say("hello?")
        self.server.run()
        self.assertEqual(self.failureResultOf(refused, Refused).value.text, "mute")
        self.failureResultOf(self.game.say(""), Refused)

    def test_say_through_the_chat(self) -> None:
        """A line said through `game.chat` goes out at once."""
        self.game.chat.send_message("hello")
        self.server.run()
        self.assertEqual([say.text for say in self.server.found(wire.Say)], ["hello"])

    def test_say_while_away(self) -> None:
        """What is said while the connection is away goes out when it is back."""
        self.server.cut()
        kept = self.game.say("still here")
        self.server.run(2)
        self.assertEqual(self.successResultOf(kept), 0)

    def test_the_end(self) -> None:
        """Who waits for an answer when the server sends us away gets the reason."""
        self.server.answers[wire.Say] = lambda say: []
        kept = self.game.say("hello")
        self.server.close(4505, "out")
        self.assertEqual(self.failureResultOf(kept, ConnectionFailed).value.code, 4505)


class TickTests(ClientCase):
    """`async for tick in game.ticks()`."""

    def setUp(self) -> None:
        super().setUp()
        self.seen: list[int] = []
        self.gate: Deferred[None] | None = None

    async def follow(self, game: NetworkClient) -> str:
        """Note all ticks; wait in the loop where there is a gate."""
        async for tick in game.ticks():
            self.seen.append(tick)
            if self.gate is not None:
                await self.gate
        return "done"

    def test_frames(self) -> None:
        """Each frame is a tick; it ends with the client."""
        done = ensureDeferred(self.follow(self.game))
        for tick in (2, 3, 4):
            self.server.step(tick)
        self.assertEqual(self.seen, [2, 3, 4])
        self.game.disconnect()
        self.assertEqual(self.successResultOf(done), "done")
        self.assertEqual(self.successResultOf(ensureDeferred(self.follow(self.game))), "done")

    def test_latest_wins(self) -> None:
        """Ticks that pass while the loop's body waits are skipped."""
        ensureDeferred(self.follow(self.game))
        self.gate = Deferred()
        for tick in (2, 3, 4):
            self.server.step(tick)
        gate, self.gate = self.gate, None
        gate.callback(None)
        self.assertEqual(self.seen, [2, 4])

    def test_quiet_world(self) -> None:
        """In a world that stands still the clock gives the ticks, never backwards."""
        ensureDeferred(self.follow(self.game))
        self.server.run(1)
        self.assertGreater(len(self.seen), 8)
        self.assertEqual(self.seen, sorted(self.seen))
        self.assertIn(self.seen[-1], (20, 21))

    def test_away(self) -> None:
        """There are none while the connection is away, and they go on when it is back."""
        ensureDeferred(self.follow(self.game))
        self.server.refuse = True
        self.server.cut()
        self.server.run(2)
        self.assertEqual(self.seen, [])
        self.server.refuse = False
        self.server.run(10)
        self.assertNotEqual(self.seen, [])

    def test_sent_away(self) -> None:
        """Being sent away ends the loop with the reason."""
        done = ensureDeferred(self.follow(self.game))
        self.server.close(4505, "out")
        self.failureResultOf(done, ConnectionFailed)

    def test_cancelled(self) -> None:
        """A loop that is cancelled leaves no timer."""
        ticks = self.game.ticks()
        waiting = ticks.__anext__()
        waiting.cancel()
        self.failureResultOf(waiting)
        self.server.step(2)
        self.assertEqual(self.successResultOf(ticks.__anext__()), 2)


class HearerTests(ClientCase):
    """A hearer that fails hurts nobody else."""

    def test_raises(self) -> None:
        """The others still hear, and the error is logged; a coroutine's too."""

        async def fails_later(tick: int) -> None:
            raise KeyError(tick)

        def fails(tick: int) -> None:
            raise ValueError(tick)

        self.game.on("frame", fails)
        self.game.on("frame", fails_later)
        ticks = self.heard("frame")
        self.server.step(2)
        self.assertEqual(ticks, [2])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_removed(self) -> None:
        """A hearer can be taken away, by another one too."""
        ticks: list[int] = []
        self.game.on("frame", ticks.append)
        self.game._hearers.remove("frame", ticks.append)
        self.game._hearers.remove("frame", print)
        self.server.step(2)
        self.assertEqual(ticks, [])


class StoppingClock(Clock):
    """A clock that, as a reactor, tells when it stops."""

    def __init__(self) -> None:
        super().__init__()
        alsoProvides(self, IReactorCore)  # as far as a client asks for it
        self.before_shutdown: list[Callable[[], Deferred[None]]] = []

    def addSystemEventTrigger(self, phase: str, event: str, callback: Callable[[], Deferred[None]]) -> object:
        if (phase, event) != ("before", "shutdown"):
            raise ValueError(phase, event)
        self.before_shutdown.append(callback)
        return callback

    def removeSystemEventTrigger(self, trigger: Callable[[], Deferred[None]]) -> None:
        self.before_shutdown.remove(trigger)


class ShutdownTests(SynchronousTestCase):
    """When the reactor stops, the goodbye still goes out."""

    def setUp(self) -> None:
        self.server = MemoryServer()
        self.reactor = StoppingClock()
        self.server.clock = self.reactor
        self.game = self.server.client(reactor=self.reactor)
        self.joined = self.game.connect()
        self.server.run()

    def test_goodbye(self) -> None:
        """The reactor waits until the connection is gone."""
        self.successResultOf(self.joined)
        (callback,) = self.reactor.before_shutdown
        gone = callback()
        self.server.run()
        self.successResultOf(gone)
        self.assertEqual(len(self.server.found(wire.Leave)), 1)
        self.assertEqual(self.game.status, "offline")

    def test_taken_back(self) -> None:
        """Who has left already has nothing to say then."""
        self.game.disconnect()
        self.assertEqual(self.reactor.before_shutdown, [])

    def test_disconnect_twice(self) -> None:
        """Asked again, it waits for the same end."""
        self.server.deaf = True
        first, second = self.game.disconnect(), self.game.disconnect()
        self.server.deaf = False
        self.server.run(6)
        self.successResultOf(first)
        self.successResultOf(second)


class AnswersTests(SynchronousTestCase):
    """Answers that nobody has asked for."""

    def test_unknown(self) -> None:
        """They are ignored: of actions and lines of before, or said through the chat."""
        answers = Answers()
        answers.action_done(values.ActionDone("a", 1, None))
        answers.action_refused(values.ActionRefused("a", 1, "", ""))
        answers.line_kept(values.LineKept("a", "c", 1))
        answers.line_refused(values.LineRefused("a", "c", "", ""))

    def test_abandoned_ticks(self) -> None:
        """An iterator that nobody asks any more is let go after a while."""
        self.patch(ticks_module, "ABANDONED_TICKS", 10)
        answers, ticks = Answers(), Ticks(Clock(), lambda: 0.05, lambda: None)
        answers.ticks(ticks)
        for tick in range(20):
            answers.frame(tick)
        self.assertEqual(self.successResultOf(ticks.__anext__()), 10)
