"""A room opens, ticks and closes, and is what handlers and players use.

Plain: it takes messages and the time, and leaves frames, lines and answers in its players' outboxes, and requests in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable, iscoroutine
from random import Random
from typing import Any, cast

import numpy as np
from zope.interface import implementer

from ..chat.channel import Channel
from ..codec import Shared
from ..errors import LocalProtocolError
from ..interfaces import IPlayer, IRoom
from ..messages import ActionMessage, Clock, Earlier, Held, Join, Leave, Left, LineKind, Lost, Message, Say
from ..session.outbox import Lane
from ..session.session import Session
from ..state import DocumentError, Schema, Stream, Version, World
from .actions import Actions
from .asking import Asking
from .events import Events
from .feed import Feed
from .members import Members
from .observers import Observers
from .own import OwnRows
from .player import Player
from .rewind import Past, rewound
from .saving import Saving
from .sights import Views
from .surroundings import Surroundings
from .talk import Talk

#: CLOCK at least so often, so that a frame's 16 bits of tick are never ambiguous (wire page, clause 6.4).
CLOCK_TICKS = 8_192


@implementer(IRoom)
class Room:
    """One room.

    Attributes:
        name, world, tick, random, rng: See `IRoom`.
        number: The wire's; also its stream's.
        channel: The room's own channel.
        members, feed, events, actions, talk, saving, observers: Its parts; most count what they do.
        next_tick_at: When the tick in hand is due, in seconds.
        counters: joined, left, turned_away, ticks, ticks_dropped: plain integers.
    """

    def __init__(
        self, number: int, name: str, game: Any, chat: Any, schema: Schema, channel: Channel,
        around: Surroundings, random: Random,
    ) -> None:  # fmt: skip
        self.number = number
        self.name = name
        self.game = game
        self.chat = chat
        self.schema = schema
        self.channel = channel
        self.random = random
        self.rng = np.random.default_rng(random.getrandbits(64))
        self.world = World(schema, epoch=random.getrandbits(48))
        self.tick = 1
        self.tick_s: float = 1.0 / game.tick_hz
        self.is_open = False
        self.is_closed = False
        self.counters = dict.fromkeys(("joined", "left", "turned_away", "ticks", "ticks_dropped"), 0)
        self.asking = Asking(name, around.limits, around.requests, around.report)
        self.members = Members(self, around)
        self.own = OwnRows()
        self.feed = Feed(number, Stream(self.world, limits=around.limits), around.limits, self._frame_too_large)
        self.views = Views(self.feed.stream.sights)
        self.events = Events(number, schema, around.limits)
        self.actions = Actions(number, game, schema, self.asking, around.limits)
        self.talk = Talk(self, chat, channel, self.asking, around)
        self.saving = Saving(name, self.world, game.keep, self.tick_s, around)
        self.observers = Observers(self.asking)
        channel.heard = self.observers.line
        self._around = around
        self._shown: Version | None = None
        self._ticked_at = around.now
        self._awaits_tick = False
        self._check_every = max(1, round(game.tick_hz))
        self._verbs: dict[type[Message], Callable[[Player, Any, float], None]] = {
            ActionMessage: self.actions.on_action, Say: self.talk.on_say, Earlier: self.talk.on_earlier,
            Held: self._on_held, Lost: self._on_lost, Leave: self._on_leave,
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<Room {self.name!r}: {len(self.members.players)} players, tick {self.tick}>"

    def __contains__(self, session: Session) -> bool:
        return session in self.members

    # --- what handlers and players use ---

    @property
    def players(self) -> list[Player]:
        """Who is here, in the order of coming, those who are away included."""
        return [player for player in self.members.players.values() if player.entered]

    def notice(self, text: str) -> None:
        """Say something in the room's channel in the server's name."""
        self.talk.notice(self.channel, text, self._around.now)

    def say(self, player: IPlayer, text: str, kind: int = LineKind.TEXT, data: Any = None) -> None:
        """Say something in the room's channel in a player's name."""
        self.talk.say(cast(Player, player), text, kind, data, self._around.now)

    def mute(self, user: str, seconds: float) -> None:
        """Let a user say nothing here for so long; 0 ends it."""
        self.talk.mute(user, seconds, self._around.now)

    def emit(self, event: Any) -> None:
        """Tell all in the room an event, once, of this tick."""
        self.events.emit(event, self.tick)

    def rewind(self, tick: float) -> Past:
        """The world as it was at a tick."""
        stream = self.feed.stream
        return rewound(stream, tick, self.tick - 1 - self._around.limits.rewind_s / self.tick_s)

    def save(self) -> None:
        """Save the kept tables soon."""
        self.saving.ask()

    def whisper(self, player: Player, text: str) -> None:
        """Keep a notice in a user's inbox; the user may be gone."""
        inbox = self._around.inbox(player.user, passing=True)
        self.talk.notice(inbox, text, self._around.now)

    def tell(self, player: Player, to: str, text: str) -> None:
        """Say something to one user, by name or id, in a player's name."""
        self.talk.tell(player, to, text, self._around.now)

    def emit_to(self, player: Player, event: Any) -> None:
        """Tell one player an event of this tick; it is not kept."""
        self.events.emit(event, self.tick, player)

    def remove(self, player: Player, text: str) -> None:
        """Take a player out, and tell why."""
        self.members.remove(player, text, self._around.now)

    def show(self, version: Version) -> None:
        """Let players see a version, such as a recorded one, from the next commit on, in place of the live world.

        Raises:
            ValueError: Some of the world's tables are keyed: a version does not tell who may see which of its rows.
        """
        if self.feed.stream.sights is not None:
            raise ValueError(f"room {self.name} has keyed tables, so it shows no version to all")
        self._shown = version

    def server_ms(self, now: float) -> int:
        """Milliseconds of the server's clock."""
        return self._around.server_ms(now)

    def tick_ms(self) -> int:
        """When the last tick was, in milliseconds of the server's clock."""
        return self._around.server_ms(self._ticked_at)

    # --- opening and closing ---

    def open(self, now: float) -> None:
        """Look up the channel, load what was kept, tell the handlers, then let in who waits."""

        def chat_opened(_: Any, now: float) -> None:
            self.asking.ask(None, "opened", self.game.opened, self._opened, self._not_opened, now)

        def channel_opened(now: float) -> None:
            self.saving.load(loaded, self._not_opened, now)

        def loaded(_: Any, now: float) -> None:
            self.asking.ask(None, "opened", self.chat.opened, chat_opened, self._not_opened, now)

        self.channel.open(channel_opened, self._not_opened, now)

    def _not_opened(self, error: BaseException, now: float) -> None:
        self._around.report("room-failed", error, room=self.name)
        self.is_closed = True
        self._around.closed(self)
        self.saving.abandon(now)
        self.members.admit_waiting(now)

    def _opened(self, _: Any, now: float) -> None:
        self.is_open = True
        self._ticked_at = now
        self._around.report("opened", room=self.name)
        self._around.opened(self)
        self.members.admit_waiting(now)
        self.close_if_empty(now)  # who asked for it may be gone

    def close_if_empty(self, now: float) -> None:
        """Nobody is in it, or about to be: the room ends."""
        if self.members or not self.is_open or self.is_closed:
            return

        def told(_: Any, now: float) -> None:
            self.saving.close(now)

        self.is_closed = True
        self.observers.closed()
        self._around.closed(self)
        self.asking.ask(None, "closed", self.game.closed, told, told, now)
        self._around.report("closed", room=self.name)

    # --- sessions and their messages ---

    def join(self, session: Session, message: Join, now: float) -> None:
        """A session wants in; or is in already, and its new connection says which places it holds.

        Raises:
            PacketError: If the places are none.
        """
        self.members.join(session, message, now)

    def lose(self, session: Session, now: float) -> None:
        """A player's connection was lost; the player may come back."""
        self.members.lose(session, now)

    def leave(self, session: Session, now: float) -> None:
        """A player is gone for good."""
        self.members.leave(session, now)

    def receive(self, session: Session, message: Message, now: float) -> None:
        """A player says something."""
        self._verbs[type(message)](self.members.players[session], message, now)

    def ponged(self, session: Session, number: int) -> None:
        """A player has answered a ping."""
        self.feed.ponged(self.members.players[session], number)

    def _on_leave(self, player: Player, message: Leave, now: float) -> None:
        player.session.put(Lane.CONTROL, Left(self.number, "left", ""))
        self.leave(player.session, now)

    def _on_held(self, player: Player, message: Held, now: float) -> None:
        self.feed.held(player, message.tick, now, self.tick_s, self.tick)

    def _on_lost(self, player: Player, message: Lost, now: float) -> None:
        self.feed.start(player, None, now)

    # --- time ---

    @property
    def next_tick_at(self) -> float:
        """When the tick in hand is due."""
        return self._ticked_at + self.tick_s

    def advance(self, now: float) -> None:
        """Do the ticks that are due; a few late ones are caught up, the rest is dropped and told."""
        if not self.is_open or self.is_closed:
            return
        tell_clock = now < self._ticked_at
        if tell_clock:
            self._ticked_at = now - self.tick_s  # the clock went back
        due = int((now - self._ticked_at) / self.tick_s + 1e-9)
        dropped = due - self._around.limits.late_ticks
        if dropped > 0:
            self.counters["ticks_dropped"] += dropped
            self._ticked_at += dropped * self.tick_s
            due -= dropped
            tell_clock = True
        for _ in range(due):
            if self.is_closed:  # the game took the last player out
                return
            self._ticked_at += self.tick_s
            tell_clock = tell_clock or self.tick % CLOCK_TICKS == 0
            try:
                self._tick(now)
            finally:
                self.tick += 1
        self.saving.look(now)
        if tell_clock:
            self._tell_clock()

    def _tick(self, now: float) -> None:
        self.actions.take_inputs(self.players, now)  # who is away has none, and rows that go on
        if self.is_closed:
            return
        for step in (self._move, self._commit):
            try:
                step()
            except Exception as error:
                self.asking.raised(None, "tick", error)
        players = self.members.seated()  # the handler may have taken some out
        self.own.tell(players)
        self.views.update(players, self.own.revision)
        self.actions.acknowledge(players, self.feed.stream.version.tick)
        self.feed.serve(players, now, self.server_ms(now))
        self.observers.ticked(self.tick, self.events.deliver(players))
        self.counters["ticks"] += 1

    def _move(self) -> None:
        """The game's tick. Nobody would wait for it: that an answer is awaitable is said once."""
        answer: Any = self.game.tick(self.tick_s)
        if iscoroutine(answer):
            answer.close()
        if isawaitable(answer) and not self._awaits_tick:
            self._awaits_tick = True
            raise TypeError(f"tick answered a {type(answer).__name__}, which nobody awaits; it has to be done when it returns")

    def _commit(self) -> None:
        stream, check = self.feed.stream, self.tick % self._check_every == 0
        if self._shown is None:
            stream.commit(self.tick, check, force=self.feed.overdue(self._around.now))
            for wrong in stream.wrong:
                self.asking.raised(None, "tick", DocumentError(wrong))
        else:
            stream.put(self._shown, self.tick, check)

    def _frame_too_large(self, size: int) -> None:
        most = self._around.limits.packet_out_bytes
        self.asking.raised(None, "frame", LocalProtocolError(
            f"a frame of {size} bytes, which players refuse, is not sent; at most {most}. "
            "Keep fewer rows, columns or texts in one room, or more rooms"
        ))  # fmt: skip

    def _tell_clock(self) -> None:
        clock = Shared.of(Clock(self.number, self.tick - 1, self.tick_ms()))
        for player in self.members.seated():
            player.session.put(Lane.CONTROL, clock)
