"""One channel as a client's session holds it, and its lines as they are shown. Plain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from ..chat.message import ChatMessage
from ..errors import MessageError
from ..messages import Line, LineKind, LineState


@dataclass
class Channel:
    """How far we hold a channel: the last line's offset in this epoch, -1 for none."""

    number: int
    name: str
    epoch: int
    held: int = -1
    #: True once a HISTORY of this epoch came: `held` may be named as a place.
    known: bool = False
    #: True once its HISTORY came on this connection.
    caught_up: bool = False
    #: The offset below which nothing was heard or asked for yet; 0 if there is nothing more.
    oldest: int = 0

    def shown(self, line: Line) -> ChatMessage:
        """Make of a line what users see."""
        return ChatMessage(
            text=line.text,
            channel=self.name,
            kind=LineKind(line.kind) if line.kind in _KINDS else line.kind,
            sender=line.sender,
            name=line.name,
            time=line.time,
            tick=line.tick,
            offset=line.offset,
            cid=line.cid,
            about=line.about,
            to=line.to,
            mentions=tuple(line.mentions),
            data=line.data,
            edited=line.state == LineState.EDITED,
            deleted=line.state == LineState.DELETED,
            reactions={emoji: (count, mine) for emoji, count, mine in line.reactions},
        )

    def read(self, lines: Iterable[list[Any]]) -> list[ChatMessage]:
        """Make it of the lines of HISTORY or PAGE.

        Raises:
            MessageError: If one of them is none.
        """
        try:
            return [self.shown(msgspec.convert([self.number, *items], Line, builtin_types=(bytes,))) for items in lines]
        except (msgspec.ValidationError, ValueError) as error:
            raise MessageError(f"lines of {self.name}: {error}") from error


_KINDS = frozenset(LineKind)
