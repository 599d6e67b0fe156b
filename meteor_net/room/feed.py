"""Who gets which frame of a room's stream.

Most players stand at the version before the newest and get the one shared frame. One that cannot take it (bytes waiting, or
too much written that it does not hold yet) is skipped: nothing is queued for it. When it can take state again it gets one frame
from the version it stands at, or a keyframe if that is no longer held, and then follows the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..codec import Shared
from ..errors import BaseLost
from ..limits import Limits
from ..messages import Frame
from ..state import Coding, Step, Stream, Version
from .player import Player

#: Clients tell what they hold each half second (wire page, clause 8.10), so a fresh word may be so old.
HELD_INTERVAL_S = 0.5


class Feed:
    """The frames of one stream, encoded once for each version that somebody stands at, and each coding.

    Args:
        number: The stream's, on the wire.
        stream: Gives the steps.
        limits: What is allowed.
        too_large: Told the bytes of a frame that players would refuse; once.

    Attributes:
        counters: frames (given to players), skipped, catch_ups, keyframes, paused, too_large: plain integers.
    """

    def __init__(self, number: int, stream: Stream, limits: Limits, too_large: Callable[[int], None]) -> None:
        self.number = number
        self.stream = stream
        self.counters = dict.fromkeys(("frames", "skipped", "catch_ups", "keyframes", "paused", "too_large"), 0)
        self._limits = limits
        self._too_large = too_large
        self._frames: dict[tuple[int | None, Coding], tuple[Step, Shared]] = {}
        self._newest = -1

    def start(self, player: Player, held: int | None, now: float) -> None:
        """A player joined, or came back, and stands at version number `held` (None: at none)."""
        player.coding = Coding.of(player.session.features)
        player.held = held or None  # the empty version is where a keyframe starts
        player.written_at = None
        player.probe = None
        player.lagging_since = now

    def serve(self, players: Iterable[Player], now: float, server_ms: int) -> None:
        """Give every player what it lacks of the newest version, where it can take it.

        It goes out at once to a player for whom nothing else waits, so that the last one has it soon too.
        """
        newest = self.stream.version
        if newest.number != self._newest:
            self._newest = newest.number
            self._frames.clear()
        if newest.number == 0:
            return
        before = newest.number - 1
        late: list[Player] = []
        shared: dict[Coding, Shared] = {}
        for player in players:
            if player.held == newest.number:
                continue
            if player.session.blocked or self._pausing(player, now, server_ms):
                self.counters["skipped"] += 1
                if player.lagging_since is None:
                    player.lagging_since = now
            elif player.held == before and before:
                frame = shared.get(player.coding)
                if frame is None:
                    frame = shared[player.coding] = self._frame(before, player.coding)
                self._give(player, frame, newest, now)
            else:
                late.append(player)
        if late:
            self._catch_up(late, now)

    def held(self, player: Player, tick: int, now: float, tick_s: float, tick_now: int) -> None:
        """The player says that it has applied the version of a tick."""
        if tick >= player.written_tick:
            player.written_at = None
        elif player.written_at is not None:
            player.written_at = max(player.written_at, now - (tick_now - tick) * tick_s)

    def ponged(self, player: Player, number: int) -> None:
        """The player has answered a ping: all that was written before the ping has arrived."""
        if player.probe is not None and number >= player.probe:
            player.probe = None
            player.written_at = None

    def _pausing(self, player: Player, now: float, server_ms: int) -> bool:
        """Whether so much is under way that more would only be older when it arrives."""
        if player.probe is not None:
            return True
        if player.written_at is None:
            return False
        round_trip_s = (player.session.best_round_trip_ms or 0.0) / 1000.0
        if now - player.written_at <= self._limits.behind_s + HELD_INTERVAL_S + round_trip_s:
            return False
        player.probe = player.session.ping(now, server_ms=server_ms)
        self.counters["paused"] += 1
        return True

    def _catch_up(self, late: list[Player], now: float) -> None:
        """Serve those who stand elsewhere, longest waiting first, with a bounded number of encodes."""
        late.sort(key=lambda player: player.lagging_since if player.lagging_since is not None else now)
        encoded = self.stream.counters["frames"]
        for player in late:
            key = (player.held, player.coding)
            if key not in self._frames and self.stream.counters["frames"] - encoded >= self._limits.catch_ups_per_tick:
                continue
            self.counters["catch_ups"] += 1
            self._give(player, self._frame(*key), self.stream.version, now)

    def _give(self, player: Player, frame: Shared, version: Version, now: float) -> None:
        if len(frame) > self._limits.packet_out_bytes:
            # A player would end the connection, come back, and be given it again: it waits for one that fits.
            self.counters["too_large"] += 1
            if self.counters["too_large"] == 1:
                self._too_large(len(frame))
            return
        player.session.give(frame, now)
        player.held = version.number
        player.written_tick = version.tick
        player.lagging_since = None
        if player.written_at is None:
            player.written_at = now
        self.counters["frames"] += 1

    def _frame(self, base: int | None, coding: Coding) -> Shared:
        try:
            step = self.stream.step(base, coding)
        except BaseLost:
            return self._frame(None, coding)
        # A step is encoded once; a version that stands for long is given with a later tick, which is another step.
        made = self._frames.get((base, coding))
        if made is None or made[0] is not step:
            if step.base_code >> 3 == 0:
                self.counters["keyframes"] += 1
            texts = step.texts or []
            frame = Shared.of(Frame(self.number, step.tick & 0xFFFF, step.base_code, step.data, texts))
            made = self._frames[base, coding] = (step, frame)
        return made[1]
