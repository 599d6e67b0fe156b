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
from random import Random
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet import stdio
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.task import LoopingCall, deferLater, react
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from meteor_net.chat.system import ChatMessage
from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.errors import Refused
from meteor_net.server.auth import make_token
from meteor_net.session import client_values as values
from meteor_net.session.client_channel import Channel
from meteor_net.testing.checks import ClientLog, DoneAction, HeardGap, HeardLine, SaidLine, check_replica

from .game import ROOM, SECRET
from .outcome import Felt, Outcome

reactor: Any = global_reactor

#: Each says a line, marks and steers so often, in seconds.
LINE_S, MARK_S, STEER_S = 2.5, 1.0, 0.1
CONNECT_S = 60.0
#: Time for all to be answered, for all to be heard, and for worlds to be equal once nothing moves, in seconds.
SETTLED_S, EQUAL_S = 90.0, 20.0


class Client(NetworkClient):
    """A client that tells its player everything."""

    def __init__(self, config: NetworkConfig, player: Player) -> None:
        self._player = player
        super().__init__(config)

    def setup_handlers(self) -> None:
        """Hear what the player writes down, too."""
        super().setup_handlers()
        handlers, player = self._handlers, self._player
        handlers[values.Welcomed] = player.welcomed
        handlers[values.LineKept] = _both(player.line_kept, handlers[values.LineKept])
        handlers[values.LineRefused] = _both(player.line_refused, handlers[values.LineRefused])

    @property
    def channel(self) -> Channel:
        """The room's channel, as it is held."""
        return next(channel for channel in self._room.lines.channels.values() if channel.name == ROOM)


def _both(one: Callable[[Any], None], other: Callable[[Any], None]) -> Callable[[Any], None]:
    def call(value: Any) -> None:
        one(value)
        other(value)

    return call


class Player:
    """One player, what happened to it, and what it felt.

    Args:
        name: The user.
        url: Of the server.
        seed: Chooses what it does.
        role: `play` or `watch`.

    Attributes:
        client: It.
        log: What it did and heard.
        felt: What it felt.
    """

    def __init__(self, name: str, url: str, seed: int, role: str = "play") -> None:
        self.log, self.felt = ClientLog(name), Felt()
        token = make_token(SECRET, name, int(time.time()) + 86_400)
        self._random = Random(f"{seed}/{name}")
        self.client = Client(NetworkConfig(url=url, name=name, token=token, role=role, connect_s=CONNECT_S), self)
        self.client.on("line", self._heard)
        self.client.on("notice", self._heard)
        self.client.on("gap", self._gap)
        self.client.on("frame", self._frame)
        self.client.on("status", lambda status: self.felt.statuses.append((time.monotonic(), status)))
        self._last_frame_s: float | None = None
        self._open = 0
        self._loops = [LoopingCall(self._say), LoopingCall(self._mark), LoopingCall(self._steer)]

    # --- what it does ---

    def play(self) -> None:
        """Begin."""
        self._last_frame_s = time.monotonic()
        for loop, every_s in zip(self._loops, (LINE_S, MARK_S, STEER_S), strict=True):
            reactor.callLater(self._random.uniform(0, every_s), loop.start, every_s)

    def hush(self) -> None:
        """Do no more."""
        for loop in self._loops:
            if loop.running:
                loop.stop()

    def _say(self) -> None:
        try:
            line = self.client.chat.send_message(f"{self.log.name} says {len(self.log.said)}")
        except Refused:  # more than 64 wait: it never was on its way
            return
        self.log.said[line.cid] = SaidLine(ROOM, line.cid)

    def _mark(self) -> None:
        done = DoneAction(len(self.log.acted) + 1)
        self.log.acted.append(done)
        answer = self.client.act("Mark", number=done.number)
        assert answer is not None, "Mark is no input"
        self._open += 1

        def answered(result: Any) -> None:
            self._open -= 1
            done.answer = ("done", result)
            if isinstance(result, Failure):
                done.answer = ("refused", getattr(result.value, "reason", repr(result.value)))

        answer.addBoth(answered)

    def _steer(self) -> None:
        self.client.act("Steer", turn=self._random.uniform(-1, 1))

    # --- what it hears ---

    def welcomed(self, value: values.Welcomed) -> None:
        """The server has taken it."""
        if value.resumed:
            self.felt.resumed += 1
        else:
            self.felt.anew += 1

    def line_kept(self, value: values.LineKept) -> None:
        """Its line is kept."""
        said = self.log.said[value.cid]
        said.offset, said.epoch = value.offset, self.client.channel.epoch

    def line_refused(self, value: values.LineRefused) -> None:
        """Its line is not."""
        self.log.said[value.cid].refused = value.reason

    def _heard(self, line: ChatMessage) -> None:
        if line.channel == ROOM:
            self.log.heard.append(HeardLine(ROOM, self.client.channel.epoch, line.offset, line.sender, line.cid))

    def _gap(self, channel: str | None) -> None:
        if channel == ROOM:
            self.log.heard.append(HeardGap(channel))

    def _frame(self, tick: int) -> None:
        now_s = time.monotonic()
        if self._last_frame_s is not None:
            self.felt.frame(self._last_frame_s, now_s)
            self._last_frame_s = now_s

    # --- how it stands ---

    def still(self) -> None:
        """From now on it is no news if no frame comes."""
        self._frame(0)
        self._last_frame_s = None

    @property
    def held(self) -> int:
        """The offset of the last line that it heard."""
        return next((line.offset for line in reversed(self.log.heard) if isinstance(line, HeardLine)), -1)

    @property
    def answered(self) -> bool:
        """Whether it is in, and all that it did was answered."""
        return self.client.status == "online" and not self.client.chat.message_queue and not self._open

    def compare(self, truth: Client, epoch: int) -> list[str]:
        """Compare its world with another's."""
        replica, other = self.client._room.world.replica, truth._room.world.replica
        if replica is None or other is None or self.client._room.world.epoch != epoch:
            return [f"{self.log.name}: it does not hold the world {epoch}"]
        return check_replica(self.log.name, replica, other.version)


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
