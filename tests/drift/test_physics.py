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
        "at": rng.uniform(0, SIZE, (2, count)),
        "speed": rng.normal(0, 40, (2, count)),
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
            i, j, way, far = overlaps(c["at"], c["radius"], SIZE)
            np.testing.assert_allclose(np.hypot(*way), far)
            found = [frozenset(pair) for pair in zip(i.tolist(), j.tolist(), strict=True)]
            wanted = {
                frozenset((a, b))
                for a, b in combinations(range(80), 2)
                if np.hypot(*shortest(c["at"][:, a] - c["at"][:, b], SIZE)) < c["radius"][a] + c["radius"][b]
            }
            self.assertEqual(set(found), wanted)
            self.assertEqual(len(found), len(wanted))

    def test_few_circles(self) -> None:
        """None and one have no pairs."""
        for count in (0, 1):
            c = circles(count, 1)
            self.assertEqual([found.shape[-1] for found in overlaps(c["at"], c["radius"], SIZE)], [0, 0, 0, 0])


class BounceTests(SynchronousTestCase):
    """What a bounce does."""

    def test_momentum_stays(self) -> None:
        """Whatever touches what, the sum of mass times speed is the same after."""
        for seed in range(10):
            c = circles(120, seed)
            before = c["speed"].copy()
            bounce(**c, size=SIZE)
            self.assertGreater((c["speed"] != before).any(axis=0).sum(), 5)
            np.testing.assert_allclose((c["mass"] * c["speed"]).sum(axis=1), (c["mass"] * before).sum(axis=1), rtol=1e-9)

    def test_two_equal_ones_swap_their_speeds(self) -> None:
        """Head on, over the edge of the world: energy stays, and they are pushed apart."""
        c = circles(2, 1)
        c |= {"radius": np.array([10.0, 10.0]), "mass": np.array([1.0, 1.0])}
        c |= {"at": np.array([[SIZE - 5, 5.0], [50.0, 50.0]]), "speed": np.array([[30.0, -10.0], [0.0, 0.0]])}
        bounce(**c, size=SIZE)
        np.testing.assert_allclose(c["speed"], [[-10, 30], [0, 0]])
        np.testing.assert_allclose(c["at"], np.array([[SIZE - 10, 10], [50, 50]]))
        np.testing.assert_allclose(c["spin"], 0)

    def test_those_that_part_keep_their_speeds(self) -> None:
        """A pair is hit once, not again while it still overlaps."""
        c = circles(2, 1)
        c |= {"at": np.array([[100.0, 110.0], [50.0, 50.0]]), "speed": np.array([[-3.0, 3.0], [1.0, 0.0]])}
        bounce(**c, size=SIZE)
        np.testing.assert_allclose(c["speed"], [[-3, 3], [1, 0]])

    def test_two_at_one_place_do_no_harm(self) -> None:
        """No direction, no NaN."""
        c = circles(2, 1)
        c |= {"at": np.array([[100.0, 100.0], [50.0, 50.0]])}
        bounce(**c, size=SIZE)
        for column in c.values():
            self.assertTrue(np.isfinite(column).all())
