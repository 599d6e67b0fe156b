"""A database in memory that outlives servers, and what goes wrong with it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..errors import StorageError
from ..interfaces import Identity, IStorage, StoredLine
from ..storage.memory import MemoryStorage

if TYPE_CHECKING:
    from .network import Network

#: A read takes so long, and so does the writing of a batch, in seconds.
READ_S, COMMIT_S = 0.001, 0.003
#: Jobs that may wait for the batch that is being written; more are refused.
MAX_WAITING = 4_096
#: More lines than a test says: nothing is pruned.
MAX_LINES = 1_000_000


@dataclass(eq=False)
class _Job:
    """Something to write; `done` is None once nobody waits for it."""

    write: Callable[[], Coroutine[Any, Any, Any]]
    done: Deferred[Any]
    taken: bool = False


class SimulatedStore:
    """A database: what it has committed stays, whatever becomes of the servers.

    It writes as the real one does: what waits is one batch, which is committed as a whole, and answered then. A server that
    crashes loses what waits; the batch that was being written is lost as a whole, as a journal has it, or is kept and nobody
    is told.

    Args:
        network: Whose clock and seed it lives by.

    Attributes:
        counters: `commits`, `jobs` done, `failed`, `unknown`, `torn` batches.
    """

    def __init__(self, network: Network) -> None:
        self.counters: Counter[str] = Counter()
        self._clock = network.clock
        self._random = network.seeds.random("store")
        # Never closed, so nothing of it goes.
        self._memory = MemoryStorage(self._random, MAX_LINES)
        self._connection: StoreConnection | None = None
        self._fails = self._forgets = (0.0, 0.0)
        self._late = (0.0, 0.0)

    # --- faults ---

    def fail(self, seconds: float = inf, share: float = 1.0) -> None:
        """Let reads and writes fail for some time: a disk that is full, a database that is locked. Nothing is kept then.

        Args:
            seconds: How long; the default is until `heal`.
            share: Of all, from 0 to 1.
        """
        self._fails = (self._clock.seconds() + seconds, share)

    def forget_answers(self, seconds: float = inf, share: float = 1.0) -> None:
        """Let writes fail so that nobody knows whether they were done: each is, or not, by chance.

        Args:
            seconds: How long; the default is until `heal`.
            share: Of all, from 0 to 1.
        """
        self._forgets = (self._clock.seconds() + seconds, share)

    def delay(self, delay_s: float, seconds: float = inf) -> None:
        """Let every read and every batch take so many seconds longer; the default is until `heal`."""
        self._late = (self._clock.seconds() + seconds, delay_s)

    def heal(self) -> None:
        """End all faults."""
        self._fails = self._forgets = self._late = (0.0, 0.0)

    def crash(self) -> None:
        """The server that used it has died: what it had not committed is lost, but perhaps for the batch in hand."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.die(torn=self._random.random() < 0.5)

    # --- use ---

    def connect(self) -> StoreConnection:
        """Make what a server uses: an `IStorage` that ends with it."""
        self._connection = StoreConnection(self, self._clock, self._memory)
        return self._connection

    def history(self, channel: str) -> tuple[int, list[StoredLine]]:
        """The epoch of a channel, and all lines that it has, ascending: what a test compares with."""
        memory = self._memory
        return result_of(memory.open(channel)).epoch, result_of(memory.lines(channel, -1, MAX_LINES))

    def kept(self, name: str) -> bytes | None:
        """What is kept under a name."""
        data: bytes | None = result_of(self._memory.kept(name))
        return data

    def extra_s(self) -> float:
        """What a job takes longer now."""
        until_s, delay_s = self._late
        return delay_s if self._clock.seconds() < until_s else 0.0

    def fails(self) -> bool:
        """Whether the job in hand fails."""
        return self._strikes(self._fails)

    def forgets(self) -> bool:
        """Whether the answer of the job in hand is lost."""
        return self._strikes(self._forgets)

    def by_chance(self) -> bool:
        """Whether a job was done of which nobody knows."""
        return self._random.random() < 0.5

    def _strikes(self, fault: tuple[float, float]) -> bool:
        until_s, share = fault
        return self._clock.seconds() < until_s and self._random.random() < share


