"""All chance of a test from one number."""

from __future__ import annotations

from random import Random


class Seeds:
    """Gives each part of a test its own random numbers, all from one seed.

    A part's numbers depend on the seed and its name alone: one that draws more does not change what the others get.

    Args:
        seed: Another one is another run; the same is the same run again.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def random(self, name: str) -> Random:
        """Make the random numbers of the part with that name."""
        return Random(f"{self.seed}/{name}")
