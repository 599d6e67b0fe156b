"""What a SAY is answered with, once: SAID or UNSAID (wire page, clause 10.3)."""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil
from typing import TYPE_CHECKING

from ..errors import Refused
from ..limits import MAX_INT, MAX_PROSE_CHARS, MAX_WORD_CHARS
from ..messages import Said, Say, Unsaid, fitting
from ..session.outbox import Lane

if TYPE_CHECKING:
    from .player import Player


class Answer:
    """The answer that a SAY waits for.

    Attributes:
        player: Who said it.
        message: What was said.
        command: It is a command: no offset is told, for what it says may be said elsewhere.
        taken: A line that the command says in the player's name brings the answer, when it is kept.
    """

    __slots__ = ("command", "message", "player", "taken")

    def __init__(self, player: Player, message: Say, *, command: bool = False) -> None:
        self.player = player
        self.message = message
        self.command = command
        self.taken = False

    @property
    def cid(self) -> str:
        """The sender's own id of the line."""
        return self.message.cid

    @property
    def key(self) -> Hashable:
        """What makes it this line, and no other under the same id: only then storage knows it when it is said again."""
        message = self.message
        return message.cid, message.kind, message.to, hash(message.text), self.command

    def said(self, offset: int, wait_s: float = 0.0) -> None:
        """It is kept, or done; the next line may come in `wait_s`."""
        told = -1 if self.command else offset
        self.player.session.put(
            Lane.CONTROL, Said(self.message.channel, self.message.cid, told, _milliseconds(wait_s))
        )  # fmt: skip

    def unsaid(self, refused: Refused) -> None:
        """It is refused."""
        self.player.session.counters["refused"] += 1
        self.player.session.put(Lane.CONTROL, Unsaid(
            self.message.channel, self.message.cid, fitting(refused.reason, MAX_WORD_CHARS),
            fitting(refused.text, MAX_PROSE_CHARS), _milliseconds(refused.wait_s),
        ))  # fmt: skip


def _milliseconds(seconds: float) -> int:
    return ceil(min(seconds * 1_000.0, MAX_INT)) if seconds > 0.0 else 0
