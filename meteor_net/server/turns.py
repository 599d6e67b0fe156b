"""Turns: what the plain half asks for is done, and what it leaves is sent.

Whatever happens is a *turn*: `begin`, then the plain half is called, then `end` does the requests that rooms left (their
answers may bring more) and flushes every session that has something to say. A turn never waits.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from ..errors import Refused, StorageError
from ..lobby import Lobby
from ..requests import Await, EndOfTurn, Pause, Report, Request, ask_storage
from ..session.registry import Registry


class Turns:
    """Makes turns of what happens in one process.

    Args:
        lobby: Whose requests are done.
        registry: Whose sessions are flushed.
        storage: Keeps lines.
        reactor: Gives the time.
        await_s: How long an answer may take.
        report: Told what went wrong.
    """

    def __init__(
        self, lobby: Lobby, registry: Registry, storage: Any, reactor: Any, await_s: float, report: Report
    ) -> None:  # fmt: skip
        self._lobby = lobby
        self._registry = registry
        self._storage = storage
        self._reactor = reactor
        self._await_s = await_s
        self._report = report
        self._ending = False

    def begin(self) -> float:
        """Something happens: tell the plain half the time.

        Returns:
            The time in seconds.
        """
        now: float = self._reactor.seconds()
        self._lobby.around.now = now
        return now

    def end(self, now: float) -> None:
        """Do what was asked for, and send what was left. A turn inside a turn leaves that to the outer one."""
        if self._ending:
            return
        self._ending = True
        try:
            requests = self._lobby.requests
            while requests or self._registry.dirty:
                waiting = requests[:]
                requests.clear()
                for request in waiting:
                    self._perform(request)
                if not requests:
                    self._flush(now)
        finally:
            self._ending = False

    def _flush(self, now: float) -> None:
        for session, error in self._registry.flush(now):
            self._report("error", error, player=session.name, verb="send")

    def _perform(self, request: Request) -> None:
        try:
            awaitable, seconds = self._awaitable(request)
            deferred = as_deferred(awaitable)
        except Exception:
            deferred, seconds = Deferred(), 0.0
            deferred.errback(Failure())
        # One that has fired may still wait, for another one that a callback answered.
        if not deferred.called or isinstance(getattr(deferred, "result", None), Deferred):
            deferred.addTimeout(seconds, self._reactor)

        def then(answer: Any) -> None:
            now = self.begin()
            request.then(answer, now)
            self.end(now)

        def failed(failure: Failure) -> None:
            now = self.begin()
            error: Any = failure.value
            if isinstance(error, TimeoutError):
                error = _late(request, seconds)
            request.failed(error, now)
            self.end(now)

        deferred.addCallbacks(then, failed)
        deferred.addErrback(lambda failure: self._report("error", failure.value, verb="turn"))

    def _awaitable(self, request: Request) -> tuple[Any, float]:
        """(what to await, how long)."""
        if isinstance(request, Await):
            return request.what, request.seconds
        if isinstance(request, EndOfTurn):
            return succeed(None), 0.0
        if isinstance(request, Pause):
            return deferLater(self._reactor, request.seconds), request.seconds + self._await_s
        return ask_storage(self._storage, request), self._await_s


def _late(request: Request, seconds: float) -> Exception:
    """What a request that was not answered in time fails with. What a storage was to keep may be kept all the same."""
    if isinstance(request, Await):
        return Refused(f"this took longer than {seconds:g} s", "failed")
    return StorageError(f"storage did not answer within {seconds:g} s", unknown=True)


def as_deferred(what: Awaitable[Any]) -> Deferred[Any]:
    """Any awaitable as a Deferred."""
    if isinstance(what, Deferred):
        return what

    async def wait() -> Any:
        return await what

    return Deferred.fromCoroutine(wait())
