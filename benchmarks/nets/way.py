"""What a bad network does to packets, one direction of it. Plain: packets and the time go in, packets come out."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from random import Random

#: Packets under way in one direction; one more is dropped.
MOST_PACKETS = 20_000


@dataclass(frozen=True)
class Conditions:
    """What a network is like, the same in both directions.

    Attributes:
        loss: Share of the packets that are dropped, each by itself.
        delay_s: What a packet takes, in seconds.
        jitter_s: It takes so much more or less, drawn evenly for each; packets keep their order all the same.
        rate_bps: Bits a second of each connection, 0 for no limit.
        queue_s: A packet that would wait longer for the packets before it is dropped, in seconds.
        late: Share of the packets that come later, and are overtaken by those behind.
        late_s: How much later, in seconds.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bps: float = 0.0
    queue_s: float = 0.5
    late: float = 0.0
    late_s: float = 0.0


class Way:
    """One direction. Each connection has a line of its own: its rate and its order are its own.

    Args:
        conditions: What it is like.
        random: Chooses which packets suffer.

    Attributes:
        packets, octets: What was let through so far.
        dropped: Packets that were not.
    """

    def __init__(self, conditions: Conditions, random: Random) -> None:
        self.packets = self.octets = self.dropped = 0
        self._conditions = conditions
        self._random = random
        #: Of each line: when the last bit of what was taken so far has left, and when the last packet comes.
        self._lines: dict[int, tuple[float, float]] = {}
        self._coming: list[tuple[float, int, bytes]] = []
        self._taken = 0

    def take(self, packet: bytes, line: int, now: float) -> None:
        """Take a packet of a line, or drop it."""
        given = self._conditions
        # every packet takes three draws, so that who is lost depends on the seed and the packet's number alone
        lost, late, spread = self._random.random(), self._random.random(), self._random.uniform(-1.0, 1.0)
        free_at, last_at = self._lines.get(line, (now, now))
        waits_s = max(0.0, free_at - now)
        if lost < given.loss or waits_s > given.queue_s or len(self._coming) >= MOST_PACKETS:
            self.dropped += 1
            return
        if given.rate_bps:
            waits_s += 8 * len(packet) / given.rate_bps
        comes_at = max(last_at, now + waits_s + max(0.0, given.delay_s + given.jitter_s * spread))
        self._lines[line] = (now + waits_s, comes_at)
        if late < given.late:
            comes_at += given.late_s
        self._taken += 1
        heapq.heappush(self._coming, (comes_at, self._taken, packet))

    def due(self, now: float) -> list[bytes]:
        """Take out the packets that have come."""
        come = []
        while self._coming and self._coming[0][0] <= now:
            come.append(heapq.heappop(self._coming)[2])
        self.packets += len(come)
        self.octets += sum(map(len, come))
        return come

    def next_at(self) -> float | None:
        """When the next packet comes, None if none is under way."""
        return self._coming[0][0] if self._coming else None

    def clear(self) -> None:
        """Drop all that are under way."""
        self.dropped += len(self._coming)
        self._coming.clear()
        self._lines.clear()


def flow(packet: bytes, end: int) -> tuple[int, bool]:
    """Of a TCP packet over IPv4, its port and whether it begins a connection; port 0 for any other.

    Args:
        packet: It.
        end: 0 for the port that it comes from, 1 for the one that it goes to.
    """
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
        return 0, False
    tcp = 4 * (packet[0] & 15)
    if len(packet) < tcp + 14:
        return 0, False
    port = int.from_bytes(packet[tcp + 2 * end : tcp + 2 * end + 2], "big")
    return port, bool(packet[tcp + 13] & 2)


class Network:
    """Both directions: 0 from the players to the server, 1 back.

    Args:
        conditions: What it is like.
        seed: Chooses which packets suffer.

    Attributes:
        ways: The two directions.
        cut: Nothing gets through.
        lost_cut: Packets that were dropped for being cut off or silenced.
    """

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self.ways = [Way(conditions, Random(f"{seed}/{way}")) for way in ("up", "down")]
        self.cut = False
        self.lost_cut = 0
        #: The players' ports of the connections that began since the silence; None before it.
        self._fresh: set[int] | None = None

    def take(self, way: int, packet: bytes, now: float) -> None:
        """Take a packet of one direction."""
        port, begins = flow(packet, way)
        if self._fresh is not None and begins:
            self._fresh.add(port)
        if self.cut or not (self._fresh is None or port in self._fresh):
            self.lost_cut += 1
        else:
            self.ways[way].take(packet, port, now)

    def set_cut(self, cut: bool) -> None:
        """Let nothing through any more, both ends hear nothing of it; or let it through again."""
        self.cut = cut
        for way in self.ways:
            way.clear()

    def silence(self) -> None:
        """Let nothing of the connections that there are through, for good: both ends believe in them. New ones work."""
        self._fresh = set()
        for way in self.ways:
            way.clear()
