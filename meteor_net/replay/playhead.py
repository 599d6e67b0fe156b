"""A place in a recording, and the world as it was there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..codec import plain_data
from ..errors import MessageError, MeteorError
from ..interfaces import StoredLine
from ..state import FrameError, Replica, Version
from .format import EventBody, FrameBody, Item, Kind, LineBody

if TYPE_CHECKING:
    from .recording import Recording


class Heard(NamedTuple):
    """What all in the room were told.

    Attributes:
        tick: When.
        what: An event, of the recording's own class of it, or a StoredLine.
    """

    tick: int
    what: Any


class Playhead:
    """Plays a recording, forward item by item, or from the keyframe before any place.

    Args:
        recording: Which.

    Attributes:
        replica: The world at the place, as a client has it.
        tick: The place.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._items = recording.items
        self._rewind()

    def _rewind(self) -> None:
        self.replica = Replica(self._recording.schema, self._recording.header.epoch)
        self.tick = self._recording.first_tick
        self._at = self._recording.begin

    @property
    def version(self) -> Version:
        """The version that stood at the place."""
        return self.replica.version

    def seek(self, tick: int) -> None:
        """Go to a tick, at once: from the keyframe before it, or on from here if that is not farther.

        Raises:
            RecordingError: The file is damaged on the way.
        """
        keyframes = self._recording.keyframes
        place = bisect_right(keyframes, tick, key=lambda keyframe: keyframe.tick) - 1
        if place < 0:
            self._rewind()
        elif tick < self.tick or keyframes[place].at > self._at:
            self._at = keyframes[place].at
        list(self._play(tick, tell=False))  # nothing is heard

    def advance(self, tick: int) -> Iterator[Heard]:
        """Play on to a tick, and yield what is heard on the way.

        Raises:
            RecordingError: As `seek`.
        """
        return self._play(tick, tell=True)

    def frames(self) -> Iterator[Version]:
        """Play on to the end, and yield each version."""
        while (item := self._items.read(self._at)) is not None:
            applied = self._apply(item)
            self._at, self.tick = item.end, item.tick
            if applied:
                yield self.version

    def _play(self, tick: int, *, tell: bool) -> Iterator[Heard]:
        while (item := self._items.read(self._at)) is not None and item.tick <= tick:
            heard = None
            if not self._apply(item) and tell:
                heard = self._heard(item)
            # Not before it was read: behind a damaged frame nobody can go on.
            self._at, self.tick = item.end, item.tick
            if heard is not None:
                yield Heard(item.tick, heard)
        self.tick = tick

    def _heard(self, item: Item) -> Any:
        """Give what was heard; None if it was nothing."""
        if item.kind == Kind.EVENT:
            return self._event(item)
        return self._line(item) if item.kind == Kind.LINE else None

    def _apply(self, item: Item) -> bool:
        """Apply an item, if it is a frame; tell whether it is."""
        if item.kind not in (Kind.KEYFRAME, Kind.STEP):
            return False
        frame = self._items.body(item, FrameBody)
        if (item.kind == Kind.KEYFRAME) != (frame.base < 8):
            raise self._items.error(item.at, "a keyframe that is none, or a step that is one")
        self.replica.note_tick(item.tick)
        try:
            self.replica.apply(item.tick & 0xFFFF, frame.base, frame.data, frame.texts or None, docs=frame.docs)
        except FrameError as error:
            raise self._items.error(item.at, f"frame of tick {item.tick}: {error}") from error
        return True

    def _event(self, item: Item) -> Any:
        body, events = self._items.body(item, EventBody), self._recording.schema.events
        if body.kind >= len(events):
            raise self._items.error(item.at, f"event {body.kind}, which is not in the schema")
        try:
            return events[body.kind].from_wire(body.values)
        except MessageError as error:
            raise self._items.error(item.at, error) from error

    def _line(self, item: Item) -> StoredLine:
        line = self._items.body(item, LineBody)
        try:
            data = None if line.data is None else plain_data(line.data)
        except MeteorError as error:
            raise self._items.error(item.at, f"line: {error}") from error
        return StoredLine(
            line.offset, line.time, item.tick, line.kind, line.sender, line.name, line.text, "", line.about, "",
            tuple(line.mentions), data,
        )  # fmt: skip
