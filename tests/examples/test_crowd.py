"""The crowd: who sees whom, and that it stays a crowd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docs.examples.crowd import crowd
from docs.examples.crowd.crowd import AGENTS, SIZE, Crowd, Look
from meteor_net.testing import GameTestCase

MOST_LINES = 60
SIGHT, CELL = 400, 64
#: Beyond the sight: across both cells, an eighth of a cell that rows and players stay longer, and some ticks' way.
MARGIN = 2 * 1.25 * CELL * 2**0.5 + 8


class CrowdTests(GameTestCase):
    """With real clients, in memory."""

    game = Crowd

    def look(self, player: Any, x: float, y: float) -> set[int]:
        """Let a player look from a point; answers the slots that it sees then."""
        player.act(Look(x=x, y=y))
        self.advance(0.5)
        return {agent.slot for agent in player.world.agent}

    def near(self, x: float, y: float, far: float) -> set[int]:
        """Find the slots of all that are near a point, on the server."""
        a = self.room.world.agent
        dx, dy = ((v + SIZE / 2) % SIZE - SIZE / 2 for v in (a.x - x, a.y - y))
        return set(np.flatnonzero(np.hypot(dx, dy) < far).tolist())

    def test_is_short(self) -> None:
        """The whole game is 60 lines, none of them longer than the others of the repository."""
        lines = Path(crowd.__file__).read_text().splitlines()
        self.assertLessEqual(len(lines), MOST_LINES)
        self.assertLessEqual(max(map(len, lines)), 128)

    def test_sees_who_is_near(self) -> None:
        """Nobody before the first look; then all within the sight, also beyond the world's edge, and none far from it."""
        ann = self.player("ann")
        self.advance(0.5)
        self.assertEqual(len(ann.world.agent), 0)
        for x, y in ((1000, 700), (20, 2000)):
            seen = self.look(ann, x, y)
            self.assertGreater(len(seen), 300)
            self.assertLess(len(seen), AGENTS / 2)
            self.assertEqual(self.near(x, y, SIGHT - 8) - seen, set())
            self.assertEqual(seen - self.near(x, y, SIGHT + MARGIN), set())

    def test_another_look_sees_others(self) -> None:
        """A step further some go and some come, on the other side of the world all are others; nobody else's view changes."""
        ann, bob = self.player("ann"), self.player("bob")
        theirs = self.look(bob, 500, 500)
        here, further, there = (self.look(ann, x, x) for x in (500, 700, 1524))
        self.assertTrue(here & further)
        self.assertTrue(here - further)
        self.assertTrue(further - here)
        self.assertFalse(here & there)
        still = {agent.slot for agent in bob.world.agent}
        self.assertGreater(len(still & theirs), 0.8 * len(theirs))

    def test_what_is_seen_is_true(self) -> None:
        """Who is in sight is seen where the server has it, to half a step; the pace stays there."""
        ann = self.player("ann")
        self.look(ann, 1024, 1024)
        for agent in ann.world.agent:
            own = self.room.world.agent[agent.slot]
            self.assertLess(abs(agent.x - own.x), 1 / 16 + 1e-9)
            self.assertLess(abs(agent.y - own.y), 1 / 16 + 1e-9)
            self.assertFalse(hasattr(agent, "pace"))

    def test_stays_alive(self) -> None:
        """After minutes there are streams, in all directions, with free ground between them and no clumps."""
        self.look(self.player("ann"), 0, 0)
        for _ in range(1200):
            self.room.game.tick(0.1)
        a = self.room.world.agent
        square = (a.y // 128).astype(int) * 16 + (a.x // 128).astype(int)
        many: NDArray[np.intp] = np.bincount(square, minlength=256)
        together = np.hypot(*(np.bincount(square, way, 256) for way in (np.cos(a.way), np.sin(a.way))))
        self.assertGreater(together.sum() / AGENTS, 0.7, "neighbours go the same way")
        self.assertLess(abs(np.exp(1j * a.way).mean()), 0.4, "not all do")
        self.assertLess(many.max(), 5 * many.mean(), "no clumps")
        self.assertGreater(many.std(), 0.4 * many.mean(), "nor is it even everywhere")
