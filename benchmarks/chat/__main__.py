"""Run it: `python -m benchmarks.chat`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from ..figures import report
from ..state.progress import say
from . import durable, growth
from .peer import PeerError

PREFIXES = ("chat-durable-", "chat-growth")


def main() -> int:
    """Measure all; what fails is said, and the rest is measured.

    Returns:
        The exit status: 0 if every figure is there and none is short.
    """
    parts: list[Callable[[], Mapping[str, float]]] = [growth.measure, durable.measure]
    began_s = monotonic()
    measured: dict[str, float] = {}
    for part in parts:
        try:
            measured |= part()
        except (PeerError, RuntimeError, OSError, subprocess.SubprocessError, SQLAlchemyError) as error:
            say(f"FAILED: {type(error).__name__}: {error}")
    say(f"all of it took {monotonic() - began_s:.0f} s")
    return report(measured, PREFIXES)


if __name__ == "__main__":
    sys.exit(main())
