"""Rooms recorded into files, and played again: in a room for any client, in Python, in a test.

`recorder` looks on in a room and writes, by `writing`, in a thread of its own; `tables` is what it takes of a room; `format` is
what the file is made of; `recording` opens one, `playhead` is a place in it; `game` shows it to players.
"""

from __future__ import annotations

from .format import Header, RecordingError
from .game import Replay, ReplayChat, replay_of
from .playhead import Heard, Playhead
from .recorder import Recorder, Recorders, record
from .recording import Recording

__all__ = [
    "Header", "Heard", "Playhead", "Recorder", "Recorders", "Recording", "RecordingError", "Replay", "ReplayChat",
    "record", "replay_of",
]  # fmt: skip
