"""What can go wrong with tables and frames."""

from __future__ import annotations

from meteor_net.errors import MessageError, MeteorError, Refused


class DeadRow(MeteorError, LookupError):
    """A handle was used whose row is gone; ask `row.alive` first."""


class TableFull(Refused):
    """A table has `max_rows` rows; the player who asked hears so."""

    def __init__(self, table_name: str, max_rows: int) -> None:
        super().__init__(f"{table_name} is full: {max_rows} rows", reason="table-full")


class FrameError(MessageError):
    """A frame that cannot be applied (wire clause 8.8); nothing has changed."""


class DocumentError(MeteorError, ValueError):
    """A document holds what none may, or too much; the text names the place. Players keep what it was before."""
