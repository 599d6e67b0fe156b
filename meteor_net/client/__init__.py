"""Playing from Python: clients, and what they are told."""

from __future__ import annotations

from .client import NetworkClient
from .config import NetworkConfig
from .game import connect
from .manager import ConnectionManager
from .pool import ConnectionPool
from .recovery import NetworkErrorHandler
from .run import run
from .simulate import Simulation

__all__ = [
    "ConnectionManager", "ConnectionPool", "NetworkClient", "NetworkConfig", "NetworkErrorHandler", "Simulation", "connect",
    "run",
]  # fmt: skip
