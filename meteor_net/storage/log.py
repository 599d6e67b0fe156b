"""The newest lines of one channel, as they stand now. Plain: no I/O, no time.

What an edit, a deletion or a reaction does to the line that it is about is said here once for memory and cache, and the
rules of who may do it (`check_about`, `check_reaction`) for all storage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from ..errors import Refused
from ..interfaces import StoredLine
from ..messages import CHANGES, MAX_REACTIONS, LineKind, LineState

#: What a line takes in memory beside its texts, roughly.
LINE_BYTES = 400
#: The same for one user's reaction.
REACTION_BYTES = 120
#: Changes that need nobody's leave.
REACTIONS = (LineKind.REACTION, LineKind.UNREACTION)
#: What an edit may change: words of a user's own. What a game said in its own kind it has answered for; an emoji is one.
EDITABLE = frozenset({LineKind.TEXT, LineKind.ME})


class Entry(NamedTuple):
    """A line and who reacted to it.

    Attributes:
        line: As it stands now, but for its reactions.
        reactions: Emoji -> the users' ids, in the order of first use.
    """

    line: StoredLine
    reactions: dict[str, dict[str, None]]


def check_about(line: StoredLine, target: StoredLine | None, moderator: bool) -> None:
    """Check whether a line may be about another one.

    Args:
        line: A change, or an answer.
        target: What it is about, if that is kept.
        moderator: The sender may change lines of others.

    Raises:
        Refused: It may not.
    """
    if target is None or target.kind in CHANGES or target.state == LineState.DELETED:
        raise Refused("the line that this is about is not there", "not-there")
    if line.kind == LineKind.EDIT and target.kind not in EDITABLE:
        raise Refused("only what was written can be edited", "refused")
    if line.kind in (LineKind.EDIT, LineKind.DELETE) and line.sender != target.sender and not moderator:
        raise Refused("that line is another's", "not-yours")


def check_reaction(line: StoredLine, there: bool, first: bool, different: int) -> None:
    """Check whether a reaction may be added or taken back.

    Args:
        line: A reaction, or its end.
        there: The sender reacts with that emoji now.
        first: Nobody does.
        different: Emojis that the line has.

    Raises:
        Refused: It may not.
    """
    if there == (line.kind == LineKind.REACTION):
        raise Refused("that reaction is there already" if there else "that reaction is not there", "already")
    if first and different >= MAX_REACTIONS:
        raise Refused(f"a line has at most {MAX_REACTIONS} different reactions", "too-many")


def edited(target: StoredLine, edit: StoredLine) -> StoredLine:
    """A line after an edit."""
    return target._replace(text=edit.text, mentions=edit.mentions, state=int(LineState.EDITED))


def deleted(target: StoredLine) -> StoredLine:
    """A line after it was deleted: what was said is gone."""
    return target._replace(text="", mentions=(), data=None, state=int(LineState.DELETED))


class Log:
    """A window of the newest lines of a channel, without holes.

    Args:
        next: The offset of the line to come.

    Attributes:
        next: The same now.
        bytes: What it takes in memory, roughly.
    """

    def __init__(self, next: int = 0) -> None:
        self.next = next
        self.bytes = 0
        self._entries: deque[Entry] = deque()
        self._known: dict[tuple[str, str], int] = {}
        #: Offset of a line -> that of the newest line that edited it: the only one that still has its text.
        self._edits: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> int:
        """The offset of the oldest line."""
        return self.next - len(self._entries)

    # --- adding ---

    def append(self, line: StoredLine, moderator: bool = False) -> StoredLine:
        """Give a line its offset and fold it in; answer it as it is kept. One that its sender said before is answered only.

        Raises:
            Refused: As `IStorage.append` says.
        """
        offset = self._known.get((line.sender, line.cid)) if line.cid else None
        if offset is None:
            self._check(line, moderator)
            offset = self.next
            self.put(line._replace(offset=offset, state=0, reactions=()))
        entry = self._entry(offset)
        assert entry is not None, "a line that is known is held"
        return self._shown(entry, line.sender)

    def _check(self, line: StoredLine, moderator: bool) -> None:
        if line.about < 0 and line.kind not in CHANGES:
            return
        target = self._entry(line.about)
        check_about(line, target.line if target else None, moderator)
        if target and line.kind in REACTIONS:
            users = target.reactions.get(line.text, {})
            check_reaction(line, line.sender in users, not users, len(target.reactions))

    def put(self, line: StoredLine) -> None:
        """Fold in the line that comes next, which was allowed; what it is about need not be held."""
        assert line.offset == self.next, f"line {line.offset} where {self.next} is next"
        target = self._entry(line.about) if line.kind in CHANGES else None
        if line.kind in (LineKind.EDIT, LineKind.DELETE):
            self._erase_edit(line.about)
        self.add(Entry(line._replace(reactions=()), {}))
        if target is None:
            return
        if line.kind in REACTIONS:
            self._react(target, line)
        elif line.kind == LineKind.EDIT:
            self._replace(edited(target.line, line))
        else:
            self._clear(target)
            self._replace(deleted(target.line))

    def add(self, entry: Entry) -> None:
        """Take in a line that comes next, folded elsewhere."""
        line = entry.line
        self.next = line.offset + 1
        self._entries.append(entry)
        self.bytes += _size(line) + REACTION_BYTES * sum(map(len, entry.reactions.values()))
        if line.cid:
            self._known[line.sender, line.cid] = line.offset
        if line.kind == LineKind.EDIT and line.text:
            self._edits[line.about] = line.offset

    def drop(self) -> None:
        """Forget the oldest line."""
        line, _ = entry = self._entries[0]
        self._clear(entry)
        self._entries.popleft()
        self.bytes -= _size(line)
        self._known.pop((line.sender, line.cid), None)
        if self._edits.get(line.about) == line.offset:
            del self._edits[line.about]

    def _react(self, target: Entry, line: StoredLine) -> None:
        users = target.reactions.setdefault(line.text, {})
        before = len(users)
        if line.kind == LineKind.REACTION:
            users[line.sender] = None
        else:
            users.pop(line.sender, None)
        self.bytes += REACTION_BYTES * (len(users) - before)
        if not users:
            del target.reactions[line.text]

    def _clear(self, entry: Entry) -> None:
        self.bytes -= REACTION_BYTES * sum(map(len, entry.reactions.values()))
        entry.reactions.clear()

    def _erase_edit(self, about: int) -> None:
        older = self._entry(self._edits.pop(about, -1))
        if older is not None:
            self._replace(older.line._replace(text="", mentions=()))

    def _replace(self, line: StoredLine) -> None:
        place = line.offset - self.first
        before = self._entries[place]
        self.bytes += _size(line) - _size(before.line)
        self._entries[place] = before._replace(line=line)

    # --- reading ---

    def lines(self, after: int, limit: int, reader: str) -> list[StoredLine]:
        """The oldest lines above an offset; see `IStorage.lines`."""
        start = max(0, after + 1 - self.first)
        return [self._shown(entry, reader) for entry in islice(self._entries, start, start + limit)]

    def page(self, before: int | None, limit: int, reader: str) -> list[StoredLine]:
        """The newest lines below an offset that change no other; see `IStorage.page`."""
        skipped = 0 if before is None else max(0, self.next - before)
        newest_first = islice(reversed(self._entries), skipped, None)
        content = (entry for entry in newest_first if entry.line.kind not in CHANGES)
        return [self._shown(entry, reader) for entry in islice(content, limit)][::-1]

    def entries(self, limit: int) -> list[Entry]:
        """The newest lines with all who reacted to them, ascending; copies."""
        newest = islice(self._entries, max(0, len(self._entries) - limit), None)
        return [Entry(line, {emoji: dict(users) for emoji, users in reactions.items()}) for line, reactions in newest]

    def _entry(self, offset: int) -> Entry | None:
        place = offset - self.first
        return self._entries[place] if 0 <= place < len(self._entries) and offset >= 0 else None

    def _shown(self, entry: Entry, reader: str) -> StoredLine:
        line = entry.line
        if line.kind in REACTIONS:
            target = self._entry(line.about)
            count = len(target.reactions.get(line.text, ())) if target else 0
            return line._replace(reactions=((line.text, count, False),))
        if not entry.reactions:
            return line
        return line._replace(reactions=counted(entry.reactions.items(), reader))


def counted(reactions: Iterable[tuple[str, dict[str, None]]], reader: str) -> tuple[tuple[str, int, bool], ...]:
    """Reactions as a reader sees them."""
    return tuple((emoji, len(users), reader in users) for emoji, users in reactions)


def _size(line: StoredLine) -> int:
    # A game's data is at most 4 KiB encoded, and seldom there: counting it whole is near enough.
    return LINE_BYTES + len(line.text) + len(line.name) + (0 if line.data is None else 4_096)
