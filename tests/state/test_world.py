"""The world of a room."""

from __future__ import annotations

import copy

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Schema, UInt, World
from tests.state.samples import SCHEMA, Rock


class WorldTests(SynchronousTestCase):
    """Tables by their names."""

    def test_tables(self) -> None:
        """Each table is an attribute, and has its place in the list."""
        world = World(SCHEMA, 7)
        self.assertIsInstance(world.rock, Rock)
        self.assertEqual((world.tables, world.epoch), ([world.ship, world.rock], 7))
        self.assertEqual(repr(world), "<World ship=0, rock=0>")

    def test_unknown_table(self) -> None:
        """A wrong name is an error that tells the right ones."""
        self.assertIn("ship, rock", str(self.assertRaises(AttributeError, getattr, World(SCHEMA, 7), "shop")))
        self.assertIn("none", str(self.assertRaises(AttributeError, getattr, World(Schema(), 7), "shop")))

    def test_copy(self) -> None:
        """A copy in the making, which has nothing yet, does not go round in circles."""
        world = World(Schema([Rock]), 7)
        self.assertIs(copy.copy(world).rock, world.rock)

    def test_worlds_are_apart(self) -> None:
        """Two worlds of one schema share nothing."""
        one, other = World(SCHEMA, 1), World(SCHEMA, 2)
        one.rock.spawn(size=3)
        self.assertEqual((len(other.rock), UInt(4).default), (0, 0))
