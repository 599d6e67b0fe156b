"""A channel: an append-only log of lines, and those who hear it (wire page, clause 10).

Nobody hears a line, and its sender is not told, before storage has kept it. Storage gives the offset; answers may come in
another order, so what came early waits for its turn; a hole that none of our own lines will fill is read from storage. A
newcomer's history is read from there too: lines that are kept meanwhile are held back for it, then merged by offset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..codec import Shared, encode_items
from ..interfaces import ChannelPlace, StoredLine
from ..limits import Limits
from ..messages import History, Line, Message
from ..requests import Fetch, FetchPage, OpenChannel, Report, Request, Store
from ..session.outbox import Lane
from ..session.session import Session

#: Tells the sender what became of a line: its offset, or the error.
Kept = Callable[[int, float], None]
Failed = Callable[[BaseException, float], None]
#: (epoch, offset) that a hearer holds.
Held = tuple[int, int]


@dataclass(slots=True, eq=False)
class _Hearer:
    session: Session
    #: Lines that came while the history is being read; None once it was sent.
    held_back: list[StoredLine] | None = field(default_factory=list)
    since: Held | None = None


class Channel:
    """One channel.

    Attributes:
        place: Its epoch and the offset to come; None until storage has opened it.
        lines: How many lines were heard here.
    """

    def __init__(self, number: int, name: str, limits: Limits, requests: list[Request], report: Report) -> None:
        self.number = number
        self.name = name
        self.place: ChannelPlace | None = None
        self.lines = 0
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
        hearer = _Hearer(session, since=since)
        self._hearers[session] = hearer
        after, limit = self._what_to_read(since)

        def read(lines: list[StoredLine], now: float) -> None:
            self._read(hearer, lines)

        def failed(error: BaseException, now: float) -> None:
            self._report("error", error, channel=self.name, player=session.name, verb="history")
            self._read(hearer, [])

        if after is None:
            self._requests.append(FetchPage(read, failed, self.name, None, limit, session.user))
        else:
            self._requests.append(Fetch(read, failed, self.name, after, limit, session.user))

    def unhear(self, session: Session) -> None:
        """The session hears no more."""
        self._hearers.pop(session, None)

    def _what_to_read(self, since: Held | None) -> tuple[int | None, int]:
        """(after, limit): all that was missed where that can be given, else the newest lines."""
        place = self._opened_place
        if since is not None and since[0] == place.epoch:
            missed = place.next - 1 - since[1]
            if 0 <= missed <= self._limits.resume_lines:
                # Lines that are kept while this is read are held back for the hearer: no need to read those.
                return since[1], self._limits.resume_lines
        return None, self._limits.history_lines

    def _read(self, hearer: _Hearer, lines: list[StoredLine]) -> None:
        if self._hearers.get(hearer.session) is not hearer:
            return  # left, or joined anew, while we read
        place = self._opened_place
        held_back, hearer.held_back = hearer.held_back or [], None
        lines = [line for line in lines if line.offset < place.next]
        # What was heard while we read, and is not among what was read.
        last = lines[-1].offset if lines else -1
        lines = lines + [line for line in held_back if line.offset > last]
        gap = hearer.since is not None and not self._whole(hearer.since, lines)
        items = [self._items(line) for line in lines]
        # A packet of its own, as it may be large; in the lane of lines, as those that are kept from now on come after it.
        hearer.session.put(Lane.LINES, Shared.of(History(self.number, place.epoch, place.next, gap, items)))

    def _whole(self, since: Held, lines: list[StoredLine]) -> bool:
        """Whether the lines, which ascend, are all that came since a place."""
        place = self._opened_place
        missed = place.next - 1 - since[1]
        return since[0] == place.epoch and len(lines) == missed and (not lines or lines[0].offset == since[1] + 1)

    @staticmethod
    def _items(line: StoredLine) -> list[object]:
        return encode_items(Channel._message(0, line))[1:]

    # --- lines ---

    def say(self, line: StoredLine, kept: Kept, failed: Failed, now: float) -> None:
        """Have a line kept; then tell its sender, and all hearers."""
        self.open(lambda now: self._store(line, kept, failed), failed, now)

    def _store(self, line: StoredLine, kept: Kept, failed: Failed) -> None:
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
            self._heal()

        self._requests.append(Store(stored, lost, self.name, line))

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
        shared: Shared | None = None
        for session, hearer in self._hearers.items():
            if hearer.held_back is not None:
                hearer.held_back.append(line)
                continue
            if shared is None:
                shared = Shared.of(self._message(self.number, line))
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

        def failed(error: BaseException, now: float) -> None:
            self._healing = False
            self._report("error", error, channel=self.name, verb="history")

        self._requests.append(Fetch(read, failed, self.name, self._opened_place.next - 1, max(1, self._limits.resume_lines)))