@implementer(IStorage)
class StoreConnection:
    """What one server has of a `SimulatedStore`."""

    def __init__(self, store: SimulatedStore, clock: Any, memory: MemoryStorage) -> None:
        self._store = store
        self._clock = clock
        self._memory = memory
        self._waiting: deque[_Job] = deque()
        self._batch: list[_Job] = []
        self._dead = False
        self._closing: Deferred[None] | None = None

    @property
    def pruned(self) -> int:
        """Lines that went to make room."""
        return self._memory.pruned

    @property
    def counters(self) -> Counter[str]:
        """The store's."""
        return self._store.counters

    def append(self, channel: str, line: StoredLine, moderator: bool = False) -> Deferred[Any]:
        return self._write(lambda: self._memory.append(channel, line, moderator))

    def seen(self, identity: Identity, time: int) -> Deferred[Any]:
        return self._write(lambda: self._memory.seen(identity, time))

    def keep(self, name: str, data: bytes | None) -> Deferred[Any]:
        return self._write(lambda: self._memory.keep(name, data))

    def open(self, channel: str) -> Deferred[Any]:
        return self._read(lambda: self._memory.open(channel))

    def lines(self, channel: str, after: int, limit: int, reader: str = "") -> Deferred[Any]:
        return self._read(lambda: self._memory.lines(channel, after, limit, reader))

    def page(self, channel: str, before: int | None, limit: int, reader: str = "") -> Deferred[Any]:
        return self._read(lambda: self._memory.page(channel, before, limit, reader))

    def recent(self, channel: str, limit: int) -> Deferred[Any]:
        """As `Windowed` has it."""
        return self._read(lambda: self._memory.recent(channel, limit))

    def find(self, name: str) -> Deferred[Any]:
        return self._read(lambda: self._memory.find(name))

    def kept(self, name: str) -> Deferred[Any]:
        return self._read(lambda: self._memory.kept(name))

    def close(self) -> Deferred[None]:
        self._closing = closing = Deferred[None]()
        self._closed_when_idle()
        return closing

    def die(self, torn: bool) -> None:
        """The server is no more; the batch in hand is lost if it is torn."""
        self._dead = True
        self._waiting.clear()
        batch, self._batch = self._batch, []
        if torn:
            self._store.counters["torn"] += bool(batch)
            return
        for job in batch:
            self._do(job, answer=False)

    # --- reading ---

    def _read(self, read: Callable[[], Coroutine[Any, Any, Any]]) -> Deferred[Any]:
        done: Deferred[Any] = Deferred(lambda done: done.errback(StorageError("the database does not answer")))
        fails = self._store.fails()

        def answer() -> None:
            if self._dead or done.called:
                return
            if fails:
                done.errback(StorageError("the database cannot be read"))
            else:
                done.callback(result_of(read()))

        self._clock.callLater(READ_S + self._store.extra_s(), answer)
        return done

    # --- writing ---

    def _write(self, write: Callable[[], Coroutine[Any, Any, Any]]) -> Deferred[Any]:
        def cancel(done: Deferred[Any]) -> None:
            if job.taken:
                done.errback(StorageError("the database does not answer", unknown=True))
            else:
                self._waiting.remove(job)
                done.errback(StorageError("the database is busy"))

        job = _Job(write, Deferred(cancel))
        if len(self._waiting) >= MAX_WAITING or self._closing is not None:
            job.done.errback(StorageError("the database is closed" if self._closing else "the database is busy"))
            return job.done
        self._waiting.append(job)
        if not self._batch:
            self._begin()
        return job.done

    def _begin(self) -> None:
        self._batch = list(self._waiting)
        self._waiting.clear()
        for job in self._batch:
            job.taken = True
        self._clock.callLater(COMMIT_S + self._store.extra_s(), self._commit)

    def _commit(self) -> None:
        if self._dead:
            return
        batch, self._batch = self._batch, []
        self._store.counters["commits"] += 1
        # All is written before anybody is told: who is told may ask for more.
        for tell in [self._do(job) for job in batch]:
            tell()
        if self._waiting and not self._batch:
            self._begin()
        self._closed_when_idle()

    def _do(self, job: _Job, answer: bool = True) -> Callable[[], None]:
        """Do a job, or fail it; answers how to tell."""
        store, counters = self._store, self._store.counters
        result: Any
        if answer and store.fails():
            counters["failed"] += 1
            result = StorageError("the database cannot be written to")
        elif answer and store.forgets():
            counters["unknown"] += 1
            if store.by_chance():
                self._written(job)
            result = StorageError("nobody knows whether this was kept", unknown=True)
        else:
            counters["jobs"] += 1
            result = self._written(job)

        def tell() -> None:
            if job.done.called or self._dead:
                return
            if isinstance(result, Exception):
                job.done.errback(result)
            else:
                job.done.callback(result)

        return tell

    def _written(self, job: _Job) -> Any:
        try:
            return result_of(job.write())
        except Exception as error:  # Refused, which is an answer too
            return error

    def _closed_when_idle(self) -> None:
        if self._closing is not None and not self._closing.called and not self._batch and not self._waiting:
            self._closing.callback(None)


def result_of(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits, as those of a MemoryStorage do."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")
