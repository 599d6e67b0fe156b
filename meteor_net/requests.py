"""What the plain half asks of its shell, by value.

The plain half never awaits. It leaves a request in a list; the shell does it and hands the answer back with the time, by
calling `then` or `failed`, and drains the lists again. Each request is answered exactly once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .interfaces import StoredLine

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
    """Keep a line; the answer is its offset."""

    channel: str
    line: StoredLine


@dataclass(frozen=True, slots=True)
class Fetch(Request):
    """Read lines above `after`, or the newest if `after` is None; the answer is a list of StoredLine."""

    channel: str
    after: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class Await(Request):
    """Wait for what a handler's verb answered, at most `seconds`."""

    what: Awaitable[Any]
    seconds: float
