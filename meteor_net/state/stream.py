"""The versions of a world, and the steps between them, encoded once for all who need them."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from meteor_net.errors import BaseLost
from meteor_net.limits import Limits
from meteor_net.state.coding import Coding, eg, varint
from meteor_net.state.coding.texts import encode_texts
from meteor_net.state.documents.docs import Docs, encode_docs
from meteor_net.state.sight.sights import Sights
from meteor_net.state.version import TableVersion, Version
from meteor_net.state.world import World

#: A version that has stood for more ticks is sent with a later tick, so that 16 bits suffice.
STALE_TICKS = 8_192
#: Versions that always stay: nearly all clients hold the two before the newest and follow.
LEAST_VERSIONS = 3
#: A step of so few bytes may be shorter in the plain coding, which has no planes.
TINY_BYTES = 16
#: What a document takes in memory, by its bytes as CBOR.
DOCUMENT_FACTOR = 16


@dataclass(frozen=True, slots=True)
class Step:
    """The fields of a FRAME (wire clause 8.3).

    Attributes:
        tick: Of the version that it leads to, or a later one at which that still stood; the wire carries
            it modulo 65,536.
        base_code: Versions back * 8 + coding.
        data: The integers.
        texts: The texts that changed, or None.
        docs: The patches of the documents that changed; empty if none did.
    """

    tick: int
    base_code: int
    data: bytes
    texts: list[Any] | None
    docs: bytes = b""

    @property
    def tick16(self) -> int:
        """The tick as the wire carries it."""
        return self.tick & 0xFFFF


class Stream:
    """Commits a world, keeps its last versions, and gives steps to the newest.

    Args:
        world: Whose versions these are; a world has one stream.
        limits: How many versions, and how many bytes of them, are kept.

    Attributes:
        counters: Plain integers for a monitor: versions made, frames and bytes encoded, keyframes and
            catch-ups among them, and values that were NaN or no word of their choice.
        wrong: What is wrong with the world's documents, in words, found by the last commit. Of such a document versions hold
            what it was before; each fault is told once.
    """

    def __init__(self, world: World, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self.world = world
        self._most_versions = limits.ring_versions
        self._most_bytes = limits.ring_bytes
        self._ring: deque[Version] = deque([Version.empty(world.schema)])
        self._bytes = sum(table.nbytes for table in self.version.tables)
        self._now = 0
        self._check = False
        self._steps: dict[tuple[int, int], Step] = {}
        self.wrong: list[str] = []
        keyed = any(table.key_spec is not None for table in world.schema.tables)
        #: What players see of the keyed tables; None if there are none.
        self.sights = Sights(world.schema) if keyed else None
        self.counters = dict.fromkeys(("versions", "frames", "keyframes", "catch_ups", "bytes", "bad_values"), 0)

    @property
    def version(self) -> Version:
        """The newest version; the empty version (number 0, tick 0) at first."""
        return self._ring[-1]

    @property
    def size_of_ring(self) -> int:
        """Versions held."""
        return len(self._ring)

    @property
    def bytes_of_ring(self) -> int:
        """Bytes of the versions held, what they share counted once."""
        return self._bytes

    def commit(self, tick: int, check: bool = False, force: bool = False) -> bool:
        """Quantize the world as it is now.

        Args:
            tick: Above the tick of the commit before; ticks start at 1.
            check: Steps to the new version carry a checksum. Asked for at a tick that makes no version,
                the next one carries it.
            force: Make a version in any case: somebody is to see another part of what stands still.

        Returns:
            Whether a new version was made: False if nothing changed.
        """
        old = self.version
        self._begin(tick, check)
        news = force
        if self.sights is not None:
            news |= self.sights.commit(self.world, tick)
        frozen = [
            table._freeze(was) if table.key_spec is None else was
            for table, was in zip(self.world.tables, old.tables, strict=True)
        ]
        self.counters["bad_values"] = sum(table._bad for table in self.world.tables)
        docs, self.wrong = self.world._documents.commit(old.docs)
        return self._add(tick, tuple(frozen), docs, news)

    def put(self, version: Version, tick: int, check: bool = False) -> bool:
        """Take a version of another stream as it is, such as a recorded one, where `commit` would look at the world.

        Args:
            version: Of the same tables; its number and tick do not count.
            tick: As for `commit`.
            check: Likewise.

        Returns:
            As `commit` does.
        """
        self._begin(tick, check)
        old = self.version
        tables = tuple(was if was.same(new) else new for was, new in zip(old.tables, version.tables, strict=True))
        return self._add(tick, tables, version.docs if encode_docs(old.docs, version.docs) else old.docs)

    def _begin(self, tick: int, check: bool) -> None:
        if tick <= self._now:
            raise ValueError(f"commit of tick {tick} after tick {self._now}: ticks start at 1 and grow")
        self._now = tick
        self._check = self._check or check

    def _add(self, tick: int, tables: tuple[TableVersion, ...], docs: Docs, news: bool = False) -> bool:
        """Make a version of tables and documents, unless all of them are those of the newest and there is no other news."""
        old = self.version
        if not news and docs is old.docs and all(new is was for new, was in zip(tables, old.tables, strict=True)):
            return False
        new = Version(self.world.schema, old.number + 1, tick, tables, self._check)
        new.docs = docs
        if self.sights is not None:
            self.sights.versioned(self._check)
            new.keyed = self.sights.keyed
        self._check = False
        self._bytes += _unshared(new, old)
        self._ring.append(new)
        self._steps.clear()
        self.counters["versions"] += 1
        while len(self._ring) > LEAST_VERSIONS and (len(self._ring) > self._most_versions or self._bytes > self._most_bytes):
            oldest = self._ring.popleft()
            self._bytes -= _unshared(oldest, self._ring[0])
        return True

    def held(self, tick: int) -> Version | None:
        """Give the version that a client holds which applied all up to `tick`.

        Returns:
            The newest version with a tick up to that; None if it is no longer in the ring.
        """
        place = bisect_right(self._ring, tick, key=lambda version: version.tick)
        return self._ring[place - 1] if place else None

    def around(self, tick: float) -> tuple[Version, Version]:
        """Give the version that stood at a tick, and the one after it.

        Returns:
            The oldest that is held, twice, for a tick before it; the newest, twice, from its tick on.
        """
        place = bisect_right(self._ring, tick, key=lambda version: version.tick)
        return self._ring[max(place - 1, 0)], self._ring[min(place, len(self._ring) - 1)]

    def cached(self, base: int | None, coding: int = Coding.VARINT) -> bool:
        """Tell whether the step from version number `base` to the newest is encoded already."""
        return (base or 0, coding) in self._steps

    def step(self, base: int | None, coding: int = Coding.VARINT) -> Step:
        """Give the step to the newest version, encoded on first use.

        Args:
            base: The number of the version that it starts from; None or 0 for a keyframe.
            coding: What the receivers can read: `VARINT`, or with `EG` both. One who was given all
                its steps by one coding can always apply the next by that coding.

        Raises:
            BaseLost: that version is no longer in the ring, or never was.
            ValueError: it is the newest version itself, so there is nothing to send.
        """
        key = (base or 0, coding)
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = self._encode(*key)
        if self._now - step.tick > STALE_TICKS:
            step = self._steps[key] = replace(step, tick=self._now)
        return step

    def _encode(self, number: int, coding: int) -> Step:
        new, oldest = self.version, self._ring[0].number
        back = new.number - number if number else 0
        if number and back == 0:
            raise ValueError(f"version {number} is the newest: there is nothing to send")
        if number and not oldest <= number < new.number:
            raise BaseLost(f"version {number} is not held; {oldest} to {new.number} are")
        old = self._ring[number - oldest] if number else Version.empty(new.schema)
        data, coding = self._bytes_of(back, old, new, coding)
        self.counters["frames"] += 1
        self.counters["bytes"] += len(data)
        self.counters["keyframes"] += not number
        self.counters["catch_ups"] += back > 1
        docs = encode_docs(old.docs, new.docs)
        self.counters["bytes"] += len(docs)
        return Step(new.tick, back * 8 + coding, data, encode_texts(old, new), docs)

    def _bytes_of(self, back: int, old: Version, new: Version, coding: int) -> tuple[bytes, int]:
        """Encode the integers; and tell the coding that was shorter where both would do."""
        if coding == Coding.VARINT or not new.number:
            return varint.encode_step(old, new), Coding.VARINT
        if back != 1:
            return eg.encode_joining(old, self._ring[-2], new), Coding.EG
        data = eg.encode_following(self._ring[-3], old, new)
        if len(data) <= TINY_BYTES:
            plain = varint.encode_step(old, new)
            if len(plain) <= len(data):
                return plain, Coding.VARINT
        return data, Coding.EG


def _unshared(version: Version, neighbour: Version) -> int:
    """Count the bytes of the tables and documents that a version does not share with the one beside it."""
    total = 0 if version.docs is neighbour.docs else DOCUMENT_FACTOR * version.docs.nbytes
    for mine, theirs in zip(version.tables, neighbour.tables, strict=True):
        if mine is not theirs:
            total += mine.nbytes
    for keyed, other in zip_longest(version.keyed, neighbour.keyed):
        if keyed is not None and keyed is not other:
            total += keyed.table.nbytes + keyed.nbytes
    return total
