"""What players do."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import Refused
from meteor_net.limits import MAX_OPEN_ACTIONS
from meteor_net.messages import Ack, ActionMessage, Joined, Message, RefusedMessage, Result
from meteor_net.state import Schema

from ..plain import Bench, Buy, Later, Sea, Steer


class ActionsCase(SynchronousTestCase):
    """A room with one player."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, role: int = 0, **limits: Any) -> None:
        """Make it, with limits."""
        self.bench = Bench(**limits)
        self.ann = self.bench.guest("ann", role=role)
        self.game = self.bench.game
        self.bench.ticks(1)
        self.ann.read()
        self.game.told.clear()

    def move(self, player: Any) -> None:
        """Change the world."""
        player.room.world.ship.spawn()

    def refusals(self) -> list[tuple[int, str, str]]:
        """What was refused: sequence number, reason, text."""
        return [(message.seq, message.reason, message.text) for message in self.ann.found(RefusedMessage)]


class InputTests(ActionsCase):
    """Inputs: one a tick (clause 9.2)."""

    def test_one_per_tick(self) -> None:
        """Inputs wait for the tick, one is taken at each, the oldest first, and each is acknowledged with its tick."""
        self.game.answers["steer"] = self.move
        for by in (1, 2, 3):
            self.ann.act(Steer(by=by))
        self.assertEqual(self.game.told, [])
        self.bench.ticks(3)
        self.assertEqual(self.game.told, ["ann steers 1", "tick", "ann steers 2", "tick", "ann steers 3", "tick"])
        self.assertEqual(self.ann.found(Ack), [Ack(0, 1, 2), Ack(0, 2, 3), Ack(0, 3, 4)])

    def test_where_nothing_changes(self) -> None:
        """A tick that changes nothing makes no version: what it took is in the newest that there is (clause 9.3)."""
        self.ann.act(Steer(by=1))
        self.ann.act(Steer(by=2))
        self.bench.ticks(2)
        self.game.answers["steer"] = self.move
        self.ann.act(Steer(by=3))
        self.bench.ticks(1)
        self.assertEqual(self.ann.found(Ack), [Ack(0, 1, 0), Ack(0, 2, 0), Ack(0, 3, 4)])
        self.assertEqual(self.bench.room.feed.stream.version.tick, 4)

    def test_oldest_dropped(self) -> None:
        """At most four wait: the oldest is dropped, counted, and acknowledged as taken."""
        for by in range(1, 7):
            self.ann.act(Steer(by=by))
        self.bench.ticks(5)
        self.assertEqual(self.game.events_told(), [f"ann steers {by}" for by in (3, 4, 5, 6)])
        self.assertEqual([ack.seq for ack in self.ann.found(Ack)], [3, 4, 5, 6])
        self.assertEqual(self.bench.room.actions.counters["inputs_dropped"], 2)

    def test_none_may_wait(self) -> None:
        """With a limit of 0 no input is taken; with 1, the newest."""
        for most, taken in ((0, []), (1, ["ann steers 2"])):
            self.begin(inputs_waiting=most)
            for by in (1, 2):
                self.ann.act(Steer(by=by))
            self.bench.ticks(2)
            self.assertEqual(self.game.events_told(), taken)
            self.assertEqual(self.ann.found(Ack)[-1].seq, 2)

    def test_seen(self) -> None:
        """A handler knows which tick was on the player's screen."""
        seen: list[float] = []
        self.game.answers["steer"] = lambda player: seen.append(player.seen)
        self.ann.tell(ActionMessage(0, 1, 83, 0, [1]))
        self.bench.ticks(1)
        self.assertEqual(seen, [10.375])

    def test_raises(self) -> None:
        """A handler that raises at an input loses that input only; nobody waits for an answer."""
        self.game.answers["steer"] = ZeroDivisionError("oops")
        self.ann.act(Steer(by=1))
        self.bench.ticks(1)
        del self.game.answers["steer"]
        self.ann.act(Steer(by=2))
        self.bench.ticks(1)
        self.assertEqual(self.game.events_told(), ["ann steers 1", "ann steers 2"])
        self.assertEqual([str(error) for error in self.bench.errors()], ["oops"])
        self.assertEqual([type(message) for message in self.ann.read()], [Ack, Ack])

    def test_lost_with_the_connection(self) -> None:
        """Inputs that wait when the connection is lost are stale: they are not taken later."""
        self.ann.act(Steer(by=1))
        self.ann.lose()
        self.bench.ticks(1)
        self.assertEqual(self.game.events_told(), ["ann away"])

    def test_awaited(self) -> None:
        """While an input is being awaited, the player's next ones wait for it, and are not acknowledged."""
        self.game.answers["steer"] = lambda player: Later()
        for by in (1, 2):
            self.ann.act(Steer(by=by))
        self.bench.ticks(3)
        self.assertEqual(self.game.events_told(), ["ann steers 1"])
        self.bench.release()
        self.bench.ticks(1)
        self.assertEqual(self.game.events_told(), ["ann steers 2"])


