"""Run it: `python -m benchmarks.nets --help`."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..figures import report
from ..state.progress import say
from .child import RunFailed
from .namespaces import NoNamespaces, check
from .profiles import PROFILES
from .run import Profile, Result, Run, felt

PLAYERS, SECONDS, SEED = 20, 180.0, 6
OUT = Path(__file__).parents[1] / "out"
#: Faults told in full; the rest is counted.
MOST_TOLD = 10
COLUMNS = (
    "p50 ms", "p99 ms", "longest s", "resumed", "anew", "KB/s", "on the wire", "dropped %", "noticed s",
    "back p50 s", "back max s",
)  # fmt: skip


def show(text: str) -> None:
    """Show how far it is, at a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure(profile: Profile, players: int, seconds: float, seed: int, out: Path = OUT) -> Result:
    """Run one profile, and tell what came of it.

    Raises:
        NoNamespaces: There can be no namespaces here.
        RunFailed: Something else went wrong: nothing was shown.
    """
    folder = out / f"nets-{profile.name}-{time.time_ns()}"
    run = Run(profile, folder, players, seconds, seed)
    say(f"{profile.name}: {players} players, {run.seconds:.0f} s, seed {seed}")
    result = run.run(lambda text: show(f"{profile.name}: {text}"))
    show("")
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(result.refused.items())) or "nothing"
    say(
        f"{profile.name}: {result.lines} lines kept; refused: {refused}; {len(result.lost)} lost, {len(result.unequal)} unequal"
    )
    wrong = [*result.lost, *result.unequal]
    for text in wrong[:MOST_TOLD]:
        say(f"  {text}")
    if wrong:
        say(f"  seed {seed}; data and logs stay in {folder}")
    else:
        shutil.rmtree(folder)
    return result


def table(results: list[Result]) -> str:
    """What players felt, a row a profile, as a Markdown table."""
    rows = [["network", *COLUMNS], ["---", *["---:"] * len(COLUMNS)]]
    for result in results:
        row = felt(result)
        rows.append([result.profile.name, *(_cell(row.get(column)) for column in COLUMNS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def main() -> int:
    """Run them.

    Returns:
        The exit status: 0 if both figures are there and none is short; 2 where they cannot be had.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.nets", description="Let players play on bad networks; needs root.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each plays (default: %(default)g)")
    parser.add_argument("--players", type=int, default=PLAYERS, help="how many (default: %(default)s)")
    parser.add_argument("--profiles", default=",".join(PROFILES), help="which networks (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="chooses which packets suffer (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="where data and logs go; they stay if something is lost")
    options = parser.parse_args()
    names = options.profiles.split(",")
    if unknown := [name for name in names if name not in PROFILES]:
        parser.error(f"there is no profile {unknown[0]!r}; there are {', '.join(PROFILES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that namespaces are removed
    results, failed = [], False
    try:
        check()
        for name in names:
            try:
                results.append(measure(PROFILES[name], options.players, options.seconds, options.seed, options.out.resolve()))
            except (RunFailed, OSError, subprocess.SubprocessError) as error:
                failed = True
                say(f"FAILED: {name}: {type(error).__name__}: {error}")
    except NoNamespaces as error:
        say(f"torture-net: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    if results:
        say(table(results))
    sums = {"net-profiles-lost": sum(len(result.lost) for result in results),
            "net-profiles-unequal": sum(len(result.unequal) for result in results)}  # fmt: skip
    return report({} if failed else sums, "net-profiles-")


if __name__ == "__main__":
    sys.exit(main())
