"""Who looks on in a room without being in it, such as a recorder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..interfaces import StoredLine
from .asking import Asking


class Observer(Protocol):
    """Told what everybody in a room hears; what is for one player alone it does not hear."""

    def ticked(self, tick: int, events: Sequence[Any]) -> None:
        """A tick is over: its version is the newest of the stream; all were told these events of it."""

    def line(self, line: StoredLine) -> None:
        """A line is kept in the room's channel."""

    def closed(self) -> None:
        """The room ends."""


class Observers:
    """Those of one room. One that raises is told of no more, and the room goes on.

    Args:
        asking: Told the error.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._observers: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Somebody looks on from now on."""
        self._observers.append(observer)

    def ticked(self, tick: int, events: Sequence[Any]) -> None:
        """A tick is over."""
        self._tell(lambda observer: observer.ticked(tick, events))

    def line(self, line: StoredLine) -> None:
        """A line is kept."""
        self._tell(lambda observer: observer.line(line))

    def closed(self) -> None:
        """The room ends."""
        self._tell(lambda observer: observer.closed())

    def _tell(self, tell: Callable[[Observer], None]) -> None:
        for observer in list(self._observers):
            try:
                tell(observer)
            except Exception as error:
                self._observers.remove(observer)
                self._asking.raised(None, "observe", error)
