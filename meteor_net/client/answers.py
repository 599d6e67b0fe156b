"""What a player waits for: answers to actions and lines, and the next ticks."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from ..chat.message import ChatPage
from ..errors import MeteorError, Refused
from ..session import client_values as values
from .ticks import Ticks


class Answers:
    """Deferreds by what they wait for. The session bounds how many actions, lines and pages may wait."""

    def __init__(self) -> None:
        self._actions: dict[int, Deferred[Any]] = {}
        self._lines: dict[str, Deferred[int]] = {}
        self._pages: dict[int, Deferred[ChatPage]] = {}
        self._ticks: list[Ticks] = []

    def action(self, key: int) -> Deferred[Any]:
        """Wait for an action's answer."""
        self._actions[key] = done = Deferred[Any]()
        return done

    def line(self, cid: str) -> Deferred[int]:
        """Wait for a line's."""
        self._lines[cid] = kept = Deferred[int]()
        return kept

    def page(self, key: int) -> Deferred[ChatPage]:
        """Wait for a page of lines."""
        self._pages[key] = page = Deferred[ChatPage]()
        return page

    def ticks(self, ticks: Ticks) -> None:
        """Tell an iterator of every frame."""
        self._ticks.append(ticks)

    def frame(self, tick: int) -> None:
        """A frame was applied."""
        # those that nobody iterates any more are let go
        self._ticks = [ticks for ticks in self._ticks if not ticks.abandoned]
        for ticks in list(self._ticks):
            ticks.frame(tick)

    def action_done(self, value: values.ActionDone) -> None:
        """An action was taken."""
        waiter = self._actions.pop(value.key, None)
        if waiter is not None:
            waiter.callback(value.value)

    def action_refused(self, value: values.ActionRefused) -> None:
        """An action was refused."""
        waiter = self._actions.pop(value.key, None)
        if waiter is not None:
            waiter.errback(Refused(value.text, value.reason))

    def line_kept(self, value: values.LineKept) -> None:
        """A line has its place."""
        waiter = self._lines.pop(value.cid, None)
        if waiter is not None:
            waiter.callback(value.offset)

    def line_refused(self, value: values.LineRefused) -> None:
        """A line was refused."""
        waiter = self._lines.pop(value.cid, None)
        if waiter is not None:
            waiter.errback(Refused(value.text, value.reason, value.wait_s))

    def page_heard(self, value: values.PageHeard) -> None:
        """A page is there."""
        waiter = self._pages.pop(value.key, None)
        if waiter is not None:
            waiter.callback(value.page)

    def page_refused(self, value: values.PageRefused) -> None:
        """A page is not to be had."""
        waiter = self._pages.pop(value.key, None)
        if waiter is not None:
            waiter.errback(Refused(value.text, value.reason))

    def end(self, error: MeteorError | None, gone: MeteorError) -> None:
        """There will be no more answers: because of `error`; if that is None, the player has gone.

        Args:
            error: What those who wait get, and what ticks raise.
            gone: What those who wait get if the player has gone; ticks just stop.
        """
        ticks, self._ticks = self._ticks, []
        for each in ticks:
            each.end(error)
        waiters: list[Deferred[Any]] = [*self._actions.values(), *self._lines.values(), *self._pages.values()]
        self._actions.clear()
        self._lines.clear()
        self._pages.clear()
        for waiter in waiters:
            waiter.errback(error or gone)
            if error is None:  # who waits has heard it now; who does not did not care
                waiter.addErrback(lambda _: None)
