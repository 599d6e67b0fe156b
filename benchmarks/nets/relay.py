"""The relay: one process between the TUN devices of two namespaces, which lets packets suffer.

    python -m benchmarks.nets.relay PLAYERS SERVER SEED CONDITIONS

PLAYERS and SERVER are the namespaces, CONDITIONS a JSON object with the fields of `way.Conditions`. It says `ready` and takes
commands on standard input, a line each: `cut`, `heal`, `silence`, `count`; it answers each with a line: a JSON object with what
went through so far. When its input ends, whoever started it is gone: it removes the namespaces, with what runs in them.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from time import monotonic

from .namespaces import PLAYERS_ADDRESS, SERVER_ADDRESS, open_tun, remove
from .way import Conditions, Network

#: The largest packet of a TUN device is 1,500 bytes.
PACKET_BYTES = 2_048
#: Packets that are read of one device before the other has its turn.
AT_ONCE = 64
#: The longest wait, in seconds: for nothing.
IDLE_S = 1.0


class Relay:
    """Moves packets between two devices.

    Args:
        network: What it does to them.
        devices: File descriptors: the players', the server's.
    """

    def __init__(self, network: Network, devices: tuple[int, int]) -> None:
        self._network = network
        self._devices = devices

    def run(self) -> None:
        """Move packets until standard input ends."""
        os.set_blocking(0, False)
        while True:
            readable, _, _ = select.select([0, *self._devices], [], [], self._wait_s())
            for way, device in enumerate(self._devices):
                if device in readable:
                    self._read(way)
            self._write()
            if 0 in readable and not self._command():
                return

    def _wait_s(self) -> float:
        nexts = [at for way in self._network.ways if (at := way.next_at()) is not None]
        return min(IDLE_S, max(0.0, min(nexts) - monotonic())) if nexts else IDLE_S

    def _read(self, way: int) -> None:
        now = monotonic()
        with contextlib.suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                self._network.take(way, os.read(self._devices[way], PACKET_BYTES), now)

    def _write(self) -> None:
        now = monotonic()
        for way, device in zip(self._network.ways, reversed(self._devices), strict=True):
            for packet in way.due(now):
                with contextlib.suppress(BlockingIOError):  # a full device drops it, as a network card does
                    os.write(device, packet)

    def _command(self) -> bool:
        """Do what standard input says; tell whether there is more to come."""
        lines = os.read(0, 4_096).decode().split()
        for line in lines:
            if line == "silence":
                self._network.silence()
            elif line in ("cut", "heal"):
                self._network.set_cut(line == "cut")
            elif line != "count":
                raise SystemExit(f"there is no command {line!r}")
            self._answer()
        return bool(lines)

    def _answer(self) -> None:
        up, down = self._network.ways
        counts = {
            "up_bytes": up.octets,
            "down_bytes": down.octets,
            "packets": up.packets + down.packets,
            "dropped": up.dropped + down.dropped,
            "cut": self._network.lost_cut,
        }
        print(json.dumps(counts), flush=True)


def main() -> None:
    """Run it."""
    players, server, seed, conditions = sys.argv[1:]
    network = Network(Conditions(**json.loads(conditions)), int(seed))
    try:
        devices = (open_tun(players, PLAYERS_ADDRESS, SERVER_ADDRESS), open_tun(server, SERVER_ADDRESS, PLAYERS_ADDRESS))
        print("ready", flush=True)
        Relay(network, devices).run()
    except KeyboardInterrupt:  # it is for all of us
        pass
    finally:
        for namespace in (players, server):
            remove(namespace)


if __name__ == "__main__":
    main()
