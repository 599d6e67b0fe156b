"""Lines in PostgreSQL: what every storage promises, and what becomes of it when connections and the server go."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import Any

import psycopg
from twisted.internet import reactor
from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from meteor_net.errors import ConfigError, StorageError
from meteor_net.storage import writer
from meteor_net.storage.sql import SqlStorage
from tests.requirements import REPOSITORY

from . import postgresql
from .conformance import StorageTests, storage_error
from .cutting import CuttingProxy
from .model import NOTICE, line


class PostgresqlConformanceTests(StorageTests, TestCase):
    """What every storage promises."""

    async def begin(self) -> SqlStorage:
        storage = SqlStorage(postgresql.shared().database(), reactor)
        storage.start()
        return storage


class PostgresqlTests(TestCase):
    """Several servers, and connections that are lost."""

    def begin(self, cluster: postgresql.Cluster, url: str = "") -> SqlStorage:
        """Open a new database."""
        self.cluster = cluster
        self.url = url or cluster.database()
        storage = SqlStorage(self.url, reactor)
        storage.start()
        self.addCleanup(storage.close)
        return storage

    async def texts(self, storage: Any) -> list[str]:
        """All that is kept."""
        return [line.text for line in await storage.lines("a", -1, 10_000)]

    async def test_two_processes(self) -> None:
        """Two servers that write to one database have one order between them, without holes."""
        storage = self.begin(postgresql.shared())
        command = [sys.executable, "-m", "tests.storage.talker", self.url]
        talkers = [
            subprocess.Popen([*command, sender, "200", "20"], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
            for sender in ("ann", "bob")
        ]
        offsets = []
        for talker in talkers:
            shown, _ = await deferToThread(talker.communicate)
            self.assertEqual(talker.returncode, 0)
            offsets.append([int(offset) for offset in re.findall(r"^kept \d+ (\d+)$", shown, re.MULTILINE)])
            self.assertEqual(offsets[-1], sorted(offsets[-1]))
        self.assertEqual(sorted([*offsets[0], *offsets[1]]), list(range(400)))
        self.assertEqual(len(set(await self.texts(storage))), 400)
        self.assertEqual((await storage.open("a")).next, 400)

    async def test_started_together(self) -> None:
        """Of servers that start at once on an empty database one makes the tables, and all get the same epochs."""
        url = postgresql.shared().database()
        storages = [SqlStorage(url, reactor) for _ in range(4)]
        for result in await DeferredList([deferToThread(storage.start) for storage in storages]):
            self.assertTrue(result[0], result)
        places = [await storage.open("a") for storage in storages]
        self.assertEqual(len(set(places)), 1)
        for storage in storages:
            await storage.close()

    async def test_idle_connection_killed(self) -> None:
        """A connection that was lost while nothing was said is found again, without anybody noticing."""
        storage = self.begin(postgresql.shared())
        await storage.append("a", line("one"))
        self.kill("TRUE")
        self.assertEqual((await storage.append("a", line("two"))).offset, 1)
        self.assertEqual(await self.texts(storage), ["one", "two"])

    def kill(self, which: str) -> None:
        """Kill the server's side of connections."""
        self.cluster.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'meteor_net' "
            f"AND datname = '{self.url.partition('?')[0].rpartition('/')[2]}' AND {which}"
        )

    async def test_killed_in_a_batch(self) -> None:
        """A connection that is killed in the middle of a batch: the batch is done again, and every line is there once."""
        storage = self.begin(postgresql.shared())
        await storage.append("a", line("first"))
        with psycopg.connect(self.url) as other:
            other.execute("SELECT * FROM channels FOR UPDATE")
            said = [ensureDeferred(storage.append("a", line(str(number), "", NOTICE))) for number in range(20)]
            await self.until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            self.kill("wait_event_type = 'Lock'")
        self.assertEqual([(await one).offset for one in said], list(range(1, 21)))
        self.assertEqual(await self.texts(storage), ["first", *map(str, range(20))])

    async def until(self, query: Any) -> None:
        """Wait until a query answers something other than 0."""
        while not self.cluster.execute(query, self.url)[0][0]:
            await deferLater(reactor, 0.01)

    async def test_answer_of_a_commit_lost(self) -> None:
        """A commit was done and its answer lost: the batch is said again, and no line is there twice, notices neither."""
        proxy = CuttingProxy(postgresql.shared().folder)
        self.addCleanup(proxy.close)
        url = postgresql.shared().database()
        storage = self.begin(postgresql.shared(), url.replace(str(postgresql.shared().folder), str(proxy.folder)))
        await storage.append("a", line("one", cid="1"))
        proxy.cuts = 2
        said = [ensureDeferred(storage.append("a", one)) for one in (line("two", cid="2"), line("three", "", NOTICE))]
        self.assertEqual([(await one).offset for one in said], [1, 2])
        self.assertEqual(proxy.cuts, 0)
        self.assertEqual(await self.texts(storage), ["one", "two", "three"])

    async def test_nobody_knows(self) -> None:
        """Where it cannot be found out whether a commit was done, that is told; saying it again keeps one line."""
        self.patch(writer, "PATIENCE_S", 0.3)
        proxy = CuttingProxy(postgresql.shared().folder)
        self.addCleanup(proxy.close)
        url = postgresql.shared().database()
        storage = self.begin(postgresql.shared(), url.replace(str(postgresql.shared().folder), str(proxy.folder)))
        await storage.append("a", line("one", cid="1"))
        proxy.cuts = 1_000
        error = await storage_error(storage.append("a", line("two", cid="2")))
        self.assertEqual((error.text, error.unknown), ("the database cannot be reached", True))
        proxy.cuts = 0
        self.assertEqual((await storage.append("a", line("two", cid="2"))).offset, 1)
        self.assertEqual(await self.texts(storage), ["one", "two"])

    async def test_server_restarts(self) -> None:
        """The server goes in the middle, in order or by a crash, and comes back: what was acked is there, once, in order."""
        self.patch(writer, "PATIENCE_S", 0.3)
        cluster = postgresql.Cluster()
        self.addCleanup(cluster.remove)
        cluster.start()
        storage = self.begin(cluster)
        acked: dict[str, int] = {}
        failed: list[Any] = []
        said = 0
        for how in (signal.SIGINT, signal.SIGQUIT):
            talking = True

            async def talk() -> None:
                nonlocal said
                while talking:  # noqa: B023  # awaited below
                    said += 1
                    one = line(str(said), cid=str(said))
                    try:
                        acked[one.text] = (await storage.append("a", one)).offset
                    except StorageError as error:
                        failed.append((one, error))

            talkers = [ensureDeferred(talk()) for _ in range(5)]
            await deferLater(reactor, 0.2)
            cluster.stop(how)
            before = len(failed)
            while len(failed) < before + 5:
                await deferLater(reactor, 0.05)
            self.assertEqual((await storage_error(storage.open("a"))).text, "the database cannot be reached")
            await deferToThread(cluster.start)
            before = len(acked)
            while len(acked) < before + 20:
                await deferLater(reactor, 0.05)
            talking = False
            await DeferredList(talkers)
        self.assertEqual({error.text for _, error in failed}, {"the database cannot be reached"})
        for one, _ in failed:
            acked[one.text] = (await storage.append("a", one)).offset
        kept = {line.text: line.offset for line in await storage.lines("a", -1, 100_000)}
        self.assertEqual(kept, acked)
        self.assertEqual(sorted(kept.values()), list(range(said)))

    async def test_read_only(self) -> None:
        """A database that is read-only is told so; it heals by itself."""
        storage = self.begin(postgresql.shared())
        await storage.append("a", line("one"))
        name = self.url.partition("?")[0].rpartition("/")[2]
        self.cluster.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        self.kill("TRUE")
        error = await storage_error(storage.append("a", line("two")))
        self.assertEqual((error.text, error.unknown), ("the database is read-only", False))
        self.assertEqual(await self.texts(storage), ["one"])
        self.cluster.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        self.assertEqual((await storage.append("a", line("three"))).offset, 1)

    async def test_locked(self) -> None:
        """A lock that another one holds for too long is told; nothing is kept."""
        storage = self.begin(postgresql.shared())
        await storage.append("a", line("one"))
        with psycopg.connect(self.url) as other:
            other.execute("LOCK TABLE channels IN ACCESS EXCLUSIVE MODE")
            error = await storage_error(storage.append("a", line("two")))
            self.assertEqual((error.text, error.unknown), ("the database is locked", False))
        self.assertEqual((await storage.append("a", line("three"))).offset, 1)

    async def test_bad_line(self) -> None:
        """PostgreSQL takes no NUL in a text: that line fails, and those that were said with it are kept."""
        storage = self.begin(postgresql.shared())
        said = [ensureDeferred(storage.append("a", line(text))) for text in ("one", "t\0wo", "three")]
        self.assertEqual((await said[0]).offset, 0)
        error = await storage_error(said[1])
        self.assertIn("cannot be kept", error.text)
        self.assertEqual((await said[2]).offset, 1)

    def test_not_reached(self) -> None:
        """A server that is not there, a database that is not, are one line each that names no password."""
        cluster = postgresql.shared()
        for url, why in (
            (
                "postgresql://ann:hunter2@127.0.0.1:1/game",
                "postgresql://ann:***@127.0.0.1:1/game: the database cannot be reached",
            ),
            (cluster.url("nothing"), 'database "nothing" does not exist'),
            ("postgresql://ann:hunter2@127.0.0.1:port/game", "that is no URL of a database"),
        ):
            with self.assertRaises(ConfigError) as raised:
                SqlStorage(url, reactor).start()
            text = str(raised.exception)
            self.assertIn(why, text)
            self.assertNotIn("hunter2", text)
            self.assertNotIn("\n", text)
