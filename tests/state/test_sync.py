"""`StateSync`, the face of it all."""

from __future__ import annotations

import math

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Replica, StateSync, World
from tests.state.samples import SCHEMA


class StateSyncTests(SynchronousTestCase):
    """On both ends."""

    def test_server(self) -> None:
        """Each call commits the world and gives the step for those who hold the state before."""
        world, sync = World(SCHEMA, 1), StateSync(20)
        self.assertIsNone(sync.last_state)
        self.assertIsNone(sync.sync_state(world))
        row = world.rock.spawn(x=1)
        step = sync.sync_state(world)
        assert step is not None and sync.last_state is not None
        self.assertEqual((step.tick, step.base_code, sync.last_state.number), (2, 1, 1))
        self.assertIsNone(sync.sync_state(world))
        row.x = 2
        step = sync.sync_state(world, tick=10)
        assert step is not None
        self.assertEqual((step.tick, step.base_code), (10, 8))

    def test_another_world(self) -> None:
        """Another world begins anew."""
        sync = StateSync()
        for epoch in (1, 2):
            world = World(SCHEMA, epoch)
            world.rock.spawn()
            step = sync.sync_state(world)
            assert step is not None
            self.assertEqual((step.tick, step.base_code), (1, 1))

    def test_client(self) -> None:
        """A client's is given the replica, and shows the moment between two states."""
        world, server = World(SCHEMA, 1), StateSync()
        replica = Replica(SCHEMA, 1)
        client = StateSync(replica=replica)
        self.assertIsNone(client.last_state)
        row = world.rock.spawn(x=1)
        for x in (1, 3):
            row.x = x
            step = server.sync_state(world)
            assert step is not None
            replica.apply(step.tick16, step.base_code, step.data, step.texts)
        assert client.last_state is not None
        self.assertEqual(client.interpolate_state(replica.previous, client.last_state).rock.x.tolist(), [2])

    def test_update_rate(self) -> None:
        """The rate can be changed while running, within reason."""
        sync = StateSync(10)
        sync.update_rate = 30
        self.assertEqual(sync.update_rate, 30.0)
        for rate in (0, -1, 1001, math.nan):
            self.assertRaises(ValueError, setattr, sync, "update_rate", rate)
