"""The Python client against a server in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from meteor_net.client import NetworkClient, NetworkConfig

from .ports import free_port, listens

reactor: Any = global_reactor


async def until(what: Any, seconds: float = 20.0) -> None:
    """Ask again and again, until the answer is yes."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        await deferLater(reactor, 0.02)


def said(game: NetworkClient) -> list[str]:
    """What players said, as one of them sees it."""
    return [line.text for line in game.chat.message_history if line.cid]


class Server:
    """`twistd meteor` with the demo, and its data in a folder of its own."""

    def __init__(self, data: str) -> None:
        self.port = free_port()
        self.data = data
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "twisted", "meteor", "--listen", listen, "--data-dir", self.data],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        await until(lambda: listens(self.port))

    async def stop(self, by: int = signal.SIGTERM) -> None:
        """End it, and wait until it is gone."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(by)
            await deferToThread(process.wait)


class PythonClientTests(TestCase):
    """Python players in a real server's world."""

    timeout = 90

    def setUp(self) -> Any:
        self.server = Server(self.mktemp())
        self.addCleanup(lambda: ensureDeferred(self.server.stop()))
        return ensureDeferred(self.server.start())

    async def player(self, name: str) -> NetworkClient:
        """Connect a player."""
        url = f"ws://127.0.0.1:{self.server.port}"
        game = NetworkClient(NetworkConfig(url=url, name=name, reactor=reactor))
        self.addCleanup(game.disconnect)
        return await game.connect()

    def test_together(self) -> Deferred[None]:
        """Two players see one world, each its own craft, and hear each other once."""

        async def play() -> None:
            ann, bob = await self.player("ann"), await self.player("bob")
            await until(lambda: ann.me is not None and bob.me is not None)
            self.assertNotEqual(ann.me.slot, bob.me.slot)
            lines: list[str] = []
            bob.on("line", lambda line: lines.append(f"{line.name}: {line.text}"))
            offset = await ann.say("hello")
            await until(lambda: lines)
            self.assertEqual(lines, ["ann: hello"])
            await until(lambda: [line.offset for line in ann.chat.message_history if line.text == "hello"] == [offset])
            ticks = []
            async for tick in ann.ticks():
                ticks.append(tick)
                if len(ticks) == 20:
                    break
            self.assertEqual(ticks, sorted(set(ticks)))
            assert ann.round_trip_ms is not None
            self.assertLess(abs(ann.tick_now() - bob.tick_now()), 2)

        return ensureDeferred(play())

    def test_killed_server(self) -> Deferred[None]:
        """A killed server's players come back by themselves; what was said is there, what was said meanwhile is kept once."""

        async def play() -> None:
            ann = await self.player("ann")
            gaps: list[str | None] = []
            statuses: list[str] = []
            ann.on("gap", gaps.append)
            ann.on("status", statuses.append)
            await ann.say("before")
            before = ann._room.world.epoch
            await self.server.stop(signal.SIGKILL)
            await until(lambda: ann.status.startswith("reconnecting"))
            kept = ann.say("while it was away")
            await self.server.start()
            await until(lambda: ann.status == "online" and ann.me is not None)
            await kept
            self.assertNotEqual(ann._room.world.epoch, before)
            await until(lambda: len(said(ann)) == 2)
            newcomer = await self.player("bob")
            await until(lambda: len(said(newcomer)) == 2)
            self.assertEqual(gaps, [None])  # events are kept nowhere
            self.assertEqual((said(ann), said(newcomer)), (["before", "while it was away"],) * 2)

        return ensureDeferred(play())

    def test_stopped_server(self) -> Deferred[None]:
        """A server that is stopped says so, and is found again."""

        async def play() -> None:
            ann = await self.player("ann")
            await self.server.stop()
            await until(lambda: ann.status.startswith("reconnecting"))
            await self.server.start()
            await until(lambda: ann.status == "online")

        return ensureDeferred(play())

    def test_ctrl_c(self) -> Deferred[None]:
        """Bots that are stopped by Ctrl-C say goodbye: their craft are gone at once."""

        async def play() -> None:
            ann = await self.player("ann")
            command = [sys.executable, "-m", "meteor_net", "bots", "--url", f"ws://127.0.0.1:{self.server.port}"]
            bots = subprocess.Popen([*command, "--count", "2"], stdout=subprocess.PIPE, text=True)
            await until(lambda: len(ann.world.craft) == 3)
            before = {craft.slot: craft.x for craft in ann.world.craft}
            await until(lambda: sum(craft.x != before[craft.slot] for craft in ann.world.craft) >= 2)
            bots.send_signal(signal.SIGINT)
            shown, _ = await deferToThread(bots.communicate)
            self.assertIn("2 bots: ", shown)
            await until(lambda: len(ann.world.craft) == 1, 5)

        return ensureDeferred(play())

    def test_bots(self) -> Deferred[None]:
        """`meteor-net bots` flies in the demo, and tells how it went."""

        async def play() -> None:
            ann = await self.player("ann")
            command = [sys.executable, "-m", "meteor_net", "bots", "--url", f"http://127.0.0.1:{self.server.port}"]
            bots = subprocess.Popen([*command, "--count", "4", "--seconds", "4"], stdout=subprocess.PIPE, text=True)
            names = [f"bot {number}" for number in range(1, 5)]
            await until(lambda: set(names) <= {craft.name for craft in ann.world.craft})
            before = {craft.name: craft.x for craft in ann.world.craft}
            await until(lambda: all(craft.x != before[craft.name] for craft in ann.world.craft if craft.name in names))
            shown, _ = await deferToThread(bots.communicate)
            self.assertEqual(bots.returncode, 0)
            self.assertIn("4 bots: ", shown)
            await until(lambda: [craft.name for craft in ann.world.craft] == ["ann"])

        return ensureDeferred(play())
