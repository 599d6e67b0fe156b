"""Telling things to whoever asked to hear them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger

#: What `on` can hear, and what the hearer is given.
KINDS = (
    "line",  # ChatMessage: somebody said something
    "private",  # ChatMessage: to us alone, or by us to one user
    "notice",  # ChatMessage: a line by the game or the server
    "change",  # ChatMessage: as a line reads that was edited, deleted or reacted to
    "event",  # the event, as the game's class of it
    "frame",  # the tick: the world has changed
    "said",  # cid, offset: a line of ours is kept, one of before the process was killed (`outbox`) too
    "unsaid",  # cid, reason, text: it is not
    "gap",  # the channel's name, None for events: what was said there meanwhile is not to be had
    "status",  # text, see NetworkClient.status
    "left",  # reason, text: we are out of the room
    "error",  # Verdict: what went wrong, whose fault it is, what is done about it
)
_log = Logger()
Hearer = Callable[..., Any]


class Hearers:
    """Callbacks by kind. One that raises is logged and hurts no other."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self._by_kind: dict[str, list[Hearer]] = {kind: [] for kind in kinds}

    def add(self, kind: str, hearer: Hearer) -> None:
        """Have `hearer` called for a kind.

        Raises:
            ValueError: If there is no such kind.
        """
        if kind not in self._by_kind:
            raise ValueError(f"there is no {kind!r} to hear; there is {', '.join(self._by_kind)}")
        self._by_kind[kind].append(hearer)

    def remove(self, kind: str | None = None, hearer: Hearer | None = None) -> None:
        """Call a hearer no longer; None for all of them, or of every kind."""
        for hearers in self._by_kind.values() if kind is None else [self._by_kind.get(kind, [])]:
            hearers[:] = [] if hearer is None else [each for each in hearers if each != hearer]

    def tell(self, kind: str, *what: Any) -> None:
        """Call all who hear a kind; a coroutine that one answers is run."""
        for hearer in list(self._by_kind[kind]):
            try:
                answer = hearer(*what)
                if isinstance(answer, Coroutine):
                    answer = ensureDeferred(answer)
                if isinstance(answer, Deferred):
                    answer.addErrback(_failed, kind)
            except Exception:
                _log.failure("a hearer of {kind!r} failed", kind=kind)


def _failed(failure: Any, kind: str) -> None:
    _log.failure("a hearer of {kind!r} failed", failure, kind=kind)
