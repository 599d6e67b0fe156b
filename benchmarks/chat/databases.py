"""The databases that a server keeps chat in: what it is told to use one, and how one looks at itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import DatabaseError
from psycopg.errors import FeatureNotSupported

from meteor_net.server.database import DATABASE_FILE
from tests.storage.postgresql import Cluster

_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_INDEXES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"


@dataclass(frozen=True)
class Database:
    """One database, of one server.

    Attributes:
        options: What the server is told.
        url: Where it is.
        check: Has the database look at itself, with the server gone; gives the faults, in words.
        pids: Its processes, if it has its own.
    """

    options: tuple[str, ...]
    url: str
    check: Callable[[], list[str]]
    pids: tuple[int, ...] = ()


def check_sqlite(folder: Path) -> list[str]:
    """Read all of the SQLite files of a folder, each of their pages and indexes."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    if not files:
        return [f"there is no SQLite file in {folder}"]
    faults = []
    for path in files:
        try:
            with closing(sqlite3.connect(path)) as connection:
                said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            said = [str(error)]
        faults += [f"{path.name}: {text}" for text in said if text != "ok"]
    return faults


def check_postgresql(cluster: Cluster, url: str) -> list[str]:
    """Read all tables and indexes of a database, by amcheck where the server has it."""
    tables = [str(row[0]) for row in cluster.execute(_TABLES, url)]
    indexes = [str(row[0]) for row in cluster.execute(_INDEXES, url)]
    if not tables:
        return ["there is no table in the database"]
    try:
        cluster.execute("CREATE EXTENSION IF NOT EXISTS amcheck", url)
    except FeatureNotSupported:  # what cannot be read is found all the same
        statements = {table: f"SELECT count(it::text) FROM {table} it" for table in tables}
    else:
        statements = {table: f"SELECT msg FROM verify_heapam('{table}')" for table in tables}
        statements |= {index: f"SELECT bt_index_check('{index}', true)" for index in indexes}
    faults = []
    for name, statement in statements.items():
        try:
            rows = cluster.execute(statement, url)
        except DatabaseError as error:
            faults.append(f"{name}: {error}")
        else:
            faults += [f"{name}: {row[0]}" for row in rows if "verify_heapam" in statement]
    return faults


def check_disk(folder: Path) -> None:
    """See that a folder is on a disk, where that can be told: in memory a flush costs nothing.

    Raises:
        RuntimeError: It is not.
    """
    mounts = Path("/proc/mounts")
    if not mounts.is_file():  # macOS
        return
    kinds = {Path(fields[1]): fields[2] for fields in map(str.split, mounts.read_text().splitlines())}
    place = next(parent for parent in [folder.resolve(), *folder.resolve().parents] if parent in kinds)
    if kinds[place] in ("tmpfs", "ramfs"):
        raise RuntimeError(f"{folder} is in memory ({place}): name a folder on a disk in TMPDIR")


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """SQLite in the server's data folder, as it is by default."""
    yield Database((), f"sqlite:///{folder / DATABASE_FILE}", lambda: check_sqlite(folder))


@contextmanager
def postgresql(folder: Path) -> Iterator[Database]:
    """A PostgreSQL of the benchmark's own, with the settings that it has by default: a commit is on the disk."""
    cluster = Cluster()
    try:
        cluster.start()
        url = cluster.database()
        pid = int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        yield Database(("--database", url), url, lambda: check_postgresql(cluster, url), (pid,))
    finally:
        cluster.remove()


DATABASES: dict[str, Callable[[Path], AbstractContextManager[Database]]] = {"sqlite": sqlite, "postgresql": postgresql}
