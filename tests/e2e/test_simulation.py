"""A hundred whole games from seeds, the same game in two processes, and a thousand histories of the plain half."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import StorageError
from tests.simulation import full

#: The repository's own folder.
HERE = Path(__file__).parents[2]
#: Histories of the plain half; `.ci/run` goes on to ten thousand. Each takes some 80 ms, three times that while coverage looks
#: on: so they run in processes of their own, where it does not.
SEEDS = 1_000


class SimulationTests(SynchronousTestCase):
    """Games in which much goes wrong."""

    def play(self, seeds: range) -> None:
        """Play some seeds; all must be right after each."""
        results = full.run(seeds)
        self.flushLoggedErrors(StorageError)  # the store was told to fail
        self.assertEqual([(result.seed, result.wrong) for result in results if result.wrong], [])
        simulated_s, cpu_s = sum(r.simulated_s for r in results), sum(r.cpu_s for r in results)
        print(f"{len(results)} games, {simulated_s:.0f} s of play in {cpu_s:.1f} s of CPU")

    def test_first(self) -> None:
        """Seeds of the first half hundred."""
        self.play(range(1, 51))

    def test_second(self) -> None:
        """Seeds of the second half hundred."""
        self.play(range(51, 101))

    def test_two_processes(self) -> None:
        """Another process plays the same game, in every delivery, though its dicts and sets are in another order."""
        for seed in ("7", "8"):  # in the second one some play over HTTP
            self.same(seed)

    def same(self, seed: str) -> None:
        """Play a seed in two processes."""
        told = []
        for hash_seed in ("1", "2"):
            process = subprocess.run(
                [sys.executable, "-m", "tests.simulation.full", seed],
                cwd=HERE, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
            told.append(process.stdout.splitlines()[:-1])  # the last line tells how long it took
        self.assertEqual(told[0], told[1])
        self.assertEqual(len(told[0][-1]), 64)


class HistoryTests(SynchronousTestCase):
    """What happens by chance to the plain half."""

    def test_many(self) -> None:
        """Nothing is lost, doubled, out of order or unequal, whatever happens."""
        command = [sys.executable, "-m", "benchmarks.recovery.sim", "--plain", f"1-{SEEDS}", "--full", "0", "--anew"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=1_000, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"FIGURE sim-plain-seeds {SEEDS:.4g} ", done.stdout)
