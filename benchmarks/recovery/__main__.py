"""Run it: `python -m benchmarks.recovery [PART ...]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module
from time import monotonic

from ..figures import report
from ..state.channel import Mismatch
from ..state.peer import PeerError
from ..state.progress import say

#: Each part is a module with `measure`, and begins the names of its figures.
PARTS = {"kills": "client-kills-", "storm": "storm-", "resume": "resume-"}


def main() -> int:
    """Measure what is asked for, or all; what fails is said, and the rest is measured.

    Returns:
        The exit status: 0 if every figure is there and none is short.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.recovery", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all, if none is named")
    parts = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no part; there are {', '.join(PARTS)}")
    began_s = monotonic()
    measured: dict[str, float] = {}
    for part in parts:
        try:
            measured |= import_module(f"{__package__}.{part}").measure()
        except (Mismatch, PeerError, LookupError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            say(f"FAILED: {part}: {type(error).__name__}: {error}")
    say(f"all of it took {monotonic() - began_s:.0f} s")
    return report(measured, tuple(PARTS[part] for part in parts))


if __name__ == "__main__":
    sys.exit(main())
