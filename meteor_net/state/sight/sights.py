"""What players see of a world's keyed tables, and the bytes that tell them (wire clause 8.20)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from meteor_net.state.coding.leb128 import encode_one
from meteor_net.state.sight.encode import Lists, RingStep
from meteor_net.state.sight.encode import Table as Encoder
from meteor_net.state.sight.grid import Grid
from meteor_net.state.sight.keyed import Keyed, Slots, freeze
from meteor_net.state.sight.keys import Cells
from meteor_net.state.version import TableVersion

if TYPE_CHECKING:
    from meteor_net.state.schema import Schema
    from meteor_net.state.world import World

#: Views times slots that are looked at in one go.
MOST_AT_ONCE = 8_000_000
#: Rows that were looked up, of what stands still: while nothing moves, players may look at ever more of it.
MOST_SEEN = 100_000
#: Sights that are remembered, so that equal ones are one object.
MAX_REMEMBERED = 16_384

#: What somebody sees of one ring of a table: of cells, the cell from which and how far, in parts of a cell; else the keys,
#: ascending. None is nothing.
View = tuple[int, ...] | None
#: Of a table: the view of each ring.
Views = tuple[View, ...]
#: What somebody holds, None if nothing, and what it is to hold.
Way = tuple["Sight | None", "Sight"]


class Sight:
    """What somebody sees: for each keyed table the view of each ring. Two that are equal are one object (`Sights.sight`).

    Attributes:
        tables: As given.
        first: The view of the first ring of the first table.
    """

    __slots__ = ("_sights", "first", "tables")

    def __init__(self, sights: Sights, tables: tuple[Views, ...]) -> None:
        self._sights = sights
        self.tables = tables
        self.first = tables[0][0] if tables else None

    def keys(self, table: int, ring: int | None = None) -> set[int]:
        """Give the keys of the `table`-th keyed table that are in it, or those of one of its rings."""
        of = self._sights.tables[table]
        rings = range(len(of.rings)) if ring is None else (ring,)
        return {key for each in rings for key in of.keys(each, self.tables[table][each])}

    def __repr__(self) -> str:
        return f"<Sight {self.tables}>"


class _Seen:
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


class _Ring:
    """One rate of one table: what its followers hold, and the step that brought them there."""

    def __init__(self, empty: Keyed, every: int) -> None:
        self.every = every
        self.now = self.base = self.before = empty
        self.step = False  # it makes one at the newest version
        self.open = True  # sights may change at the newest version
        self.coded: RingStep | None = None
        #: The rows that views have of `now`, and had of `base`.
        self.seen, self.saw = _Seen(), _Seen()

    def advance(self, newest: Keyed, tick: int) -> None:
        """A version was made."""
        self.open = tick % self.every == 0
        self.step = self.open and newest is not self.now
        self.coded = None
        if self.step:
            self.before, self.base, self.now = self.base, self.now, newest
            self.saw, self.seen = self.seen, _Seen()
        elif len(self.seen) > MOST_SEEN:
            self.seen = _Seen()


class _Table:
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
        self.rings = [_Ring(self.newest, 1 << ring) for ring in range(spec.rings)]

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

    def lists(self, ring: int, keyed: Keyed, views: Sequence[View], seen: _Seen) -> Lists:
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


class Sights:
    """The keyed tables of one world's stream.

    Args:
        schema: Of the world; at least one table is keyed.

    Attributes:
        tables: The keyed ones, in the order of the schema.
        nothing: The sight of who sees nothing.
        counters: frames (told to players), coded (ways from one sight to another, of a ring): plain integers.
    """

    def __init__(self, schema: Schema) -> None:
        self.tables = [_Table(number, table) for number, table in enumerate(schema.tables) if table.key_spec is not None]
        self.counters = dict.fromkeys(("frames", "coded"), 0)
        self._interned: dict[tuple[Views, ...], Sight] = {}
        self.nothing = self.sight(tuple((None,) * len(table.rings) for table in self.tables))
        #: Who stands at and wants the same gets the same bytes; a benchmark turns that off.
        self.share = True
        self._check = False
        self._tick = 0
        self._one_view = len(self.tables) == 1 and len(self.tables[0].rings) == 1
        self._frames: dict[Way, tuple[bytes, Sight]] = {}

    @property
    def keyed(self) -> tuple[Keyed, ...]:
        """The keyed tables as they were committed last."""
        return tuple(table.newest for table in self.tables)

    # --- committing ---

    def commit(self, world: World, tick: int) -> bool:
        """Quantize the keyed tables.

        Returns:
            Whether there is something to tell, and so a version to make.
        """
        news = False
        self._tick = tick
        for table in self.tables:
            newest = freeze(world.tables[table.number], table.grid, table.newest)
            news |= newest is not table.newest
            table.newest = newest
            news |= any(newest is not ring.now and tick % ring.every == 0 for ring in table.rings)
        return news

    def versioned(self, check: bool) -> None:
        """A version was made of what was committed; its parts carry checksums if `check`."""
        self._check = check
        self._frames = {}
        for table in self.tables:
            for ring in table.rings:
                ring.advance(table.newest, self._tick)

    # --- what somebody sees ---

    def sight(self, tables: tuple[Views, ...]) -> Sight:
        """Give what somebody sees, by the views of each table's rings."""
        found = self._interned.get(tables)
        if found is None:
            if len(self._interned) >= MAX_REMEMBERED:
                self._interned.clear()
                self._interned[self.nothing.tables] = self.nothing
            found = self._interned[tables] = Sight(self, tables)
        return found

    # --- telling ---

    def frames(self, ways: Sequence[Way]) -> list[tuple[bytes, Sight]]:
        """Give the items `sight` of FRAMEs to the newest version, coded all at once.

        Args:
            ways: For each client: what it holds at the version before, None if nothing; and what it is to hold.

        Returns:
            For each the bytes, and what it holds then: of a slower ring it sees another part only at that ring's ticks.
        """
        self.counters["frames"] += len(ways)
        frames = self._frames
        fresh = [way for way in ways if way not in frames]
        if not self.share:
            fresh = list(ways)
        if fresh:
            if self._one_view:
                self._tell_one_view(fresh if not self.share else list(dict.fromkeys(fresh)))
            else:
                self._tell(fresh if not self.share else list(dict.fromkeys(fresh)))
        return [frames[way] for way in ways]

    def _tell_one_view(self, ways: list[Way]) -> None:
        """Make frames of a world with one keyed table in one ring; as `_tell` does, but with less to do for each."""
        ring = self.tables[0].rings[0]
        views = [(None if held is None else held.first, wanted.first) for held, wanted in ways]
        if not ring.step:  # who stays where it was is told nothing
            for way, (old, new) in zip(ways, views, strict=True):
                if old == new:
                    self._frames[way] = b"\1" if way[0] is None else b"", way[1]
            ways = [way for way, (old, new) in zip(ways, views, strict=True) if old != new]
            views = [view for view in views if view[0] != view[1]]
            if not views:
                return
        heads = [bytes((2 + forget, 2 + self._check)) for forget in (0, 1)]
        frames = self._frames
        for way, part in zip(ways, self._encode(0, 0, views), strict=True):
            frames[way] = heads[way[0] is None] + part, way[1]

    def _tell(self, ways: list[Way]) -> None:
        """Make frames, all their parts coded at once."""
        needed: dict[tuple[int, int], list[tuple[View, View]]] = {}
        told: list[tuple[Way, Sight, list[tuple[int, int, View, View]]]] = []
        for way in ways:
            start = way[0] or self.nothing
            reached = self._reach(start, way[1])
            keys = []
            for i, (table, olds, news) in enumerate(zip(self.tables, start.tables, reached.tables, strict=True)):
                for r, (ring, old, new) in enumerate(zip(table.rings, olds, news, strict=True)):
                    if ring.step or old != new:
                        keys.append((i, r, old, new))
                        needed.setdefault((i, r), []).append((old, new))
            told.append((way, reached, keys))
        parts: dict[tuple[int, int, View, View], bytes] = {}
        for (i, r), views in needed.items():
            views = list(dict.fromkeys(views)) if self.share else views
            parts.update(((i, r, *view), part) for view, part in zip(views, self._encode(i, r, views), strict=True))
        for way, reached, keys in told:
            self._frames[way] = self._join(keys, parts, way[0] is None), reached

    def _join(self, keys: list[Any], parts: dict[Any, bytes], forget: bool) -> bytes:
        """Put a frame together."""
        bits, sections = int(forget), []
        for i in range(len(self.tables)):
            own = [key for key in keys if key[0] == i]
            if own:
                bits |= 2 << i
                sections.append(encode_one(self._check + sum(2 << key[1] for key in own)))
                sections += [parts[key] for key in own]
        return encode_one(bits) + b"".join(sections) if bits else b""

    def _reach(self, start: Sight, wanted: Sight) -> Sight:
        """Give how much of the wanted sight can be told at this version."""
        if start is wanted or all(ring.open for table in self.tables for ring in table.rings):
            return wanted
        return self.sight(tuple(
            tuple(new if ring.open else old for ring, old, new in zip(table.rings, olds, news, strict=True))
            for table, olds, news in zip(self.tables, start.tables, wanted.tables, strict=True)
        ))  # fmt: skip

    def _encode(self, i: int, r: int, views: list[tuple[View, View]]) -> list[bytes]:
        """Encode the parts of some ways from one view to another."""
        table = self.tables[i]
        ring = table.rings[r]
        if ring.coded is None:
            # Without a step the ring stands where its last one led, from `base`.
            states = (ring.before, ring.base, ring.now) if ring.step else (ring.base, ring.now, ring.now)
            ring.coded = RingStep(table.encoder, *states, ring.step, self._check)
        # So many at a time that what is looked at stays small.
        each = max(1, MOST_AT_ONCE // ring.coded.size)
        parts: list[bytes] = []
        for first in range(0, len(views), each):
            parts += self._encode_some(table, r, ring.coded, views[first : first + each])
        self.counters["coded"] += len(views)
        return parts

    def _encode_some(self, table: _Table, r: int, coded: RingStep, views: list[tuple[View, View]]) -> list[bytes]:
        ring = table.rings[r]
        count, news = len(views), [new for _, new in views]
        base, saw = (ring.base, ring.saw) if ring.step else (ring.now, ring.seen)
        old = table.lists(r, base, [old for old, _ in views], saw)
        beyond = table.members(r + 1, ring.now, news) if r + 1 < len(table.rings) else None
        parts, there = coded.parts(count, old, table.members(r, ring.now, news), beyond)
        ring.seen.add(news, there)
        return parts
