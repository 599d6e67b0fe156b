"""Players in a process of their own, real clients: `python -m benchmarks.nets.players --help`.

It prints `in` when all are in, and then takes commands on standard input, a line each, and answers each with a line when it is
done: `play` (talk, steer and mark from now on), `hush` (no more, and wait until all is answered; tells the offset of the last
line), `hear N` (wait until all have heard the line at that offset), `rest` (let nothing move), `judge` (compare the worlds,
write the outcome, leave).
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet import stdio
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.task import deferLater, react
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from .outcome import Outcome
from .player import Client, Player

reactor: Any = global_reactor

#: Time for all to be answered, for all to be heard, and for worlds to be equal once nothing moves, in seconds.
SETTLED_S, EQUAL_S = 90.0, 20.0


class Players(LineReceiver):
    """All of the process, and the commands for them.

    Args:
        options: Of the command line.
    """

    delimiter = b"\n"

    def __init__(self, options: argparse.Namespace) -> None:
        self.ended: Deferred[None] = Deferred()
        self._options = options
        self._players = [Player(f"{options.name}-{n:02d}", options.url, options.seed) for n in range(1, options.count + 1)]

    async def connect(self) -> None:
        """Let all come in."""
        await gatherResults([player.client.connect() for player in self._players])
        print("in", flush=True)
        stdio.StandardIO(self)  # type: ignore[no-untyped-call]
        await self.ended

    def lineReceived(self, line: bytes) -> None:
        """Take a command."""
        command, *values = line.decode().split()
        done = ensureDeferred(getattr(self, f"_do_{command}")(*map(int, values)))
        done.addCallbacks(lambda answer: print(command if answer is None else answer, flush=True), self._failed)

    def connectionLost(self, reason: Any = None) -> None:
        """Nobody commands any more."""
        if not self.ended.called:
            self.ended.callback(None)

    def _failed(self, failure: Failure) -> None:
        if not self.ended.called:
            self.ended.errback(failure)

    async def _do_play(self) -> None:
        for player in self._players:
            player.play()

    async def _do_hush(self) -> int:
        """Wait until all are answered."""
        for player in self._players:
            player.hush()
        await _until(lambda: all(player.answered for player in self._players))
        return max((line.offset or 0 for player in self._players for line in player.log.said.values()), default=-1)

    async def _do_hear(self, offset: int) -> None:
        """Wait until all have heard all."""
        await _until(lambda: all(player.held >= offset for player in self._players))
        for player in self._players:
            player.still()

    async def _do_rest(self) -> None:
        rest = self._players[0].client.act("Rest")
        assert rest is not None, "Rest is no input"
        await rest

    async def _do_judge(self) -> None:
        unequal = await self._compare()
        for player in self._players:
            counters = player.client._session.counters
            player.felt.bytes_in, player.felt.bytes_out = int(counters["bytes_in"]), int(counters["bytes_out"])
        logs = [player.log for player in self._players]
        epochs = {player.client.channel.epoch for player in self._players}
        outcome = Outcome(logs, [player.felt for player in self._players], unequal, epochs)
        self._options.outcome.write_bytes(pickle.dumps(outcome))
        await gatherResults([player.client.disconnect() for player in self._players])

    async def _compare(self) -> list[str]:
        """What is wrong with the worlds: there is one who comes only now, and the server's own checksum."""
        end_s = time.monotonic() + EQUAL_S
        newcomer = Player("newcomer", self._options.url, 0, role="watch").client
        await newcomer.connect()
        try:
            while True:
                wrong = await self._differences(newcomer)
                if not wrong or time.monotonic() > end_s:
                    return wrong
                await deferLater(reactor, 0.2)
        finally:
            await newcomer.disconnect()

    async def _differences(self, newcomer: Client) -> list[str]:
        weighed = self._players[0].client.act("Weigh")
        assert weighed is not None, "Weigh is no input"
        epoch, crc = await weighed
        replica = newcomer._room.world.replica
        if replica is None or replica.crc() != crc:
            return ["a newcomer's world is not the server's"]
        return [text for player in self._players for text in player.compare(newcomer, epoch)]


async def _until(true: Callable[[], bool]) -> None:
    """Wait until it is so, for a while; what is not so then is found out when all is judged."""
    end_s = time.monotonic() + SETTLED_S
    while not true() and time.monotonic() < end_s:
        await deferLater(reactor, 0.05)


def main(argv: Sequence[str] | None = None) -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks.nets.players", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True, help="the server")
    parser.add_argument("--count", type=int, required=True, help="how many")
    parser.add_argument("--name", required=True, help="what they are called, with a number")
    parser.add_argument("--seed", type=int, required=True, help="chooses what they do")
    parser.add_argument("--outcome", type=Path, required=True, help="the file to write")
    options = parser.parse_args(argv)
    react(lambda _: ensureDeferred(Players(options).connect()))


if __name__ == "__main__":
    main()
