"""A test in memory goes the same way each time, whatever Python's hashes and memory addresses are."""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY


def told(seed: int, hash_seed: int) -> list[str]:
    """Run the story in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.repeat", str(seed)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-4_000:])
    return done.stdout.splitlines()


class RepeatableTests(SynchronousTestCase):
    """The same seed, the same story."""

    def test_same_seed(self) -> None:
        """Two runs with other hashes tell the same, byte for byte, from resume tokens to the sizes of what was sent."""
        first, second = told(1, 1), told(1, 2)
        self.assertGreater(len(first), 2_000)
        different = next((pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]), None)
        self.assertIsNone(different)
        self.assertEqual(len(first), len(second))

    def test_other_seed(self) -> None:
        """Another seed tells another story."""
        self.assertNotEqual(told(1, 1), told(2, 1))
