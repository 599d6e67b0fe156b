"""Lines of our own on their way: each is kept once, however many connections and tries that takes. Plain.

What is said while we are in goes out at once. What waited for a connection, or for life on it, and what is said behind it, goes
out one line after the other, each when the one before is answered: so it keeps its order, and a server that wants pauses gets
them.

A guest comes back as another user when the server began anew. What it had sent and has no answer for would be another line
then: it is not said again, but looked for in the history.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..chat.message import ChatMessage
from ..chat.system import ChatSystem
from ..errors import Refused
from ..messages import Said, Unsaid
from . import client_values as values

#: A line of which the server does not know whether it is kept is said again after so many seconds.
TRY_AGAIN_S = (2.0, 4.0, 8.0)
#: A server knows the ids of lines for so long: later, a line might be kept twice.
KNOWN_S = 24 * 3600.0
#: A line that waited for its connection is said again so often if it comes too fast for the server …
SLOW_TRIES = 8
#: … after as many seconds as the server says, but no less than these.
SLOW_S = 0.5

_UNKNOWN = "nobody knows whether this was kept: look before you say it again"


@dataclass(slots=True)
class _Sent:
    """A line that was sent: when first, as whom, how often `unknown` and `slow-down` answered it, when it is due again.

    It `may_be_kept` once it was sent and no answer came: then a refusal of what was said again does not tell about the first.
    """

    first: float
    user: str
    unknown: int = 0
    slow: int = 0
    due: float | None = None
    may_be_kept: bool = False


class LineSender:
    """Send the lines of a `ChatSystem`'s queue, and tell what became of them.

    Attributes:
        room: The room's name, for what is told.
    """

    def __init__(self, chat: ChatSystem, told: list[values.Value], put: Callable[[ChatMessage], bool]) -> None:
        """Make one.

        Args:
            chat: Holds the queue.
            told: Takes what happened.
            put: Sends a line; answers False if there is no such channel.
        """
        self.room = ""
        self._chat = chat
        self._told = told
        self._put = put
        self._sent: dict[str, _Sent] = {}
        #: Lines that go out after `_ahead` is answered, and not before `_free_at`.
        self._later: deque[str] = deque()
        self._ahead = ""
        self._free_at = 0.0
        self._now = 0.0
        self._held_back = False

    def joined(self, now: float) -> None:
        """We are in, again: say what was not answered."""
        self._now = self._free_at = now
        self._later = deque(cid for cid in self._chat.message_queue if not self._foreign(cid))
        self._ahead = ""
        for sent in self._sent.values():
            sent.due = None
        self._go_on()

    def look(self, concerned: Callable[[ChatMessage], bool], kept: Mapping[tuple[str, str], int]) -> None:
        """Of the lines that were sent as another user: tell what became of those that are concerned.

        Args:
            concerned: Whether a line would be among those that are kept.
            kept: (sender, cid) -> offset of those.
        """
        for cid, sent in list(self._sent.items()):
            if not self._foreign(cid) or not concerned(self._chat.message_queue[cid]):
                continue
            offset = kept.get((sent.user, cid))
            if offset is None:
                self._refuse(cid, "unknown", _UNKNOWN)
            else:
                self._kept(cid, offset)

    @property
    def looks(self) -> bool:
        """Whether there are lines that were sent as another user."""
        return any(map(self._foreign, self._sent))

    def _foreign(self, cid: str) -> bool:
        sent = self._sent.get(cid)
        return sent is not None and sent.user != self._chat.user

    def away(self) -> None:
        """The connection is gone."""
        self._later.clear()
        for sent in self._sent.values():
            sent.may_be_kept |= sent.due is None
            sent.due = None

    def say(self, message: ChatMessage) -> None:
        """Send a line that was just queued."""
        if self._ahead or self._later or self._held_back:
            self._later.append(message.cid)
        else:
            self._send(message.cid)

    def hold_back(self, held_back: bool) -> None:
        """Nothing comes from the server: what would be said now waits, and goes out as if it had waited for a connection."""
        self._held_back = held_back
        self._go_on()

    def tick(self, now: float) -> None:
        """Say again what is due."""
        self._now = now
        if self._held_back:
            return
        for cid in [cid for cid, sent in self._sent.items() if sent.due is not None and sent.due <= now]:
            self._send(cid)
        self._go_on()

    def said(self, message: Said, now: float) -> None:
        """A line is kept."""
        self._now = now
        if message.cid in self._chat.message_queue:
            self._kept(message.cid, message.offset, message.wait / 1000)
            self._go_on()

    def unsaid(self, message: Unsaid, now: float) -> None:
        """A line is refused, or nobody knows, or it came too fast."""
        self._now = now
        cid = message.cid
        sent = self._sent.get(cid)
        if sent is None:
            return
        sent.may_be_kept |= message.reason == "unknown"
        unknown = message.reason == "unknown" or (message.reason == "failed" and sent.may_be_kept)
        if unknown and sent.unknown < len(TRY_AGAIN_S):
            sent.due = now + TRY_AGAIN_S[sent.unknown]
            sent.unknown += 1
            self._told.append(values.MessageFailed(Refused(message.text, message.reason)))
        elif message.reason == "slow-down" and cid == self._ahead and sent.slow < SLOW_TRIES:
            sent.due = now + max(message.wait / 1000, SLOW_S)
            sent.slow += 1
            self._told.append(values.MessageFailed(Refused(message.text, message.reason, message.wait / 1000)))
        else:
            reason = "unknown" if sent.may_be_kept else message.reason
            self._refuse(cid, reason, message.text, message.wait / 1000)
            self._go_on()

    def wait_s(self, now: float) -> float:
        """How long until the server will let us say the next line, in seconds, as far as it told."""
        return max(0.0, self._free_at - now)

    def drop(self, reason: str, text: str) -> None:
        """Give up all lines; of those that were sent nobody will tell what became."""
        self.away()
        self.give_up(lambda line: self._may_be_kept(line.cid), "unknown", text)
        self.give_up(lambda line: True, reason, text)

    def _may_be_kept(self, cid: str) -> bool:
        sent = self._sent.get(cid)
        return cid in self._chat.from_before if sent is None else sent.may_be_kept

    def give_up(self, concerned: Callable[[ChatMessage], bool], reason: str, text: str) -> None:
        """Give up the lines that are concerned."""
        for cid, line in list(self._chat.message_queue.items()):
            if concerned(line):
                self._refuse(cid, reason, text)

    def _go_on(self) -> None:
        while self._later and not self._ahead and not self._held_back and self._now >= self._free_at:
            cid = self._later.popleft()
            if cid in self._chat.message_queue:  # else what was sent on an older connection is answered now
                self._ahead = cid
                self._send(cid)

    def _send(self, cid: str) -> None:
        sent = self._sent.setdefault(cid, _Sent(self._now, self._chat.user, may_be_kept=cid in self._chat.from_before))
        sent.due = None
        message = self._chat.message_queue[cid]
        if self._now - sent.first > KNOWN_S:
            self._refuse(cid, "unknown", _UNKNOWN)
        elif not self._put(message):
            self._refuse(cid, "refused", f"there is no channel {message.channel!r} here")

    def _kept(self, cid: str, offset: int, wait_s: float = 0.0) -> None:
        self._chat.answered(cid)
        self._told.append(values.LineKept(self.room, cid, offset, wait_s))
        self._done(cid, wait_s)

    def _refuse(self, cid: str, reason: str, text: str, wait_s: float = 0.0) -> None:
        self._chat.answered(cid)
        self._told.append(values.LineRefused(self.room, cid, reason, text, wait_s))
        self._done(cid, wait_s)

    def _done(self, cid: str, wait_s: float) -> None:
        self._sent.pop(cid, None)
        self._free_at = max(self._free_at, self._now + wait_s)
        if cid == self._ahead:
            self._ahead = ""
