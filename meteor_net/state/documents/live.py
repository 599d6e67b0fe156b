"""A world's documents as the game changes them, looked at once a tick."""

from __future__ import annotations

from typing import Any

import cbor2

from meteor_net.state.documents.docs import Docs
from meteor_net.state.documents.patches import SAME, diff, patched
from meteor_net.state.documents.trees import as_document
from meteor_net.state.errors import DocumentError


class LiveDocuments:
    """Finds what changed in plain dicts, which are the attributes of a world.

    Args:
        live: The world's attributes; names of documents among them.
    """

    def __init__(self, live: dict[str, Any]) -> None:
        self._live = live
        #: By name: the document as CBOR when it was last good, in its own order. Mostly it is just that again.
        self._seen: dict[str, bytes] = {}
        self._told: dict[str, str] = {}  # what is wrong with a document, by name

    def commit(self, held: Docs) -> tuple[Docs, list[str]]:
        """Look at all of them.

        Args:
            held: What they were at the last commit.

        Returns:
            What they are; `held` itself if nothing changed. A document that is none stays as it was. And what is wrong with
            such ones, in words, each told once until it is another thing.
        """
        changed: dict[str, dict[str, Any]] = {}
        wrong = []
        for name, tree in held.items():
            try:
                now = self._look(name, tree)
            except DocumentError as error:
                if self._told.get(name) != str(error):
                    self._told[name] = str(error)
                    wrong.append(str(error))
                continue
            self._told.pop(name, None)
            if now is not tree:
                changed[name] = now
        if not changed:
            return held, wrong
        nbytes = sum(len(self._seen.get(name, b" ")) for name in held)
        return Docs({**held, **changed}, nbytes), wrong

    def _look(self, name: str, held: dict[str, Any]) -> dict[str, Any]:
        live = self._live.get(name)
        if _dumped(live) == self._seen.get(name, b"\xa0"):
            return held
        tree, self._seen[name] = as_document(live, name)
        patch = diff(held, tree)
        if patch is SAME:
            return held
        now: dict[str, Any] = patched(held, patch)  # shares what did not change
        return now


def _dumped(live: object) -> bytes | None:
    """As CBOR; None for what is none, or would be something else when it is read."""
    try:
        return cbor2.dumps(live)
    except Exception:  # of cbor2, or of an object of the game's own
        return None
