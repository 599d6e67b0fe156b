"""Durable before ack, as the kernel sees it: the flush of the disk ends before the answer is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY, require

LINES = 20
_WRITE = re.compile(r'write\(1(?:<[^>]*>)?, "(say|kept) (\d+)')
_FLUSHED = re.compile(r"(?:fdatasync|fsync)\(\d+<([^>]*)>\)\s*= 0$|<\.\.\. (?:fdatasync|fsync) resumed>\)\s*= 0$")
_FLUSHING = re.compile(r"(?:fdatasync|fsync)\(\d+<([^>]*)>.*<unfinished")


def unflushed(trace: str) -> list[str]:
    """Lines that were told to be kept before a flush of the write-ahead log that began after they were said.

    Args:
        trace: What `strace -f -y` wrote: a line for each call, its process first; one that another one overtook is in two.
    """
    found: list[str] = []
    waiting: set[str] = set()
    flushed: set[str] = set()
    flushing: dict[str, set[str]] = {}
    for line in trace.splitlines():
        process, _, call = line.partition(" ")
        if told := _WRITE.search(call):
            verb, number = told.groups()
            if verb == "say":
                waiting.add(number)
            elif number not in flushed:
                found.append(number)
        elif (begun := _FLUSHING.search(call)) and begun[1].endswith("-wal"):
            flushing[process] = set(waiting)
        elif done := _FLUSHED.search(call):
            if done[1] is None:
                flushed |= flushing.pop(process, set())
            elif done[1].endswith("-wal"):
                flushed |= waiting
    return found


class FlushTests(SynchronousTestCase):
    """A process that keeps lines in SQLite, and tells when they are kept."""

    def test_flushed_before_told(self) -> None:
        """Each line is on the disk when it is told to be kept."""
        strace = require("strace")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        trace = folder / "trace"
        subprocess.run(
            [
                strace, "-f", "-y", "-o", trace, "-e", "trace=write,fsync,fdatasync",
                sys.executable, "-m", "tests.storage.talker", f"sqlite:///{folder}/meteor.sqlite3", "ann", str(LINES), "1",
            ],
            check=True, stdout=subprocess.DEVNULL, cwd=REPOSITORY, timeout=120,
        )  # fmt: skip
        text = trace.read_text()
        self.assertEqual([verb for verb, _ in _WRITE.findall(text)].count("kept"), LINES)
        self.assertEqual(unflushed(text), [])

    def test_finds_what_is_told_too_early(self) -> None:
        """A flush that ends later, fails, began earlier or is of another file is found out; a flush in two parts counts."""
        say, kept = '1 write(1, "say 0\\n", 6) = 6', '1 write(1, "kept 0 0\\n", 9) = 9'
        flush, other, failed = (
            "2 fdatasync(5</a/b-wal>) = 0", "2 fdatasync(6</a/b>) = 0", "2 fdatasync(5</a/b-wal>) = -1 EIO (failed)",
        )  # fmt: skip
        begin, end = "2 fdatasync(5</a/b-wal> <unfinished ...>", "2 <... fdatasync resumed>)  = 0"
        for calls, wrong in (
            ([say, flush, kept], []),
            ([say, begin, end, kept], []),
            ([say, kept, flush], ["0"]),
            ([say, begin, kept, end], ["0"]),
            ([begin, say, end, kept], ["0"]),
            ([flush, say, kept], ["0"]),
            ([say, other, kept], ["0"]),
            ([say, failed, kept], ["0"]),
        ):
            self.assertEqual(unflushed("\n".join(calls)), wrong, calls)
