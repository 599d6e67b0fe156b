"""Which rows some sights have: as lists, and as a truth for each sight and slot."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meteor_net.state.sight.keyed import Slots


class Lists(NamedTuple):
    """The rows that some sights have.

    Attributes:
        sight: The place of a sight, ascending, once for each of its rows.
        slot: That row; ascending within a sight, where nothing else is said.
    """

    sight: NDArray[np.intp]
    slot: Slots


def marked(lists: Lists, count: int, size: int) -> NDArray[np.bool_]:
    """Give a truth for each of `count` sights and `size` slots, sight after sight: whether it has it."""
    marked = np.zeros(count * size, dtype=np.bool_)
    place = lists.sight * size
    place += lists.slot
    marked[place] = True
    return marked


def ones(marked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give the places of a few truths: eight at a time are passed over."""
    some = (marked.view(np.uint64) != 0).nonzero()[0]
    inner = marked.reshape(-1, 8).take(some, axis=0).ravel().nonzero()[0]
    places: NDArray[np.intp] = (some << 3).take(inner >> 3) + (inner & 7)
    return places


def apart(places: NDArray[np.intp], count: int, size: int) -> Lists:
    """Take ascending places, sight after sight, apart."""
    first = np.arange(0, (count + 1) * size, size)
    sight = np.repeat(np.arange(count), np.diff(np.searchsorted(places, first)))
    return Lists(sight, places - first.take(sight))


def split(lists: Lists, count: int) -> list[Slots]:
    """Give the rows of each of `count` sights."""
    at = np.searchsorted(lists.sight, np.arange(count + 1)).tolist()
    return [lists.slot[begin:end] for begin, end in pairwise(at)]
