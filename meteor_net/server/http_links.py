"""The way over HTTP for peers whose WebSockets are blocked: `POST /http`, and what is below it (wire page, clause 11)."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from twisted.internet.task import LoopingCall
from twisted.web import http

from .channel import plain
from .http_link import HEAD_BYTES, HttpLink

if TYPE_CHECKING:
    from .host import Host

#: Links that were opened, and that nobody listens to yet: they cost no connection, so strangers shall not have many.
MAX_UNHEARD = 1_000
#: Bytes of one request up.
BODY_BYTES = 64 * 1024
#: All links are looked after so often, in seconds.
LOOK_S = 1.0

_PATH = re.compile(rb"/http/(?P<id>[0-9a-f]{32})/(?P<verb>down|poll|up)")
_NUMBER = re.compile(r"[0-9]{1,15}")
_METHODS = {b"down": b"GET", b"poll": b"GET", b"up": b"POST"}


class HttpLinks:
    """The links of one process.

    Args:
        host: What they lead to.
        reactor: Gives the time.
        random: Source of their ids, which are secrets.

    Attributes:
        limits: The host's.
        counters: The host's: `http_opened` links, and of these `http_polling` those that could have no stream.
        unheard: Links to which nobody has listened yet.
    """

    def __init__(self, host: Host, reactor: Any, random: Random) -> None:
        self.limits = host.limits
        self.counters = host.counters
        self.seconds: Callable[[], float] = reactor.seconds
        self.call_later: Callable[..., object] = reactor.callLater
        self._host = host
        self._random = random
        self._links: dict[str, HttpLink] = {}
        self.unheard: set[HttpLink] = set()
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor

    def __len__(self) -> int:
        return len(self._links)

    def body_bytes(self, method: bytes, uri: bytes) -> int:
        """How large a body may be that is about to come; 0 for all that is no request up of a link."""
        match = _PATH.fullmatch(uri.partition(b"?")[0])
        if match is None or match["verb"] != b"up" or method != b"POST" or match["id"].decode() not in self._links:
            return 0
        return max(BODY_BYTES, HEAD_BYTES + self.limits.packet_in_bytes)

    def render(self, request: Any) -> Any:
        """Answer a request whose path is `/http` or below it."""
        request.setHeader(b"cache-control", b"no-store")
        match = _PATH.fullmatch(request.path)
        if match is None and request.path != b"/http":
            return plain(request, http.NOT_FOUND, "There is nothing.")
        method = _METHODS[match["verb"]] if match is not None else b"POST"
        if request.method != method:
            request.setHeader(b"allow", method)
            return plain(request, http.NOT_ALLOWED, f"Only {method.decode()} is answered here.")
        if match is None:
            return self._open(request)
        link = self._links.get(match["id"].decode())
        if link is None:
            return plain(request, http.NOT_FOUND, "That link is over, or never was.")
        if match["verb"] == b"down":
            return link.down(request)
        number = request.args.get(b"n", [b""])[0].decode("latin-1")
        if _NUMBER.fullmatch(number) is None:
            return plain(request, http.BAD_REQUEST, "Which one? ?n= numbers them, from 0.")
        return (link.poll if match["verb"] == b"poll" else link.up)(request, int(number))

    def _open(self, request: Any) -> bytes:
        address = getattr(request.getClientAddress(), "host", "local")
        full = self._host.full(address)
        if not full and len(self.unheard) >= MAX_UNHEARD:
            full = "too many others are coming in"
        if full:
            return plain(request, http.SERVICE_UNAVAILABLE, full)
        link = HttpLink(self, f"{self._random.getrandbits(128):032x}")
        link.connection = self._host.connected(link, address)
        self._links[link.id] = link
        self.unheard.add(link)
        self.counters["http_opened"] += 1
        if not self._looking.running:
            self._looking.start(LOOK_S, now=False)
        return plain(request, http.OK, link.id)

    def forget(self, link: HttpLink) -> None:
        """It is over."""
        del self._links[link.id]
        self.unheard.discard(link)
        if not self._links and self._looking.running:
            self._looking.stop()

    def _look(self) -> None:
        now = self.seconds()
        for link in list(self._links.values()):
            try:
                link.look(now)
            except Exception as error:  # ours: all others are looked after
                self._host.report("error", error, player=link.connection.name, verb="http")
