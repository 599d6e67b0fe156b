"""What is said while a benchmark runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import TypeVar

T = TypeVar("T")


def say(text: str) -> None:
    """Say something that is no figure."""
    print(text, flush=True)


def shown(items: Iterable[T], what: str, count: int | None = None) -> Iterator[T]:
    """Yield the items, and show at a terminal how far that is."""
    total = count if count is not None else len(items) if isinstance(items, Sized) else 0
    last_s = 0.0
    for number, item in enumerate(items):
        if sys.stderr.isatty() and monotonic() - last_s > 0.2:
            last_s = monotonic()
            print(f"\r\033[K{what}: {number} of {total}", end="", file=sys.stderr, flush=True)
        yield item
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
