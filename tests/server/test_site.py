"""What there is on the port, and who may ask for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import meteor_net
from meteor_net.server.channel import CSP
from meteor_net.server.hosts import HostRules
from meteor_net.server.site import MAX_PLAIN, page_folder
from tests.server import talk
from tests.server.talk import ask, connect, make_site

UPGRADE = {"upgrade": "websocket", "connection": "Upgrade"}


class RoutesTests(SynchronousTestCase):
    """The paths."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.root.mkdir()
        (self.root / "index.html").write_text("mine")
        self.site = make_site(self.root, rules=HostRules(["game.example.org"], ["https://pages.example.org"]))

    def test_health(self) -> None:
        """/health tells how the server is, now."""
        response = ask(self.site, "/health")
        self.assertEqual(json.loads(response.body), {"status": "ok"})
        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(response.headers["cache-control"], "no-store")

    def test_browser_modules(self) -> None:
        """/meteor-net.js gives the face of the browser client, and /meteor-net/ its modules, whatever the page is."""
        face = ask(self.site, "/meteor-net.js")
        self.assertEqual(face.body, b'export * from "/meteor-net/meteor-net.js";\n')
        self.assertEqual(face.headers["content-type"], "text/javascript; charset=utf-8")
        module = ask(self.site, "/meteor-net/codec.js")
        self.assertEqual((module.status, module.headers["content-type"]), (200, "text/javascript; charset=utf-8"))
        self.assertEqual(ask(self.site, "/meteor-net/").status, 404)
        self.assertEqual(ask(self.site, "/meteor-net/../limits.py").status, 404)

    def test_page(self) -> None:
        """All else is the page's; an icon that it lacks is no error in a browser's console."""
        self.assertEqual(ask(self.site, "/").body, b"mine")
        self.assertEqual(ask(self.site, "/favicon.ico").status, 204)
        (self.root / "favicon.ico").write_bytes(b"icon")
        self.assertEqual(ask(self.site, "/favicon.ico").body, b"icon")

    def test_headers(self) -> None:
        """Every answer, errors too, has the headers that keep pages safe, and none that tells what runs here."""
        for path in ("/", "/absent", "/health", "/ws"):
            headers = ask(self.site, path).headers
            self.assertEqual(headers["content-security-policy"], CSP.decode())
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertNotIn("server", headers)

    def test_methods(self) -> None:
        """Only GET and HEAD are answered."""
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
            response = ask(self.site, "/", method)
            self.assertEqual((response.status, response.headers["allow"]), (405, "GET, HEAD"))
            self.assertNotIn(method.encode(), response.body)

    def test_odd_paths(self) -> None:
        """What is no path of ours is refused plainly."""
        self.assertEqual(ask(self.site, "http://evil.com/").status, 400)

    def test_hosts(self) -> None:
        """Every route is closed to names that are not the server's, and does not repeat them."""
        for path in ("/", "/health", "/meteor-net.js", "/meteor-net/codec.js", "/ws"):
            response = ask(self.site, path, host="evil.com")
            self.assertEqual(response.status, 403)
            self.assertNotIn(b"evil", response.body)
            self.assertEqual(response.headers["content-type"], "text/plain; charset=utf-8")
        self.assertEqual(ask(self.site, host="game.example.org").status, 200)
        self.assertEqual(ask(self.site, host="192.168.0.5").status, 403)
        self.assertEqual(ask(self.site, host="192.168.0.5", local="192.168.0.5").status, 200)

    def test_origins(self) -> None:
        """A page elsewhere gets no WebSocket; our own, a listed one, and programs do."""
        for origin in ("http://localhost:8080", "https://pages.example.org"):
            self.assertEqual(ask(self.site, "/ws", origin=origin, **UPGRADE).body, b"upgraded")
        self.assertEqual(ask(self.site, "/ws", **UPGRADE).body, b"upgraded")
        for origin in ("null", "http://evil.com", "http://localhost:3000"):
            response = ask(self.site, "/ws", origin=origin, **UPGRADE)
            self.assertEqual(response.status, 403)
            self.assertNotIn(origin.encode(), response.body)

    def test_websocket_needs_an_upgrade(self) -> None:
        """Asking /ws for a page tells what it is for."""
        response = ask(self.site, "/ws")
        self.assertEqual((response.status, response.headers["upgrade"]), (426, "websocket"))
        self.assertEqual(ask(self.site, "/ws", "HEAD", **UPGRADE).status, 426)


class PageTests(SynchronousTestCase):
    """Which folder is served at `/`."""

    def test_the_operators(self) -> None:
        """--site has the say."""
        self.assertEqual(page_folder("/somewhere", Paged), Path("/somewhere"))

    def test_the_games(self) -> None:
        """A game's page lies beside its module."""
        self.assertEqual(page_folder(None, Paged), Path(__file__).parent / "page")

    def test_the_plain_one(self) -> None:
        """A game without a page has the plain one."""
        plain = Path(meteor_net.__file__).parent / "browser" / "plain"
        self.assertEqual(page_folder(None, PageTests), plain)


class Paged:
    """A game with a page."""

    page = "page"


class MeteorSiteTests(SynchronousTestCase):
    """Connections that are of no WebSocket."""

    def setUp(self) -> None:
        self.site = make_site(Path("."), connections_per_address=3)

    def test_counts(self) -> None:
        """Open connections are counted, and no more once they are closed."""
        _, transport = connect(self.site)
        self.assertEqual(self.site.plain_connections, 1)
        transport.loseConnection()
        transport.protocol.connectionLost(None)
        self.assertEqual(self.site.plain_connections, 0)

    def test_too_many_of_one_address(self) -> None:
        """One address cannot take all; others are let in."""
        for _ in range(3):
            self.assertFalse(connect(self.site)[1].disconnecting)
        self.assertTrue(connect(self.site)[1].disconnecting)
        self.assertFalse(connect(self.site, peer="127.0.0.2")[1].disconnecting)

    def test_too_many(self) -> None:
        """All together are bounded, and so is the memory of heads half said."""
        self.patch(talk, "IPv4Address", lambda *args: Anywhere())
        for _ in range(MAX_PLAIN):
            connect(self.site)
        self.assertTrue(connect(self.site)[1].disconnecting)
        self.assertEqual(self.site.plain_connections, MAX_PLAIN)

    def test_close(self) -> None:
        """At the end all are cut."""
        transports = [connect(self.site)[1] for _ in range(3)]
        self.site.close()
        self.assertTrue(all(transport.disconnecting for transport in transports))

    def test_no_timers_no_log(self) -> None:
        """A site that nobody visits does nothing; answers are not logged; browsers are not led to HTTP/2."""
        site: Any = self.site
        site.doStart()
        self.assertEqual(site.reactor.getDelayedCalls(), [])
        site.doStop()
        self.assertEqual(site.acceptableProtocols(), [b"http/1.1"])


class Anywhere:
    """An address of its own each time."""

    @property
    def host(self) -> object:
        """Never the same."""
        return object()
