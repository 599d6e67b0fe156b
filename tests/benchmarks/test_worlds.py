"""The scene of the comparison of large worlds, and what is compared there."""

from __future__ import annotations

import asyncio
import os

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state.channel import Mismatch
from benchmarks.state.motion import TICK_HZ
from benchmarks.worlds.interest import MOST_SENT, Side, compare
from benchmarks.worlds.load import Crowd, Held, Viewer, Window
from benchmarks.worlds.scene import LARGE, SEEN, SMALL, STEPS, STROLL, WALK, Scene, place

#: As dense as the real ones, and quick to make.
SCENE = Scene(rows=300, viewers=10, size=1024.0, cell=64.0)


def quantized(scene: Scene, at: int, rows: np.ndarray) -> np.ndarray:
    """Give where rows are, as a client knows it."""
    step = scene.size / STEPS
    return np.asarray(np.floor(scene.motion.values[at, :2][:, rows] / step + 0.5) * step % scene.size)


class SceneTests(SynchronousTestCase):
    """What the figures about interest take for granted."""

    def test_a_hundred_rows_are_in_sight(self) -> None:
        """On average, and as large a part of the large world."""
        seen = [len(SMALL.in_sight(at, viewer)) for at in (0, 399) for viewer in range(0, SMALL.viewers, 10)]
        self.assertTrue(0.9 * SEEN < np.mean(seen) < 1.1 * SEEN, np.mean(seen))
        self.assertAlmostEqual(LARGE.rows * np.pi * (LARGE.radius / LARGE.size) ** 2, SEEN)

    def test_rows_in_sight_are_those_within_the_radius(self) -> None:
        """Across the borders of the world too, counted by hand."""
        for viewer in range(SCENE.viewers):
            x, y = SCENE.walks.values[7, :2, viewer]
            seen = set()
            for row, (row_x, row_y) in enumerate(SCENE.motion.values[7, :2].T):
                dx, dy = (min(away, SCENE.size - away) for away in (abs(row_x - x), abs(row_y - y)))
                if dx * dx + dy * dy <= SCENE.radius**2:
                    seen.add(row)
            self.assertEqual(set(SCENE.in_sight(7, viewer).tolist()), seen)
            self.assertTrue(seen <= set(SCENE.in_sight(7, viewer, 10.0).tolist()))

    def test_viewers_walk(self) -> None:
        """Some percent of what they see in a tick, and never out of the world."""
        for scene in (SMALL, LARGE):
            places = scene.walks.values[:, :2]
            ways = np.diff(places, axis=0)
            ways -= scene.size * np.rint(ways / scene.size)
            speeds = np.hypot(ways[:, 0], ways[:, 1]) / scene.radius
            self.assertGreater(speeds.min(), STROLL - 1e-9)
            self.assertLess(speeds.max(), WALK + 1e-9)
            self.assertTrue(((places >= 0) & (places < scene.size)).all())

    def test_motions_go_to_and_fro(self) -> None:
        """Every place comes, and the next is always beside it."""
        places = [place(tick, 5) for tick in range(17)]
        self.assertEqual(places, [0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4, 3, 2, 1, 0])

    def test_a_place_is_found_by_what_is_held(self) -> None:
        """By quantized places of some rows; rows that stand nowhere so are refused."""
        rows = np.array([5, 17, 30, 299])
        at = quantized(SCENE, 123, rows)
        self.assertEqual(SCENE.find(rows, at), 123)
        at[0, 2] += 1
        self.assertRaises(LookupError, SCENE.find, rows, at)


class CompareTests(SynchronousTestCase):
    """Whether the benchmark would notice that a client does not hold what it should."""

    def held(self, rows: np.ndarray) -> Held:
        """Give what a client holds that holds these rows, at place 50."""
        return Held(rows, quantized(SCENE, 50, rows))

    def test_rows_are_counted(self) -> None:
        """Rows held for each in sight."""
        more = SCENE.in_sight(50, 3, 30.0)
        sent = compare(SCENE, 3, self.held(more), exact=False)
        self.assertEqual(sent, len(more) / len(SCENE.in_sight(50, 3)))
        self.assertGreater(sent, 1.0)
        self.assertLess(sent, MOST_SENT)

    def test_a_row_too_few_or_too_many_is_noticed(self) -> None:
        """A missing one always, another one where it counts."""
        rows = SCENE.in_sight(50, 3)
        self.assertEqual(compare(SCENE, 3, self.held(rows), exact=True), 1.0)
        self.assertRaises(Mismatch, compare, SCENE, 3, self.held(rows[1:]), False)
        self.assertRaises(Mismatch, compare, SCENE, 3, self.held(SCENE.in_sight(50, 3, 30.0)), True)


class Listener(Viewer):
    """Takes everything for a frame."""

    def take(self, payload: bytes) -> bool:
        """Count it."""
        return True


class LoadTests(SynchronousTestCase):
    """What is counted."""

    def hear(self, frames: list[int]) -> Window:
        """Let as many viewers hear so many frames of ten bytes each while a window is open."""
        viewers = [Listener(number, records=number == 0) for number in range(len(frames))]

        async def run() -> Window:
            window = asyncio.ensure_future(Crowd(viewers).window(os.getpid(), 0.02))
            await asyncio.sleep(0)
            for viewer, count in zip(viewers, frames, strict=True):
                for _ in range(count):
                    viewer.message(bytes(10), 12)
            return await window

        window = asyncio.run(run())
        self.assertEqual(viewers[0].recorded, [bytes(10)] * frames[0])
        self.assertEqual(viewers[-1].recorded, [])
        return window

    def test_bytes_are_those_of_a_viewer_and_tick(self) -> None:
        """Of payloads, without headers."""
        self.assertEqual(self.hear([20, 20, 20]).bytes, 10.0)

    def test_who_is_left_out_is_noticed(self) -> None:
        """Nothing is measured where one got less than the others."""
        self.assertRaises(ConnectionError, self.hear, [20, 10, 20])
        self.assertRaises(ConnectionError, self.hear, [0, 0])

    def test_windows_have_medians(self) -> None:
        """Of each of what was counted."""
        side = Side("one", Listener, lambda *_: [])
        side.windows = [Window(cpu_ms, 10.0, float(TICK_HZ), 0.1) for cpu_ms in (9.0, 1.0, 2.0, 3.0, 4.0)]
        self.assertEqual((side.median("cpu_ms"), side.median("bytes")), (3.0, 10.0))
