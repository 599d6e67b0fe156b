"""The server is killed while people talk: nothing that it acknowledged is lost, doubled or out of order.

The short form of `make torture-chat`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from benchmarks.chat.databases import Database, check_postgresql, check_sqlite, sqlite
from benchmarks.chat.kills import Plan, torture

from ..storage.postgresql import Cluster
from .chat_checker import Verdict

KILLS = 20


class KilledTests(TestCase):
    """Twenty people talk, ten lines a second each, and three listen all the time."""

    timeout = 400

    def test_nothing_is_lost(self) -> Deferred[None]:
        """SQLite, as it is by default: each kill is survived, and everybody is back each time."""

        def judge(verdict: Verdict) -> None:
            self.assertEqual(verdict.faults, [], verdict)
            self.assertEqual(verdict.kept, verdict.said)
            self.assertGreaterEqual(verdict.back, KILLS * 10)

        return deferToThread(self.run_with, KILLS).addCallback(judge)

    def test_a_server_that_keeps_nothing(self) -> Deferred[None]:
        """It is found out: what was acknowledged before a kill is gone."""
        memory = Database(("--database", "memory"), "", list)

        def judge(verdict: Verdict) -> None:
            self.assertTrue(any(fault.startswith("lost: talker") for fault in verdict.faults), verdict)

        return deferToThread(self.run_with, 2, memory).addCallback(judge)

    def run_with(self, kills: int, database: Database | None = None) -> Verdict:
        """Run; without a database, with SQLite in the server's data folder."""
        folder = Path(self.mktemp()).resolve()
        plan = Plan(kills, folder, busy=0.25)
        if database is not None:
            return torture(plan, database)
        with sqlite(folder / "data") as default:
            return torture(plan, default)


class CheckTests(SynchronousTestCase):
    """A database's look at itself."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir(parents=True)
        self.file = self.folder / "some.db"
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("CREATE TABLE t (a TEXT)")
            connection.execute("CREATE INDEX i ON t (a)")
            connection.executemany("INSERT INTO t VALUES (?)", [(f"{n:050d}",) for n in range(2_000)])
            connection.commit()

    def test_a_good_file(self) -> None:
        """Nothing is found."""
        self.assertEqual(check_sqlite(self.folder), [])

    def test_a_broken_file(self) -> None:
        """A page that was overwritten is found."""
        content = bytearray(self.file.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 2_000] = bytes(2_000)
        self.file.write_bytes(content)
        self.assertNotEqual(check_sqlite(self.folder), [])

    def test_no_file(self) -> None:
        """A server that kept nothing is no good one."""
        self.file.unlink()
        self.assertIn("there is no SQLite file", check_sqlite(self.folder)[0])

    def test_postgresql(self) -> None:
        """A good database has no faults; a page of a table or an index that was overwritten is one; so is an empty database."""
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        cluster.start()
        url = cluster.database()
        self.assertEqual(check_postgresql(cluster, url), ["there is no table in the database"])
        cluster.execute(
            "CREATE TABLE t (a text); CREATE INDEX i ON t (a); INSERT INTO t SELECT n FROM generate_series(1, 2000) n", url
        )
        self.assertEqual(check_postgresql(cluster, url), [])
        for relation in ("t", "i"):
            path = cluster.folder / "data" / cluster.execute(f"SELECT pg_relation_filepath('{relation}')", url)[0][0]
            cluster.stop()
            good = path.read_bytes()
            path.write_bytes(good[:8192] + bytes(8192 - 2000) + good[2 * 8192 - 2000 :])
            cluster.start()
            faults = check_postgresql(cluster, url)
            self.assertEqual([fault.partition(":")[0] for fault in faults][:1], [relation], faults)
            cluster.stop()
            path.write_bytes(good)
            cluster.start()
