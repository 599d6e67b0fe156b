"""Ports of the loopback, for servers that are told where to listen."""

import socket
from contextlib import closing


def free_port() -> str:
    """Name a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def listens(port: str) -> bool:
    """Tell whether something takes connections at the port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0
