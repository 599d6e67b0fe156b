"""One site on one port: the WebSocket, the way over HTTP, the page, the browser modules, and how the server is."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.web import http, resource, server

from ..limits import Limits
from .channel import HEAD_S, Channel, MeteorRequest, Refusing, plain
from .files import Folder
from .hosts import HostRules
from .http_links import HttpLinks

#: Connections that have not said all of their head yet, or are of no WebSocket and no stream: 4,000 heads are 64 MiB.
MAX_PLAIN = 4_000

BROWSER = Path(__file__).parent.parent / "browser"
_FACE = b'export * from "/meteor-net/meteor-net.js";\n'
_JAVASCRIPT = b"text/javascript; charset=utf-8"


def page_folder(site: str | None, game: type[Any]) -> Path:
    """Find what is served at `/`: the operator's folder, the game's own page, or the plain one."""
    if site is not None:
        return Path(site)
    page = getattr(game, "page", None)
    if page is None:
        return BROWSER / "plain"
    return _home(game).joinpath(page)


def _home(game: type[Any]) -> Path:
    """Find the folder of the module that a game is in."""
    return Path(str(sys.modules[game.__module__].__file__)).parent


class Routes(resource.Resource):
    """What there is, and who may ask for it.

    Args:
        websocket: The resource that takes over a connection.
        health: What `/health` tells, made for each request.
        page: The folder at `/`.
        rules: Names and origins that are let in.
        links: The way over HTTP, below `/http`; None if there is none.
    """

    isLeaf = True

    def __init__(
        self, websocket: resource.IResource, health: Callable[[], Mapping[str, object]], page: Path, rules: HostRules,
        links: HttpLinks | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._websocket = websocket
        self._links = links
        self._health = health
        self._rules = rules
        self._page, self._browser = Folder(page), Folder(BROWSER)
        self._exact: dict[bytes, Callable[[Any], Any]] = {
            b"/ws": self._upgrade,
            b"/health": self._tell_health,
            b"/meteor-net.js": self._face,
        }

    def render(self, request: Any) -> Any:
        hosts = request.requestHeaders.getRawHeaders("host", [])
        if not self._rules.accepts_host(hosts, getattr(request.getHost(), "host", None)):
            text = "This server does not answer to that name. Its operator can allow it with --host NAME."
            return plain(request, http.FORBIDDEN, text)
        if self._links is not None and (request.path == b"/http" or request.path.startswith(b"/http/")):
            return self._http(request, self._links)
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            return plain(request, http.NOT_ALLOWED, "Only GET is answered here.")
        if (exact := self._exact.get(request.path)) is not None:
            return exact(request)
        if not request.path.startswith(b"/"):
            return plain(request, http.BAD_REQUEST, "That is no path.")
        first, *rest = request.postpath
        if first == b"meteor-net" and rest:
            return self._browser.answer(request, rest)
        if request.path == b"/favicon.ico" and self._page.find([first]) is None:
            request.setResponseCode(http.NO_CONTENT)  # browsers ask unasked, and show a 404 as an error
            return b""
        return self._page.answer(request, request.postpath)

    def _face(self, request: Any) -> bytes:
        request.setHeader(b"content-type", _JAVASCRIPT)
        return _FACE

    def _tell_health(self, request: Any) -> bytes:
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        over_http = {} if self._links is None else {"over_http": len(self._links)}
        return json.dumps({**self._health(), **over_http}).encode() + b"\n"

    def body_bytes(self, method: bytes, uri: bytes) -> int:
        """How large a body may be that is about to come."""
        return 0 if self._links is None else self._links.body_bytes(method, uri)

    def _http(self, request: Any, links: HttpLinks) -> Any:
        """Answer a peer that has no WebSocket, if the page it comes from may have one."""
        if refusal := self._refuse_origin(request):
            return refusal
        for origin in request.requestHeaders.getRawHeaders("origin", []):  # which may then read the answer
            request.setHeader(b"access-control-allow-origin", origin.encode())
            request.setHeader(b"vary", b"origin")
        return links.render(request)

    def _refuse_origin(self, request: Any) -> bytes:
        headers = request.requestHeaders
        origins, hosts = headers.getRawHeaders("origin", []), headers.getRawHeaders("host", [])
        if self._rules.accepts_origin(origins, hosts, request.isSecure()):
            return b""
        text = "Pages of that origin may not connect. The server's operator can allow it with --origin ORIGIN."
        return plain(request, http.FORBIDDEN, text)

    def _upgrade(self, request: Any) -> Any:
        """Hand the connection to a WebSocket, if the page it comes from may have one (wire page, 1.5)."""
        if (request.getHeader(b"upgrade") or b"").lower() != b"websocket" or request.method != b"GET":
            request.setHeader(b"upgrade", b"websocket")
            return plain(request, 426, "Here is a WebSocket.")
        if refusal := self._refuse_origin(request):
            return refusal
        channel = request.channel
        channel.release()
        answer = self._websocket.render(request)
        if channel.transport is None:
            channel.forget()
        return answer


class MeteorSite(server.Site):
    """The HTTP server in front of it all.

    Args:
        routes: What there is.
        limits: For the size of heads, and connections of one address.
        reactor: For timeouts.
    """

    protocol = cast(Any, Channel)
    noisy = False

    def __init__(self, routes: Routes, limits: Limits, reactor: Any) -> None:
        super().__init__(routes, MeteorRequest, timeout=HEAD_S, reactor=reactor, parsePOSTFormSubmission=False)
        self.head_bytes = limits.http_head_bytes
        self._per_address = limits.connections_per_address
        self._open: dict[Channel, object] = {}
        self._addresses: Counter[object] = Counter()

    @property
    def plain_connections(self) -> int:
        """Connections that are of no WebSocket and no stream (yet)."""
        return len(self._open)

    def body_bytes(self, method: bytes, uri: bytes) -> int:
        """How large a body may be that is about to come."""
        routes: Any = self.resource
        return int(routes.body_bytes(method, uri))

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the HTTP side of a connection; one too many is cut at once."""
        host = getattr(addr, "host", None)
        if len(self._open) >= MAX_PLAIN or self._addresses[host] >= self._per_address:
            return Refusing()
        channel: Channel = super().buildProtocol(addr)
        self._open[channel] = host
        self._addresses[host] += 1
        return channel

    def gone(self, channel: Channel) -> None:
        """A connection is closed, or a WebSocket's or a stream's now."""
        if channel in self._open:
            host = self._open.pop(channel)
            self._addresses[host] -= 1
            if not self._addresses[host]:
                del self._addresses[host]

    def close(self) -> None:
        """Close the connections that are of no WebSocket and no stream: these were told."""
        for channel in list(self._open):
            cast(ITCPTransport, channel.transport).abortConnection()

    def startFactory(self) -> None:
        """Leave out Twisted's access log, and the timer that keeps its date."""

    def stopFactory(self) -> None:
        """See `startFactory`."""

    def log(self, request: Any) -> None:
        """Log nothing of a request that was answered."""

    def acceptableProtocols(self) -> list[bytes]:
        """Keep to HTTP/1.1: a WebSocket cannot take over a connection of HTTP/2."""
        return [b"http/1.1"]
