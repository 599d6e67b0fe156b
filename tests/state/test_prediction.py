"""The predictor: what is replayed when, and what is drawn."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Angle, Fixed, Flag, Table, UInt
from meteor_net.state.own import OwnFields
from meteor_net.state.prediction import MAX_INPUTS, Predictor
from tests.vectors import make_prediction

FILE = make_prediction.PATH.read_text(encoding="utf-8")
TICK = 0.05


class Car(Table):
    """What is driven."""

    x = Fixed(step=1 / 4, low=0, high=100)
    way = Angle(bits=8)
    gear = UInt(bits=4)
    load = UInt(bits=8, interpolate="linear")
    jumped = Flag(snap=True)


def drive(s: Any, i: int) -> None:
    """Drive on by `i` steps, and turn by as much."""
    if i == 13:
        raise ZeroDivisionError("no such gear")
    s.x += i
    s.way += i
    s.gear = i
    s.load += 1


class PredictorCase(SynchronousTestCase):
    """A car at 10 steps, as of tick 1."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **options: Any) -> None:
        """Begin with options."""
        self.car = Predictor(TICK, **options)
        self.fields = OwnFields([Car])
        self.seq = 0
        self.told(1, x=10)

    def told(self, tick: int, x: int, way: int = 0, gear: int = 0, load: int = 0, jumped: int = 0, row: int = 0) -> None:
        """The server says where the car is."""
        self.car.authoritative(tick, self.fields, (x, way, gear, load, jumped), (0, row))

    def act(self, i: int, now: float) -> bool:
        """Drive; tell whether it is sent."""
        due = self.car.due(now)
        self.seq += due
        self.car.apply(self.seq if due else None, drive, i, now)
        return due

    def x(self) -> int | None:
        """What is predicted."""
        predicted = self.car.predicted
        return None if predicted is None else predicted[0]

    def drawn(self, now: float) -> float:
        """What is drawn, in steps."""
        shown = self.car.shown(now)
        assert shown is not None
        x: float = shown["x"] * 4
        return x


class ReplayTests(PredictorCase):
    """What is predicted: integers."""

    def test_until_it_is_in_the_world(self) -> None:
        """An input counts until it is acknowledged and the replica is there, whichever comes first."""
        for n in range(4):
            self.assertTrue(self.act(1, n * TICK))
        self.assertEqual((self.x(), self.car.waiting), (14, 4))
        self.car.acked(2, 5)  # ahead of the frame
        self.assertEqual((self.x(), self.car.waiting), (14, 4))
        self.told(4, x=11)
        self.assertEqual((self.x(), self.car.waiting), (15, 4))
        self.told(5, x=12)
        self.assertEqual((self.x(), self.car.waiting), (14, 2))
        self.told(7, x=14)  # ahead of the ACK
        self.car.acked(4, 7)
        self.assertEqual((self.x(), self.car.waiting), (14, 0))

    def test_no_version_of_that_tick(self) -> None:
        """An ACK of the tick that the replica has is good at once: no frame will come."""
        self.act(0, 0.0)
        self.car.acked(1, 1)
        self.assertEqual(self.car.waiting, 0)

    def test_dropped(self) -> None:
        """What the server left out is acknowledged with the next: a correction."""
        self.act(5, 0.0)
        self.act(1, TICK)
        self.car.acked(2, 2)
        self.told(2, x=11)
        self.drawn(TICK)
        self.assertEqual((self.x(), self.car.counters["corrections"]), (11, 1))

    def test_refused(self) -> None:
        """A refused input never counts; another number does nothing."""
        self.act(5, 0.0)
        self.act(1, TICK)
        self.car.refused(1)
        self.car.refused(9)
        self.assertEqual((self.x(), self.car.waiting), (11, 1))

    def test_bounded(self) -> None:
        """However long nothing is heard, so many inputs are kept: the newest."""
        for n in range(MAX_INPUTS + 10):
            self.act(1 if n >= 10 else 3, n * TICK)
        self.assertEqual((self.x(), self.car.waiting), (10 + MAX_INPUTS, MAX_INPUTS))

    def test_nothing_to_go_by(self) -> None:
        """Without the rows nothing is predicted, and inputs are kept for when they are there."""
        self.car.authoritative(2, self.fields, None, None)
        self.act(2, 0.0)
        self.assertIsNone(self.x())
        self.assertIsNone(self.car.shown(0.01))
        self.told(3, x=20)
        self.assertEqual(self.x(), 22)

    def test_reset(self) -> None:
        """JOINED: all that was under way is forgotten."""
        self.act(2, 0.0)
        self.car.reset()
        self.assertEqual((self.x(), self.car.waiting), (None, 0))
        self.told(9, x=50)
        self.assertIsNone(self.car.shown(1.0))  # until the controls are known
        self.assertTrue(self.act(1, 1.0))
        self.assertEqual(self.x(), 51)

    def test_step_raises(self) -> None:
        """An input whose step raises was none; the controls stay as they were."""
        self.act(2, 0.0)
        self.assertRaises(ZeroDivisionError, self.act, 13, TICK)
        self.assertRaises(ZeroDivisionError, self.act, 13, TICK + 0.001)
        self.assertEqual((self.x(), self.car.waiting), (12, 1))
        self.assertEqual(self.drawn(TICK / 2 - TICK / 2), 13)

    def test_what_cannot_be(self) -> None:
        """Lengths of time are not negative."""
        for arguments in ((0.0,), (TICK, -1.0), (TICK, 0.1, -1.0)):
            self.assertRaises(ValueError, Predictor, *arguments)


