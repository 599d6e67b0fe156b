"""One player: a real client, what it does, and what happens to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from meteor_net.chat.system import ChatMessage
from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.errors import Refused
from meteor_net.server.auth import make_token
from meteor_net.session import client_values as values
from meteor_net.session.client_channel import Channel
from meteor_net.testing.checks import ClientLog, DoneAction, HeardGap, HeardLine, SaidLine, check_replica

from .game import ROOM, SECRET
from .outcome import Felt

reactor: Any = global_reactor

#: It says a line, marks and steers so often, in seconds.
LINE_S, MARK_S, STEER_S = 2.5, 1.0, 0.1
CONNECT_S = 60.0


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
