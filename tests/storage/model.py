"""What storage promises, in the plainest way: all lines as they were said, and every answer found by going through them."""

from __future__ import annotations

from typing import Any

from meteor_net.errors import Refused
from meteor_net.interfaces import StoredLine

TEXT, NOTICE, EMOJI, REACTION, UNREACTION, EDIT, DELETE, PRIVATE = range(8)


class Model:
    """One channel."""

    def __init__(self) -> None:
        self.said: list[StoredLine] = []

    def append(self, line: StoredLine, moderator: bool = False) -> StoredLine:
        """As `IStorage.append`."""
        for offset, other in enumerate(self.said):
            if line.cid and (line.sender, line.cid) == (other.sender, other.cid):
                return self.shown(offset, line.sender)
        if line.about >= 0 or line.kind in (REACTION, UNREACTION, EDIT, DELETE):
            self.check(line, moderator)
        self.said.append(line._replace(offset=len(self.said)))
        return self.shown(len(self.said) - 1, line.sender)

    def check(self, line: StoredLine, moderator: bool) -> None:
        """Refuse what is wrong."""
        if not 0 <= line.about < len(self.said):
            raise Refused("", "not-there")
        target = self.said[line.about]
        if target.kind in (REACTION, UNREACTION, EDIT, DELETE) or self.shown(line.about, "").state == 2:
            raise Refused("", "not-there")
        if line.kind == EDIT and target.kind != TEXT:  # nobody does anything (ME) here
            raise Refused("", "refused")
        if line.kind in (EDIT, DELETE) and line.sender != target.sender and not moderator:
            raise Refused("", "not-yours")
        if line.kind in (REACTION, UNREACTION):
            there = dict(self.reactions(line.about))
            mine = line.sender in there.get(line.text, [])
            if mine == (line.kind == REACTION):
                raise Refused("", "already")
            if line.kind == REACTION and len(there) == 20 and line.text not in there:
                raise Refused("", "too-many")

    def reactions(self, about: int) -> list[tuple[str, list[str]]]:
        """Who reacts to a line, by emoji, in the order of first use."""
        found: list[tuple[str, list[str]]] = []
        for line in self.said:
            if line.about != about:
                continue
            if line.kind == DELETE:
                found = []
            for place, (emoji, users) in enumerate(found):
                if emoji == line.text and line.kind == REACTION:
                    users.append(line.sender)
                    break
                if emoji == line.text and line.kind == UNREACTION:
                    users.remove(line.sender)
                    if not users:
                        del found[place]
                    break
            else:
                if line.kind == REACTION:
                    found.append((line.text, [line.sender]))
        return found

    def shown(self, offset: int, reader: str) -> StoredLine:
        """A line as it stands now."""
        line = self.said[offset]
        if line.kind in (REACTION, UNREACTION):
            users = dict(self.reactions(line.about)).get(line.text, [])
            return line._replace(reactions=((line.text, len(users), False),))
        for later in self.said[offset + 1 :]:
            if later.kind in (EDIT, DELETE) and line.kind == EDIT and later.about == line.about:
                line = line._replace(text="", mentions=())
            elif later.kind == EDIT and later.about == offset:
                line = line._replace(text=later.text, mentions=later.mentions, state=1)
            elif later.kind == DELETE and later.about == offset:
                line = line._replace(text="", mentions=(), data=None, state=2)
        return line._replace(reactions=tuple((emoji, len(users), reader in users) for emoji, users in self.reactions(offset)))

    def lines(self, after: int, limit: int, reader: str) -> list[StoredLine]:
        """As `IStorage.lines`."""
        return [self.shown(offset, reader) for offset in range(max(0, after + 1), len(self.said))][:limit]

    def page(self, before: int | None, limit: int, reader: str) -> list[StoredLine]:
        """As `IStorage.page`."""
        end = len(self.said) if before is None else min(before, len(self.said))
        content = [
            self.shown(offset, reader)
            for offset in range(end)
            if self.said[offset].kind not in (REACTION, UNREACTION, EDIT, DELETE)
        ]
        return content[-limit:] if limit else []


def line(text: str = "hi", sender: str = "ann", kind: int = TEXT, **more: Any) -> StoredLine:
    """A line to say."""
    values: dict[str, Any] = {"offset": -1, "time": 1_000, "tick": 1, "name": sender, "cid": ""} | more
    return StoredLine(text=text, sender=sender, kind=kind, **values)
