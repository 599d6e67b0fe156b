"""Recent lines in memory before a database."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from meteor_net.errors import Refused, StorageError
from meteor_net.interfaces import Identity
from meteor_net.storage.cache import CachedStorage
from meteor_net.storage.memory import MemoryStorage
from meteor_net.storage.sql import SqlStorage

from ..plain import run
from .conformance import StorageTests, histories
from .model import EDIT, REACTION, line


class CacheOverMemoryTests(StorageTests, TestCase):
    """What every storage promises."""

    async def begin(self) -> CachedStorage:
        return CachedStorage(MemoryStorage(Random(1)))


class CacheOverSqliteTests(StorageTests, TestCase):
    """The same before a database, by a cache that holds little."""

    async def begin(self) -> CachedStorage:
        database = SqlStorage(f"sqlite:///{Path(self.mktemp()).absolute()}/meteor.sqlite3", reactor)
        database.start()
        return CachedStorage(database, lines=5, channels=2)


class Slow(MemoryStorage):
    """A storage whose answers wait for the test.

    Attributes:
        waiting: For each answer, in order, what lets it go.
        hold: Whether answers wait.
    """

    def __init__(self) -> None:
        super().__init__(Random(1))
        self.hold = False
        self.waiting: list[Deferred[None]] = []

    async def _wait(self) -> None:
        if self.hold:
            self.waiting.append(Deferred())
            await self.waiting[-1]

    async def recent(self, *args: Any) -> Any:
        found = await super().recent(*args)
        await self._wait()
        return found

    async def append(self, *args: Any) -> Any:
        found = await super().append(*args)
        await self._wait()
        return found


class CacheTests(SynchronousTestCase):
    """When it is asked, and when it asks."""

    def begin(self, storage: MemoryStorage | None = None, **options: Any) -> None:
        """Make a cache."""
        self.behind = storage or MemoryStorage(Random(1))
        self.cache = CachedStorage(self.behind, **options)

    def say(self, text: str = "hi", channel: str = "a", **more: Any) -> Any:
        """Keep a line."""
        return run(self.cache.append(channel, line(text, **more))).offset

    def lines(self, after: int = -1, channel: str = "a") -> list[str]:
        """The texts after a place."""
        return [line.text for line in run(self.cache.lines(channel, after, 99))]

    def page(self, before: int | None, limit: int) -> list[str]:
        """The texts of a page."""
        return [line.text for line in run(self.cache.page("a", before, limit))]

    def counted(self) -> tuple[int, int]:
        """(hits, misses) since this was asked last."""
        found = self.cache.counters
        before, self._before = getattr(self, "_before", (0, 0)), (found["hits"], found["misses"])
        return self._before[0] - before[0], self._before[1] - before[1]

    def test_covered(self) -> None:
        """What the window has wholly comes from it; what goes beyond it is asked for."""
        self.begin(lines=4)
        for text in "abcdef":
            run(self.behind.append("a", line(text)))
        for asked, answer, hit in (
            (lambda: self.lines(1), "cdef", True),
            (lambda: self.lines(9), "", True),
            (lambda: self.lines(0), "bcdef", False),
            (lambda: self.page(None, 4), "cdef", True),
            (lambda: self.page(None, 5), "bcdef", False),
            (lambda: self.page(4, 2), "cd", True),
            (lambda: self.page(4, 3), "bcd", False),
            (lambda: self.page(0, 3), "", False),
            (lambda: self.page(None, 0), "", True),
        ):
            self.assertEqual("".join(asked()), answer)
            self.assertEqual(self.counted(), (1, 0) if hit else (0, 1))

    def test_short_channel(self) -> None:
        """Of a channel that is held from its beginning every page is known, the empty one too."""
        self.begin()
        self.assertEqual((self.page(None, 50), self.lines()), ([], []))
        self.say("a")
        self.assertEqual((self.page(None, 50), self.page(0, 50), self.lines()), (["a"], [], ["a"]))
        self.assertEqual(self.counted(), (5, 0))

    def test_reaction_to_what_is_not_held(self) -> None:
        """How many react to a line that is not held is asked for."""
        self.begin(lines=2)
        self.say("a")
        self.say("b")
        self.lines()
        self.say("👍", kind=REACTION, about=0)
        self.counted()
        self.assertEqual(run(self.cache.lines("a", 0, 9))[-1].reactions, (("👍", 1, False),))
        self.assertEqual(self.counted(), (0, 1))
        self.assertEqual(run(self.cache.page("a", None, 1))[0].text, "b")
        self.assertEqual(self.counted(), (1, 0))

    def test_edits_of_what_is_not_held(self) -> None:
        """An older edit is erased where the line itself is held no more."""
        self.begin(lines=3)
        self.say("a")
        self.lines()
        for text in "bcd":
            self.say(text, kind=EDIT, about=0)
        self.assertEqual(self.lines(0), ["", "", "d"])
        self.say("e")
        self.say("f", kind=EDIT, about=0)
        self.assertEqual(self.lines(2), ["", "e", "f"])
        self.assertEqual(self.counted()[1], 0)

    def test_another_writer(self) -> None:
        """Where another one wrote to the channel too, the window is read anew: at the next line, or when it is opened."""
        self.begin()
        self.say("a")
        self.lines()
        run(self.behind.append("a", line("b")))
        self.assertEqual(self.lines(), ["a"], "this cannot be known yet")
        self.say("c")
        self.assertEqual(self.lines(), ["a", "b", "c"])
        run(self.behind.append("a", line("d")))
        self.assertEqual(run(self.cache.open("a")).next, 4)
        self.assertEqual(self.lines(), ["a", "b", "c", "d"])

    def test_said_again(self) -> None:
        """A line that was said before, and has changed since, is not taken for a new one."""
        self.begin()
        self.say("a", cid="1")
        self.lines()
        self.say("a", cid="1")
        run(self.behind.append("a", line("b", cid="2")))
        run(self.behind.append("a", line("👍", kind=REACTION, about=1)))
        self.assertEqual(self.say("b", cid="2"), 1)
        self.assertEqual(len(run(self.cache.lines("a", -1, 9))), 3)
        self.assertEqual(run(self.cache.page("a", None, 1))[0].reactions, (("👍", 1, False),))

    def test_said_while_it_is_read(self) -> None:
        """A line that is kept while the window is read is in it, once, whichever of the two is told first."""
        slow = Slow()
        self.begin(slow)
        self.say("a")
        slow.hold = True
        first, second = ensureDeferred(self.cache.lines("a", -1, 9)), ensureDeferred(self.cache.lines("a", -1, 9))
        self.assertEqual([line.text for line in self.successResultOf(second)], ["a"])
        said = ensureDeferred(self.cache.append("a", line("b")))
        slow.waiting[1].callback(None)
        self.assertEqual(self.successResultOf(said).offset, 1)
        slow.waiting[0].callback(None)
        self.assertEqual([line.text for line in self.successResultOf(first)], ["a", "b"])
        self.assertEqual(self.lines(), ["a", "b"])
        self.assertEqual(self.counted(), (2, 1))
        first, second = ensureDeferred(self.cache.page("b", None, 9)), ensureDeferred(self.cache.page("b", None, 9))
        self.assertEqual(self.successResultOf(second), [])
        slow.waiting[2].callback(None)
        self.assertEqual(self.successResultOf(first), [])

    def test_much_said_while_it_is_read(self) -> None:
        """What waits for the window is bounded: the window is given up; and one that was given up is not kept."""
        slow = Slow()
        self.begin(slow, lines=2)
        slow.hold = True
        first = ensureDeferred(self.cache.lines("a", -1, 9))
        slow.hold = False
        for text in "abc":
            self.say(text)
        slow.waiting[0].callback(None)
        self.assertEqual(self.successResultOf(first), [])
        self.assertEqual(self.lines(), ["a", "b", "c"])

    def test_failures(self) -> None:
        """A read that fails leaves nothing behind; where nobody knows whether a line was kept, the window goes."""
        slow = Slow()
        self.begin(slow)
        slow.hold = True
        read = ensureDeferred(self.cache.lines("a", -1, 9))
        slow.waiting.pop().errback(StorageError("no"))
        self.failureResultOf(read, StorageError)
        said = ensureDeferred(self.cache.append("a", line("a")))
        slow.waiting.pop().errback(StorageError("no", unknown=True))
        self.failureResultOf(said, StorageError)
        slow.hold = False
        self.assertEqual(self.lines(), ["a"])
        slow.hold = True
        for unknown, texts in ((False, ["a"]), (True, ["a", "b", "b"])):
            said = ensureDeferred(self.cache.append("a", line("b")))
            slow.waiting.pop().errback(StorageError("no", unknown=unknown))
            self.failureResultOf(said, StorageError)
            slow.hold = False
            self.assertEqual(self.lines(), texts)
            slow.hold = True

    def test_given_up_while_it_is_read(self) -> None:
        """A read that fails after its window was given up takes no other with it."""
        slow = Slow()
        self.begin(slow, lines=1)
        slow.hold = True
        read = ensureDeferred(self.cache.lines("a", -1, 9))
        slow.hold = False
        self.say("a")
        self.say("b")
        self.lines()
        slow.waiting.pop().errback(StorageError("no"))
        self.failureResultOf(read, StorageError)
        self.counted()
        self.lines(1)
        self.assertEqual(self.counted(), (1, 0))

    def test_bounded(self) -> None:
        """Channels, lines and bytes are bounded; the channel that was used least lately goes first."""
        self.begin(lines=3, channels=2)
        for channel in ("a", "b", "a", "c"):
            self.lines(channel=channel)
        self.assertEqual(list(self.cache._windows), ["a", "c"])
        for _ in range(9):
            self.say()
        window: Any = self.cache._windows["a"]
        self.assertEqual((len(window.log), self.cache._bytes), (3, window.log.bytes))
        self.begin(most_bytes=3_000)
        for channel in ("a", "b"):
            self.lines(channel=channel)
            self.say("x" * 1_500, channel=channel)
        self.assertEqual(list(self.cache._windows), ["b"])
        self.say("x" * 3_000, channel="b")
        self.assertEqual((list(self.cache._windows), self.cache._bytes), ([], 0))
        self.assertEqual(len(self.lines(channel="b")), 2)

    def test_pruned(self) -> None:
        """What storage let go is not shown from here."""
        self.begin(MemoryStorage(Random(1), lines=2))
        for text in "abc":
            self.say(text)
            self.lines()
        self.assertEqual(self.lines(), ["b", "c"])

    def test_holes(self) -> None:
        """A window begins behind the last hole that pruning left."""
        self.begin()
        for text in "abcd":
            run(self.behind.append("a", line(text)))
        del self.behind._logs["a"]._entries[1]
        entries = self.behind._logs["a"].entries(9)

        async def recent(channel: str, limit: int) -> Any:
            return 4, entries

        self.behind.recent = recent  # type: ignore[method-assign]
        self.assertEqual(self.page(None, 2), ["c", "d"])
        self.assertEqual(self.counted(), (1, 0))
        self.page(None, 3)
        self.assertEqual(self.counted(), (0, 1))

    def test_hands_on(self) -> None:
        """Users and data are not its business; closed, it holds nothing."""
        self.begin()
        run(self.cache.seen(Identity("1", "ann"), 1))
        run(self.cache.keep("sea", b"x"))
        self.assertEqual((run(self.cache.find("ann")), run(self.cache.kept("sea"))), (Identity("1", "ann"), b"x"))
        self.say()
        self.lines()
        run(self.cache.close())
        self.assertEqual((self.lines(), len(self.cache._windows)), ([], 1))

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(histories(), st.integers(0, 6))
    def test_as_without(self, history: list[tuple[Any, ...]], lines: int) -> None:
        """Whatever the window's size, every answer is as it would be without."""
        plain = MemoryStorage(Random(1))
        self.begin(lines=lines)
        for verb, *args in history:
            for read in (("lines", -1, 9, "ann"), ("lines", 2, 3, "bob"), ("page", None, 3, "bob"), (verb, *args)):
                answers = []
                for storage in (plain, self.cache):
                    try:
                        answers.append(run(getattr(storage, read[0])("a", *read[1:])))
                    except Refused as error:
                        answers.append(error.reason)
                self.assertEqual(answers[0], answers[1])