class ActionTests(ActionsCase):
    """Actions: once, in order, answered."""

    def test_at_once_and_once(self) -> None:
        """An action is applied as it comes, and not again when it is said again."""
        self.ann.act(Buy(count=1))
        self.assertEqual(self.game.told, ["ann buys 1"])
        self.ann.act(Buy(count=1), seq=1)
        self.ann.act(Buy(count=2), seq=2)
        self.ann.act(Buy(count=9), seq=1)
        self.assertEqual(self.game.events_told(), ["ann buys 1", "ann buys 2"])

    def test_acknowledged_together(self) -> None:
        """Actions of one tick are acknowledged by one ACK, after the tick that shows them; without any there is none."""
        for count in (1, 2, 3):
            self.ann.act(Buy(count=count))
        self.assertEqual(self.ann.read(), [])
        self.bench.ticks(1)
        self.assertEqual(self.ann.read(), [Ack(0, 3, 0)])
        self.bench.ticks(1)
        self.assertEqual(self.ann.read(), [])

    def test_not_beyond_a_waiting_input(self) -> None:
        """The acknowledgement is cumulative: it stops before an input that waits for its tick."""
        self.ann.act(Steer(by=1))
        self.ann.act(Steer(by=2))
        self.ann.act(Buy(count=3))
        self.bench.ticks(2)
        self.assertEqual(self.ann.found(Ack), [Ack(0, 1, 0), Ack(0, 3, 0)])

    def test_result(self) -> None:
        """What the handler answers is the player's result; None is answered by the ACK alone."""
        self.game.answers["buy"] = {"price": [1, 2.5]}
        self.ann.act(Buy(count=1))
        self.game.answers["buy"] = None
        self.ann.act(Buy(count=1))
        self.assertEqual(self.ann.read(), [Result(0, 1, {"price": [1, 2.5]})])

    def test_result_that_cannot_be_sent(self) -> None:
        """A result that the wire does not carry is the handler's error: the player hears that it failed, and stays."""
        for value in (object(), {1: 2}, float("nan"), 2**60):
            self.game.answers["buy"] = value
            self.ann.act(Buy(count=1))
        self.assertEqual(
            self.refusals(), [(seq, "failed", "this failed on the server") for seq in (1, 2, 3, 4)]
        )  # fmt: skip
        self.assertEqual(len(self.bench.errors()), 4)

    def test_refused(self) -> None:
        """Refused tells this player why, and is no error; long texts are cut to what the wire takes."""
        self.game.answers["buy"] = Refused("no money", "poor")
        self.ann.act(Buy(count=1))
        self.game.answers["buy"] = Refused("x" * 2_000 + "\ud800", "y" * 99)
        self.ann.act(Buy(count=1))
        self.assertEqual(self.refusals(), [(1, "poor", "no money"), (2, "y" * 32, "x" * 1_000)])
        self.assertEqual(self.bench.errors(), [])
        self.assertEqual(self.ann.session.counters["refused"], 2)

    def test_raises(self) -> None:
        """A handler that raises hurts this action only: it is logged with room and player, and the player told."""
        self.game.answers["buy"] = ZeroDivisionError("oops")
        self.ann.act(Buy(count=1))
        self.assertEqual(self.refusals(), [(1, "failed", "this failed on the server")])
        event, error, names = self.bench.reports[-1]
        self.assertEqual((event, str(error)), ("error", "oops"))
        self.assertEqual(names, {"room": "sea/main", "player": "ann", "verb": "action"})
        self.bench.ticks(1)
        self.assertEqual(self.ann.found(Ack), [Ack(0, 1, 0)])

    def test_awaited(self) -> None:
        """A handler may answer later: the result comes then, and the ACK waits for it."""
        self.game.answers["buy"] = Later()
        self.ann.act(Buy(count=1))
        self.bench.ticks(1)
        self.assertEqual(self.ann.read(), [])
        self.bench.release(answer=5)
        self.bench.ticks(1)
        self.assertEqual(self.ann.read(), [Result(0, 1, 5), Ack(0, 1, 0)])

    def test_awaited_and_fails(self) -> None:
        """What fails later is refused later, with the words of Refused."""
        self.game.answers["buy"] = Later()
        for _ in range(2):
            self.ann.act(Buy(count=1))
        self.bench.break_(error=Refused("sold out"))
        self.bench.break_()
        self.assertEqual([(seq, reason) for seq, reason, _ in self.refusals()], [(1, "refused"), (2, "failed")])
        self.assertEqual([str(error) for error in self.bench.errors()], ["disk full"])

    def test_answered_after_leaving(self) -> None:
        """An answer for somebody who has left is dropped: the number of the room may be another's by then."""
        self.bench.guest("bob")
        self.game.answers["buy"] = Later()
        self.ann.act(Buy(count=1))
        self.bench.room.leave(self.ann.session, self.bench.now)
        self.ann.read()
        self.bench.release(answer=5)
        self.assertEqual(self.ann.read(), [])