class PaceTests(PredictorCase):
    """One input for each tick."""

    def sent(self, *times: float) -> list[int]:
        """Say when `act` is called, in ms; the places of those that are sent."""
        return [n for n, ms in enumerate(times) if self.act(1, ms / 1000)]

    def test_each_tick(self) -> None:
        """One who calls in each tick, not quite evenly, has each sent."""
        self.assertEqual(self.sent(0, 55, 98, 149, 205, 250), [0, 1, 2, 3, 4, 5])

    def test_each_picture(self) -> None:
        """One who calls for each picture has one sent in three, at 60 Hz."""
        times = [n * 1000 / 60 for n in range(600)]
        sent = self.sent(*times)
        self.assertEqual(len(sent), 201)
        self.assertEqual({after - before for before, after in pairwise(sent[2:])}, {3})

    def test_no_burst(self) -> None:
        """After a pause one is sent, not those that were missed; a clock that goes back gives none."""
        self.assertEqual(self.sent(0, 5000, 5001, 5002, 4000, 4001), [0, 1])


class DrawTests(PredictorCase):
    """What is drawn: smooth."""

    def test_between_two_steps(self) -> None:
        """The row goes on from what is predicted, by what the controls say now, from when the input was due."""
        self.act(4, 0.0)  # it was due half a tick ago
        self.assertEqual([self.drawn(at * TICK) for at in (-0.5, 0, 0.25, 0.5, 1.0)], [14, 16, 17, 18, 20])
        # A little beyond, where the next input is late; then, as none comes, to rest.
        self.assertEqual([round(self.drawn(at * TICK), 9) for at in (1.5, 2.0, 2.5, 9)], [18, 16, 14, 14])

    def test_fields(self) -> None:
        """Angles and numbers glide, a whole number with `interpolate` too; others are as they will be."""
        self.begin(smooth_s=0)
        self.told(2, x=10, way=250)
        self.act(4, 0.0)
        shown = self.car.shown(0.0)
        assert shown is not None
        self.assertEqual((shown["x"], shown["gear"], shown["load"], shown["jumped"]), (4.0, 4, 1.5, False))
        self.assertEqual(shown["way"], 0.0)  # 254 and half the way to 258: 256 is 0

    def test_controls_change(self) -> None:
        """Controls that change within a tick are seen in the next picture, and nothing jumps."""
        self.act(4, 0.0)
        before = self.drawn(0.02)
        self.assertFalse(self.act(-4, 0.02))
        self.assertAlmostEqual(self.drawn(0.02), before)
        later = self.drawn(0.03)
        self.assertLess(later, before)
        self.assertEqual(self.x(), 14)  # what was sent is sent

    def test_corrections_fade(self) -> None:
        """A correction is not seen as a jump; after the time constant a third is left of it, later nothing."""
        self.act(0, 0.0)
        self.car.acked(1, 2)
        self.told(2, x=30)
        self.assertEqual(self.x(), 30)
        self.assertAlmostEqual(self.drawn(1.0), 10)
        self.assertAlmostEqual(self.drawn(1.1), 30 - 20 / 2.718281828, places=5)
        self.assertAlmostEqual(self.drawn(3.0), 30)
        self.assertEqual(self.car.counters["corrections"], 1)

    def test_within_the_domain(self) -> None:
        """What is drawn stays within the field's domain, whatever fades."""
        self.told(2, x=400)
        self.act(0, 0.0)
        self.told(3, x=0)
        self.drawn(0.0)
        self.act(-5, TICK)
        self.assertGreaterEqual(self.drawn(5.0), 0)
        self.act(200, 5.0)
        self.told(4, x=390)
        self.assertLessEqual(self.drawn(5.05), 400)

    def test_shorter_way(self) -> None:
        """An angle is corrected the shorter way round."""
        self.act(0, 0.0)
        self.told(2, x=10, way=250)
        shown = self.car.shown(0.05)
        assert shown is not None
        self.assertAlmostEqual(shown["way"], 0.0)
        shown = self.car.shown(0.1)
        assert shown is not None
        self.assertGreater(shown["way"], 6.1)

    def test_nothing_was_wrong(self) -> None:
        """Where the server says what was predicted the picture is not pulled at, to the last bit."""
        self.act(4, 0.0)
        self.act(4, TICK)
        before = self.drawn(0.07)
        self.car.acked(1, 2)
        self.told(2, x=14, way=4, gear=4, load=1)
        self.assertEqual(self.drawn(0.07), before)
        self.assertEqual(self.car.counters["corrections"], 0)

    def test_snap(self) -> None:
        """Beyond `snap` nothing glides, nor where the row jumped; nor from one row to another."""
        self.begin(snap=2.0)
        self.act(0, 0.0)
        self.told(2, x=10 + 8)  # two units
        self.assertAlmostEqual(self.drawn(0.0), 10)
        self.told(3, x=10 + 8 + 9)
        self.assertEqual(self.drawn(0.0), 27)
        self.told(4, x=28, jumped=1)
        self.assertEqual(self.drawn(0.0), 28)
        self.assertEqual(self.car.counters["snaps"], 2)
        self.told(5, x=22, row=7)
        self.assertEqual(self.drawn(0.0), 22)
        self.assertEqual(self.car.counters["snaps"], 2)

    def test_no_smoothing(self) -> None:
        """`smooth_s` 0: what was wrong is right at once."""
        self.begin(smooth_s=0)
        self.act(0, 0.0)
        self.told(2, x=30)
        self.assertEqual(self.drawn(0.0), 30)


