"""Lines in SQLite."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from meteor_net.storage.sql import SqlStorage

from .conformance import StorageTests


class SqliteConformanceTests(StorageTests, TestCase):
    """What every storage promises."""

    async def begin(self) -> SqlStorage:
        folder = Path(self.mktemp()).absolute()
        storage = SqlStorage(f"sqlite:///{folder}/meteor.sqlite3", reactor)
        storage.start()
        return storage
