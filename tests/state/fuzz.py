"""Frames that were changed on the way, many of them: each is refused or applied, soon, and nothing else happens.

`make fuzz-state` (`tests/e2e/fuzz.py`) tries many of them, in JavaScript too.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from time import thread_time

from meteor_net.state import Coding, FrameError, Replica, Schema, Step, Stream, Version, World
from tests.state.samples import Rock, Ship
from tests.vectors.eg_story import Body

#: CPU time of one frame, in seconds.
LONGEST_S = 0.01
#: Frames after which it is told how far it is.
NOTED = 25_000
#: Versions of the world whose frames are changed.
TICKS = 40


class Place:
    """Where a replica stands, and a frame that fits there."""

    def __init__(self, version: Version, before: Version | None, step: Step) -> None:
        self.version, self.before, self.step = version, before, step

    def try_one(self, chance: random.Random) -> tuple[bool, float]:
        """Apply a changed frame.

        Returns:
            Whether it was refused, and the CPU time in seconds.
        """
        replica = Replica(self.version.schema, 1)
        replica.version = replica._base = self.version
        replica._before = self.before
        code = self.step.base_code if chance.random() < 0.9 else chance.randrange(64)
        data = mutated(self.step.data, chance)
        began = thread_time()
        try:
            replica.apply(self.step.tick16, code, data, self.step.texts)
        except FrameError:
            assert replica.version is self.version
            return True, thread_time() - began
        return False, thread_time() - began


def places(coding: Coding, chance: random.Random) -> list[Place]:
    """Let rows of three tables come, go and move, and give the frames of it."""
    world = World(Schema([Body, Ship, Rock]), 1)
    stream = Stream(world)
    found = []
    for tick in range(1, TICKS + 1):
        for table in (world.body, world.rock):
            for _ in range(chance.randrange(1, 40)):
                table.spawn(x=chance.uniform(0, 30))
            for row in chance.sample(list(table), len(table) // 4):
                row.despawn()
            table.x += chance.random()
        world.body.rotation[:, tick % 4] += chance.random()
        world.ship.spawn(y=tick)
        stream.commit(tick)
        ring = list(stream._ring)
        for back in (1, chance.randrange(2, TICKS)):
            if back < len(ring) - 1:
                at = -1 - back
                found.append(Place(ring[at], ring[at - 1], stream.step(ring[at].number, coding)))
        found.append(Place(Version.empty(world.schema), None, stream.step(None, coding)))
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes: other values, bits flipped, cut, doubled, put in."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del changed[at : at + chance.randrange(1, 4)]
        elif kind == 3:
            changed[at:at] = changed[at : at + 3]
        else:
            changed[at:at] = chance.choice((b"\0", b"\x7f", b"\x80", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x01"))
    return bytes(changed)


def fuzz(coding: Coding, frames: int, seed: int = 1, note: Callable[[int], None] = lambda tried: None) -> tuple[int, float]:
    """Try so many changed frames.

    Args:
        coding: The steps' coding.
        frames: How many.
        seed: Of the world and the changes.
        note: Told now and then how many were tried.

    Returns:
        How many were refused, and the longest CPU time of one, in seconds.
    """
    chance = random.Random(seed)
    made = places(coding, chance)
    made[-1].try_one(random.Random(0))  # what is done once in a process counts for no frame
    refused, longest = 0, 0.0
    gc.collect()
    gc.disable()
    try:
        for tried in range(1, frames + 1):
            was_refused, taken = chance.choice(made).try_one(chance)
            refused, longest = refused + was_refused, max(longest, taken)
            if tried % NOTED == 0:
                note(tried)
                gc.collect()
    finally:
        gc.enable()
    return refused, longest
