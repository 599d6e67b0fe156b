"""A world's documents as the game changes them, looked at once a tick."""

from __future__ import annotations

import marshal
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
        #: By name: the document as bytes when it was last good. Mostly it is just that again.
        self._seen: dict[str, bytes | None] = {}
        self._sizes: dict[str, int] = {}  # as CBOR
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
            except Exception as error:  # a tree of the author's own classes may raise anything
                text = str(error) if isinstance(error, DocumentError) else f"{name}: {type(error).__name__}: {error}"
                if self._told.get(name) != text:
                    self._told[name] = text
                    wrong.append(text)
                continue
            self._told.pop(name, None)
            if now is not tree:
                changed[name] = now
        if not changed:
            return held, wrong
        return Docs({**held, **changed}, sum(self._sizes.get(name, 1) for name in held)), wrong

    def _look(self, name: str, held: dict[str, Any]) -> dict[str, Any]:
        live = self._live.get(name)
        data = _dumped(live)
        if data is not None and data == self._seen.get(name, _EMPTY):
            return held
        tree, encoded = as_document(live, name)
        self._seen[name], self._sizes[name] = data, len(encoded)
        patch = diff(held, tree)
        if patch is SAME:
            return held
        now: dict[str, Any] = patched(held, patch)  # shares what did not change
        return now


def _dumped(live: object) -> bytes | None:
    """A document as bytes: the same are the same document. CBOR takes some more objects, and ten times as long."""
    for dumps in (_quick, cbor2.dumps):
        try:
            return dumps(live)
        except Exception:  # of either, or of an object of the game's own
            continue
    return None


def _quick(live: Any) -> bytes:
    return marshal.dumps(live, 2)


_EMPTY = _quick({})
