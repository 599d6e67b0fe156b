"""The steps lead to the tables that the package speaks of."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.storage import tables
from meteor_net.storage.migrate import migrate
from meteor_net.storage.sql import SqlStorage

from . import postgresql

MIGRATIONS = Path(tables.__file__).parent / "migrations"


class MigrationTests(SynchronousTestCase):
    """On each database."""

    def check(self, url: str) -> None:
        """Migrate an empty database; compare what came of it with the tables; a second time there is nothing to do."""
        storage = SqlStorage(url, reactor)
        storage.migrate()

        def differences(connection: Connection) -> list[object]:
            return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))

        self.assertEqual(storage._look(differences), [])
        self.assertFalse(storage._look(migrate))
        storage._dispose()

    def test_sqlite(self) -> None:
        """In SQLite."""
        self.check(f"sqlite:///{Path(self.mktemp()).absolute()}/meteor.sqlite3")

    def test_postgresql(self) -> None:
        """In PostgreSQL."""
        self.check(postgresql.shared().database())

    def test_head(self) -> None:
        """The newest step is the one that the package asks for."""
        self.assertEqual(ScriptDirectory(str(MIGRATIONS)).get_heads(), [tables.HEAD])
