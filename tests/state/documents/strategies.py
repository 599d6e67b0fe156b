"""Random trees, and what may happen to them."""

from __future__ import annotations

from typing import Any

import cbor2
from hypothesis import strategies as st

Draw = Any

KEYS = st.sampled_from(["a", "b", "ä", "__proto__", "constructor", "1", ""])
LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 23, 24, 2**53 - 1, -(2**53) + 1, 0.0, -0.0, 1.0, 0.5, 1e300])
    | st.text("ab🍾", max_size=3)
    | st.binary(max_size=3)
)
TREES = st.recursive(
    LEAVES, lambda items: st.lists(items, max_size=6) | st.dictionaries(KEYS, items, max_size=4), max_leaves=16
)
MAPS = st.dictionaries(KEYS, TREES, max_size=4)


def canonical(tree: object) -> bytes:
    """Give trees as bytes: equal ones are the same, and 1, 1.0 and True, and the two zeros, are not."""
    return cbor2.dumps(tree, canonical=True)


def happen(draw: Draw, root: dict[str, Any]) -> None:
    """Let something happen in a document, as a game changes it: in place, somewhere."""
    place: Any = root
    while True:
        inner = [item for item in (place.values() if isinstance(place, dict) else place) if isinstance(item, dict | list)]
        if not inner or draw(st.booleans()):
            break
        place = draw(st.sampled_from(inner))
    if isinstance(place, dict):
        if place and draw(st.integers(0, 2)) == 0:
            del place[draw(st.sampled_from(sorted(place)))]
        else:
            place[draw(KEYS)] = draw(TREES)
        return
    way = draw(st.sampled_from(["insert", "remove", "set", "turn", "extend", "sort"]))
    at = draw(st.integers(0, max(len(place) - 1, 0)))
    if way == "insert" or not place:
        place.insert(at, draw(TREES))
    elif way == "remove":
        del place[at : at + draw(st.integers(1, 3))]
    elif way == "set":
        place[at] = draw(TREES)
    elif way == "turn":
        place.append(place.pop(0))
    elif way == "extend":
        place.extend(draw(st.lists(LEAVES, max_size=8)))
    else:
        place.sort(key=repr)
