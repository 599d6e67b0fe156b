"""Which names and pages are let in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.server.hosts import HostRules


class HostTests(SynchronousTestCase):
    """The `Host` of a request."""

    rules = HostRules(["game.example.org"])

    def test_on_loopback(self) -> None:
        """A connection of this machine may ask for this machine, with any port, and for the names that were allowed."""
        good = ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080", "game.example.org",
                "Game.Example.org.:443", "localhost."]  # fmt: skip
        bad = ["", "evil.com", "localhost.evil.com", "evil-localhost", "192.168.0.5", "game.example.org.evil.com",
               "127.0.0.1.nip.io", "localhost:x", "localhost:123456", "a b", "[::1", "::1", "user@localhost"]  # fmt: skip
        for host in good:
            self.assertTrue(self.rules.accepts_host([host], "127.0.0.1"), host)
        for host in bad:
            self.assertFalse(self.rules.accepts_host([host], "127.0.0.1"), host)

    def test_on_other_addresses(self) -> None:
        """From elsewhere every address will do, since a browser that says it went there; a name is no proof."""
        for local in ("192.168.0.5", "2001:db8::1"):
            for host in ("192.168.0.5:8080", "[2001:db8::1]", "10.1.2.3", "localhost", "game.example.org"):
                self.assertTrue(self.rules.accepts_host([host], local), host)
            for host in ("evil.com", "my-box", "192.168.0.5.evil.com", "999.1.1.1"):
                self.assertFalse(self.rules.accepts_host([host], local), host)

    def test_other_ways_to_say_loopback(self) -> None:
        """Whatever this machine calls its own end of a loopback connection, it is one; a UNIX socket is alike."""
        for local in ("::1", "127.0.0.1", "::ffff:127.0.0.1", "::1%lo", None, "not an address"):
            self.assertFalse(self.rules.accepts_host(["192.168.0.5"], local), local)

    def test_one_host(self) -> None:
        """A request with no host, or two, is refused."""
        self.assertFalse(self.rules.accepts_host([], "127.0.0.1"))
        self.assertFalse(self.rules.accepts_host(["localhost", "localhost"], "127.0.0.1"))


class OriginTests(SynchronousTestCase):
    """The `Origin` of a WebSocket."""

    rules = HostRules(origins=["https://pages.example.org", "http://localhost:3000"])

    def accepts(self, origin: str, host: str = "localhost:8080", secure: bool = False) -> bool:
        """Ask for one origin."""
        return self.rules.accepts_origin([origin], [host], secure)

    def test_no_browser(self) -> None:
        """A client that is no browser sends none, and is let in."""
        self.assertTrue(self.rules.accepts_origin([], ["localhost"], False))

    def test_same_host(self) -> None:
        """The server's own pages may connect; a usual port may be left out, and a proxy may add TLS."""
        self.assertTrue(self.accepts("http://localhost:8080"))
        self.assertTrue(self.accepts("http://game.example.org", "game.example.org:80"))
        self.assertTrue(self.accepts("https://game.example.org", "game.example.org"))
        self.assertTrue(self.accepts("https://localhost:8443", "localhost:8443", True))
        self.assertTrue(self.accepts("http://[::1]:8080", "[::1]:8080"))

    def test_listed(self) -> None:
        """An origin that the operator listed is let in, letter by letter."""
        self.assertTrue(self.accepts("https://pages.example.org"))
        self.assertTrue(self.accepts("http://localhost:3000"))
        for near in ("http://pages.example.org", "https://pages.example.org:444", "https://pages.example.org.evil.com",
                     "https://evil-pages.example.org", "https://pages.example.org/", "http://x"):  # fmt: skip
            self.assertFalse(self.accepts(near), near)

    def test_others(self) -> None:
        """Everything else is refused: other hosts and ports, `null`, local files, plain pages to a TLS server."""
        for origin in ("null", "", "*", "file://", "http://evil.com", "http://localhost", "http://localhost:8081",
                       "https://localhost", "http://localhost:8080.evil.com", "http://localhost:8080@evil.com",
                       "chrome-extension://abc", "http://127.0.0.1:8080", "localhost:8080"):  # fmt: skip
            self.assertFalse(self.accepts(origin), origin)
        self.assertFalse(self.accepts("http://localhost:8443", "localhost:8443", True))
        self.assertFalse(self.rules.accepts_origin(["http://localhost:8080"] * 2, ["localhost:8080"], False))
        self.assertFalse(self.rules.accepts_origin(["http://localhost:8080"], [], False))
