"""Documents in two languages: what Python's replica was told leads in the browser's modules to the same, and bad bytes too."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis.stateful import run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import FrameError
from meteor_net.state.documents.docs import Docs, apply_docs
from tests.requirements import REPOSITORY, require
from tests.state.documents.test_machine import SCHEMA, SETTINGS, Client, DocumentsMachine
from tests.state.fuzz import mutated

SCRIPT = Path(__file__).with_name("documents.mjs")
#: Changed forms of each frame's documents.
CHANGED = 12


def recorded(client: Client, chance: Random) -> dict[str, Any]:
    """Give a client's story as JSON can carry it, with changed forms of its documents and what Python makes of them."""
    told = []
    held = Docs.empty(SCHEMA.documents)
    for step, trees in client.story:
        if step.base_code < 8:
            held = Docs.empty(SCHEMA.documents)
        changed: list[list[Any]] = []
        for _ in range(CHANGED):
            docs = mutated(step.docs, chance)
            try:
                changed.append([docs.hex(), apply_docs(held, docs)])
            except FrameError:
                changed.append([docs.hex(), None])
        told.append({
            "tick16": step.tick16, "base": step.base_code, "data": step.data.hex(), "docs": step.docs.hex(),
            "trees": trees, "changed": changed,
        })  # fmt: skip
        held = apply_docs(held, step.docs)
    return {"schema": SCHEMA.describe(), "told": told}


class DocumentsTests(SynchronousTestCase):
    """The browser's modules in Node.js beside the server's."""

    def test_any_history(self) -> None:
        """Late joiners, slow clients, lost bases: the trees are the same after each frame; changed bytes are read alike."""
        clients: list[Client] = []

        class Recording(DocumentsMachine):
            def teardown(self) -> None:
                clients.extend(getattr(self, "clients", ()))

        run_state_machine_as_test(Recording, settings=SETTINGS)
        chance = Random(1)
        stories = [recorded(client, chance) for client in clients]
        node = require("node")
        with TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(REPOSITORY / "meteor_net" / "browser", folder / "browser")
            # The modules are written for a browser: Node.js wants to be told what they are.
            (folder / "package.json").write_text('{"type": "module"}')
            file = folder / "documents.json"
            file.write_text(json.dumps(stories, default=lambda data: {"hex": data.hex()}), encoding="utf-8")
            done = subprocess.run(
                [node, str(SCRIPT), str(folder / "browser"), str(file)], capture_output=True, text=True, timeout=300
            )
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        found = json.loads(done.stdout)
        frames = sum(len(client.story) for client in clients)
        self.assertGreater(frames, 50)
        self.assertEqual((found["frames"], found["tried"]), (frames, frames * CHANGED))
        self.assertTrue(frames < found["refused"] < found["tried"], found)
        backs = {min(step.base_code // 8, 2) for client in clients for step, _ in client.story}
        self.assertEqual(backs, {0, 1, 2})
