"""Makes `documents.json`: patches of documents and what they mean, read by the Python and the JavaScript tests alike.

Run `python -m tests.vectors.make_documents` after a change of the wire; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2

from meteor_net.state import Schema, Stream, World
from meteor_net.state.documents.patches import UNDEFINED as U
from meteor_net.state.documents.patches import diff

PATH = Path(__file__).with_name("documents.json")

ABOUT = """\
Documents and their patches (wire page, clauses 8.25 to 8.28). Bytes are hexadecimal; bytes in a tree are {"hex": …}.
patches: `patch` makes `new` of the tree `old`. One with `refused` must not be applied, and leaves everything as it was.
diffs: `patch` is what this package's server sends for `old` and `new`; another one that makes `new` of `old` is as good.
worlds: a `schema` with its `hash`; a replica applies `frames` one after another: `tick16`, `base`, `data`, `docs` as in FRAME. Afterwards its documents are `trees`, by name.
A frame with `refused` must not be applied, and leaves everything as it was: the next one fits what was before."""  # noqa: E501

PLAYERS = [{"name": name, "hp": 100} for name in ("ann", "bob", "zoë")]
HURT = [PLAYERS[0], {"name": "bob", "hp": 95}, PLAYERS[2]]
DEEP: Any = 0
for _ in range(11):
    DEEP = [DEEP]

#: What a patch makes of a tree.
PATCHES: list[tuple[Any, Any, Any]] = [
    ({}, {"a": 1}, {"a": 1}),
    ({"a": 1, "b": 2}, {"a": U}, {"b": 2}),
    ({"a": 1}, {"b": U}, {"a": 1}),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": U, "d": None}}, {"a": {"c": 2, "d": None}}),
    ({"a": 1}, {"a": {}}, {"a": {}}),
    ({"a": [1]}, {"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}),
    ({"a": {"b": 1}}, {"a": [{"c": 1}]}, {"a": [{"c": 1}]}),
    ({"a": [1, 2]}, {"a": []}, {"a": []}),
    ({"a": [1, 2, 3]}, {"a": [U, [0, 5], [2, 0, [7, 8]], [2, 1, []]]}, {"a": [5, 2, 7, 8]}),
    ({"a": [1, 2]}, {"a": [U, [2, 0, [3]]]}, {"a": [1, 2, 3]}),
    ({"a": [1, 2]}, {"a": [U]}, {"a": [1, 2]}),
    ({"a": [[1, 2], 3]}, {"a": [U, [0, [U, [1, 1, []]]]]}, {"a": [[1], 3]}),
    ({"a": PLAYERS}, {"a": [U, [1, {"hp": 95}]]}, {"a": HURT}),
    ({"a": [{"b": 1}]}, {"a": [U, [0, 1, [{"c": 1}]]]}, {"a": [{"c": 1}]}),
    ({}, {"__proto__": {"a": 1}, "constructor": 2, "": 3}, {"__proto__": {"a": 1}, "constructor": 2, "": 3}),
    ({"__proto__": {"a": 1}}, {"__proto__": {"b": [True, False, None]}}, {"__proto__": {"a": 1, "b": [True, False, None]}}),
    ({"__proto__": 1}, {"__proto__": U}, {}),
    ({}, {"a": [2**53 - 1, -(2**53) + 1, 0.5, -0.0, 1e300, "🍾", b"\0\xff"]}, {"a": [2**53 - 1, -(2**53) + 1, 0.5, -0.0, 1e300, "🍾", b"\0\xff"]}),  # noqa: E501
    ({}, {"🍾" * 64: 1}, {"🍾" * 64: 1}),
    ({}, {"a": DEEP}, {"a": DEEP}),
]  # fmt: skip

#: What is to be refused, as values or as bytes.
REFUSED: list[tuple[Any, Any, str]] = [
    ({}, U, "undefined where a tree is"),
    ({}, {"a": [1, U]}, "undefined in a value"),
    ({}, {"a": [{"b": U}]}, "undefined in a value"),
    ({}, {"a": [U, [0, 0, [1]]]}, "edits where no list is"),
    ({"a": {"b": 1}}, {"a": [U]}, "edits where no list is"),
    ({"a": [1]}, {"a": [U, [1, 5]]}, "beyond the list"),
    ({"a": [1]}, {"a": [U, [0, 2, []]]}, "beyond the list"),
    ({"a": [1]}, {"a": [U, [2, 0, []]]}, "beyond the list"),
    ({"a": [1]}, {"a": [U, [-1, 0, []]]}, "before the list"),
    ({"a": [1]}, {"a": [U, [0, -1, []]]}, "a negative cut"),
    ({"a": [1, 2]}, {"a": [U, [1, 5], [0, 5]]}, "edits that do not ascend"),
    ({"a": [1, 2]}, {"a": [U, [0, 2, []], [1, 5]]}, "edits that overlap"),
    ({"a": [1]}, {"a": [U, 5]}, "an edit that is no array"),
    ({"a": [1]}, {"a": [U, [0]]}, "an edit of one item"),
    ({"a": [1]}, {"a": [U, [0, 1, [], 0]]}, "an edit of four items"),
    ({"a": [1]}, {"a": [U, [0.0, 5]]}, "a place that is no integer"),
    ({"a": [1]}, {"a": [U, [False, 5]]}, "a place that is no integer"),
    ({"a": [1]}, {"a": [U, [0, 1, 5]]}, "items that are no array"),
    ({"a": [1]}, {"a": [U, [0, 1, [U]]]}, "undefined among items"),
    ({"a": [1]}, {"a": [U, [0, U]]}, "undefined for an item"),
    ({"a": [[1]]}, {"a": [U, [0, 1, [[U, [0, 5]]]]]}, "edits among items"),
    ({}, {"a": 2**53}, "an integer beyond 2^53 - 1"),
    ({}, {"a": bytes.fromhex("f97e00")}, "NaN"),
    ({}, {"a": bytes.fromhex("fb7ff0000000000000")}, "an infinity"),
    ({}, {"a": bytes.fromhex("c100")}, "a tag"),
    ({}, {"a": bytes.fromhex("9f00ff")}, "an indefinite length"),
    ({}, {"a": bytes.fromhex("e0")}, "a simple value"),
    ({}, {"a": bytes.fromhex("61ff")}, "text that is not UTF-8"),
    ({}, {"a": bytes.fromhex("a2616200616201")}, "a key twice"),
    ({}, {1: 2}, "a key that is no text"),
    ({}, {"a": [{1: 2}]}, "a key that is no text"),
    ({}, {"x" * 65: 1}, "a key of 65 characters"),
    ({}, {"🍾" * 65: 1}, "a key of 65 characters"),
    ({}, {"a": [DEEP]}, "nested deeper than 12"),
    ({"a": [1]}, {"a": [U, [0, [DEEP]]]}, "nested deeper than 12"),
    ({}, bytes.fromhex("a16161"), "cut short"),
    ({}, bytes.fromhex("a0a0"), "bytes left over"),
    ({}, [], "a patch that is no map"),
    ({}, 5, "a patch that is no map"),
]  # fmt: skip

#: What is sent for two trees.
DIFFS: list[tuple[Any, Any]] = [
    ({"a": 1, "b": {"c": 1, "d": 2}}, {"a": 1, "b": {"c": 3}}),
    ({"a": {"x": {"y": 1}, "z": 2}}, {"a": {"x": {"w": 1}}}),
    ({"a": PLAYERS}, {"a": HURT}),
    ({"a": PLAYERS}, {"a": PLAYERS[1:] + PLAYERS[:1]}),
    ({"a": PLAYERS}, {"a": [PLAYERS[0], {"name": "new", "hp": 1}, *PLAYERS[1:]]}),
    ({"a": [0, 1]}, {"a": [0.0, True]}),
]


def _told(patch: Any) -> bytes:
    """Encode a patch; bytes that stand for a value, or for all of it, are put in as they are."""
    if isinstance(patch, bytes):
        return patch
    if isinstance(patch, dict) and isinstance(patch.get("a"), bytes):
        value: bytes = patch["a"]
        return b"\xa1\x61a" + value
    return cbor2.dumps(patch)


def _world() -> dict[str, Any]:
    schema = Schema(documents=["match", "lobby"])
    world: Any = World(schema, 1)
    stream = Stream(world)
    frames: list[dict[str, Any]] = []

    def frame(base: int | None, coding: int, **more: Any) -> None:
        step = stream.step(base, coding)
        frames.append({"tick16": step.tick16, "base": step.base_code, "data": step.data.hex(), "docs": step.docs.hex(), **more})

    world.match = {"board": [["", "x", ""], ["", "", ""], ["", "", "o"]], "turn": "ann", "score": {"ann": 1, "bob": 0.5}}
    stream.commit(1)
    frame(None, 0, trees=dict(stream.version.docs))
    for tick, (document, key, value) in enumerate(
        [("match", "turn", "bob"), ("lobby", "players", ["ann", "bob"]), ("lobby", "open", True)], start=2
    ):
        getattr(world, document)[key] = value
        stream.commit(tick)
    frame(1, 1, trees=dict(stream.version.docs))
    world.match["board"][1][1] = "x"
    del world.match["score"]["bob"]
    stream.commit(5)
    for docs, refused in [
        ("a1656d6174636801", "a patch that is no map"), ("a1646e6f6e65a0", "a name that the schema does not have"),
        ("f7", "undefined"), ("80", "not a map"), ("a2656d61746368a0656d61746368a0", "a name twice"),
    ]:  # fmt: skip
        frame(4, 1, refused=refused)
        frames[-1]["docs"] = docs
    frame(4, 1, trees=dict(stream.version.docs))
    world.match = {}
    stream.commit(6)
    frame(None, 1, trees=dict(stream.version.docs))
    return {"schema": schema.describe(), "hash": schema.hash.hex(), "frames": frames}


def build() -> dict[str, Any]:
    """Give the whole content of the file."""
    return {
        "about": ABOUT.split("\n"),
        "patches": [
            *({"old": old, "patch": cbor2.dumps(patch).hex(), "new": new} for old, patch, new in PATCHES),
            *({"old": old, "patch": _told(patch).hex(), "refused": why} for old, patch, why in REFUSED),
        ],
        "diffs": [{"old": old, "patch": cbor2.dumps(diff(old, new)).hex(), "new": new} for old, new in DIFFS],
        "worlds": [_world()],
    }


def text() -> str:
    """Give the file as it is to be: a case on each line."""
    parts = []
    for name, cases in build().items():
        lines = ",\n".join(
            "  " + json.dumps(case, ensure_ascii=False, default=lambda data: {"hex": data.hex()}) for case in cases
        )
        parts.append(f"{json.dumps(name)}: [\n{lines}\n ]")
    return "{" + ",\n ".join(parts) + "}\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
