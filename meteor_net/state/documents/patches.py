"""What changed between two trees, as a value that CBOR carries (wire clause 8.26).

A patch is:

- a map: what to do with each key that changed, a patch of the value under it, or `undefined` to delete the key. Where no map
  stood before, an empty one is changed;
- an array that begins with `undefined`: edits of the list that stood before, in ascending order of their places in that list:
  `[place, patch]` changes one item, `[place, cut, items]` puts items where `cut` others were;
- anything else: the new value itself. A tree never holds `undefined`, so there is no doubt which is which.

Trees are never written to: a patched one shares with the old one what did not change.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from operator import eq, is_
from typing import Any

import cbor2

from meteor_net.limits import MAX_DOCUMENT_DEPTH, MAX_INT, MAX_NAME_CHARS
from meteor_net.state.errors import FrameError

#: Items that may come and go in one list, until what differs is sent whole: the work grows with its square.
MAX_EDITS = 64

UNDEFINED = cbor2.undefined
_LEAVES = frozenset({str, bytes, bool, type(None)})


class _Same:
    def __repr__(self) -> str:
        return "SAME"


#: What `diff` answers for equal trees: nothing is to be sent.
SAME = _Same()


def diff(old: Any, new: Any) -> Any:
    """Give the patch that makes one tree of another; `SAME` if they are equal. 1, 1.0 and True are not.

    What it holds is of `new`.
    """
    kind = type(old)
    if old is new:
        return SAME
    if kind is not type(new):
        return new
    if kind is dict:
        return _diff_maps(old, new)
    if kind is list:
        return _diff_lists(old, new)
    if old == new and (kind is not float or old.hex() == new.hex()):  # there are two zeros
        return SAME
    return new


def _diff_maps(old: dict[str, Any], new: dict[str, Any]) -> Any:
    patch: dict[str, Any] = {key: UNDEFINED for key in old if key not in new}
    for key, item in new.items():
        change = diff(old[key], item) if key in old else item
        if change is not SAME:
            patch[key] = change
    return patch or SAME


def _diff_lists(old: list[Any], new: list[Any]) -> Any:
    edits: list[Any] = [UNDEFINED]
    for start, end, new_start, new_end in _hunks(old, new):
        if end - start == new_end - new_start:
            changes = (diff(*pair) for pair in zip(old[start:end], new[new_start:new_end], strict=True))
            edits += [[start + n, change] for n, change in enumerate(changes) if change is not SAME]
        else:
            edits.append([start, end - start, new[new_start:new_end]])
    if len(edits) == 1:
        return SAME
    return edits if len(cbor2.dumps(edits)) < len(cbor2.dumps(new)) else new


def _hunks(old: list[Any], new: list[Any]) -> Iterator[tuple[int, int, int, int]]:
    """Give where two lists differ, ascending: what is in the old one from a place to another, and in the new one."""
    begin, end = _alike(old, new, is_)  # versions share what did not change
    tokens = _tokens(old[begin : len(old) - end]), _tokens(new[begin : len(new) - end])
    more, end = _alike(*tokens, eq)
    rest, new_rest = (items[more : len(items) - end] for items in tokens)
    begin += more
    at, new_at = begin, begin
    for x, y in (*_common(rest, new_rest), (len(rest), len(new_rest))):
        if at < begin + x or new_at < begin + y:
            yield at, begin + x, new_at, begin + y
        at, new_at = begin + x + 1, begin + y + 1


def _alike(old: Sequence[Any], new: Sequence[Any], same: Callable[[Any, Any], bool]) -> tuple[int, int]:
    """Count the items that two lists have in common at their beginning, and at their end."""
    begin, end, least = 0, 0, min(len(old), len(new))
    while begin < least and same(old[begin], new[begin]):
        begin += 1
    while end < least - begin and same(old[-1 - end], new[-1 - end]):
        end += 1
    return begin, end


def _tokens(items: list[Any]) -> list[bytes]:
    """Items as what is quick to make and to compare; equal maps in another order are looked at more closely later."""
    return [marshal.dumps(item, 2) for item in items]


def _common(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """Give which items stay, as their places in both lists, by the method of Myers; none if more than `MAX_EDITS` do not."""
    furthest = {1: 0}  # of each diagonal x - y how far in the old list we came
    rounds = []
    for edits in range(MAX_EDITS + 1):
        rounds.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            x = _stepped(furthest, diagonal, edits)
            y = x - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= len(old) and y >= len(new):
                return _way_back(rounds, x, y)
    return []


def _stepped(furthest: dict[int, int], diagonal: int, edits: int) -> int:
    """Go to a diagonal from the neighbour that leads further: down by an item that came, or right by one that went."""
    if diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _way_back(rounds: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    places = []
    for edits in range(len(rounds) - 1, -1, -1):
        diagonal = x - y
        begun = _stepped(rounds[edits], diagonal, edits)  # after the step, before the items that stay
        while x > begun:
            x, y = x - 1, y - 1
            places.append((x, y))
        down = begun == rounds[edits].get(diagonal + 1)
        x, y = (x, y - 1) if down else (x - 1, y)
    return places[::-1]


def patched(old: Any, patch: Any, depth: int = MAX_DOCUMENT_DEPTH) -> Any:
    """Apply a patch that came from the network, as CBOR gives it.

    Args:
        old: The tree that stood before; it stays as it is.
        patch: What is to change.
        depth: How deep the new tree may be nested.

    Raises:
        FrameError: It is no patch of this tree, or what comes of it would be none.
    """
    kind = type(patch)
    if kind is dict:
        return _patched_map(old if type(old) is dict else {}, patch, _deeper(depth))
    if kind is list and patch and patch[0] is UNDEFINED:
        if type(old) is not list:
            raise FrameError("documents: edits of a list where none is")
        return _patched_list(old, patch, _deeper(depth))
    return _checked(patch, depth)


def _deeper(depth: int) -> int:
    if not depth:
        raise FrameError(f"documents: nested deeper than {MAX_DOCUMENT_DEPTH}")
    return depth - 1


def _patched_map(old: dict[str, Any], patch: dict[Any, Any], depth: int) -> dict[str, Any]:
    new = dict(old)
    for key, change in patch.items():
        if type(key) is not str or len(key) > MAX_NAME_CHARS:
            raise FrameError(f"documents: a key that is no text of at most {MAX_NAME_CHARS} characters")
        if change is UNDEFINED:
            new.pop(key, None)
        else:
            new[key] = patched(new.get(key), change, depth)
    return new


def _patched_list(old: list[Any], patch: list[Any], depth: int) -> list[Any]:
    new: list[Any] = []
    at = 0
    for edit in patch[1:]:
        if type(edit) is not list or len(edit) not in (2, 3):
            raise FrameError("documents: an edit is [place, patch] or [place, cut, items]")
        place, cut = edit[0], edit[1] if len(edit) == 3 else 1
        if type(place) is not int or type(cut) is not int or cut < 0 or not at <= place <= len(old) - cut:
            raise FrameError("documents: an edit beyond the list, or before the end of the edit before")
        new += old[at:place]
        if len(edit) == 2:
            new.append(patched(old[place], edit[1], depth))
        elif type(edit[2]) is list:
            new += [_checked(item, depth) for item in edit[2]]
        else:
            raise FrameError("documents: an edit without a list of items")
        at = place + cut
    return new + old[at:]


def _checked(value: Any, depth: int) -> Any:
    """See that a new value is a tree.

    Raises:
        FrameError: It is none.
    """
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is int and -MAX_INT <= value <= MAX_INT:
        return value
    if kind is float and isfinite(value):
        return value
    if kind is list:
        depth = _deeper(depth)
        for item in value:
            _checked(item, depth)
        return value
    if kind is not dict:
        raise FrameError(f"documents: a value that no tree may hold, of the kind {kind.__name__}")
    depth = _deeper(depth)
    for key, item in value.items():
        if type(key) is not str or len(key) > MAX_NAME_CHARS:
            raise FrameError(f"documents: a key that is no text of at most {MAX_NAME_CHARS} characters")
        _checked(item, depth)
    return value
