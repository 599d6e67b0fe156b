"""What a client's session tells its shell: frozen values, one class for each thing that happened."""

from __future__ import annotations

from typing import Any

import msgspec

from ..chat.message import ChatMessage, ChatPage
from ..errors import MessageError, Refused


class Value(msgspec.Struct, frozen=True, gc=False):
    """Above all values of a client's session."""


class Welcomed(Value, frozen=True):
    """The server knows us. `resumed` is true if it is the session of before."""

    session: str
    user: str
    name: str
    resumed: bool


class JoinedRoom(Value, frozen=True):
    """We are in. `fresh` is true if the world is another than the one held before."""

    room: str
    fresh: bool


class JoinRefused(Value, frozen=True):
    """The server did not let us in."""

    room: str
    reason: str
    text: str


class WorldReady(Value, frozen=True):
    """The first picture after JOINED is there: a frame came, or the world is untouched."""

    room: str


class LeftRoom(Value, frozen=True):
    """We are no longer in the room: we left, it closed, or we were removed."""

    room: str
    reason: str
    text: str


class FrameApplied(Value, frozen=True):
    """The replica stands at another tick."""

    room: str
    tick: int


class EventHeard(Value, frozen=True):
    """Something happened in the game, once, at `tick`."""

    room: str
    number: int
    tick: int
    event: Any


class LineHeard(Value, frozen=True):
    """A line of a channel, new to us; `live` is false for one that comes from the history."""

    room: str
    line: ChatMessage
    live: bool


class LineChanged(Value, frozen=True):
    """A line that was heard before was edited, deleted or reacted to; this is how it reads now."""

    room: str
    line: ChatMessage


class PageHeard(Value, frozen=True):
    """Lines from before are there; `key` is what `ChatSystem.earlier` gave."""

    room: str
    key: int
    page: ChatPage


class PageRefused(Value, frozen=True):
    """They are not to be had."""

    room: str
    key: int
    reason: str
    text: str


class GapFound(Value, frozen=True):
    """Lines of a channel were lost for us, or events, if `channel` is None."""

    room: str
    channel: str | None


class ActionDone(Value, frozen=True):
    """An action was taken; `value` is what its handler answered, None if nothing."""

    room: str
    key: int
    value: Any


class ActionRefused(Value, frozen=True):
    """An action was refused; with `unknown` as reason it may have been done: nobody knows."""

    room: str
    key: int
    reason: str
    text: str


class LineKept(Value, frozen=True):
    """A line of ours has its place; -1 for a command that was carried out. The next may be said in `wait_s`."""

    room: str
    cid: str
    offset: int
    wait_s: float = 0.0


class LineRefused(Value, frozen=True):
    """A line of ours was refused; `unknown` as reason: it may be kept all the same. It may be said in `wait_s`."""

    room: str
    cid: str
    reason: str
    text: str
    wait_s: float = 0.0


class RequestRefused(Value, frozen=True):
    """The server refused something else; `about` is the code of the message (wire, clause 4.6)."""

    about: int
    reason: str
    text: str


class MessageFailed(Value, frozen=True):
    """One message was not dealt with, and the session has answered: LOST for a frame, later again for a line of ours."""

    error: MessageError | Refused


class StaleChanged(Value, frozen=True):
    """Nothing has come for suspiciously long, or something has come again."""

    stale: bool


class Closing(Value, frozen=True):
    """The shell shall close the connection, after what waits to be sent."""

    code: int
    text: str


class Ended(Value, frozen=True):
    """The connection is over; `come_back` tells whether to open another (wire, clause 4.5)."""

    code: int
    text: str
    come_back: bool
