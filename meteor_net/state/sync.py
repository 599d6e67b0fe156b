"""`StateSync`: the state's face, on both ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, overload

from meteor_net.limits import Limits
from meteor_net.state.coding import Coding
from meteor_net.state.documents.trees import as_document
from meteor_net.state.interpolation import interpolate
from meteor_net.state.playback import Playback
from meteor_net.state.schema import Schema
from meteor_net.state.stream import Step, Stream
from meteor_net.state.version import Version
from meteor_net.state.view import WorldView
from meteor_net.state.world import World

Tree = TypeVar("Tree", bound=Mapping[str, Any])


class StateSync(Playback):
    """Makes frames of a world (a server), or shows the versions that frames made (a client).

    A mapping is as good as a world: the steps that come of it are what changed in it. A replica of `StateSync.schema` applies
    them, and has it as `replica.world.state`::

        server, replica = StateSync(), Replica(StateSync.schema, epoch=1)
        step = server.sync_state({"turn": "ann", "board": ["", "x", ""]})
        version = replica.apply(step.tick16, step.base_code, step.data, step.texts, docs=step.docs)
        replica.world.state  # {"turn": "ann", "board": ["", "x", ""]}

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
        schema: Of a state that is a mapping: one document, `state`.
    """

    schema: ClassVar[Schema] = Schema(documents=["state"])

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
        self._mapped: World | None = None  # the world of a state that is a mapping

    @property
    def last_state(self) -> Version | None:
        """The newest version that was committed, or that came; None before the first."""
        if self._versions:
            return self._versions[-1]
        return self.stream.version if self.stream is not None and self.stream.version.number else None

    @overload
    def sync_state(self, new_state: World | Mapping[str, Any], tick: int | None = None) -> Step | None: ...
    @overload
    def sync_state(self, new_state: Version, *, now: float) -> None: ...
    def sync_state(
        self, new_state: World | Mapping[str, Any] | Version, tick: int | None = None, *, now: float | None = None
    ) -> Step | None:
        """Commit a world as it is now, on a server; take a version that a frame has made, on a client.

        Args:
            new_state: The world; another one than before begins anew, with a keyframe. Or a mapping: a tree of dicts, lists,
                text, bytes, numbers, True, False and None; it is compared with the one before, whichever object it is. Or
                the version.
            tick: Of the world; one more than the last if not given. Call it at every tick: those between two
                updates are left out.
            now: When the version came, in seconds of our clock.

        Returns:
            The step for all who hold the version before; None if nothing changed, or no update is due.

        Raises:
            DocumentError: A mapping holds what no document may; the text names the place. All stays as it was.
            TypeError: It is none of these.
        """
        if isinstance(new_state, Version):
            if now is None:
                raise TypeError("sync_state: a version comes with `now`")
            self._take(new_state, now)
            return None
        if isinstance(new_state, Mapping):
            tree, _ = as_document(dict(new_state), "state")
            if self._mapped is None:
                self._mapped = World(self.schema, epoch=0)
            vars(self._mapped)["state"] = tree
            new_state = self._mapped
        if not isinstance(new_state, World):
            raise TypeError(f"sync_state: it takes a World or a mapping, not a {type(new_state).__name__}")
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

    @overload
    def interpolate_state(self, prev_state: Version, next_state: Version, alpha: float = 0.5) -> WorldView: ...
    @overload
    def interpolate_state(self, prev_state: Tree, next_state: Tree, alpha: float = 0.5) -> Tree: ...
    def interpolate_state(self, prev_state: Any, next_state: Any, alpha: float = 0.5) -> Any:
        """Show the world between two versions: `alpha` 0 is the earlier, 1 the later, and beyond 1 all goes on as it went.

        Of two mappings it is the later one: there is nothing between them.
        """
        if isinstance(next_state, Mapping):
            return next_state
        return interpolate(prev_state, next_state, alpha)
