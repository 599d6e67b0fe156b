"""The conversation as a client holds it: what was said, and what is still on its way.

Plain: it knows no connection. `send_message` queues a line and hands it to whoever carries it; the
line stays in `message_queue` until the server has kept or refused it, so that it can be said again,
under the same id, on another connection (wire page, clause 10.3). A line that changes another one
(an edit, a deletion, a reaction) is queued like any, and is folded into that one when it comes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec.structs import replace

from ..codec import decode_from_client, encode_packet
from ..errors import LocalProtocolError, PacketError, Refused
from ..limits import MAX_DATA_BYTES, MAX_TEXT_BYTES, Limits
from ..messages import OWN_KINDS, LineKind, Say
from .message import ChatMessage, ChatPage, folded

__all__ = ["ChatMessage", "ChatPage", "ChatSystem"]

#: Lines said that wait for the server's answer; a person types no more than a few.
MAX_QUEUED_LINES = 64
#: Lines that are kept to be shown; the oldest go first.
MAX_HISTORY_LINES = 1_000
#: Lines that one page may have.
MAX_PAGE_LINES = 100


class LineStore(Protocol):
    """Keeps lines that wait for the server's answer, so that they outlive the process."""

    def lines(self) -> list[ChatMessage]:
        """Give those that may be said again, in the order said."""

    def put(self, line: ChatMessage) -> None:
        """Keep a line: when this returns it is kept.

        Raises:
            Refused: It cannot be.
        """

    def remove(self, cid: str) -> None:
        """A line is answered."""


