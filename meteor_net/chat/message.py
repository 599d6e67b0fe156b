"""One line as a client shows it, and what a later line makes of it. Plain."""

from __future__ import annotations

from typing import Any

import msgspec

from ..messages import CHANGES, LineKind


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        text: What is said, as it reads now; empty for a line that was deleted.
        channel: The channel's name; empty for the room's first one.
        kind: A `LineKind`, or a game's own number from 64 on.
        sender: The user's id, set by the server; empty for a notice.
        name: The user's name.
        time: When, in milliseconds of the server's clock; 0 for a line that is still on its way.
        tick: The room's tick then.
        offset: The line's place in its channel; -1 for a line that is still on its way.
        cid: The sender's own id for the line; empty for notices.
        about: The offset of the line that this one answers or changes; -1 for none.
        to: Of a private message, the user's id that it is for.
        mentions: Ids of users who are named in it.
        data: Of a game's own kind, what goes with it: a value that CBOR can carry.
        edited: The text is not what was said at first.
        deleted: It was taken back.
        reactions: Emoji -> (how many users, whether we are one of them), in the order of first use.
    """

    text: str
    channel: str = ""
    kind: int = LineKind.TEXT
    sender: str = ""
    name: str = ""
    time: int = 0
    tick: int = 0
    offset: int = -1
    cid: str = ""
    about: int = -1
    to: str = ""
    mentions: tuple[str, ...] = ()
    data: Any = None
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, tuple[int, bool]] = {}

    @property
    def changes(self) -> bool:
        """Whether it changes another line, and is not shown itself."""
        return self.kind in CHANGES


class ChatPage(msgspec.Struct, frozen=True):
    """Lines of one channel from before those that are known.

    Attributes:
        messages: The lines, the oldest first, as they read now.
        more: There are older ones.
    """

    messages: list[ChatMessage]
    more: bool


def folded(target: ChatMessage, change: ChatMessage, user: str) -> ChatMessage:
    """Give a line as it reads after a change.

    What a change says is how things stand after it, so that taking one twice, or one that was seen to already, does no harm.

    Args:
        target: The line; a deleted one stays as it is.
        change: An edit, a deletion, a reaction, or the end of one.
        user: Who reads.
    """
    if target.deleted:
        return target
    if change.kind == LineKind.DELETE:
        return msgspec.structs.replace(target, text="", mentions=(), data=None, reactions={}, edited=False, deleted=True)
    if change.kind == LineKind.EDIT:
        if not change.text:  # a later edit took its place, or the line was deleted: that one says what to show
            return target
        return msgspec.structs.replace(target, text=change.text, mentions=change.mentions, edited=True)
    if change.text not in change.reactions:
        return target
    return msgspec.structs.replace(target, reactions=_counted(target.reactions, change, user))


def _counted(before: dict[str, tuple[int, bool]], change: ChatMessage, user: str) -> dict[str, tuple[int, bool]]:
    reactions = dict(before)
    emoji = change.text
    count, _ = change.reactions[emoji]
    _, mine = reactions.get(emoji, (0, False))
    if change.sender == user:
        mine = change.kind == LineKind.REACTION
    if count:
        reactions[emoji] = (count, mine)
    else:
        reactions.pop(emoji, None)
    return reactions
