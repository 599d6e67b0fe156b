"""`tests/vectors/documents.json`, read as a stranger's client would."""

from __future__ import annotations

import json
from typing import Any

import cbor2
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import FrameError, Replica, Schema
from meteor_net.state.documents.docs import Docs, apply_docs
from meteor_net.state.documents.patches import diff
from tests.state.documents.strategies import canonical
from tests.vectors import make_documents

FILE = make_documents.PATH.read_text(encoding="utf-8")


def tree(value: Any) -> Any:
    """Read a tree as JSON can carry it."""
    if isinstance(value, list):
        return [tree(item) for item in value]
    if not isinstance(value, dict):
        return value
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else {key: tree(item) for key, item in value.items()}


VECTORS = json.loads(FILE)


class VectorTests(SynchronousTestCase):
    """Every case of the file."""

    def test_up_to_date(self) -> None:
        """The file is what its script makes: a change of the wire shows here."""
        self.assertEqual(FILE, make_documents.text())

    def test_patches(self) -> None:
        """Each patch makes what it must, or is refused, and leaves the old tree as it was."""
        for case in [*VECTORS["patches"], *VECTORS["diffs"]]:
            docs = Docs({"d": tree(case["old"])}, 0)
            before = canonical(docs)
            data = b"\xa1\x61d" + bytes.fromhex(case["patch"])
            if "refused" in case:
                self.assertRaises(FrameError, apply_docs, docs, data)
            else:
                self.assertEqual(canonical(apply_docs(docs, data)["d"]), canonical(tree(case["new"])), case)
            self.assertEqual(canonical(docs), before)

    def test_diffs(self) -> None:
        """What the server sends is what the file says."""
        for case in VECTORS["diffs"]:
            self.assertEqual(cbor2.dumps(diff(tree(case["old"]), tree(case["new"]))).hex(), case["patch"])

    def test_worlds(self) -> None:
        """Frames lead to their documents; those to be refused change nothing."""
        for world in VECTORS["worlds"]:
            schema = Schema.parse(world["schema"])
            self.assertEqual(schema.hash.hex(), world["hash"])
            replica = Replica(schema, 1)
            for frame in world["frames"]:
                data, docs = bytes.fromhex(frame["data"]), bytes.fromhex(frame["docs"])
                given: Any = (frame["tick16"], frame["base"], data, [], b"", docs)
                if "refused" in frame:
                    before = replica.version
                    self.assertRaises(FrameError, replica.apply, *given)
                    self.assertIs(replica.version, before)
                else:
                    replica.apply(*given)
                    self.assertEqual(canonical(replica.version.docs), canonical(tree(frame["trees"])))
                    self.assertEqual(replica.world.match, replica.version.docs["match"])
