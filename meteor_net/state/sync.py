"""`StateSync`: the state's face, on both ends."""

from __future__ import annotations

from meteor_net.limits import Limits
from meteor_net.state.coding import Coding
from meteor_net.state.interpolation import interpolate
from meteor_net.state.replica import Replica
from meteor_net.state.stream import Step, Stream
from meteor_net.state.version import Version
from meteor_net.state.view import WorldView
from meteor_net.state.world import World


class StateSync:
    """Makes frames of a world (a server), or shows the world of a replica's frames (a client).

    Args:
        update_rate: How often the state is sent, in Hz.
        replica: A client's; a server has none.
        limits: Of a server's stream.
        coding: Of a server's steps.

    Attributes:
        update_rate: As given; it may be changed while running.
        stream: A server's stream, once a world was committed.
    """

    def __init__(
        self,
        update_rate: float = 20.0,
        *,
        replica: Replica | None = None,
        limits: Limits | None = None,
        coding: Coding = Coding.EG,
    ) -> None:
        self.update_rate = update_rate
        self.stream: Stream | None = None
        self._replica = replica
        self._limits = limits
        self._coding = coding

    @property
    def last_state(self) -> Version | None:
        """The newest version that was committed, or that came; None before the first."""
        holder = self._replica or self.stream
        return holder.version if holder is not None and holder.version.number else None

    @property
    def update_rate(self) -> float:
        """How often the state is sent, in Hz."""
        return self._update_rate

    @update_rate.setter
    def update_rate(self, rate: float) -> None:
        if not 0 < rate <= 1000:
            raise ValueError(f"update_rate must be above 0 and at most 1000 Hz, not {rate!r}")
        self._update_rate = float(rate)

    def sync_state(self, new_state: World, tick: int | None = None) -> Step | None:
        """Commit a world as it is now.

        Args:
            new_state: The world; another one than before begins anew, with a keyframe.
            tick: Of the version; one more than the last if not given.

        Returns:
            The step for all who hold the version before; None if nothing changed.
        """
        if self.stream is None or self.stream.world is not new_state:
            self.stream = Stream(new_state, self._limits)
            self._tick = 0
        self._tick = self._tick + 1 if tick is None else tick
        if not self.stream.commit(self._tick):
            return None
        return self.stream.step(self.stream.version.number - 1, self._coding)

    def interpolate_state(self, prev_state: Version, next_state: Version, alpha: float = 0.5) -> WorldView:
        """Show the world at a moment between two versions: `alpha` 0 is the earlier, 1 the later."""
        return interpolate(prev_state, next_state, alpha)
