"""A channel: an append-only log of lines, and those who hear it (wire page, clause 10).

Nobody hears a line, and its sender is not told, before storage has kept it. Storage gives the offset; answers may come in
another order, so what came early waits for its turn; a hole that none of our own lines will fill is read from storage. Pages of
before are read from there too: lines that are kept meanwhile wait until the hearer has its page, so that a change is never told
before the line that it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..codec import Shared, encode_items
from ..errors import Refused, StorageError
from ..interfaces import ChannelPlace, StoredLine
from ..limits import MAX_PROSE_CHARS, Limits
from ..messages import CHANGES, CODES, Earlier, ErrorMessage, History, Line, Message, Page, fitting
from ..requests import Failed, Fetch, FetchPage, OpenChannel, Pause, Report, Request, Store, Then
from ..session.outbox import Lane
from ..session.session import Session

#: When nobody knows whether a line is kept, storage is looked at once, and after so many seconds more: what it did not do in
#: time it may do late, and who said the line may be gone.
HEAL_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
#: Tells the sender that a line is kept, and its offset.
Kept = Callable[[int, float], None]
#: (epoch, offset) that a hearer holds.
Held = tuple[int, int]


@dataclass(slots=True, eq=False)
class _Hearer:
    session: Session
    #: The offset of the first line that it hears as it is said; its history is what was before.
    first: int
    #: Pages that are being read for it, and the lines that wait for those: at most what is said in the time of a read.
    reading: int = 0
    waiting: list[Shared] = field(default_factory=list)


class Channel:
    """One channel.

    Attributes:
        place: Its epoch and the offset to come; None until storage has opened it.
        lines: How many lines were heard here.
        heard: Told each line that is heard here, in order.
    """

    def __init__(self, number: int, name: str, limits: Limits, requests: list[Request], report: Report) -> None:
        self.number = number
        self.name = name
        self.place: ChannelPlace | None = None
        self.lines = 0
        self.heard: Callable[[StoredLine], None] | None = None
        self._limits = limits
        self._requests = requests
        self._report = report
        self._hearers: dict[Session, _Hearer] = {}
        #: Lines that have to wait for one with a lower offset.
        self._early: dict[int, StoredLine] = {}
        #: Numbers of the lines that storage has not answered for, ascending, and of the newest that it was given.
        self._storing: dict[int, None] = {}
        self._given = 0
        #: The newest line that might fill the hole before the early ones.
        self._hole_until = 0
        self._healing = False
        #: Looks that were made since the last such line, and whether the next one is waited for.
        self._looks = len(HEAL_AGAIN_S)
        self._pausing = False

    # --- opening ---

    def open(self, then: Callable[[float], None], failed: Failed, now: float) -> None:
        """Find out where the channel stands, if that is not known yet; then call `then` with the time."""
        if self.place is not None:
            then(now)
            return

        def opened(place: ChannelPlace, now: float) -> None:
            if self.place is None:  # two may have asked
                self.place = ChannelPlace(*place)
            then(now)

        self._requests.append(OpenChannel(opened, failed, self.name))

    @property
    def _opened_place(self) -> ChannelPlace:
        assert self.place is not None, "a channel is opened before it is heard"
        return self.place

    # --- hearers ---

    def __contains__(self, session: Session) -> bool:
        return session in self._hearers

    def __len__(self) -> int:
        return len(self._hearers)

    def hear(self, session: Session, since: Held | None) -> None:
        """Let a session hear the channel: first its history, or what it missed since a place, then each line."""
        place = self._opened_place
        hearer = _Hearer(session, place.next)
        self._hearers[session] = hearer
        if since is None or since[0] != place.epoch:
            self._send_newest(hearer, since)
            return
        missed = place.next - 1 - since[1]
        if missed == 0:
            self._send_history(hearer, since, [])
        elif 0 < missed <= self._limits.resume_lines:
            self._send_missed(hearer, since, missed)
        else:
            self._send_newest(hearer, since)

    def unhear(self, session: Session) -> None:
        """The session hears no more."""
        self._hearers.pop(session, None)

    def earlier(self, session: Session, before: int, limit: int) -> None:
        """Send a hearer the page of lines before an offset (clause 10.7).

        Raises:
            Refused: Lines are being read for it already: reads without an end would let what is said wait without an end.
        """
        hearer = self._hearers[session]
        if hearer.reading:
            raise Refused("lines are being read for you; one page at a time", "slow-down")

        def read(lines: list[StoredLine], now: float) -> None:
            page = lines[-limit:]
            packet = self._fitting(page, lambda some: Page(
                self.number, self._opened_place.epoch, before, len(some) < len(lines), [*map(self._items, some)]
            ))  # fmt: skip
            session.put(Lane.LINES, packet)

        def failed(error: BaseException) -> None:
            text = fitting(error, MAX_PROSE_CHARS) if isinstance(error, StorageError) else "this failed on the server"
            session.put(Lane.CONTROL, ErrorMessage(CODES[Earlier], "failed", text))

        self._read(
            hearer,
            lambda then, failed: FetchPage(then, failed, self.name, before, limit + 1, session.user),
            read,
            failed,
        )

    def _send_missed(self, hearer: _Hearer, since: Held, missed: int) -> None:
        """All that was said since a place; or, where storage has no longer all of it, the newest page."""

        def read(lines: list[StoredLine], now: float) -> None:
            if _whole(since, lines, hearer.first):
                self._send_history(hearer, since, lines)
            else:
                self._send_newest(hearer, since)

        self._read(
            hearer,
            lambda then, failed: Fetch(then, failed, self.name, since[1], missed, hearer.session.user),
            read,
            lambda error: self._send_history(hearer, since, []),
        )

    def _send_newest(self, hearer: _Hearer, since: Held | None) -> None:
        limit = self._limits.history_lines
        self._read(
            hearer,
            lambda then, failed: FetchPage(then, failed, self.name, hearer.first, limit, hearer.session.user),
            lambda lines, now: self._send_history(hearer, since, lines),
            lambda error: self._send_history(hearer, since, []),
        )

    def _send_history(self, hearer: _Hearer, since: Held | None, lines: list[StoredLine]) -> None:
        epoch, following = self._opened_place.epoch, hearer.first

        def history(some: list[StoredLine]) -> Message:
            gap = since is not None and (since[0] != epoch or not _whole(since, some, following))
            return History(self.number, epoch, following, gap, [*map(self._items, some)])

        # A packet of its own, as it may be large; in the lane of lines, as those that are kept from now on come after it.
        hearer.session.put(Lane.LINES, self._fitting(lines, history))

    def _fitting(self, lines: list[StoredLine], message: Callable[[list[StoredLine]], Message]) -> Shared:
        """A packet of lines: of the newest content only, if it is so large that a slow peer would be let go each time."""
        packet = Shared.of(message(lines))
        while len(packet) > self._limits.outbox_bytes // 2 and len(lines) > 1:
            lines = [line for line in lines[len(lines) // 2 :] if line.kind not in CHANGES]
            packet = Shared.of(message(lines))
        return packet

    def _read(
        self, hearer: _Hearer, request: Callable[[Then, Failed], Request], then: Then, failed: Callable[[BaseException], None]
    ) -> None:  # fmt: skip
        """Read lines for a hearer; what is said meanwhile waits."""
        hearer.reading += 1
        done = partial(self._done, hearer)

        def read(lines: Any, now: float) -> None:
            done(lambda: then(lines, now))

        def broke(error: BaseException, now: float) -> None:
            self._report("error", error, channel=self.name, player=hearer.session.name, verb="history")
            done(lambda: failed(error))

        self._requests.append(request(read, broke))

    def _done(self, hearer: _Hearer, tell: Callable[[], None]) -> None:
        if self._hearers.get(hearer.session) is not hearer:
            return  # left, or joined anew, while we read
        tell()
        hearer.reading -= 1
        if not hearer.reading:
            for shared in hearer.waiting:
                hearer.session.put(Lane.LINES, shared)
            hearer.waiting.clear()

    @staticmethod
    def _items(line: StoredLine) -> list[object]:
        return encode_items(Channel._message(0, line))[1:]

    # --- lines ---

    def say(self, line: StoredLine, kept: Kept, failed: Failed, now: float, *, moderator: bool = False) -> None:
        """Have a line kept; then tell its sender, and all hearers.

        Args:
            line: The line, as it came.
            kept: Told its offset.
            failed: Told why it is not: Refused, if it may not be; else nobody knows.
            now: The time in seconds.
            moderator: The sender may change lines of others.
        """
        self.open(lambda now: self._store(line, kept, failed, moderator), failed, now)

    def _store(self, line: StoredLine, kept: Kept, failed: Failed, moderator: bool) -> None:
        self._given += 1
        number = self._given
        self._storing[number] = None

        def stored(line: StoredLine, now: float) -> None:
            del self._storing[number]
            kept(line.offset, now)
            self._arrived(line)
            self._look_for_hole()

        def lost(error: BaseException, now: float) -> None:
            del self._storing[number]
            failed(error, now)
            if isinstance(error, Refused):
                self._look_for_hole()
                return
            if not isinstance(error, StorageError) or error.unknown:
                self._looks = 0
            self._heal()

        self._requests.append(Store(stored, lost, self.name, line, moderator))

    def _arrived(self, line: StoredLine) -> None:
        place = self._opened_place
        if line.offset < place.next:
            return  # said again by its sender: all have heard it
        if not self._early:
            self._hole_until = self._given
        self._early[line.offset] = line
        following = place.next
        while following in self._early:
            self._deliver(self._early.pop(following))
            following += 1
            self.place = ChannelPlace(place.epoch, following)

    def _deliver(self, line: StoredLine) -> None:
        self.lines += 1
        if self.heard is not None:
            self.heard(line)
        shared: Shared | None = None
        for session, hearer in self._hearers.items():
            if shared is None:
                shared = Shared.of(self._message(self.number, line))
            if hearer.reading:
                hearer.waiting.append(shared)
            else:
                session.put(Lane.LINES, shared)

    @staticmethod
    def _message(number: int, line: StoredLine) -> Message:
        mentions, reactions = list(line.mentions), list(line.reactions)
        return Line(
            number, line.offset, line.time, line.tick, line.kind, line.sender, line.name, line.text, line.cid,
            line.about, line.to, mentions, line.data, line.state, reactions,
        )  # fmt: skip

    def _look_for_hole(self) -> None:
        """Lines wait for one that none of ours will be: somebody else had it kept. It is read from storage."""
        if self._early and next(iter(self._storing), self._hole_until + 1) > self._hole_until:
            self._heal()

    def _heal(self) -> None:
        """Read what storage has: a line that it failed for may be kept all the same, and later ones would wait for ever."""
        if self._healing:
            return
        self._healing = True

        def read(lines: list[StoredLine], now: float) -> None:
            self._healing = False
            for line in lines:
                self._arrived(line)
            if self._looks < len(HEAL_AGAIN_S):
                self._heal_later()

        def failed(error: BaseException, now: float) -> None:
            self._healing = False
            self._report("error", error, channel=self.name, verb="history")
            self._heal_later()

        self._requests.append(Fetch(read, failed, self.name, self._opened_place.next - 1, max(1, self._limits.resume_lines)))

    def _heal_later(self) -> None:
        """Ask after a while whether there is more than we know."""

        def again(_: object, now: float) -> None:
            self._pausing = False
            self._requests.append(OpenChannel(opened, failed, self.name))

        def opened(place: ChannelPlace, now: float) -> None:
            if place[1] > self._opened_place.next:
                self._heal()
            elif self._looks < len(HEAL_AGAIN_S):
                self._heal_later()

        def failed(error: BaseException, now: float) -> None:
            self._heal_later()

        if not self._pausing:
            self._pausing = True
            self._requests.append(Pause(again, again, HEAL_AGAIN_S[min(self._looks, len(HEAL_AGAIN_S) - 1)]))
            self._looks += 1


def _whole(since: Held, lines: list[StoredLine], following: int) -> bool:
    """Whether the lines, which ascend, are all that came since a place, up to the one that follows."""
    missed = following - 1 - since[1]
    return len(lines) == missed and (not lines or lines[0].offset == since[1] + 1)
