"""One direction of a connection in memory: what is put in comes out later, in order."""

from __future__ import annotations

from collections import deque
from math import inf
from sys import maxsize
from typing import TYPE_CHECKING, Protocol

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall

if TYPE_CHECKING:
    from .wire import Wire

#: A reactor reads at most so much at once.
READ_BYTES = 65_536


class Reader(Protocol):
    """The end at which things come out."""

    reading: bool

    def arrived(self, data: bytes) -> None:
        """Bytes came."""

    def ended(self, reason: Exception) -> None:
        """The other end has closed."""


class Writer(Protocol):
    """The end at which things are put in."""

    @property
    def waits(self) -> bool:
        """Whether it waits for room."""

    def drained(self) -> None:
        """There is room again; called a moment later."""


class Way:
    """Bytes on their way from one end of a connection to the other.

    It holds a bounded number of them, as two kernels and the network between them do: the rest stays with the writer until
    the reader has taken some.

    Args:
        wire: Tells how long the way is, and whether it is open.
        inbound: Whether this way leads to the wire's own machine.
        kernel_bytes: How many bytes are held.
    """

    reader: Reader
    writer: Writer

    def __init__(self, wire: Wire, inbound: bool, kernel_bytes: int) -> None:
        self._wire = wire
        self._inbound = inbound
        self._clock = wire.network.clock
        self._arrivals: deque[tuple[float, bytes]] = deque()
        self._end: tuple[float, Exception] | None = None
        self._closed = self._silent = False
        self._timer: IDelayedCall | None = None
        self._last_s = 0.0
        #: Bytes that can be put in now.
        self.room = kernel_bytes

    def put(self, data: bytes) -> None:
        """Send bytes, at most as many as there is room for."""
        if not self._closed:
            self.room -= len(data)
            for piece in self._wire.pieces(data):
                self._arrivals.append((self._arrival(len(piece)), piece))
            self.look()

    def finish(self) -> None:
        """Send the end of all, behind what was put in."""
        self._end = (self._arrival(), ConnectionDone())
        self.look()

    def reset(self) -> None:
        """Send the end of all; what the reader has not read when it arrives is lost."""
        self._end = (self._arrival(), ConnectionLost())
        self.look()

    def hurry(self, delay_s: float) -> None:
        """What is on its way, however slowly, arrives within so many seconds."""
        self._last_s = min(self._last_s, self._clock.seconds() + delay_s)
        self._arrivals = deque((min(at_s, self._last_s), data) for at_s, data in self._arrivals)
        if self._end is not None:
            self._end = (min(self._end[0], self._last_s), self._end[1])
        self.look()

    def silence(self) -> None:
        """Nothing comes out any more, not even the end; nobody is told."""
        self._silent = True
        self._stop_timer()

    def close(self) -> None:
        """Nobody reads here any more: all that is on its way is lost, and all that is put in yet."""
        self._closed = True
        self._arrivals.clear()
        self._end = None
        self.room = maxsize
        self._stop_timer()
        self._clock.callLater(0, self.writer.drained)

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def look(self) -> None:
        """Let out what has arrived, and come again for the rest."""
        due_s = self._due_s()
        if self._closed or due_s == inf:
            return
        delay_s = max(0.0, due_s - self._clock.seconds())
        if self._timer is None:
            self._timer = self._clock.callLater(delay_s, self._let_out)
        elif due_s < self._timer.getTime():
            self._timer.reset(delay_s)

    def _arrival(self, size: int = 0) -> float:
        """When what is sent now arrives; never before what was sent earlier."""
        self._last_s = max(self._last_s, self._wire.leaves_s(self._inbound, size) + self._wire.delay_s())
        return self._last_s

    def _due_s(self) -> float:
        if self._silent:
            return inf
        times = [inf]
        if self._arrivals and self.reader.reading:
            times.append(self._arrivals[0][0])
        if self._end is not None and self._may_end():
            times.append(self._end[0])
        return max(min(times), self._wire.open_at_s(self._inbound))

    def _may_end(self) -> bool:
        """Whether the end would be noticed: a loss at once, a close when all before it was read."""
        assert self._end is not None
        return isinstance(self._end[1], ConnectionLost) or (self.reader.reading and not self._arrivals)

    def _let_out(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        if self._due_s() > now:
            self.look()
            return
        if self._end is not None and self._end[0] <= now and self._may_end():
            reason = self._end[1]
            self.close()
            self.reader.ended(reason)
            return
        data = self._take(now)
        if self.writer.waits:
            self._clock.callLater(0, self.writer.drained)
        self.look()
        self._wire.network.note(self._wire, self._inbound, len(data))
        self.reader.arrived(data)

    def _take(self, now: float) -> bytes:
        """Take what a reactor would read at once."""
        pieces, most = [], min(READ_BYTES, self._wire.chunk())
        while self._arrivals and self._arrivals[0][0] <= now and most:
            arrival, data = self._arrivals.popleft()
            if len(data) > most:
                self._arrivals.appendleft((arrival, data[most:]))
                data = data[:most]
            pieces.append(data)
            most -= len(data)
        taken = b"".join(pieces)
        self.room += len(taken)
        return taken
