"""The conversation as a client holds it: what was said, and what is still on its way.

Plain: it knows no connection. `send_message` queues a line and hands it to whoever carries it; the
line stays in `message_queue` until the server has kept or refused it, so that it can be said again,
under the same id, on another connection (wire page, clause 10.3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from ..errors import Refused
from ..limits import MAX_TEXT_BYTES, Limits
from ..messages import LineKind

#: Lines said that wait for the server's answer; a person types no more than a few.
MAX_QUEUED_LINES = 64
#: Lines that are kept to be shown; the oldest go first.
MAX_HISTORY_LINES = 1_000


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        text: What is said.
        channel: The channel's name; empty for the room's first one.
        kind: Text, or a notice by the game or the server.
        sender: The user's id, set by the server; empty for a notice.
        name: The user's name.
        time: When, in milliseconds of the server's clock; 0 for a line that is still on its way.
        tick: The room's tick then.
        offset: The line's place in its channel; -1 for a line that is still on its way.
        cid: The sender's own id for the line; empty for lines of others.
    """

    text: str
    channel: str = ""
    kind: LineKind = LineKind.TEXT
    sender: str = ""
    name: str = ""
    time: int = 0
    tick: int = 0
    offset: int = -1
    cid: str = ""


class ChatSystem:
    """Say lines, and read what was said.

    Attributes:
        message_history: Lines heard, the oldest first; at most 1,000.
        message_queue: The client's own lines that the server has not answered yet, by their id, in
            the order said; at most 64.
    """

    def __init__(
        self,
        send: Callable[[ChatMessage], None],
        new_cid: Callable[[], str],
        *,
        line_chars: int = Limits().line_chars,
    ) -> None:
        """Make an empty conversation.

        Args:
            send: Takes each queued line on its way; it may do nothing while there is no connection.
            new_cid: Gives a fresh id for a line, 1 to 36 characters.
            line_chars: Characters that the server takes in one line.
        """
        self.message_history: deque[ChatMessage] = deque(maxlen=MAX_HISTORY_LINES)
        self.message_queue: dict[str, ChatMessage] = {}
        self.line_chars = line_chars
        self._send = send
        self._new_cid = new_cid

    def send_message(self, message: ChatMessage | str) -> ChatMessage:
        """Say a line.

        Args:
            message: The text, or a message of which `text` and `channel` count; with a `cid`, that
                id is used.

        Returns:
            The message as it was queued, with its id.

        Raises:
            Refused: If the text is empty or too long, or 64 lines wait already.
        """
        if isinstance(message, str):
            message = ChatMessage(text=message)
        self._check(message.text)
        message = ChatMessage(text=message.text, channel=message.channel, cid=message.cid or self._new_cid())
        self.message_queue[message.cid] = message
        self._send(message)
        return message

    def _check(self, text: str) -> None:
        if not text.strip():
            raise Refused("an empty line", "bad-text")
        if len(text) > self.line_chars or len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise Refused(f"a line has at most {self.line_chars} characters", "bad-text")
        if len(self.message_queue) >= MAX_QUEUED_LINES:
            raise Refused(f"{MAX_QUEUED_LINES} lines wait for the server already", "slow-down")

    def receive_message(self, message: ChatMessage) -> None:
        """Take a line that was heard into the history."""
        self.message_history.append(message)

    def handle_message_history(self, messages: Iterable[ChatMessage], gap: bool = False) -> None:
        """Take a page of earlier lines of one channel, the oldest first.

        Args:
            messages: Lines that are not in the history yet.
            gap: True if lines of that channel are missing before them; what was kept of the channel
                is forgotten then, for it is not what came before.
        """
        page = list(messages)
        if gap and page:
            channel = page[0].channel
            kept = [line for line in self.message_history if line.channel != channel]
            self.message_history.clear()
            self.message_history.extend(kept)
        for message in page:
            self.receive_message(message)

    def answered(self, cid: str) -> ChatMessage | None:
        """Take a line out of the queue: the server has kept or refused it.

        Returns:
            The line, or None if no such line waits.
        """
        return self.message_queue.pop(cid, None)
