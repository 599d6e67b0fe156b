"""What is told to the operator: every event counted, and a line in the log for each, as far as that goes.

What peers do makes lines, and a flood of them shall fill no disk: beyond a rate they are counted only, and one line says how
many were left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.failure import Failure

from ..limits import Limits
from ..session.bucket import TokenBucket


class Logbook:
    """Counts and logs.

    Args:
        limits: How many lines.
        seconds: The clock.

    Attributes:
        counters: By event; `unlogged` are the lines that were left out.
    """

    def __init__(self, limits: Limits, seconds: Callable[[], float]) -> None:
        self.counters: Counter[str] = Counter()
        self._seconds = seconds
        # Two, so that a crowd that comes and goes hides no error.
        self._lines = TokenBucket(limits.log_lines_per_s, limits.log_lines_burst)
        self._errors = TokenBucket(limits.log_errors_per_s, limits.log_errors_burst)
        self._left_out = 0
        self._log = Logger(namespace="meteor_net", source=self)

    def report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        """Count and log what happened.

        Args:
            event: In a word.
            error: What went wrong, if that is what happened.
            fields: Names of the room, the player and the like.
        """
        self.counters[event] += 1
        bucket = self._lines if error is None else self._errors
        if not bucket.take(self._seconds()):
            self.counters["unlogged"] += 1
            self._left_out += 1
            return
        left_out, self._left_out = self._left_out, 0
        if left_out:
            self._log.warn("{count} lines were left out here: too many", count=left_out)
        names = " ".join(f"{name}={shown(value)}" for name, value in fields.items() if value is not None)
        if error is None:
            self._log.info("{event} {names}", event=event, names=names)
        else:
            failure = Failure(error, type(error), error.__traceback__)
            self._log.failure("{event} {names}", failure, event=event, names=names)


def shown(value: object) -> str:
    """Show a value so that no peer's text looks like another field, or like another line."""
    text = str(value)
    plain = text.isprintable() and not set(text) & set(" ='\"")
    return text if plain and text else repr(text)
