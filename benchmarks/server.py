"""A server in a process of its own, on a port of the loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

START_S, STOP_S = 60, 15


def part_cores(*servers: int) -> None:
    """Give the servers' processes a core to themselves, and ours the others: none moves, nor takes another's caches.

    Args:
        servers: Their ids. What they start from now on, threads and processes, stays there too.
    """
    if not hasattr(os, "sched_setaffinity"):  # macOS
        return
    cores = list(range(os.cpu_count() or 1))
    if len(cores) > 1:
        for server in servers:
            for thread in os.listdir(f"/proc/{server}/task"):
                os.sched_setaffinity(int(thread), cores[:1])
        os.sched_setaffinity(0, cores[1:])


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A command that serves at a port, and what it printed.

    Args:
        port: Where it will listen.
        command: Starts it.
        env: Its environment; None for ours.

    Attributes:
        port: See above.
    """

    def __init__(self, port: int, command: list[str], env: dict[str, str] | None = None) -> None:
        self.port = port
        # a file, not a pipe: a pipe that nobody reads is full some day, and the server stands still
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # closed when ended
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT, env=env)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def listens(self) -> bool:
        """Whether something takes connections at its port."""
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait(self) -> None:
        """Wait until it listens.

        Raises:
            RuntimeError: If it ends instead, or takes too long; with what it printed.
        """
        end = time.monotonic() + START_S
        while not self.listens():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server did not start:\n{self.kill()}")
            time.sleep(0.02)

    def kill(self) -> str:
        """End it by force, at once.

        Returns:
            What it printed.
        """
        self._process.kill()
        return self._gone()

    def stop(self) -> str:
        """Ask it to end, and end it by force if it does not.

        Returns:
            What it printed.
        """
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._gone()

    def _gone(self) -> str:
        self._process.wait()
        if self._log.closed:
            return ""
        self._log.seek(0)
        with self._log:
            return self._log.read()


def meteor(port: int, *options: str, env: dict[str, str] | None = None) -> Server:
    """Start `twistd meteor` at a port; it does not listen yet.

    Args:
        port: Where.
        options: More of its options.
        env: Its environment; None for ours.
    """
    command = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile="]
    return Server(port, [*command, "meteor", "--listen", f"tcp:{port}:interface=127.0.0.1", *options], env)


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """Start `twistd meteor`, wait until it listens, and end it afterwards.

    Args:
        options: More of its options.
    """
    server = meteor(free_port(), *options)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
