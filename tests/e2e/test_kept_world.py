"""The demo in a process of its own is killed two seconds after a bottle was thrown: it drifts on in the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from math import atan2, hypot, pi
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.drift.world import SIZE

from .ports import free_port, listens
from .test_python_client import until

reactor: Any = global_reactor


def short(way: float, round_: float) -> float:
    """The shorter way round."""
    return (way + round_ / 2) % round_ - round_ / 2


class KeptWorldTests(TestCase):
    """A server with a data folder."""

    timeout = 120

    def setUp(self) -> Any:
        self.folder = self.mktemp()
        self.addCleanup(lambda: ensureDeferred(self.end(signal.SIGTERM)))
        return ensureDeferred(self.start())

    async def start(self) -> None:
        """Start a server, and wait until it listens."""
        self.port = free_port()
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "twisted", "meteor", "--listen", listen],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "METEOR_DATA_DIR": os.path.abspath(self.folder)},
        )  # fmt: skip
        await until(lambda: listens(self.port))

    async def end(self, by: int) -> None:
        """End it, and wait until it is gone."""
        self.process.send_signal(by)
        await deferToThread(self.process.wait)

    async def player(self, name: str) -> NetworkClient:
        """Connect a player, and wait for its craft."""
        game = NetworkClient(NetworkConfig(url=f"ws://127.0.0.1:{self.port}", name=name, reactor=reactor))
        self.addCleanup(game.disconnect)
        await game.connect()
        await until(lambda: game.me is not None)
        return game

    async def fetch(self, game: NetworkClient, slot: int) -> dict[str, str]:
        """Fly to the bottle in a slot, and read it; one of the sea that comes in between is thrown back."""
        while True:
            me: Any = game.me
            if me.holding:
                answer: dict[str, str] = await game.act("Read")  # type: ignore[misc]
                if answer["name"] != "the sea":
                    return answer
                await game.act("Toss")  # type: ignore[misc]
            else:
                bottle = game.world.bottle[slot]
                dx, dy = short(bottle.x - me.x, SIZE), short(bottle.y - me.y, SIZE)
                turn = short(atan2(dy, dx) - me.heading, 2 * pi)
                game.act("Steer", turn=max(-1.0, min(1.0, 2 * turn)), thrust=abs(turn) < 0.5 and hypot(dx, dy) > 10)
            await deferLater(reactor, 0.05)

    def test_yesterday(self) -> Deferred[None]:
        """Another player finds it, where it drifted on, and reads it."""

        async def play() -> None:
            ann = await self.player("ann")
            place = await ann.act("Throw", text="hello from yesterday")  # type: ignore[misc]
            await deferLater(reactor, 2.0)
            await self.end(signal.SIGKILL)
            ann.disconnect()
            await self.start()
            bob = await self.player("bob")
            self.assertIn(place["slot"], [bottle.slot for bottle in bob.world.bottle])
            answer = await self.fetch(bob, place["slot"])
            self.assertEqual(answer, {"text": "hello from yesterday", "name": "ann"})

        return ensureDeferred(play())

    def test_stopped(self) -> Deferred[None]:
        """A server that is told to stop saves before it ends."""

        async def play() -> None:
            ann = await self.player("ann")
            await deferLater(reactor, 1.5)
            place = await ann.act("Throw", text="hello from yesterday")  # type: ignore[misc]
            await self.end(signal.SIGTERM)
            ann.disconnect()
            await self.start()
            bob = await self.player("bob")
            self.assertIn(place["slot"], [bottle.slot for bottle in bob.world.bottle])

        return ensureDeferred(play())
