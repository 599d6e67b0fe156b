"""Lines in SQLite: what every storage promises, and what becomes of it when the disk or the file says no."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import SkipTest

from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import TimeoutError as PoolTimeout
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import TestCase

from meteor_net.errors import ConfigError, StorageError
from meteor_net.interfaces import Identity, StoredLine
from meteor_net.storage import batch, engine, reading, retention, sql, writer
from meteor_net.storage.sql import SqlStorage
from tests.requirements import require

from .conformance import StorageTests, storage_error
from .model import DELETE, EDIT, REACTION, line


class SqliteConformanceTests(StorageTests, TestCase):
    """What every storage promises."""

    async def begin(self) -> SqlStorage:
        folder = Path(self.mktemp()).absolute()
        storage = SqlStorage(f"sqlite:///{folder}/meteor.sqlite3", reactor)
        storage.start()
        return storage


class SqliteCase(TestCase):
    """A database in a file."""

    def setUp(self) -> None:
        self.patch(engine, "BUSY_S", 0.2)
        self.file = Path(self.mktemp()).absolute() / "meteor.sqlite3"

    def begin(self, **options: Any) -> SqlStorage:
        """Open the file."""
        storage = SqlStorage(f"sqlite:///{self.file}", reactor, **options)
        storage.start()
        self.addCleanup(storage.close)
        return storage

    def other(self) -> sqlite3.Connection:
        """Another connection to the file."""
        connection = sqlite3.connect(self.file, isolation_level=None)
        self.addCleanup(connection.close)
        return connection

    async def texts(self, storage: Any, channel: str = "a") -> list[str]:
        """All that is kept."""
        return [line.text for line in await storage.lines(channel, -1, 10_000)]


class SqliteTests(SqliteCase):
    """What this one does besides."""

    async def test_settings(self) -> None:
        """Each commit is flushed to the disk, readers do not wait for the writer, and what was erased is not left behind."""
        storage = self.begin()
        for each in (storage._writes, storage._reads):
            with each.connect() as connection:
                asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
                told = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
            self.assertEqual(told, ["wal", 2, 1, 200, 2])

    async def test_private(self) -> None:
        """Only who runs the server may read the files."""
        storage = self.begin()
        await storage.append("a", line())
        modes = {file.name: file.stat().st_mode & 0o777 for file in self.file.parent.iterdir()}
        self.assertEqual(modes, dict.fromkeys(["meteor.sqlite3", "meteor.sqlite3-wal", "meteor.sqlite3-shm"], 0o600))

    async def test_restart(self) -> None:
        """Opened again, everything is there: epochs, offsets, lines, who said what, and what was kept."""
        storage = self.begin()
        places = {channel: await storage.open(channel) for channel in ("a", "never")}
        await storage.append("a", line("one", cid="1"))
        await storage.append("a", line("👍", "bob", REACTION, about=0))
        await storage.seen(Identity("1", "ann"), 5)
        await storage.keep("sea", b"x")
        kept = await storage.lines("a", -1, 9)
        await storage.close()
        storage = self.begin()
        self.assertEqual(await storage.open("a"), (places["a"].epoch, 2))
        self.assertEqual(await storage.open("never"), places["never"])
        self.assertNotEqual(places["a"].epoch, places["never"].epoch)
        self.assertEqual(await storage.lines("a", -1, 9), kept)
        self.assertEqual((await storage.append("a", line("again", cid="1"))).offset, 0)
        self.assertEqual((await storage.append("a", line("two"))).offset, 2)
        self.assertEqual((await storage.find("ann"), await storage.kept("sea")), (Identity("1", "ann"), b"x"))

    async def test_another_database(self) -> None:
        """Two databases tell different epochs for one channel: neither is taken for the other."""
        first = await self.begin().open("a")
        self.file = Path(self.mktemp()).absolute() / "meteor.sqlite3"
        self.assertNotEqual((await self.begin().open("a")).epoch, first.epoch)

    async def test_empty_channels_cost_nothing(self) -> None:
        """Looking a channel up makes no row: every guest has an inbox."""
        storage = self.begin()
        await storage.open("@guest")
        await storage.page("@guest", None, 9)
        self.assertEqual(self.other().execute("SELECT count(*) FROM channels").fetchone(), (0,))

    async def test_grouped(self) -> None:
        """What waits is one transaction: many lines, few commits."""
        storage = self.begin()
        said = [ensureDeferred(storage.append("a", line(str(number), cid=str(number)))) for number in range(1_000)]
        self.assertEqual([(await one).offset for one in said], list(range(1_000)))
        self.assertEqual(storage.counters["jobs"], 1_000)
        self.assertLessEqual(storage.counters["commits"], 5)
        self.assertEqual(self.other().execute("PRAGMA integrity_check").fetchone(), ("ok",))

    async def test_bad_line(self) -> None:
        """A line that the database cannot take fails; those that were said with it are kept."""
        storage = self.begin()
        said = [
            ensureDeferred(storage.append("a", one))
            for one in (line("one"), line("\ud800"), line("two"), line("x", time=2**70), line("y", kind=64, data=object()))
        ]
        self.assertEqual([(await said[0]).offset, (await said[2]).offset], [0, 1])
        for bad in (said[1], said[3], said[4]):
            error = await storage_error(bad)
            self.assertIn("cannot be kept", error.text)
            self.assertFalse(error.unknown)
        self.assertEqual(await self.texts(storage), ["one", "two"])

    async def test_erased(self) -> None:
        """What was edited or deleted is not in the file any more."""
        storage = self.begin()
        await storage.append("a", line("hunter1"))
        await storage.append("a", line("hunter2", kind=EDIT, about=0))
        await storage.append("a", line("", kind=DELETE, about=0))
        await storage.close()
        self.assertNotIn(b"hunter", self.file.read_bytes())

    def test_growth(self) -> None:
        """However many lines a channel has, what is asked for is found by an index."""
        self.begin()
        for statement, plan in (
            (reading._AFTER, "PRIMARY KEY (channel=? AND offset>?)"),
            (reading._PAGE, "INDEX lines_content (channel=? AND content<?)"),
            (batch._SAID, "COVERING INDEX lines_said (channel=? AND sender=? AND cid=?)"),
            (batch._CHANGE, "PRIMARY KEY (channel=? AND offset=?)"),
            (batch._REACTS, "PRIMARY KEY (channel=? AND about=? AND emoji=? AND user=?)"),
            (retention._OLD, "COVERING INDEX lines_time (time<?)"),
        ):
            words = str(statement.compile(dialect=sqlite_dialect.dialect()))
            plans = [row[3] for row in self.other().execute(f"EXPLAIN QUERY PLAN {words}", [1] * words.count("?"))]
            self.assertIn(plan, plans[0])

    async def test_unreadable(self) -> None:
        """A read that fails is told, in words that name nothing of the inside."""
        storage = self.begin()
        with storage._writes.begin() as connection:
            connection.exec_driver_sql("DROP TABLE kept")
        self.assertEqual((await storage_error(storage.kept("x"))).text, "this cannot be read: OperationalError")
        self.assertIn("no such table", (await storage_error(storage.keep("x", b""))).text)

    def test_explained(self) -> None:
        """An error that is none of a database's is one of the line; a pool without a free connection is busy."""
        self.assertFalse(engine.explain(ValueError()).whole)
        self.assertEqual(engine.explain(PoolTimeout()).text, "the database is busy")

    def test_without_psycopg(self) -> None:
        """PostgreSQL is an extra: who lacks it is told what to install."""
        self.addCleanup(sys.modules.update, {"psycopg": importlib.import_module("psycopg")})
        sys.modules["psycopg"] = None  # type: ignore[assignment]
        with self.assertRaises(ConfigError) as raised:
            SqlStorage("postgresql://db/game", reactor)
        self.assertIn("pip install 'meteor-net[postgresql]'", str(raised.exception))

    async def test_closed(self) -> None:
        """Closing finishes what was given; afterwards all is refused, and closing again is nothing."""
        storage = self.begin()
        said = storage.append("a", line("one"))
        closed = storage.close()
        self.assertIs(storage.close(), closed)
        await closed
        self.assertEqual((await said).offset, 0)
        for late in (storage.append("a", line()), storage.lines("a", -1, 9)):
            self.assertEqual((await storage_error(late)).text, "the database is closed")
        await SqlStorage(f"sqlite:///{self.file}", reactor).close()

    async def test_newer(self) -> None:
        """A file of a newer version of meteor_net is left alone."""
        await self.begin().close()
        self.other().execute("UPDATE alembic_version SET version_num = '9999'")
        with self.assertRaises(ConfigError) as raised:
            self.begin()
        self.assertIn(f"the database {self.file}: its tables are of another version", str(raised.exception))

    async def test_no_folder(self) -> None:
        """A folder that cannot be made is one line."""
        self.file = Path("/proc/nothing/meteor.sqlite3")
        with self.assertRaises(ConfigError) as raised:
            self.begin()
        self.assertIn("the database /proc/nothing/meteor.sqlite3: ", str(raised.exception))

    def test_unknown_kind(self) -> None:
        """Only two kinds of database are known."""
        with self.assertRaises(ConfigError) as raised:
            SqlStorage("mysql://ann:hunter2@db/x", reactor)
        self.assertEqual(str(raised.exception), "mysql is no database that is known here: sqlite or postgresql")


