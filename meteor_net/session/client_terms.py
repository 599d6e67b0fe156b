"""What a server allows its clients, as WELCOME told it (wire page, clause 4.3). Plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..codec import encode_packet
from ..limits import Limits
from ..messages import Message

#: A client whose server was silent for so many times its pings' rhythm shows itself as stale.
STALE_TIMES = 1.5


class ServerTerms:
    """A server's limits; until it told them, those that servers have by default.

    Attributes:
        line_chars: Characters of a line.
        packet_bytes: Bytes of a packet of ours.
    """

    def __init__(self, limits: Limits) -> None:
        self.line_chars = limits.line_chars
        self.packet_bytes = limits.packet_in_bytes
        self._ping_s = limits.ping_s
        self._ping_world_s = limits.ping_world_s
        self._packet_messages = limits.packet_messages

    def told(self, limits: Mapping[str, float]) -> None:
        """Take the limits of WELCOME; what is missing or absurd leaves ours as it was."""

        def within(name: str, low: float, high: float, default: float) -> float:
            value = limits.get(name, default)
            return value if low <= value <= high else default

        self._ping_s = within("ping_s", 0.5, 60, self._ping_s)
        self._ping_world_s = within("ping_world_s", 0.5, 60, self._ping_world_s)
        self.packet_bytes = int(within("packet_in_bytes", 1_024, 2**24, self.packet_bytes))
        self.line_chars = int(within("line_chars", 1, 8_192, self.line_chars))

    def stale_s(self, in_world: bool) -> float:
        """Tell after how many silent seconds the connection is shown as stale (clause 5.2)."""
        return STALE_TIMES * (self._ping_world_s if in_world else self._ping_s)

    def packets(self, messages: Sequence[Message]) -> Iterator[bytes]:
        """Encode messages as few packets, each within clauses 1.3 and 2.1."""
        if not messages:
            return
        packet = encode_packet(messages)
        fits = len(packet) <= self.packet_bytes and len(messages) <= self._packet_messages
        if fits or len(messages) == 1:
            yield packet
            return
        half = len(messages) // 2
        yield from self.packets(messages[:half])
        yield from self.packets(messages[half:])