class AgainTests(ActionsCase):
    """Actions that are said again: each is answered as it was (clause 9.5)."""

    def again(self, *seqs: int) -> list[Message]:
        """Come back, say actions again, and read the answers."""
        self.ann.lose()
        self.ann.connect()
        self.ann.join()
        self.ann.read()
        for seq in seqs:
            self.ann.act(Buy(count=99), seq=seq)
        return self.ann.read()

    def test_answers(self) -> None:
        """A result, a refusal, an error and no result at all: all come again, and nothing is done again."""
        for answer in ("ok", Refused("no money", "poor"), ZeroDivisionError("oops"), None, object()):
            self.game.answers["buy"] = answer
            self.ann.act(Buy(count=1))
        self.ann.tell(ActionMessage(0, 6, 0, 99, []))
        self.game.answers["buy"] = "other"
        first = self.ann.found(RefusedMessage)
        self.game.told.clear()
        told = self.again(1, 2, 3, 4, 5, 6)
        self.assertEqual(self.game.events_told(), ["ann away", "ann back"])
        self.assertEqual(told, [Result(0, 1, "ok"), *first[:2], Result(0, 4, None), *first[2:]])
        self.assertEqual([message.reason for message in first], ["poor", "failed", "failed", "bad-action"])
        self.assertEqual(len(self.bench.errors()), 2)

    def test_lost_answer(self) -> None:
        """What is answered while its player is away is kept for it."""
        self.game.answers["buy"] = Later()
        self.ann.act(Buy(count=1))
        self.ann.lose()
        self.bench.release(answer=5)
        self.assertEqual(self.again(1), [Result(0, 1, 5)])

    def test_awaited(self) -> None:
        """One that is awaited is not begun again; its answer comes once, also if it is none."""
        for answer in (5, None):
            self.begin()
            self.game.answers["buy"] = Later()
            self.ann.act(Buy(count=1))
            self.ann.act(Buy(count=99), seq=1)
            self.bench.ticks(1)
            self.assertEqual(self.ann.read(), [])
            self.bench.release(answer=answer)
            self.assertEqual(self.ann.read(), [Result(0, 1, answer)])
            self.bench.ticks(1)
            self.assertEqual((self.ann.read(), self.game.events_told()), ([Ack(0, 1, 0)], ["ann buys 1"]))

    def test_rate(self) -> None:
        """A refusal for the rate is the final answer; what is said again costs no allowance."""
        self.begin(actions_per_s=1, actions_burst=1)
        self.ann.act(Buy(count=1))
        self.ann.act(Buy(count=2))
        (refused,) = self.ann.found(RefusedMessage)
        self.bench.pass_time(5.0)
        self.assertEqual(self.again(2, 1, 2), [refused, Result(0, 1, None), refused])
        self.ann.act(Buy(count=3), seq=3)
        self.assertEqual(self.game.events_told()[-1], "ann buys 3")

    def test_dropped(self) -> None:
        """One that was dropped before it was looked at is refused for good; what is said again is left to its answer."""
        self.bench.room.actions.too_many(self.ann.player, ActionMessage(0, 1, 0, 1, [1]))
        self.bench.room.actions.too_many(self.ann.player, ActionMessage(0, 1, 0, 1, [1]))
        self.bench.turn()
        (refused,) = self.ann.found(RefusedMessage)
        self.assertEqual((refused.seq, refused.reason), (1, "slow-down"))
        self.bench.ticks(1)
        self.assertEqual(self.ann.found(Ack), [Ack(0, 1, 0)])
        self.assertEqual(self.again(1), [refused])
        self.assertEqual(self.game.events_told(), ["tick", "ann away", "ann back"][1:])

    def test_inputs(self) -> None:
        """An input that is said again is ignored, and one that was refused takes no answer's place."""
        self.ann.act(Steer(by=1))
        self.ann.tell(ActionMessage(0, 2, 0, 0, [-1]))
        self.assertEqual([seq for seq, *_ in self.refusals()], [2])
        for seq in (1, 2):
            self.ann.act(Steer(by=1), seq=seq)
        self.assertEqual(self.ann.read(), [])

    def test_bounded(self) -> None:
        """Of so many the answers are kept, and of so many bytes; the oldest go first, and nobody knows theirs."""
        self.begin(actions_per_s=1_000)
        for _ in range(MAX_OPEN_ACTIONS + 1):
            self.ann.act(Buy(count=1))
        answers = self.again(1, 2)
        self.assertEqual([(type(each), each.seq) for each in answers], [(RefusedMessage, 1), (Result, 2)])  # type: ignore[attr-defined]
        self.assertEqual(answers[0].reason, "unknown")  # type: ignore[attr-defined]
        self.begin(answers_bytes=200)
        self.ann.act(Buy(count=1))
        for answer in ("x" * 90, "y" * 90, "z" * 300, "y" * 10):
            self.game.answers["buy"] = answer
            self.ann.act(Buy(count=1))
        answers = self.again(1, 2, 3, 4, 5)
        self.assertEqual([type(each) for each in answers], [RefusedMessage, RefusedMessage, Result, RefusedMessage, Result])

    def test_answered_out_of_order(self) -> None:
        """Those of the highest numbers are kept, whichever was answered first: a client sends none that is 64 later."""
        self.begin(actions_per_s=2, actions_burst=2)
        self.game.answers["buy"] = Later()
        self.ann.act(Buy(count=1))
        for _ in range(MAX_OPEN_ACTIONS - 1):
            self.ann.act(Buy(count=1))  # all but one are refused at once: too fast
        self.game.answers["buy"] = "yes"
        self.bench.release(answer="late")
        self.bench.pass_time(10.0)
        self.ann.act(Buy(count=1))
        answers = self.again(1, *range(3, MAX_OPEN_ACTIONS + 2))
        self.assertEqual(
            [getattr(each, "reason", "") == "unknown" for each in answers], [True] + [False] * (MAX_OPEN_ACTIONS - 1)
        )

    def test_another_player(self) -> None:
        """Who left and comes again is another player, counted anew: JOINED tells by the key."""
        self.ann.act(Buy(count=1))
        self.bench.guest("bob")
        self.bench.room.leave(self.ann.session, self.bench.now)
        self.ann.read()
        self.ann.join()
        (joined,) = self.ann.found(Joined)
        self.assertEqual((joined.last_seq, joined.key), (0, 2))


