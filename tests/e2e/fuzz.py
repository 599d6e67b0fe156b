"""Many changed frames, of each coding, in Python and in JavaScript: each must be refused or applied, and none may take long.

`python -m tests.e2e.fuzz [frames] [seed]` tries so many of each coding in each language (100,000 if not given).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice

from meteor_net.state import Coding
from tests.e2e.random_worlds import histories
from tests.e2e.replay import replay
from tests.state.fuzz import LONGEST_S, fuzz

#: Histories of random worlds whose frames are changed.
HISTORIES = 100


def outcomes(frames: int, seed: int) -> Iterator[tuple[str, int, int, float]]:
    """Give for each language and coding its name, frames tried, frames refused, and the longest CPU time of one in seconds."""
    for coding in Coding:
        name = f"Python, {coding.name}"

        def note(tried: int, name: str = name) -> None:
            print(f"  {name}: {tried} changed frames", file=sys.stderr, flush=True)

        refused, longest = fuzz(coding, frames, seed, note)
        yield name, frames, refused, longest
    stories = ((world.schema, client.frames) for world, client in islice(histories(seed), HISTORIES))
    found = replay(stories, changed=frames, show=True)
    for coding in Coding:
        of = int(coding)
        yield f"JavaScript, {coding.name}", found["tried"][of], found["refused"][of], found["longest"][of] / 1000


def main(frames: int = 100_000, seed: int = 1) -> int:
    """Try all, and tell; 1 if a frame took too long. Whatever else a frame does is raised."""
    slow = False
    for name, tried, refused, longest in outcomes(frames, seed):
        print(f"{name}: {tried} changed frames, {refused} refused, at most {longest * 1000:.2f} ms of CPU", flush=True)
        slow |= longest > LONGEST_S
    return int(slow)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
