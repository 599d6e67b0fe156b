"""What each player of a room is to see of its keyed tables: where all of them look, in arrays, and which teams they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..state.sight.keys import Cells
from ..state.sight.lookout import Looking, Lookout

if TYPE_CHECKING:
    from ..state import Table
    from ..state.sight.sights import Sights
    from .player import Player

Places = NDArray[np.intp]


class _Standing(NamedTuple):
    """Players who look from where their rows are, all in one table.

    Attributes:
        table: The table.
        x, y: Names of its fields.
        places: Theirs, in the order of all players.
        slots: Of their rows.
    """

    table: Table
    x: str
    y: str
    places: Places
    slots: Places


class Views:
    """Keeps the sight that each player of a room is to have.

    Args:
        sights: Of the room's stream; None where no table is keyed, and so there is nothing to do.

    Attributes:
        moved: A player looks from another point than before.
    """

    def __init__(self, sights: Sights | None) -> None:
        self.moved = False
        self._sights = sights
        self._lookout = None if sights is None else Lookout(sights)
        self._revision = 0
        self._players: list[Player] = []
        self._looking: list[Looking] = []
        #: Of each player, x and y of where it looks from; NaN for nowhere.
        self._at: NDArray[np.float64] = np.empty((2, 0))
        #: Places of those who look from a point.
        self._gazing: Places = np.empty(0, dtype=np.intp)
        self._gazers: list[Player] = []
        self._standing: list[_Standing] = []

    def update(self, players: list[Player], revision: int) -> None:
        """Bring the sights up to date.

        Args:
            players: Those who hear what happens.
            revision: Of `OwnRows`: another one means that others are here, or have other rows, teams or reaches.
        """
        if self._lookout is None or self._sights is None:
            return
        if revision != self._revision:
            self._revision = revision
            self._gather(players, self._sights)
        if self.moved:
            self.moved = False
            self._at[:, self._gazing] = np.array([player.spot for player in self._gazers]).reshape(-1, 2).T
        for table, x, y, places, slots in self._standing:
            self._at[0, places] = getattr(table, x)[slots]
            self._at[1, places] = getattr(table, y)[slots]
        self._lookout.update(self._looking, *self._at)
        for player, looking in zip(players, self._looking, strict=True):
            player.wanted = looking.sight

    def _gather(self, players: list[Player], sights: Sights) -> None:
        """Look up anew who looks how."""
        before = {player: place for place, player in enumerate(self._players)}
        at = np.full((2, len(players)), np.nan)
        gazing: list[int] = []
        standing: dict[tuple[Table, str, str], list[tuple[int, int]]] = {}
        for place, player in enumerate(players):
            row = player.row
            if player.spot is not None:
                gazing.append(place)
            elif row is not None and row.alive and (axes := _axes(row.table)):
                standing.setdefault((row.table, *axes), []).append((place, row.slot))
            elif player in before:
                at[:, place] = self._at[:, before[player]]  # it looks on from where it was
        self._players, self._at, self.moved = players, at, True
        self._looking = [_looking(player, sights) for player in players]
        self._gazing = np.array(gazing, dtype=np.intp)
        self._gazers = [players[place] for place in gazing]
        self._standing = [_Standing(*where, *np.array(found).T) for where, found in standing.items()]


def _axes(table: Table) -> tuple[str, str] | None:
    """The fields that tell where a row is, if it has them."""
    key = table.layout().key
    names = (key.x, key.y) if isinstance(key, Cells) else ("x", "y")
    columns = [getattr(table, name, None) for name in names]
    return names if all(isinstance(c, np.ndarray) and c.ndim == 1 and c.dtype.kind in "iuf" for c in columns) else None


def _looking(player: Player, sights: Sights) -> Looking:
    """How a player looks, as the lookout wants it."""
    looking = player.looking
    if looking is None:
        looking = player.looking = Looking(sights, (player.key,))
    teams = tuple(sorted(player.teams))
    if (looking.reach, looking.teams) != (player.reach, teams):
        looking.reach, looking.teams, looking.changed = player.reach, teams, True
    return looking
