"""Lines in memory."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net.interfaces import IStorage, StoredLine
from meteor_net.storage.memory import MemoryStorage

from ..plain import run, stored


class MemoryStorageTests(SynchronousTestCase):
    """What every storage promises, and what this one does besides."""

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

    def test_interface(self) -> None:
        """It is a storage as any other."""
        verifyObject(IStorage, self.storage)

    def test_offsets(self) -> None:
        """Each channel counts its own lines from 0, and knows what comes next."""
        self.assertEqual([self.append("a", stored(text=text)) for text in "xyz"], [0, 1, 2])
        self.assertEqual(self.append("b", stored()), 0)
        self.assertEqual(run(self.storage.open("a")).next, 3)
        self.assertEqual([line.offset for line in run(self.storage.lines("a", -1, 9))], [0, 1, 2])

    def test_said_again(self) -> None:
        """A line with an id that its sender used is kept once; another sender's, or one without id, is another line."""
        self.assertEqual(self.append("a", stored(cid="1")), 0)
        self.assertEqual(self.append("a", stored(cid="1")), 0)
        self.assertEqual(self.append("a", stored(cid="1", sender="bob")), 1)
        self.assertEqual([self.append("a", stored()), self.append("a", stored())], [2, 3])
        self.assertEqual(run(self.storage.open("a")).next, 4)

    def test_reading(self) -> None:
        """Lines after a place, the oldest first; or the newest; within a limit, which may be 0."""
        for text in "abcde":
            self.append("a", stored(text=text))
        self.assertEqual(self.texts(), list("abcde"))
        self.assertEqual(self.texts(after=1, limit=2), ["c", "d"])
        self.assertEqual([self.texts(limit=0), self.texts(after=4)], [[], []])
        for limit, newest in ((0, ""), (1, "e"), (2, "de"), (9, "abcde")):
            self.assertEqual("".join(line.text for line in run(self.storage.page("a", None, limit))), newest)
        self.assertEqual([run(self.storage.page("other", None, 5)), self.texts(channel="other")], [[], []])

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
        self.begin(most_bytes=4_000)
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