class QueueTests(SqliteCase):
    """What waits for the writer."""

    def hold(self) -> sqlite3.Connection:
        """Let the writer wait for a lock."""
        self.patch(engine, "BUSY_S", 5.0)
        self.storage = self.begin()
        other = self.other()
        other.execute("BEGIN IMMEDIATE")
        return other

    async def taken(self, text: str) -> Deferred[StoredLine]:
        """Say a line, and wait until the writer is at it."""
        said = self.storage.append("a", line(text))
        while self.storage.counters["waiting"]:
            await self.storage.open("a")
        return said

    async def test_bounded(self) -> None:
        """Beyond a bound, of lines or of bytes, lines are refused at once; the others are kept."""
        self.patch(writer, "MAX_WAITING", 3)
        other = self.hold()
        said = [await self.taken("0"), *(self.storage.append("a", line(text)) for text in "123")]
        error = await storage_error(self.storage.append("a", line("4")))
        self.assertEqual((error.text, error.unknown), ("the database is busy", False))
        self.patch(writer, "MAX_WAITING", 99)
        self.patch(writer, "MAX_WAITING_BYTES", 2_000)
        self.assertEqual((await storage_error(self.storage.keep("x", b"y" * 1_000))).text, "the database is busy")
        other.execute("ROLLBACK")
        self.assertEqual([(await one).offset for one in said], [0, 1, 2, 3])
        await self.storage.keep("x", b"y" * 9_000)  # alone it may be as large as it is
        self.assertEqual(await self.texts(self.storage), ["0", "1", "2", "3"])

    async def test_cancelled(self) -> None:
        """A line that is not waited for any more is taken back; if the writer is at it, nobody knows."""
        other = self.hold()
        taken = await self.taken("taken")
        waiting, last = self.storage.append("a", line("waiting")), self.storage.append("a", line("last"))
        for said, unknown in ((taken, True), (waiting, False)):
            said.cancel()
            self.assertEqual((await storage_error(said)).unknown, unknown)
        other.execute("ROLLBACK")
        self.assertEqual((await last).offset, 1)
        self.assertEqual(await self.texts(self.storage), ["taken", "last"])

    async def test_bounded_reads(self) -> None:
        """Reads are bounded, too; one that is not waited for any more is forgotten."""
        self.patch(sql, "MAX_READS", 2)
        storage = self.begin()
        first, second = storage.open("a"), storage.open("a")
        self.assertEqual((await storage_error(storage.open("a"))).text, "the database is busy")
        first.cancel()
        self.assertEqual((await storage_error(first)).text, "the database does not answer")
        self.assertEqual((await second).next, 0)