class EntryTests(ActionsCase):
    """What is refused before a handler hears of it."""

    def test_unknown_and_malformed(self) -> None:
        """An action that there is not, or with wrong values, is refused; the next one is taken."""
        for seq, (kind, values) in enumerate([(2, []), (65_535, []), (1, []), (1, ["1"]), (1, [256]), (0, [-1])], 1):
            self.ann.tell(ActionMessage(0, seq, 0, kind, values))  # type: ignore[arg-type]
        refused = self.refusals()
        self.assertEqual([reason for _, reason, _ in refused], ["bad-action"] * 6)
        self.assertEqual(refused[0][2], "there is no action 2 here")
        self.assertIn("count", refused[4][2])
        self.ann.act(Buy(count=1), seq=7)
        self.assertEqual(self.game.events_told(), ["ann buys 1"])

    def test_watching(self) -> None:
        """Who watches does nothing."""
        self.begin(role=1)
        self.ann.act(Buy(count=1))
        self.assertEqual(self.refusals(), [(1, "watching", "you are watching")])

    def test_slow_down(self) -> None:
        """More actions than a second allows are refused, with the time to wait; a second later they are taken again."""
        self.begin(actions_per_s=2, actions_burst=2)
        for count in (1, 2, 3):
            self.ann.act(Buy(count=count))
        self.assertEqual(self.refusals(), [(3, "slow-down", "too fast; again in 0.50 s")])
        self.bench.pass_time(0.5)
        self.ann.act(Buy(count=4))
        self.assertEqual(self.game.events_told(), ["ann buys 1", "ann buys 2", "ann buys 4"])

    def test_nobody_acts(self) -> None:
        """With a limit of 0 nothing may be done."""
        self.begin(actions_per_s=0, actions_burst=0)
        self.ann.act(Buy(count=1))
        self.assertEqual(self.refusals(), [(1, "slow-down", "too fast")])

    def test_numbers(self) -> None:
        """The number of an action is its place in the schema: the order of the handlers in the class."""
        self.assertEqual(Schema(actions=Sea.actions).actions, (Steer, Buy))
