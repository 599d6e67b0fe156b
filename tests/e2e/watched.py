"""The demo, with the checksum of every version written down: what replicas of it are compared with."""

from __future__ import annotations

import json
import os

from meteor_net.drift import Drift

#: Names the file; one line of JSON, [tick, checksum], for each version.
OUT = "METEOR_TEST_CHECKSUMS"


class Watched(Drift):
    """Writes the version of the tick before, when the next tick begins."""

    _written = 0

    def opened(self) -> None:
        """Open the file."""
        super().opened()
        self._out = open(os.environ[OUT], "a", encoding="utf-8")  # noqa: SIM115  # closed with the room

    def tick(self, dt: float) -> None:
        """Write, then move on."""
        version = self.room.feed.stream.version
        if version.number != self._written:
            self._written = version.number
            self._out.write(json.dumps([version.tick, version.crc()]) + "\n")
            self._out.flush()
        super().tick(dt)

    def closed(self) -> None:
        """Close the file."""
        self._out.close()
        super().closed()
