"""The motion that both sides of a comparison replay."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state.motion import FASTEST, SIZE, SLOWEST, TICK_HZ, Motion, constant, wandering


def speeds(motion: Motion) -> np.ndarray:
    """Give the way of each row in each tick, in units a second, the short way round."""
    ways = np.diff(motion.values[:, :2], axis=0)
    ways -= SIZE * np.floor(ways / SIZE + 0.5)
    return np.asarray(np.hypot(ways[:, 0], ways[:, 1]) * TICK_HZ)


class MotionTests(SynchronousTestCase):
    """What the figures about rows take for granted."""

    def test_a_seed_gives_one_file(self) -> None:
        """The same seed gives the same bytes, another seed others."""
        folder = Path(self.mktemp())
        first, again = (wandering(20, 15).save(folder / name).read_bytes() for name in "ab")
        self.assertEqual(hashlib.sha256(first).digest(), hashlib.sha256(again).digest())
        self.assertEqual(len(first), 15 * 3 * 20 * 8)
        self.assertNotEqual(first, wandering(20, 15, seed=2).save(folder).read_bytes())

    def test_a_file_reads_as_it_was(self) -> None:
        """Little-endian doubles, tick after tick, x, y and angle each of all rows."""
        motion = wandering(20, 15)
        read = np.frombuffer(motion.save(Path(self.mktemp())).read_bytes(), dtype="<f8")
        np.testing.assert_array_equal(read.reshape(15, 3, 20), motion.values)

    def test_rows_stay_in_the_world_and_keep_to_their_speeds(self) -> None:
        """Places wrap at the world's size, angles at a turn; nobody is slower or faster than said."""
        for motion in (wandering(50, 200), constant(50, 200)):
            self.assertTrue((motion.values >= 0).all())
            self.assertTrue((motion.values[:, :2] < SIZE).all())
            self.assertTrue((motion.values[:, 2] < 2 * np.pi).all())
            self.assertGreater(speeds(motion).min(), SLOWEST - 1e-6)
            self.assertLess(speeds(motion).max(), FASTEST + 1e-6)

    def test_everything_moves_in_every_tick(self) -> None:
        """No row rests, so that none is cheap."""
        self.assertTrue((np.diff(wandering(50, 200).values, axis=0) != 0).all())

    def test_constant_rows_keep_their_speed(self) -> None:
        """Each row's speed is the same all the time."""
        np.testing.assert_allclose(speeds(constant(50, 200)).std(axis=0), 0, atol=1e-9)
