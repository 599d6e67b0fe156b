"""A session: one user's presence on the server, which outlives its connection."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from ..codec import Shared
from ..errors import CloseCode
from ..interfaces import Identity
from ..limits import Limits
from ..messages import Message, Ping
from .outbox import Lane, Outbox, Pipe, framed

if TYPE_CHECKING:
    from .registry import Registry

#: Takes a close code and a text.
HangUp = Callable[[int, str], None]


class Session:
    """What the server knows of one user's presence.

    Attributes:
        id: Shown in logs; no secret.
        user, name: Who it is.
        pipe: The connection, or None while the session is away.
        seats: Room number -> the player there. The room owns the player; here it is only looked up.
        waits_for: Numbers of the rooms that are still opening and will then take it in.
        heard_at, sent_at: When the last byte came, and the last packet went, in seconds.
        features: What the peer announced that we know, on the connection that it has or had.
        round_trip_ms: The last measured round trip; `best_round_trip_ms` the smallest of this connection.
        away_until: When the server lets go of it at the latest, in seconds, while it is away; its rooms may do so sooner.
        over: Why it was ended by the server, a close code and a text, or None.
        hang_up: Says goodbye on the connection that it has, and closes it.
        counters: packets_in, packets_out, bytes_in, bytes_out, lines, actions, refused, skipped, resumed: plain integers.
    """

    def __init__(self, id: str, identity: Identity, limits: Limits, registry: Registry, now: float) -> None:
        self.id = id
        self.user = identity.user
        self.name = identity.name
        self.limits = limits
        self.pipe: Pipe | None = None
        self.features: Collection[str] = ()
        self.seats: dict[int, Any] = {}
        self.waits_for: set[int] = set()
        self.outbox = Outbox(limits)
        self.heard_at = now
        self.sent_at = now
        self.pinged_at = now
        self.round_trip_ms: float | None = None
        self.best_round_trip_ms: float | None = None
        self.away_until: float | None = None
        self.hang_up: HangUp | None = None
        self.over: tuple[int, str] | None = None
        self.tokens: list[str] = []
        self.counters = dict.fromkeys(
            ("packets_in", "packets_out", "bytes_in", "bytes_out", "lines", "actions", "refused", "skipped", "resumed"),
            0,
        )
        self._registry = registry
        self._ping_number = 0
        self._pings: dict[int, float] = {}

    def put(self, lane: Lane, item: Message | Shared) -> None:
        """Leave something for the peer; it goes out at the end of the turn. Nothing is kept for a session that is away."""
        if self.pipe is not None:
            self.outbox.put(lane, item)
            self._registry.dirty[self] = None

    def give(self, frame: Shared, now: float) -> None:
        """Send a frame of state at once if nothing else waits for the peer; else it takes its place among that."""
        pipe = self.pipe
        if pipe is None or not self.outbox.empty:
            self.put(Lane.STATE, frame)
            return
        data = framed(frame, pipe)
        pipe.send(data)
        self._sent(len(data), now)

    def give_joined(self, parts: tuple[bytes, ...], size: int, now: float) -> None:
        """Do the same with a packet in parts, of so many bytes, that is for nobody else: so it is joined once, and not kept."""
        pipe = self.pipe
        if pipe is None or not self.outbox.empty:
            self.put(Lane.STATE, Shared(*parts))
            return
        data = b"".join((pipe.head(size), *parts))
        pipe.send(data)
        self.sent_at = now
        counters = self.counters
        counters["packets_out"] += 1
        counters["bytes_out"] += len(data)

    def _sent(self, size: int, now: float) -> None:
        self.sent_at = now
        self.counters["packets_out"] += 1
        self.counters["bytes_out"] += size

    def flush(self, now: float) -> None:
        """End of the turn: give the pipe what waits, or let a peer go that does not read.

        Raises:
            LocalProtocolError: Something was left for the peer that cannot be encoded; its connection ends.
        """
        pipe = self.pipe
        if pipe is None:
            return
        try:
            given = self.outbox.flush(pipe)
        except Exception:
            self.outbox.clear()
            pipe.close(CloseCode.INTERNAL, "an error on the server")
            raise
        if given:
            self._sent(given, now)
        elif self.outbox.waiting_bytes > self.limits.outbox_bytes:
            self.outbox.clear()
            pipe.close(CloseCode.TOO_SLOW, "you read too slowly; come back and resume")

    def ping(self, now: float, *, server_ms: int) -> int:
        """Send a PING; its answer measures the round trip, and proves that all before it was read.

        Returns:
            The number that the PONG will carry.
        """
        self._ping_number += 1
        while len(self._pings) >= 8:  # a peer that never answers must not make us remember
            self._pings.pop(next(iter(self._pings)))
        self._pings[self._ping_number] = now
        self.pinged_at = now
        self.put(Lane.BULK, Ping(self._ping_number, server_ms))
        return self._ping_number

    def ponged(self, number: int, now: float) -> None:
        """Take the answer of a ping; one that we did not ask for is ignored."""
        asked = self._pings.pop(number, None)
        if asked is None:
            return
        self.round_trip_ms = (now - asked) * 1000.0
        best = self.best_round_trip_ms
        self.best_round_trip_ms = self.round_trip_ms if best is None else min(best, self.round_trip_ms)

    def others(self) -> list[Session]:
        """The other sessions of the same user in this process, the oldest first."""
        return [other for other in self._registry.of(self.user) if other is not self]

    def end(self, code: int, text: str, now: float) -> None:
        """The session is over by the server's will: tell its peer now, or when it comes to take the session up."""
        hang_up, self.over = self.hang_up, (code, text)
        self.detach(now)
        if hang_up is not None:
            hang_up(code, text)

    def attach(self, pipe: Pipe, now: float, features: Collection[str] = (), hang_up: HangUp | None = None) -> None:
        """A connection takes the session up.

        Args:
            pipe: Of the connection.
            now: The time in seconds.
            features: What its peer announced.
            hang_up: Says goodbye on it, and closes it.
        """
        self.pipe = pipe
        self.hang_up = hang_up
        self.features = features
        self.away_until = None
        self._registry.away.pop(self, None)
        self.heard_at = self.sent_at = self.pinged_at = now
        self.best_round_trip_ms = None
        self._pings.clear()
        self.outbox.clear()

    def detach(self, now: float) -> None:
        """The connection is gone; the session waits for its user."""
        self.pipe = self.hang_up = None
        self.away_until = now + self.limits.away_s
        self._registry.away[self] = None
        self._pings.clear()
        self.outbox.clear()
