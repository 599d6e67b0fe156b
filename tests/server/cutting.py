"""Cutting a connection after any number of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meteor_net.testing import Wire

_HEAD_ENDS = b"\r\n\r\n"


class Cuts:
    """Cuts the next connections of a wire, each after so many bytes in one direction, counted from behind the upgrade.

    Attributes:
        passed: Bytes that have come through on the newest connection, in the direction that is looked at.
        left: How many are still to be cut.
    """

    def __init__(self, wire: Wire, way: str, *sizes: int) -> None:
        """Begin.

        Args:
            wire: Whose.
            way: `in` to its machine or `out` from it.
            sizes: After how many bytes each connection is cut.
        """
        self.passed = 0
        self._wire, self._way, self._sizes = wire, way, list(sizes)
        patched: Any = wire
        join = patched.join

        def watched(*args: Any) -> None:
            join(*args)
            connection = patched._connections[-1]
            self._watch(connection.client if way == "in" else connection.server)

        patched.join = watched
        self.end: Callable[[], None] = lambda: setattr(patched, "join", join)

    @property
    def left(self) -> int:
        return len(self._sizes)

    def _watch(self, end: Any) -> None:
        arrived, upgraded, size = end.arrived, False, self._sizes[0] if self._sizes else None
        self.passed = 0

        def counted(data: bytes) -> None:
            nonlocal upgraded
            if not upgraded:
                upgraded = data.endswith(_HEAD_ENDS)
                arrived(data)
                return
            part = data if size is None else data[: size - self.passed]
            self.passed += len(part)
            if part:
                arrived(part)
            if size is not None and self.passed >= size:
                del self._sizes[0]
                self._wire.cut()

        end.arrived = counted
