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
from ..session.burst import burst
from ..state import Coding, Step, Stream
from .player import Player

if TYPE_CHECKING:
    from ..state.sight.sights import Way

#: Clients tell what they hold each half second (wire page, clause 8.10), so a fresh word may be so old.
HELD_INTERVAL_S = 0.5
#: Who looks elsewhere while the world stands still waits so long for the next version; then one is made for it.
UNSEEN_S = 0.25


class _Packet:
    """One step of the stream, and the packet that carries it.

    Attributes:
        step: The step.
        before: What of the packet comes before the item `sight`, another one for each player; `after` what comes after it.
        around: Bytes of both.
    """

    __slots__ = ("_message", "_shared", "after", "around", "before", "step")

    def __init__(self, number: int, step: Step, sights: bool) -> None:
        self.step = step
        self._message = Frame(number, step.tick16, step.base_code, step.data, step.texts or [], docs=step.docs)
        self._shared: Shared | None = None
        self.before, self.after = frame_around_sight(self._message) if sights else (b"", b"")
        self.around = len(self.before) + len(self.after)

    @property
    def shared(self) -> Shared:
        """The packet without a sight."""
        if self._shared is None:
            self._shared = Shared.of(self._message)
        return self._shared


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
        self._packets: dict[tuple[int | None, Coding], _Packet] = {}
        self._newest = -1
        self._unseen_since: float | None = None

    def start(self, player: Player, held: int | None, now: float) -> None:
        """A player joined, or came back, and stands at version number `held` (None: at none)."""
        player.coding = Coding.of(player.session.features)
        player.held = held or None  # the empty version is where a keyframe starts
        player.sight = None  # whatever it holds of keyed tables, it forgets
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
        if newest.number == 0:
            return
        before = newest.number - 1 or -1
        at_ease = now - self._limits.behind_s - HELD_INTERVAL_S
        ready: list[Player] = []
        late: list[Player] = []
        unseen = False
        for player in players:
            held, written_at, pipe = player.held, player.written_at, player.session.pipe
            hot = None if pipe is None else pipe.hot
            if held == newest.number:
                unseen = unseen or player.sight is not player.wanted
            elif (
                pipe is None
                or (pipe.unsent if hot is None else hot.unsent_bytes)
                or player.probe is not None
                or (written_at is not None and written_at < at_ease and self._pauses(player, written_at, now, server_ms))
            ):
                self.counters["skipped"] += 1
                if player.lagging_since is None:
                    player.lagging_since = now
            elif held == before:
                ready.append(player)
            else:
                late.append(player)
        if late:
            ready += self._in_turn(late, now)
        unseen |= self._give(ready, before, now)
        self._unseen_since = None if not unseen else self._unseen_since or now

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

    def _pauses(self, player: Player, written_at: float, now: float, server_ms: int) -> bool:
        """Whether so much is under way, since then, that more would only be older when it arrives: a pause begins."""
        round_trip_s = (player.session.best_round_trip_ms or 0.0) / 1000.0
        if now - written_at <= self._limits.behind_s + HELD_INTERVAL_S + round_trip_s:
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

    def _give(self, players: list[Player], before: int, now: float) -> bool:
        """Give each player the frame from where it stands; `before` is the number of the version before the newest.

        Returns:
            Whether somebody does not see all that it is to: of a slower ring another part is told only at that ring's ticks.
        """
        sights = self.stream.sights
        if sights is None:
            self._give_shared(players, now)
            return False
        version, most = self.stream.version, self._limits.packet_out_bytes
        packet: _Packet | None = None
        base: int | None = None
        coding, unseen = Coding.VARINT, False
        views = sights.frames([_way(player, before) for player in players])
        for player, (sight, seen) in zip(players, views, strict=True):
            if packet is None or player.held != base or player.coding is not coding:
                base, coding = player.held, player.coding
                packet = self._packet(base, coding)
            head = bytes_head(len(sight))
            size = packet.around + len(head) + len(sight) if sight else packet.shared.size
            if size > most:
                self._refuse(size)
                continue
            if sight:
                player.session.give_joined((packet.before, head, sight, packet.after), size, now)
            else:
                player.session.give(packet.shared, now)
            player.sight = seen
            unseen = unseen or seen is not player.wanted
            player.written(version, now)
            self.counters["frames"] += 1
        return unseen

    def _give_shared(self, players: list[Player], now: float) -> None:
        """Give each player the frame from where it stands, the same to all who stand there."""
        version = self.stream.version
        groups: dict[tuple[int | None, Coding], list[Player]] = {}
        for player in players:
            groups.setdefault((player.held, player.coding), []).append(player)
        for (base, coding), group in groups.items():
            frame = self._packet(base, coding).shared
            if frame.size > self._limits.packet_out_bytes:
                self._refuse(frame.size, len(group))
                continue
            burst([player.session for player in group], frame, now)
            for player in group:
                player.written(version, now)
            self.counters["frames"] += len(group)

    def _refuse(self, size: int, players: int = 1) -> None:
        """A player would end the connection, come back, and be given such a frame again: it waits for one that fits."""
        told = self.counters["too_large"] > 0
        self.counters["too_large"] += players
        if not told:
            self._too_large(size)

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
            packet = self._packets[base, coding] = _Packet(self.number, step, self.stream.sights is not None)
        return packet


def _way(player: Player, before: int) -> Way:
    """What a player holds of keyed tables at the version before the newest, None if it stands elsewhere; and what it wants."""
    assert player.wanted is not None, "`Views.update` comes first"
    return player.sight if player.held == before else None, player.wanted
