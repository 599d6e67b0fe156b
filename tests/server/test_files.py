"""Files for browsers."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.server.talk import Response, ask, make_site, read, start


class FolderTests(SynchronousTestCase):
    """An author's folder at `/`."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp()) / "page"
        (self.root / "art").mkdir(parents=True)
        for name, content in {
            "index.html": b"<h1>hi</h1>", "game.js": b"0", "art/sea.png": b"png", "art/index.html": b"art",
            ".env": b"secret", "odd.thing": b"?", "caf\xe9.txt": b"warm",
        }.items():  # fmt: skip
            (self.root / name).write_bytes(content)
        (self.root.parent / "outside.txt").write_bytes(b"outside")
        self.site = make_site(self.root)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Response:
        """Ask for a path."""
        return ask(self.site, path, method, **headers)

    def test_pages_and_types(self) -> None:
        """A folder's own page is its index.html, and every file has the type that browsers want."""
        for path, kind, body in (
            ("/", "text/html; charset=utf-8", b"<h1>hi</h1>"),
            ("/game.js", "text/javascript; charset=utf-8", b"0"),
            ("/game.js?v=2", "text/javascript; charset=utf-8", b"0"),
            ("/art/sea.png", "image/png", b"png"),
            ("/art/", "text/html; charset=utf-8", b"art"),
            ("/odd.thing", "application/octet-stream", b"?"),
            ("/caf%C3%A9.txt", "text/plain; charset=utf-8", b"warm"),
        ):
            response = self.ask(path)
            self.assertEqual((response.status, response.headers["content-type"], response.body), (200, kind, body))
            self.assertEqual(response.headers["content-length"], str(len(body)))

    def test_folder_without_slash(self) -> None:
        """A folder is sent on to its own address, never to another host's."""
        response = self.ask("/art")
        self.assertEqual((response.status, response.headers["location"]), (301, "/art/"))

    def test_nothing_there(self) -> None:
        """Hidden files, files outside, folders without a page and odd paths are not there; nothing is told back."""
        (self.root / "empty").mkdir()
        (self.root / "link.txt").symlink_to(self.root.parent / "outside.txt")
        for path in ("/absent", "/.env", "/art/../.env", "/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt",
                     "/art%2fsea.png", "/art//sea.png", "//art/sea.png", "/game.js/", "/game.js/x", "/empty/", "/link.txt",
                     "/%00", "/%ff", "/%5c..", "/" + "x" * 300, "/art%2f..%2f.env"):  # fmt: skip
            response = self.ask(path)
            self.assertEqual((response.status, response.body), (404, b"There is nothing here.\n"), path)

    def test_unreadable(self) -> None:
        """A file that goes between looking and opening is not there."""
        self.patch(Path, "exists", lambda self: True)
        self.assertEqual(self.ask("/absent").status, 404)

    def test_edits_are_seen(self) -> None:
        """A browser asks each time, and gets the file again only when it has changed, be it in the same second."""
        first = self.ask("/game.js")
        self.assertEqual(first.headers["cache-control"], "no-cache")
        tag = first.headers["etag"]
        again = self.ask("/game.js", if_none_match=tag)
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertNotIn("last-modified", first.headers)
        stamp = os.stat(self.root / "game.js").st_mtime_ns
        (self.root / "game.js").write_bytes(b"1")
        os.utime(self.root / "game.js", ns=(stamp, stamp + 1))
        self.assertEqual(self.ask("/game.js", if_none_match=tag).body, b"1")

    def test_head(self) -> None:
        """HEAD tells the size without the content."""
        response = self.ask("/index.html", "HEAD")
        self.assertEqual((response.status, response.headers["content-length"], response.body), (200, "11", b""))


class LargeFileTests(TestCase):
    """Sounds and films."""

    def setUp(self) -> None:
        root = Path(self.mktemp())
        root.mkdir()
        self.content = bytes(range(256)) * 2_000
        (root / "big.ogg").write_bytes(self.content)
        self.site = make_site(root)

    async def ask(self, method: str = "GET", **headers: str) -> Response:
        """Ask for the file, and take the pieces as they come."""
        channel, transport = start(self.site, "/big.ogg", method, **headers)
        while channel.requests:
            await deferLater(reactor, 0)
        return read(transport)

    async def test_whole(self) -> None:
        """A large file is sent in pieces."""
        response = await self.ask()
        self.assertEqual((response.status, response.body), (200, self.content))
        self.assertEqual(response.headers["content-type"], "audio/ogg")

    async def test_head(self) -> None:
        """HEAD tells the size without the content."""
        response = await self.ask("HEAD")
        self.assertEqual((response.status, response.headers["content-length"], response.body), (200, "512000", b""))

    async def test_range(self) -> None:
        """A range is sent alone."""
        response = await self.ask(range="bytes=10-19")
        self.assertEqual((response.status, response.body), (206, self.content[10:20]))
        self.assertEqual(response.headers["content-range"], "bytes 10-19/512000")
        self.assertEqual((await self.ask(range="bytes=512000-")).status, 416)

    async def test_many_ranges(self) -> None:
        """Many ranges at once, an old attack, are sent as the whole."""
        response = await self.ask(range="bytes=0-,0-,0-")
        self.assertEqual((response.status, response.body), (200, self.content))
