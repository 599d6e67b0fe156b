"""How the network does, in numbers: one monitor for servers and clients."""

from __future__ import annotations

from .monitor import NetworkMonitor
from .report import NetworkReport

__all__ = ["NetworkMonitor", "NetworkReport"]
