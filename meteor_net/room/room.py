"""A room opens, lets players in and out, and ticks.

Plain: it takes messages and the time, and leaves frames, lines and answers in its players' outboxes, and requests in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from zope.interface import implementer

from ..chat.channel import Channel
from ..errors import Refused
from ..interfaces import IPlayer, IRoom
from ..limits import Limits
from ..messages import (
    ActionMessage,
    Clock,
    ErrorMessage,
    Held,
    Join,
    Joined,
    Leave,
    Left,
    LineKind,
    Lost,
    Message,
    Role,
    Say,
)
from ..requests import Request, Then
from ..session.outbox import Lane
from ..session.session import Session
from ..state import Schema, Stream, World
from .actions import Actions
from .asking import Asking, Report, as_refused, nothing
from .events import Events
from .feed import Feed
from .places import Places
from .player import Player
from .talk import Talk

#: CLOCK at least so often, so that a frame's 16 bits of tick are never ambiguous (wire page, clause 6.4).
CLOCK_TICKS = 8_192
#: The code of JOIN, which an ERROR names.
JOIN = 50


@dataclass(slots=True)
class Surroundings:
    """What all rooms of a process share.

    Attributes:
        requests: Where rooms leave what they ask of the shell.
        report: Told what happened, with the names of room and player.
        server_ms: Seconds of the shell's clock -> milliseconds of the server's clock.
        inbox: A user's own channel.
        opened, closed: Told when a room begins to tick, and when it is over.
        now: The time of the turn, in seconds; the shell sets it before it calls anything here.
    """

    limits: Limits
    requests: list[Request]
    report: Report
    server_ms: Callable[[float], int]
    inbox: Callable[[str], Channel]
    closed: Callable[[Room], None]
    opened: Callable[[Room], None]
    now: float = 0.0


@implementer(IRoom)
class Room:
    """One room.

    Attributes:
        name, world, tick, random, rng: See `IRoom`.
        number: The wire's; also its stream's.
        channel: The room's own channel.
        feed, events, actions, talk: Its parts; each counts what it does.
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
        self.feed = Feed(number, Stream(self.world, limits=around.limits), around.limits)
        self.events = Events(number, schema, around.limits)
        self.actions = Actions(number, game, schema, self.asking)
        self.talk = Talk(self, chat, channel, self.asking, around.limits, around.report)
        self._around = around
        self._players: dict[Session, Player] = {}
        self._joining: list[Then] = []
        self._rows_changed: dict[Player, None] = {}
        self._ticked_at = around.now
        self._check_every = max(1, round(game.tick_hz))
        self._verbs: dict[type[Message], Callable[[Player, Any, float], None]] = {
            ActionMessage: self.actions.on_action, Say: self.talk.on_say, Held: self._on_held,
            Lost: self._on_lost, Leave: self._on_leave,
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<Room {self.name!r}: {len(self._players)} players, tick {self.tick}>"

    def __contains__(self, session: Session) -> bool:
        return session in self._players

    # --- what handlers and players use ---

    @property
    def players(self) -> list[Player]:
        """Who is here, in the order of coming, those who are away included."""
        return [player for player in self._players.values() if player.entered]

    def notice(self, text: str) -> None:
        """Say something in the room's channel in the server's name."""
        self.talk.say(self.channel, LineKind.NOTICE, text, self._around.now)

    def say(self, player: IPlayer, text: str) -> None:
        """Say something in the room's channel in a player's name."""
        self.talk.say(self.channel, LineKind.TEXT, text, self._around.now, player)

    def emit(self, event: Any) -> None:
        """Tell all in the room an event, once, of this tick."""
        self.events.emit(event, self.tick)

    def whisper(self, player: Player, text: str) -> None:
        """Keep a notice in a user's inbox."""
        self.talk.say(self._around.inbox(player.user), LineKind.NOTICE, text, self._around.now)

    def emit_to(self, player: Player, event: Any) -> None:
        """Tell one player an event of this tick; it is not kept."""
        self.events.emit(event, self.tick, player)

    def changed_rows(self, player: Player) -> None:
        """The player's own rows may be others now."""
        self._rows_changed[player] = None

    def remove(self, player: Player, text: str) -> None:
        """Take a player out, and tell why."""
        player.session.put(Lane.CONTROL, Left(self.number, "removed", text[:1000]))
        self.leave(player.session, self._around.now)

    def server_ms(self, now: float) -> int:
        """Milliseconds of the server's clock."""
        return self._around.server_ms(now)

    # --- opening and closing ---

    def open(self, now: float) -> None:
        """Look up the channel, tell the handlers, then let in who waits."""

        def chat_opened(_: Any, now: float) -> None:
            self.asking.ask(None, "opened", self.game.opened, self._let_in, self._not_opened, now)

        def channel_opened(now: float) -> None:
            self.asking.ask(None, "opened", self.chat.opened, chat_opened, self._not_opened, now)

        self.channel.open(channel_opened, self._not_opened, now)

    def _not_opened(self, error: BaseException, now: float) -> None:
        self._around.report("room-failed", error, room=self.name)
        self.is_closed = True
        self._around.closed(self)
        self._call_waiting(now)

    def _let_in(self, _: Any, now: float) -> None:
        self.is_open = True
        self._ticked_at = now
        self._around.report("opened", room=self.name)
        self._around.opened(self)
        self._call_waiting(now)

    def _call_waiting(self, now: float) -> None:
        waiting, self._joining = self._joining, []
        for join in waiting:
            join(None, now)

    def _close_if_empty(self, now: float) -> None:
        if self._players or self._joining or self.is_closed:
            return
        self.is_closed = True
        self._around.closed(self)
        self.asking.ask(None, "closed", self.game.closed, nothing, nothing, now)
        self._around.report("closed", room=self.name)

    # --- coming ---

    def join(self, session: Session, message: Join, now: float) -> None:
        """A session wants in; or is in already, and its new connection says which places it holds.

        Raises:
            PacketError: If the places are none.
        """
        places = Places.of(message.places, self._around.limits)
        player = self._players.get(session)
        if player is not None:
            self._come_back(player, message, places, now)
        elif not self.is_open and not self.is_closed:
            self._joining.append(lambda _, now: self._admit(session, message, places, now))
        else:
            self._admit(session, message, places, now)

    def _come_back(self, player: Player, message: Join, places: Places, now: float) -> None:
        if not player.online and player.entered:
            self.asking.after(player, lambda _, now: self.asking.ask(
                player, "back", lambda: self.game.back(player), nothing, nothing, now), now)  # fmt: skip
        player.online = True
        self.asking.after(player, lambda _, now: self._seat(player, message, places, now), now)

    def _admit(self, session: Session, message: Join, places: Places, now: float) -> None:
        role = Role.WATCH if message.role == Role.WATCH else Role.PLAY
        playing = sum(player.role == "play" for player in self._players.values())
        if self.is_closed:
            self._turn_away(session, Refused(f"room {self.name} could not be opened", "failed"), now)
        elif role is Role.PLAY and playing >= self.game.max_players:
            self._turn_away(session, Refused(f"room {self.name} is full: {playing} are playing", "room-full"), now)
        elif session.pipe is not None and session not in self._players:
            self._take_in(Player(session, self, role, self._around.limits), message, places, now)
        else:
            self._close_if_empty(now)  # the session is gone, or asked twice, while the room opened

    def _take_in(self, player: Player, message: Join, places: Places, now: float) -> None:
        self._players[player.session] = player
        player.session.seats[self.number] = player
        player.busy += 1  # what the player says waits until it is in

        def refused(error: BaseException, now: float) -> None:
            if self._players.get(player.session) is player:
                del self._players[player.session]
                player.session.seats.pop(self.number, None)
            self._turn_away(player.session, error, now)

        def joined(_: Any, now: float) -> None:
            player.entered = True
            self.counters["joined"] += 1
            if self._players.get(player.session) is not player:  # it left while the handler thought
                self._tell_left(player, now)
                return
            self._around.report("joined", room=self.name, player=player.name, user=player.user)
            self._seat(player, message, places, now)
            player.busy -= 1
            self.asking.free(player, now)

        def inbox_opened(now: float) -> None:
            if self._players.get(player.session) is player:
                self.asking.ask(player, "joined", lambda: self.game.joined(player), joined, refused, now)

        self._around.inbox(player.user).open(inbox_opened, refused, now)

    def _turn_away(self, session: Session, error: BaseException, now: float) -> None:
        refused = as_refused(error)
        session.put(Lane.CONTROL, ErrorMessage(JOIN, refused.reason[:32], refused.text[:1000]))
        self.counters["turned_away"] += 1
        self._close_if_empty(now)

    def _seat(self, player: Player, message: Join, places: Places, now: float) -> None:
        """Tell a player where the room stands, and let it hear everything from there."""
        session = player.session
        same_world = places.epoch == self.world.epoch
        held = self.feed.stream.held(places.tick) if same_world and places.tick is not None else None
        channels = [self.channel, self._around.inbox(player.user)]
        session.put(Lane.CONTROL, Joined(
            room=self.number, name=self.name, epoch=self.world.epoch, tick=self.tick - 1,
            time=self.server_ms(self._ticked_at), tick_us=round(self.tick_s * 1e6), stream=self.feed.number,
            channels=[(channel.number, channel.name, *(channel.place or (0, 0))) for channel in channels],
            schema_hash=self.schema.hash,
            schema=None if message.schema_hash == self.schema.hash else self.schema.describe(),
            rows=player.joined_rows(), last_seq=player.top_seq, event=self.events.number,
        ))  # fmt: skip
        for channel in channels:
            channel.hear(session, places.channels.get(channel.name))
        self.feed.start(player, None if held is None else held.number, now)
        if same_world and places.event is not None:
            self.events.missed(player, places.event)

    # --- going ---

    def lose(self, session: Session, now: float) -> None:
        """A player's connection was lost; the player may come back."""
        player = self._players[session]
        if not player.online:
            return
        player.online = False
        player.inputs.clear()
        self._unhear(player)
        self.asking.after(player, lambda _, now: self.asking.ask(
            player, "away", lambda: self.game.away(player), nothing, nothing, now), now)  # fmt: skip

    def leave(self, session: Session, now: float) -> None:
        """A player is gone for good."""
        player = self._players.pop(session, None)
        if player is None:
            return
        session.seats.pop(self.number, None)
        self._unhear(player)
        player.online = False
        player.queue.clear()
        if player.entered:
            self._tell_left(player, now)
        self._close_if_empty(now)

    def _unhear(self, player: Player) -> None:
        self.channel.unhear(player.session)
        self._around.inbox(player.user).unhear(player.session)

    def _tell_left(self, player: Player, now: float) -> None:
        self.counters["left"] += 1
        self._around.report("left", room=self.name, player=player.name, user=player.user)
        self.asking.ask(None, "left", lambda: self.game.left(player), nothing, nothing, now)
        self._rows_changed.pop(player, None)

    # --- messages ---

    def receive(self, session: Session, message: Message, now: float) -> None:
        """A player says something."""
        self._verbs[type(message)](self._players[session], message, now)

    def ponged(self, session: Session, number: int) -> None:
        """A player has answered a ping."""
        self.feed.ponged(self._players[session], number)

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
        if now < self._ticked_at:
            self._ticked_at = now - self.tick_s  # the clock went back
        due = int((now - self._ticked_at) / self.tick_s + 1e-9)
        dropped = due - self._around.limits.late_ticks
        if dropped > 0:
            self.counters["ticks_dropped"] += dropped
            self._ticked_at += dropped * self.tick_s
            due -= dropped
        for _ in range(due):
            self._ticked_at += self.tick_s
            self._tick(now)
        if dropped > 0:
            self._tell_clock()

    def _tick(self, now: float) -> None:
        players = [player for player in self._players.values() if player.online and player.entered]
        self.actions.take_inputs(players, now)
        try:
            self.game.tick(self.tick_s)
        except Exception as error:
            self.asking.raised(None, "tick", error)
        self.feed.stream.commit(self.tick, check=self.tick % self._check_every == 0)
        self._tell_rows()
        self.actions.acknowledge(players, self.tick)
        self.feed.serve(players, now, self.server_ms(now))
        self.events.deliver(players)
        self.counters["ticks"] += 1
        if self.tick % CLOCK_TICKS == 0:
            self._tell_clock()
        self.tick += 1

    def _tell_rows(self) -> None:
        changed, self._rows_changed = self._rows_changed, {}
        for player in changed:
            if player.session in self._players and player.online:
                player.tell_rows()

    def _tell_clock(self) -> None:
        clock = Clock(self.number, self.tick - 1, self.server_ms(self._ticked_at))
        for player in self._players.values():
            player.session.put(Lane.CONTROL, clock)
