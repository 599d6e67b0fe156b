"""What text may be said.

One policy for lines and names: composed as Unicode's NFC says, bounded, with something to see in it, and with nothing unseen
that changes what is read (Trojan Source, CVE-2021-42574). So control characters are refused, and the marks that turn the
direction of text: embeddings and overrides (U+202A to U+202E) always, isolates (U+2066 to U+2069) unless each ends in its own
line. Names have none of them, nor anything else that is not seen, so that a blank of no width makes nobody look like another.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from unicodedata import category, normalize

from ..errors import Refused
from ..limits import MAX_NAME_CHARS, MAX_TEXT_BYTES
from ..messages import fitting

_TURNS = re.compile("[\u202a-\u202e]")
_ISOLATES = re.compile("[\u2066-\u2069]")
_END_ISOLATE = "\u2069"
#: Blanks that Unicode counts among letters and signs.
_BLANK_SIGNS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
#: Joiners: without them some scripts, and many emojis, cannot be written.
_JOINERS = frozenset("\u200c\u200d")


def check_text(text: str, most: int) -> str:
    """Check a line's text, compose it (NFC), and strip the blanks around it.

    Args:
        text: As it came.
        most: Characters allowed; 8,192 bytes in any case.

    Raises:
        Refused: If there is nothing to see in it, it is too long, or holds control characters other than line ends and tabs,
            or marks that turn the direction of text and do not end in their line.
    """
    if any(category(char) in ("Cc", "Cs") and char not in "\n\t" for char in text.strip()):
        raise Refused("a line with control characters", "bad-text")
    text = normalize("NFC", text).strip()
    if not any(map(_seen, text)):
        raise Refused("an empty line", "bad-text")
    if len(text) > most:
        raise Refused(f"a line of {len(text)} characters; at most {most}", "bad-text")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise Refused(f"a line of {len(text.encode())} bytes; at most {MAX_TEXT_BYTES}", "bad-text")
    if _TURNS.search(text) or not _isolates_end(text):
        raise Refused("a line that turns the direction of text and not back", "bad-text")
    return text


def tidy_text(text: object, most: int) -> str:
    """Make a line of what a game says itself: never refused, but cut to `most` characters, without what a line may not hold."""
    composed = normalize("NFC", fitting(text, most))[:most]
    kept = "".join(char for char in composed if char in "\n\t" or category(char) != "Cc")
    kept = _TURNS.sub("", kept).strip()
    return kept if _isolates_end(kept) else _ISOLATES.sub("", kept)


def check_name(name: str) -> str:
    """Check a display name or a room's name, compose it (NFC), and strip the blanks around it.

    Raises:
        Refused: If there is nothing to see in it, it is too long, or holds line ends, or characters that are not seen.
    """
    if any(category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name.strip()):
        raise Refused("a name with control characters", "bad-name")
    name = normalize("NFC", name).strip()
    if not any(map(_seen, name)):
        raise Refused("an empty name", "bad-name")
    if len(name) > MAX_NAME_CHARS:
        raise Refused(f"a name of {len(name)} characters; at most {MAX_NAME_CHARS}", "bad-name")
    if any(category(char) == "Cf" and char not in _JOINERS for char in name):
        raise Refused("a name with characters that are not seen", "bad-name")
    return name


def starred(text: str, words: Collection[str]) -> str:
    """Put stars in the place of words, wherever they stand alone, in whatever case."""
    pattern = _pattern(frozenset(words))
    return pattern.sub(lambda found: "*" * len(found[0]), text) if words else text


@lru_cache(maxsize=64)
def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted((normalize("NFC", word) for word in words), key=lambda word: (-len(word), word))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def _seen(char: str) -> bool:
    """Whether a character shows anything; one that Python's Unicode does not know may be a new emoji."""
    return category(char) not in ("Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me") and char not in _BLANK_SIGNS


def _isolates_end(text: str) -> bool:
    """Whether every isolate ends in its own line, and nothing ends that did not begin."""
    for line in text.splitlines():
        depth = 0
        for mark in _ISOLATES.findall(line):
            depth += -1 if mark == _END_ISOLATE else 1
            if depth < 0:
                return False
        if depth:
            return False
    return True
