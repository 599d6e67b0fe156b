"""One timer for all clients of a process: each is told the time four times a second, in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

#: Each is told the time so often, in seconds.
TICK_S = 0.25
#: They are spread over so many moments, so that a thousand do not come in one blow.
SLOTS = 5
_log = Logger()

Tick = Callable[[float], None]


class Wheel:
    """Tells many the time with one timer; there is none while nobody wants to know.

    A slot is a moment of each round. Whoever comes takes the slot that has the fewest; empty slots cost nothing.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._slots: list[dict[Tick, None]] = [{} for _ in range(SLOTS)]
        self._at = 0
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return sum(map(len, self._slots))

    def add(self, tick: Tick) -> None:
        """Have `tick` called with the time in seconds, first within two rounds from now; nothing if it is already."""
        if any(tick in slot for slot in self._slots):
            return
        # behind the newest moment first: alone, it is called a whole round from now
        order = [(self._at + step) % SLOTS for step in range(SLOTS)]
        min((self._slots[number] for number in order), key=len)[tick] = None
        self._go_on()

    def remove(self, tick: Tick) -> None:
        """Call it no more."""
        for slot in self._slots:
            slot.pop(tick, None)
        if not any(self._slots) and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        if self._timer is None and any(self._slots):
            step = next(step for step in range(1, SLOTS + 1) if self._slots[(self._at + step) % SLOTS])
            self._timer = self._reactor.callLater(step * TICK_S / SLOTS, self._turn, (self._at + step) % SLOTS)

    def _turn(self, slot: int) -> None:
        self._timer = None
        self._at = slot
        now = self._reactor.seconds()
        for tick in list(self._slots[slot]):
            if tick not in self._slots[slot]:  # it went because of another one
                continue
            try:
                tick(now)
            except Exception:
                _log.failure("a client failed at its time")
        self._go_on()


_wheels: WeakKeyDictionary[Any, Wheel] = WeakKeyDictionary()


def join_wheel(reactor: Any, tick: Tick) -> None:
    """Have `tick` called four times a second, by the one wheel of a reactor; it is made when it is first needed."""
    wheel = _wheels.get(reactor)
    if wheel is None:
        wheel = _wheels[reactor] = Wheel(reactor)
    wheel.add(tick)


def leave_wheel(reactor: Any, tick: Tick) -> None:
    """Call it no more; the wheel goes with the last one."""
    wheel = _wheels.get(reactor)
    if wheel is not None:
        wheel.remove(tick)
        if not len(wheel):
            del _wheels[reactor]
