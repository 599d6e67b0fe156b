"""Asking for lines from before those that we have (wire page, clause 10.7). Plain."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..chat.message import ChatMessage, ChatPage
from ..chat.system import ChatSystem
from ..errors import Refused
from ..messages import Earlier, Message, Page
from . import client_values as values
from .client_channel import Channel

#: Pages that may be wanted at a time.
MAX_WANTED = 16
#: A page comes within so many seconds, or it is refused.
ANSWER_S = 30.0


@dataclass(slots=True)
class _Wanted:
    key: int
    channel: str
    limit: int


class LinePages:
    """Ask for one page after the other; what was asked for on a lost connection is asked for again."""

    def __init__(
        self,
        chat: ChatSystem,
        out: list[Message],
        told: list[values.Value],
        find: Callable[[str], Channel | None],
    ) -> None:
        """Make one that wants nothing.

        Args:
            chat: Holds what was heard.
            out: Takes what is to be sent.
            told: Takes what happened.
            find: Finds a channel by its name, or the first one.
        """
        self.room = ""
        self._chat = chat
        self._out = out
        self._told = told
        self._find = find
        self._wanted: deque[_Wanted] = deque()
        self._key = 0
        #: Where the first of the wanted was asked for, and until when its answer is awaited.
        self._asked: Channel | None = None
        self._until = 0.0
        self._now = 0.0

    def want(self, limit: int, channel: str) -> int:
        """Ask for a page, as soon as that can be.

        Returns:
            The key of the answer.

        Raises:
            Refused: If too many are asked for already.
        """
        if len(self._wanted) >= MAX_WANTED:
            raise Refused(f"{MAX_WANTED} pages are asked for already", "slow-down")
        self._key += 1
        self._wanted.append(_Wanted(self._key, channel, limit))
        return self._key

    def go_on(self) -> None:
        """Ask for the next one, if we are in and no other is on its way."""
        while self._wanted and self._asked is None:
            wanted = self._wanted[0]
            channel = self._find(wanted.channel)
            if channel is None:
                self._refuse("refused", f"there is no channel {wanted.channel!r} here")
            elif not channel.caught_up:
                return
            elif channel.oldest == 0:
                self._answer([], False)
            else:
                self._asked, self._until = channel, self._now + ANSWER_S
                self._out.append(Earlier(channel.number, channel.oldest, wanted.limit))

    def away(self) -> None:
        """The connection is gone."""
        self._asked = None

    def tick(self, now: float) -> None:
        """Wait no longer than is right."""
        self._now = now
        if now >= self._until:
            self.refused("failed", f"no answer within {ANSWER_S:.0f} s")

    def page(self, channel: Channel, message: Page) -> None:
        """Take a page: its lines read as they do after all changes that were told before it.

        Raises:
            MessageError: If one of its lines is none.
        """
        if channel is not self._asked or message.before != channel.oldest:
            return  # one that we no longer wait for
        if message.epoch != channel.epoch:
            self.refused("failed", "the channel has begun anew")
            return
        lines = channel.read(message.lines)
        channel.oldest = lines[0].offset if lines and message.more else 0
        page = self._chat.handle_message_history(lines, earlier=True)
        self._answer([line for line in page if line is not None], message.more)
        self.go_on()

    def refused(self, reason: str, text: str) -> None:
        """The page that is asked for, if any, is refused."""
        if self._asked is not None:
            self._refuse(reason, text)
            self.go_on()

    def drop(self, reason: str, text: str) -> None:
        """Give up all that are wanted."""
        while self._wanted:
            self._refuse(reason, text)

    def _answer(self, messages: list[ChatMessage], more: bool) -> None:
        self.away()
        self._told.append(values.PageHeard(self.room, self._wanted.popleft().key, ChatPage(messages, more)))

    def _refuse(self, reason: str, text: str) -> None:
        self.away()
        self._told.append(values.PageRefused(self.room, self._wanted.popleft().key, reason, text))
