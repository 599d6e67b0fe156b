"""What one player's newest actions were answered with, to be said again if they are (wire page, clause 9.5)."""

from __future__ import annotations

from ..limits import MAX_OPEN_ACTIONS


class Answers:
    """The answers of one player's newest actions, and which of them are still awaited.

    Attributes:
        awaited: Sequence numbers of actions that have no answer yet -> whether they were said again meanwhile.
    """

    __slots__ = ("_bytes", "_kept", "_most_bytes", "awaited")

    def __init__(self, most_bytes: int) -> None:
        self.awaited: dict[int, bool] = {}
        #: By sequence number: an encoded packet, or None where there was no result.
        self._kept: dict[int, bytes | None] = {}
        self._most_bytes = most_bytes
        self._bytes = 0

    def keep(self, seq: int, answer: bytes | None) -> bool:
        """An action is answered: keep that, and let go of the oldest ones for it.

        Returns:
            Whether the action was said again while it was awaited: then ACK alone does not answer it.
        """
        size = len(answer or b"")
        if size <= self._most_bytes:
            self._kept[seq] = answer
            self._bytes += size
        while len(self._kept) > MAX_OPEN_ACTIONS or self._bytes > self._most_bytes:
            self._bytes -= len(self._kept.pop(min(self._kept)) or b"")
        return self.awaited.pop(seq, False)

    def has(self, seq: int) -> bool:
        """Whether the answer of an action is still kept."""
        return seq in self._kept

    def of(self, seq: int) -> bytes | None:
        """The answer of an action, a packet; None if it had no result of its own."""
        return self._kept[seq]
