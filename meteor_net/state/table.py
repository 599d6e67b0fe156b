"""Tables: a class a kind of thing, a row a thing, a numpy column a field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import heappop, heappush
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.state.block import Block
from meteor_net.state.errors import TableFull
from meteor_net.state.fields import ColumnHolder, Field, collect
from meteor_net.state.layout import Layout
from meteor_net.state.row import Row, row_class
from meteor_net.state.sight.keys import MAX_KEYS
from meteor_net.state.version import MAX_SLOTS, Generations, Ints, Mask, TableVersion, Texts, note_moved

if TYPE_CHECKING:
    from meteor_net.state.sight.keys import KeySpec


class Table(ColumnHolder):
    """Subclass it and declare fields; the world makes the instance.

    `table.x` is a numpy view of the column up to the highest taken slot: a whole-column calculation
    writes through it. It never goes stale: memory for `max_rows` is reserved at once (the system gives
    pages when they are touched). `table.alive` tells which slots are taken; after a commit the others
    are zero. `table[slot]` and iteration give handles.

    Attributes:
        max_rows: The bound, 1 to 16,384.
        table_name: The name in the world and on the wire: the class's in snake case if not given.
        key_spec: What the schema tells of its key; None if it has none, and so all players are told of all rows.
    """

    max_rows: ClassVar[int] = MAX_SLOTS
    table_name: ClassVar[str] = ""
    key_spec: ClassVar[KeySpec | None] = None

    _layout: ClassVar[Layout] = Layout(())
    _row: ClassVar[type[Row]] = Row

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if type(cls.max_rows) is not int or not 1 <= cls.max_rows <= MAX_SLOTS:
            raise ConfigError(f"{cls.__name__}: max_rows must be 1 to {MAX_SLOTS}")
        if "table_name" not in vars(cls):
            cls.table_name = snake(cls.__name__)
        fields = collect(cls, RESERVED)
        cls._layout = Layout(fields)
        if cls._layout.key is not None:
            cls._layout.key.bind(cls.table_name, fields)
            cls.key_spec = cls._layout.key.spec
        cls._row = row_class(fields)

    def __init__(self) -> None:
        layout, size = self._layout, self.max_rows
        # np.zeros takes no memory until it is written; objects are filled as slots come into use.
        self._columns: dict[str, NDArray[Any]] = {}
        self._blocks: list[Block] = []
        for group in layout.groups:
            values = np.zeros((len(group.places), size), dtype=group.dtype)
            self._blocks.append(Block(values, group.places, group.quantize))
            self._columns.update((name, values[rows].T) for name, rows in group.rows.items())
        for _, text in layout.texts:
            self._columns[text.name] = np.empty(size, dtype=np.object_)
        for local in layout.locals:
            make = np.empty if local.column_dtype is np.object_ else np.zeros
            self._columns[local.name] = make(size, dtype=local.column_dtype)
        self._alive = np.zeros(size, dtype=np.bool_)
        self._generation = np.zeros(size, dtype=np.uint16)
        self._heap: list[int] = []  # free slots below _used
        self._used = 0  # slots from here on were never taken
        self._count = 0
        self._bad = 0  # values that were NaN, or no word of a choice, when committed
        self._frozen: tuple[Mask, Generations] | None = None
        self._dead: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._show(0)
        self._last: TableVersion | None = None  # what the blocks compare with

    @classmethod
    def layout(cls) -> Layout:
        """Give the plan of the columns; for the code that sends and shows them."""
        return cls._layout

    @property
    def alive(self) -> Mask:
        """Which slots are taken, up to the highest; do not write to it."""
        return self._alive_view

    def spawn(self, **values: Any) -> Row:
        """Add a row in the lowest free slot.

        Args:
            values: By field; what is missing takes the field's default.

        Raises:
            TypeError: a field is unknown, or a value is of another kind.
            ValueError: a value cannot be.
            TableFull: there are `max_rows` rows.
        """
        known = self._layout.by_name
        if not values.keys() <= known.keys():
            raise TypeError(f"{self.table_name} has no field {', '.join(sorted(values.keys() - known.keys()))}")
        made = {name: field.coerce(values[name]) if name in values else field.default for name, field in known.items()}
        if self._heap:
            slot = heappop(self._heap)
        elif self._used < self.max_rows:
            slot = self._used
            self._used += 1
            self._clear(slot)
        else:
            raise TableFull(self.table_name, self.max_rows)
        for name, value in made.items():
            self._columns[name][slot] = value
        self._alive[slot] = True
        self._count += 1
        self._frozen = None
        if slot >= self._top:
            self._show(slot + 1)
        return self._row(self, slot, int(self._generation[slot]))

    def __getitem__(self, slot: int) -> Row:
        slot = index(slot)  # of numpy's integers, too
        if not 0 <= slot < self._top or not self._alive[slot]:
            raise KeyError(slot)
        return self._row(self, slot, int(self._generation[slot]))

    def __iter__(self) -> Iterator[Row]:
        for slot in np.flatnonzero(self._alive_view).tolist():
            if self._alive[slot]:  # else it went while we iterated
                yield self._row(self, slot, int(self._generation[slot]))

    def __len__(self) -> int:
        return self._count

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self._layout.by_name:
            raise AttributeError(f"{self.table_name} has no field {name!r}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} rows={self._count}>"

    def _set_cell(self, field: Field[Any, Any], value: Any) -> None:
        view = self._cells[field.name]
        if value is not view:  # `table.x += 1` has done its work already
            if view.dtype == np.object_:
                view[...] = value
            else:
                np.copyto(view, value, casting="same_kind")

    def _show(self, top: int) -> None:
        """Let the views end at `top`."""
        self._top = top
        self._cells = {name: column[:top] for name, column in self._columns.items()}
        self._alive_view = self._alive[:top]
        self._alive_view.flags.writeable = False

    def _holds(self, slot: int, generation: int) -> bool:
        return bool(self._alive[slot]) and int(self._generation[slot]) == generation

    def _free(self, slot: int) -> None:
        self._alive[slot] = False
        self._generation[slot] = (int(self._generation[slot]) + 1) & 0xFFFF
        self._clear(slot)
        heappush(self._heap, slot)
        self._count -= 1
        self._frozen = None

    def _clear(self, slots: Any) -> None:
        for name, field in self._layout.by_name.items():
            self._columns[name][slots] = field.zero

    def _keys(self, size: int) -> NDArray[np.int32]:
        """Give the key of each slot, -1 where it is none; of a table whose author sets them."""
        assert self._layout.key is not None
        keys: NDArray[np.int32] = self._columns[self._layout.key.name][:size]
        return np.where((keys >= 0) & (keys < MAX_KEYS), keys, np.int32(-1))

    def _show_keys(self, keys: NDArray[np.int32]) -> None:
        """Let the author see the keys that were worked out."""
        assert self._layout.key is not None
        self._columns[self._layout.key.name][: len(keys)] = keys

    def _ints_at(self, slots: NDArray[np.intp]) -> Ints:
        """Quantize some slots, as the next commit will: a row a column, a column a slot."""
        ints = np.empty((len(self._layout.columns), len(slots)), dtype=np.int32)
        for block in self._blocks:
            block.read(ints, slots)
        return ints

    def _structure(self) -> tuple[Mask, Generations]:
        """Give alive and generation up to the highest taken slot, the same arrays while no row comes or goes."""
        if self._frozen is None:
            taken = np.flatnonzero(self._alive_view)
            top = int(taken[-1]) + 1 if len(taken) else 0
            if top < self._top:
                self._clear(slice(top, self._top))
                self._show(top)
            alive = self._alive_view.copy()
            self._dead = np.flatnonzero(~alive)
            self._frozen = alive, np.where(alive, self._generation[:top], np.uint16(0))
        return self._frozen

    def _freeze(self, previous: TableVersion) -> TableVersion:
        """Quantize into a version; give `previous` itself where nothing changed."""
        alive, generation = self._structure()
        if len(self._dead):
            self._clear(self._dead)
        texts = self._freeze_texts(previous)
        quiet = texts is previous.texts
        if alive is previous.alive and generation is previous.generation and self._last is previous:
            return self._step(previous, texts, quiet)
        ints = np.empty((len(self._layout.columns), self._top), dtype=np.int32)
        for block in self._blocks:
            block.touched(self._top)
            self._bad += block.write_all(ints, self._dead)
        ints[:, self._dead] = 0
        if (
            quiet
            and np.array_equal(ints, previous.ints)
            and np.array_equal(alive, previous.alive)
            and np.array_equal(generation, previous.generation)
        ):
            self._frozen = previous.alive, previous.generation
            self._last = previous
            return previous
        for array in (alive, generation, ints):
            array.flags.writeable = False
        self._last = TableVersion(alive, generation, ints, texts)
        return self._last

    def _step(self, previous: TableVersion, texts: tuple[Texts, ...], quiet: bool) -> TableVersion:
        """Quantize again what was written to since the version before, of which every row is still there."""
        ints = previous.ints
        for block in self._blocks:
            touched = block.touched(self._top)
            if not len(touched):
                continue
            if ints is previous.ints:
                ints = ints.copy()
            if 2 * len(touched) < self._top:
                self._bad += block.write(ints, touched)
            else:  # to sift them is more work than to take all
                self._bad += block.write_all(ints, self._dead)
        if len(self._dead) and ints is not previous.ints:
            ints[:, self._dead] = 0
        differs = ints != previous.ints
        changed = np.logical_or.reduce(differs).nonzero()[0]
        if quiet and not len(changed):
            return previous
        ints.flags.writeable = False
        self._last = TableVersion(previous.alive, previous.generation, ints, texts)
        note_moved(previous, self._last, changed)
        return self._last

    def _freeze_texts(self, previous: TableVersion) -> tuple[Texts, ...]:
        """Give the texts as they can travel; those of `previous` if nothing changed."""
        if not previous.texts:
            return previous.texts
        frozen = []
        for (_, field), old in zip(self._layout.texts, previous.texts, strict=True):
            view = self._cells[field.name]
            new = old[: len(view)]
            if len(new) < len(view):
                new = np.concatenate((new, np.full(len(view) - len(new), field.zero, dtype=np.object_)))
            changed = [(slot, field.clean(view[slot])) for slot in np.flatnonzero(view != new).tolist()]
            changed = [(slot, text) for slot, text in changed if text != new[slot]]
            if changed:
                new = new.copy()
                for slot, text in changed:
                    new[slot] = text
            frozen.append(old if len(new) == len(old) and not changed else new)
        return previous.texts if all(new is old for new, old in zip(frozen, previous.texts, strict=True)) else tuple(frozen)


RESERVED = frozenset(name for name in {*dir(Table), *dir(Row)} if not name.startswith("_"))


def snake(name: str) -> str:
    """Turn a class's name into a table's: `RedShip` becomes `red_ship`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
