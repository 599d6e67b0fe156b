"""Time that tests move by hand."""

from __future__ import annotations

from twisted.internet.task import Clock

#: Where time begins, in seconds since 1970; small enough that a double still holds nanoseconds.
START_S = 1_000_000.0


class SteppedClock(Clock):
    """A clock that goes from call to call, so that each sees the time it asked for, as it would with a real reactor.

    Twisted's own goes to the end at once, and every call on the way believes that it is late.
    """

    def __init__(self, start_s: float = START_S) -> None:
        super().__init__()
        self.rightNow = start_s

    def step(self, until_s: float) -> bool:
        """Go on to the next calls, or to a time if none is due before it.

        Args:
            until_s: That time, in seconds.

        Returns:
            Whether anything was called; if not, it is `until_s` now.
        """
        if not self.calls or self.calls[0].getTime() > until_s:
            self.rightNow = max(self.rightNow, until_s)
            return False
        self.rightNow = max(self.rightNow, self.calls[0].getTime())
        super().advance(0)
        return True

    def advance(self, amount: float) -> None:
        """Let seconds pass, and all that is due in them happen at its time."""
        until_s = self.rightNow + amount
        while self.step(until_s):
            pass
