"""What the page about the database says of PostgreSQL, done as it stands there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import pages
from tests.requirements import REPOSITORY

from . import postgresql

PAGE = REPOSITORY / "docs" / "howto" / "database.md"


class HowtoTests(SynchronousTestCase):
    """The blocks that the tests of all pages only look at, for they need a server."""

    def test_postgresql(self) -> None:
        """The commands work in their order: a database made, filled with tables, dumped and restored."""
        cluster = postgresql.Cluster("fsync=off")
        self.addCleanup(cluster.remove)
        cluster.start()
        folder = Path(self.mktemp())
        folder.mkdir()
        programs = [Path(sys.executable).parent, cluster.programs]
        environ = {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
            "PGHOST": str(cluster.folder),
            "PGUSER": "meteor",
        }
        commands = [
            command
            for block in pages.blocks(PAGE)
            if block.language == "console" and block.use == "shown"
            for command, _ in block.commands()
            if not command.startswith("pip ")
        ]
        self.assertEqual(len(commands), 7)
        done = subprocess.run(
            ["sh", "-ec", "\n".join(commands)],
            cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("ok: the tables in postgresql://game@/game are at revision 0001", done.stdout)
        self.assertIn("UPDATE 1", done.stdout)
