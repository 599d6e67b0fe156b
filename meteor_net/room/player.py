"""A player: a user in a room, and what the room has to know to serve it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import isfinite, nan
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex

from zope.interface import implementer

from ..codec import Shared
from ..interfaces import IPlayer
from ..limits import Limits
from ..messages import MAX_OWN_ROWS, Message, Own, Role
from ..requests import Then
from ..session.bucket import TokenBucket
from ..session.outbox import Lane
from ..session.session import Session
from ..state import Coding, Input, Row
from .answers import Answers

if TYPE_CHECKING:
    from ..state import Version
    from ..state.sight.lookout import Looking
    from ..state.sight.sights import Sight
    from .answer import Answer
    from .room import Room

#: Keys of players, and teams, are below this: a key travels in 16 bits (wire page, clause 8.19).
KEYS = 65_536

#: An input that waits for its tick: sequence number, tick on screen in eighths, the action.
Waiting = tuple[int, int, Any]


@implementer(IPlayer)
class Player:
    """A user in a room.

    Attributes:
        user, name, role, room, data, online, seen, row, rows, key, team: See `IPlayer`.
        session: Whose it is.
        inputs: Inputs that wait for a tick.
        steered: Kind and integers of the last that a step was run with, or None; `missed` the ticks without one since.
        top_seq: The highest sequence number that came; `acked_seq` the highest that was told taken.
        answers: What its newest actions were answered with.
        away_until: When the room lets go of it, in seconds, while it is away.
        coding: Of the frames that it gets.
        held: Number of the version that was written last, None if a keyframe is due.
        written_tick: The tick of that version; `written_at` when the oldest frame was written that the client
            did not say it holds.
        probe: Number of the ping whose answer ends a pause in its state, or None.
        busy: How many verbs of this player's are being awaited; `queue` holds the events behind them.
        entered: The handler has let it in: `left` will be told.
        seated: It was told JOINED on the connection that it has now, and hears what happens.
        hand: The answer that a command in hand owes the player, or None.
        lagging_since: When this player began to lack the newest version, in seconds, or None.
        sight: The keys that the client holds as of the version `held`, or None if all are to be sent anew.
        wanted: The keys that it is to hold, as `looking` gives them; both are None where no table is keyed.
        spot: Where the player looks from, or None for where its row is; `reach` how far it sees, or None for as far as the
            tables say. See `look`.
        teams: Those of `team`, as a set.
    """

    def __init__(self, session: Session, room: Room, role: Role, limits: Limits, key: int) -> None:
        self.session = session
        self.key = key
        self.user = session.user
        self.name = session.name
        self.role = role.name.lower()
        self.room = room
        self.data: dict[Any, Any] = {}
        self.online = True
        self.away_until: float | None = None
        self.seen = 0.0
        self.inputs: deque[Waiting] = deque(maxlen=limits.inputs_waiting)
        self.steered: tuple[type[Input], Any] | None = None
        self.missed = 0
        self.top_seq = 0
        self.acked_seq = 0
        self.answers = Answers(limits.answers_bytes)
        self.coding = Coding.VARINT
        self.held: int | None = None
        self.written_tick = 0
        self.written_at: float | None = None
        self.probe: int | None = None
        self.lagging_since: float | None = None
        self.sight: Sight | None = None
        self.looking: Looking | None = None
        self.wanted: Sight | None = None
        self.spot: tuple[float, float] | None = None
        self.reach: float | None = None
        self.teams: frozenset[int] = frozenset()
        self._team: int | frozenset[int] | None = None
        self.hand: Answer | None = None
        self.busy = 0
        self.entered = False
        self.seated = False
        self.queue: deque[Then] = deque()
        self.action_bucket = TokenBucket(limits.actions_per_s, limits.actions_burst)
        self.input_bucket = TokenBucket(limits.actions_per_s, limits.actions_per_s)
        self._rows: list[Any] = []
        self._told_rows: list[tuple[int, int]] = []

    def __repr__(self) -> str:
        return f"<Player {self.name!r} ({self.user}) in {self.room.name}>"

    @property
    def row(self) -> Any:
        """The player's own row, or None; the first of `rows`."""
        return self._rows[0] if self._rows else None

    @row.setter
    def row(self, row: Any) -> None:
        self.rows = [] if row is None else [row]

    @property
    def rows(self) -> list[Any]:
        """All of the player's own rows.

        Raises:
            TypeError: One is set that is no row of the room's world.
            ValueError: More are set than the wire carries.
        """
        return list(self._rows)

    @rows.setter
    def rows(self, rows: list[Any]) -> None:
        rows = list(rows)
        if len(rows) > MAX_OWN_ROWS:
            raise ValueError(f"{len(rows)} own rows; a player may have {MAX_OWN_ROWS}")
        for row in rows:
            if not isinstance(row, Row) or row.table not in self.room.world.tables:
                raise TypeError(f"{row!r} is no row of this room's world")
        self._rows = rows
        self.room.own.touch()

    @property
    def team(self) -> int | frozenset[int] | None:
        """The team, or teams, that the player is of; None for none.

        Raises:
            TypeError: What is set is neither an integer, nor several.
            ValueError: One is not within 0 to 65,535.
        """
        return self._team

    @team.setter
    def team(self, team: SupportsIndex | Iterable[SupportsIndex] | None) -> None:
        if team is None:
            self._team, self.teams = None, frozenset()
        elif isinstance(team, Iterable) and not isinstance(team, str | bytes):
            self._team = self.teams = frozenset(map(_team_number, team))
        else:
            self._team = _team_number(team)
            self.teams = frozenset((self._team,))
        self.room.own.touch()

    def look(self, x: float | None = None, y: float | None = None, reach: float | None = None) -> None:
        """Look from a point, until told otherwise; without one, from where `row` is, as it was at first."""
        if x.__class__ is y.__class__ is float and reach is None is self.reach and self.spot is not None and isfinite(x + y):
            self.spot = x, y  # as nearly always: for all players in each tick
            self.room.views.moved = True
            return
        if (x is None) != (y is None):
            raise ValueError("look wants both x and y, or neither")
        spot = None if x is None or y is None else (_finite("x", x), _finite("y", y))
        if reach is not None and _finite("reach", reach) < 0.0:
            raise ValueError(f"reach is {reach}; it cannot be negative")
        if reach != self.reach or spot is None or self.spot is None:
            self.room.own.touch()
        self.spot, self.reach = spot, reach
        self.room.views.moved = True

    @property
    def round_trip_ms(self) -> float | None:
        """The last measured round trip in ms, or None."""
        return self.session.round_trip_ms

    @property
    def here(self) -> bool:
        """Whether the player is still in its room, away or not."""
        return self.session.seats.get(self.room.number) is self

    def written(self, version: Version, now: float) -> None:
        """The frame that leads to a version was written."""
        self.held = version.number
        self.written_tick = version.tick
        self.lagging_since = None
        if self.written_at is None:
            self.written_at = now

    def put(self, lane: Lane, item: Message | Shared) -> None:
        """Leave something about the room for the client; once out of it, the client has no use for it."""
        if self.here:
            self.session.put(lane, item)

    def say(self, text: str) -> None:
        """Send the player alone a notice, kept in the user's inbox."""
        self.room.whisper(self, text)

    def tell(self, to: str, text: str) -> None:
        """Say something to one user, by name or id, in the player's name."""
        self.room.tell(self, to, text)

    def emit(self, event: object) -> None:
        """Send the player alone an event."""
        self.room.emit_to(self, event)

    def remove(self, text: str = "") -> None:
        """Take the player out of the room, and tell why."""
        self.room.remove(self, text)

    def owed(self) -> Answer | None:
        """The answer that the command in hand owes, if nothing brings it yet."""
        answer = self.hand
        return None if answer is None or answer.taken else answer

    def living_rows(self) -> list[Any]:
        """Those of `rows` that are alive."""
        return [row for row in self._rows if row.alive]

    def row_numbers(self) -> list[tuple[int, int]]:
        """(table, slot) of the rows that are alive, as the wire has them."""
        tables = self.room.world.tables
        return [(tables.index(row.table), row.slot) for row in self.living_rows()]

    def tell_rows(self) -> None:
        """Tell the client which rows are its own, if that changed."""
        rows = self.row_numbers()
        if rows != self._told_rows:
            self._told_rows = rows
            self.session.put(Lane.CONTROL, Own(self.room.number, rows))

    def joined_rows(self) -> list[tuple[int, int]]:
        """The rows for JOINED, which tells them itself."""
        self._told_rows = self.row_numbers()
        return self._told_rows

    def settled_seq(self) -> int:
        """The highest sequence number up to which all are taken: none waits for a tick, or for an answer."""
        open_seqs = [seq for seq, _, _ in self.inputs]
        open_seqs.extend(self.answers.awaited)
        return min(open_seqs) - 1 if open_seqs else self.top_seq


def _team_number(team: Any) -> int:
    if isinstance(team, bool):
        raise TypeError(f"a team is an integer, or None, or several; not {team!r}")
    try:
        number = index(team)
    except TypeError:
        raise TypeError(f"a team is an integer, or None, or several; not {team!r}") from None
    if not 0 <= number < KEYS:
        raise ValueError(f"team {number}; teams are 0 to {KEYS - 1}")
    return number


def _finite(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = nan
    if not isfinite(number):
        raise ValueError(f"{name} is {str(value)[:40]}; it has to be a finite number")
    return number
