"""The texts of a part (wire clause 8.21), which follow its bits."""

from __future__ import annotations

import numpy as np

from meteor_net.state.coding.leb128 import encode_one
from meteor_net.state.sight.keyed import Keyed
from meteor_net.state.sight.lists import Lists
from meteor_net.state.version import Mask


class Texts:
    """The texts of rows that enter, and those that changed in rows that stay."""

    def __init__(self, base: Keyed, now: Keyed, same: Mask) -> None:
        self._columns = now.table.texts
        self._entered: dict[int, bytes] = {}
        self._changed: list[tuple[int, int]] = []  # (slot, text column), by slot
        for column, (new, old) in enumerate(zip(now.table.texts, base.table.texts, strict=True)):
            if new is not old:
                slots = same.nonzero()[0]
                self._changed += [(slot, column) for slot in slots[new[slots] != old[slots]].tolist()]
        self._changed.sort()

    def after(self, count: int, size: int, there: Lists, enter: Lists, stay: Lists) -> list[bytes]:
        """Give what follows the bits of each part."""
        parts: list[list[bytes]] = [[] for _ in range(count)]
        for sight, slot in zip(enter.sight.tolist(), enter.slot.tolist(), strict=True):
            parts[sight].append(self._whole(slot))
        changed: list[list[bytes]] = [[] for _ in range(count)]
        if self._changed:
            by_slot: dict[int, list[int]] = {}
            for slot, column in self._changed:
                by_slot.setdefault(slot, []).append(column)
            hit = np.isin(stay.slot, list(by_slot)).nonzero()[0]
            sights, slots = stay.sight.take(hit), stay.slot.take(hit)
            at = np.searchsorted(there.sight * size + there.slot, sights * size + slots)
            at -= np.searchsorted(there.sight, sights)
            for sight, slot, place in zip(sights.tolist(), slots.tolist(), at.tolist(), strict=True):
                for column in by_slot[slot]:
                    text = _text(self._columns[column][slot])
                    changed[sight].append(encode_one(place) + encode_one(column) + text)
        return [b"".join((*whole, encode_one(len(more)), *more)) for whole, more in zip(parts, changed, strict=True)]

    def _whole(self, slot: int) -> bytes:
        texts = self._entered.get(slot)
        if texts is None:
            texts = self._entered[slot] = b"".join(_text(column[slot]) for column in self._columns)
        return texts


def _text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return encode_one(len(data)) + data
