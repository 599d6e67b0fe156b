"""One server with the demo, for all tests that do not end it; each has rooms of its own."""

from __future__ import annotations

import atexit
from functools import cache

from benchmarks.server import Server, free_port, meteor


@cache
def demo() -> Server:
    """Start it once; it ends with the tests."""
    server = meteor(free_port(), "--database", "memory")
    atexit.register(server.kill)
    server.wait()
    return server
