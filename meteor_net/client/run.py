"""Making a plain script work: `run(main)` is its last line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react
from twisted.python.failure import Failure

from ..errors import MeteorError


def run(main: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> NoReturn:
    """Run an `async def` under Twisted's reactor until it returns, then exit.

    An error of this package is one line on stderr, and exit status 1; any other is a traceback.

    Args:
        main: The script's main function.
        args: Are handed to it.
    """

    def start(_reactor: object) -> Deferred[Any]:
        return ensureDeferred(main(*args)).addErrback(_say)

    react(start)


def _say(failure: Failure) -> Failure:
    if isinstance(failure.value, MeteorError):
        print(failure.value, file=sys.stderr)
        raise SystemExit(1)
    return failure


def global_reactor() -> Any:
    """Give Twisted's reactor; it is installed by that, if it was not."""
    from twisted.internet import reactor

    return reactor
