"""Files that grow in a thread of their own, so that no tick waits for a disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO

#: Bytes of one file that wait for the disk; with more the file ends there, as the disk does not keep up.
MOST_WAITING = 32 * 1024 * 1024
#: Files of one name, each with a number behind it.
MOST_ALIKE = 1_000


class GrowingFile:
    """A file that is written to from one thread, and grows in another.

    Args:
        path: Where it is to lie.
        put: Takes the file and the next bytes (None: there are no more), for `do` to be called with in the other thread.

    Attributes:
        path: Where it lies; until it was made, where it is to.
        error: Why it grows no more; None while it does.
    """

    def __init__(self, path: Path, put: Callable[[tuple[GrowingFile, bytes | None]], object]) -> None:
        self.path = path
        self.error: OSError | None = None
        self._put = put
        self._file: BinaryIO | None = None
        # Each is written by one thread only.
        self._given = self._done = 0

    def write(self, data: bytes) -> None:
        """Add bytes at the end, soon."""
        if self.error is None and self._given - self._done > MOST_WAITING:
            self.error = OSError(f"{self._given - self._done} bytes wait for the disk, which does not keep up")
        if self.error is None:
            self._given += len(data)
            self._put((self, data))

    def close(self) -> None:
        """Nothing more comes."""
        self._put((self, None))

    def do(self, data: bytes | None) -> None:
        """Do what was asked for; called by the other thread."""
        try:
            if data is None:
                self._close()
            elif self.error is None:
                self._grow(data)
        except OSError as error:
            self.error = error
            with suppress(OSError):
                self._close()

    def _grow(self, data: bytes) -> None:
        if self._file is None:
            self._file = self._open()
        rest = memoryview(data)
        while rest:  # a disk that fills up takes some of it, and then none
            rest = rest[self._file.write(rest) :]
        self._done += len(data)

    def _open(self) -> BinaryIO:
        """Make the file; one that is there already is left alone, and this one gets a number."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        wanted = self.path
        for number in range(2, MOST_ALIKE):
            with suppress(FileExistsError):
                # Unbuffered: what was written is there, though the process be killed.
                return self.path.open("xb", buffering=0)
            self.path = wanted.with_stem(f"{wanted.stem}-{number}")
        raise FileExistsError(f"{wanted} and so many more are there already")

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


class Scribe:
    """One thread for all files of a process; it begins with the first, so that a process that forks first keeps it."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[GrowingFile, bytes | None] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def open(self, path: Path) -> GrowingFile:
        """Begin a file. It is made with its first bytes."""
        if self._thread is None:
            # A disk that hangs for ever does not keep the process from its end.
            self._thread = Thread(target=self._run, name="recordings", daemon=True)
            self._thread.start()
        return GrowingFile(path, self._queue.put)

    def stop(self, seconds: float) -> None:
        """Wait until all is written, so long at most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(seconds)
            self._thread = None

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            file, data = work
            file.do(data)
