"""The key of a row: which players are told of it. A field of the server's own; a table has one at the most."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.state.numeric import Fixed
from meteor_net.state.words import Local

if TYPE_CHECKING:
    from meteor_net.state.fields import Field

#: Keys are below this (wire clause 8.19).
MAX_KEYS = 65_536
#: Cells of a grid: more would be smaller than what they hold.
MAX_CELLS = 65_536
#: Rates at which keys are told of: every tick, every second, fourth and eighth.
MAX_RINGS = 4

Keys = NDArray[np.int32]


class KeySpec(NamedTuple):
    """What a schema tells of a table's key.

    Attributes:
        kind: `"cells"`, `"team"` or `"owner"`.
        rings: How many rates there are, 1 to 4.
    """

    kind: str
    rings: int


class KeyField(Local):
    """Above the kinds of keys: a column of integers, never sent; -1 is no key, and nobody is told of such a row."""

    kind = "key"
    spec = KeySpec("key", 1)

    def __init__(self) -> None:
        super().__init__(int)
        self.column_dtype, self.zero, self.default = np.int32, -1, -1

    def bind(self, table: str, fields: Sequence[Field[Any, Any]]) -> None:
        """Learn which table it is of.

        Raises:
            ConfigError: That table lacks what it needs.
        """


class Team(KeyField):
    """Each row is told only to the players of its team: an integer of 0 to 65,535, or None for nobody.

    A player's is `player.team`.
    """

    spec = KeySpec("team", 1)

    def coerce(self, value: Any) -> int:
        if value is None:
            return -1
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{self.name}: a team is an integer or None, not {type(value).__name__}")
        if not -1 <= value < MAX_KEYS:
            raise ValueError(f"{self.name}: {value} is no team; 0 to {MAX_KEYS - 1} are")
        return int(value)


class Owner(Team):
    """Each row is told only to the player who owns it: `Card.spawn(owner=player)`. None is nobody.

    The column holds the players' `key`.
    """

    spec = KeySpec("owner", 1)

    def coerce(self, value: Any) -> int:
        return super().coerce(getattr(value, "key", value))


class Cells(KeyField):
    """Each row is told to the players in whose sight its cell is, by its fields `x` and `y`.

    The key is worked out at each commit: that of the square cell that the row is in. A row that just crossed a border
    stays in its cell until it is an eighth of a cell beyond.

    Args:
        size: Of a cell, in the units of x and y.
        sight: How far a player sees, in the same; or several, ascending: up to the first every tick is told, up to the
            second every second tick, then every fourth and eighth.
        x, y: The names of the two fields, of the kind `Fixed`.
    """

    def __init__(self, size: float, sight: float | Sequence[float], x: str = "x", y: str = "y") -> None:
        super().__init__()
        reaches = list(sight) if isinstance(sight, Sequence) else [sight]
        if (
            not 1 <= len(reaches) <= MAX_RINGS
            or not all(_positive(reach) for reach in reaches)
            or sorted(set(reaches)) != reaches
        ):
            raise ConfigError(f"cells: sight must be a number above 0, or 1 to {MAX_RINGS} of them, ascending")
        if not _positive(size):
            raise ConfigError("cells: size must be a number above 0")
        self.size = float(size)
        self.sight = tuple(float(reach) for reach in reaches)
        self.x, self.y = x, y
        self.spec = KeySpec("cells", len(reaches))

    def bind(self, table: str, fields: Sequence[Field[Any, Any]]) -> None:
        by_name = {field.name: field for field in fields}
        axes = [by_name.get(name) for name in (self.x, self.y)]
        if not all(isinstance(axis, Fixed) for axis in axes):
            raise ConfigError(f"{table}.{self.name}: cells need the fields {self.x} and {self.y}, of the kind Fixed")
        spans = [axis.high - axis.low for axis in axes if isinstance(axis, Fixed)]
        for axis, span in zip(axes, spans, strict=True):
            if isinstance(axis, Fixed) and axis.wrap and abs(span / self.size - round(span / self.size)) > 1e-6:
                raise ConfigError(f"{table}.{self.name}: {axis.name} wraps, so {span:g} must be a whole number of cells")
        #: Cells from left to right, and from low to high.
        self.columns, self.rows = (max(1, ceil(span / self.size - 1e-6)) for span in spans)
        if self.columns * self.rows > MAX_CELLS:
            raise ConfigError(
                f"{table}.{self.name}: {self.columns} by {self.rows} cells; at most {MAX_CELLS}, so make them larger"
            )

    def coerce(self, value: Any) -> int:
        raise TypeError(f"{self.name}: a row's cell is worked out from {self.x} and {self.y}, and cannot be set")


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value > 0
