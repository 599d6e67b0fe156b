"""The channels of a room as a client's session holds them: what is heard, and how far. Plain."""

from __future__ import annotations

from collections.abc import Collection

from ..chat.message import ChatMessage
from ..chat.system import ChatSystem, say
from ..messages import History, Joined, Line, LineKind, Message
from . import client_values as values
from .client_channel import Channel
from .client_pages import LinePages
from .client_sender import LineSender


class RoomLines:
    """Follow a room's channels.

    Attributes:
        channels: By number on this connection.
        chat: The conversation as users see it.
        sender: Our own lines on their way.
        pages: Lines from before that are asked for.
    """

    def __init__(self, chat: ChatSystem, out: list[Message], told: list[values.Value]) -> None:
        self.chat = chat
        self.channels: dict[int, Channel] = {}
        self.counters: dict[str, float] = {"lines": 0, "line_gaps": 0}
        self.sender = LineSender(chat, told, self._put)
        self.pages = LinePages(chat, out, told, self.find)
        self._name = ""
        self._out = out
        self._told = told

    def places(self) -> dict[str, list[int]]:
        """Tell how far we hold each channel, for JOIN."""
        return {c.name: [c.epoch, c.held] for c in self.channels.values() if c.known}

    def joined(self, message: Joined, now: float) -> None:
        """Take the channels of JOINED, and say again the lines that were not answered."""
        before = {channel.name: channel for channel in self.channels.values()}
        self._name = self.sender.room = self.pages.room = message.name
        anew = {number for number, name, epoch, _ in message.channels if name in before and before[name].epoch != epoch}
        self.channels = {}
        for number, name, epoch, _ in message.channels:
            held = before.get(name)
            if held is None or held.epoch != epoch:
                held = Channel(number, name, epoch)
            held.number = number
            self.channels[number] = held
        self.chat.first_channel = message.channels[0][1] if message.channels else ""
        # An offset of before is another line's now.
        self.sender.give_up(
            lambda line: line.about >= 0 and self._is_of(line, anew), "not-there", "the lines of before are gone"
        )
        self.sender.look(lambda line: self._place(line) is None, {})  # no history will tell of those
        self.sender.joined(now)
        self.pages.tick(now)

    def away(self) -> None:
        """The connection is gone."""
        for channel in self.channels.values():
            channel.caught_up = False
        self.sender.away()
        self.pages.away()

    def drop(self, reason: str, text: str) -> None:
        """Give up all that waits for an answer."""
        self.sender.drop(reason, text)
        self.pages.drop(reason, text)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.sender.tick(now)
        self.pages.tick(now)

    def find(self, name: str) -> Channel | None:
        """Find a channel by its name, the first one by an empty name."""
        name = name or self.chat.first_channel
        return next((channel for channel in self.channels.values() if channel.name == name), None)

    def _place(self, line: ChatMessage) -> Channel | None:
        return self.find(f"@{self.chat.user}" if line.kind == LineKind.PRIVATE else line.channel)

    def _is_of(self, line: ChatMessage, numbers: Collection[int]) -> bool:
        channel = self._place(line)
        return channel is not None and channel.number in numbers

    def _put(self, line: ChatMessage) -> bool:
        channel = self._place(line)
        if channel is not None:
            self._out.append(say(line, channel.number))
        return channel is not None

    # --- hearing ---

    def history(self, channel: Channel, message: History) -> None:
        """Take the lines of before (clause 10.5).

        Raises:
            MessageError: If one of them is none.
        """
        lines = channel.read(message.lines)
        anew = message.gap or message.epoch != channel.epoch
        new = [line for line in lines if anew or line.offset > channel.held]
        if anew or not channel.known:
            channel.oldest = lines[0].offset if lines else message.next
        channel.epoch, channel.held = message.epoch, message.next - 1
        channel.known = channel.caught_up = True
        if message.gap:
            self._gap(channel)
            self.chat.forget(channel.name)  # also if there are none in its place
        shown = self.chat.handle_message_history(new, message.gap)
        for line, now in zip(new, shown, strict=True):
            self._tell(line, now, live=False)
        if self.sender.looks:
            heard = [line for line in self.chat.message_history if line.channel == channel.name]
            kept = {(line.sender, line.cid): line.offset for line in [*heard, *new]}
            self.sender.look(lambda line: self._place(line) is channel, kept)
        self.pages.go_on()

    def line(self, channel: Channel, message: Line) -> None:
        """Hear a line; one that we hold already is ignored."""
        if message.offset <= channel.held:
            return
        if channel.caught_up and message.offset > channel.held + 1:
            self._gap(channel)
        channel.held = message.offset
        line = channel.shown(message)
        self._tell(line, self.chat.receive_message(line), live=True)

    def _tell(self, line: ChatMessage, now: ChatMessage | None, live: bool) -> None:
        """Tell of a line and what it made: itself, the line that it changed as that reads now, or nothing that we have."""
        if not line.changes:
            self.counters["lines"] += 1
            self._told.append(values.LineHeard(self._name, line, live))
        elif now is not None:
            self._told.append(values.LineChanged(self._name, now))

    def _gap(self, channel: Channel) -> None:
        self.counters["line_gaps"] += 1
        self._told.append(values.GapFound(self._name, channel.name))