class SqliteFailureTests(SqliteCase):
    """Each is told plainly, nothing is acked, and all is well again when the cause is gone."""

    async def fails(self, storage: SqlStorage, text: str) -> None:
        """Lines are refused, and what was kept can still be read."""
        before = await self.texts(storage)
        for cid in "12":
            error = await storage_error(storage.append("a", line("lost", cid=cid)))
            self.assertEqual((error.text, error.unknown), (text, False))
        self.assertEqual(await self.texts(storage), before)

    async def heals(self, storage: SqlStorage) -> None:
        """Lines are kept, where those that were refused would have been."""
        place = await storage.open("a")
        self.assertEqual((await storage.append("a", line("healed"))).offset, place.next)
        self.assertEqual((await self.texts(storage))[-1], "healed")
        self.assertEqual(self.other().execute("PRAGMA integrity_check").fetchone(), ("ok",))

    async def test_locked(self) -> None:
        """Another program holds the file's lock."""
        storage = self.begin()
        await storage.append("a", line("one"))
        other = self.other()
        other.execute("BEGIN IMMEDIATE")
        await self.fails(storage, "the database is locked")
        other.execute("ROLLBACK")
        await self.heals(storage)

    async def test_disk_full(self) -> None:
        """The disk is full: a file system of 1 MiB."""
        mount, umount = require("mount"), require("umount")
        if os.getuid() != 0:
            raise SkipTest("only root may mount a file system")
        folder = Path(tempfile.mkdtemp(prefix="meteor-full-"))
        self.addCleanup(folder.rmdir)
        subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
        self.addCleanup(lambda: subprocess.run([umount, "-l", folder], check=True))
        self.file = folder / "meteor.sqlite3"
        storage = self.begin()
        acked, failed = [(await storage.append("a", line("before"))).text], 0
        hog = folder / "hog"
        with contextlib.suppress(OSError), hog.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4_096)
        # Space that the database has already is used up first, and what it tidies up after a failure.
        for number in range(2_000):
            try:
                acked.append((await storage.append("a", line(f"{number} " + "x" * 2_000, cid=str(number)))).text)
                failed = 0
            except StorageError as error:
                self.assertEqual((error.text, error.unknown), ("the disk is full", False))
                failed += 1
            if failed == 10:
                break
        self.assertEqual(failed, 10, "the disk is never full")
        self.assertEqual(await self.texts(storage), acked)
        hog.unlink()
        await self.heals(storage)
        await storage.close()

    async def test_read_only(self) -> None:
        """The file may only be read: the server starts, shows what there is, and writes as soon as it may."""
        folder = Path(tempfile.mkdtemp(prefix="meteor-read-only-"))
        self.addCleanup(shutil.rmtree, folder)
        self.file = folder / "meteor.sqlite3"
        await self.begin().close()
        self.file.chmod(0o444)
        if os.getuid() == 0:  # who may write to any file
            folder.chmod(0o777)
            os.seteuid(65_534)
            self.addCleanup(os.seteuid, 0)
        storage = self.begin()
        await self.fails(storage, "the database is read-only")
        if os.getuid() == 0:
            os.seteuid(0)
        self.file.chmod(0o666)
        await self.heals(storage)
        await storage.close()

    async def test_damaged(self) -> None:
        """A file that is damaged, or no database, is told as that when it is read."""
        storage = self.begin()
        await storage.append("a", line("one"))
        await storage.close()
        self.file.write_bytes(b"x" * 8_192)
        with self.assertRaises(ConfigError) as raised:
            self.begin()
        self.assertIn("the file is no database", str(raised.exception))
