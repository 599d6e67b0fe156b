"""What all rooms of a process share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..chat.channel import Channel
from ..limits import Limits
from ..requests import Report, Request
from .saving import Shelf

if TYPE_CHECKING:
    from .room import Room


class Inbox(Protocol):
    """Finds a user's own channel."""

    def __call__(self, user: str, *, passing: bool = False) -> Channel:
        """Find or make it; a `passing` one that is made is not kept: it is for a user who may be gone."""


@dataclass(slots=True)
class Surroundings:
    """What all rooms of a process share.

    Attributes:
        limits: What is allowed.
        requests: Where rooms leave what they ask of the shell.
        report: Told what happened, with the names of room and player.
        server_ms: Seconds of the shell's clock -> milliseconds of the server's clock.
        inbox: A user's own channel.
        opened, closed: Told when a room begins to tick, and when it is over.
        shelf: Whose turn it is with what is kept under a name.
        now: The time of the turn, in seconds; the shell sets it before it calls anything here.
    """

    limits: Limits
    requests: list[Request]
    report: Report
    server_ms: Callable[[float], int]
    inbox: Inbox
    closed: Callable[[Room], None]
    opened: Callable[[Room], None]
    shelf: Shelf = field(default_factory=Shelf)
    now: float = 0.0
