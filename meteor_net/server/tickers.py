"""The ticks of all rooms of a process: each at its time, and how busy that keeps the process."""

from __future__ import annotations

from typing import Any

from ..requests import Report
from ..room import Room
from .turns import Turns


class Tickers:
    """Ticks rooms, from when they open until they close.

    Args:
        turns: Makes a turn of each tick.
        reactor: Gives the time.
        report: Told what went wrong.

    Attributes:
        busy: The share of the process's time that ticks took, from 0 to 1, between the last two `look`s.
        longest_ms: The longest that one room's tick took, in the same time.
    """

    def __init__(self, turns: Turns, reactor: Any, report: Report) -> None:
        self.busy = 0.0
        self.longest_ms = 0.0
        self._turns = turns
        self._reactor = reactor
        self._report = report
        self._calls: dict[Room, Any] = {}
        self._used_s = 0.0
        self._longest_s = 0.0
        self._looked_at: float = reactor.seconds()

    def add(self, room: Room) -> None:
        """A room is open: its first tick is due."""
        self._calls[room] = self._reactor.callLater(room.tick_s, self._tick, room)

    def stop(self) -> None:
        """No more ticks."""
        for call in self._calls.values():
            if call.active():
                call.cancel()
        self._calls.clear()

    def look(self, now: float) -> None:
        """See how busy the ticks kept the process since the last look."""
        passed_s = now - self._looked_at
        if passed_s > 0:
            self.busy = min(1.0, self._used_s / passed_s)
        self.longest_ms = self._longest_s * 1000.0
        self._looked_at = now
        self._used_s = self._longest_s = 0.0

    def _tick(self, room: Room) -> None:
        if room.is_closed:
            self._calls.pop(room, None)
            return
        began = self._turns.begin()
        try:
            room.advance(began)
        except Exception as error:  # ours: this room misses its tick, the others do not
            self._report("error", error, room=room.name, verb="tick")
        self._turns.end(began)
        ended: float = self._reactor.seconds()
        used_s = max(0.0, ended - began)
        self._used_s += used_s
        self._longest_s = max(self._longest_s, used_s)
        self._calls[room] = self._reactor.callLater(max(0.0, room.next_tick_at - ended), self._tick, room)
