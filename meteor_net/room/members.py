"""Who is in a room: coming and going, away and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import Refused
from ..interfaces import Identity
from ..limits import MAX_PROSE_CHARS, MAX_WORD_CHARS
from ..messages import CODES, ErrorMessage, Join, Joined, Left, Role, fitting
from ..requests import Seen
from ..session.outbox import Lane, Pipe
from ..session.session import Session
from .asking import as_refused, nothing
from .places import Places
from .player import KEYS, Player
from .surroundings import Surroundings

if TYPE_CHECKING:
    from .room import Room


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a JOIN asked for, and on which connection: an answer for another one is worth nothing."""

    message: Join
    places: Places
    pipe: Pipe | None

    @property
    def role(self) -> Role:
        return Role(self.message.role)


class Members:
    """Who is in a room.

    Attributes:
        players: Session -> player, in the order of coming; one that the game was not asked about yet, or has not answered
            for, is not `entered`.
    """

    def __init__(self, room: Room, around: Surroundings) -> None:
        self.players: dict[Session, Player] = {}
        self._room = room
        self._around = around
        self._asking = room.asking
        #: Who came before the room was open; each JOIN gets an answer.
        self._waiting: dict[Session, list[_Wish]] = {}
        #: Whom the game is being asked about, and their JOINs; some may have left meanwhile.
        self._entering: dict[Player, list[_Wish]] = {}
        self._next_key = 0

    def __contains__(self, session: Session) -> bool:
        return session in self.players or session in self._waiting

    def __bool__(self) -> bool:
        """Whether the room is still needed."""
        return bool(self.players or self._waiting or self._entering)

    def seated(self) -> list[Player]:
        """Who was told JOINED on the connection that it has now, and so hears what happens."""
        return [player for player in self.players.values() if player.seated]

    # --- coming ---

    def join(self, session: Session, message: Join, now: float) -> None:
        """A session wants in; or is in already, and its new connection says which places it holds.

        Raises:
            PacketError: If the places are none.
        """
        wish = _Wish(message, Places.of(message.places, self._around.limits), session.pipe)
        if self._room.is_open or self._room.is_closed:
            self._answer(session, wish, now)
        else:
            earlier = [each for each in self._waiting.get(session, ()) if each.pipe is session.pipe]
            self._waiting[session] = [*earlier, wish]
            session.waits_for.add(self._room.number)

    def _answer(self, session: Session, wish: _Wish, now: float) -> None:
        player = self.players.get(session)
        if player is not None:
            self._come_back(player, wish, now)
        else:
            self._admit(session, wish, now)

    def admit_waiting(self, now: float) -> None:
        """The room has opened, or could not be: who waited for that gets an answer."""
        waiting, self._waiting = self._waiting, {}
        for session, wishes in waiting.items():
            session.waits_for.discard(self._room.number)
            for wish in wishes:
                self._answer(session, wish, now)

    def _come_back(self, player: Player, wish: _Wish, now: float) -> None:
        if player in self._entering:
            self._entering[player].append(wish)
        if not player.online:
            player.online, player.away_until = True, None
            self._tell_game(player, "back", now)
        self._asking.after(player, lambda _, now: self._seat(player, wish, now), now)

    def _tell_game(self, player: Player, verb: str, now: float) -> None:
        def tell(_: Any, now: float) -> None:
            self._asking.ask(player, verb, lambda: getattr(self._room.game, verb)(player), nothing, nothing, now)

        self._asking.after(player, tell, now)

    def _admit(self, session: Session, wish: _Wish, now: float) -> None:
        room = self._room
        if session.pipe is None or session.pipe is not wish.pipe:
            return  # gone while the room opened
        playing = sum(player.role == "play" for player in self.players.values())
        if room.is_closed:
            self._turn_away(session, Refused(f"room {room.name} could not be opened", "failed"))
        elif wish.role is Role.PLAY and playing >= room.game.max_players:
            self._turn_away(session, Refused(f"room {room.name} is full: {playing} are playing", "room-full"))
        elif (key := self._free_key()) is None:
            self._turn_away(session, Refused(f"room {room.name} is full: {len(self.players)} are in it", "room-full"))
        else:
            self._take_in(Player(session, room, wish.role, self._around.limits, key), wish, now)

    def _free_key(self) -> int | None:
        """The next key that nobody has, or had: only when all were given out does it begin with the first ones again."""
        used = {player.key for player in (*self.players.values(), *self._entering)}
        if len(used) == KEYS:
            return None
        while self._next_key in used:
            self._next_key = (self._next_key + 1) % KEYS
        key, self._next_key = self._next_key, (self._next_key + 1) % KEYS
        return key

    def _take_in(self, player: Player, wish: _Wish, now: float) -> None:
        room = self._room
        self.players[player.session] = player
        player.session.seats[room.number] = player
        player.busy += 1  # what the player says waits until it is in
        self._entering[player] = [wish]

        def inbox_opened(now: float) -> None:
            if player.here:
                self._asking.ask(player, "joined", lambda: room.game.joined(player), joined, refused, now)
            else:
                del self._entering[player]
                room.close_if_empty(now)

        def inbox_failed(error: BaseException, now: float) -> None:
            self._around.report("error", error, room=room.name, player=player.name, verb="inbox")
            refused(error, now)

        def refused(error: BaseException, now: float) -> None:
            wishes = self._entering.pop(player)
            if player.here:
                del self.players[player.session]
                del player.session.seats[room.number]
                for each in wishes:
                    if each.pipe is player.session.pipe:  # the connection that it was asked on is there
                        self._turn_away(player.session, error)
            room.close_if_empty(now)

        def joined(_: Any, now: float) -> None:
            del self._entering[player]
            self._enter(player, wish, now)

        self._around.inbox(player.user).open(inbox_opened, inbox_failed, now)

    def _enter(self, player: Player, wish: _Wish, now: float) -> None:
        """The game has let a player in."""
        room = self._room
        player.entered = True
        room.counters["joined"] += 1
        self._around.report("joined", room=room.name, player=player.name, user=player.user)
        self._tell_storage(player, now)
        if not player.here:  # it left while the game thought
            self._tell_left(player, now)
            room.close_if_empty(now)
            return
        self._seat(player, wish, now)
        player.busy -= 1
        self._asking.free(player, now)

    def _tell_storage(self, player: Player, now: float) -> None:
        """The user is here: whoever writes to it, or to its name, finds it from now on."""

        def failed(error: BaseException, now: float) -> None:
            self._around.report("error", error, room=self._room.name, player=player.name, verb="seen")

        self._around.requests.append(Seen(nothing, failed, Identity(player.user, player.name), self._room.server_ms(now)))

    def _turn_away(self, session: Session, error: BaseException) -> None:
        refused = as_refused(error)
        reason, text = fitting(refused.reason, MAX_WORD_CHARS), fitting(refused.text, MAX_PROSE_CHARS)
        session.put(Lane.CONTROL, ErrorMessage(CODES[Join], reason, text))
        self._room.counters["turned_away"] += 1

    def _seat(self, player: Player, wish: _Wish, now: float) -> None:
        """Tell a player where the room stands, and let it hear everything from there."""
        room, session, places = self._room, player.session, wish.places
        if not player.here or session.pipe is None or session.pipe is not wish.pipe:
            return  # taken out by the game, or lost meanwhile: then the next connection asks for itself
        player.seated = True
        same_world = places.epoch == room.world.epoch
        held = room.feed.stream.held(places.tick) if same_world and places.tick is not None else None
        channels = [room.channel, self._around.inbox(player.user)]
        session.put(Lane.CONTROL, Joined(
            room=room.number, name=room.name, epoch=room.world.epoch, tick=room.tick - 1, time=room.tick_ms(),
            tick_us=round(room.tick_s * 1e6), stream=room.feed.number,
            channels=[(channel.number, channel.name, *(channel.place or (0, 0))) for channel in channels],
            schema_hash=room.schema.hash,
            schema=None if wish.message.schema_hash == room.schema.hash else room.schema.describe(),
            rows=player.joined_rows(), last_seq=player.top_seq, event=room.events.number, key=player.key,
        ))  # fmt: skip
        for channel in channels:
            channel.hear(session, places.channels.get(channel.name))
        room.feed.start(player, None if held is None else held.number, now)
        if places.event is not None:
            room.events.missed(player, places.event if same_world else None)

    # --- going ---

    def lose(self, session: Session, now: float) -> None:
        """A player's connection was lost; the player may come back."""
        player = self.players[session]
        if not player.online:
            return
        self._quiet(player)
        away_s = self._room.game.away_s
        player.away_until = now + (self._around.limits.away_s if away_s is None else away_s)
        self._around.inbox(player.user).unhear(session)
        self._tell_game(player, "away", now)

    def remove(self, player: Player, text: str, now: float) -> None:
        """Take a player out, and tell why; one that is gone already is left alone."""
        if player.here:
            player.session.put(Lane.CONTROL, Left(self._room.number, "removed", fitting(text, MAX_PROSE_CHARS)))
            self.leave(player.session, now)

    def leave(self, session: Session, now: float) -> None:
        """A player is gone for good."""
        player = self.players.pop(session, None)
        if player is None:
            return
        del session.seats[self._room.number]
        self._quiet(player)
        if not session.seats:  # else it hears its inbox in another room
            self._around.inbox(player.user).unhear(session)
        player.queue.clear()
        if player.entered:
            self._tell_left(player, now)
        self._room.close_if_empty(now)

    def _quiet(self, player: Player) -> None:
        """The player does and hears nothing for now."""
        player.online = player.seated = False
        player.inputs.clear()
        self._room.channel.unhear(player.session)

    def _tell_left(self, player: Player, now: float) -> None:
        self._room.counters["left"] += 1
        self._around.report("left", room=self._room.name, player=player.name, user=player.user)
        self._asking.ask(None, "left", lambda: self._room.game.left(player), nothing, nothing, now)
