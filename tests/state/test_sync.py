"""`StateSync`, the face of it all."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import DocumentError, Replica, Schema, StateSync, Version, World
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
        """A client's is given what the frames made, and shows the moment between two states."""
        world, server = World(SCHEMA, 1), StateSync()
        replica = Replica(SCHEMA, 1)
        client = StateSync()
        self.assertIsNone(client.last_state)
        row = world.rock.spawn(x=1)
        for x in (1, 3):
            row.x = x
            step = server.sync_state(world)
            assert step is not None
            came = replica.apply(step.tick16, step.base_code, step.data, step.texts)
            client.sync_state(came, now=step.tick * 0.05)
            self.assertIs(client.last_state, came)
        assert client.last_state is not None
        self.assertEqual(client.interpolate_state(replica.previous, client.last_state).rock.x.tolist(), [2])
        shown = client.show(2 * 0.05 + 0.025)
        assert shown is not None
        self.assertAlmostEqual(float(shown.rock.x[0]), 2)

    def updates(self, sync: StateSync, world: World, ticks: range) -> list[int]:
        """Let something change at each of these ticks; give those that were sent."""
        sent = []
        for tick in ticks:
            world.rock[0].x = tick % 100
            step = sync.sync_state(world, tick)
            if step is not None:
                sent.append(step.tick)
        return sent

    def test_update_rate(self) -> None:
        """So often is the state sent, whatever the ticks; it may be changed while running."""
        world, sync = World(SCHEMA, 1), StateSync(20, tick_s=1 / 60)
        world.rock.spawn()
        self.assertEqual(self.updates(sync, world, range(1, 12)), [1, 3, 6, 9])
        sync.update_rate = 60
        self.assertEqual(self.updates(sync, world, range(12, 16)), [12, 13, 14, 15])
        sync.update_rate = 25
        self.assertEqual(len(self.updates(sync, world, range(16, 616))), 250)
        sync.update_rate = 1000
        self.assertEqual(len(self.updates(sync, world, range(616, 716))), 100)

    def test_one_for_every_tick(self) -> None:
        """Where no rate was asked for every tick is sent, however odd its length."""
        world, sync = World(SCHEMA, 1), StateSync(tick_s=1 / 49)
        world.rock.spawn()
        self.assertEqual(len(self.updates(sync, world, range(1, 1001))), 1000)
        self.assertAlmostEqual(sync.update_rate, 49)

    def test_rates_that_cannot_be(self) -> None:
        """A rate within reason, or ValueError."""
        sync = StateSync(10)
        sync.update_rate = 30
        self.assertEqual(sync.update_rate, 30.0)
        for rate in (0, -1, 1001, math.nan):
            self.assertRaises(ValueError, setattr, sync, "update_rate", rate)
            self.assertRaises(ValueError, StateSync, rate)
        self.assertEqual(sync.update_rate, 30.0)

    def test_mapping(self) -> None:
        """A mapping is committed as a document: a keyframe first, then patches, and nothing where nothing changed."""
        sync, replica = StateSync(), Replica(Schema.parse(StateSync.schema.describe()), 1)
        state: dict[str, Any] = {"turn": "ann", "board": [""] * 40}
        sizes = []
        for _ in range(3):
            step = sync.sync_state(MappingProxyType(state))
            assert step is not None
            replica.apply(step.tick16, step.base_code, step.data, step.texts, docs=step.docs)
            self.assertEqual(replica.world.state, state)
            self.assertIsNone(sync.sync_state(dict(state)))
            sizes.append(len(step.docs))
            state["board"] = [*state["board"][1:], "x"]
        self.assertGreater(sizes[0], 50)
        self.assertLess(max(sizes[1:]), 25)
        assert sync.last_state is not None
        self.assertEqual(sync.last_state.docs["state"], replica.world.state)

    def test_mapping_that_is_no_document(self) -> None:
        """It is refused each time, names the place, and leaves all as it was."""
        sync: Any = StateSync()
        sync.sync_state({"turn": 1})
        for _ in range(2):
            error = self.assertRaises(DocumentError, sync.sync_state, {"turn": [1, math.nan]})
            self.assertEqual(str(error), "state['turn'][1]: a number that is not finite")
            self.assertRaises(DocumentError, sync.sync_state, {"turn": "x" * 70_000})
        self.assertEqual(sync.last_state.docs["state"], {"turn": 1})
        self.assertIsNone(sync.sync_state({"turn": 1}))

    def test_between_mappings(self) -> None:
        """Nothing is between two mappings: the later one is shown."""
        early, late = {"turn": 1}, {"turn": 2}
        self.assertIs(StateSync().interpolate_state(early, late, 0.25), late)

    def test_what_is_no_world(self) -> None:
        """Anything else is refused, and a version without its time; the same tick twice too."""
        sync: Any = StateSync()
        error = self.assertRaises(TypeError, sync.sync_state, 3)
        self.assertIn("not a int", str(error))
        self.assertRaises(TypeError, sync.sync_state, Version.empty(SCHEMA))
        world = World(SCHEMA, 1)
        world.rock.spawn()
        sync.sync_state(world, 5)
        self.assertRaises(ValueError, sync.sync_state, world, 5)
