"""Files of a folder for browsers: right types, no lists of folders, nothing hidden, edits seen at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from twisted.web import http, static
from twisted.web.server import NOT_DONE_YET

from .channel import plain

#: Not Python's `mimetypes`, which asks the machine: browsers refuse a script of a wrong type.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
}

#: A file up to this size is sent whole; of a larger one no more than a piece is in memory.
WHOLE_BYTES = 256 * 1024


class Folder:
    """A folder that is served.

    Args:
        root: Where its files are; links that lead out of it are not followed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def find(self, segments: list[bytes]) -> Path | None:
        """Find what a path names: a file, a folder, or nothing.

        Args:
            segments: The parts of the path between slashes, unquoted; the last is empty for a folder's own page.
        """
        *folders, last = segments
        try:
            names = [segment.decode() for segment in (*folders, last or b"index.html")]
        except UnicodeDecodeError:
            return None
        if any(not name or name[0] == "." or set(name) & set("/\\\0") for name in names):
            return None
        try:
            path = self.root.joinpath(*names).resolve()
            return path if path.is_relative_to(self.root) and path.exists() else None
        except OSError:  # a name too long, a folder that may not be read
            return None

    def answer(self, request: Any, segments: list[bytes]) -> Any:
        """Answer a GET or HEAD request; as `Resource.render` does."""
        path = self.find(segments)
        if path is None:
            return plain(request, http.NOT_FOUND, "There is nothing here.")
        if path.is_dir():
            request.setHeader(b"location", b"/" + b"/".join(quote(s, safe="").encode() for s in _own(request)) + b"/")
            return plain(request, http.MOVED_PERMANENTLY, "It is a folder.")
        return _send(request, path)


def _own(request: Any) -> list[bytes]:
    """All parts of a request's path."""
    return [*request.prepath, *request.postpath]


def _send(request: Any, path: Path) -> Any:
    """Send a file, or a range of a large one; nothing if the client has it already."""
    try:
        stat = path.stat()
        # Not the date, whose whole seconds miss the second of two quick edits.
        if request.setETag(b'"%x-%x"' % (stat.st_mtime_ns, stat.st_size)) is http.CACHED:
            return b""
        kind = TYPES.get(path.suffix.lower(), "application/octet-stream")
        if stat.st_size > WHOLE_BYTES:
            return _send_pieces(request, path, kind)
        content = path.read_bytes()
    except OSError:
        return plain(request, http.NOT_FOUND, "There is nothing here.")
    request.setHeader(b"content-type", kind.encode())
    if request.method == b"HEAD":
        request.setHeader(b"content-length", b"%d" % len(content))
        return b""
    return content


def _send_pieces(request: Any, path: Path, kind: str) -> Any:
    """Send a large file as the client takes it."""
    file = static.File(str(path))
    file.type, file.encoding = kind, None
    content = file.openForReading()
    request.setHeader(b"accept-ranges", b"bytes")
    if b"," in (request.getHeader(b"range") or b""):  # many ranges of one file are an attack
        request.requestHeaders.removeHeader(b"range")
    producer = file.makeProducer(request, content)
    if request.method == b"HEAD":
        content.close()
        return b""
    producer.start()
    return NOT_DONE_YET
