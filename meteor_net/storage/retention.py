"""What is not kept for ever: old lines go, a few at a time, between the transactions of the writer."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, and_, bindparam, delete, select, tuple_

from . import tables

#: No line younger than this goes by count: a sender may say a line again for so long, and it must be known then.
DEDUPE_S = 24 * 3600
DAY_MS = 24 * 3600 * 1000
#: Lines that go in one transaction.
PIECE = 500
#: Channels that are looked at in one transaction.
CHANNELS = 200
#: Between two pieces, while there is more; and between two rounds.
SOON_S = 0.1
LATER_S = 300.0

_lines, _channels = tables.lines, tables.channels
_KEY = tuple_(_lines.c.channel, _lines.c.offset)
_OLD = (
    select(_lines.c.channel, _lines.c.offset)
    .where(_lines.c.time < bindparam("before"))
    .order_by(_lines.c.time)
    .limit(bindparam("most"))
)  # fmt: skip
_MANY = (
    select(_lines.c.channel, _lines.c.offset)
    .where(and_(_lines.c.channel == bindparam("id"), _lines.c.offset < bindparam("first"), _lines.c.time < bindparam("before")))
    .order_by(_lines.c.offset)
    .limit(bindparam("most"))
)
_LARGE = (
    select(_channels.c.id, _channels.c.next)
    .where(_channels.c.next > bindparam("keep"), _channels.c.id > bindparam("after"))
    .order_by(_channels.c.id)
    .limit(bindparam("most"))
)
_DELETE_OLD = delete(_lines).where(_KEY.in_(_OLD))
_DELETE_MANY = delete(_lines).where(_KEY.in_(_MANY))


class Retention:
    """Lets lines go by age and by count. A channel's epoch and offsets stay.

    Args:
        days: Lines older than so many days go; None keeps them.
        lines: A channel's lines but the newest so many go, if they are older than a day; None keeps them.
        seconds: The clock: since 1970.

    Attributes:
        pruned: Lines that went.
    """

    def __init__(self, days: int | None, lines: int | None, seconds: Callable[[], float]) -> None:
        self.pruned = 0
        self._days = days
        self._lines = lines
        self._seconds = seconds
        self._channel = 0
        self._piece = PIECE
        self._going = 0

    def __bool__(self) -> bool:
        return self._days is not None or self._lines is not None

    def __call__(self, connection: Connection) -> float:
        """Let a few lines go, in a transaction; answers the seconds until it should be called again."""
        now = int(self._seconds() * 1000)
        rest, more = self._piece, False
        if self._days is not None:
            rest -= connection.execute(_DELETE_OLD, {"before": now - self._days * DAY_MS, "most": rest}).rowcount
        if self._lines is not None and rest > 0:
            rest, more = self._by_count(connection, self._lines, now - DEDUPE_S * 1000, rest)
        self._going = self._piece - rest
        return SOON_S if more or rest <= 0 else LATER_S

    def committed(self) -> None:
        """The transaction in which it was called is done."""
        self.pruned += self._going
        self._going = 0

    def _by_count(self, connection: Connection, keep: int, before: int, rest: int) -> tuple[int, bool]:
        """(how many more lines may go in this piece, whether channels are left in this round)."""
        found = connection.execute(_LARGE, {"keep": keep, "after": self._channel, "most": CHANNELS}).all()
        for number, next_ in found:
            values = {"id": number, "first": next_ - keep, "before": before, "most": rest}
            rest -= connection.execute(_DELETE_MANY, values).rowcount
            if rest <= 0:
                return rest, True
            self._channel = number
        if len(found) == CHANNELS:
            return rest, True
        self._channel = 0
        return rest, False
