"""Reading from a database: each function is asked inside one transaction, so that all that it finds is of one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from ..interfaces import Identity, StoredLine
from . import tables
from .log import REACTIONS, Entry, counted
from .tables import from_row

_lines, _users, _reactions = tables.lines, tables.users, tables.reactions

# Made once: a statement that is the same object is compiled once.
_PLACE = select(tables.channels.c.id, tables.channels.c.next).where(tables.channels.c.name == bindparam("channel"))
_SEED = select(tables.database.c.seed)
_OF_CHANNEL: Select[Any] = select(_lines).where(_lines.c.channel == bindparam("id")).limit(bindparam("most"))
_AFTER = _OF_CHANNEL.where(_lines.c.offset > bindparam("after")).order_by(_lines.c.offset)
_NEWEST = _OF_CHANNEL.order_by(_lines.c.offset.desc())
_PAGE = _OF_CHANNEL.where(_lines.c.content < bindparam("before")).order_by(_lines.c.content.desc())
_REACTED = (
    select(_reactions.c.about, _reactions.c.emoji, _reactions.c.user)
    .where(_reactions.c.channel == bindparam("id"), _reactions.c.about.in_(bindparam("about", expanding=True)))
    .order_by(_reactions.c.place)
)
_BY_ID = select(_users.c.id, _users.c.name).where(_users.c.id == bindparam("name"))
_BY_NAME = select(_users.c.id, _users.c.name).where(_users.c.name == bindparam("name")).order_by(_users.c.seen.desc()).limit(1)
_KEPT = select(tables.kept.c.data).where(tables.kept.c.name == bindparam("name"))
#: Above every offset.
_END = 2**63 - 1


def seed(connection: Connection) -> bytes:
    """What epochs are made of."""
    return bytes(connection.execute(_SEED).scalar_one())


def place(connection: Connection, channel: str) -> tuple[int, int] | None:
    """(id, offset to come) of a channel; None before its first line."""
    row = connection.execute(_PLACE, {"channel": channel}).one_or_none()
    return None if row is None else (row[0], row[1])


def lines(connection: Connection, channel: str, after: int, limit: int, reader: str) -> list[StoredLine]:
    """See `IStorage.lines`."""
    found = place(connection, channel)
    if found is None:
        return []
    return lines_of(connection, found[0], after, limit, reader)


def lines_of(connection: Connection, channel: int, after: int, limit: int, reader: str) -> list[StoredLine]:
    """The same for a channel's number."""
    rows = connection.execute(_AFTER, {"id": channel, "after": after, "most": limit}).mappings()
    return _shown(connection, channel, [from_row(row) for row in rows], reader)  # type: ignore[arg-type]


def page(connection: Connection, channel: str, before: int | None, limit: int, reader: str) -> list[StoredLine]:
    """See `IStorage.page`."""
    found = place(connection, channel)
    if found is None:
        return []
    values = {"id": found[0], "before": _END if before is None else before, "most": limit}
    rows = connection.execute(_PAGE, values).mappings()
    return _shown(connection, found[0], [from_row(row) for row in rows][::-1], reader)  # type: ignore[arg-type]


def recent(connection: Connection, channel: str, limit: int) -> tuple[int, list[Entry]]:
    """The offset to come, and the newest lines of any kind, ascending, with all who reacted to them."""
    found = place(connection, channel)
    if found is None:
        return 0, []
    rows = connection.execute(_NEWEST, {"id": found[0], "most": limit}).mappings()
    newest = [from_row(row) for row in rows][::-1]  # type: ignore[arg-type]
    reacted = _reacted(connection, found[0], [line.offset for line in newest])
    return found[1], [Entry(line, reacted[line.offset]) for line in newest]


def find(connection: Connection, name: str) -> Identity | None:
    """See `IStorage.find`."""
    for statement in (_BY_ID, _BY_NAME):
        row = connection.execute(statement, {"name": name}).one_or_none()
        if row is not None:
            return Identity(row[0], row[1])
    return None


def kept(connection: Connection, name: str) -> bytes | None:
    """See `IStorage.kept`."""
    data = connection.execute(_KEPT, {"name": name}).scalar_one_or_none()
    return None if data is None else bytes(data)


def _reacted(connection: Connection, channel: int, about: Iterable[int]) -> dict[int, dict[str, dict[str, None]]]:
    """Offset of a line -> emoji -> users."""
    found: dict[int, dict[str, dict[str, None]]] = defaultdict(dict)
    for offset, emoji, user in connection.execute(_REACTED, {"id": channel, "about": list(about)}):
        found[offset].setdefault(emoji, {})[user] = None
    return found


def _shown(connection: Connection, channel: int, found: Sequence[StoredLine], reader: str) -> list[StoredLine]:
    """Lines with their reactions, as a reader sees them."""
    about = {line.about if line.kind in REACTIONS else line.offset for line in found}
    reacted = _reacted(connection, channel, about) if about else {}
    shown = []
    for line in found:
        if line.kind in REACTIONS:
            count = len(reacted.get(line.about, {}).get(line.text, ()))
            line = line._replace(reactions=((line.text, count, False),))
        elif line.offset in reacted:
            line = line._replace(reactions=counted(reacted[line.offset].items(), reader))
        shown.append(line)
    return shown
