"""The snapshot buffer: what is shown when. `tests/browser/sync.test.js` has more of it, of the same arithmetic."""

from __future__ import annotations

import json
import random
from itertools import accumulate

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Schema, StateSync, Stream, Table, UInt, World
from meteor_net.state.playback import ARRIVALS, FASTEST, SLOWEST, SNAPSHOTS
from tests.vectors import make_playback

FILE = make_playback.PATH.read_text(encoding="utf-8")
TICK_S = 0.05
DRAW_S = 1 / 60


class Point(Table):
    """What moves by 10 a tick."""

    x = UInt(31, interpolate="linear")


class VectorTests(SynchronousTestCase):
    """`tests/vectors/playback.json`, which the browser's tests read too."""

    def test_up_to_date(self) -> None:
        """The file is what its script makes: a change of the arithmetic shows here."""
        self.assertEqual(FILE, make_playback.text())

    def test_drawn(self) -> None:
        """Each picture is what the file says."""
        drawn = 0
        for case in json.loads(FILE)["cases"]:
            wanted = [happening[2:] for happening in case["happens"] if happening[0] == "draw"]
            for n, (want, found) in enumerate(zip(wanted, make_playback.play(case), strict=True)):
                for a, b in zip(want, found, strict=True):
                    self.assertTrue(a == b or abs(a - b) < 1e-6, (case["about"], n, want, found))
                drawn += 1
        self.assertGreater(drawn, 800)


class FilmCase(SynchronousTestCase):
    """A point that moves by 10 at each tick, and what is shown of it."""

    def setUp(self) -> None:
        world = World(Schema([Point]), 1)
        self.stream = Stream(world)
        self.point = world.point.spawn()
        self.sync = StateSync(tick_s=TICK_S)

    def come(self, tick: int, now: float) -> None:
        """Let the frame of a tick come."""
        self.point.x = 10 * tick
        self.stream.commit(tick)
        self.sync.sync_state(self.stream.version, now=now)

    def x(self, now: float) -> float:
        """Give the x that is drawn."""
        view = self.sync.show(now)
        assert view is not None
        return float(view.point[0].x)


class PlaybackTests(FilmCase):
    """On networks of all kinds."""

    def test_nothing_yet(self) -> None:
        """Before the first version there is nothing to show."""
        self.assertEqual((self.sync.show(1.0), self.sync.tick_at(1.0), self.sync.delay_s, self.sync.shown), (None, 0, None, 0))

    def test_jitter(self) -> None:
        """Frames come unevenly, and the film runs at 0.96 to 1.02 of its speed, but where it waits for a frame."""
        chance = random.Random(3)
        sent = (tick * TICK_S + 0.04 + 0.1 * chance.random() for tick in range(1, 1300))
        coming = list(accumulate(sent, max))
        tick, pictures, waited = 0, 0, 0
        before: tuple[float, float] | None = None
        for picture in range(3600):
            now = picture * DRAW_S
            while coming[tick] <= now:
                tick += 1
                self.come(tick, coming[tick - 1])
            if now < 5:
                continue
            self.sync.show(now)
            shown, waits = self.sync.shown, self.sync.shown >= tick + 1
            if before is not None and not waits:
                rate = (shown - before[0]) * TICK_S / DRAW_S
                self.assertTrue(SLOWEST - 1e-6 <= rate <= FASTEST + 1e-6, (now, rate))
            pictures, waited, before = pictures + 1, waited + waits, None if waits else (shown, now)
        self.assertLess(waited, pictures / 50)
        assert self.sync.delay_s is not None
        self.assertTrue(TICK_S + 0.05 < self.sync.delay_s < TICK_S + 0.13, self.sync.delay_s)

    def test_bounded(self) -> None:
        """Who never draws holds a bounded number of versions, and is shown the present as soon as it draws."""
        for tick in range(1, 10 * SNAPSHOTS):
            self.come(tick, tick * TICK_S)
        self.assertEqual((len(self.sync._versions), len(self.sync._arrivals)), (SNAPSHOTS, ARRIVALS))
        self.assertAlmostEqual(self.x(tick * TICK_S), 10 * (tick - 1))

    def test_pause(self) -> None:
        """After a pause of ten minutes the present is shown at once."""
        for tick in range(1, 40):
            self.come(tick, tick * TICK_S)
            self.x(tick * TICK_S)
        self.sync.to_present()
        self.assertEqual(self.x(600.0), 390)
        for tick in range(12_000, 12_010):
            self.come(tick, tick * TICK_S + 0.5)
        self.assertAlmostEqual(self.x(tick * TICK_S + 0.5), 10 * (tick - 1))

    def test_update_rate(self) -> None:
        """A frame for every second tick is shown over two ticks' time; the rate may be set while running."""
        self.sync.update_rate = 10
        for tick in range(2, 100, 2):
            self.come(tick, tick * TICK_S)
            shown = [self.x((tick + part) * TICK_S) for part in (0, 0.5, 1, 1.5)]
            for part, x in zip((0, 0.5, 1, 1.5), shown, strict=True):
                self.assertAlmostEqual(x, max(10 * (tick + part - 2), 20))
        self.assertAlmostEqual(self.sync.interval, 2)
        self.sync.update_rate = 20
        self.assertEqual(self.sync.interval, 1)
