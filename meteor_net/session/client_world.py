"""The world of a room as a client's session holds it: replica, clock and events. Plain."""

from __future__ import annotations

from typing import Any

from ..errors import MessageError
from ..messages import Clock, EventMessage, Frame, Gap, Held, Joined, Lost, Message, Own
from ..state import Replica, Schema, StateSync
from . import client_values as values

#: The client tells the tick it holds so often while frames come, in seconds (clause 8.10).
HELD_S = 0.5
#: A joined room without a first frame counts as ready after so many seconds.
READY_S = 2.0
#: Keyframes in a row that cannot be applied, until the connection is given up.
MAX_BAD_KEYFRAMES = 3


class RoomWorld:
    """Follow a room's stream and hear its events.

    Attributes:
        schema: The game's schema, None before the first JOINED.
        replica: The world, None before the first JOINED.
        sync: Its newest versions and what to show of them, None before the first JOINED.
        rows: The player's own rows, as (table, slot).
        epoch: The world's epoch.
        event: The number of the last event heard.
        in_sync: True if the replica may be named as a place.
        lost: True after LOST, until a keyframe comes.
        ready: True once the first picture after JOINED is there.
        anchor: A tick, its time in ms of the server's clock, and the length of a tick in µs.
    """

    def __init__(self, out: list[Message], told: list[values.Value]) -> None:
        self.schema: Schema | None = None
        self.replica: Replica | None = None
        self.sync: StateSync | None = None
        self.rows: list[tuple[int, int]] = []
        self.epoch = 0
        self.event = 0
        self.in_sync = False
        self.lost = False
        self.ready = False
        self.anchor = (0, 0, 50_000)
        self.counters: dict[str, float] = dict.fromkeys(["frames", "frame_bytes", "frames_lost", "events", "event_gaps"], 0)
        self._room = -1
        self._name = ""
        self._held_at = float("-inf")
        self._held_tick = -1
        self._ready_at = 0.0
        self._joined_tick = 0
        self._bad_keyframes = 0
        self._out = out
        self._told = told

    @property
    def exists(self) -> bool:
        """Whether the room has a world at all, and not talk alone."""
        return self.schema is not None and bool(self.schema.names)

    def places(self) -> dict[str, Any]:
        """Tell how far we hold the room, for JOIN."""
        if self.replica is None:
            return {}
        places: dict[str, Any] = {"event": self.event, "epoch": self.epoch}
        if self.in_sync:
            places["tick"] = self.replica.tick
        return places

    def joined(self, message: Joined, now: float) -> tuple[bool, bool]:
        """Take JOINED (clause 6.2).

        Returns:
            Whether the world is another than before, and whether the schema is.

        Raises:
            MessageError: If the schema is none, or is missing.
        """
        other_schema = self._take_schema(message)
        fresh = self.replica is None or message.epoch != self.epoch or other_schema
        if fresh or self.replica is None or self.sync is None:
            assert self.schema is not None
            self.replica = Replica(self.schema, message.epoch)
            self._begin_sync(message)
            self.event = message.event
            self.in_sync = False
        else:
            self.sync.to_present()
            self.sync.set_clock(message.tick, message.time / 1000)
        self.event = min(self.event, message.event)
        self.replica.note_tick(message.tick)
        self.epoch, self.rows = message.epoch, message.rows
        self.lost = self.ready = False
        self.anchor = (message.tick, message.time, message.tick_us)
        self._room, self._name = message.room, message.name
        self._joined_tick = message.tick
        self._held_at, self._held_tick = float("-inf"), -1
        self._ready_at = now + READY_S
        return fresh, other_schema

    def _begin_sync(self, message: Joined) -> None:
        rate = self.sync.asked_rate if self.sync is not None else None  # what our user chose outlives a world
        self.sync = StateSync(rate, tick_s=message.tick_us / 1e6, tick=message.tick, time_s=message.time / 1000)

    def _take_schema(self, message: Joined) -> bool:
        before = self.schema
        told = before if message.schema is None else Schema.parse(message.schema)
        if told is None or told.hash != message.schema_hash:
            raise MessageError("JOINED: the schema does not have the hash that it is said to have")
        if before is not None and before.hash == told.hash:
            return False
        self.schema = told
        return True

    # --- frames ---

    def frame(self, message: Frame, now: float) -> None:
        """Apply a frame; one that cannot be applied is answered by LOST (clause 8.9).

        Raises:
            MessageError: If several keyframes in a row cannot be applied.
        """
        assert self.replica is not None and self.sync is not None
        keyframe = message.base >> 3 == 0
        if self.lost and not keyframe:
            return
        self.counters["frame_bytes"] += len(message.data) + len(message.sight) + len(message.docs)
        try:
            version = self.replica.apply(message.tick16, message.base, message.data, message.texts, message.sight, message.docs)
        except MessageError as error:
            self._frame_lost(keyframe, error)
            return
        self.sync.sync_state(version, now=now)
        self.counters["frames"] += 1
        self.lost, self.in_sync, self._bad_keyframes = False, True, 0
        self._told.append(values.FrameApplied(self._name, self.replica.tick))
        self._be_ready()
        self._tell_held(now)

    def _frame_lost(self, keyframe: bool, error: MessageError) -> None:
        self.counters["frames_lost"] += 1
        self.in_sync = False
        if keyframe:
            self._bad_keyframes += 1
            if self._bad_keyframes >= MAX_BAD_KEYFRAMES:
                raise MessageError(f"keyframes that cannot be applied: {error}") from error
        self.lost = True
        self._out.append(Lost(self._room))
        self._told.append(values.MessageFailed(error))

    def _tell_held(self, now: float) -> None:
        assert self.replica is not None
        if now - self._held_at >= HELD_S and self.replica.tick != self._held_tick:
            self._held_at, self._held_tick = now, self.replica.tick
            self._out.append(Held(self._room, self.replica.tick))

    def _be_ready(self) -> None:
        if not self.ready:
            self.ready = True
            self._told.append(values.WorldReady(self._name))

    def pong(self) -> None:
        """A ping that was sent after JOINED is answered: an untouched world sends no frame.

        A world with rows of ours is touched, even if the tick that makes its version is to come.
        """
        if self.in_sync or (self._joined_tick == 0 and not self.rows):
            self._be_ready()

    def tick(self, now: float) -> None:
        """Do what is due: the last HELD, and not to wait for a first frame for ever."""
        if self.in_sync:
            self._tell_held(now)
        if now >= self._ready_at:
            self._be_ready()

    @property
    def seen(self) -> int:
        """The tick on the player's screen, in eighths: the one shown last; the newest for who lets nothing be shown."""
        assert self.replica is not None and self.sync is not None
        return int((self.sync.shown or self.replica.tick) * 8)

    # --- clock and own rows ---

    def clock(self, message: Clock) -> None:
        """Take another anchor of the room's clock (clause 6.4)."""
        assert self.replica is not None and self.sync is not None
        self.anchor = (message.tick, message.time, self.anchor[2])
        self.sync.set_clock(message.tick, message.time / 1000)
        self.replica.note_tick(message.tick)

    def own(self, message: Own) -> None:
        """Take the player's own rows (clause 6.5)."""
        self.rows = message.rows

    def tick_at(self, server_ms: float) -> float:
        """Tell the room's tick, with its fraction, at a time of the server's clock."""
        tick, time_ms, tick_us = self.anchor
        return tick + (server_ms - time_ms) * 1000 / tick_us

    # --- events ---

    def event_heard(self, message: EventMessage) -> None:
        """Hear an event, at once; one that was heard before is ignored.

        Raises:
            MessageError: If its kind or its values are not the schema's.
        """
        assert self.schema is not None
        if message.number <= self.event:
            return
        if message.kind >= len(self.schema.events):
            raise MessageError(f"EVENT: the game has no event {message.kind}")
        event = self.schema.events[message.kind].from_wire(message.values)
        if message.number > self.event + 1:
            self._gap()
        self.event = message.number
        self.counters["events"] += 1
        self._told.append(values.EventHeard(self._name, message.number, message.tick, event))

    def gap(self, message: Gap) -> None:
        """Events were lost for us (clause 8.11)."""
        self.event = message.number
        self._gap()

    def _gap(self) -> None:
        self.counters["event_gaps"] += 1
        self._told.append(values.GapFound(self._name, None))
