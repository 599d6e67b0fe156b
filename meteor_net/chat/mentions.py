"""Who is mentioned in a line: `@name` of somebody who is there."""

from __future__ import annotations

from collections.abc import Iterable

from ..messages import MAX_MENTIONS

#: So many `@` of one line are looked at.
_MOST_SIGNS = 2 * MAX_MENTIONS


def mentioned(text: str, people: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Find who is mentioned: the longest name that fits after an `@`, in whatever case, that no letter or digit follows.

    Args:
        text: The line.
        people: (name, user's id) of those who may be meant; a name that two have means both.

    Returns:
        Their ids in the order of the line, each once, at most `MAX_MENTIONS`.
    """
    if "@" not in text:
        return ()
    users: dict[str, list[str]] = {}
    for name, user in people:
        users.setdefault(name.casefold(), []).append(user)
    lengths = sorted({len(name) for name in users}, reverse=True)
    found: dict[str, None] = {}
    folded = text.casefold()
    at = -1
    for _ in range(_MOST_SIGNS):
        at = folded.find("@", at + 1)
        if at < 0:
            break
        if at and folded[at - 1].isalnum():
            continue  # an e-mail address
        for length in lengths:
            end = at + 1 + length
            who = users.get(folded[at + 1 : end])
            if who is not None and not folded[end : end + 1].isalnum():
                found.update(dict.fromkeys(who))
                break
    return tuple(found)[:MAX_MENTIONS]
