"""Channels, lines, reactions, users, and what is kept by name."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

#: As they were at this step: later ones change them, so they are not asked of the package's own tables.
_CONTENT = sa.text("kind NOT IN (3, 4, 5, 6)")
_EDIT = sa.text("kind = 5")


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
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("cid", sa.Text, nullable=False),
        sa.Column("about", sa.BigInteger, nullable=False),
        sa.Column("to", sa.Text, nullable=False),
        sa.Column("mentions", sa.Text),
        sa.Column("data", sa.LargeBinary),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("lines_said", "lines", ["channel", "sender", "cid"], unique=True)
    op.create_index("lines_time", "lines", ["time"])
    op.create_index("lines_content", "lines", ["channel", "offset"], sqlite_where=_CONTENT, postgresql_where=_CONTENT)
    op.create_index("lines_edits", "lines", ["channel", "about"], sqlite_where=_EDIT, postgresql_where=_EDIT)
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
