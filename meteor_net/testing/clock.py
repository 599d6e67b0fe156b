"""Time that tests move by hand: one clock for a whole network, and on it one for each machine."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

#: Where time begins, in seconds since 1970; small enough that a double still holds nanoseconds.
START_S = 1_000_000.0
#: A machine's clock forgets the calls that are over when it has noted so many.
NOTED_CALLS = 64


@implementer(IReactorTime)
class SteppedClock:
    """A clock that goes from call to call, so that each sees the time it asked for, as it would with a real reactor.

    Twisted's own `Clock` goes to the end at once, and every call on the way believes that it is late.
    """

    def __init__(self, start_s: float = START_S) -> None:
        self._now = start_s
        self._numbers = count()
        #: A call may be in it more than once: what counts is the entry of its time.
        self._heap: list[tuple[float, int, DelayedCall]] = []

    def seconds(self) -> float:
        """The time, in seconds."""
        return self._now

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any) -> DelayedCall:
        """Have something called, `delay` seconds from now; those of one time are called in the order of asking."""
        call = DelayedCall(self._now + delay, callable, args, kw, _nothing, self._enter, self.seconds)
        self._enter(call)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """What is to be called, the next first."""
        calls = {call: None for _, _, call in sorted(self._heap, key=lambda entry: entry[:2]) if call.active()}
        return sorted(calls, key=lambda call: call.getTime())

    def _enter(self, call: DelayedCall) -> None:
        heapq.heappush(self._heap, (call.time, next(self._numbers), call))

    def _next(self, until_s: float) -> DelayedCall | None:
        """Take out the call that is next, if it is due by then."""
        heap = self._heap
        while heap and heap[0][0] <= until_s:
            time, _, call = heapq.heappop(heap)
            if not call.active() or time != call.time:
                continue
            if call.delayed_time:
                call.activate_delay()
                self._enter(call)
                continue
            return call
        return None

    def spend(self, seconds: float) -> None:
        """Let what is being called take so long; what falls due meanwhile is late."""
        self._now += seconds

    def step(self, until_s: float) -> bool:
        """Go on to the next calls, or to a time if none is due before it.

        Args:
            until_s: That time, in seconds.

        Returns:
            Whether anything was called; if not, it is `until_s` now.
        """
        call = self._next(until_s)
        if call is None:
            self._now = max(self._now, until_s)
            return False
        self._now = max(self._now, call.time)
        while call is not None:
            call.called = 1
            call.func(*call.args, **call.kw)
            call = self._next(self._now)
        return True

    def advance(self, amount: float) -> None:
        """Let seconds pass, and all that is due in them happen at its time."""
        until_s = self._now + amount
        while self.step(until_s):
            pass


@implementer(IReactorTime)
class MachineClock:
    """The clock of one machine, on which its processes run: it may jump, and it stops when they are killed.

    A jump is what a machine sees that slept, or whose time of day was set: Twisted's reactor goes by the time of day. So after
    a jump ahead all is late, and after one back nothing happens until the old time has come again.

    Args:
        world: The clock of the whole network.

    Attributes:
        ahead_s: How far it is ahead of that.
    """

    def __init__(self, world: SteppedClock) -> None:
        self.ahead_s = 0.0
        self._world = world
        self._calls: list[DelayedCall] = []
        self._look_at = NOTED_CALLS
        self._stopped = False

    def seconds(self) -> float:
        """The machine's time, in seconds."""
        return self._world.seconds() + self.ahead_s

    def callLater(self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any) -> DelayedCall:
        """Have something called; on a machine that has stopped, nothing is."""
        if self._stopped:
            return DelayedCall(self.seconds() + delay, callable, args, kw, _nothing, _nothing, self.seconds)
        call = self._world.callLater(delay, callable, *args, **kw)
        self._calls.append(call)
        if len(self._calls) > self._look_at:
            self._calls = self._active()
            self._look_at = max(NOTED_CALLS, 2 * len(self._calls))
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        """What is to be called."""
        return self._active()

    def jump(self, seconds: float) -> None:
        """Jump, ahead or (with a negative number) back."""
        self.ahead_s += seconds
        now = self._world.seconds()
        for call in self._active():
            call.reset(max(0.0, call.getTime() - now - seconds))

    def stop(self) -> None:
        """All that runs on the machine is killed: nothing that was to be called will be."""
        self._stopped = True
        for call in self._active():
            call.cancel()
        self._calls.clear()

    def _active(self) -> list[DelayedCall]:
        return [call for call in self._calls if call.active()]


def _nothing(call: DelayedCall) -> None:
    """A call was cancelled, or is not to be: its entry goes when its time comes."""
