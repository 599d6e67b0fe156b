"""Calling a handler's verb, whatever it answers."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.messages import ActionMessage, RefusedMessage, Said, Unsaid
from meteor_net.requests import Await

from ..plain import Bench, Buy, Later


class AwaitTests(SynchronousTestCase):
    """Verbs that answer later."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """A room with two players."""
        self.bench = Bench(**limits)
        self.ann, self.bob = self.bench.guest("ann"), self.bench.guest("bob")
        self.game = self.bench.game
        self.bench.ticks(1)
        for guest in (self.ann, self.bob):
            guest.read()
        self.game.told.clear()

    def test_order_is_kept(self) -> None:
        """What a player does while a verb of its own is awaited happens after it, in order; others and the tick go on."""
        self.game.answers["buy"] = Later()
        self.ann.act(Buy(count=1))
        del self.game.answers["buy"]
        self.ann.act(Buy(count=2))
        self.ann.say("hello")
        self.ann.act(Buy(count=3))
        self.bob.act(Buy(count=4))
        self.bench.ticks(1)
        self.assertEqual(self.game.told, ["ann buys 1", "bob buys 4", "tick"])
        self.bench.release()
        self.assertEqual(self.game.events_told()[2:], ["ann buys 2", "ann buys 3"])
        self.assertEqual(len(self.ann.found(Said)), 1)

    def test_awaited_again(self) -> None:
        """If one of those is awaited too, the rest waits on."""
        self.game.answers["buy"] = Later()
        for count in (1, 2, 3):
            self.ann.act(Buy(count=count))
        for count in (1, 2, 3):
            self.assertEqual(self.game.events_told(), [f"ann buys {count}"])
            self.bench.release()

    def test_failed(self) -> None:
        """A failure lets the next ones happen as a success does."""
        self.game.answers["buy"] = Later()
        self.ann.act(Buy(count=1))
        del self.game.answers["buy"]
        self.ann.act(Buy(count=2))
        self.bench.break_()
        self.assertEqual(self.game.events_told(), ["ann buys 1", "ann buys 2"])
        self.assertEqual(len(self.bench.errors()), 1)

    def test_at_most_so_many_wait(self) -> None:
        """As many as the limit wait; one more is refused, and told so: actions and lines alike."""
        for most in (0, 1, 64):
            self.begin(await_events=most, actions_per_s=1_000)
            self.game.answers["buy"] = Later()
            self.ann.act(Buy(count=1))
            del self.game.answers["buy"]
            for _ in range(most):
                self.ann.act(Buy(count=2))
            self.assertEqual(self.ann.read(), [])
            self.ann.act(Buy(count=3))
            self.ann.say("x")
            refused, unsaid = self.ann.read()
            assert isinstance(refused, RefusedMessage) and isinstance(unsaid, Unsaid)
            self.assertEqual((refused.reason, unsaid.reason), ("slow-down", "slow-down"))
            self.bench.release()
            self.assertEqual(self.game.events_told(), ["ann buys 1"] + ["ann buys 2"] * most)

    def test_what_is_awaited(self) -> None:
        """The shell is asked to wait for coroutines and Deferreds alike, as long as the limit says."""

        async def answer() -> None:
            """A verb that is async."""

        waiting: list[Any] = [answer(), Deferred(), Later()]
        for what in waiting:
            self.game.answers["buy"] = what
            self.bench.guest("x", room=None)
            (self.ann if what is waiting[0] else self.bob).act(Buy(count=1))
        awaits = [request for request in self.bench.held if isinstance(request, Await)]
        self.assertEqual([(request.what, request.seconds) for request in awaits], [(what, 5.0) for what in waiting[:2]])
        waiting[0].close()

    def test_room_verbs(self) -> None:
        """A verb that is nobody's event, as left, keeps nobody waiting."""
        self.game.answers["left"] = Later()
        self.bob.leave()
        self.ann.act(Buy(count=1))
        self.assertEqual(self.game.events_told(), ["bob left", "ann buys 1"])
        self.bench.break_()
        self.assertEqual([str(error) for error in self.bench.errors()], ["disk full"])
        self.assertEqual(self.bench.room.asking.errors, 1)

    def test_error_names_the_player(self) -> None:
        """An error is logged with the room, the player and the verb."""
        self.game.answers["buy"] = Later()
        self.ann.tell(ActionMessage(0, 1, 0, 1, [1]))
        self.bench.break_()
        self.assertEqual(self.bench.reports[-1][2], {"room": "sea/main", "player": "ann", "verb": "action"})
