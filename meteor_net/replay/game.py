"""A recording as a game: who joins watches it, and its chat plays, pauses and seeks."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from ..errors import Refused
from ..game import Chat, Game
from ..interfaces import IPlayer, StoredLine
from ..state import Event
from .format import RecordingError
from .playhead import Heard
from .recording import Recording

#: How fast it may be played, beside the speed at which it was recorded.
SLOWEST, FASTEST = 0.1, 16.0
#: Events and lines that are told in one tick; played fast, or from a crowd, there may be more, which are left out.
TOLD_PER_TICK = 50
#: Lines of which it is known where they stand now, so that what changes them finds them.
LINES_KNOWN = 1_000
_TIME = re.compile(r"(?:(\d{1,4}):)??(?:(\d{1,6}):)?(\d{1,8}(?:\.\d*)?)")


class Replay(Game):
    """Shows a recording; `replay_of` makes the class for one.

    Attributes:
        recording: Which.
        playing: Whether it goes on; it stops at its end.
        speed: How fast, 0.1 to 16; 1.0 is as it was.
        seconds: Where it is; `seek` goes elsewhere.
    """

    recording: ClassVar[Recording]
    max_players = 10_000

    def opened(self) -> None:
        """Begin to play."""
        self.playing = True
        self.speed = 1.0
        self._playhead = self.recording.playhead()
        self._ticks = 0.0  # since the beginning
        self._offsets: OrderedDict[int, int] = OrderedDict()

    def joined(self, player: IPlayer) -> None:
        """Tell what this is."""
        header = self.recording.header
        when = datetime.fromtimestamp(header.time / 1000, UTC)
        player.say(
            f"A replay of {header.room}, {when:%Y-%m-%d %H:%M} UTC, {clock(self.recording.length_s)} long. "
            "/play, /pause, /speed 2, /seek 1:30, /where"
        )

    def action(self, player: IPlayer, action: Any) -> Any:
        """Nobody plays here."""
        raise Refused("this is a replay: you can watch, and nothing can be done", "watching")

    def tick(self, dt: float) -> None:
        """Play on."""
        recording = self.recording
        if self.playing:
            length = recording.last_tick - recording.first_tick
            self._ticks = min(self._ticks + self.speed, float(length))
            self.playing = self._ticks < length
            try:
                self._advance()
            except RecordingError:
                self.playing = False
                self.room.notice("The recording is damaged here, and stops; /seek goes on elsewhere.")
                raise
        self.room.show(self._playhead.version)

    @property
    def seconds(self) -> float:
        """Where it is, in seconds since its beginning."""
        return self._ticks * self.recording.tick_s

    def seek(self, seconds: float) -> None:
        """Go to a second; beyond its end, to that. What was said on the way is not told.

        Raises:
            RecordingError: The file is damaged on the way.
        """
        tick = self.recording.tick_at(seconds)
        self._playhead.seek(tick)
        self._ticks = float(tick - self.recording.first_tick)

    def _advance(self) -> None:
        told = 0
        for heard in self._playhead.advance(self.recording.first_tick + int(self._ticks)):
            if told < TOLD_PER_TICK:
                self._tell(heard)
                told += 1

    def _tell(self, heard: Heard) -> None:
        if isinstance(heard.what, Event):
            self.room.emit(heard.what)
            return
        line: StoredLine = heard.what
        about = self._offsets.get(line.about, -1) if line.about >= 0 else -1
        if line.about >= 0 and about < 0:
            return  # about a line that was not told
        if line.offset in self._offsets:  # told again, after a seek
            del self._offsets[line.offset]

        def kept(offset: int, now: float) -> None:
            self._offsets[line.offset] = offset
            if len(self._offsets) > LINES_KNOWN:
                self._offsets.popitem(last=False)

        self.room.talk.retell(line._replace(about=about), kept)


def replay_of(recording: Recording) -> type[Replay]:
    """Make the game that shows a recording: a class as any game's, for a server or a test."""
    schema = recording.schema
    return type(
        "Recorded",
        (Replay,),
        {
            "__doc__": f"A replay of {recording.header.room}.",
            "recording": recording,
            "tables": schema.tables,
            "actions": schema.actions,
            "events": schema.events,
            "documents": schema.documents,
            "tick_hz": 1 / recording.tick_s,
        },
    )


class ReplayChat(Chat):
    """The commands of a replay; anybody in the room may use them, and all are told."""

    @property
    def _replay(self) -> Replay:
        game: Replay = cast(Any, self.room).game
        return game

    def command_play(self, player: IPlayer, rest: str) -> None:
        """Go on; from its end, from the beginning."""
        if self._replay.seconds >= self._replay.recording.length_s:
            self._seek(0.0)
        self._replay.playing = True
        self._tell(f"{player.name} plays from {self._where()}")

    def command_pause(self, player: IPlayer, rest: str) -> None:
        """Stand still."""
        self._replay.playing = False
        self._tell(f"{player.name} pauses at {self._where()}")

    def command_speed(self, player: IPlayer, rest: str) -> None:
        """Play faster or slower: `/speed 2`."""
        try:
            speed = float(rest)
        except ValueError:
            speed = 0.0
        if not SLOWEST <= speed <= FASTEST:
            raise Refused(f"/speed number: from {SLOWEST:g} to {FASTEST:g}", "bad-text")
        self._replay.speed = speed
        self._tell(f"{player.name} sets the speed to {speed:g}")

    def command_seek(self, player: IPlayer, rest: str) -> None:
        """Go to a time: `/seek 1:30`, or in seconds `/seek 90`."""
        match = _TIME.fullmatch(rest)
        if match is None:
            raise Refused("/seek minutes:seconds, such as /seek 1:30", "bad-text")
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        self._seek(hours * 3600 + minutes * 60 + seconds)
        self._tell(f"{player.name} goes to {self._where()}")

    def command_where(self, player: IPlayer, rest: str) -> str:
        """Tell where it is, to the player alone."""
        replay = self._replay
        state = "playing" if replay.playing else "paused"
        tick = replay.recording.tick_at(replay.seconds)
        return f"{self._where()} of {clock(replay.recording.length_s)}, tick {tick}, {state}, speed {replay.speed:g}"

    def _seek(self, seconds: float) -> None:
        try:
            self._replay.seek(seconds)
        except RecordingError as error:
            raise Refused("the recording is damaged there") from error

    def _where(self) -> str:
        return clock(self._replay.seconds)

    def _tell(self, text: str) -> None:
        self.room.notice(text)


def clock(seconds: float) -> str:
    """Show a time: `1:30.5`, `1:00:00`."""
    tenths = int(seconds * 10 + 1e-6)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    shown = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{shown}:{tenths // 10:02}" + (f".{tenths % 10}" if tenths % 10 else "")
