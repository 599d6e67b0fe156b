"""The server's clock as a client knows it, from pings (wire page, clause 5.3). Plain."""

from __future__ import annotations

from collections import deque

from ..messages import Ping, Pong

#: Round trips that the offset is chosen from: the shortest has the least error.
SAMPLES = 8
#: Pings without an answer that are remembered; older ones count as lost.
MAX_WAITING = 8
#: Between the first pings, so that the clock is right soon, and between all later ones; seconds.
FIRST_PING_S = 0.5
PING_S = 5.0
#: Pings that are sent in the quicker rhythm.
FIRST_PINGS = 4


class ServerClock:
    """Measure round trips and the distance to the server's clock.

    Attributes:
        round_trip_ms: The last round trip in milliseconds, None before the first.
        offset_ms: To be added to our time to have the server's; None before the first round trip.
    """

    def __init__(self) -> None:
        self.round_trip_ms: float | None = None
        self.offset_ms: float | None = None
        self._number = 0
        self._sent: dict[int, float] = {}
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self._next_s = 0.0
        self._on_this_connection = 0

    def opened(self, now: float) -> None:
        """Begin anew on another connection; what is known of the clock stays."""
        self._sent.clear()
        self._next_s = now
        self._on_this_connection = 0

    def due(self, now: float) -> bool:
        """Tell whether it is time for a ping."""
        return now >= self._next_s

    def ping(self, now: float) -> Ping:
        """Make the next ping; `now` in seconds."""
        self._number += 1
        self._on_this_connection += 1
        if len(self._sent) >= MAX_WAITING:
            del self._sent[min(self._sent)]
        self._sent[self._number] = now
        quick = self._on_this_connection < FIRST_PINGS
        self._next_s = now + (FIRST_PING_S if quick else PING_S)
        return Ping(self._number, max(0, int(now * 1000)))

    def pong(self, message: Pong, now: float) -> bool:
        """Take the answer to a ping.

        Returns:
            False if we do not wait for it.
        """
        sent = self._sent.pop(message.number, None)
        if sent is None:
            return False
        trip_ms = max(0.0, now - sent) * 1000
        self._samples.append((trip_ms, message.time + trip_ms / 2 - now * 1000))
        self.round_trip_ms = trip_ms
        self.offset_ms = min(self._samples)[1]
        return True

    def welcomed(self, server_ms: int, now: float) -> None:
        """Take the server's time of WELCOME as a first guess, until a round trip is known."""
        if self.offset_ms is None:
            self.offset_ms = server_ms - now * 1000

    def server_ms(self, now: float) -> float:
        """Tell the server's time in milliseconds since 1970, as well as we know it."""
        return now * 1000 + (self.offset_ms or 0.0)
