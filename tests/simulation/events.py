"""The events of histories: what happens, when, and how often."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import NamedTuple

#: Events of one history.
EVENTS = 300


class Step(NamedTuple):
    """One event: seconds before it, what, and two numbers from 0 to 1 that say which and how much."""

    gap_s: float
    kind: str
    a: float
    b: float


#: How often what happens, in parts of all.
KINDS = {
    "act": 30.0, "burst": 1.0, "steer": 6.0, "say": 16.0, "tell": 3.0, "react": 4.0, "edit": 3.0, "delete": 1.0,
    "cut": 6.0, "unreachable": 1.0, "stall": 4.0, "flow": 3.0, "crash": 0.4, "store": 1.5, "store_heals": 1.5,
    "server_clock": 0.5, "client_clock": 1.0, "come": 1.0, "go": 0.7, "leave": 0.7, "join": 2.0,
}  # fmt: skip
#: The time before an event is up to so many seconds: how often.
GAPS_S = {0.01: 60.0, 0.05: 36.0, 0.5: 3.6, 6.0: 0.4}
_CUMULATED = list(accumulate(KINDS.values()))


def history(seed: int, events: int = EVENTS) -> list[Step]:
    """Make a history."""
    random = Random(f"history {seed}")
    kinds = random.choices(list(KINDS), cum_weights=_CUMULATED, k=events)
    gaps_s = random.choices(list(GAPS_S), list(GAPS_S.values()), k=events)
    return [
        Step(random.random() * longest_s, kind, random.random(), random.random())
        for kind, longest_s in zip(kinds, gaps_s, strict=True)
    ]
