"""What Python encodes, JavaScript reads: random worlds, every kind of field, both codings, every kind of frame."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import World
from tests.e2e.random_worlds import Client, every_base, histories
from tests.requirements import REPOSITORY, require

REPLAY = Path(__file__).with_name("replay.mjs")
BROWSER = REPOSITORY / "meteor_net" / "browser"
#: Histories, and changed forms of frames; METEOR_MUTATIONS sets another number.
HISTORIES = 60
MUTATIONS = 3_000
LONGEST_S = 600


def recorded(world: World, client: Client) -> dict[str, Any]:
    """Give a history as JSON can carry it."""
    frames = [
        {"tick16": step.tick16, "base": step.base_code, "data": step.data.hex(), "texts": step.texts or [], "crc": crc}
        for step, crc in client.frames
    ]
    return {"schema": world.schema.describe(), "frames": frames}


def replay(cases: Iterable[tuple[World, Client]], mutations: int) -> dict[str, Any]:
    """Apply frames in Node.js, each in so many changed forms before, and give what came out."""
    node = require("node")
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(BROWSER, folder / "browser")
        # The modules are written for a browser: Node.js wants to be told what they are.
        (folder / "package.json").write_text('{"type": "module"}')
        file = folder / "frames.json"
        text = json.dumps([recorded(*case) for case in cases], default=lambda data: {"hex": data.hex()})
        file.write_text(text, encoding="utf-8")
        command = [node, str(REPLAY), str(folder / "browser"), str(file), str(mutations)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)
    if done.returncode:
        raise AssertionError(done.stderr[-4000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class TwoLanguagesTests(SynchronousTestCase):
    """The browser's modules in Node.js beside the server's."""

    def test_every_frame_leads_to_the_same_world(self) -> None:
        """Following, joining and catching up, in either coding: the checksums are the same after each frame."""
        cases = list(islice(histories(seed=1), HISTORIES))
        found = replay(cases, mutations=0)
        self.assertEqual(found["frames"], sum(len(client.frames) for _, client in cases))
        codings = {step.base_code % 8 for _, client in cases for step, _ in client.frames}
        backs = {min(step.base_code // 8, 2) for _, client in cases for step, _ in client.frames if step.base_code % 8 == 1}
        self.assertEqual((codings, backs), ({0, 1}, {0, 1, 2}))

    def test_every_base(self) -> None:
        """From every version that is kept one step leads to the newest, and the shared steps lead on from there."""
        cases = [case for seed in range(20) for case in every_base(seed)]
        found = replay(cases, mutations=0)
        self.assertEqual(found["frames"], 20 * 8 * 5)

    def test_changed_frames(self) -> None:
        """A changed frame is applied or refused, changes nothing where it is refused, and is never slow."""
        cases = list(islice(histories(seed=2), 20))
        wanted = int(os.environ.get("METEOR_MUTATIONS", MUTATIONS))
        frames = sum(len(client.frames) for _, client in cases)
        found = replay(cases, mutations=-(-wanted // frames))
        self.assertGreater(found["refused"], wanted // 2)
        self.assertLess(found["longest"], 10)
