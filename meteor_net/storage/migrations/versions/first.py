"""Channels, lines, reactions, users, and what is kept by name."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the beginning."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    meteor = op.create_table("meteor", sa.Column("seed", sa.LargeBinary, nullable=False))
    op.bulk_insert(meteor, [{"seed": os.urandom(16)}])
    op.create_table(
        "channels",
        sa.Column("id", number, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("next", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "lines",
        sa.Column("channel", number, sa.ForeignKey("channels.id"), primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("cid", sa.Text, nullable=False),
        sa.Column("about", sa.BigInteger, nullable=False),
        sa.Column("to", sa.Text, nullable=False),
        sa.Column("mentions", sa.Text),
        sa.Column("data", sa.LargeBinary),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("edit", sa.BigInteger, nullable=False),
        sa.Column("content", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("lines_said", "lines", ["channel", "sender", "cid"], unique=True)
    op.create_index("lines_time", "lines", ["time"])
    op.create_index("lines_content", "lines", ["channel", "content"])
    op.create_table(
        "reactions",
        sa.Column("channel", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("about", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("emoji", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["channel", "about"], ["lines.channel", "lines.offset"], ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("users_name", "users", ["name", "seen"])
    op.create_table(
        "kept",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
