"""Playing from Python: clients, and what they are told."""

from __future__ import annotations

from .client import NetworkClient
from .config import NetworkConfig
from .game import connect
from .manager import ConnectionManager
from .run import run

__all__ = ["ConnectionManager", "NetworkClient", "NetworkConfig", "connect", "run"]
