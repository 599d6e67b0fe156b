"""Going along with a room's ticks: an async iterator that never falls behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

#: Without a frame for so many ticks' time, the tick is taken from the clock: the world stood still.
QUIET_TICKS = 1.5
#: An iterator that nobody asks for so many frames is let go; at 20 Hz an hour.
ABANDONED_TICKS = 72_000


class Ticks(AsyncIterator[int]):
    """Give the newest tick, each time there is a new one.

    Ticks that passed while the caller did something else are skipped: nothing queues up.
    """

    def __init__(self, reactor: Any, tick_s: Callable[[], float], clock_tick: Callable[[], int | None]) -> None:
        """Make an iterator.

        Args:
            reactor: Drives the timer.
            tick_s: Tells the length of a tick in seconds.
            clock_tick: Tells the room's tick by the clock, None while there is no connection.
        """
        self._reactor = reactor
        self._tick_s = tick_s
        self._clock_tick = clock_tick
        #: True if nobody has asked since a frame some thousand ago: the loop was left.
        self.abandoned = False
        self._unasked = 0
        self._newest: int | None = None
        self._last = -1
        self._waiter: Deferred[int] | None = None
        self._timer: IDelayedCall | None = None
        self._end: BaseException | None = None

    def __aiter__(self) -> Ticks:
        return self

    def __anext__(self) -> Deferred[int]:
        """Wait for the next tick."""
        self._unasked = 0
        waiter: Deferred[int] = Deferred(self._cancelled)
        if self._end is not None:
            waiter.errback(self._end)
        elif self._newest is not None:
            self._last, self._newest = self._newest, None
            waiter.callback(self._last)
        else:
            self._waiter = waiter
            self._start_timer()
        return waiter

    def frame(self, tick: int) -> None:
        """A frame of this tick was applied."""
        tick = max(tick, self._last)
        if self._waiter is None:
            self._newest = tick
            self._unasked += 1
            self.abandoned = self._unasked > ABANDONED_TICKS
            return
        self._stop_timer()
        waiter, self._waiter = self._waiter, None
        self._last = tick
        waiter.callback(tick)

    def end(self, error: BaseException | None = None) -> None:
        """There will be no more: stop the iteration, or raise `error` from it."""
        self._stop_timer()
        self._end = StopAsyncIteration() if error is None else error
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.errback(self._end)

    def _cancelled(self, _: object) -> None:
        self._stop_timer()
        self._waiter = None

    def _start_timer(self) -> None:
        self._timer = self._reactor.callLater(QUIET_TICKS * self._tick_s(), self._quiet)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _quiet(self) -> None:
        self._timer = None
        tick = self._clock_tick()
        if tick is None:
            self._start_timer()
        else:
            self.frame(tick)
