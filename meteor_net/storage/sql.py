"""Lines in a database: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

from ..errors import ConfigError, StorageError
from ..interfaces import ChannelPlace, Identity, IStorage, StoredLine
from . import reading
from .batch import Append, Job, Keep, Seen
from .engine import READERS, explain, make_engine, parse_url, shown
from .log import Entry
from .migrate import migrate, revision
from .retention import Retention
from .tables import HEAD, epoch
from .writer import Done, Waiting, Writer

#: Reads that may wait or be done at once; beyond it they are refused.
MAX_READS = 4_096

T = TypeVar("T")


@implementer(IStorage)
class SqlStorage:
    """A database behind `IStorage`. All of it is done in threads of its own: one that writes, some that read.

    A line is told to be kept when its transaction is committed, and the database has flushed it to the disk.

    Args:
        url: `sqlite:///path` or `postgresql://…`.
        reactor: Where answers are given.
        keep_days: Lines older than so many days go.
        keep_lines: A channel's lines but the newest so many go, once they are older than a day.

    Attributes:
        shown: Where the data lies, without a password.
        counters: How much was done; see `Writer`. `reads` and `pruned` lines besides.

    Raises:
        ConfigError: There is no such kind of database here. Nothing is opened yet.
    """

    def __init__(
        self, url: str, reactor: Any, keep_days: int | None = None, keep_lines: int | None = None
    ) -> None:  # fmt: skip
        self._url = parse_url(url)
        self._reactor = reactor
        self._writes, self._reads = make_engine(self._url, writes=True), make_engine(self._url, writes=False)
        self._retention = Retention(keep_days, keep_lines, reactor.seconds)
        self._writer = Writer(self._writes, self._told, self._retention if self._retention else None)
        self._pool = ThreadPool(0, READERS, "meteor-readers")
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
        self._seed = b""
        self._reading = 0
        self._read = 0
        self._closed: Deferred[None] | None = None
        self._started = False
        self.shown = shown(self._url)

    @property
    def pruned(self) -> int:
        """Lines that went by age or by count so far."""
        return self._retention.pruned

    @property
    def counters(self) -> dict[str, int]:
        """Name -> count."""
        counted = {"reads": self._read, "pruned": self.pruned, "waiting": self._writer.waiting}
        return {**self._writer.counters, **counted}

    # --- life ---

    def start(self) -> None:
        """Open the database, bring its tables up to date, and begin. Blocks: call it before anything is served.

        Raises:
            ConfigError: It cannot be opened; one line says why.
        """
        self.migrate()
        self._writer.start()
        self._pool.start()
        self._started = True

    def migrate(self) -> str:
        """Bring the tables up to date and no more; answers their revision.

        Raises:
            ConfigError: As for `start`.
        """
        try:
            if self._url.get_backend_name() == "sqlite":
                os.makedirs(os.path.dirname(self.shown), exist_ok=True)
                # Private messages are nobody else's; SQLite's other files take after this one.
                os.close(os.open(self.shown, os.O_RDONLY | os.O_CREAT, 0o600))
            self._migrate()
            self._seed = self._look(reading.seed)
        except ConfigError as error:
            raise ConfigError(f"the database {self.shown}: {error}") from None
        except OSError as error:
            raise ConfigError(f"the database {self.shown}: {error.strerror}") from None
        except Exception as error:
            detail = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise ConfigError(f"the database {self.shown}: {explain(error).text} ({detail})") from None
        return HEAD

    def _migrate(self) -> None:
        # What is up to date is not written to: a database that cannot be written to can still be read.
        if self._look(revision) != HEAD:
            with self._writes.begin() as connection:
                migrate(connection)

    def _look(self, read: Callable[[Connection], T]) -> T:
        with self._reads.connect() as connection, connection.begin():
            return read(connection)

    def close(self) -> Deferred[None]:
        """Finish what waits, and close; answers when all is on the disk."""
        if self._closed is None:
            self._closed = Deferred()
            if self._started:
                Thread(target=self._end, name="meteor-closer", daemon=True).start()
            else:
                self._dispose()
                self._closed.callback(None)
        return self._closed

    def _end(self) -> None:
        self._writer.stop()
        self._writer.join()
        self._pool.stop()
        self._dispose()
        assert self._closed is not None
        self._reactor.callFromThread(self._closed.callback, None)

    def _dispose(self) -> None:
        engines: tuple[Engine, ...] = (self._reads, self._writes)
        for engine in engines:
            engine.dispose()

    # --- writing ---

    def append(self, channel: str, line: StoredLine, moderator: bool = False) -> Deferred[StoredLine]:
        return self._write(Append(channel, line, moderator))

    def seen(self, identity: Identity, time: int) -> Deferred[None]:
        return self._write(Seen(identity, time))

    def keep(self, name: str, data: bytes | None) -> Deferred[None]:
        return self._write(Keep(name, data))

    def _write(self, job: Job) -> Deferred[Any]:
        def cancel(done: Deferred[Any]) -> None:
            if self._writer.withdraw(waiting):
                done.errback(StorageError("the database is busy"))
            else:
                done.errback(StorageError("the database does not answer", unknown=True))

        done: Deferred[Any] = Deferred(cancel)
        waiting = Waiting(job, partial(_answer, done))
        try:
            self._writer.put(waiting)
        except StorageError as error:
            done.errback(error)
        return done

    def _told(self, answers: list[tuple[Done, Any]]) -> None:
        # One call for a whole batch, in its order.
        self._reactor.callFromThread(_hand_on, answers)

    # --- reading ---

    def open(self, channel: str) -> Deferred[ChannelPlace]:
        def read(connection: Connection) -> ChannelPlace:
            found = reading.place(connection, channel)
            return ChannelPlace(epoch(self._seed, channel), 0 if found is None else found[1])

        return self._ask(read)

    def lines(self, channel: str, after: int, limit: int, reader: str = "") -> Deferred[list[StoredLine]]:
        return self._ask(lambda connection: reading.lines(connection, channel, after, limit, reader))

    def page(self, channel: str, before: int | None, limit: int, reader: str = "") -> Deferred[list[StoredLine]]:
        return self._ask(lambda connection: reading.page(connection, channel, before, limit, reader))

    def recent(self, channel: str, limit: int) -> Deferred[tuple[int, list[Entry]]]:
        """The offset to come, and the newest lines of any kind, ascending, with all who reacted to them."""
        return self._ask(lambda connection: reading.recent(connection, channel, limit))

    def find(self, name: str) -> Deferred[Identity | None]:
        return self._ask(lambda connection: reading.find(connection, name))

    def kept(self, name: str) -> Deferred[bytes | None]:
        return self._ask(lambda connection: reading.kept(connection, name))

    def _ask(self, read: Callable[[Connection], T]) -> Deferred[T]:
        done: Deferred[Any] = Deferred(lambda done: done.errback(StorageError("the database does not answer")))
        if self._reading >= MAX_READS or self._closed is not None:
            done.errback(StorageError("the database is closed" if self._closed else "the database is busy"))
            return done
        self._reading += 1
        self._read += 1
        self._pool.callInThread(self._do_read, read, done)
        return done

    def _do_read(self, read: Callable[[Connection], Any], done: Deferred[Any]) -> None:
        self._reactor.callFromThread(self._has_read, done, self._try_read(read))

    def _try_read(self, read: Callable[[Connection], Any], again: bool = True) -> Any:
        try:
            return self._look(read)
        except Exception as error:
            trouble = explain(error)
            if trouble.lost and again:
                return self._try_read(read, again=False)
            return StorageError(trouble.text if trouble.whole else f"this cannot be read: {type(error).__name__}")

    def _has_read(self, done: Deferred[Any], answer: Any) -> None:
        self._reading -= 1
        _answer(done, answer)


def _hand_on(answers: list[tuple[Done, Any]]) -> None:
    for done, result in answers:
        done(result)


def _answer(done: Deferred[Any], result: Any) -> None:
    if done.called:  # it was cancelled meanwhile
        return
    if isinstance(result, Exception):
        done.errback(result)
    else:
        done.callback(result)
