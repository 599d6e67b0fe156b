"""Who may speak when: what the chat handler says of moderators and slow mode, and how much each user has said."""

from __future__ import annotations

from typing import Any

from ..errors import Refused
from ..limits import MAX_INT, Limits
from ..messages import CHANGES
from .answer import Answer
from .asking import Asking
from .player import Player
from .voices import Voices


class Order:
    """The order of talk in one room.

    Attributes:
        voices: What is counted of each user.
    """

    def __init__(self, chat: Any, asking: Asking, limits: Limits) -> None:
        self.voices = Voices(limits)
        self._chat = chat
        self._asking = asking

    def check(self, answer: Answer, now: float) -> None:
        """See whether a player may say something now.

        Raises:
            Refused: The player is muted, or has to wait in slow mode.
        """
        player = answer.player
        muted_s = self.voices.muted_s(player.user, now)
        if muted_s and not self.moderates(player):
            raise Refused(f"you are muted for {muted_s:.0f} s", "muted", wait_s=muted_s)
        if answer.message.kind not in CHANGES:
            self.voices.check_slow(player.user, answer.key, self._slow_s(player), now)

    def wait_s(self, player: Player, now: float) -> float:
        """How long until the player may say the next line, in seconds."""
        return self.voices.wait_s(player.user, self._slow_s(player), now)

    def moderates(self, player: Player) -> bool:
        """Whether the handler says that a player is a moderator."""
        try:
            answer = self._chat.moderates(player)
        except Exception as error:
            self._asking.raised(player, "moderates", error)
            return False
        return answer is True  # nobody waits for it here: what is awaitable is no yes

    def _slow_s(self, player: Player) -> float:
        slow_s = self._chat.slow_s  # whatever the handler has set since it was checked
        slow = isinstance(slow_s, int | float) and slow_s > 0.0
        return min(slow_s, MAX_INT) if slow and not self.moderates(player) else 0.0
