"""Records rooms: every version, event and line that all in the room are told, and a keyframe each five seconds."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import BaseLost
from ..interfaces import StoredLine
from ..requests import Report
from ..room import Room
from ..state import Coding, Step
from .format import EventBody, FrameBody, Header, Kind, LineBody, encode
from .tables import Composed
from .writing import GrowingFile, Scribe

#: Between two keyframes, in seconds: so far a replay has to be decoded to get to a place.
KEYFRAME_S = 5.0
#: What the files end with.
SUFFIX = ".replay"
#: Characters of a room's name in a file's.
NAME_CHARS = 80


class Recorder:
    """Records one room from now on; see `record`.

    Args:
        room: Which; it may be running.
        file: Where to.
        report: Told when it begins and, with the error, when it ends too soon.

    Attributes:
        file: See above; `file.path` is the path that it got.
        running: Whether it records.
    """

    def __init__(self, room: Room, file: GrowingFile, report: Report) -> None:
        self.file = file
        self.running = True
        self._room = room
        self._report = report
        self._source = Composed(room)
        self._number = 0
        self._keyframe_at = 0
        self._keyframe_ticks = max(1, round(KEYFRAME_S / room.tick_s))
        self._write(Kind.HEADER, Header(
            game=f"{type(room.game).__module__}.{type(room.game).__qualname__}", room=room.name,
            schema=self._source.described, epoch=room.world.epoch, tick_us=round(room.tick_s * 1e6), time=room.tick_ms(),
        ), room.tick - 1)  # fmt: skip
        if self._source.stream().version.number:
            self._keyframe(room.tick - 1)
        room.observers.add(self)
        report("recording", room=room.name, file=str(file.path))

    def ticked(self, tick: int, events: Sequence[Any]) -> None:
        """A tick is over."""
        if not self.running:
            return
        if self.file.error is not None:
            self._stop(self.file.error)
            return
        try:
            self._ticked(tick, events)
        except Exception as error:  # whatever it is, the recording has an end, and the operator hears of it
            self._stop(error)

    def _ticked(self, tick: int, events: Sequence[Any]) -> None:
        stream = self._source.stream()
        if stream.version.number != self._number:
            if not self._number or tick - self._keyframe_at >= self._keyframe_ticks:
                self._keyframe(tick)
            else:
                self._step(tick)
        for event in events:
            kind = self._room.schema.event_number(type(event))
            self._write(Kind.EVENT, EventBody(kind, event.to_wire()), tick)

    def line(self, line: StoredLine) -> None:
        """A line is kept in the room's channel."""
        self._write(Kind.LINE, LineBody(
            line.offset, line.time, line.kind, line.sender, line.name, line.text, line.about, list(line.mentions), line.data,
        ), self._room.tick)  # fmt: skip

    def closed(self) -> None:
        """The room ends, and the recording."""
        self.close()

    def close(self) -> None:
        """End the recording; the room goes on."""
        if self.running:
            self._write(Kind.END, None, self._room.tick)
            self._end()

    def _keyframe(self, tick: int) -> None:
        self._frame(Kind.KEYFRAME, self._source.stream().step(None, Coding.EG), tick)
        self._keyframe_at = tick

    def _step(self, tick: int) -> None:
        try:
            step = self._source.stream().step(self._number, Coding.EG)
        except BaseLost:  # ticks failed so often that we were not told of all that are held
            self._keyframe(tick)
        else:
            self._frame(Kind.STEP, step, tick)

    def _frame(self, kind: Kind, step: Step, tick: int) -> None:
        self._number = self._source.stream().version.number
        self._write(kind, FrameBody(step.base_code, step.data, step.texts or [], step.docs), tick)

    def _write(self, kind: Kind, body: Any, tick: int) -> None:
        if not self.running:
            return
        try:
            self.file.write(encode(kind, tick, body))
        except ValueError as error:
            self._stop(error)

    def _stop(self, error: Exception) -> None:
        self._end()
        self._report("recording-ended", error, room=self._room.name, file=str(self.file.path))

    def _end(self) -> None:
        self.running = False
        self.file.close()


def record(room: Room, path: str | os.PathLike[str]) -> Recorder:
    """Record a room from now on, until it ends or `close` is called; each tick waits for the disk: for tests and tools.

    Args:
        room: Which; it may be running.
        path: Where to, in place of what is there.
    """
    Path(path).unlink(missing_ok=True)

    def report(event: str, error: BaseException | None = None, **fields: object) -> None:
        if error is not None:
            raise error

    return Recorder(room, GrowingFile(Path(path), lambda work: work[0].do(work[1])), report)


class Recorders:
    """Records every room that opens into a folder: a file each time.

    Args:
        folder: Made when it is needed.
        report: Told what happened.
    """

    def __init__(self, folder: Path, report: Report) -> None:
        self._folder = folder
        self._report = report
        self._scribe = Scribe()

    def opened(self, room: Room) -> Recorder:
        """A room is open: record it."""
        return Recorder(room, self._scribe.open(self._folder / file_name(room.name, room.tick_ms())), self._report)

    def stop(self, seconds: float) -> None:
        """All rooms have closed: wait until the files are whole, so long at most."""
        self._scribe.stop(seconds)


def file_name(room: str, time_ms: int) -> str:
    """Name a file by room and time (UTC), in characters that every system takes."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", room)[:NAME_CHARS].strip("-") or "room"
    return f"{name}-{datetime.fromtimestamp(time_ms / 1000, UTC):%Y%m%d-%H%M%S}{SUFFIX}"
