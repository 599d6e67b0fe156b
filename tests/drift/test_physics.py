"""Circles that bounce: what the game's author relies on."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.drift.physics import bounce, overlaps, shortest

SIZE = 1000.0


def circles(count: int, seed: int) -> dict[str, Any]:
    """Make circles at random places with random speeds."""
    rng = np.random.default_rng(seed)
    radius = rng.uniform(5, 30, count)
    return {
        **{name: rng.uniform(0, SIZE, count) for name in ("x", "y")},
        **{name: rng.normal(0, 40, count) for name in ("vx", "vy")},
        "spin": np.zeros(count),
        "radius": radius,
        "mass": radius**2,
    }


class OverlapsTests(SynchronousTestCase):
    """Which circles touch."""

    def test_finds_what_a_loop_over_all_pairs_finds(self) -> None:
        """Each pair once, over the edges of the world too."""
        for seed in range(20):
            c = circles(80, seed)
            i, j = overlaps(c["x"], c["y"], c["radius"], SIZE)
            found = [frozenset(pair) for pair in zip(i.tolist(), j.tolist(), strict=True)]
            wanted = {
                frozenset((a, b))
                for a, b in combinations(range(80), 2)
                if np.hypot(shortest(c["x"][a] - c["x"][b], SIZE), shortest(c["y"][a] - c["y"][b], SIZE))
                < c["radius"][a] + c["radius"][b]
            }
            self.assertEqual(set(found), wanted)
            self.assertEqual(len(found), len(wanted))

    def test_few_circles(self) -> None:
        """None and one have no pairs."""
        for count in (0, 1):
            c = circles(count, 1)
            self.assertEqual([len(found) for found in overlaps(c["x"], c["y"], c["radius"], SIZE)], [0, 0])


class BounceTests(SynchronousTestCase):
    """What a bounce does."""

    def test_momentum_stays(self) -> None:
        """Whatever touches what, the sum of mass times speed is the same after."""
        for seed in range(10):
            c = circles(120, seed)
            before = [(c["mass"] * c[v]).sum() for v in ("vx", "vy")]
            i, _ = bounce(**c, size=SIZE)
            self.assertGreater(len(i), 0)
            np.testing.assert_allclose([(c["mass"] * c[v]).sum() for v in ("vx", "vy")], before, rtol=1e-9)

    def test_two_equal_ones_swap_their_speeds(self) -> None:
        """Head on, over the edge of the world: energy stays, and they are pushed apart."""
        c = circles(2, 1)
        c |= {"radius": np.array([10.0, 10.0]), "mass": np.array([1.0, 1.0])}
        c |= {"x": np.array([SIZE - 5, 5.0]), "y": np.array([50.0, 50.0])}
        c |= {"vx": np.array([30.0, -10.0]), "vy": np.array([0.0, 0.0])}
        bounce(**c, size=SIZE)
        np.testing.assert_allclose(c["vx"], [-10, 30])
        np.testing.assert_allclose(shortest(c["x"][1] - c["x"][0], SIZE), 20)
        np.testing.assert_allclose(c["spin"], 0)

    def test_those_that_part_keep_their_speeds(self) -> None:
        """A pair is hit once, not again while it still overlaps."""
        c = circles(2, 1)
        c |= {"x": np.array([100.0, 110.0]), "y": np.array([50.0, 50.0])}
        c |= {"vx": np.array([-3.0, 3.0]), "vy": np.array([1.0, 0.0])}
        bounce(**c, size=SIZE)
        np.testing.assert_allclose(c["vx"], [-3, 3])

    def test_two_at_one_place_do_no_harm(self) -> None:
        """No direction, no NaN."""
        c = circles(2, 1)
        c |= {"x": np.array([100.0, 100.0]), "y": np.array([50.0, 50.0])}
        bounce(**c, size=SIZE)
        for column in c.values():
            self.assertTrue(np.isfinite(column).all())
