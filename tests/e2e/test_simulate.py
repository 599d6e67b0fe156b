"""A bad network around a real client, over real TCP, to a server in a process of its own."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import TestCase

from meteor_net.client import NetworkClient, NetworkConfig, Simulation

from .test_python_client import Server, until


class SimulateTests(TestCase):
    """What an author feels."""

    timeout = 90

    def setUp(self) -> Any:
        self.server = Server(self.mktemp())
        self.addCleanup(lambda: ensureDeferred(self.server.stop()))
        return ensureDeferred(self.server.start())

    def test_late_and_cut(self) -> Any:
        """All is as late as it was said to be; after a cut the client is back, and its line was said once."""
        return ensureDeferred(self.late_and_cut())

    async def late_and_cut(self) -> None:
        """Do it."""
        network = Simulation(latency_s=0.1, jitter_s=0.02, loss=0.02, seed=1)
        url = f"ws://127.0.0.1:{self.server.port}"
        game = NetworkClient(NetworkConfig(url=url, name="ann", simulate=network))
        self.addCleanup(game.disconnect)
        await game.connect()
        began = time.monotonic()
        await game.say("late")
        self.assertGreater(time.monotonic() - began, 0.2)
        self.assertGreater(game.round_trip_ms or 0.0, 200.0)
        said = game.say("over the cut")
        network.cut(1.0)
        await until(lambda: game.status.startswith("reconnecting"))
        await said
        await until(lambda: [line.text for line in game.chat.message_history if line.cid] == ["late", "over the cut"])
        self.assertEqual(game.status, "online")
