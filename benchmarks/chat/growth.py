"""Does chat become slower as it grows? A page of history and a resume, with a million lines and with ten thousand.

Two servers run side by side, each with its own database, and are asked in turn by the same client: what disturbs one disturbs
the other. Pages are from random places, so that hardly one comes from memory; a resume comes from there, but the first after a
start, which is measured by itself.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from sqlalchemy import Connection, select, text
from twisted.internet.task import Clock

from meteor_net.interfaces import StoredLine
from meteor_net.messages import LineKind
from meteor_net.storage import tables
from meteor_net.storage.engine import make_engine, parse_url
from meteor_net.storage.sql import SqlStorage

from ..server import Server, free_port, meteor
from ..state.progress import say, shown
from .databases import DATABASES, Database
from .durable import OUT
from .hall import ROOM, configure
from .light import HISTORY, MeteorHearer, enter

SMALL, LARGE = 10_000, 1_000_000
PAGES, PAGE_LINES, RESTARTS, RESUMES, MISSED = 300, 50, 7, 20, 200

#: Rows of one statement.
PIECE = 10_000


def said(count: int) -> Iterator[StoredLine]:
    """Lines as if said over the last while, by fifty users; every tenth is a reaction to the one before."""
    begun = int(time.time() * 1000) - count
    for number in range(count):
        user = f"user-{number % 50}"
        text, kind, about = f"the quick brown fox jumps over the lazy dog, {number}", LineKind.TEXT, -1
        if number % 10 == 9:
            text, kind, about = "👍", LineKind.REACTION, number - 1
        yield StoredLine(number, begun + number, number, kind, user, user, text, str(number), about)


def fill(connection: Connection, channel: str, count: int) -> None:
    """Write lines into a channel that has none."""
    connection.execute(tables.channels.insert(), {"name": channel, "next": count})
    where = tables.channels.c.name == channel
    number = connection.execute(select(tables.channels.c.id).where(where)).scalar_one()
    lines = said(count)
    while piece := list(islice(lines, PIECE)):
        connection.execute(tables.lines.insert(), [tables.to_row(line, number, line.offset, f"={line.cid}") for line in piece])
        reactions = [
            {"channel": number, "about": line.about, "emoji": line.text, "user": line.sender, "place": line.offset}
            for line in piece
            if line.kind is LineKind.REACTION
        ]
        connection.execute(tables.reactions.insert(), reactions)


class Grown:
    """A server whose room has seen many lines.

    Args:
        folder: Of its data.
        database: Where lines are kept.
        count: How many.
    """

    def __init__(self, folder: Path, database: Database, count: int) -> None:
        self._options = [*configure(folder), *database.options]
        self._count = count
        self.server: Server | None = None
        #: What one holds who missed some lines.
        self._place: tuple[str, list[int]] | None = None
        SqlStorage(database.url, Clock()).migrate()
        engine = make_engine(parse_url(database.url), writes=True)
        with engine.begin() as connection:
            connection.execute(text("SET statement_timeout = 0" if "postgres" in database.url else "SELECT 1"))
            fill(connection, ROOM, count)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        engine.dispose()
        self.restart()

    def restart(self) -> None:
        """Start the server anew."""
        self.stop()
        self.server = meteor(free_port(), *self._options)
        self.server.wait()

    def stop(self) -> None:
        """End it."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    async def enter(self) -> MeteorHearer:
        """Let a newcomer in.

        Raises:
            ConnectionError: If the channel has not as many lines as it should.
        """
        assert self.server is not None
        reader = await enter(MeteorHearer("reader", lambda _: None), self.server.port)
        if reader.channel[3] < self._count:
            raise ConnectionError(f"the channel has {reader.channel[3]} lines; {self._count} were written")
        return reader

    async def resume(self) -> float:
        """Come back as one who missed lines.

        Returns:
            Seconds from JOIN to HISTORY.

        Raises:
            ConnectionError: If it is not what was missed.
        """
        assert self.server is not None
        if self._place is None:
            newcomer = await self.enter()
            _, name, epoch, following = newcomer.channel
            newcomer.leave()
            self._place = (name, [epoch, following - 1 - MISSED])
        back = _Returning("reader", lambda _: None)
        back.place = self._place
        answer = back.answer(HISTORY)
        await enter(back, self.server.port)
        history = await asyncio.wait_for(answer, 20)
        took = time.perf_counter() - back.asked
        back.leave()
        if history[4] or len(history[5]) != MISSED:
            raise ConnectionError(f"{len(history[5])} of {MISSED} lines came, gap: {history[4]}")
        return took


class _Returning(MeteorHearer):
    """Notes when it asks for its room; takes the history that comes with it."""

    asked = 0.0

    def join(self) -> None:
        """Ask."""
        super().join()
        self.asked = time.perf_counter()


async def pages(grown: list[Grown]) -> list[list[float]]:
    """Read pages at random places, of each server in turn; seconds of each."""
    random = Random(1)
    readers = [await each.enter() for each in grown]
    took: list[list[float]] = [[] for _ in grown]
    for _ in shown(range(PAGES), "pages"):
        for reader, seconds in zip(readers, took, strict=True):
            before = random.randrange(PAGE_LINES * 2, reader.channel[3])
            began = time.perf_counter()
            lines = await reader.page(before, PAGE_LINES)
            seconds.append(time.perf_counter() - began)
            if len(lines) != PAGE_LINES:
                raise ConnectionError(f"a page of {len(lines)} lines; {PAGE_LINES} were asked for")
    for reader in readers:
        reader.leave()
    return took


async def resumes(grown: list[Grown], count: int, first: int = 0) -> list[list[float]]:
    """Come back to each server in turn, beginning with the `first`; seconds of each."""
    took: list[list[float]] = [[] for _ in grown]
    for number in range(count * len(grown)):
        place = (first + number) % len(grown)
        took[place].append(await grown[place].resume())
    return took


@contextmanager
def both(name: str) -> Iterator[list[Grown]]:
    """Run the two servers of one database."""
    OUT.mkdir(exist_ok=True)
    with ExitStack() as stack:
        grown = []
        for count in (SMALL, LARGE):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=OUT)))
            database = stack.enter_context(DATABASES[name](folder / "data"))
            grown.append(Grown(folder, database, count))
            stack.callback(grown[-1].stop)
        yield grown


def compare(what: str, took: list[list[float]]) -> float:
    """Tell how much longer it takes with many lines."""
    small, large = (median(seconds) * 1000 for seconds in took)
    say(f"  {what}: {small:.2f} ms with {SMALL:,} lines, {large:.2f} ms with {LARGE:,}; {large / small:.2f} times as long")
    return large / small


def measure() -> dict[str, float]:
    """Compare with each database; the worst counts.

    Raises:
        ConnectionError: What was asked for did not come.
    """
    ratios = []
    for name in DATABASES:
        say(f"growth, {name}: {PAGES} pages of {PAGE_LINES} lines at random places; resumes after {MISSED} missed lines")
        with both(name) as grown:
            ratios.append(compare("a page", asyncio.run(pages(grown))))
            ratios.append(compare("a resume", asyncio.run(resumes(grown, RESUMES))))
            first: list[list[float]] = [[], []]
            for number in shown(range(RESTARTS), "restarts"):
                for each in grown:
                    each.restart()
                for seconds, more in zip(first, asyncio.run(resumes(grown, 1, number)), strict=True):
                    seconds += more
            ratios.append(compare("the first resume after a start", first))
    return {"chat-growth": max(ratios)}
