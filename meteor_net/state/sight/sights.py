"""What players see of a world's keyed tables, and the bytes that tell them (wire clause 8.20).

All keys of a ring are coded once a version; what a player gets is the join of the pieces of the keys in its sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from meteor_net.state.coding.leb128 import encode_one
from meteor_net.state.sight.encode import NOTHING, Choice, Pieces, Shape, choose_keyframes, encode_keyframes, encode_pieces
from meteor_net.state.sight.grid import Grid
from meteor_net.state.sight.keyed import Keyed, freeze
from meteor_net.state.sight.keys import Cells
from meteor_net.state.version import TableVersion

if TYPE_CHECKING:
    from meteor_net.state.schema import Schema
    from meteor_net.state.world import World

#: Sights, and ways from one to another, that are remembered; what is forgotten is worked out again.
MAX_REMEMBERED = 16_384

Keys = tuple[int, ...]
#: Of a table: the keys of each ring, ascending.
Rings = tuple[Keys, ...]


class Sight:
    """What somebody sees: for each keyed table the keys of each ring. Two that are equal are one object (`Sights.sight`).

    Attributes:
        tables: As given.
    """

    __slots__ = ("__weakref__", "_getters", "_sets", "tables")

    def __init__(self, tables: tuple[Rings, ...]) -> None:
        self.tables = tables
        self._getters: tuple[tuple[Any, ...], ...] | None = None
        self._sets: tuple[tuple[frozenset[int], ...], ...] | None = None

    @property
    def getters(self) -> tuple[tuple[Any, ...], ...]:
        """For each table and ring what picks the pieces of those keys; None for none."""
        if self._getters is None:
            self._getters = tuple(tuple(_getter(keys) for keys in rings) for rings in self.tables)
        return self._getters

    @property
    def sets(self) -> tuple[tuple[frozenset[int], ...], ...]:
        """The keys, as sets."""
        if self._sets is None:
            self._sets = tuple(tuple(map(frozenset, rings)) for rings in self.tables)
        return self._sets

    def keys(self, table: int) -> set[int]:
        """Give all keys of the `table`-th keyed table that are in it."""
        return {key for keys in self.tables[table] for key in keys}

    def __repr__(self) -> str:
        return f"<Sight {' '.join('+'.join(str(len(keys)) for keys in rings) for rings in self.tables)}>"


class _Way(NamedTuple):
    """From one sight to another, of one table.

    Attributes:
        dropped: The keys that go.
        gained: For each ring the keys gained.
        gone: For each ring the places, descending, of the keys held before that do not stay in it.
    """

    dropped: Keys
    gained: Rings
    gone: tuple[list[int], ...]


class _Ring:
    """One rate of one table: what its followers hold, and the step that brought them there."""

    def __init__(self, empty: Keyed, every: int) -> None:
        self.every = every
        self.now = self.base = self.before = empty
        self.due = False
        self._pieces: Pieces | None = None

    def advance(self, newest: Keyed, due: bool) -> None:
        """A version was made; the ring has a step to it, or none."""
        self.due = due
        if due:
            self.before, self.base, self.now = self.base, self.now, newest
            self._pieces = None

    def pieces(self, shape: Shape, cells: int, check: bool) -> Pieces:
        """Give the pieces of the step."""
        if self._pieces is None:
            made = encode_pieces(shape, self.before, self.base, self.now, check)
            by_key: Any = _Absent(made.by_key)
            if cells:  # a list is picked from faster
                by_key = [NOTHING] * cells
                for key, piece in made.by_key.items():
                    by_key[key] = piece
            self._pieces = Pieces(made.head, by_key)
        return self._pieces


class _Absent(dict[int, bytes]):
    """Pieces: what is not there changed in nothing."""

    def __missing__(self, key: int) -> bytes:
        return NOTHING


class _Table:
    """One keyed table.

    Attributes:
        number: Of the table in the schema.
        rings: Its rates.
        grid: Of its cells, or None; `cells` is how many those are.
        newest: As it was committed last.
    """

    def __init__(self, number: int, table: Any) -> None:
        layout, spec = table.layout(), table.key_spec
        self.number = number
        self.name = table.table_name
        self.shape = Shape(layout, spec.rings, spec.bits)
        self.grid = Grid(layout.key, layout) if isinstance(layout.key, Cells) else None
        self.cells = self.grid.counts[0] * self.grid.counts[1] if self.grid is not None else 0
        self.kind = spec.kind
        self.newest = Keyed.empty(TableVersion.empty(layout))
        self.rings = [_Ring(self.newest, 1 << ring) for ring in range(spec.rings)]
        #: The keyframes of the newest version, by ring and key; all are coded by one choice of parameters.
        self.keyframes: dict[tuple[int, int], bytes] = {}
        self.choice: Choice | None = None


class Sights:
    """The keyed tables of one world's stream.

    Args:
        schema: Of the world; at least one table is keyed.

    Attributes:
        tables: The keyed ones, in the order of the schema.
        counters: joins, shared_joins, keyframes (keys), pieces (keys coded): plain integers.
    """

    def __init__(self, schema: Schema) -> None:
        self.tables = [_Table(number, table) for number, table in enumerate(schema.tables) if table.key_spec is not None]
        self.nothing = Sight(tuple(((),) * len(table.rings) for table in self.tables))
        self.counters = dict.fromkeys(("joins", "keyframes", "sights"), 0)
        self._interned: dict[tuple[Rings, ...], Sight] = {self.nothing.tables: self.nothing}
        self._ways: dict[tuple[Sight, Sight], tuple[_Way, ...]] = {}
        self._check = False
        self._tick = 0
        #: What those get whose sight stays: bytes, and of which table and ring pieces follow from where.
        self._plan: list[tuple[bytes, int, int, Any]] | None = None

    @property
    def keyed(self) -> tuple[Keyed, ...]:
        """The keyed tables as they were committed last."""
        return tuple(table.newest for table in self.tables)

    # --- committing ---

    def commit(self, world: World, number: int, tick: int) -> bool:
        """Quantize the keyed tables as version `number`, if that is made.

        Returns:
            Whether there is something to tell, and so a version to make.
        """
        news = False
        self._tick = tick
        for table in self.tables:
            newest = freeze(world.tables[table.number], table.grid, table.newest, number)
            news |= newest is not table.newest
            table.newest = newest
            news |= any(self._due(table, ring) for ring in table.rings)
        return news

    def versioned(self, check: bool) -> None:
        """A version was made of what was committed; its pieces carry checksums if `check`."""
        self._check = check
        self._plan = None
        for table in self.tables:
            table.keyframes, table.choice = {}, None
            for ring in table.rings:
                ring.advance(table.newest, self._due(table, ring))

    def _due(self, table: _Table, ring: _Ring) -> bool:
        return table.newest is not ring.now and self._tick % ring.every == 0

    # --- what somebody sees ---

    def sight(self, tables: Sequence[Sequence[Iterable[int]]]) -> Sight:
        """Give what somebody sees.

        Args:
            tables: For each keyed table the keys of each ring; a key stands in one of them.
        """
        key = tuple(tuple(tuple(sorted(keys)) for keys in rings) for rings in tables)
        return self.intern(key)

    def intern(self, key: tuple[Rings, ...]) -> Sight:
        found = self._interned.get(key)
        if found is None:
            if len(self._interned) >= MAX_REMEMBERED:
                self._interned.clear()
                self._ways.clear()
                self._interned[self.nothing.tables] = self.nothing
            found = self._interned[key] = Sight(key)
            self.counters["sights"] += 1
        return found

    # --- telling ---

    def prepare(self, pairs: Iterable[tuple[Sight | None, Sight, bool]]) -> None:
        """Encode at once all the keyframes that these calls of `frame` will need."""
        needed: list[list[set[int]]] = [[set() for _ in table.rings] for table in self.tables]
        for held, wanted, following in pairs:
            if held is wanted and following:
                continue
            start = held if following and held is not None else self.nothing
            for sets, way in zip(needed, self._way(start, self._allowed(start, wanted)), strict=True):
                for keys, gained in zip(sets, way.gained, strict=True):
                    keys.update(gained)
        for table, sets in zip(self.tables, needed, strict=True):
            for ring, keys in enumerate(sets):
                if keys:
                    self._keyframes(table, ring, keys)

    def frame(self, held: Sight | None, wanted: Sight, following: bool = True) -> tuple[bytes, Sight]:
        """Give the item `sight` of a FRAME to the newest version.

        Args:
            held: What the client holds at the version before; None if nothing.
            wanted: What it is to hold.
            following: It stands at the version before; else all is told anew.

        Returns:
            The bytes, and what the client holds then: a key of a slower ring waits until that ring has been told all.
        """
        self.counters["joins"] += 1
        if held is wanted and following:
            return self._plain(held), held
        start = held if following and held is not None else self.nothing
        reached = self._allowed(start, wanted)
        ways = self._way(start, reached)
        sections, bits = [], 0 if start is held else 1
        for i, (table, way) in enumerate(zip(self.tables, ways, strict=True)):
            section = self._section(table, way, start.getters[i] if start is held else None)
            if section:
                bits |= 2 << i
                sections.append(section)
        if not bits:
            return b"", reached
        return encode_one(bits) + b"".join(sections), reached

    def _plain(self, sight: Sight) -> bytes:
        """The sight stays: only pieces are told."""
        plan = self._plan
        if plan is None:
            plan = self._plan = self._make_plan()
        getters = sight.getters
        if len(plan) == 1:
            head, i, r, pieces = plan[0]
            getter = getters[i][r]
            return head if getter is None else head + b"".join(getter(pieces))
        parts: list[bytes] = []
        for head, i, r, pieces in plan:
            parts.append(head)
            if getters[i][r] is not None:
                parts += getters[i][r](pieces)
        return b"".join(parts)

    def _make_plan(self) -> list[tuple[bytes, int, int, Any]]:
        plan: list[tuple[bytes, int, int, Any]] = []
        bits = 0
        for i, table in enumerate(self.tables):
            due = sum(8 << r for r, ring in enumerate(table.rings) if ring.due)
            if due:
                bits |= 2 << i
                head = encode_one(due | self._check << 2)
                for r, ring in enumerate(table.rings):
                    if ring.due:
                        pieces = ring.pieces(table.shape, table.cells, self._check)
                        plan.append((head + pieces.head, i, r, pieces.by_key))
                        head = b""
        if plan:
            head, i, r, by_key = plan[0]
            plan[0] = (encode_one(bits) + head, i, r, by_key)
        return plan

    def _section(self, table: _Table, way: _Way, held: tuple[Any, ...] | None) -> bytes:
        what = bool(way.dropped) | any(way.gained) << 1 | self._check << 2
        parts = []
        if way.dropped:
            parts.append(key_set(way.dropped))
        if any(way.gained):
            parts.append(encode_one(sum(1 << ring for ring, keys in enumerate(way.gained) if keys)))
            parts += [key_set(keys) for keys in way.gained if keys]
            parts += self._gained(table, way.gained)
        for r, ring in enumerate(table.rings if held is not None else ()):
            if ring.due and held is not None:
                what |= 8 << r
                pieces = ring.pieces(table.shape, table.cells, self._check)
                parts.append(pieces.head)
                if held[r] is not None:
                    kept = list(held[r](pieces.by_key))
                    for place in way.gone[r]:
                        del kept[place]
                    parts += kept
        return encode_one(what) + b"".join(parts) if what & ~4 else b""

    def _gained(self, table: _Table, gained: Rings) -> list[bytes]:
        """Give what a section has of the keys gained, after their names."""
        parts = []
        for ring, keys in enumerate(gained):
            if keys:
                self._keyframes(table, ring, keys)
                parts += [table.keyframes[ring, key] for key in keys]
        assert table.choice is not None
        return [table.choice.head, *parts]

    def _keyframes(self, table: _Table, ring: int, keys: Iterable[int]) -> None:
        """Encode the keyframes of these keys that are not there yet."""
        lacking = sorted(key for key in keys if (ring, key) not in table.keyframes)
        if not lacking:
            return
        followed = table.rings[ring]
        if table.choice is None:
            table.choice = choose_keyframes(table.shape, followed.base, followed.now)
        made = encode_keyframes(table.shape, table.choice, followed.base, followed.now, lacking, self._check)
        table.keyframes.update(((ring, key), keyframe) for key, keyframe in made.items())
        self.counters["keyframes"] += len(lacking)

    # --- from one sight to another ---

    def _allowed(self, held: Sight, wanted: Sight) -> Sight:
        """Give how much of the wanted sight can be told now: a slower ring takes keys only where it stands at the newest."""
        late = [[ring.now is not table.newest for ring in table.rings] for table in self.tables]
        if not any(map(any, late)):
            return wanted
        tables: list[Rings] = []
        for behind, old, new in zip(late, held.tables, wanted.tables, strict=True):
            if not any(behind):
                tables.append(new)
                continue
            was = {key: ring for ring, keys in enumerate(old) for key in keys}
            rings: list[list[int]] = [[] for _ in new]
            for ring, keys in enumerate(new):
                for key in keys:
                    if not behind[ring]:
                        rings[ring].append(key)
                    elif key in was:
                        rings[was[key]].append(key)
            tables.append(tuple(tuple(sorted(keys)) for keys in rings))
        return self.intern(tuple(tables))

    def _way(self, held: Sight, reached: Sight) -> tuple[_Way, ...]:
        """Give the way between two sights; remembered, as many players go the same ways."""
        way = self._ways.get((held, reached))
        if way is None:
            if len(self._ways) >= MAX_REMEMBERED:
                self._ways.clear()
            way = tuple(map(_way_of, held.tables, held.sets, reached.tables, reached.sets))
            self._ways[held, reached] = way
        return way


def _way_of(old: Rings, old_sets: tuple[frozenset[int], ...], new: Rings, new_sets: tuple[frozenset[int], ...]) -> _Way:
    there = new_sets[0].union(*new_sets[1:]) if len(new_sets) > 1 else new_sets[0]
    dropped: list[int] = []
    gained, gone = [], []
    for was, was_set, now_set in zip(old, old_sets, new_sets, strict=True):
        leaving = was_set - now_set
        dropped += leaving - there
        gained.append(tuple(sorted(now_set - was_set)))
        gone.append(sorted(map(was.index, leaving), reverse=True))
    return _Way(tuple(sorted(dropped)), tuple(gained), tuple(gone))


def _getter(keys: Keys) -> Any:
    """Give what picks the pieces of these keys, as a tuple; None for none."""
    if not keys:
        return None
    return itemgetter(*keys) if len(keys) > 1 else _One(keys[0])


class _One:
    """`itemgetter` of a single key gives no tuple."""

    __slots__ = ("_key",)

    def __init__(self, key: int) -> None:
        self._key = key

    def __call__(self, pieces: dict[int, bytes]) -> tuple[bytes]:
        return (pieces[self._key],)


def key_set(keys: Keys) -> bytes:
    """Encode ascending keys (wire clause 8.20)."""
    parts, last = [encode_one(len(keys))], -1
    for key in keys:
        parts.append(encode_one(key - last - 1))
        last = key
    return b"".join(parts)
