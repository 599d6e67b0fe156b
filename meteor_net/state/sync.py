"""`StateSync`: the state's face, on both ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import overload

from meteor_net.limits import Limits
from meteor_net.state.coding import Coding
from meteor_net.state.interpolation import interpolate
from meteor_net.state.playback import Playback
from meteor_net.state.stream import Step, Stream
from meteor_net.state.version import Version
from meteor_net.state.view import WorldView
from meteor_net.state.world import World


class StateSync(Playback):
    """Makes frames of a world (a server), or shows the versions that frames made (a client).

    Args:
        update_rate: How often the state is sent, in Hz; one for every tick if not given.
        tick_s: The length of a tick, in seconds.
        tick: A client's: a tick, and the server's time of it (JOINED).
        time_s: That time, in seconds.
        limits: Of a server's stream.
        coding: Of a server's steps.

    Attributes:
        tick_s: As given.
        stream: A server's stream, once a world was committed.
    """

    def __init__(
        self,
        update_rate: float | None = None,
        *,
        tick_s: float = 0.05,
        tick: int = 0,
        time_s: float = 0.0,
        limits: Limits | None = None,
        coding: Coding = Coding.EG,
    ) -> None:
        super().__init__(tick_s, update_rate, tick, time_s)
        self.stream: Stream | None = None
        self._limits = limits
        self._coding = coding
        self._tick = 0
        self._committed = -math.inf

    @property
    def last_state(self) -> Version | None:
        """The newest version that was committed, or that came; None before the first."""
        if self._versions:
            return self._versions[-1]
        return self.stream.version if self.stream is not None and self.stream.version.number else None

    @overload
    def sync_state(self, new_state: World, tick: int | None = None) -> Step | None: ...
    @overload
    def sync_state(self, new_state: Version, *, now: float) -> None: ...
    def sync_state(self, new_state: World | Version, tick: int | None = None, *, now: float | None = None) -> Step | None:
        """Commit a world as it is now, on a server; take a version that a frame has made, on a client.

        Args:
            new_state: The world; another one than before begins anew, with a keyframe. Or the version.
            tick: Of the world; one more than the last if not given. Call it at every tick: those between two
                updates are left out.
            now: When the version came, in seconds of our clock.

        Returns:
            The step for all who hold the version before; None if nothing changed, or no update is due.

        Raises:
            TypeError: It is neither; documents (mappings) are not there yet.
        """
        if isinstance(new_state, Version):
            if now is None:
                raise TypeError("sync_state: a version comes with `now`")
            self._take(new_state, now)
            return None
        if not isinstance(new_state, World):
            what = "documents are not there yet: it" if isinstance(new_state, Mapping) else "it"
            raise TypeError(f"sync_state: {what} takes a World, not a {type(new_state).__name__}")
        return self._commit(new_state, tick)

    def _commit(self, world: World, tick: int | None) -> Step | None:
        if self.stream is None or self.stream.world is not world:
            self.stream = Stream(world, self._limits)
            self._tick, self._committed = 0, -math.inf
        self._tick = self._tick + 1 if tick is None else tick
        interval = round(self.interval, 9)  # whole where it is meant to be; it need not be
        if self._tick > self._committed and self._tick // interval == self._committed // interval:
            return None
        self._committed = self._tick
        if not self.stream.commit(self._tick):
            return None
        return self.stream.step(self.stream.version.number - 1, self._coding)

    def interpolate_state(self, prev_state: Version, next_state: Version, alpha: float = 0.5) -> WorldView:
        """Show the world between two versions: `alpha` 0 is the earlier, 1 the later, and beyond 1 all goes on as it went."""
        return interpolate(prev_state, next_state, alpha)