class ChatSystem:
    """Say lines, and read what was said.

    Where a verb takes a channel, it is the channel's name; empty for the room's first one.

    Attributes:
        message_history: Lines heard, as they read now, those of each channel in their order; at most 1,000. To be read
            only.
        message_queue: The client's own lines that the server has not answered yet, by their id, in
            the order said; at most 64.
        line_chars: Characters that the server takes in one line.
        user: Our user's id; empty before the server told it.
        first_channel: The name of the room's first channel; empty before the server told it.
    """

    def __init__(
        self,
        send: Callable[[ChatMessage], None],
        new_cid: Callable[[], str],
        ask_earlier: Callable[[int, str], int],
        *,
        line_chars: int = Limits().line_chars,
    ) -> None:
        """Make an empty conversation.

        Args:
            send: Takes each queued line on its way; it may do nothing while there is no connection.
            new_cid: Gives a fresh id for a line, 1 to 36 characters.
            ask_earlier: Asks the server for so many lines of a channel, from before those that are known; gives a key for
                the answer.
            line_chars: Characters that the server takes in one line.
        """
        self.message_history: deque[ChatMessage] = deque(maxlen=MAX_HISTORY_LINES)
        self.message_queue: dict[str, ChatMessage] = {}
        self.line_chars = line_chars
        self.user = ""
        self.first_channel = ""
        #: Ids of lines that another client before may have sent, and that may be kept: those that the store had.
        self.from_before: set[str] = set()
        self._store: LineStore | None = None
        self._send = send
        self._new_cid = new_cid
        self._ask_earlier = ask_earlier
        #: (channel, offset) -> the line's number; the history's first line has the number `_first`.
        self._numbers: dict[tuple[str, int], int] = {}
        self._first = 0

    # --- saying ---

    def send_message(self, message: ChatMessage | str) -> ChatMessage:
        """Say a line.

        Args:
            message: The text, or a message of which `text`, `kind`, `channel`, `about`, `to` and `data` count; with a
                `cid`, that id is used.

        Returns:
            The message as it was queued, with its id.

        Raises:
            Refused: If the text is empty or too long, something of it is not for the wire, or 64 lines wait already.
        """
        if isinstance(message, str):
            message = ChatMessage(text=message)
        message = ChatMessage(
            text=message.text, channel=message.channel, kind=message.kind, about=message.about, to=message.to,
            data=message.data, cid=message.cid or self._new_cid(),
        )  # fmt: skip
        self._check(message)
        if self._store is not None:
            self._store.put(message)
        self.message_queue[message.cid] = message
        self._send(message)
        return message

    def send_private(self, user: str, text: str) -> ChatMessage:
        """Say something to one user, by id, in the room or not; returns and raises as `send_message`."""
        return self.send_message(ChatMessage(text=text, kind=LineKind.PRIVATE, to=user))

    def react(self, offset: int, emoji: str, channel: str = "") -> ChatMessage:
        """React with an emoji to the line at an offset; returns and raises as `send_message`."""
        return self._change(LineKind.REACTION, offset, emoji, channel)

    def unreact(self, offset: int, emoji: str, channel: str = "") -> ChatMessage:
        """Take a reaction back; returns and raises as `send_message`."""
        return self._change(LineKind.UNREACTION, offset, emoji, channel)

    def edit(self, offset: int, text: str, channel: str = "") -> ChatMessage:
        """Give a line of our own another text; returns and raises as `send_message`."""
        return self._change(LineKind.EDIT, offset, text, channel)

    def delete(self, offset: int, channel: str = "") -> ChatMessage:
        """Take a line of our own back; returns and raises as `send_message`."""
        return self._change(LineKind.DELETE, offset, "", channel)

    def _change(self, kind: LineKind, offset: int, text: str, channel: str) -> ChatMessage:
        return self.send_message(ChatMessage(text=text, kind=kind, about=offset, channel=channel))

    def _check(self, message: ChatMessage) -> None:
        text, kind = message.text, message.kind
        if not text.strip() and kind != LineKind.DELETE and kind < OWN_KINDS:
            raise Refused("an empty line", "bad-text")
        if len(text) > self.line_chars or len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise Refused(f"a line has at most {self.line_chars} characters", "bad-text")
        if len(self.message_queue) >= MAX_QUEUED_LINES:
            raise Refused(f"{MAX_QUEUED_LINES} lines wait for the server already", "slow-down")
        # A server ends a connection on which something wrong comes: it is found here.
        size = _packet_bytes(message)
        if message.data is not None:
            size -= _packet_bytes(replace(message, data=0)) - 1
            if size > MAX_DATA_BYTES:
                raise Refused(f"data of {size} bytes; at most {MAX_DATA_BYTES}", "bad-text")

    def answered(self, cid: str) -> ChatMessage | None:
        """Take a line out of the queue: the server has kept or refused it.

        Returns:
            The line, or None if no such line waits.
        """
        if self._store is not None:
            self._store.remove(cid)
        self.from_before.discard(cid)
        return self.message_queue.pop(cid, None)

    def keep(self, store: LineStore | None) -> None:
        """Keep the lines that wait in a store from now on, or in none.

        Args:
            store: Lines that it has from before wait again, before those that were said since.

        Raises:
            Refused: A line that waits cannot be kept.
        """
        self._store = store
        if store is None:
            return
        waiting, self.message_queue = self.message_queue, {line.cid: line for line in store.lines()}
        self.from_before.update(cid for cid in self.message_queue if cid not in waiting)
        for cid, line in waiting.items():
            if cid not in self.message_queue:
                store.put(line)
                self.message_queue[cid] = line

    # --- reading ---

    def find(self, offset: int, channel: str = "") -> ChatMessage | None:
        """Find the line at an offset, as it reads now; None if it is not in the history."""
        number = self._numbers.get((channel or self.first_channel, offset))
        return None if number is None else self.message_history[number - self._first]

    def earlier(self, limit: int = 50, channel: str = "") -> int:
        """Ask for lines from before those that were heard or asked for so far.

        Args:
            limit: How many at most, from 1 to 100.
            channel: The channel's name.

        Returns:
            A key that the answer will have.

        Raises:
            Refused: If too many pages are asked for already.
            ValueError: If the limit is none.
        """
        if not 1 <= limit <= MAX_PAGE_LINES:
            raise ValueError(f"a page of {limit} lines; from 1 to {MAX_PAGE_LINES}")
        return self._ask_earlier(limit, channel)

    def receive_message(self, message: ChatMessage) -> ChatMessage | None:
        """Take a line that was heard: into the history, or, if it changes another one, into that one.

        Returns:
            The line, or the one that it changed as that reads now; None if nothing has changed.
        """
        if not message.changes:
            self._append(message)
            return message
        target = self.find(message.about, message.channel)
        changed = None if target is None else folded(target, message, self.user)
        if changed is None or changed == target:
            return None
        self.message_history[self._numbers[changed.channel, changed.offset] - self._first] = changed
        return changed

    def handle_message_history(
        self, messages: Iterable[ChatMessage], gap: bool = False, earlier: bool = False
    ) -> list[ChatMessage | None]:
        """Take a page of lines of one channel, the oldest first.

        Args:
            messages: Lines that are not in the history yet, and changes of those that are.
            gap: True if lines of that channel are missing before them; what was kept of the channel
                is forgotten then, for it is not what came before.
            earlier: True if they are from before all others of the channel: they go in front, as many as there is room
                for, the newest first.

        Returns:
            For each what `receive_message` gives; if they are from before, the lines as they read now.
        """
        page = list(messages)
        if earlier:
            return [*reversed([self._prepend(message) for message in reversed(page)])]
        if gap and page:
            self.forget(page[0].channel)
        return [self.receive_message(message) for message in page]

    def _append(self, message: ChatMessage) -> None:
        if len(self.message_history) == MAX_HISTORY_LINES:
            oldest = self.message_history[0]
            key = oldest.channel, oldest.offset
            if self._numbers[key] == self._first:  # else another line is there now: the channel has begun anew
                del self._numbers[key]
            self._first += 1
            self.message_history.popleft()
        self._numbers[message.channel, message.offset] = self._first + len(self.message_history)
        self.message_history.append(message)

    def _prepend(self, message: ChatMessage) -> ChatMessage:
        known = self.find(message.offset, message.channel)
        if known is None and len(self.message_history) < MAX_HISTORY_LINES:
            self._first -= 1
            self._numbers[message.channel, message.offset] = self._first
            self.message_history.appendleft(message)
        return known or message

    def forget(self, channel: str) -> None:
        """Forget what was kept of a channel, by its full name: it is not what comes before the lines to come."""
        kept = [line for line in self.message_history if line.channel != channel]
        self.message_history.clear()
        self._numbers.clear()
        for line in kept:
            self._append(line)


def say(message: ChatMessage, channel: int) -> Say:
    """Make the SAY of a queued line, for the channel of this number."""
    return Say(channel, message.cid, int(message.kind), message.text, message.about, message.to, message.data)


def _packet_bytes(message: ChatMessage) -> int:
    """Measure a line as the server will read it.

    Raises:
        Refused: If the server could not.
    """
    try:
        packet = encode_packet([say(message, 0)])
        decode_from_client(packet, Limits())
    except (LocalProtocolError, PacketError) as error:
        raise Refused(f"this cannot be said: {error}", "bad-text") from error
    return len(packet)
