"""The tables of a database, and how a line becomes a row. What changes here wants a migration beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import cbor2
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)  # fmt: skip

from ..interfaces import StoredLine
from ..messages import CHANGES

#: The revision of these tables: the newest of migrations/versions.
HEAD = "0001"

metadata = MetaData()

#: One row. The seed makes the epochs: with another one, every channel is told to be another.
database = Table("meteor", metadata, Column("seed", LargeBinary, nullable=False))

channels = Table(
    "channels",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("next", BigInteger, nullable=False),
)

lines = Table(
    "lines",
    metadata,
    Column("channel", ForeignKey("channels.id"), primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("tick", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    # "=" and the sender's own id; or "*" and one of ours, so that no line is kept twice when a commit is tried again.
    Column("cid", Text, nullable=False),
    Column("about", BigInteger, nullable=False),
    Column("to", Text, nullable=False),
    Column("mentions", Text),  # JSON
    Column("data", LargeBinary),  # CBOR
    Column("state", SmallInteger, nullable=False),
    # The offset of the newest line that edited this one, the only one that still has its text; -1 for none.
    Column("edit", BigInteger, nullable=False),
    # The offset again, of a line that is shown by itself: so a page is found however many changes lie between.
    Column("content", BigInteger),
    Index("lines_said", "channel", "sender", "cid", unique=True),
    Index("lines_time", "time"),
    Index("lines_content", "channel", "content"),
    sqlite_with_rowid=False,  # a channel's lines lie side by side
)

#: A row for each user who reacts to a line with an emoji; `place` is the offset of the first reaction with that emoji.
reactions = Table(
    "reactions",
    metadata,
    Column("channel", BigInteger, primary_key=True, autoincrement=False),
    Column("about", BigInteger, primary_key=True, autoincrement=False),
    Column("emoji", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("place", BigInteger, nullable=False),
    ForeignKeyConstraint(["channel", "about"], ["lines.channel", "lines.offset"], ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Index("users_name", "name", "seen"),
    sqlite_with_rowid=False,
)

kept = Table(
    "kept",
    metadata,
    Column("name", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)


def epoch(seed: bytes, channel: str) -> int:
    """The epoch of a channel: 48 bits that look random, the same for as long as the database is.

    So it can be told before a channel has a line, and a channel without lines needs no row: every guest has an inbox.
    """
    return int.from_bytes(blake2b(channel.encode(), key=seed, digest_size=6).digest(), "big")


def to_row(line: StoredLine, channel: int, offset: int, cid: str) -> dict[str, Any]:
    """A line as a row of `lines`; `cid` with its mark."""
    return {
        "channel": channel,
        "offset": offset,
        "time": line.time,
        "tick": line.tick,
        "kind": int(line.kind),
        "sender": line.sender,
        "name": line.name,
        "text": line.text,
        "cid": cid,
        "about": line.about,
        "to": line.to,
        "mentions": json.dumps(line.mentions) if line.mentions else None,
        "data": None if line.data is None else cbor2.dumps(line.data),
        "state": 0,
        "edit": -1,
        "content": None if line.kind in CHANGES else offset,
    }


def from_row(row: Mapping[str, Any]) -> StoredLine:
    """A line, but for its reactions, from its row."""
    cid, mentions, data = row["cid"], row["mentions"], row["data"]
    return StoredLine(
        offset=row["offset"],
        time=row["time"],
        tick=row["tick"],
        kind=row["kind"],
        sender=row["sender"],
        name=row["name"],
        text=row["text"],
        cid=cid[1:] if cid[0] == "=" else "",
        about=row["about"],
        to=row["to"],
        mentions=tuple(json.loads(mentions)) if mentions else (),
        data=None if data is None else cbor2.loads(data),
        state=row["state"],
    )
