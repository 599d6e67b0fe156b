"""Where lines are kept."""

from .memory import MemoryStorage

__all__ = ["MemoryStorage"]
