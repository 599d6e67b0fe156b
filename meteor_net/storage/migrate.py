"""Bringing a database's tables up to date. Alembic is imported only where there is something to do."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ..errors import ConfigError
from .tables import HEAD

#: A number of ours: of several servers that start at once on one PostgreSQL, one migrates, and the others wait.
_LOCK = 0x6D6574656F72


def revision(connection: Connection) -> str | None:
    """The revision of a database's tables; None of an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(connection: Connection) -> bool:
    """Do the steps that a database lacks, in the connection's transaction; tells whether there were any.

    Raises:
        ConfigError: The database is of a newer version of meteor_net.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if revision(connection) == HEAD:
        return False
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(f"its tables are of another version of meteor_net: {error}") from None
    return True
