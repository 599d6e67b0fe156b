"""A server in a process of its own, on a free port of the loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

START_S = 20


class Server(NamedTuple):
    """Where it listens, and its process."""

    port: int
    pid: int


def part_cores(server: int) -> None:
    """Give the server's process a core to itself, and ours the others: neither moves, nor takes the other's caches."""
    if not hasattr(os, "sched_setaffinity"):  # macOS
        return
    cores = sorted(os.sched_getaffinity(server))
    if len(cores) > 1:
        os.sched_setaffinity(server, cores[:1])
        os.sched_setaffinity(0, cores[1:])


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """Start `twistd meteor`, wait until it listens, and end it afterwards.

    Args:
        options: More of its options.
    """
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile="]
    command += ["meteor", "--listen", f"tcp:{port}:interface=127.0.0.1", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(START_S * 20):
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            process.kill()
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start:\n{process.communicate()[0]}")
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
