"""Lines in memory."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase, TestCase

from meteor_net.errors import Refused, StorageError
from meteor_net.interfaces import Identity, StoredLine
from meteor_net.storage.memory import MemoryStorage

from ..plain import run, stored
from .conformance import StorageTests
from .model import DELETE, EDIT, REACTION, line


class MemoryConformanceTests(StorageTests, TestCase):
    """What every storage promises."""

    async def begin(self) -> MemoryStorage:
        return MemoryStorage(Random(1))


class MemoryStorageTests(SynchronousTestCase):
    """What this one does besides."""

    def begin(self, **options: Any) -> None:
        """Make a storage."""
        self.storage = MemoryStorage(Random(1), **options)

    def setUp(self) -> None:
        self.begin()

    def append(self, channel: str, line: StoredLine) -> Any:
        """Keep a line."""
        return run(self.storage.append(channel, line)).offset

    def texts(self, after: int = -1, limit: int = 100, channel: str = "a") -> list[str]:
        """The texts of the lines after an offset."""
        return [line.text for line in run(self.storage.lines(channel, after, limit))]

    def test_bounded_lines(self) -> None:
        """Of a channel the newest lines are kept, and their ids; offsets go on."""
        self.begin(lines=2)
        for number in range(4):
            self.append("a", stored(text=str(number), cid=str(number)))
        self.assertEqual(self.texts(), ["2", "3"])
        self.assertEqual(self.append("a", stored(cid="3")), 3)
        self.assertEqual(self.append("a", stored(cid="0")), 4)

    def test_bounded_channels(self) -> None:
        """The channel used least lately is dropped, and has another epoch then: its emptiness is not taken for its past."""
        self.begin(channels=2)
        epoch = run(self.storage.open("a")).epoch
        for channel in ("a", "b", "a"):
            self.append(channel, stored())
        self.assertEqual(run(self.storage.open("b")), (epoch, 1))
        self.append("c", stored())
        self.assertEqual(run(self.storage.open("a")), (epoch, 2))
        after = run(self.storage.open("b"))
        self.assertEqual(after.next, 0)
        self.assertNotEqual(after.epoch, epoch)

    def test_tiny(self) -> None:
        """Even a storage for nothing keeps the channel in hand."""
        self.begin(channels=0, lines=0)
        self.assertEqual([self.append("a", stored()), self.append("a", stored(cid="1"))], [0, 1])
        self.assertEqual(self.texts(), [])

    def test_empty_channels_cost_nothing(self) -> None:
        """Looking a channel up makes nothing: every guest has an inbox."""
        run(self.storage.open("a"))
        self.assertEqual(len(self.storage._logs), 0)

    def test_close(self) -> None:
        """Closed, it holds nothing."""
        self.append("a", stored())
        run(self.storage.close())
        self.assertEqual(self.texts(), [])

    def test_bytes(self) -> None:
        """All lines together are bounded: the oldest of the channel that was used least lately go, its place stays."""
        self.begin(most_bytes=4_400)
        for offset in range(3):
            self.assertEqual(self.append("a", stored(text="x" * 700)), offset)
        place = run(self.storage.open("a"))
        self.append("b", stored(text="y" * 2_500))
        self.assertEqual([len(self.texts()), len(self.texts(channel="b"))], [1, 1])
        self.assertEqual(run(self.storage.open("a")), place)
        self.assertEqual(self.append("a", stored(text="x")), 3)
        self.append("b", stored(text="z" * 9_000))
        self.assertEqual([self.texts(), self.texts(channel="b")], [[], []])
        run(self.storage.close())
        self.assertEqual(self.append("a", stored(text="x" * 3_000)), 0)
        self.assertEqual(len(self.texts()), 1)

    def test_bounded_users(self) -> None:
        """Who was seen least lately is forgotten first."""
        self.begin(users=2)
        for user in ("1", "2", "1", "3"):
            run(self.storage.seen(Identity(user, "ann"), int(user)))
        self.assertEqual([run(self.storage.find(user)) is None for user in "123"], [False, True, False])

    def test_bounded_data(self) -> None:
        """What is kept under names is bounded in bytes; beyond it nothing is kept, and that is told."""
        self.begin(kept_bytes=10)
        run(self.storage.keep("a", b"123456"))
        error = self.assertRaises(StorageError, run, self.storage.keep("b", b"12345"))
        self.assertIn("5 bytes", error.text)
        self.assertIsNone(run(self.storage.kept("b")))
        run(self.storage.keep("a", b"1234567890"))
        run(self.storage.keep("a", None))
        run(self.storage.keep("b", b"1234567890"))

    def test_change_outlives_its_line(self) -> None:
        """A change of a line that is not kept any more is a line as before; a later one finds nothing to change."""
        self.begin(lines=2)
        self.append("a", line("one"))
        self.append("a", line("two", kind=EDIT, about=0))
        self.append("a", line("👍", kind=REACTION, about=0))
        self.assertEqual(self.texts(), ["two", "👍"])
        self.assertEqual(run(self.storage.lines("a", 1, 1))[0].reactions, (("👍", 0, False),))
        self.assertRaises(Refused, self.append, "a", line(kind=DELETE, about=0))
        self.append("a", line("three"))
        self.append("a", line("four", kind=EDIT, about=3))
        self.append("a", line("five", kind=EDIT, about=3))
        self.assertEqual(self.texts(), ["", "five"])

    def test_bytes_of_reactions(self) -> None:
        """Reactions count, and are gone with their line."""
        self.append("a", line("one"))
        before = self.storage._bytes
        for sender in ("ann", "bob"):
            self.append("a", line("👍", sender, REACTION, about=0))
        self.append("a", line("", kind=DELETE, about=0))
        log = self.storage._logs["a"]
        self.assertEqual(self.storage._bytes, log.bytes)
        while len(log):
            log.drop()
        self.assertEqual((log.bytes, log._known, log._edits), (0, {}, {}))
        self.assertGreater(before, 0)
