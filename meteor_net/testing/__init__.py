"""For tests: a network in memory, a clock, faults, and a test case with players in it.

`GameTestCase` is all that most tests of a game need; docs/howto/test-a-game.md shows how it is used. `record`, `Recording` and
`replay_of` make a test of a room that was recorded: docs/howto/replay.md.
"""

from __future__ import annotations

from ..replay import Recording, record, replay_of
from .case import GameTestCase
from .clock import MachineClock, SteppedClock
from .faults import Faults
from .network import Network
from .plain import PlainNetwork, PlainServer
from .plain_client import PlainClient
from .player import PlayerHandle
from .seeds import Seeds
from .server import MemoryServer
from .store import SimulatedStore
from .wire import Wire

__all__ = [
    "Faults", "GameTestCase", "MachineClock", "MemoryServer", "Network", "PlainClient", "PlainNetwork",
    "PlainServer", "PlayerHandle", "Recording", "Seeds",
    "SimulatedStore", "SteppedClock", "Wire", "record", "replay_of",
]  # fmt: skip
