"""The flight of a craft: in integers, and yet as it should be."""

from __future__ import annotations

import math
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.drift import Drift
from meteor_net.drift.flight import REST, step
from meteor_net.drift.world import Craft, Steer
from meteor_net.state.own import OwnFields, input_ints
from meteor_net.testing import GameTestCase

DT = 0.05
#: Helm, thrust, and for how many ticks.
FLIGHT = [(0, True, 40), (1, True, 20), (-1, True, 60), (0, False, 20), (-1, False, 10), (0, True, 50)]


class Smooth:
    """The same craft in floats: 3.56 radians a second, 260 units a second squared, 1.1 of the speed lost in a second."""

    def __init__(self) -> None:
        self.x = self.y = 100.0
        self.vx = self.vy = self.heading = 0.0

    def fly(self, turn: float, thrust: bool) -> None:
        """Fly one tick."""
        self.heading += turn * 3.56 * DT
        push = 260.0 * thrust
        self.vx += (push * math.cos(self.heading) - self.vx * 1.1) * DT
        self.vy += (push * math.sin(self.heading) - self.vy * 1.1) * DT
        self.x, self.y = self.x + self.vx * DT, self.y + self.vy * DT


class StepTests(SynchronousTestCase):
    """One tick after the other."""

    def setUp(self) -> None:
        self.fields = OwnFields([Craft])
        self.ints = input_ints(Steer)

    def craft(self, **ints: int) -> tuple[int, ...]:
        """The integers of a craft at rest, but for those that are given."""
        at_rest = {"x": 1600, "y": 1600, "vx": REST, "vy": REST}
        return tuple((at_rest | ints).get(field.name, 0) for field in self.fields.fields)

    def fly(self, craft: tuple[int, ...], turn: float = 0.0, thrust: bool = False, ticks: int = 1) -> SimpleNamespace:
        """Fly for some ticks; answers the integers by name, and `after`, all of them."""
        for _ in range(ticks):
            craft = self.fields.step(step, craft, self.ints(Steer(turn=turn, thrust=thrust)))
        names = (field.name for field in self.fields.fields)
        return SimpleNamespace(**dict(zip(names, craft, strict=True)), after=craft)

    def test_flies_as_floats_would(self) -> None:
        """Ten seconds of curves and straights end within some units of each other, at speeds that are much the same."""
        smooth, craft = Smooth(), self.craft()
        for turn, thrust, ticks in FLIGHT:
            flown = self.fly(craft, turn, thrust, ticks)
            craft = flown.after
            for _ in range(ticks):
                smooth.fly(turn, thrust)
            x, y = (flown.vx - REST) / 16, (flown.vy - REST) / 16
            self.assertLess(math.dist((x, y), (smooth.vx, smooth.vy)), 8)
        self.assertLess(math.dist((flown.x / 16, flown.y / 16), (smooth.x % 2048, smooth.y % 2048)), 25)

    def test_nothing_is_preferred(self) -> None:
        """East and west, left and right are the same, mirrored."""
        east = self.fly(self.craft(heading=0), thrust=True, ticks=100)
        west = self.fly(self.craft(heading=512), thrust=True, ticks=100)
        self.assertLess(abs((east.vx - REST) + (west.vx - REST)), 10)
        self.assertEqual((east.vy, west.vy), (REST, REST))
        left, right = (self.fly(self.craft(), turn=way, ticks=10).heading for way in (-1, 1))
        self.assertEqual((left + right) % 1024, 0)

    def test_comes_to_rest(self) -> None:
        """And then nothing changes any more: a sea at rest is not sent."""
        craft = self.fly(self.craft(vx=REST + 4000, vy=REST - 3000), ticks=200).after
        self.assertEqual(self.fly(craft).after, craft)

    def test_stays_within_the_world(self) -> None:
        """Over the edges, and at the highest speed that a hit can give."""
        for vx in (0, 32768):
            flown = self.fly(self.craft(x=0, vx=vx, heading=512), thrust=True)
            self.assertTrue(0 <= flown.x < 32768 and 0 <= flown.vx <= 32768)


class HelmTests(GameTestCase):
    """In a room."""

    game = Drift

    def test_flies_while_it_is_steered(self) -> None:
        """One who says nothing more flies on for a moment, and then drifts."""
        ann = self.player("ann")
        [craft] = self.room.world.craft
        y = craft.y
        for _ in range(10):
            ann.act(Steer(thrust=True))
            self.advance(DT)
        self.assertTrue(craft.thrust)
        self.advance(0.2)
        self.assertTrue(craft.thrust)
        self.advance(0.2)
        self.assertFalse(craft.thrust)
        self.assertNotEqual(craft.y, y)
