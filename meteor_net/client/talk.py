"""What a player says in a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail

from ..chat.system import ChatMessage, ChatPage
from ..errors import Refused
from ..messages import LineKind
from .answers import Answers
from .link import Link
from .view import RoomView


class RoomTalk(RoomView):
    """The conversation of a room, as verbs that are answered; `NetworkClient` is one.

    Each verb that says something gives a Deferred of the offset that the line, or the change, has in its channel: it is
    kept then. It fails with `Refused`, which has a `reason` and, in slow mode, `wait_s`; `unknown` as reason means that it
    may be kept all the same. What is said while the connection is away waits, at most 64 lines, and goes out when it is back.

    A channel is given by its name; empty for the room's first one.
    """

    _answers: Answers
    _link: Link

    @property
    def wait_s(self) -> float:
        """Seconds until the next line may be said where the room is in slow mode; 0.0 for now."""
        return self._room.lines.sender.wait_s(self._reactor.seconds())

    def say(
        self, text: str, channel: str = "", *, about: int = -1, kind: int = LineKind.TEXT, data: Any = None
    ) -> Deferred[int]:
        """Say a line.

        Args:
            text: What is said; `/name …` is a command, whose offset is -1.
            channel: Where.
            about: The offset of the line that this one answers; -1 for none.
            kind: Text; `LineKind.EMOJI` for one emoji by itself; a game's own number, from 64 on.
            data: With a game's own kind: a value that CBOR can carry, at most 4 KiB.
        """
        message = ChatMessage(text=text, channel=channel, about=about, kind=kind, data=data)
        return self._kept(lambda: self.chat.send_message(message))

    def react(self, offset: int, emoji: str, channel: str = "") -> Deferred[int]:
        """React with an emoji to the line at an offset."""
        return self._kept(lambda: self.chat.react(offset, emoji, channel))

    def unreact(self, offset: int, emoji: str, channel: str = "") -> Deferred[int]:
        """Take a reaction back."""
        return self._kept(lambda: self.chat.unreact(offset, emoji, channel))

    def edit(self, offset: int, text: str, channel: str = "") -> Deferred[int]:
        """Give a line of ours another text."""
        return self._kept(lambda: self.chat.edit(offset, text, channel))

    def delete(self, offset: int, channel: str = "") -> Deferred[int]:
        """Take a line of ours back."""
        return self._kept(lambda: self.chat.delete(offset, channel))

    def tell(self, user: str, text: str) -> Deferred[int]:
        """Say something to one user alone, by id; who is away hears it when next online."""
        return self._kept(lambda: self.chat.send_private(user, text))

    def earlier(self, limit: int = 50, channel: str = "") -> Deferred[ChatPage]:
        """Ask for older lines than were heard or asked for so far.

        Args:
            limit: How many at most, from 1 to 100.
            channel: Of which channel.

        Returns:
            A Deferred of a page: its `messages`, and whether there are `more`. The lines are in the history too, as far as
            that has room. It fails with Refused.

        Raises:
            ValueError: If the limit is none.
        """
        try:
            key = self.chat.earlier(limit, channel)
        except Refused as error:
            return fail(error)
        page = self._answers.page(key)
        self._link.flush()
        return page

    def _kept(self, say: Callable[[], ChatMessage]) -> Deferred[int]:
        try:
            message = say()
        except Refused as error:
            return fail(error)
        kept = self._answers.line(message.cid)
        self._link.flush()
        return kept
