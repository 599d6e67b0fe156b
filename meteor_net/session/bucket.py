"""Token buckets: how much of something a peer may do."""

from __future__ import annotations

from math import inf


class TokenBucket:
    """Allows `burst` at once, and `per_s` a second for ever."""

    __slots__ = ("_at", "_tokens", "burst", "per_s")

    def __init__(self, per_s: float, burst: float) -> None:
        self.per_s = per_s
        self.burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take one token; False if there is none.

        Args:
            now: The time in seconds; only differences count.
        """
        tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.per_s)
        self._at = now
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def wait_s(self) -> float:
        """How long until the next token, in seconds, seen from the last `take`; infinite if none will come."""
        if self.per_s <= 0.0 or self.burst < 1.0:
            return inf
        return max(0.0, (1.0 - self._tokens) / self.per_s)

    def excuse(self) -> str:
        """What to tell who got none."""
        wait_s = self.wait_s()
        return "too fast" if wait_s == inf else f"too fast; again in {wait_s:.2f} s"
