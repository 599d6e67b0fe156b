"""Who gets which frame of a room's stream.

Most players stand at the version before the newest and get the one shared frame. One that cannot take it (bytes waiting, or
too much written that it does not hold yet) is skipped: nothing is queued for it. When it can take state again it gets one frame
from the version it stands at, or a keyframe if that is no longer held, and then follows the others.

Where tables are keyed, each frame is one of these with what is in the player's own sight joined to it (wire page, clause 8.20).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..codec import Shared, bytes_head, frame_around_sight
from ..errors import BaseLost
from ..limits import Limits
from ..messages import Frame
from ..state import Coding, Step, Stream, Version
from .player import Player

if TYPE_CHECKING:
    from ..state.sight.sights import Sight, Sights

#: Clients tell what they hold each half second (wire page, clause 8.10), so a fresh word may be so old.
HELD_INTERVAL_S = 0.5
#: Who looks elsewhere while the world stands still waits so long for the next version; then one is made for it.
UNSEEN_S = 0.25


class _Packet:
    """One step of the stream, and the packets that carry it.

    Attributes:
        step: The step.
        frame: It as a message.
    """

    __slots__ = ("_around", "_shared", "frame", "step")

    def __init__(self, number: int, step: Step) -> None:
        self.step = step
        self.frame = Frame(number, step.tick16, step.base_code, step.data, step.texts or [], docs=step.docs)
        self._shared: Shared | None = None
        self._around: tuple[bytes, bytes] | None = None

    @property
    def shared(self) -> Shared:
        """The packet for all."""
        if self._shared is None:
            self._shared = Shared.of(self.frame)
        return self._shared

    def with_sight(self, item: bytes) -> Shared:
        """The packet for those who see what an item `sight` tells: only joined, as each player may want another one."""
        if self._around is None:
            self._around = frame_around_sight(self.frame)
        before, after = self._around
        return Shared(b"".join((before, bytes_head(len(item)), item, after)))


class Feed:
    """The frames of one stream, encoded once for each version that somebody stands at, and each coding.

    Args:
        number: The stream's, on the wire.
        stream: Gives the steps.
        limits: What is allowed.
        too_large: Told the bytes of a frame that players would refuse; once.

    Attributes:
        share_views: Players who hold and want the same keys get the same bytes; a benchmark turns that off.
        counters: frames (given to players), skipped, catch_ups, keyframes, paused, too_large: plain integers.
    """

    def __init__(self, number: int, stream: Stream, limits: Limits, too_large: Callable[[int], None]) -> None:
        self.number = number
        self.stream = stream
        self.counters = dict.fromkeys(("frames", "skipped", "catch_ups", "keyframes", "paused", "too_large"), 0)
        self.share_views = True
        self._limits = limits
        self._too_large = too_large
        self._packets: dict[tuple[int | None, Coding], _Packet] = {}
        self._views: dict[tuple[Sight | None, Sight | None, _Packet], tuple[Shared, Sight]] = {}
        self._newest = -1
        self._unseen_since: float | None = None

    def start(self, player: Player, held: int | None, now: float) -> None:
        """A player joined, or came back, and stands at version number `held` (None: at none)."""
        player.coding = Coding.of(player.session.features)
        player.held = held or None  # the empty version is where a keyframe starts
        player.sight = None
        if self.stream.sights is not None and held == self.stream.version.number:
            player.held = None  # what it holds of keyed tables is not known, and no step leads to where it stands
        player.written_at = None
        player.probe = None
        player.lagging_since = now

    def overdue(self, now: float) -> bool:
        """Whether somebody has looked elsewhere for so long that a version has to be made, though the world stands still."""
        return self._unseen_since is not None and now - self._unseen_since > UNSEEN_S - 1e-6

    def serve(self, players: Iterable[Player], now: float, server_ms: int) -> None:
        """Give every player what it lacks of the newest version, where it can take it.

        It goes out at once to a player for whom nothing else waits, so that the last one has it soon too.
        """
        newest = self.stream.version
        if newest.number != self._newest:
            self._newest = newest.number
            self._packets.clear()
            self._views.clear()
        if newest.number == 0:
            return
        before = newest.number - 1
        ready: list[Player] = []
        late: list[Player] = []
        unseen = False
        for player in players:
            if player.held == newest.number:
                unseen = unseen or (player.looking is not None and player.sight is not player.looking.sight)
            elif player.session.blocked or self._pausing(player, now, server_ms):
                self.counters["skipped"] += 1
                if player.lagging_since is None:
                    player.lagging_since = now
            elif player.held == before and before:
                ready.append(player)
            else:
                late.append(player)
        self._unseen_since = None if not unseen else self._unseen_since or now
        if late:
            ready += self._in_turn(late, now)
        if self.stream.sights is not None:
            self._give_views(ready, self.stream.sights, now)
        else:
            for player in ready:
                self._give(player, self._packet(player.held, player.coding).shared, newest, now)

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

    def _in_turn(self, late: list[Player], now: float) -> list[Player]:
        """Of those who stand elsewhere: who is served now, longest waiting first, with a bounded number of encodes."""
        late.sort(key=lambda player: player.lagging_since if player.lagging_since is not None else now)
        encoded = self.stream.counters["frames"]
        served = []
        for player in late:
            key = (player.held, player.coding)
            if key not in self._packets:
                if self.stream.counters["frames"] - encoded >= self._limits.catch_ups_per_tick:
                    continue
                self._packet(*key)
            served.append(player)
        self.counters["catch_ups"] += len(served)
        return served

    def _give_views(self, players: list[Player], sights: Sights, now: float) -> None:
        """Give each player what is in its sight."""
        before = self._newest - 1
        pairs = [(player.sight if player.held == before else None, player.wanted) for player in players]
        sights.prepare((held, wanted, held is not None) for held, wanted in pairs if held is not wanted)
        for player, (held, wanted) in zip(players, pairs, strict=True):
            packet = self._packet(player.held, player.coding)
            key = (held, wanted, packet)
            view = self._views.get(key)
            if view is None:
                item, reached = sights.frame(held, wanted, held is not None)
                view = packet.with_sight(item) if item else packet.shared, reached
                if self.share_views:
                    self._views[key] = view
            if self._give(player, view[0], self.stream.version, now):
                player.sight = view[1]

    def _give(self, player: Player, frame: Shared, version: Version, now: float) -> bool:
        """Give a player the frame to a version; tells whether it was."""
        if len(frame) > self._limits.packet_out_bytes:
            # A player would end the connection, come back, and be given it again: it waits for one that fits.
            self.counters["too_large"] += 1
            if self.counters["too_large"] == 1:
                self._too_large(len(frame))
            return False
        player.session.give(frame, now)
        player.held = version.number
        player.written_tick = version.tick
        player.lagging_since = None
        if player.written_at is None:
            player.written_at = now
        self.counters["frames"] += 1
        return True

    def _packet(self, base: int | None, coding: Coding) -> _Packet:
        """The packet that leads from a version to the newest."""
        try:
            step = self.stream.step(base, coding)
        except BaseLost:
            return self._packet(None, coding)
        # A step is encoded once; a version that stands for long is given with a later tick, which is another step.
        packet = self._packets.get((base, coding))
        if packet is None or packet.step is not step:
            if step.base_code >> 3 == 0:
                self.counters["keyframes"] += 1
            packet = self._packets[base, coding] = _Packet(self.number, step)
        return packet