class VectorTests(SynchronousTestCase):
    """`tests/vectors/prediction.json`, which the browser's tests read too."""

    def test_file_is_fresh(self) -> None:
        """The file is what `make_prediction` makes."""
        self.assertEqual(FILE, make_prediction.text())

    def test_flight(self) -> None:
        """The file has 1,000 steps that go over all edges: a step that differs anywhere is seen."""
        flight = json.loads(FILE)["flight"]
        x = [state[0] for state in flight["states"]]
        self.assertEqual(len(x), 1_000)
        self.assertGreater(max(abs(after - before) for before, after in pairwise(x)), 30_000)
        self.assertEqual({state[5] for state in flight["states"]}, {0, 1})

    def test_stories(self) -> None:
        """What was said of each input, and drawn in each picture, comes again."""
        for story in json.loads(FILE)["stories"]:
            client = make_prediction.Client(story)
            for number, (kind, *told) in enumerate(story["happens"]):
                where = (story["about"], number)
                came = client.happen(kind, *told)
                if kind == "act":
                    self.assertEqual(came, told[2], where)
                elif kind == "draw" and told[1] is not None:
                    self.assertLess(make_prediction.differs(came, told[1]), 1e-6, where)
                elif kind == "draw":
                    self.assertIsNone(came, where)
