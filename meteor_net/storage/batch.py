"""What one transaction of the writer does: lines get their offsets, and change those that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from secrets import token_hex
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import Refused
from ..interfaces import Identity, StoredLine
from ..messages import CHANGES, LineKind
from . import tables
from .log import REACTIONS, check_about, check_reaction, deleted, edited
from .reading import lines_of
from .tables import from_row, to_row

_channels, _lines, _reactions, _users, _kept = (
    tables.channels, tables.lines, tables.reactions, tables.users, tables.kept,
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Append:
    """Keep a line; the result is the line as it is kept."""

    channel: str
    line: StoredLine
    moderator: bool
    #: Its name in the table: the sender's own, or one of ours.
    cid: str = field(init=False)

    def __post_init__(self) -> None:
        self.cid = f"={self.line.cid}" if self.line.cid else f"*{token_hex(8)}"


@dataclass(slots=True, eq=False)
class Seen:
    """Remember a user; the result is None."""

    identity: Identity
    time: int


@dataclass(slots=True, eq=False)
class Keep:
    """Keep bytes under a name, or forget them; the result is None."""

    name: str
    data: bytes | None


Job = Append | Seen | Keep


@dataclass(slots=True)
class _Place:
    id: int
    next: int
    grown: bool = False


class _Target(NamedTuple):
    """A line that another one is about.

    Attributes:
        line: It, but for its reactions.
        edit: The offset of the line that edited it last; -1 for none.
        reacted: If that other one is a reaction: emoji -> (place, how many).
    """

    line: StoredLine
    edit: int
    reacted: dict[str, tuple[int, int]]


# Made once: a statement that is the same object is compiled once.
_LOCK = (
    select(_channels.c.name, _channels.c.id, _channels.c.next)
    .where(_channels.c.name.in_(bindparam("names", expanding=True)))
    .order_by(_channels.c.name)  # two servers that lock several channels do so in one order
    .with_for_update()
)
_GROW = update(_channels).where(_channels.c.id == bindparam("channel")).values(next=bindparam("offset_to_come"))
_SAID = select(_lines.c.offset).where(
    _lines.c.channel == bindparam("channel"), _lines.c.sender == bindparam("sender"), _lines.c.cid == bindparam("cid")
)
_THIS = and_(_lines.c.channel == bindparam("channel_"), _lines.c.offset == bindparam("about_"))
_LINE = select(_lines).where(_THIS)
_REWRITTEN = ("text", "mentions", "data", "state", "edit")
_CHANGE = update(_lines).where(_THIS).values({name: bindparam(name) for name in _REWRITTEN})
_ERASE = update(_lines).where(_THIS).values(text="", mentions=None)
_ON_LINE = and_(_reactions.c.channel == bindparam("channel_"), _reactions.c.about == bindparam("about_"))
_REACTED = select(_reactions.c.emoji, func.min(_reactions.c.place), func.count()).where(_ON_LINE).group_by(_reactions.c.emoji)
_OWN_REACTION = and_(_ON_LINE, _reactions.c.emoji == bindparam("emoji_"), _reactions.c.user == bindparam("user_"))
_REACTS = select(func.count()).select_from(_reactions).where(_OWN_REACTION)
_UNREACT = delete(_reactions).where(_OWN_REACTION)
_CLEAR = delete(_reactions).where(_ON_LINE)
_FORGET = delete(_kept).where(_kept.c.name == bindparam("name_"))


@cache
def _upserts(dialect: str) -> dict[str, Any]:
    """The statements that each database has its own words for."""
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    user, kept = insert(_users), insert(_kept)
    return {
        "channel": insert(_channels).on_conflict_do_nothing(index_elements=["name"]),
        "line": insert(_lines)
        .on_conflict_do_nothing(index_elements=["channel", "sender", "cid"])
        .execution_options(preserve_rowcount=True),
        "user": user.on_conflict_do_update(
            index_elements=["id"],
            set_={"name": user.excluded.name, "seen": user.excluded.seen},
            where=_users.c.seen <= user.excluded.seen,
        ),
        "kept": kept.on_conflict_do_update(index_elements=["name"], set_={"data": kept.excluded.data}),
    }


class Batch:
    """Does jobs in a transaction.

    Args:
        connection: In a transaction, which is committed or rolled back by who made it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._upserts = _upserts(connection.dialect.name)
        self._places: dict[str, _Place] = {}

    def perform(self, jobs: Sequence[Job]) -> list[Any]:
        """Do jobs in their order.

        Returns:
            For each its result, or the Refused that it raised: that one has changed nothing.
        """
        self._lock(sorted({job.channel for job in jobs if isinstance(job, Append)}))
        results = [self._perform(job) for job in jobs]
        for place in self._places.values():
            if place.grown:
                self._connection.execute(_GROW, {"channel": place.id, "offset_to_come": place.next})
        return results

    def _perform(self, job: Job) -> Any:
        try:
            match job:
                case Append():
                    return self._append(job)
                case Seen():
                    user = {"id": job.identity.user, "name": job.identity.name, "seen": job.time}
                    self._connection.execute(self._upserts["user"], user)
                case Keep(name, None):
                    self._connection.execute(_FORGET, {"name_": name})
                case _:
                    self._connection.execute(self._upserts["kept"], {"name": job.name, "data": job.data})
        except Refused as refused:
            return refused
        return None

    def _lock(self, names: list[str]) -> None:
        """Find out where channels stand, and keep others from them until the end of the transaction."""
        for first_time in (True, False):
            missing = [name for name in names if name not in self._places]
            if not missing:
                return
            if not first_time:
                self._connection.execute(self._upserts["channel"], [{"name": name, "next": 0} for name in missing])
            for name, number, next_ in self._connection.execute(_LOCK, {"names": missing}):
                self._places[name] = _Place(number, next_)

    def _append(self, job: Append) -> StoredLine:
        line, place = job.line, self._places[job.channel]
        target: _Target | None = None
        if line.about >= 0 or line.kind in CHANGES:
            # A change that was made already could not be made again, so whether it was is asked first.
            known = self._known(job, place)
            if known is not None:
                return known
            target = self._check(job, place)
        row = to_row(line, place.id, place.next, job.cid)
        if not self._connection.execute(self._upserts["line"], row).rowcount:
            known = self._known(job, place)
            assert known is not None, "a line that was not inserted was there"
            return known
        place.next += 1
        place.grown = True
        kept = line._replace(offset=place.next - 1, state=0, reactions=())
        return self._change(kept, target, place) if target is not None and line.kind in CHANGES else kept

    def _known(self, job: Append, place: _Place) -> StoredLine | None:
        """The line that its sender has said before, as it stands now."""
        said = {"channel": place.id, "sender": job.line.sender, "cid": job.cid}
        offset = self._connection.execute(_SAID, said).scalar()
        if offset is None:
            return None
        (line,) = lines_of(self._connection, place.id, offset - 1, 1, job.line.sender)
        return line

    def _check(self, job: Append, place: _Place) -> _Target:
        """Find the line that one is about.

        Raises:
            Refused: As `IStorage.append` says.
        """
        line = job.line
        this = {"channel_": place.id, "about_": line.about}
        row: Any = self._connection.execute(_LINE, this).mappings().one_or_none() if line.about >= 0 else None
        found = None if row is None else from_row(row)
        check_about(line, found, job.moderator)
        assert found is not None, "what is not there was refused"
        if line.kind not in REACTIONS:
            return _Target(found, row["edit"], {})
        reacted = {emoji: (first, count) for emoji, first, count in self._connection.execute(_REACTED, this)}
        there = bool(self._connection.execute(_REACTS, {**this, "emoji_": line.text, "user_": line.sender}).scalar())
        check_reaction(line, there, line.text not in reacted, len(reacted))
        return _Target(found, row["edit"], reacted)

    def _change(self, line: StoredLine, target: _Target, place: _Place) -> StoredLine:
        """Let a change that was kept change its line; answers the change as it is kept."""
        this = {"channel_": place.id, "about_": line.about}
        if line.kind in REACTIONS:
            first, count = target.reacted.get(line.text, (line.offset, 0))
            if line.kind == LineKind.REACTION:
                row = {"channel": place.id, "about": line.about, "emoji": line.text, "user": line.sender, "place": first}
                self._connection.execute(_reactions.insert(), row)
                count += 1
            else:
                self._connection.execute(_UNREACT, {**this, "emoji_": line.text, "user_": line.sender})
                count -= 1
            return line._replace(reactions=((line.text, count, False),))
        if target.edit >= 0:
            self._connection.execute(_ERASE, {"channel_": place.id, "about_": target.edit})
        if line.kind == LineKind.EDIT:
            self._rewrite(edited(target.line, line), place, line.offset)
        else:
            self._connection.execute(_CLEAR, this)
            self._rewrite(deleted(target.line), place, -1)
        return line

    def _rewrite(self, line: StoredLine, place: _Place, edit: int) -> None:
        row = to_row(line, place.id, line.offset, "")
        values = {name: row[name] for name in ("text", "mentions", "data")}
        this = {"channel_": place.id, "about_": line.offset, "state": line.state, "edit": edit}
        self._connection.execute(_CHANGE, values | this)
