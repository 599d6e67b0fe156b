"""What text may be said."""

from __future__ import annotations

from unicodedata import category

from ..errors import Refused
from ..limits import MAX_NAME_CHARS
from ..messages import fitting


def check_text(text: str, most: int) -> str:
    """Check a line's text and strip the blanks around it.

    Args:
        text: As it came.
        most: Characters allowed.

    Raises:
        Refused: If it is empty, too long, or holds control characters other than line ends and tabs.
    """
    text = text.strip()
    if not text:
        raise Refused("an empty line", "bad-text")
    if len(text) > most:
        raise Refused(f"a line of {len(text)} characters; at most {most}", "bad-text")
    if any(category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text):
        raise Refused("a line with control characters", "bad-text")
    return text


def tidy_text(text: object, most: int) -> str:
    """Make a line of what a game says itself: never refused, but cut to `most` characters, without control characters."""
    kept = "".join(char for char in fitting(text, most) if char in "\n\t" or category(char) != "Cc")
    return kept.strip()


def check_name(name: str) -> str:
    """Check a display name or a room's name, and strip the blanks around it.

    Raises:
        Refused: If it is empty, too long, or holds control characters or line ends.
    """
    name = name.strip()
    if not name:
        raise Refused("an empty name", "bad-name")
    if len(name) > MAX_NAME_CHARS:
        raise Refused(f"a name of {len(name)} characters; at most {MAX_NAME_CHARS}", "bad-name")
    if any(category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        raise Refused("a name with control characters", "bad-name")
    return name
