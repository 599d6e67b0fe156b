"""What players see of a world's keyed tables, and the bytes that tell them (wire clause 8.20)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from meteor_net.state.coding.leb128 import encode_one
from meteor_net.state.sight.encode import RingStep
from meteor_net.state.sight.keyed import Keyed, freeze
from meteor_net.state.sight.rings import KeyedTable, View, Views

if TYPE_CHECKING:
    from meteor_net.state.schema import Schema
    from meteor_net.state.world import World

#: Views times slots that are looked at in one go.
MOST_AT_ONCE = 8_000_000
#: Sights that are remembered, so that equal ones are one object.
MAX_REMEMBERED = 16_384

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
        self.tables = [KeyedTable(number, table) for number, table in enumerate(schema.tables) if table.key_spec is not None]
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

    def _encode_some(self, table: KeyedTable, r: int, coded: RingStep, views: list[tuple[View, View]]) -> list[bytes]:
        ring = table.rings[r]
        count, news = len(views), [new for _, new in views]
        base, saw = (ring.base, ring.saw) if ring.step else (ring.now, ring.seen)
        old = table.lists(r, base, [old for old, _ in views], saw)
        beyond = table.members(r + 1, ring.now, news) if r + 1 < len(table.rings) else None
        parts, there = coded.parts(count, old, table.members(r, ring.now, news), beyond)
        ring.seen.add(news, there)
        return parts
