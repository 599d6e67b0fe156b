"""How much each user of a room may say: rates, slow mode, and who is muted.

By user, not by player: who comes with a second session, or leaves and comes back, has no more than before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from math import inf

from ..errors import Refused
from ..limits import Limits
from ..session.bucket import TokenBucket

#: Users that are remembered, those who said nothing for the longest time go first; and users that may be muted.
MAX_VOICES = 10_000


class _Voice:
    __slots__ = ("key", "lines", "pages", "spoke_at")

    def __init__(self, limits: Limits) -> None:
        self.lines = TokenBucket(limits.lines_per_s, limits.lines_burst)
        self.pages = TokenBucket(limits.pages_per_s, limits.pages_burst)
        #: When the last line was accepted, and its key (`Answer.key`); None for one that may not be said again sooner.
        self.spoke_at = -inf
        self.key: Hashable = None


class Voices:
    """The users of one room."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._voices: OrderedDict[str, _Voice] = OrderedDict()
        self._muted: OrderedDict[str, float] = OrderedDict()

    def _of(self, user: str) -> _Voice:
        voice = self._voices.get(user)
        if voice is None:
            voice = self._voices[user] = _Voice(self._limits)
            if len(self._voices) > MAX_VOICES:
                self._voices.popitem(last=False)
        self._voices.move_to_end(user)
        return voice

    def take_line(self, user: str, now: float) -> None:
        """Count a line.

        Raises:
            Refused: It comes too fast.
        """
        _take(self._of(user).lines, now)

    def take_page(self, user: str, now: float) -> None:
        """Count a page of earlier lines; raises as `take_line`."""
        _take(self._of(user).pages, now)

    # --- slow mode ---

    def wait_s(self, user: str, slow_s: float, now: float) -> float:
        """How long until the user may say the next line, in seconds."""
        return max(0.0, self._of(user).spoke_at + slow_s - now)

    def check_slow(self, user: str, key: Hashable, slow_s: float, now: float) -> None:
        """See whether a line keeps to slow mode; one that is said again, as its answer was lost, does.

        Raises:
            Refused: It comes too soon.
        """
        wait_s = self.wait_s(user, slow_s, now)
        if wait_s > 0.0 and self._of(user).key != key:
            raise Refused(f"slow mode; again in {wait_s:.1f} s", "slow-down", wait_s=wait_s)

    def spoke(self, user: str, key: Hashable, now: float) -> None:
        """The user's line was accepted."""
        voice = self._of(user)
        voice.spoke_at, voice.key = now, key

    def unspoke(self, user: str, key: Hashable) -> None:
        """That line is not kept after all."""
        voice = self._of(user)
        if voice.key == key:
            voice.spoke_at, voice.key = -inf, None

    # --- mutes ---

    def mute(self, user: str, seconds: float, now: float) -> None:
        """Let a user say nothing for so long; 0 ends it."""
        self._muted.pop(user, None)
        if seconds > 0.0:
            self._muted[user] = now + seconds
            if len(self._muted) > MAX_VOICES:
                self._muted.popitem(last=False)

    def muted_s(self, user: str, now: float) -> float:
        """For how long the user is muted, in seconds; 0.0 if it is not."""
        left = self._muted.get(user, now) - now
        if left <= 0.0:
            self._muted.pop(user, None)
            return 0.0
        return left


def _take(bucket: TokenBucket, now: float) -> None:
    if not bucket.take(now):
        wait_s = bucket.wait_s()
        raise Refused(bucket.excuse(), "slow-down", wait_s=0.0 if wait_s == inf else wait_s)
