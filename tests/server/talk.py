"""HTTP spoken with a site in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import IResource, Resource

from meteor_net.limits import Limits
from meteor_net.server.hosts import HostRules
from meteor_net.server.site import MeteorSite, Routes


class Response(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class Upgrade(Resource):
    """Stands for the WebSocket; answers as plain HTTP that it was asked."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        """Answer."""
        return b"upgraded"


def make_site(
    page: Path,
    websocket: IResource | None = None,
    rules: HostRules | None = None,
    health: Callable[[], Mapping[str, object]] = lambda: {"status": "ok"},
    **limits: int,
) -> MeteorSite:
    """Make a site with a clock of its own, `site.reactor`."""
    routes = Routes(websocket or Upgrade(), health, page, rules or HostRules())
    return MeteorSite(routes, Limits(**limits), Clock())


def connect(site: MeteorSite, local: str = "127.0.0.1", peer: str = "127.0.0.1") -> tuple[Any, Any]:
    """Open a connection: (channel, transport)."""
    address = IPv4Address("TCP", peer, 50_000)
    channel = site.buildProtocol(address)
    transport: Any = cast(Any, StringTransport)(IPv4Address("TCP", local, 8080), address)
    transport.protocol = channel
    channel.makeConnection(transport)
    return channel, transport


def start(site: MeteorSite, path: str, method: str, local: str = "127.0.0.1", **headers: str) -> tuple[Any, Any]:
    """Ask for something on a new connection: (channel, transport)."""
    channel, transport = connect(site, local)
    head = {"host": "localhost:8080"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    channel.dataReceived("\r\n".join(lines).encode())
    return channel, transport


def ask(site: MeteorSite, path: str = "/", method: str = "GET", local: str = "127.0.0.1", **headers: str) -> Response:
    """Ask for something on a new connection; underscores in the names of headers are dashes."""
    return read(start(site, path, method, local, **headers)[1])


def read(transport: Any) -> Response:
    """Read a response."""
    head, _, body = transport.value().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return Response(int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}, body)
