"""A channel: an append-only log of lines, and those who hear it (wire page, clause 10).

Nobody hears a line, and its sender is not told, before storage has kept it. Storage gives the offset; answers may come in
another order, so what came early waits for its turn. A newcomer's history is read from storage: lines that are kept meanwhile
are held back for it, then merged by offset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..codec import Shared
from ..interfaces import ChannelPlace, StoredLine
from ..limits import Limits
from ..messages import History, Line, Message
from ..requests import Fetch, OpenChannel, Request, Store
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

    def __init__(self, number: int, name: str, limits: Limits, requests: list[Request]) -> None:
        self.number = number
        self.name = name
        self.place: ChannelPlace | None = None
        self.lines = 0
        self._limits = limits
        self._requests = requests
        self._hearers: dict[Session, _Hearer] = {}
        self._early: dict[int, StoredLine] = {}
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
        self._requests.append(
            Fetch(
                lambda lines, now: self._read(hearer, lines),
                lambda error, now: self._read(hearer, []),
                self.name,
                after,
                limit,
            )
        )

    def unhear(self, session: Session) -> None:
        """The session hears no more."""
        self._hearers.pop(session, None)

    def _what_to_read(self, since: Held | None) -> tuple[int | None, int]:
        """(after, limit): all that was missed where that can be given, else the newest lines."""
        place = self.place
        assert place is not None, "a channel is opened before it is heard"
        if since is not None and since[0] == place.epoch:
            missed = place.next - 1 - since[1]
            if 0 <= missed <= self._limits.resume_lines:
                # Lines kept while this is read may come along: one more than the limit is never needed.
                return since[1], self._limits.resume_lines
        return None, self._limits.history_lines

    def _read(self, hearer: _Hearer, lines: list[StoredLine]) -> None:
        if self._hearers.get(hearer.session) is not hearer:
            return  # left, or joined anew, while we read
        place = self.place
        assert place is not None
        held_back, hearer.held_back = hearer.held_back or [], None
        lines = [line for line in lines if line.offset < place.next]
        # What was heard while we read, and is not among what was read.
        last = lines[-1].offset if lines else -1
        lines = lines + [line for line in held_back if line.offset > last]
        gap = hearer.since is not None and not self._whole(hearer.since, lines)
        hearer.session.put(
            Lane.BULK,
            History(self.number, place.epoch, place.next, gap, [self._items(line) for line in lines]),
        )

    def _whole(self, since: Held, lines: list[StoredLine]) -> bool:
        """Whether the lines are all that came since a place, without a hole."""
        epoch, following = self.place or (0, 0)
        return since[0] == epoch and [line.offset for line in lines] == list(range(since[1] + 1, following))

    @staticmethod
    def _items(line: StoredLine) -> list[object]:
        return [line.offset, line.time, line.tick, line.kind, line.sender, line.name, line.text, line.cid]

    # --- lines ---

    def say(self, line: StoredLine, kept: Kept, failed: Failed) -> None:
        """Have a line kept; then tell its sender, and all hearers."""

        def stored(offset: int, now: float) -> None:
            kept(offset, now)
            self._arrived(line._replace(offset=offset))

        def lost(error: BaseException, now: float) -> None:
            failed(error, now)
            self._heal()

        self._requests.append(Store(stored, lost, self.name, line))

    def _arrived(self, line: StoredLine) -> None:
        place = self.place
        assert place is not None
        if line.offset < place.next:
            return  # said again by its sender: all have heard it
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
                shared = Shared.of(self._message(line))
            session.put(Lane.LINES, shared)

    def _message(self, line: StoredLine) -> Message:
        return Line(self.number, line.offset, line.time, line.tick, line.kind, line.sender, line.name, line.text, line.cid)

    def _heal(self) -> None:
        """Storage failed for a line: it may have been kept all the same, and later ones would wait for ever. Look."""
        if self._healing or self.place is None:
            return
        self._healing = True

        def read(lines: list[StoredLine], now: float) -> None:
            self._healing = False
            for line in lines:
                self._arrived(line)

        def failed(error: BaseException, now: float) -> None:
            self._healing = False

        self._requests.append(Fetch(read, failed, self.name, self.place.next - 1, self._limits.resume_lines))
