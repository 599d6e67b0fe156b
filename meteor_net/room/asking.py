"""Calling a handler's verb: it may answer at once, or later, or raise, and hurts its own event only."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from ..errors import Refused, StorageError
from ..limits import Limits
from ..requests import Await, Failed, Report, Request, Then
from .player import Player


def nothing(_: Any, now: float) -> None:
    """For an answer that nobody waits for."""


def as_refused(error: BaseException) -> Refused:
    """What the player is told of an error: the handler's own words, the storage's, or that it failed."""
    if isinstance(error, Refused):
        return error
    return Refused(error.text if isinstance(error, StorageError) else "this failed on the server", "failed")


class Asking:
    """Asks the handlers of one room.

    While a verb of a player's is being awaited, that player's later events wait behind it, in order; all others go on.

    Attributes:
        errors: How many verbs raised something else than Refused.
    """

    def __init__(self, room: str, limits: Limits, requests: list[Request], report: Report) -> None:
        self.errors = 0
        self._room = room
        self._limits = limits
        self._requests = requests
        self._report = report

    def ask(self, player: Player | None, verb: str, call: Callable[[], Any], then: Then, failed: Failed, now: float) -> None:
        """Call a verb; exactly one of `then` and `failed` is called, now or later.

        Args:
            player: Whose event it is, None for the room's own. This player's later events wait.
            verb: Its name, for the log.
            call: Calls it.
            then: Takes the answer.
            failed: Takes Refused, or any other error, which has been logged.
            now: The time in seconds.
        """
        try:
            answer = call()
        except Exception as error:
            self._failed(player, verb, error, failed, now)
            return
        if not isawaitable(answer):
            then(answer, now)
            return
        self.wait_for(
            player,
            lambda then, failed: Await(then, failed, answer, self._limits.await_s),
            then,
            lambda error, now: self._failed(player, verb, error, failed, now),
        )

    def wait_for(
        self, player: Player | None, request: Callable[[Then, Failed], Request], then: Then, failed: Failed
    ) -> None:  # fmt: skip
        """Leave a request; a player's later events wait until it is answered."""
        if player is not None:
            player.busy += 1

        def answered(value: Any, now: float) -> None:
            try:
                then(value, now)
            finally:
                self._done(player, now)

        def broke(error: BaseException, now: float) -> None:
            try:
                failed(error, now)
            finally:
                self._done(player, now)

        self._requests.append(request(answered, broke))

    def after(self, player: Player, event: Then, now: float, refused: Callable[[Refused], None] | None = None) -> None:
        """Let an event of a player's happen now, or behind what is being awaited for the player.

        Args:
            player: Whose.
            event: Called with None and the time.
            now: The time in seconds.
            refused: Told if too many wait; None for the room's own events, which are never refused.
        """
        if not player.busy:
            event(None, now)
        elif refused is not None and len(player.queue) >= self._limits.await_events:
            refused(Refused("too much is waiting; try again", "slow-down"))
        else:
            player.queue.append(event)

    def free(self, player: Player, now: float) -> None:
        """Let a player's waiting events happen, until one is awaited again."""
        while player.queue and not player.busy:
            player.queue.popleft()(None, now)

    def raised(self, player: Player | None, verb: str, error: BaseException) -> None:
        """Count and log an error of a handler's."""
        self.errors += 1
        self._report("error", error, room=self._room, player=None if player is None else player.name, verb=verb)

    def _done(self, player: Player | None, now: float) -> None:
        if player is not None:
            player.busy -= 1
            self.free(player, now)

    def _failed(self, player: Player | None, verb: str, error: BaseException, failed: Failed, now: float) -> None:
        if not isinstance(error, Refused):
            self.raised(player, verb, error)
        failed(error, now)
