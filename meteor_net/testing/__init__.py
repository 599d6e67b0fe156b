"""For tests: a network in memory, a clock, faults, and a test case with players in it.

`GameTestCase` is all that most tests of a game need; docs/howto/test-a-game.md shows how it is used.
"""

from __future__ import annotations

from .case import GameTestCase
from .clock import SteppedClock
from .network import Network
from .player import PlayerHandle
from .seeds import Seeds
from .server import MemoryServer
from .wire import Wire

__all__ = ["GameTestCase", "MemoryServer", "Network", "PlayerHandle", "Seeds", "SteppedClock", "Wire"]
