"""How late a server's loop is: a beat is due each 10 ms, and a loop that stands still misses all that are due meanwhile."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BEAT_S = 0.01
#: Beats are written down so often.
WRITE_S = 1.0
_RECORD = struct.Struct("<ddd")

Floats = NDArray[np.float64]


class Probe:
    """Beats in a server, and writes down how late each beat was.

    Args:
        path: The file; anew.
        reactor: The server's.
        seconds: A clock that never goes back, the same in all processes.
        computed: How long this thread has computed, in seconds.
    """

    def __init__(self, path: Path, reactor: Any, seconds: Any = time.monotonic, computed: Any = time.thread_time) -> None:
        self._file = path.open("wb", buffering=0)
        self._reactor = reactor
        self._seconds = seconds
        self._computed = computed
        self._records: list[bytes] = []
        self._written_at = self._due = self._beat_at = self._computed_then = 0.0

    def start(self) -> None:
        """Beat from now on."""
        self._due = self._written_at = self._beat_at = self._seconds()
        self._computed_then = self._computed()
        self._beat()

    def stop(self) -> None:
        """Beat no more."""
        self._call.cancel()
        self._write()
        self._file.close()

    def _write(self) -> None:
        self._file.write(b"".join(self._records))
        self._records.clear()

    def _beat(self) -> None:
        now, computed = self._seconds(), self._computed()
        free_at = self._beat_at + computed - self._computed_then
        while self._due <= now:
            self._records.append(_RECORD.pack(self._due, now - self._due, max(0.0, min(now, free_at) - self._due)))
            self._due += BEAT_S
        self._beat_at, self._computed_then = now, computed
        if now - self._written_at >= WRITE_S:
            self._write()
            self._written_at = now
        self._call = self._reactor.callLater(max(0.0, self._due - now), self._beat)


def read(path: Path) -> Floats:
    """Read what a probe wrote.

    Returns:
        Shape (beats, 3): when each was due, by how much it was late, and by how much on a core of its own; in seconds.
    """
    content = path.read_bytes()
    whole = len(content) // _RECORD.size * _RECORD.size
    return np.frombuffer(content[:whole], dtype="<f8").reshape(-1, 3)


def late_ms(beats: Floats, until: float, alone: bool = False) -> Floats:
    """How late the beats were that were due until a moment, in ms, ascending; or would have been on a core of their own."""
    return np.sort(beats[beats[:, 0] <= until, 2 if alone else 1]) * 1000.0
