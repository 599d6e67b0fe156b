"""What waits for one peer, in lanes; everything of one turn goes out in one send.

Policy of the lanes: control and acks are never dropped; state is never kept here over a turn (the room sends the newest when
the peer can take it); events and lines wait up to a cap, then the peer is told to come back and resume; bulk comes last.
A peer that does not read would make our process keep its bytes, so nothing is given to a pipe that is full.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from ..codec import Shared, encode_packet
from ..limits import MAX_MESSAGES, Limits
from ..messages import Message

if TYPE_CHECKING:
    from .burst import Hot


class Lane(IntEnum):
    """First to last."""

    CONTROL = 0
    ACKS = 1
    STATE = 2
    EVENTS = 3
    LINES = 4
    BULK = 5


class Pipe(Protocol):
    """All that a session knows of its connection."""

    #: Names the framing, for `Shared.framed`.
    kind: str
    #: Whether any byte came since the heartbeat last looked; it puts it back.
    heard: bool
    #: What sends at once, while it may (see burst.py); None where every packet goes by `send`.
    hot: Hot | None

    @property
    def unsent(self) -> int:
        """Bytes that wait in our process."""

    def head(self, size: int) -> bytes:
        """Give what this transport writes before a packet of so many bytes."""

    def send(self, data: bytes) -> None:
        """Write framed packets."""

    def close(self, code: int, text: str) -> None:
        """Begin to close."""

    def abort(self) -> None:
        """Cut it now."""


def framed(shared: Shared, pipe: Pipe) -> bytes:
    """A shared packet in the framing of a pipe; made once for each kind of pipe."""
    if shared.kind == pipe.kind:
        return shared.framed
    if not shared.kind:
        shared.kind, shared.framed = pipe.kind, b"".join((pipe.head(shared.size), *shared.parts))
        return shared.framed
    others = shared.others = shared.others or {}
    data = others.get(pipe.kind)
    if data is None:
        data = others[pipe.kind] = b"".join((pipe.head(shared.size), *shared.parts))
    return data


class Outbox:
    """The lanes of one session.

    Attributes:
        waiting_bytes: Bytes of packets that a full pipe left here.
    """

    __slots__ = ("_lanes", "_limits", "_single", "empty", "waiting_bytes")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lanes: tuple[deque[Message | Shared], ...] = tuple(deque() for _ in Lane)
        #: In most turns a peer gets one shared packet, the frame of a tick: it needs no lanes.
        self._single: tuple[Lane, Shared] | None = None
        self.empty = True
        self.waiting_bytes = 0

    def put(self, lane: Lane, item: Message | Shared) -> None:
        """Add a message for this peer alone, or a packet that is shared."""
        if self.empty and isinstance(item, Shared):
            self._single = (lane, item)
        else:
            self._spill()
            self._lanes[lane].append(item)
        self.empty = False

    def _spill(self) -> None:
        """The single packet takes its place in its lane."""
        if self._single is not None:
            lane, item = self._single
            self._single = None
            self._lanes[lane].append(item)

    def clear(self) -> None:
        """Drop everything: the connection is gone, and the peer will say what it holds."""
        self._single = None
        for lane in self._lanes:
            lane.clear()
        self.empty = True
        self.waiting_bytes = 0

    def flush(self, pipe: Pipe) -> int:
        """Give the pipe all that waits, in one send, unless it is full.

        Returns:
            The bytes given to the pipe. If 0 and `waiting_bytes` is above the limit, the peer has to go.
        """
        if self.empty:
            return 0
        if pipe.unsent > self._limits.unsent_bytes:
            self._spill()
            self._settle()
            return 0
        if self._single is not None:
            data = framed(self._single[1], pipe)
            self._single = None
        else:
            data = b"".join([framed(packet, pipe) for packet in _grouped(self._lanes)])
            self.waiting_bytes = 0
        self.empty = True
        pipe.send(data)
        return len(data)

    def _settle(self) -> None:
        """Make packets of what waits, so that its bytes can be counted."""
        for number, lane in enumerate(self._lanes):
            if any(not isinstance(item, Shared) for item in lane):
                self._lanes[number].extend(_grouped([lane]))
        self.waiting_bytes = sum(len(item) for lane in self._lanes for item in lane if isinstance(item, Shared))


def _grouped(lanes: tuple[deque[Message | Shared], ...] | list[deque[Message | Shared]]) -> list[Shared]:
    """Empty lanes into packets: neighbours for this peer alone become one, as far as a packet goes."""
    packets: list[Shared] = []
    alone: list[Message] = []
    for lane in lanes:
        while lane:
            item = lane.popleft()
            if isinstance(item, Shared):
                _pack(alone, packets)
                packets.append(item)
            else:
                alone.append(item)
                if len(alone) == MAX_MESSAGES:
                    _pack(alone, packets)
    _pack(alone, packets)
    return packets


def _pack(alone: list[Message], packets: list[Shared]) -> None:
    if alone:
        packets.append(Shared(encode_packet(alone)))
        alone.clear()
