"""What the server plays in the comparisons."""

from __future__ import annotations

from meteor_net import Game
from meteor_net.state import Data, Table

#: Of what changes in each tick: with all that is around it a frame of about 100 bytes.
BEACON_BYTES = 88


class Beacon(Table):
    """Something that all are told."""

    signal = Data(BEACON_BYTES)


class Fan(Game):
    """One short frame a tick, the same for all."""

    tables = (Beacon,)
    tick_hz = 20
    max_players = 20_000

    def opened(self) -> None:
        """There is one row."""
        self.beacon = self.world.beacon.spawn(signal=b"")

    def tick(self, dt: float) -> None:
        """It changes."""
        self.beacon.signal = self.rng.bytes(BEACON_BYTES)
