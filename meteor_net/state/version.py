"""One state of a world, in integers: what is compared, coded, sent and held (wire clause 8.1)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.documents.docs import Docs, encode_docs

if TYPE_CHECKING:
    from meteor_net.state.layout import Layout
    from meteor_net.state.schema import Schema
    from meteor_net.state.sight.keyed import Keyed

#: Slots of a table are below this (wire clause 8.1).
MAX_SLOTS = 16_384

Ints = NDArray[np.int32]
Mask = NDArray[np.bool_]
Generations = NDArray[np.uint16]
Texts = NDArray[np.object_]


class Slow(NamedTuple):
    """Rows of a keyed table that are told of at every few ticks only; so between those they are shown on their way.

    Attributes:
        slots: Of the rows, ascending.
        was: Their integers as they were told the time before, a row a column.
        tick: When they were told of last.
        span: Ticks that this takes them.
    """

    slots: NDArray[np.intp]
    was: Ints
    tick: int
    span: int


class TableVersion:
    """One table in a version. Its arrays end at the highest taken slot; nobody may write to them.

    Attributes:
        alive: Which slots are taken.
        generation: Of each slot; 0 where free.
        ints: One row an integer column, one column a slot; 0 where free.
        texts: An array of text or bytes for each text or data column; empty ones where free.
        slow: In a client, the rows that are told of at a lower rate.
    """

    __slots__ = ("__weakref__", "alive", "chosen", "generation", "ints", "moved", "slow", "texts")

    def __init__(self, alive: Mask, generation: Generations, ints: Ints, texts: tuple[Texts, ...]) -> None:
        self.alive = alive
        self.generation = generation
        self.ints = ints
        self.texts = texts
        self.slow: tuple[Slow, ...] = ()
        #: What `note_moved` was told.
        self.chosen: Any = None  # how the coding `eg` sent its columns
        self.moved: tuple[Any, NDArray[np.intp]] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that it takes, texts estimated."""
        text_bytes = sum(text.nbytes + sum(map(len, text.tolist())) for text in self.texts) if self.texts else 0
        return self.alive.nbytes + self.generation.nbytes + self.ints.nbytes + text_bytes + 512

    @classmethod
    def empty(cls, layout: Layout) -> TableVersion:
        """Make the table without rows."""
        texts = tuple(np.empty(0, dtype=np.object_) for _ in layout.texts)
        ints = np.zeros((len(layout.columns), 0), dtype=np.int32)
        return cls(np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.uint16), ints, texts)

    def same(self, other: TableVersion) -> bool:
        """Tell whether both hold the same rows, values and texts."""
        return self is other or (
            np.array_equal(self.alive, other.alive)
            and np.array_equal(self.generation, other.generation)
            and np.array_equal(self.ints, other.ints)
            and all(np.array_equal(mine, theirs) for mine, theirs in zip(self.texts, other.texts, strict=True))
        )


def note_moved(before: TableVersion, version: TableVersion, moved: NDArray[np.intp]) -> None:
    """Remember the rows whose integers differ between two versions, so that nobody need look for them again.

    Only for rows that are in both, of one generation; ascending.
    """
    version.moved = (ref(before), moved)


class Version:
    """A world at a tick.

    Attributes:
        schema: Whose tables these are.
        number: 0 is the empty version; each later one is one more.
        tick: The tick it was committed at.
        tables: In the schema's order.
        check: Steps to it carry the checksum.
        docs: The documents by name; nobody may write to them.
        keyed: On a server, the keyed tables in the schema's order; among `tables` those have no rows.
    """

    __slots__ = ("_crc", "check", "docs", "keyed", "number", "schema", "tables", "tick")

    def __init__(self, schema: Schema, number: int, tick: int, tables: tuple[TableVersion, ...], check: bool = False) -> None:
        self.schema = schema
        self.number = number
        self.tick = tick
        self.tables = tables
        self.check = check
        self.docs = Docs.empty(schema.documents)
        self.keyed: tuple[Keyed, ...] = ()
        self._crc: int | None = None

    @classmethod
    def empty(cls, schema: Schema) -> Version:
        """Make the empty version: no rows, empty documents, number 0, tick 0."""
        return cls(schema, 0, 0, tuple(TableVersion.empty(table.layout()) for table in schema.tables))

    def crc(self) -> int:
        """Give the checksum of wire clause 8.7."""
        if self._crc is None:
            crc = 0
            for table in self.tables:
                crc = zlib.crc32(_bytes_of(table), crc)
            self._crc = crc
        return self._crc

    def same(self, other: Version) -> bool:
        """Tell whether both hold the same rows, values, texts and documents, whatever their ticks."""
        tables = all(mine.same(theirs) for mine, theirs in zip(self.tables, other.tables, strict=True))
        return tables and not encode_docs(self.docs, other.docs)

    def __repr__(self) -> str:
        rows = ", ".join(str(int(table.alive.sum())) for table in self.tables)
        return f"<Version {self.number} tick={self.tick} rows={rows}>"


def _bytes_of(table: TableVersion) -> bytes:
    slots = np.flatnonzero(table.alive)
    count = len(slots)
    block: NDArray[Any] = np.empty((2 + len(table.ints), count), dtype="<i4")
    block[0] = slots
    block[1] = table.generation[slots]
    block[2:] = table.ints[:, slots]
    return count.to_bytes(4, "little") + block.tobytes()
