"""What players hand to whoever judges them: their logs, and what they felt. Plain."""

from __future__ import annotations

from dataclasses import dataclass, field

from meteor_net.testing.checks import ClientLog

#: A longer time without a frame is noted by itself, in seconds.
PAUSE_S = 0.5


@dataclass
class Felt:
    """What one player felt. Times are of the machine's monotonic clock, in seconds.

    Attributes:
        intervals_s: Between each two frames.
        pauses: (last frame, next frame) of the long ones.
        statuses: (when, status) as the player was shown.
        resumed: Times that the session went on on another connection.
        anew: Times that another session began.
        bytes_in, bytes_out: Of packets.
    """

    intervals_s: list[float] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    statuses: list[tuple[float, str]] = field(default_factory=list)
    resumed: int = 0
    anew: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def frame(self, last_s: float, now_s: float) -> None:
        """A frame came."""
        self.intervals_s.append(now_s - last_s)
        if now_s - last_s > PAUSE_S:
            self.pauses.append((last_s, now_s))

    def noticed_s(self, since_s: float) -> float | None:
        """How long after a moment the player gave its connection up, None if it did not."""
        return next((at - since_s for at, status in self.statuses if at >= since_s and status.startswith("reconnecting")), None)

    def back_s(self, healed_s: float) -> float:
        """How long after the network was good again the world went on: 0.0 if it had never stood still."""
        return next((later - healed_s for last, later in self.pauses if last < healed_s < later), 0.0)


@dataclass
class Outcome:
    """Of the players of one process.

    Attributes:
        logs: Their lines and actions; `user` names of players are their log's names.
        felt: What each felt, in the same order.
        unequal: What is wrong with their worlds, in words.
        epochs: Of the room's channel, those that anybody heard of.
    """

    logs: list[ClientLog]
    felt: list[Felt]
    unequal: list[str]
    epochs: set[int]
