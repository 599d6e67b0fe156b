"""A player, as handlers see it."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net.interfaces import IPlayer, IRoom
from meteor_net.messages import Joined, Left, Own
from meteor_net.state import World

from ..plain import Bench


class PlayerTests(SynchronousTestCase):
    """What `IPlayer` promises."""

    def setUp(self) -> None:
        self.bench = Bench()
        self.ann = self.bench.guest("ann")
        self.player = self.ann.player
        self.ships = self.bench.room.world.ship
        self.bench.ticks(1)
        self.ann.read()

    def own(self) -> list[list[tuple[int, int]]]:
        """The rows that the client was told to be its own."""
        self.bench.ticks(1)
        return [own.rows for own in self.ann.found(Own)]

    def test_interfaces(self) -> None:
        """A player and its room keep their interfaces."""
        verifyObject(IPlayer, self.player)
        verifyObject(IRoom, self.player.room)

    def test_who(self) -> None:
        """Who it is, what it does here, and how far away it is."""
        player = self.player
        self.assertEqual((player.user, player.name, player.role, player.data, player.online), ("ann", "ann", "play", {}, True))
        self.assertEqual(repr(player), "<Player 'ann' (ann) in sea/main>")
        self.assertIsNone(player.round_trip_ms)
        self.ann.session.ponged(self.ann.session.ping(1.0, server_ms=0), 1.5)
        self.assertEqual(player.round_trip_ms, 500.0)
        self.assertEqual(self.bench.guest("bob", role=1).player.role, "watch")

    def test_row(self) -> None:
        """The client is told when its row becomes another, or none; not when it stays."""
        self.assertIsNone(self.player.row)
        self.player.row = row = self.ships.spawn()
        self.assertEqual((self.player.row, self.player.rows), (row, [row]))
        self.assertEqual(self.own(), [[(0, 0)]])
        self.player.row = row
        self.assertEqual(self.own(), [])
        self.player.row = None
        self.assertEqual((self.player.row, self.player.rows), (None, []))
        self.assertEqual(self.own(), [[]])

    def test_rows(self) -> None:
        """A player may own several rows; the list that is given out is a copy."""
        self.player.rows = [self.ships.spawn(), self.ships.spawn()]
        self.player.rows.clear()
        self.assertEqual(self.own(), [[(0, 0), (0, 1)]])

    def test_row_dies(self) -> None:
        """A row that is gone is nobody's own: the client is told though the game sets nothing."""
        self.player.row = self.ships.spawn()
        self.own()
        self.player.row.despawn()
        self.assertEqual(self.own(), [[]])
        self.ships.spawn()
        self.assertEqual(self.own(), [])

    def test_slot_taken_again(self) -> None:
        """Another row in the same slot is not the player's."""
        self.player.row = self.ships.spawn()
        self.own()
        self.player.row.despawn()
        self.ships.spawn()
        self.assertEqual(self.own(), [[]])

    def test_wrong_rows(self) -> None:
        """What is no row of the room's world is refused where it is set, and so are more than the wire carries."""
        other = World(self.bench.room.schema, epoch=1).ship.spawn()
        for wrong in (5, other):
            self.assertRaises(TypeError, setattr, self.player, "row", wrong)
        self.player.rows = [self.ships.spawn() for _ in range(64)]
        self.assertRaises(ValueError, setattr, self.player, "rows", [*self.player.rows, self.ships.spawn()])
        self.assertEqual(len(self.own()[0]), 64)

    def test_joined_tells_rows(self) -> None:
        """Who comes back is told its rows by JOINED, and not again."""
        self.player.row = self.ships.spawn()
        self.ann.lose()
        self.ann.connect()
        self.ann.join()
        self.assertEqual([joined.rows for joined in self.ann.found(Joined)], [[(0, 0)]])
        self.assertEqual(self.own(), [])

    def test_look(self) -> None:
        """A place is two finite numbers, or none; a reach cannot be negative: what is wrong is named, and changes nothing."""
        player = self.player
        player.look(1, 2.5, reach=7)
        cases: list[tuple[tuple[Any, ...], str]] = [
            ((nan, 1.0), "x is nan"),
            ((1.0, inf), "y is inf"),
            ((1.0, 2.0, nan), "reach is nan"),
            ((1.0, 2.0, inf), "reach is inf"),
            ((10**400, 1.0), "x is 1000"),
            (("a", 1.0), "x is a"),
            ((1.0, 2.0, -1.0), "reach is -1.0"),
            ((None, None, -1.0), "reach is -1.0"),
            ((1.0,), "both x and y"),
            ((None, 1.0), "both x and y"),
        ]
        for arguments, said in cases:
            error = self.assertRaises(ValueError, player.look, *arguments)
            self.assertIn(said, str(error))
        self.assertEqual((player.spot, player.reach), ((1.0, 2.5), 7))
        player.look(reach=3)
        self.assertEqual((player.spot, player.reach), (None, 3))
        player.look()
        self.assertEqual((player.spot, player.reach), (None, None))

    def test_team(self) -> None:
        """A player is of no team, of one, or of several."""
        player = self.player
        self.assertEqual((player.team, player.teams), (None, frozenset()))
        cases: list[tuple[Any, Any]] = [
            (3, 3), ({1, 2}, {1, 2}), ([65_535, 0, 0], {0, 65_535}), (np.int64(7), 7), ((), set()),
        ]  # fmt: skip
        for team, read in cases:
            player.team = team
            self.assertEqual(player.team, read)
            self.assertEqual(player.teams, {read} if isinstance(read, int) else read)
        player.team = 4
        for number in (-1, [1, 65_536]):
            self.assertRaises(ValueError, setattr, player, "team", number)
        for wrong in ("3", [None], True):
            self.assertRaises(TypeError, setattr, player, "team", wrong)
        self.assertEqual(player.team, 4)
        player.team = None
        self.assertEqual((player.team, player.teams), (None, frozenset()))

    def test_remove(self) -> None:
        """A game may take a player out: the client is told why, the handler that the player left; once."""
        self.player.remove("no cheating\ud800" + "x" * 2_000)
        self.player.remove("again")
        self.bench.turn()
        (left,) = self.ann.found(Left)
        self.assertEqual((left.reason, left.text[:12], len(left.text)), ("removed", "no cheating?", 1_000))
        self.assertEqual(self.ann.session.seats, {})
