"""The channels of a room as a client's session holds them: places, history, lines on their way. Plain."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ..chat.system import ChatMessage, ChatSystem
from ..errors import MessageError
from ..messages import History, Joined, Line, LineKind, Message, Said, Say, Unsaid
from . import client_values as values


@dataclass
class Channel:
    """How far we hold a channel: the last line's offset in this epoch, -1 for none."""

    number: int
    name: str
    epoch: int
    held: int = -1
    #: True once a HISTORY of this epoch came: `held` may be named as a place.
    known: bool = False
    #: True once its HISTORY came on this connection.
    caught_up: bool = False


class RoomLines:
    """Follow a room's channels, and have each line of ours kept once.

    Attributes:
        channels: By number on this connection.
        chat: The conversation as users see it.
    """

    def __init__(self, chat: ChatSystem, out: list[Message], told: list[values.Value]) -> None:
        self.chat = chat
        self.channels: dict[int, Channel] = {}
        self.counters: dict[str, float] = {"lines": 0, "line_gaps": 0}
        self._first = ""
        self._name = ""
        self._out = out
        self._told = told

    def places(self) -> dict[str, list[int]]:
        """Tell how far we hold each channel, for JOIN."""
        return {c.name: [c.epoch, c.held] for c in self.channels.values() if c.known}

    def joined(self, message: Joined) -> None:
        """Take the channels of JOINED, and say again the lines that were not answered."""
        before = {channel.name: channel for channel in self.channels.values()}
        self._name = message.name
        self.channels = {}
        for number, name, epoch, _ in message.channels:
            held = before.get(name)
            if held is None or held.epoch != epoch:
                held = Channel(number, name, epoch)
            held.number, held.caught_up = number, False
            self.channels[number] = held
        self._first = message.channels[0][1] if message.channels else ""
        for line in list(self.chat.message_queue.values()):
            self.send(line)

    def send(self, line: ChatMessage) -> None:
        """Send a line that is in the queue."""
        name = line.channel or self._first
        for channel in self.channels.values():
            if channel.name == name:
                self._out.append(Say(channel.number, line.cid, int(line.kind), line.text))
                return
        self._refuse(line.cid, "refused", f"there is no channel {name!r} here")

    def drop(self, reason: str, text: str) -> None:
        """Give up all lines on their way."""
        for cid in list(self.chat.message_queue):
            self._refuse(cid, reason, text)

    def _refuse(self, cid: str, reason: str, text: str) -> None:
        if self.chat.answered(cid) is not None:
            self._told.append(values.LineRefused(self._name, cid, reason, text))

    def history(self, channel: Channel, message: History) -> None:
        """Take the lines of before (clause 10.5).

        Raises:
            MessageError: If one of them is none.
        """
        new = []
        for items in message.lines:
            try:
                line = msgspec.convert([message.channel, *items], Line, builtin_types=(bytes,))
            except (msgspec.ValidationError, ValueError) as error:
                raise MessageError(f"HISTORY: {error}") from error
            if message.gap or message.epoch != channel.epoch or line.offset > channel.held:
                new.append(_shown(channel, line))
        channel.epoch, channel.held = message.epoch, message.next - 1
        channel.known = channel.caught_up = True
        if message.gap:
            self._gap(channel)
        self.chat.handle_message_history(new, message.gap)
        self.counters["lines"] += len(new)
        self._told.extend(values.LineHeard(self._name, line, live=False) for line in new)

    def line(self, channel: Channel, message: Line) -> None:
        """Hear a line; one that we hold already is ignored."""
        if message.offset <= channel.held:
            return
        if channel.caught_up and message.offset > channel.held + 1:
            self._gap(channel)
        channel.held = message.offset
        line = _shown(channel, message)
        self.chat.receive_message(line)
        self.counters["lines"] += 1
        self._told.append(values.LineHeard(self._name, line, live=True))

    def said(self, message: Said) -> None:
        """A line of ours is kept."""
        if self.chat.answered(message.cid) is not None:
            self._told.append(values.LineKept(self._name, message.cid, message.offset))

    def unsaid(self, message: Unsaid) -> None:
        """A line of ours is refused."""
        self._refuse(message.cid, message.reason, message.text)

    def _gap(self, channel: Channel) -> None:
        self.counters["line_gaps"] += 1
        self._told.append(values.GapFound(self._name, channel.name))


def _shown(channel: Channel, line: Line) -> ChatMessage:
    return ChatMessage(
        text=line.text,
        channel=channel.name,
        kind=LineKind.NOTICE if line.kind == LineKind.NOTICE else LineKind.TEXT,
        sender=line.sender,
        name=line.name,
        time=line.time,
        tick=line.tick,
        offset=line.offset,
        cid=line.cid,
    )
