"""Steps: what a player's input does to its own rows, the same on the server and in the clients that predict it.

docs/explanation/prediction.md tells all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import iscoroutinefunction, signature
from typing import Any

from ..errors import ConfigError
from ..state import Input
from ..state.own import OwnFields, StepFunction, check_exact, input_ints
from .asking import Asking
from .player import Player

#: The most ticks that a missing input may be repeated: beyond a few seconds it is no guess any more.
MAX_IDLE_TICKS = 600
#: Plans for own rows of different tables; a game has a few.
MAX_PLANS = 64


def check_steps(game: Any) -> None:
    """See that a game's `steps`, `idle` and `idle_ticks` can be.

    Raises:
        ConfigError: They cannot; the text begins with the attribute's name.
    """
    steps: Any = getattr(game, "steps", {})
    if not isinstance(steps, Mapping):
        raise ConfigError(f"steps is {steps!r}; a dict of Input classes and their steps is needed")
    for kind, step in steps.items():
        if not (isinstance(kind, type) and issubclass(kind, Input)):
            raise ConfigError(f"steps: {getattr(kind, '__name__', repr(kind))} is no Input class")
        if kind not in game.actions:
            raise ConfigError(f"steps: {kind.__name__} is not among the actions")
        if not callable(step) or iscoroutinefunction(step):
            raise ConfigError(f"steps: {kind.__name__} has {step!r}; a plain function of s and i is needed")
        try:
            signature(step).bind("s", "i")
        except (TypeError, ValueError) as error:
            raise ConfigError(f"steps: the step of {kind.__name__} is called with s and i: {error}") from error
    if steps:
        _check_idle(game)
        check_exact(list(game.tables))


def _check_idle(game: Any) -> None:
    idle, ticks = getattr(game, "idle", "repeat"), getattr(game, "idle_ticks", 0)
    if idle not in ("repeat", "skip"):
        raise ConfigError(f'idle is {idle!r}; "repeat" or "skip" is needed')
    if type(ticks) is not int or not 0 <= ticks <= MAX_IDLE_TICKS:
        raise ConfigError(f"idle_ticks is {ticks!r}; a whole number of 0 to {MAX_IDLE_TICKS} is needed")


class Steps:
    """Runs the steps of one room's players.

    Args:
        game: Has them.
        asking: Hears what they raise.
        counters: Its `steps_failed` counts those that did.
    """

    def __init__(self, game: Any, asking: Asking, counters: dict[str, int]) -> None:
        steps: Mapping[type[Input], StepFunction] = getattr(game, "steps", {})
        self._steps = {kind: (step, input_ints(kind)) for kind, step in steps.items()}
        self._neutral = {kind: ints(kind()) for kind, (_, ints) in self._steps.items()}
        self._repeats = getattr(game, "idle", "repeat") == "repeat"
        self._idle_ticks: int = getattr(game, "idle_ticks", 0)
        self._asking = asking
        self._counters = counters
        self._plans: dict[tuple[Any, ...], OwnFields] = {}
        self._waiting: list[Player] = []

    def __bool__(self) -> bool:
        return bool(self._steps)

    def take(self, player: Player, action: Input) -> None:
        """A player's input is there for this tick; of a kind without a step nothing happens."""
        if type(action) in self._steps:
            player.missed = 0
            player.steered = type(action), self._steps[type(action)][1](action)
            self._waiting.append(player)

    def miss(self, player: Player) -> None:
        """There is none: do by the idle policy."""
        if not self._repeats:
            return
        player.missed += 1
        if player.steered is None or player.missed > self._idle_ticks:
            kind = next(iter(self._steps)) if player.steered is None else player.steered[0]
            player.steered = kind, self._neutral[kind]
        self._waiting.append(player)

    def run(self) -> None:
        """Run the steps of all whose turn it is: together, as to read and write rows one by one takes longer than the steps."""
        waiting, self._waiting = self._waiting, []
        while waiting:
            # Who shares a row with another waits until that one's step is done.
            groups: dict[tuple[Any, ...], list[tuple[Player, list[Any]]]] = {}
            taken: set[tuple[int, int]] = set()
            later = []
            for player in waiting:
                rows = [row for row in player.rows if row.alive]
                own = {(id(row.table), row.slot) for row in rows}
                if not own.isdisjoint(taken):
                    later.append(player)
                elif rows:
                    taken |= own
                    groups.setdefault(tuple([type(row.table) for row in rows]), []).append((player, rows))
            for tables, group in groups.items():
                self._run(self._plan(tables), group)
            waiting = later

    def _run(self, plan: OwnFields, group: list[tuple[Player, list[Any]]]) -> None:
        steered = [player.steered for player, _ in group if player.steered is not None]
        steps = [self._steps[kind][0] for kind, _ in steered]
        failures = plan.move_all([rows for _, rows in group], steps, [i for _, i in steered])
        for (player, _), failure in zip(group, failures, strict=True):
            if failure is not None:
                self._counters["steps_failed"] += 1
                self._asking.raised(player, "step", failure)

    def _plan(self, tables: tuple[Any, ...]) -> OwnFields:
        plan = self._plans.get(tables)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[tables] = OwnFields(tables)
        return plan
