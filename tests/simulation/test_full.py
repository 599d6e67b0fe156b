"""Whole games from seeds, with faults: all must be right after each.

More seeds are played by tests/e2e/test_simulation.py and by `make torture-sim`.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import StorageError
from tests.simulation import full

#: Seeds on which something was found once. They stay.
FOUND = (24, 33, 91, 126, 171, 215, 579, 651)


class SeedTests(SynchronousTestCase):
    """All must be right after any history."""

    def tearDown(self) -> None:
        self.flushLoggedErrors(StorageError)  # the store was told to fail

    def test_seeds(self) -> None:
        """A few seeds."""
        for seed in (*range(1, 9), *FOUND):
            self.assertEqual((seed, full.run_seed(seed).wrong), (seed, []))

    def test_again(self) -> None:
        """A seed is the same game again, in every delivery and all that anybody was told; another one is another."""
        digests = []
        for seed in (5, 5, 6):
            scenario = full.Scenario(seed)
            scenario.play()
            self.assertGreater(len(scenario.network.log), 500)
            self.assertGreater(sum(len(player.told) for player in scenario.players), 100)
            digests.append(scenario.digest())
        self.assertEqual(digests[0], digests[1])
        self.assertNotEqual(digests[0], digests[2])
