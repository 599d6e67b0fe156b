"""A PostgreSQL of the tests' own: a cluster in a folder under /tmp, reached by a socket in it, ended with the tests.

    cluster = shared()                     # started by the first who asks; ends with this process
    url = cluster.database()               # a new, empty database

A test that stops its server makes a `Cluster` of its own, and stops it in a cleanup.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.requirements import require

#: How long a server may take to come up or to end.
WAIT_S = 20
_names = count()


class Cluster:
    """A server with its data. Not started yet.

    Args:
        settings: Of the server, such as `fsync=off`.

    Attributes:
        folder: Its data, its log and its socket.
        programs: Where PostgreSQL's programs are.
    """

    def __init__(self, *settings: str) -> None:
        self._settings = [word for setting in settings for word in ("-c", setting)]
        initdb, self._postgres = require("initdb"), require("postgres")
        self.programs = Path(self._postgres).resolve().parent
        self.folder = Path(tempfile.mkdtemp(prefix="meteor-postgresql-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:  # which PostgreSQL refuses to run as
            user = _somebody()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        subprocess.run(
            [initdb, "-D", self.folder / "data", "-U", "meteor", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as,
        )  # fmt: skip

    def url(self, name: str = "postgres") -> str:
        """Where a database is."""
        return f"postgresql://meteor@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        data, socket = str(self.folder / "data"), str(self.folder)
        command = [self._postgres, "-D", data, "-k", socket, "-c", "listen_addresses=", *self._settings]
        with (self.folder / "log").open("ab") as log:
            self._process = process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as)
        end = time.monotonic() + WAIT_S
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: its clients are cut off. SIGQUIT lets it crash."""
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End the server, and remove all of it."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        """Make an empty database; answers its URL."""
        name = f"test{next(_names)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement: Any, url: str | None = None) -> list[Any]:
        """Do a statement, in a connection of its own; answers its rows."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@cache
def shared() -> Cluster:
    """The server that tests share, as long as this process runs."""
    cluster = Cluster("fsync=off", "full_page_writes=off")  # it need not outlive the machine
    atexit.register(cluster.remove)
    cluster.start()
    return cluster


def _somebody() -> pwd.struct_passwd:
    """A user that is not root: Debian's own for this, where it is."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
