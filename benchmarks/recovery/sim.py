"""`make torture-sim`: histories by chance in which much goes wrong, one a seed; after each all has to be there.

Those of the plain half are short and many; those of real protocol objects in a network in memory take longer. They run in
processes, one a core. What was done is noted in benchmarks/out, so that a run that was stopped goes on where it was: name the
same seeds again. Seeds that fail are printed as they are found, with what is wrong.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from twisted.logger import globalLogBeginner

from tests.simulation import full, plain

from ..figures import report
from ..state.progress import say, shown

OUT = Path(__file__).parents[1] / "out"
#: Seeds of each half by default.
PLAIN, FULL = range(1, 1_000_001), range(1, 20_001)
#: A worker takes so many seeds at a time, and then a new process: nothing grows for hours.
AT_ONCE = 50
#: What has been done is noted so often, in seconds.
NOTE_S = 10.0
#: Of all that fail so many are told in full.
MOST_TOLD = 20

#: A half's seed -> what is wrong, one line each.
Half = Callable[[int], list[str]]
HALVES: dict[str, Half] = {"plain": plain.run, "full": lambda seed: full.run_seed(seed).wrong}


@dataclass
class Done:
    """What is known of one half.

    Attributes:
        name: The half's.
        seeds: Which are asked for.
        chunks: First seeds of the chunks that are done.
        failed: Those that failed, and what was wrong.
    """

    name: str
    seeds: range
    chunks: set[int] = field(default_factory=set)
    failed: dict[int, list[str]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where it is noted."""
        return OUT / f"sim-{self.name}-{self.seeds.start}-{self.seeds.stop - 1}.json"

    @property
    def count(self) -> int:
        """How many seeds are done."""
        return sum(len(_chunk(self.seeds, first)) for first in self.chunks)

    def read(self) -> None:
        """Go on where an earlier run was."""
        if self.file.exists():
            noted = json.loads(self.file.read_text(encoding="utf-8"))
            self.chunks = set(noted["chunks"])
            self.failed = {int(seed): wrong for seed, wrong in noted["failed"].items()}

    def write(self) -> None:
        """Note what is done."""
        OUT.mkdir(exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"chunks": sorted(self.chunks), "failed": self.failed}), encoding="utf-8")
        os.replace(new, self.file)


def _chunk(seeds: range, first: int) -> range:
    return range(first, min(first + AT_ONCE, seeds.stop))


def run_seeds(name: str, seeds: Iterable[int]) -> dict[int, list[str]]:
    """Run some seeds of a half; gives those that failed, and what was wrong."""
    failed = {}
    for seed in seeds:
        try:
            wrong = HALVES[name](seed)
        except Exception:
            wrong = [f"it raised {traceback.format_exc()}"]
        if wrong:
            failed[seed] = wrong
    return failed


def _work(job: tuple[str, range]) -> tuple[int, dict[int, list[str]]]:
    name, seeds = job
    return seeds.start, run_seeds(name, seeds)


def _be_silent() -> None:
    """What servers log of the faults that they are put to is not told."""
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)


def chunks(jobs: Sequence[tuple[str, range]], processes: int) -> Iterator[tuple[int, dict[int, list[str]]]]:
    """Run chunks of seeds in processes; gives the first seed of each, and those of its seeds that failed, as they are done."""
    with multiprocessing.get_context("spawn").Pool(processes, _be_silent, maxtasksperchild=40) as pool:
        yield from pool.imap_unordered(_work, jobs)


def run_half(done: Done, processes: int) -> None:
    """Run what is not done yet of a half."""
    firsts = [first for first in done.seeds[::AT_ONCE] if first not in done.chunks]
    jobs = [(done.name, _chunk(done.seeds, first)) for first in firsts]
    if len(jobs) < len(done.seeds[::AT_ONCE]):
        say(f"{done.name}: {done.count} seeds were done before, {len(done.failed)} of them failed: {done.file}")
    began_s = noted_s = monotonic()
    before = done.count
    for first, failed in shown(chunks(jobs, processes), f"{done.name}, {AT_ONCE} seeds each", len(jobs)):
        done.chunks.add(first)
        for seed, wrong in failed.items():
            done.failed[seed] = wrong
            if len(done.failed) <= MOST_TOLD:
                say(f"FAILED: {done.name} seed {seed}: " + "\n    ".join(wrong[:10]))
        if monotonic() - noted_s > NOTE_S:
            noted_s = monotonic()
            done.write()
            say(f"{done.name}: {done.count} of {len(done.seeds)} seeds, {len(done.failed)} failed")
    done.write()
    fresh, took_s = done.count - before, monotonic() - began_s
    say(f"{done.name}: {fresh} seeds in {took_s:.0f} s, {1000 * took_s * processes / max(1, fresh):.0f} ms of a core each")


def measure(plain_seeds: range, full_seeds: range, processes: int, anew: bool = False) -> dict[str, float]:
    """Run both halves; gives the figures."""
    measured: dict[str, float] = {}
    for name, seeds in (("plain", plain_seeds), ("full", full_seeds)):
        if len(seeds):
            done = Done(name, seeds)
            if not anew:
                done.read()
            run_half(done, processes)
            measured |= {f"sim-{name}-seeds": done.count, f"sim-{name}-failed": len(done.failed)}
    return measured


def _seeds(text: str) -> range:
    """`FIRST-LAST`, or how many from 1 on; 0 for none."""
    first, dash, last = text.rpartition("-")
    return range(int(first) if dash else 1, int(last) + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the status is 0 if all was right."""
    parser = argparse.ArgumentParser(prog="benchmarks.recovery.sim", description=__doc__)
    for name, seeds in (("plain", PLAIN), ("full", FULL)):
        parser.add_argument(
            f"--{name}", type=_seeds, default=seeds, metavar="SEEDS",
            help=f"how many, or FIRST-LAST; 0 for none; {len(seeds)} if not given",
        )  # fmt: skip
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--anew", action="store_true", help="begin anew, whatever was done before")
    parser.add_argument("--seed", metavar="HALF:SEED", help="only this one, to see what is wrong: plain:17")
    options = parser.parse_args(arguments)
    if options.seed:
        name, _, seed = options.seed.partition(":")
        failed = run_seeds(name, [int(seed)])
        say("\n".join(failed.get(int(seed), ["nothing is wrong"])))
        return int(bool(failed))
    measured = measure(options.plain, options.full, options.processes, options.anew)
    return report(measured, tuple(f"sim-{name}-" for name in HALVES if f"sim-{name}-seeds" in measured))


if __name__ == "__main__":
    sys.exit(main())
