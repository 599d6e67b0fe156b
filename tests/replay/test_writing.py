"""Files that grow beside the ticks: in order, whole, and never in the way."""

from __future__ import annotations

import errno
from pathlib import Path
from threading import Event
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.replay import Recorder, Recorders, Recording, record, writing
from meteor_net.replay.recorder import file_name
from meteor_net.replay.writing import GrowingFile, Scribe

from .cove import CoveCase


class FullDisk:
    """A file on a disk that takes a few bytes at a time, and at last none."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.closed = False

    def write(self, data: memoryview) -> int:
        """Take some of it."""
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(len(data), self.room, 7)
        self.room -= taken
        return taken

    def close(self) -> None:
        """Nothing more comes."""
        self.closed = True


class ScribeTests(SynchronousTestCase):
    """One thread for all files."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.scribe = Scribe()
        self.addCleanup(self.scribe.stop, 10.0)

    def test_in_order(self) -> None:
        """What was given to several files is in each, in order; the folder is made."""
        files = [self.scribe.open(self.folder / "deep" / name) for name in "ab"]
        for number in range(1_000):
            files[number % 2].write(b"%d," % number)
        for file in files:
            file.close()
        self.scribe.stop(10.0)
        for start, file in enumerate(files):
            self.assertIsNone(file.error)
            self.assertEqual(file.path.read_bytes(), b"".join(b"%d," % number for number in range(start, 1_000, 2)))

    def test_one_that_is_there_stays(self) -> None:
        """A file of the same name is not written over: the new one gets a number."""
        for _ in range(3):
            file = self.scribe.open(self.folder / "a.replay")
            file.write(b"x")
            file.close()
        self.scribe.stop(10.0)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["a-2.replay", "a-3.replay", "a.replay"])
        self.patch(writing, "MOST_ALIKE", 3)
        file = self.scribe.open(self.folder / "a.replay")
        file.write(b"x")
        self.scribe.stop(10.0)
        self.assertIn("so many more are there already", str(file.error))

    def test_a_disk_that_hangs(self) -> None:
        """Nobody waits for it: beyond a bound the file ends, with a reason."""
        going_on, hangs = Event(), Event()
        self.addCleanup(going_on.set)

        class Hanging(FullDisk):
            def write(self, data: memoryview) -> int:
                hangs.set()
                going_on.wait(20.0)
                return len(data)

        self.patch(writing, "MOST_WAITING", 100)
        self.patch(GrowingFile, "_open", lambda file: Hanging(0))
        file = self.scribe.open(self.folder / "a")
        file.write(bytes(10))
        self.assertTrue(hangs.wait(10.0))
        for _ in range(11):
            file.write(bytes(10))
        self.assertIn("does not keep up", str(file.error))
        file.write(b"more")  # is passed over
        self.scribe.stop(0.01)  # and the end of the process does not wait for ever
        going_on.set()

    def test_not_begun(self) -> None:
        """A scribe without files has no thread; one whose file was never written to made none."""
        self.scribe.stop(1.0)
        self.scribe.open(self.folder / "a").close()
        self.scribe.stop(10.0)
        self.assertFalse(self.folder.exists())


class FullDiskTests(CoveCase):
    """A recording whose disk is full, and the room that goes on."""

    def test_the_room_goes_on(self) -> None:
        """The recording ends with a clear line in the log; the room does not notice."""
        told: list[tuple[str, Any, dict[str, object]]] = []

        def report(event: str, error: BaseException | None = None, **fields: object) -> None:
            told.append((event, error, fields))

        self.patch(GrowingFile, "_open", lambda file: FullDisk(2_000))
        recorders = Recorders(Path(self.mktemp()), report)
        begun: list[Recorder] = []
        self.server.host.opened = lambda room: begun.append(recorders.opened(room))
        ann = self.player("ann")
        self.advance(10.0)
        recorders.stop(10.0)  # the thread has done all by now
        self.assertIsNotNone(begun[0].file.error)
        self.advance(1.0)
        (began, _, fields), (ended, error, _) = told
        self.assertEqual((began, fields["room"], ended), ("recording", "cove/main", "recording-ended"))
        self.assertIn("No space left on device", str(error))
        x = ann.world.boat[0].x
        self.advance(1.0)
        self.assertNotEqual(ann.world.boat[0].x, x)
        self.assertEqual(len(told), 2)

    def test_told_at_once(self) -> None:
        """Where a tick waits for the disk, as in tests, it raises; the room goes on all the same."""
        ann = self.player("ann")
        self.patch(GrowingFile, "_open", lambda file: FullDisk(700))
        recorder = record(self.room, self.mktemp())
        self.advance(2.0)
        self.assertFalse(recorder.running)
        self.assertEqual([type(error) for error in self.flush_errors()], [OSError])
        x = ann.world.boat[0].x
        self.advance(1.0)
        self.assertNotEqual(ann.world.boat[0].x, x)


class RecordersTests(CoveCase):
    """Every room that opens, into a folder."""

    def test_each_room(self) -> None:
        """A file for each opening of each room, whole when it closes."""
        folder = Path(self.mktemp())
        recorders = Recorders(folder, lambda event, error=None, **fields: None)
        self.server.host.opened = recorders.opened
        ann, bob = self.player("ann"), self.player("bob", "far cove")
        self.advance(1.0)
        ann.leave()
        bob.leave()
        self.player("ann")
        self.advance(1.0)
        self.stop_server()
        recorders.stop(10.0)
        films = [Recording.open(path) for path in sorted(folder.iterdir())]
        for film in films:
            self.addCleanup(film.close)
        self.assertEqual(sorted(film.header.room for film in films), ["cove/far cove", "cove/main", "cove/main"])
        self.assertEqual([film.whole for film in films], [True] * 3)

    def test_names(self) -> None:
        """Of safe characters, whatever a room is called."""
        self.assertEqual(file_name("drift/main", 1_700_000_000_000), "drift-main-20231114-221320.replay")
        self.assertEqual(file_name("drift/../../etc", 0), "drift-etc-19700101-000000.replay")
        self.assertEqual(file_name("../ö", 0), "room-19700101-000000.replay")
        self.assertLess(len(file_name("x" * 500, 0)), 110)
