"""The documents of one version, and the item `docs` of a frame (wire clause 8.27)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cbor2

from meteor_net.codec import load_item
from meteor_net.errors import PacketError
from meteor_net.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, MAX_PATCH_DEPTH, MAX_PATCH_ITEMS
from meteor_net.state.documents.patches import SAME, diff, patched
from meteor_net.state.errors import FrameError


class Docs(dict[str, dict[str, Any]]):
    """A version's documents by name. Nobody may write to it or to what it holds: versions share what did not change.

    Attributes:
        nbytes: At most so many bytes it takes as CBOR.
    """

    __slots__ = ("nbytes",)

    def __init__(self, trees: dict[str, dict[str, Any]], nbytes: int) -> None:
        super().__init__(trees)
        self.nbytes = nbytes

    @classmethod
    def empty(cls, names: Iterable[str]) -> Docs:
        """Give documents as they are at first: empty maps."""
        trees: dict[str, dict[str, Any]] = {name: {} for name in names}
        return cls(trees, len(trees))


def encode_docs(base: Docs, new: Docs) -> bytes:
    """Give the `docs` of a step; empty if no document changed."""
    if base is new:
        return b""
    patches = {name: patch for name, tree in new.items() if (patch := diff(base[name], tree)) is not SAME}
    return cbor2.dumps(patches) if patches else b""


def apply_docs(base: Docs, data: bytes) -> Docs:
    """Apply the `docs` of a frame; `base` stays as it is.

    Raises:
        FrameError: They are no patches of these documents.
    """
    if not data:
        return base
    try:
        patches = load_item(data, MAX_PATCH_DEPTH)
    except PacketError as error:
        raise FrameError(f"documents: {error.text}") from error
    if type(patches) is not dict or len(data) > MAX_PATCH_ITEMS < _count(patches):
        raise FrameError(f"documents: a map of at most {MAX_PATCH_ITEMS} items is expected")
    trees = dict(base)
    for name, patch in patches.items():
        if name not in base or type(patch) is not dict:
            raise FrameError("documents: a name that the schema does not have, or a patch that is no map")
        trees[name] = patched(base[name], patch)
    nbytes = base.nbytes + len(data)
    if nbytes > MAX_DOCUMENTS * MAX_DOCUMENT_BYTES:  # seldom: mostly what comes takes the place of something
        nbytes = sum(len(cbor2.dumps(tree)) for tree in trees.values())
        if nbytes > MAX_DOCUMENTS * MAX_DOCUMENT_BYTES:
            raise FrameError(f"documents: {nbytes} bytes")
    return Docs(trees, nbytes)


def _count(patches: Any) -> int:
    """Count CBOR items; each has at least a byte, so few bytes need no counting."""
    count, waiting = 0, [patches]
    while waiting:
        value = waiting.pop()
        count += 1
        if type(value) is dict:
            count += len(value)
            waiting.extend(value.values())
        elif type(value) is list:
            waiting.extend(value)
    return count
