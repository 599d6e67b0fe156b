"""A light WebSocket client over loopback: it cuts and masks frames, and leaves what they hold to its subclass."""

from __future__ import annotations

import asyncio
from random import Random
from typing import ClassVar

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class LightSocket(asyncio.Protocol):
    """One connection.

    Attributes:
        path: What is asked for.
        subprotocol: The WebSocket subprotocol, or empty.
        ended: Why the connection ended, or None.
    """

    path: str = "/ws"
    subprotocol: ClassVar[str] = "meteor.v1"

    def __init__(self, random: Random) -> None:
        self.random = random
        self.ended: str | None = None
        self._buffer = b""
        self._upgraded = False

    def opened(self) -> None:
        """The upgrade is done."""

    def message(self, payload: bytes, size: int) -> None:
        """A message came, in a frame of `size` bytes, its header among them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        host, port = transport.get_extra_info("peername")
        subprotocol = f"Sec-WebSocket-Protocol: {self.subprotocol}\r\n" if self.subprotocol else ""
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{subprotocol}\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it: a crowd that thins out measures nothing."""
        self.ended = self.ended or str(exc or "closed")

    def data_received(self, data: bytes) -> None:
        """Cut what came into WebSocket messages; a server does not mask them."""
        buffer = self._buffer + data
        if not self._upgraded:
            head, mark, buffer = buffer.partition(b"\r\n\r\n")
            if not mark:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise ConnectionError(head.decode("latin-1").split("\r\n")[0])
            self._upgraded = True
            self.opened()
        at = 0
        while len(buffer) - at >= 2:
            length, start = buffer[at + 1], at + 2
            if length >= 126:
                size = 2 if length == 126 else 8
                if len(buffer) - start < size:
                    break
                length = int.from_bytes(buffer[start : start + size], "big")
                start += size
            if len(buffer) - start < length:
                break
            self._frame(buffer[at] & 0x0F, buffer[start : start + length], start + length - at)
            at = start + length
        self._buffer = buffer[at:]

    def _frame(self, opcode: int, payload: bytes, size: int) -> None:
        if opcode == PING:
            self.send_frame(PONG, payload)
        elif opcode == CLOSE:
            self.ended = f"closed with {int.from_bytes(payload[:2], 'big')} {payload[2:].decode(errors='replace')}"
        elif opcode in (TEXT, BINARY):
            self.message(payload, size)

    def send_frame(self, opcode: int, payload: bytes) -> None:
        """Send a frame, masked."""
        mask = self.random.randbytes(4)
        key = (mask * (len(payload) // 4 + 1))[: len(payload)]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + len(payload).to_bytes(2, "big")
        self._transport.write(bytes([0x80 | opcode]) + length + mask + masked)

    def leave(self) -> None:
        """Close the connection."""
        self.send_frame(CLOSE, (1000).to_bytes(2, "big"))
        self._transport.close()
