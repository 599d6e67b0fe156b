"""Documents with real clients: late ones, slow ones, and those that were cut off."""

from __future__ import annotations

import math
from typing import Any

from meteor_net import Game
from meteor_net.state import DocumentError
from meteor_net.testing import GameTestCase


class Talks(Game):
    """A game of documents alone, which says in them who came."""

    documents = ("match", "lobby")

    def opened(self) -> None:
        """Begin."""
        self.world.match = {"board": [""] * 30, "round": 0}

    def joined(self, player: Any) -> None:
        """Write down who came."""
        self.world.lobby.setdefault("names", []).append(player.name)

    def tick(self, dt: float) -> None:
        """Something changes at each tenth tick."""
        if self.room.tick % 10 == 0:
            self.world.match["board"][self.room.tick // 10 % 30] = "x"
            self.world.match["round"] += 1


class DocumentsTests(GameTestCase):
    """What players see."""

    game = Talks

    def same(self, *players: Any) -> None:
        """See that all have what the server has."""
        world: Any = self.room.world
        for player in players:
            self.assertEqual((player.world.match, player.world.lobby), (world.match, world.lobby))

    def test_late_and_slow(self) -> None:
        """Who comes late has all of it; who was slow, or cut off, catches up."""
        ann, bob = self.player("ann"), self.player("bob")
        self.advance(1.05)
        self.same(ann, bob)
        self.assertEqual(ann.world.lobby, {"names": ["ann", "bob"]})
        bob.network.stall(2.0)
        self.advance(1.5)
        self.assertNotEqual(bob.world.match, ann.world.match)
        self.advance(3.05)
        self.same(ann, bob)
        bob.network.cut(1.0)
        self.advance(6.05)
        zoe = self.player("zoë")
        self.advance(0.2)
        self.same(ann, bob, zoe)
        self.assertEqual(ann.game.show().match, ann.world.match)

    def test_small(self) -> None:
        """What is sent for a change is a few bytes, not the document."""
        ann = self.player("ann")
        self.advance(1.0)
        counters = ann.game._room.world.counters
        before = counters["frame_bytes"]
        self.advance(5.0)
        self.assertLess(counters["frame_bytes"] - before, 10 * 40)

    def test_quiet(self) -> None:
        """Where nothing happens players hear from the server all the same, as in any world: nobody thinks that it is gone."""
        self.patch(Talks, "tick", lambda game, dt: None)
        ann = self.player("ann")
        self.advance(20.0)
        self.assertEqual(ann.statuses, ["connecting", "online"])
        self.assertEqual(ann.world.lobby, {"names": ["ann"]})

    def test_fault(self) -> None:
        """A fault fails a test, unless it is expected; players keep what was good."""
        ann = self.player("ann")
        self.advance(0.3)
        world: Any = self.room.world
        world.match["best"] = {"ann": math.nan}
        world.lobby["open"] = True
        self.advance(3.0)
        (error,) = self.flush_errors(DocumentError)
        self.assertEqual(str(error), "match['best']['ann']: a number that is not finite")
        self.assertEqual((ann.world.lobby["open"], "best" in ann.world.match), (True, False))
        world.match["best"]["ann"] = 1
        self.advance(0.2)
        self.same(ann)
