"""How busy the ticks of its rooms keep a server, and what it does about that."""

from __future__ import annotations

from typing import Any

from meteor_net import Game, Refused
from meteor_net.limits import Limits
from meteor_net.testing import GameTestCase


class Mill(Game):
    """A game whose ticks take as long as it is told."""

    tick_hz = 20
    takes_s = 0.0

    def tick(self, dt: float) -> None:
        """Take the time: the clock of the server goes on meanwhile."""
        Mill.clock.spend(self.takes_s)

    clock: Any = None


class BusyTests(GameTestCase):
    """A process that has no time left for more."""

    game = Mill
    limits = Limits(busy_share=0.5)

    def setUp(self) -> None:
        super().setUp()
        Mill.clock = self.network.clock
        self.addCleanup(setattr, Mill, "takes_s", 0.0)

    def ticks(self) -> dict[str, float]:
        """What the report says of ticks."""
        ticks: dict[str, float] = self.server.host.monitor.generate_report().as_dict()["totals"]["ticks"]
        return ticks

    def test_no_more_rooms(self) -> None:
        """While ticks take more than their share, no room is made; those there are go on; then it is as before."""
        ann = self.player("ann", room="one")
        self.advance(3.0)
        self.assertEqual(self.ticks()["busy"], 0.0)
        Mill.takes_s = 0.04
        self.advance(3.0)
        self.assertGreater(self.ticks()["busy"], 0.5)
        self.assertGreaterEqual(self.ticks()["longest_ms"], 40.0)
        error = self.assertRaises(Refused, self.player, "bob", room="two")
        self.assertEqual((error.reason, error.text), ("too-many-rooms", "the server is too busy for another room"))
        self.player("cid", room="one")
        self.assertEqual(ann.status, "online")
        Mill.takes_s = 0.0
        self.advance(3.0)
        self.player("dan", room="two")


class ReportTests(GameTestCase):
    """What the server tells of itself in numbers."""

    game = Mill

    def test_report(self) -> None:
        """Sessions, rooms, streams and ticks are counted, as text and as plain values."""
        ann = self.player("ann")
        ann.say("hello")
        self.advance(12.0)
        report = self.server.host.monitor.generate_report()
        told = report.as_dict()["totals"]
        self.assertEqual((told["rooms"]["rooms"], told["rooms"]["joined"], told["rooms"]["lines"]), (1, 1, 1))
        self.assertGreaterEqual(told["rooms"]["ticks"], 200)
        self.assertEqual((told["sessions"]["sessions"], told["sessions"]["lines"]), (1, 1))
        self.assertGreater(told["sessions"]["bytes_out"], 0)
        self.assertGreater(told["sessions"]["round_trip_ms"], 0)
        self.assertEqual(told["server"]["joined"], 1)
        self.assertIn("rooms", report.text())
