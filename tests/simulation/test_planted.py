"""Faults of ours, planted one at a time, each of which some seed finds: so the checks of the simulation are worth something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.channel import Channel
from meteor_net.room.actions import Actions
from meteor_net.room.events import Events
from meteor_net.room.feed import Feed
from meteor_net.room.members import Members
from meteor_net.room.sights import Views
from meteor_net.session.client_actions import WaitingActions
from meteor_net.session.client_lines import RoomLines
from meteor_net.session.client_sender import LineSender
from meteor_net.session.client_world import RoomWorld
from meteor_net.session.registry import Registry
from meteor_net.storage.log import Log
from tests.simulation import full

#: What is planted is to be found by one of so many seeds.
FEW = range(1, 41)


class PlantedTests(SynchronousTestCase):
    """One test for each kind of fault."""

    def found(self, *texts: str) -> None:
        """See that one of a few seeds finds what was planted, and says so in one of these words."""
        told: list[str] = []
        for seed in FEW:
            told += full.run_seed(seed).wrong
            self.flushLoggedErrors()
            if any(text in wrong for wrong in told for text in texts):
                return
        self.fail(f"no seed of {FEW} found it; found was {told[:5]}")

    def plant(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put something in a method's place, made of the method."""
        self.patch(owner, name, make(getattr(owner, name)))

    # --- lines ---

    def test_line_kept_twice(self) -> None:
        """Storage does not know a line that it has."""

        def forgetful(append: Any) -> Any:
            def appended(log: Log, line: Any, moderator: bool = False) -> Any:
                log._known.clear()
                return append(log, line, moderator)

            return appended

        self.plant(Log, "append", forgetful)
        self.found("is kept twice")

    def test_line_lost(self) -> None:
        """The server acknowledges a line before storage has kept it."""

        def early(store: Any) -> Any:
            def stored(channel: Any, line: Any, kept: Any, failed: Any, moderator: bool) -> None:
                kept(channel.place.next, line.time / 1000)
                store(channel, line, lambda *_: None, lambda *_: None, moderator)

            return stored

        self.plant(Channel, "_store", early)
        self.found("and is lost", "where line")

    def test_answer_lost(self) -> None:
        """The client does not heed that its line was kept."""
        self.patch(LineSender, "said", lambda sender, message, now: None)
        self.found("has no answer")

    def test_refused_though_kept(self) -> None:
        """The client takes the refusal of what it said again for that of the line."""

        def certain(unsaid: Any) -> Any:
            def taken(sender: Any, message: Any, now: float) -> None:
                if message.cid in sender._sent:
                    sender._sent[message.cid].may_be_kept = False
                unsaid(sender, message, now)

            return taken

        self.plant(LineSender, "unsaid", certain)
        self.found("and is kept at")

    def test_line_not_heard(self) -> None:
        """The client loses the newest line that it missed."""

        def shorter(history: Any) -> Any:
            def taken(lines: Any, channel: Any, message: Any) -> None:
                missed = message.lines[:-1] if channel.known else message.lines
                message = type(message)(message.channel, message.epoch, message.next, message.gap, missed)
                history(lines, channel, message)

            return taken

        self.plant(RoomLines, "history", shorter)
        self.found("never heard")

    def test_line_heard_twice(self) -> None:
        """The client asks for what it has, and does not see that it has it."""

        def less(places: Any) -> Any:
            return lambda lines: {name: [epoch, max(0, held - 1)] for name, (epoch, held) in places(lines).items()}

        def forgetful(history: Any) -> Any:
            def taken(lines: Any, channel: Any, message: Any) -> None:
                channel.held = -1
                history(lines, channel, message)

            return taken

        self.plant(RoomLines, "places", less)
        self.plant(RoomLines, "history", forgetful)
        self.found("twice", "after line")

    # --- actions ---

    def test_action_twice(self) -> None:
        """The server applies again what it took before."""

        def again(actions: Actions, player: Any, message: Any) -> None:
            player.top_seq = message.seq - 1
            actions.on_action(player, message, player.room._around.now)

        self.patch(Actions, "_again", again)
        self.found("was applied twice")

    def test_actions_out_of_order(self) -> None:
        """The client sends what waited the last first."""

        def reversed_(next_: Any) -> Any:
            def taken(waiting: WaitingActions) -> Any:
                waiting._queued.reverse()
                return next_(waiting)

            return taken

        self.plant(WaitingActions, "next", reversed_)
        self.found("and done before it")

    def test_action_not_said_again(self) -> None:
        """The client does not say again what was not answered."""
        self.plant(WaitingActions, "resumed", lambda resumed: lambda waiting, last_seq: resumed(waiting, last_seq)[:0])
        self.found("and never applied", "has no answer", "the handler answered")

    def test_result_lost(self) -> None:
        """The client does not heed results."""
        self.patch(WaitingActions, "answered", lambda waiting, seq: None)
        self.found("where the handler answered")

    # --- worlds and events ---

    def test_stale_replica(self) -> None:
        """The server sends nothing more of the world to who came back."""

        def neglect(serve: Any) -> Any:
            def served(feed: Any, players: Any, *rest: Any) -> None:
                serve(feed, [player for player in players if not player.session.counters["resumed"]], *rest)

            return served

        self.plant(Feed, "serve", neglect)
        self.found("differ", "and should be", "lacks rows", "after all was well")

    def test_out_of_sight(self) -> None:
        """The server does not see that players move."""

        def once(update: Any) -> Any:
            def updated(views: Any, players: Any, revision: Any) -> Any:
                return update(views, [player for player in players if player.sight is None], revision)

            return updated

        self.plant(Views, "update", once)
        self.found("which are near", "and is to see")

    def test_event_lost(self) -> None:
        """The server tells who comes back neither the events that were missed, nor of a gap."""
        self.patch(Events, "missed", lambda events, player, last: None)
        self.found("never heard, and no gap", "were never heard")

    def test_event_twice(self) -> None:
        """An event is told again, and the client takes it again."""

        def again(heard: Any) -> Any:
            def taken(world: Any, message: Any) -> None:
                world.event = min(world.event, message.number - 1)
                heard(world, message)

            return taken

        self.plant(RoomWorld, "event_heard", again)
        self.plant(Events, "missed", lambda missed: lambda events, player, last: missed(events, player, max(0, last - 1)))
        self.found("was heard after bell")

    # --- sessions ---

    def test_token_not_rotated(self) -> None:
        """A session has one resume token for ever."""

        def same(token: Any) -> Any:
            def given(registry: Any, session: Any, presented: str | None = None) -> Any:
                return session.tokens[0] if session.tokens else token(registry, session, presented)

            return given

        self.plant(Registry, "token", same)
        self.found("got the same resume token twice")

    def test_old_token_good(self) -> None:
        """Resume tokens stay good."""

        def keep(registry: Any, session: Any, tokens: list[str]) -> None:
            session.tokens = tokens
            registry._by_token.update(dict.fromkeys(tokens, session))

        self.patch(Registry, "_keep_tokens", keep)
        self.found("of its resume tokens are good")

    def test_ghosts(self) -> None:
        """Who leaves without a word stays in the room for ever."""
        self.patch(Members, "lose", lambda members, session, now: None)
        self.found("though nobody is there")
