"""Bottles that were thrown yesterday still drift today."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any

from meteor_net import Refused
from meteor_net.drift import Drift
from meteor_net.drift.world import Read, Throw, Toss
from meteor_net.server.auth import Tokens, make_token
from meteor_net.storage.memory import MemoryStorage
from meteor_net.testing import GameTestCase, PlayerHandle

SECRET = b"a secret of thirty-two bytes and more"
YEAR_2100 = 4_102_444_800


class YesterdayTests(GameTestCase):
    """A server with the storage of an earlier one."""

    game = Drift
    authenticator = Tokens(SECRET)

    def setUp(self) -> None:
        self.storage = MemoryStorage(Random(1))

    def user(self, name: str) -> PlayerHandle:
        """A player with an account, who is the same person on every visit."""
        return self.player(name, token=make_token(SECRET, name, YEAR_2100, name))

    def kill(self) -> None:
        """The server dies; what it would have saved afterwards is never seen."""
        left = deepcopy(self.storage)
        self.stop_server()
        self.storage._data = left._data
        for player in self._handles:
            player.game.disconnect()
        self.start_server()

    def stop(self) -> None:
        """The server stops as it should, and starts again."""
        for player in self._handles:
            player.game.disconnect()
        self.stop_server()
        self.start_server()

    def texts(self) -> list[str]:
        """What the bottles of players say that drift."""
        return [bottle.text for bottle in self.room.world.bottle if bottle.user]

    def fish(self, player: PlayerHandle) -> Any:
        """Let the players' only bottle drift against a craft; answers what it says."""
        (craft,) = (craft for craft in self.room.world.craft if craft.name == player.name)
        (bottle,) = (bottle for bottle in self.room.world.bottle if bottle.user)
        bottle.x, bottle.y, bottle.vx, bottle.vy = craft.x, craft.y, 0.0, 0.0
        self.advance(0.3)
        return player.act(Read())

    def test_killed(self) -> None:
        """Two seconds after a throw the bottle is safe, and another player reads it after the restart."""
        self.user("ann").act(Throw(text="hello from yesterday"))
        self.advance(2.0)
        self.kill()
        bob = self.user("bob")
        self.assertEqual(self.texts(), ["hello from yesterday"])
        self.assertEqual(self.fish(bob), {"text": "hello from yesterday", "name": "ann"})

    def test_stopped(self) -> None:
        """When the server stops, all is there again: the place, the age, and meteorites besides."""
        self.user("ann").act(Throw(text="hello"))
        self.advance(30.0)
        self.stop()
        self.user("bob")
        (bottle,) = (bottle for bottle in self.room.world.bottle if bottle.user)
        self.assertTrue(29 <= bottle.age <= 31, bottle.age)
        self.assertEqual((len(self.room.world.meteor), len(self.room.world.craft)), (200, 1))

    def test_everybody_gone(self) -> None:
        """A room that ends for want of players, in a server that goes on, is the same."""
        ann = self.user("ann")
        ann.act(Throw(text="hello"))
        ann.leave()
        self.advance(1.0)
        self.assertEqual(len(self.server.host.lobby), 0)
        self.user("bob")
        self.assertEqual(self.texts(), ["hello"])

    def test_in_hand(self) -> None:
        """A bottle in somebody's hands goes back into the sea before the server ends."""
        self.user("ann").act(Throw(text="hello"))
        self.fish(self.user("bob"))
        self.assertEqual(self.texts(), [])
        self.stop()
        self.user("eve")
        self.assertEqual(self.texts(), ["hello"])

    def test_nothing_of_players(self) -> None:
        """A room in which nobody threw anything leaves nothing behind."""
        ann = self.user("ann")
        self.advance(12.0)
        self.assertIn("drift/main", self.storage._data)
        ann.leave()
        self.advance(1.0)
        self.assertEqual(self.storage._data, {})

    def test_still_the_throwers(self) -> None:
        """One who comes back under the same id does not find its own, and has no more than three adrift."""
        self.user("ann").act(Throw(text="hello"))
        self.advance(2.0)
        self.kill()
        ann = self.user("ann")
        with self.assertRaisesRegex(Refused, "no bottle in your hands"):
            self.fish(ann)
        for number in range(2):
            ann.act(Throw(text=f"{number}"))
        with self.assertRaisesRegex(Refused, "3 bottles of yours are adrift"):
            ann.act(Throw(text="one too many"))

    def test_thrown_back(self) -> None:
        """What was fished and thrown back is saved soon, too."""
        self.user("ann").act(Throw(text="hello"))
        bob = self.user("bob")
        self.fish(bob)
        self.advance(12.0)
        bob.act(Toss())
        self.advance(2.0)
        self.kill()
        self.user("eve")
        self.assertEqual(self.texts(), ["hello"])
