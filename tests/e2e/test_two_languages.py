"""What Python encodes, JavaScript reads: random worlds, every kind of field, both codings, every kind of frame."""

from __future__ import annotations

import os
from itertools import islice

from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import BaseLost, Replica, Schema
from meteor_net.state.sight.sights import Sight
from tests.e2e.random_worlds import BOTH, every_base, histories
from tests.e2e.replay import Sighted, Story, replay
from tests.state.test_machine import SETTINGS, StreamMachine
from tests.state.test_sights import Scene, Viewer

#: Histories, and changed forms of frames of each coding; METEOR_MUTATIONS sets another number.
HISTORIES = 60
MUTATIONS = 2_000


class Watcher(Viewer):
    """One who sees a part of a random world, and is told of it by whole frames; nothing is kept of the ticks that it missed."""

    def __init__(self, scene: Scene, viewer: Viewer) -> None:
        super().__init__(scene.sights, scene.schema)
        self.looking = viewer.looking
        self.stream, self.random = scene.stream, scene.random
        self.whole = Replica(scene.schema, 1)
        self.story: list[Sighted] = []
        self._number: int | None = None
        self._coding = self.random.choice((0, BOTH))

    def take(self, data: bytes, reached: Sight) -> None:
        anew = self.held is None
        super().take(data, reached)
        whole = anew and self.random.random() < 0.5
        try:
            step = self.stream.step(None if whole else self._number, self._coding)
        except BaseLost:
            step = self.stream.step(None, self._coding)
        self._number = self.stream.version.number
        seen = self.whole.apply(step.tick16, step.base_code, step.data, step.texts, data)
        self.story.append(Sighted(step, self.whole.crc(), data, seen))


def watched(seed: int, ticks: int = 60) -> list[Watcher]:
    """Let a random world go on, and give those who saw it."""
    scene = Scene(seed)
    watchers = [Watcher(scene, viewer) for viewer in scene.viewers]
    scene.viewers[:] = watchers
    for _ in range(ticks):
        scene.step()
    return watchers


class TwoLanguagesTests(SynchronousTestCase):
    """The browser's modules in Node.js beside the server's."""

    def test_every_frame_leads_to_the_same_world(self) -> None:
        """Following, joining and catching up, in either coding: the checksums are the same after each frame."""
        cases = list(islice(histories(seed=1), HISTORIES))
        found = replay((world.schema, client.frames) for world, client in cases)
        self.assertEqual(found["frames"], sum(len(client.frames) for _, client in cases))
        codings = {step.base_code % 8 for _, client in cases for step, _ in client.frames}
        backs = {min(step.base_code // 8, 2) for _, client in cases for step, _ in client.frames if step.base_code % 8 == 1}
        self.assertEqual((codings, backs), ({0, 1}, {0, 1, 2}))

    def test_every_base(self) -> None:
        """From every version that is kept one step leads to the newest, and the shared steps lead on from there."""
        cases = [case for seed in range(20) for case in every_base(seed)]
        found = replay((world.schema, client.frames) for world, client in cases)
        self.assertEqual(found["frames"], 20 * 8 * 5)

    def test_changed_frames(self) -> None:
        """A changed frame is applied or refused, changes nothing where it is refused, and is never slow."""
        cases = list(islice(histories(seed=2), 20))
        wanted = int(os.environ.get("METEOR_MUTATIONS", MUTATIONS))
        found = replay(((world.schema, client.frames) for world, client in cases), changed=wanted)
        for coding in (0, 1):
            self.assertGreaterEqual(found["tried"][coding], wanted)
            self.assertGreater(found["refused"][coding], wanted // 3)
            self.assertLess(found["longest"][coding], 10)

    def test_any_order(self) -> None:
        """Late joiners, slow clients, lost bases, cut connections: what Python's replica was told leads here to the same."""
        stories: list[tuple[Schema, Story]] = []

        class Recording(StreamMachine):
            def teardown(self) -> None:
                stories.extend((self.schema, client.story) for client in getattr(self, "clients", ()))

        run_state_machine_as_test(Recording, settings=SETTINGS)
        steps = [item[0] for _, story in stories for item in story if not isinstance(item, int)]
        self.assertEqual(replay(stories)["frames"], len(steps))
        kinds = {(min(step.base_code // 8, 2), step.base_code % 8) for step in steps}
        self.assertEqual(kinds, {(back, coding) for back in (0, 1, 2) for coding in (0, 1)})

    def test_in_sight(self) -> None:
        """What is in sight of keyed tables, for players who go about, miss frames and come back; changed frames, too."""
        watchers = [watcher for seed in range(6) for watcher in watched(seed)]
        found = replay(((watcher.stream.world.schema, watcher.story) for watcher in watchers), changed=MUTATIONS)
        self.assertEqual(found["frames"], sum(len(watcher.story) for watcher in watchers))
        self.assertLess(max(found["longest"]), 10)
        rows = [int(table.alive.sum()) for watcher in watchers for frame in watcher.story for table in frame.seen.tables[:1]]
        self.assertGreater(sum(rows) / len(rows), 5)
        backs = {min(frame.step.base_code // 8, 2) for watcher in watchers for frame in watcher.story}
        self.assertEqual(backs, {0, 1, 2})
