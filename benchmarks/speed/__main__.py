"""`make bench`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..figures import report
from . import fanout

PARTS = {"fanout": fanout.measure}


def main(chosen: list[str]) -> int:
    """Measure what is named, or all.

    Returns:
        An exit status.
    """
    measured: dict[str, float] = {}
    with TemporaryDirectory() as name:
        for part in chosen or PARTS:
            measured |= PARTS[part](Path(name))
    return report(measured, tuple(chosen or PARTS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
