"""The rings of a keyed table: which rows the views of each have, looked up once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np

from meteor_net.state.sight.encode import RingStep
from meteor_net.state.sight.encode import Table as Encoder
from meteor_net.state.sight.grid import Grid
from meteor_net.state.sight.keyed import Keyed, Slots
from meteor_net.state.sight.keys import Cells
from meteor_net.state.sight.lists import Lists
from meteor_net.state.version import TableVersion

#: Rows that were looked up, of what stands still: while nothing moves, players may look at ever more of it.
MOST_SEEN = 100_000

#: What somebody sees of one ring of a table: of cells, the cell from which and how far, in parts of a cell; else the keys,
#: ascending. None is nothing.
View = tuple[int, ...] | None
#: Of a table: the view of each ring.
Views = tuple[View, ...]


class Seen:
    """The rows that some views have of one version: what was looked up for that is looked up once."""

    def __init__(self) -> None:
        self.places: dict[View, int] = {}
        self._slots: Slots = np.zeros(0, dtype=np.intp)
        self._bounds: Slots = np.zeros(1, dtype=np.intp)

    def __len__(self) -> int:
        return len(self._slots) + len(self._bounds)

    def add(self, views: Sequence[View], lists: Lists) -> None:
        """Note the rows of some views."""
        first = len(self._bounds) - 1
        self.places.update(zip(views, range(first, first + len(views)), strict=True))
        bounds = lists.sight.searchsorted(np.arange(1, len(views) + 1))
        if first:
            self._bounds = np.concatenate((self._bounds, self._bounds[-1] + bounds))
            self._slots = np.concatenate((self._slots, lists.slot))
        else:
            self._bounds, self._slots = np.concatenate(([0], bounds)), lists.slot

    def lists(self, views: Sequence[View]) -> Lists:
        """Give the rows of some views, all of which are noted."""
        places = np.fromiter(map(self.places.__getitem__, views), dtype=np.intp, count=len(views))
        first = self._bounds.take(places)
        lengths = self._bounds.take(places + 1) - first
        ends = np.add.accumulate(lengths)
        sight = np.arange(len(views)).repeat(lengths)
        if len(sight) == len(self._slots) and bool((np.diff(places) == 1).all()):
            return Lists(sight, self._slots)
        at = (first - (ends - lengths)).repeat(lengths)
        at += np.arange(len(at))
        return Lists(sight, self._slots.take(at))


class Ring:
    """One rate of one table: what its followers hold, and the step that brought them there."""

    def __init__(self, empty: Keyed, every: int) -> None:
        self.every = every
        self.now = self.base = self.before = empty
        self.step = False  # it makes one at the newest version
        self.open = True  # sights may change at the newest version
        self.coded: RingStep | None = None
        #: The rows that views have of `now`, and had of `base`.
        self.seen, self.saw = Seen(), Seen()

    def advance(self, newest: Keyed, tick: int) -> None:
        """A version was made."""
        self.open = tick % self.every == 0
        self.step = self.open and newest is not self.now
        self.coded = None
        if self.step:
            self.before, self.base, self.now = self.base, self.now, newest
            self.saw, self.seen = self.seen, Seen()
        elif len(self.seen) > MOST_SEEN:
            self.seen = Seen()


class KeyedTable:
    """One keyed table.

    Attributes:
        number: Of the table in the schema.
        rings: Its rates.
        grid: Of its cells, or None.
        newest: As it was committed last.
    """

    def __init__(self, number: int, table: Any) -> None:
        layout, spec = table.layout(), table.key_spec
        self.number = number
        self.kind = spec.kind
        self.encoder = Encoder(layout, spec.rings)
        self.grid = Grid(layout.key, layout) if isinstance(layout.key, Cells) else None
        self.newest = Keyed.empty(TableVersion.empty(layout))
        self.rings = [Ring(self.newest, 1 << ring) for ring in range(spec.rings)]

    def members(self, ring: int, keyed: Keyed, views: Sequence[View]) -> Lists:
        """Give the rows that some views have, by the place of each in the list."""
        if self.grid is None:
            return _expand(keyed, *self._runs_of_keys(keyed, views))
        found: list[Lists] = []
        starts = keyed.starts(self.grid.size)
        places = [place for place, view in enumerate(views) if view is not None]
        here = views if len(places) == len(views) else [views[place] for place in places]
        flat = chain.from_iterable(cast("Iterable[tuple[int, ...]]", here))
        cells = np.fromiter(flat, dtype=np.int64, count=3 * len(places)).reshape(-1, 3)
        for parts in set(cells[:, 2].tolist()):
            own = (cells[:, 2] == parts).nonzero()[0]
            shape = self.grid.shapes(parts)[ring]
            for some, first, last in self.grid.runs(shape, cells[own, 0], cells[own, 1]):
                sight = np.array(places, dtype=np.intp).take(own.take(some))
                found.append(_expand(keyed, sight, starts.take(first), starts.take(last)))
        if len(found) == 1:
            return found[0]
        return Lists(
            np.concatenate([each.sight for each in found] or [np.zeros(0, dtype=np.intp)]),
            np.concatenate([each.slot for each in found] or [np.zeros(0, dtype=np.intp)]),
        )

    def lists(self, ring: int, keyed: Keyed, views: Sequence[View], seen: Seen) -> Lists:
        """Give the rows that some views have, in order; looked up in what was seen already."""
        try:
            return seen.lists(views)
        except KeyError:  # few views are new to a ring
            lacking = [view for view in dict.fromkeys(views) if view not in seen.places]
        found = self.members(ring, keyed, lacking)
        order = np.lexsort((found.slot, found.sight))
        seen.add(lacking, Lists(found.sight.take(order), found.slot.take(order)))
        return seen.lists(views)

    def _runs_of_keys(self, keyed: Keyed, views: Sequence[View]) -> tuple[Any, Any, Any]:
        pairs = [(place, key) for place, view in enumerate(views) for key in view or ()]
        places, keys = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        first = np.searchsorted(keyed.keys, keys)
        return places, first[:, None], np.searchsorted(keyed.keys, keys, side="right")[:, None]

    def keys(self, ring: int, view: View) -> list[int]:
        """Give the keys of a view."""
        if view is None or self.grid is None:
            return list(view or ())
        column, row = (np.array([at], dtype=np.int64) for at in view[:2])
        runs = self.grid.runs(self.grid.shapes(view[2])[ring], column, row)
        pairs = [pair for _, first, last in runs for pair in zip(first.ravel().tolist(), last.ravel().tolist(), strict=True)]
        return [key for first, last in pairs for key in range(first, last)]


def _expand(keyed: Keyed, places: Any, first: Any, last: Any) -> Lists:
    """Give the rows of runs of `keyed.slots`, of shape (views, runs); `places` are the views' own."""
    lengths = last - first
    ends = np.add.accumulate(lengths.ravel())
    at = np.repeat(first.ravel() - (ends - lengths.ravel()), lengths.ravel())
    at += np.arange(len(at))
    return Lists(np.repeat(places, lengths.sum(axis=1)), keyed.slots.take(at))
