"""Old lines go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from meteor_net.storage import retention
from meteor_net.storage.cache import CachedStorage
from meteor_net.storage.retention import LATER_S, SOON_S, Retention
from meteor_net.storage.sql import SqlStorage

from . import postgresql
from .model import EDIT, REACTION, line

DAY_MS = 24 * 3600 * 1000
#: The day on which it is looked.
TODAY = 100


class RetentionCase:
    """Lines of several days, on each database."""

    storage: SqlStorage
    assertEqual: Any
    patch: Any

    def setUp(self) -> None:
        self.storage = SqlStorage(self.make(), reactor)
        self.storage.start()

    def tearDown(self) -> Any:
        return self.storage.close()

    def make(self) -> str:
        """Where there is an empty database."""
        raise NotImplementedError

    async def say(self, *days: float, channel: str = "a") -> None:
        """Say a line on each of these days."""
        for day in days:
            await self.storage.append(channel, line(f"{day:g}", time=int(day * DAY_MS), cid=f"{day:g}"))

    def look(self, days: int | None = None, lines: int | None = None, rule: Retention | None = None) -> float:
        """Let lines go, a piece; answers what the rule did."""
        self.rule = rule or Retention(days, lines, lambda: TODAY * DAY_MS / 1000)
        with self.storage._writes.begin() as connection:
            rest = self.rule(connection)
        self.rule.committed()
        return rest

    async def days(self, channel: str = "a") -> list[float]:
        """Of which days lines are left."""
        return [round(line.time / DAY_MS, 1) for line in await self.storage.lines(channel, -1, 1_000)]

    async def test_by_age(self) -> None:
        """Lines that are too old go; offsets and epoch stay, and so does what is younger."""
        await self.say(10, 89.9, 90.1, 100)
        await self.say(5, channel="b")
        place = await self.storage.open("a")
        self.assertEqual(self.look(days=10), LATER_S)
        self.assertEqual((await self.days(), await self.days("b"), self.rule.pruned), ([90.1, 100], [], 3))
        self.assertEqual([line.offset for line in await self.storage.lines("a", -1, 9)], [2, 3])
        self.assertEqual(await self.storage.open("a"), place)
        self.assertEqual((await self.storage.append("b", line())).offset, 1)

    async def test_by_count(self) -> None:
        """All but the newest go, unless they are younger than a day: for so long a resend must be known."""
        await self.say(10, 11, 12, 13)
        await self.say(10, 11, 99.1, 99.2, 99.3, channel="b")
        await self.say(10, channel="c")
        self.assertEqual(self.look(lines=2), LATER_S)
        self.assertEqual([await self.days(channel) for channel in "abc"], [[12, 13], [99.1, 99.2, 99.3], [10]])
        self.assertEqual((await self.storage.append("b", line("again", cid="99.1"))).offset, 2)

    async def test_in_pieces(self) -> None:
        """A few at a time; the next piece comes soon, until there is no more."""
        await self.say(*range(1, 8))
        await self.say(*range(1, 8), channel="b")
        rule = Retention(None, 2, lambda: TODAY * DAY_MS / 1000)
        rule._piece = 3
        answers = [self.look(rule=rule) for _ in range(6)]
        self.assertEqual(answers[-1], LATER_S)
        self.assertEqual(set(answers[:3]), {SOON_S})
        self.assertEqual([await self.days(), await self.days("b"), rule.pruned], [[6, 7], [6, 7], 10])
        rule = Retention(1, 1, lambda: TODAY * DAY_MS / 1000)
        rule._piece = 3
        self.assertEqual([self.look(rule=rule) for _ in range(3)], [SOON_S, LATER_S, LATER_S])
        self.assertEqual(await self.days(), [])

    async def test_many_channels(self) -> None:
        """Channels are looked at a few at a time, and again in the next round."""
        self.patch(retention, "CHANNELS", 2)
        for channel in "abc":
            await self.say(10, 11, channel=channel)
        rule = Retention(None, 1, lambda: TODAY * DAY_MS / 1000)
        self.assertEqual([self.look(rule=rule) for _ in range(2)], [SOON_S, LATER_S])
        self.assertEqual(rule.pruned, 3)
        await self.say(12)
        self.assertEqual([self.look(rule=rule) for _ in range(2)], [SOON_S, LATER_S])
        self.assertEqual(await self.days(), [12])

    async def test_reactions_go_with_their_line(self) -> None:
        """Who reacted to a line that went is not kept, and what changed it is a line like others."""
        await self.say(1, 99.5)
        await self.storage.append("a", line("👍", kind=REACTION, about=0, time=100 * DAY_MS))
        await self.storage.append("a", line("x", kind=EDIT, about=0, time=100 * DAY_MS))
        self.look(days=10)
        with self.storage._reads.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("SELECT count(*) FROM reactions").scalar(), 0)
        self.assertEqual([line.offset for line in await self.storage.lines("a", -1, 9)], [1, 2, 3])


class SqliteRetentionTests(RetentionCase, TestCase):
    """In SQLite."""

    def make(self) -> str:
        return f"sqlite:///{Path(self.mktemp()).absolute()}/meteor.sqlite3"


class PostgresqlRetentionTests(RetentionCase, TestCase):
    """In PostgreSQL."""

    def make(self) -> str:
        return postgresql.shared().database()


class ChoreTests(TestCase):
    """The writer does it when it has nothing else to do."""

    async def test_done(self) -> None:
        """Old lines go by themselves, in the cache too."""
        file = Path(self.mktemp()).absolute() / "meteor.sqlite3"
        before = SqlStorage(f"sqlite:///{file}", reactor)
        before.start()
        for number in range(3):
            await before.append("a", line(str(number), time=number * DAY_MS))
        await before.close()
        storage = SqlStorage(f"sqlite:///{file}", reactor, keep_days=1)
        self.addCleanup(storage.close)
        cache = CachedStorage(storage)
        storage.migrate()
        storage._started = True
        storage._pool.start()
        self.assertEqual(len(await cache.lines("a", -1, 9)), 3)
        storage._writer.start()
        while not storage.pruned:
            await deferLater(reactor, 0.01)
        self.assertEqual(storage.counters["pruned"], 3)
        self.assertEqual(await cache.lines("a", -1, 9), [])
        self.assertEqual((await cache.append("a", line())).offset, 3)

    async def test_not_possible(self) -> None:
        """Where that fails, it is counted and tried later; lines are kept meanwhile."""
        storage = SqlStorage(f"sqlite:///{Path(self.mktemp()).absolute()}/meteor.sqlite3", reactor, keep_days=1)
        storage.migrate()
        with storage._writes.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE lines RENAME TO other")
        storage.start()
        self.addCleanup(storage.close)
        while not storage.counters.get("troubles"):
            await deferLater(reactor, 0.01)
        with storage._reads.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE other RENAME TO lines")
        self.assertEqual((await storage.append("a", line())).offset, 0)
