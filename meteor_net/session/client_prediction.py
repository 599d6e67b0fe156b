"""The own rows of a client ahead of its replica: which steps there are, and what the predictor is told. Plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ConfigError
from ..state import Action, Input, Version, WorldView
from ..state.own import OwnFields, StepFunction, input_ints
from ..state.prediction import SMOOTH_S, Predictor
from .client_world import RoomWorld


class Prediction:
    """Predict one room's own rows, if any step was named. It looks at the world when it is asked, so frames need not tell it.

    Args:
        world: Whose replica and rows these are.

    Attributes:
        predictor: Does it; None until a step is named.
    """

    def __init__(self, world: RoomWorld) -> None:
        self.predictor: Predictor | None = None
        self._world = world
        self._steps: dict[str, StepFunction] = {}
        self._ints: dict[type[Action], Callable[[Action], Any]] = {}
        self._plans: dict[tuple[Any, ...], OwnFields] = {}
        self._seen: tuple[Version | None, Any] = (None, None)

    def predict(
        self, kind: type[Input] | str, step: StepFunction, smooth_s: float = SMOOTH_S, snap: float | None = None
    ) -> None:
        """Name the step of an input; inputs of that kind are predicted from now on.

        Args:
            kind: The input's class or name.
            step: As the game's, see `Game.steps`.
            smooth_s: As of `Predictor`; what is named last counts.
            snap: Likewise.

        Raises:
            ConfigError: It is no Input, or the step no function.
        """
        if not isinstance(kind, str) and not (isinstance(kind, type) and issubclass(kind, Input)):
            raise ConfigError(f"predict takes an Input class or its name, not {kind!r}")
        if not callable(step):
            raise ConfigError(f"predict takes a step, which is a function of s and i, not {step!r}")
        try:
            self.predictor = Predictor(self._tick_s, smooth_s, snap)
        except ValueError as error:
            raise ConfigError(f"predict: {error}") from error
        self._steps[kind if isinstance(kind, str) else kind.__name__] = step
        self._seen = (None, None)

    @property
    def _tick_s(self) -> float:
        return self._world.anchor[2] / 1_000_000

    def joined(self) -> None:
        """We are in, anew or again: inputs that were under way are lost."""
        if self.predictor is not None:
            self.predictor.reset()
            self.predictor.tick_s = self._tick_s
            self._seen = (None, None)

    def act(self, action: Action, number: Callable[[], int], now: float) -> int | None:
        """Take how the controls stand.

        Args:
            action: The input.
            number: Gives it its number, if it is to be sent.
            now: Our time in seconds.

        Returns:
            Its number; None if it is not to be sent.
        """
        kind = type(action)
        step = self._steps.get(kind.__name__)
        if self.predictor is None or step is None:
            return number()
        if kind not in self._ints:
            self._ints[kind] = input_ints(kind)
        self._look()
        seq = number() if self.predictor.due(now) else None
        self.predictor.apply(seq, step, self._ints[kind](action), now)
        return seq

    def acked(self, seq: int, tick: int) -> None:
        """The inputs up to a number are in the version of a tick."""
        if self.predictor is not None:
            self._look()
            self.predictor.acked(seq, tick)

    def refused(self, seq: int) -> None:
        """An input, or another action, was refused."""
        if self.predictor is not None:
            self.predictor.refused(seq)

    def shown(self, view: WorldView, now: float) -> WorldView:
        """Give a world with our own rows as predicted in place of those that it has."""
        if self.predictor is None or self._world.replica is None:
            return view
        self._look()
        values = self.predictor.shown(now)
        if values is None:
            return view
        replica = self._world.replica
        tables = list(view.tables)
        plan = self._plan()
        for number, (table, slot) in enumerate(self._world.rows):
            version = replica.version.tables[table]
            own = {
                field.name: values[field.name]
                for field, (row, _) in zip(plan.fields, plan.places, strict=True)
                if row == number
            }
            tables[table] = tables[table].with_row(slot, int(version.generation[slot]), own)
        return WorldView(replica.version, view.tick, tables)

    def _plan(self) -> OwnFields:
        assert self._world.replica is not None
        schema = self._world.replica.schema
        tables = tuple(schema.tables[table] for table, _ in self._world.rows)
        plan = self._plans.get(tables)
        if plan is None:
            self._plans.clear()  # one at a time: rows change seldom, and another schema has other tables
            plan = self._plans[tables] = OwnFields(tables)
        return plan

    def _look(self) -> None:
        """Tell the predictor of another version, or other rows."""
        replica, rows = self._world.replica, self._world.rows
        if self.predictor is None or replica is None or self._seen == (replica.version, rows):
            return
        version = replica.version
        self._seen = (version, rows)
        plan = self._plan()
        there = bool(rows) and all(_holds(version, table, slot) for table, slot in rows)
        ints = plan.of_version(version, rows) if there else None
        which = tuple((table, slot, int(version.tables[table].generation[slot])) for table, slot in rows) if there else None
        self.predictor.authoritative(replica.tick, plan, ints, which)


def _holds(version: Version, table: int, slot: int) -> bool:
    alive = version.tables[table].alive
    return slot < len(alive) and bool(alive[slot])
