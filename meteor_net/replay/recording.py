"""A recording that was opened: what it is of, and the world at any of its seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from weakref import finalize

from ..errors import MessageError
from ..interfaces import StoredLine
from ..state import Schema, Version, WorldView
from .format import Header, Item, Items, Kind, RecordingError
from .playhead import Heard, Playhead

#: Keyframes of a file: of some weeks.
MAX_KEYFRAMES = 500_000


class Recording:
    """A file that a room was recorded into; see `open`.

    Attributes:
        path: The file's.
        header: Which game and room, and when; see `Header`.
        schema: Of the world; keyed tables are tables as any other.
        tick_s: The length of a tick, in seconds.
        first_tick, last_tick: The ticks of its beginning and end.
        length_s: Between them, in seconds.
        whole: The room's end is in it; False if the file was cut, by a crash or as the room is still open.
        keyframes: Where they are.
    """

    def __init__(self, items: Items) -> None:
        self.items = items
        self.path = items.path
        self._close = finalize(self, items.file.close)
        first = items.read(0)
        if first is None or first.kind != Kind.HEADER:
            raise items.error(0, "this is no recording: there is no header")
        self.header = items.body(first, Header)
        try:
            self.schema = Schema.parse(self.header.schema)
        except MessageError as error:
            raise items.error(0, error) from error
        if any(table.key_spec is not None for table in self.schema.tables):
            raise items.error(0, "a table with a key: a recording has none")
        self.tick_s = self.header.tick_us / 1e6
        self.begin = first.end
        self.first_tick = self.last_tick = first.tick
        self.keyframes: list[Item] = []
        self.whole = False
        self._scan()
        self._playhead = self.playhead()

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a file; only the heads of its items are read.

        Raises:
            RecordingError: It cannot be read, is no recording, or is damaged; the text tells where.
        """
        try:
            file = Path(path).open("rb")  # noqa: SIM115 (it stays open)
            size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise RecordingError(f"{os.fspath(path)}: {error.strerror}") from error
        try:
            return cls(Items(file, os.fspath(path), size))
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Close the file; so does whoever forgets the recording."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording {self.header.room} {self.length_s:.1f} s>"

    def _scan(self) -> None:
        """Find the keyframes and the end."""
        at = self.begin
        while (item := self.items.read(at)) is not None:
            if item.tick < self.last_tick or item.kind == Kind.HEADER:
                raise self.items.error(at, f"an item of tick {item.tick} after one of tick {self.last_tick}")
            if item.kind == Kind.KEYFRAME:
                if len(self.keyframes) == MAX_KEYFRAMES:
                    raise self.items.error(at, f"another keyframe than the {MAX_KEYFRAMES} that are found again")
                self.keyframes.append(item)
            self.last_tick, self.whole, at = item.tick, item.kind == Kind.END, item.end
        self.whole = self.whole and at == self.items.size

    @property
    def length_s(self) -> float:
        """Its length in seconds."""
        return (self.last_tick - self.first_tick) * self.tick_s

    def tick_at(self, seconds: float) -> int:
        """Tell the tick at a second of it, at least its first and at most its last."""
        return self.first_tick + int(min(max(seconds, 0.0), self.length_s) / self.tick_s + 1e-6)

    def seconds_at(self, tick: int) -> float:
        """Tell the second of a tick."""
        return (tick - self.first_tick) * self.tick_s

    def playhead(self) -> Playhead:
        """Give another place to play it from, at its beginning."""
        return Playhead(self)

    def at(self, seconds: float) -> WorldView:
        """Give the world at a second of it: its tables by their names, read only. It stays as it is.

        Raises:
            RecordingError: The file is damaged on the way.
        """
        self._playhead.seek(self.tick_at(seconds))
        return WorldView(self._playhead.version)

    def __iter__(self) -> Iterator[Version]:
        """Yield each version in order; `WorldView(version)` shows one."""
        return self.playhead().frames()

    def events(self) -> Iterator[tuple[float, Any]]:
        """Yield each event with its second."""
        return ((self.seconds_at(heard.tick), heard.what) for heard in self._heard() if type(heard.what) is not StoredLine)

    def lines(self) -> Iterator[tuple[float, StoredLine]]:
        """Yield each line of the room's channel with its second; edits, reactions and the like are lines too."""
        return ((self.seconds_at(heard.tick), heard.what) for heard in self._heard() if type(heard.what) is StoredLine)

    def _heard(self) -> Iterator[Heard]:
        return self.playhead().advance(self.last_tick)
