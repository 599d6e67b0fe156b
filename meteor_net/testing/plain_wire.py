"""One connection of the plain half: packets go from one end to the other as they are, later, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Protocol

from ..errors import CloseCode

if TYPE_CHECKING:
    from ..session.burst import Hot
    from .plain import PlainNetwork

#: Bytes before each packet: its length.
HEAD_BYTES = 4
#: A close that the other end does not answer is over after so many seconds.
CLOSE_S = 5.0


class End(Protocol):
    """Whoever is told at one end."""

    def packet_came(self, packet: bytes) -> None:
        """A packet came."""

    def connection_over(self, code: int, text: str) -> None:
        """The connection is over for this end; told once."""


class Way:
    """Packets on their way to one end.

    Attributes:
        end: Who gets them.
        open: Whether that end believes that the connection is there.
        unsent: Bytes on the way.
        stalled_until: Nothing arrives before that time.
    """

    def __init__(self, network: PlainNetwork, end: End) -> None:
        self.end = end
        self.open = True
        self.unsent = 0
        self.stalled_until = 0.0
        self._network = network
        self._waiting: deque[tuple[float, bytes | tuple[int, str]]] = deque()
        self._last = 0.0
        self._round = 0

    def put(self, what: bytes | tuple[int, str]) -> None:
        """Send a packet, or the close that comes behind them."""
        self._last = max(self._last, self._network.now + self._network.delay_s())
        self._waiting.append((self._last, what))
        if isinstance(what, bytes):
            self.unsent += len(what)
        if len(self._waiting) == 1:
            self.look()

    def drop(self) -> None:
        """Lose all that is on its way."""
        self._waiting.clear()
        self.unsent = 0
        self._round += 1

    def look(self) -> None:
        """Let the next arrive at its time."""
        self._round += 1  # what was planned before is void
        if self._waiting and self.stalled_until < inf:
            due = max(self._waiting[0][0], self.stalled_until)
            self._network.clock.callLater(max(0.0, due - self._network.now), self._arrive, self._round)

    def over(self, code: int, text: str) -> None:
        """The end learns that the connection is over."""
        self.drop()
        if self.open:
            self.open = False
            self.end.connection_over(code, text)

    def _arrive(self, round: int) -> None:
        if round != self._round or not self.open:
            return
        _, what = self._waiting.popleft()
        self.look()
        if isinstance(what, bytes):
            self.unsent -= len(what)
            self._network.note(what)
            self.end.packet_came(what)
        else:
            self.over(*what)


class PlainWire:
    """A connection; to the server's session it is its pipe.

    Attributes:
        down, up: The ways to the client, and to the server.
        dead: Nothing that is sent arrives any more, whatever the ends believe.
    """

    kind = "plain"
    hot: Hot | None = None

    def __init__(self, network: PlainNetwork, client: End, server: End, later: Callable[..., object]) -> None:
        """Make one.

        Args:
            network: Whose time it is.
            client: The client's end.
            server: The server's.
            later: The server's timers: `later(seconds, call)`.
        """
        self.heard = False
        self.dead = False
        self.down = Way(network, client)
        self.up = Way(network, server)
        self._network = network
        self._later = later

    # --- as the server's pipe ---

    @property
    def unsent(self) -> int:
        """Bytes for the client that the network does not take; it takes some."""
        return max(0, self.down.unsent - self._network.kernel_bytes)

    def head(self, size: int) -> bytes:
        """Give a packet's length."""
        return size.to_bytes(HEAD_BYTES, "big")

    def send(self, data: bytes) -> None:
        """Send framed packets to the client."""
        if not self.up.open:
            return
        at = 0
        while at < len(data):
            first = at + HEAD_BYTES
            at = first + int.from_bytes(data[at:first], "big")
            if not self.dead:
                self.down.put(data[first:at])

    def close(self, code: int, text: str) -> None:
        """Close from the server's end; by force, if the client does not answer."""
        if self.up.open and not self.dead:
            self.down.put((int(code), text))
        self._later(CLOSE_S, self.abort)

    def abort(self) -> None:
        """Cut it from the server's end."""
        if self.up.open:
            self.lose("both")

    # --- as the client's ---

    def say(self, packets: list[bytes]) -> None:
        """Send packets to the server."""
        for packet in packets if not self.dead else ():
            self.up.put(packet)

    def hang_up(self, code: int, text: str) -> None:
        """Close from the client's end."""
        if not self.dead:
            self.up.put((int(code), text))
        self.down.over(code, text)

    def answer_close(self, code: int) -> None:
        """The client has read the server's close."""
        if not self.dead:
            self.up.put((int(code), ""))

    # --- faults ---

    def stall(self, seconds: float = inf, way: str = "both") -> None:
        """Let nothing arrive for some time: `in` at the client, `out` from it, or `both`."""
        for each, name in ((self.down, "in"), (self.up, "out")):
            if way in (name, "both"):
                each.stalled_until = self._network.now + seconds
                each.look()

    def flow(self) -> None:
        """End a stall."""
        for each in (self.down, self.up):
            each.stalled_until = 0.0
            each.look()

    def lose(self, told: str = "both") -> None:
        """Lose the connection with all that is on its way.

        Args:
            told: Which end learns of it, soon: `client`, `server`, `both` or `none`; the other one believes that all is well.
        """
        self.dead = True
        for way, name in ((self.down, "client"), (self.up, "server")):
            way.drop()
            if told in (name, "both"):
                self._network.clock.callLater(0.0, way.over, CloseCode.ABNORMAL, "the connection was lost")
