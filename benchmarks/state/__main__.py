"""Run it: `python -m benchmarks.state [--cubes FILE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic

from ..figures import report
from . import cubes, growth, rows, small
from .channel import Mismatch
from .peer import PeerError
from .progress import say

PREFIXES = ("cubes-", "rows-", "one-field-")


def main() -> int:
    """Measure all; what fails is said, and the rest is measured.

    Returns:
        The exit status: 0 if every figure is there and none is short.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.state", description=__doc__)
    parser.add_argument(
        "--cubes", type=Path, metavar="FILE", help=f"the recorded cubes; or {cubes.VARIABLE} in the environment"
    )
    options = parser.parse_args()
    parts: list[Callable[[], Mapping[str, float]]] = [
        lambda: cubes.measure(cubes.find(options.cubes)),
        rows.measure,
        small.measure,
        growth.measure,
    ]
    began_s = monotonic()
    measured: dict[str, float] = {}
    for part in parts:
        try:
            measured |= part()
        except (Mismatch, PeerError, RuntimeError) as error:
            say(f"FAILED: {error}")
    say(f"all of it took {monotonic() - began_s:.0f} s")
    return report(measured, PREFIXES)


if __name__ == "__main__":
    sys.exit(main())
