"""What the plain half asks of its shell, by value.

The plain half never awaits. It leaves a request in a list; the shell does it and hands the answer back with the time, by
calling `then` or `failed`, and drains the lists again. Each request is answered exactly once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .interfaces import Identity, StoredLine

#: Takes the answer and the time in seconds.
Then = Callable[[Any, float], None]
#: Takes the error and the time in seconds.
Failed = Callable[[BaseException, float], None]


class Report(Protocol):
    """Takes what happened, for logs and counts: a word, an error if there was one, and names."""

    def __call__(self, event: str, error: BaseException | None = None, **fields: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """Above all requests."""

    then: Then
    failed: Failed


@dataclass(frozen=True, slots=True)
class OpenChannel(Request):
    """Find or make a channel; the answer is a ChannelPlace."""

    channel: str


@dataclass(frozen=True, slots=True)
class Store(Request):
    """Keep a line; the answer is the StoredLine as it is kept."""

    channel: str
    line: StoredLine
    moderator: bool = False


@dataclass(frozen=True, slots=True)
class Fetch(Request):
    """Read lines of any kind above `after`; the answer is a list of StoredLine."""

    channel: str
    after: int
    limit: int
    reader: str = ""


@dataclass(frozen=True, slots=True)
class FetchPage(Request):
    """Read the newest lines below `before`, or of all; the answer is a list of StoredLine."""

    channel: str
    before: int | None
    limit: int
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Seen(Request):
    """A user is here; the answer is None."""

    identity: Identity
    time: int


@dataclass(frozen=True, slots=True)
class Find(Request):
    """Who has an id or a name; the answer is an Identity or None."""

    name: str


@dataclass(frozen=True, slots=True)
class Keep(Request):
    """Keep bytes under a name; None forgets them."""

    name: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Kept(Request):
    """What was kept under a name: bytes or None."""

    name: str


@dataclass(frozen=True, slots=True)
class EndOfTurn(Request):
    """Wait until what happens in this turn has happened; the answer is None."""


@dataclass(frozen=True, slots=True)
class Pause(Request):
    """Wait so many seconds; the answer is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Await(Request):
    """Wait for what a handler's verb answered, at most `seconds`."""

    what: Awaitable[Any]
    seconds: float


def ask_storage(storage: Any, request: Request) -> Awaitable[Any]:
    """Ask an `IStorage` for what a request wants.

    Raises:
        TypeError: If it wants nothing of a storage.
    """
    answer: Awaitable[Any]
    match request:
        case Store():
            answer = storage.append(request.channel, request.line, request.moderator)
        case Fetch():
            answer = storage.lines(request.channel, request.after, request.limit, request.reader)
        case FetchPage():
            answer = storage.page(request.channel, request.before, request.limit, request.reader)
        case OpenChannel():
            answer = storage.open(request.channel)
        case Seen():
            answer = storage.seen(request.identity, request.time)
        case Find():
            answer = storage.find(request.name)
        case Keep():
            answer = storage.keep(request.name, request.data)
        case Kept():
            answer = storage.kept(request.name)
        case _:
            raise TypeError(f"{request!r} is not for a storage")
    return answer
