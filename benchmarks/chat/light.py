"""Light clients that hear lines and say them, of our server and of the peer's: both are read whole, and nothing is shown."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar, TypeVar

import cbor2

from meteor_net.codec import encode_packet
from meteor_net.messages import Earlier, Hello, Join, Message, Pong, Say

from ..websocket import BINARY, TEXT, LightSocket

LINE, SAID, HISTORY, UNSAID, PAGE, WELCOME, JOINED, PING, ERROR = 0, 2, 3, 4, 6, 49, 51, 54, 56
ENTER_S = 20.0
#: The most lines that one page has.
PAGE_LINES = 100

Client = TypeVar("Client", bound="Hearer")


class Hearer(LightSocket):
    """Hears a room, and says lines there.

    Args:
        name: What others see.
        heard: Takes the text of each line that is heard live.

    Attributes:
        ready: Whether it is in the room.
    """

    def __init__(self, name: str, heard: Callable[[str], None]) -> None:
        super().__init__(Random(name))
        self.name = name
        self.ready = False
        self._heard = heard

    def say(self, text: str) -> None:
        """Say a line."""
        raise NotImplementedError


class MeteorHearer(Hearer):
    """One of ours.

    Args:
        name: What others see; the user, if there is a token.
        heard: Takes the text of each line that is heard live.
        token: Signs a user in.
        room: Which one; empty for the server's first.

    Attributes:
        channel: (number, name, epoch, next) of the room's channel.
        place: The channel's name, and [epoch, offset] of what it holds already, as a client says it that comes back.
    """

    def __init__(self, name: str, heard: Callable[[str], None], token: str | None = None, room: str = "") -> None:
        super().__init__(name, heard)
        self._room = room
        self.channel: tuple[int, str, int, int] = (0, "", 0, 0)
        self.place: tuple[str, list[int]] | None = None
        self._token = token
        self._said = 0
        self._answers: dict[int, asyncio.Future[list[Any]]] = {}

    def opened(self) -> None:
        """Say who comes."""
        self.send(Hello(versions=[1], name=self.name, token=self._token, client="benchmark"))

    def send(self, message: Message) -> None:
        """Send one message as one packet."""
        self.send_frame(BINARY, encode_packet([message]))

    def say(self, text: str) -> None:
        """Say a line, with an id of its own."""
        self._said += 1
        self.send(Say(self.channel[0], f"{self.name}-{self._said}", 0, text))

    def message(self, payload: bytes, size: int) -> None:
        """Take a packet."""
        for item in cbor2.loads(payload):
            code = item[0]
            if code == LINE:
                if item[1] == self.channel[0] and item[5] == 0:
                    self._heard(item[8])
            elif code != SAID:
                self._take(code, item)

    def _take(self, code: int, item: list[Any]) -> None:
        if code == PING:
            self.send(Pong(item[1], 0))
        elif code == WELCOME:
            self.join()
        elif code == JOINED:
            number, name, epoch, following = item[8][0]
            self.channel = (number, name, epoch, following)
        elif code == HISTORY:
            self.ready = self.ready or item[1] == self.channel[0]
        elif code in (UNSAID, ERROR):
            self.ended = f"refused: {item}"
            for waiting in self._answers.values():
                waiting.set_exception(ConnectionError(self.ended))
            self._answers.clear()
        if code in self._answers and item[1] == self.channel[0]:
            self._answers.pop(code).set_result(item)

    def join(self) -> None:
        """Ask for the room, with the place that is held."""
        self.send(Join(self._room, places={} if self.place is None else {"channels": dict([self.place])}))

    def answer(self, code: int) -> asyncio.Future[list[Any]]:
        """The next message of a kind about the room's channel."""
        future = self._answers[code] = asyncio.get_running_loop().create_future()
        return future

    async def page(self, before: int, limit: int = PAGE_LINES) -> list[list[Any]]:
        """Read a page of history: lines as on the wire, without their channel."""
        answer = self.answer(PAGE)
        self.send(Earlier(self.channel[0], before, limit))
        lines: list[list[Any]] = (await asyncio.wait_for(answer, ENTER_S))[5]
        return lines


class PeerHearer(Hearer):
    """One of python-socketio's: Engine.IO 4 over a WebSocket, events as JSON text."""

    path: str = "/socket.io/?EIO=4&transport=websocket"
    subprotocol: ClassVar[str] = ""

    def __init__(self, name: str, heard: Callable[[str], None]) -> None:
        super().__init__(name, heard)
        self._said = 0

    def say(self, text: str) -> None:
        """Say a line; the server acknowledges it, as ours does."""
        self._said += 1
        self.send_frame(TEXT, f"42{self._said}{json.dumps(['say', text], separators=(',', ':'))}".encode())

    def message(self, payload: bytes, size: int) -> None:
        """Take a packet: an event, an acknowledgement, a ping, or the beginning."""
        if payload.startswith(b"42"):
            event, line = json.loads(payload[2:])
            if event == "line":
                self._heard(line["text"])
        elif payload == b"2":
            self.send_frame(TEXT, b"3")
        elif payload.startswith(b"0"):
            self.send_frame(TEXT, b"40")
        elif payload.startswith(b"40"):
            self.ready = True
        elif not payload.startswith(b"43"):
            self.ended = f"unexpected: {payload[:80]!r}"


async def enter(client: Client, port: int) -> Client:
    """Connect a client, and wait until it is in its room.

    Raises:
        ConnectionError: If it is not let in.
    """
    await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
    end = time.monotonic() + ENTER_S
    while not client.ready:
        if client.ended is not None or time.monotonic() > end:
            raise ConnectionError(f"{client.name} is not in the room: {client.ended or 'no answer'}")
        await asyncio.sleep(0.002)
    return client


async def read_all(port: int, room: str = "") -> list[list[Any]]:
    """Read a room's whole channel backward, as a client that has never been there.

    Args:
        port: The server's.
        room: Which one; empty for the first.

    Returns:
        For each line, in the order in which it came: epoch, offset, sender, cid, text.
    """
    reader = await enter(MeteorHearer("historian", lambda _: None, room=room), port)
    _, _, epoch, before = reader.channel
    pages: list[list[list[Any]]] = []
    while before > 0:
        lines = await reader.page(before)
        if not lines:
            break
        pages.append(lines)
        before = lines[0][0]
    reader.leave()
    return [[epoch, line[0], line[4], line[7], line[6]] for lines in reversed(pages) for line in lines]
