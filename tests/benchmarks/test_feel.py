"""What players feel, measured for a moment."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.worlds import feel
from meteor_net.drift.world import SIZE


class FeelTests(SynchronousTestCase):
    """`benchmarks/worlds/feel.py`."""

    def test_places(self) -> None:
        """Distances and ways go the shorter way round the world."""
        self.assertEqual(feel.apart((1, 2), (SIZE - 2, 6)), 5.0)
        self.assertEqual(feel.between((SIZE - 2, 0), (2, 8), 0.25), (SIZE - 1, 2.0))

    def test_link(self) -> None:
        """The link is as slow, uneven and lossy as it says."""
        delay_s = feel.link(Random(1), 0.1, 0.04, 0.02)
        delays = [delay_s(None) for _ in range(20_000)]
        lost = [delay for delay in delays if delay > 0.2]
        self.assertTrue(0.015 < len(lost) / len(delays) < 0.025)
        kept = [delay for delay in delays if delay <= 0.2]
        self.assertTrue(0.06 <= min(kept) < 0.062 and 0.138 < max(kept) <= 0.14)

    def test_a_moment(self) -> None:
        """Own craft are drawn much nearer to the truth than as last received, and shots hit what was aimed at."""
        self.patch(feel, "SETTLE_S", 2)
        self.patch(feel, "PLAYERS", 3)
        ours, received, others = feel.errors(feel.Open, 3)
        self.assertLess(ours, 0.33 * received)
        self.assertLess(others, received)
        hit, without, misses = feel.shots(4)
        self.assertGreaterEqual(len(misses), 12)
        self.assertGreater(hit, 90)
        self.assertLess(without, hit)
