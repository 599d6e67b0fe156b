"""The databases that a server keeps chat in: what it is told to use one, and how one looks at itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path


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


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """SQLite in the server's data folder, as it is by default."""
    yield Database((), "", lambda: check_sqlite(folder))


DATABASES: dict[str, Callable[[Path], AbstractContextManager[Database]]] = {"sqlite": sqlite}
