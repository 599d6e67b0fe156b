"""Stands between clients and a server: counts the bytes of each connection, cuts them, and lets none through for a while."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

CHUNK = 1 << 16


class Relay:
    """One server's.

    Args:
        target: The server's port on loopback.
        port: Where it listens.

    Attributes:
        port: See above.
        down, up: Bytes since `listen`.
        moved_at: When the last bytes went down.
    """

    def __init__(self, target: int, port: int) -> None:
        self.port = port
        self.down = self.up = 0
        self.moved_at = 0.0
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Let connections through, and count anew."""
        self.down = self.up = 0
        self.moved_at = time.monotonic()
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    def cut(self) -> None:
        """End all connections by force, at both sides; who tries another one is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._open:
            writer.transport.abort()

    async def quiet(self, seconds: float, most_s: float) -> None:
        """Wait until bytes went down, and then none did for a while.

        Raises:
            ConnectionError: It takes too long.
        """
        end = time.monotonic() + most_s
        while not self.down or time.monotonic() - self.moved_at < seconds:
            if time.monotonic() > end:
                raise ConnectionError(f"not quiet within {most_s:.0f} s; {self.down} bytes went down")
            await asyncio.sleep(0.005)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server, from_server = None, None
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            self._open |= {writer, to_server}
            await asyncio.gather(self._copy(reader, to_server, up=True), self._copy(from_server, writer, up=False))
        except OSError:
            pass
        finally:
            for each in (writer, to_server):
                if each is not None:
                    self._open.discard(each)
                    each.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if up:
                    self.up += len(data)
                else:
                    self.down += len(data)
                    self.moved_at = time.monotonic()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
