"""The scene of rigid bodies that is made for the benchmark."""

from __future__ import annotations

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state.cubes import begin, place
from benchmarks.state.scene import STEPS, UNITS, tumbling


class SceneTests(SynchronousTestCase):
    """What the figures about bodies take for granted."""

    def test_a_seed_gives_one_scene(self) -> None:
        """The same seed gives the same frames, another seed others."""
        np.testing.assert_array_equal(tumbling(40, 60), tumbling(40, 60))
        self.assertTrue((tumbling(40, 60) != tumbling(40, 60, seed=6)).any())

    def test_values_are_as_in_the_recording(self) -> None:
        """Largest component 0 to 3, the others in 9 bits, places in the recording's bounds."""
        frames = tumbling(80, 300)
        self.assertTrue(((frames[..., 0] >= 0) & (frames[..., 0] < 4)).all())
        self.assertTrue(((frames[..., 1:4] >= 0) & (frames[..., 1:4] <= STEPS)).all())
        self.assertTrue((np.abs(frames[..., 4:6]) < 32 * UNITS).all())
        self.assertTrue(((frames[..., 6] >= 0) & (frames[..., 6] < 16 * UNITS)).all())

    def test_some_bodies_move_and_most_rest(self) -> None:
        """Bodies fly and tumble where the player is, and come to rest again."""
        frames = tumbling(80, 300)
        changed = (np.diff(frames, axis=0) != 0).any(axis=2)
        self.assertTrue(0.01 < changed.mean() < 0.5)
        self.assertTrue((frames[..., 0] != 3).any())

    def test_a_table_holds_a_frame_as_it_is(self) -> None:
        """What was recorded is what is committed: no integer is another."""
        frame = tumbling(80, 300)[-1]
        world = begin(80)
        place(world, frame)
        table = world.cube
        held = np.array([table.x * UNITS, table.y * UNITS, table.z * UNITS, table.interacting])
        np.testing.assert_array_equal(held, frame.T[4:])
