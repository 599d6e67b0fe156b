"""A connection that TCP believes in, and nothing comes on: another is tried beside it."""

from __future__ import annotations

from meteor_net.client import NetworkClient
from meteor_net.client.manager import BESIDE_OPEN_S, BESIDE_S

from .several import Add, TwoServersCase


class BesideTests(TwoServersCase):
    """One client of one server, in a room with a world."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = NetworkClient(self.config(urls=[]))
        self.statuses: list[str] = []
        self.ann.on("status", self.statuses.append)
        self.addCleanup(lambda: self.wait(self.ann.disconnect()))
        self.wait(self.ann.connect())
        self.advance(1.0)
        self.statuses.clear()

    def opened(self) -> int:
        """How many connections were opened so far."""
        return int(self.ann.report().totals["connection"]["opened"])

    def test_taken(self) -> None:
        """The session goes on there long before the old connection counts as dead, and what was done waits for it."""
        self.wire.silence()
        self.advance(BESIDE_S[0] - 1)
        self.assertEqual((self.statuses, self.opened()), (["stale"], 1))
        answer = self.ann.act(Add(by=3))
        assert answer is not None
        self.wait_until(lambda: self.opened() == 2, BESIDE_S[1])
        self.assertEqual(self.wait(answer), 3)
        self.assertEqual(self.statuses, ["stale", "online"])
        self.assertEqual(len(list(self.server.host.registry)), 1)
        self.advance(60.0)
        self.assertEqual((self.statuses, self.opened()), (["stale", "online"], 2))

    def test_back_soon_after_the_network(self) -> None:
        """While nothing gets through it is tried again and again; what comes first goes on."""
        self.wire.stall()
        self.advance(BESIDE_S[1] + 2 * BESIDE_OPEN_S)
        self.assertEqual((self.statuses, self.opened()), (["stale"], 1))
        self.assertGreaterEqual(self.ann.report().totals["connection"]["failed_attempts"], 1)
        self.wire.flow()
        self.advance(1.0)
        self.assertEqual(self.ann.status, "online")
        self.assertEqual(self.add(self.ann, 3), 3)

    def test_silent_for_a_moment(self) -> None:
        """No other connection is opened."""
        self.wire.stall(BESIDE_S[0] - 1)
        self.advance(BESIDE_S[0] + 5)
        self.assertEqual((self.statuses, self.opened()), (["stale", "online"], 1))
        self.assertEqual(self.ann.report().totals["connection"]["failed_attempts"], 0)
