"""Connections to a database, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from typing import Any, NamedTuple

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..errors import ConfigError

#: How long SQLite waits for a lock that another connection holds.
BUSY_S = 2.0
#: How long a connection to PostgreSQL may take to be made.
CONNECT_S = 2
#: How long PostgreSQL waits for a lock; and how long it may work on one statement.
_POSTGRESQL = f"SET lock_timeout = {int(BUSY_S * 1000)}; SET statement_timeout = 10000"
#: Connections that read.
READERS = 4


class Trouble(NamedTuple):
    """What went wrong with a database.

    Attributes:
        text: For operators and players.
        whole: It is so for every line, not for one of them.
        lost: The connection is gone; another may do.
        unsure: If it happened in a commit, nobody knows whether that was done.
    """

    text: str
    whole: bool = True
    lost: bool = False
    unsure: bool = False


def parse_url(text: str) -> URL:
    """Read `sqlite:///path` or `postgresql://…`.

    Raises:
        ConfigError: It is neither, or psycopg is not installed.
    """
    kind, _, rest = text.partition(":///")
    if kind == "sqlite":  # the rest is a path, whatever is in it
        return URL.create("sqlite", database=rest)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # whose text holds the password
        raise ConfigError("that is no URL of a database: postgresql://user@host/name") from None
    if url.drivername not in {"postgresql", "postgres"}:
        raise ConfigError(f"{url.drivername} is no database that is known here: sqlite or postgresql")
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise ConfigError("PostgreSQL needs psycopg: pip install 'meteor-net[postgresql]'") from None
    return url.set(drivername="postgresql+psycopg")


def make_engine(url: URL, *, writes: bool) -> Engine:
    """Make what opens connections when they are needed: one that writes, or several that read."""
    size = {"pool_size": 1 if writes else READERS, "max_overflow": 0, "pool_timeout": CONNECT_S}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_S, "check_same_thread": False}, **size)
        event.listen(engine, "connect", _open_sqlite)
        # A transaction that reads first and writes then could be refused in the middle: the lock is taken at once.
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine
    arguments = {"connect_timeout": CONNECT_S, "tcp_user_timeout": 5_000, "application_name": "meteor_net"}
    engine = create_engine(
        url, connect_args=arguments, pool_pre_ping=True, **size,
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
    )  # fmt: skip
    event.listen(engine, "connect", _open_postgresql)
    return engine


def _open_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # a commit is on the disk when it is told: the howto of the database says why
        "foreign_keys = ON",
        "secure_delete = FAST",  # what was erased is not left in the file
    ):
        connection.execute(f"PRAGMA {pragma}")


def _open_postgresql(connection: Any, record: object) -> None:
    connection.execute(_POSTGRESQL)
    connection.commit()


_SQLITE = {
    sqlite3.SQLITE_FULL: Trouble("the disk is full"),
    sqlite3.SQLITE_READONLY: Trouble("the database is read-only"),
    sqlite3.SQLITE_PERM: Trouble("the database may not be opened"),
    sqlite3.SQLITE_AUTH: Trouble("the database may not be opened"),
    sqlite3.SQLITE_BUSY: Trouble("the database is locked"),
    sqlite3.SQLITE_LOCKED: Trouble("the database is locked"),
    sqlite3.SQLITE_CANTOPEN: Trouble("the database cannot be opened"),
    sqlite3.SQLITE_IOERR: Trouble("the disk fails", unsure=True),
    sqlite3.SQLITE_CORRUPT: Trouble("the database is damaged"),
    sqlite3.SQLITE_NOTADB: Trouble("the file is no database"),
    sqlite3.SQLITE_PROTOCOL: Trouble("the database is locked"),
}

#: By SQLSTATE, or its first two characters.
_POSTGRESQL_STATES = {
    "53100": Trouble("the disk is full"),
    "25006": Trouble("the database is read-only"),
    "55P03": Trouble("the database is locked"),
    "57014": Trouble("the database is busy"),
    "53": Trouble("the database is busy"),
    "42501": Trouble("the database may not be written to"),
    "58": Trouble("the disk fails"),
    "XX": Trouble("the database is damaged"),
}
_LOST = Trouble("the database cannot be reached", lost=True, unsure=True)


def explain(error: BaseException) -> Trouble:
    """Tell what an error of a database means."""
    if isinstance(error, PoolTimeout):
        return Trouble("the database is busy")
    if not isinstance(error, DBAPIError) or error.orig is None:
        return Trouble(f"the line cannot be kept: {type(error).__name__}", whole=False)
    cause: Any = error.orig
    if isinstance(cause, sqlite3.Error):
        return _explain_sqlite(cause)
    state = getattr(cause, "sqlstate", None) or ""
    known = _POSTGRESQL_STATES.get(state) or _POSTGRESQL_STATES.get(state[:2])
    if known is not None:
        return known
    if error.connection_invalidated or state[:2] in {"08", "57"} or (not state and isinstance(error.orig, _operational())):
        return _LOST
    return Trouble(f"the line cannot be kept: {type(cause).__name__}", whole=False)


def _explain_sqlite(error: sqlite3.Error) -> Trouble:
    # Extended codes have the plain one in their lowest byte.
    code = getattr(error, "sqlite_errorcode", 0)
    known = _SQLITE.get(code & 0xFF)
    return known or Trouble(f"the line cannot be kept: {error}", whole=False)


def _operational() -> type[Exception]:
    import psycopg

    return psycopg.OperationalError


def shown(url: URL) -> str:
    """Where data lies, without a password."""
    if url.get_backend_name() == "sqlite":
        return os.path.abspath(url.database or "")
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
