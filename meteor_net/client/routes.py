"""Which address to try next, and by which transport. Plain."""

from __future__ import annotations

from collections.abc import Sequence

from .transports import OpenFailed, ServerAddress

#: After so many tries in a row that something answered, and no server took us, another transport is tried.
POOR_TRIES = 2
#: On a transport that is not the best, the best is tried beside it after so many seconds, then after twice as many …
BETTER_S = 60.0
#: … up to so many.
BETTER_CAP_S = 600.0


class Routes:
    """The addresses of a server, and the ways to reach them.

    A *round* tries every address once, the one that was good last first. A transport is left for the next one when it fails
    though something answers, and comes back when it works again. What must fail again is not tried again before something
    worked.

    Attributes:
        transport: The one that is used now.
        falls_back: Whether `next` takes another transport.
    """

    def __init__(self, addresses: Sequence[ServerAddress], transports: Sequence[str]) -> None:
        self._addresses = tuple(addresses)
        self._transports = tuple(transports)
        self._better_wait_s = BETTER_S
        self._better_at = 0.0
        self._first = 0
        self.transport = self._transports[0]
        self.begin()

    def begin(self) -> None:
        """Forget what failed."""
        self._place = self._poor = 0
        self._barred: set[tuple[ServerAddress, str]] = set()
        self.falls_back = False

    @property
    def address(self) -> ServerAddress:
        """The address that is used now."""
        return self._in_round(self._place)

    def _in_round(self, place: int) -> ServerAddress:
        return self._addresses[(self._first + place) % len(self._addresses)]

    def failed(self, error: OpenFailed) -> None:
        """What was tried now has failed: no connection, or one on which the server did not take us."""
        if error.final:
            # who is not reached because TLS says no is not reached over HTTP either
            transports = [self.transport] if error.reached else self._transports
            self._barred.update((self.address, transport) for transport in transports)
        if error.reached:
            self._poor += 1
        spent = self._poor >= POOR_TRIES or not self._open(self.transport)
        self.falls_back = spent and self._other() is not None

    def lost(self) -> None:
        """A connection is lost on which the server had taken us: the same address is tried first, after a pause."""
        self._place = len(self._addresses)

    @property
    def hopeless(self) -> bool:
        """Whether each address, by each transport, must fail again."""
        return not any(map(self._open, self._transports))

    def _open(self, transport: str) -> list[int]:
        places = range(len(self._addresses))
        return [place for place in places if (self._in_round(place), transport) not in self._barred]

    def _other(self) -> str | None:
        at = self._transports.index(self.transport)
        others = self._transports[at + 1 :] + self._transports[:at]
        return next((transport for transport in others if self._open(transport)), None)

    def next(self) -> bool:
        """Go on to the next address, or transport.

        Returns:
            Whether it may be tried at once; else a round is over, and a pause is due.
        """
        other = self._other() if self.falls_back else None
        if other is not None:
            self.transport, self.falls_back, self._poor = other, False, 0
            self._place = self._open(other)[0]
            return True
        places = self._open(self.transport)
        later = [place for place in places if place > self._place]
        self._place = (later or places or [0])[0]
        return bool(later)

    def good(self, transport: str, now: float) -> None:
        """The server took us at this address, by this transport."""
        self._first = (self._first + self._place) % len(self._addresses)
        self.begin()
        self.transport = transport
        if transport == self._transports[0]:
            self._better_wait_s = BETTER_S
        self._better_at = now + self._better_wait_s

    def hollow(self) -> None:
        """The best transport opened, and carried nothing. Each such try costs a player some seconds: there will be few."""
        self._better_wait_s = BETTER_CAP_S

    def better(self, now: float) -> str | None:
        """Tell which transport to try beside the one that is used, if that is due; the next time is later."""
        if self.transport == self._transports[0] or now < self._better_at:
            return None
        self._better_wait_s = min(BETTER_CAP_S, 2 * self._better_wait_s)
        self._better_at = now + self._better_wait_s
        return self._transports[0]
