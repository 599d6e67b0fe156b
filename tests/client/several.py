"""Two servers on a network in memory, and clients that know both."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.internet.interfaces import IStreamClientEndpoint

from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.client.transports import ServerAddress
from meteor_net.game import Game
from meteor_net.limits import Limits
from meteor_net.state import Action, Input, Table, UInt
from meteor_net.testing import GameTestCase, MemoryServer, Wire

ONE, TWO = "ws://10.0.0.1:80", "ws://10.0.0.2:80"


class Bead(Table):
    """What a player has."""

    max_rows = 64
    count = UInt(bits=8)


class Add(Action):
    """One more."""

    by = UInt(bits=4)


class Shake(Input):
    """Does nothing."""

    hard = UInt(bits=8)


class Beads(Game):
    """Counts."""

    tables: ClassVar[Any] = [Bead]
    actions: ClassVar[Any] = [Add, Shake]
    tick_hz = 20

    def joined(self, player: Any) -> None:
        """Give a bead."""
        player.row = self.world.bead.spawn(count=0)

    def left(self, player: Any) -> None:
        """Take it back."""
        player.row.despawn()

    def action(self, player: Any, action: Any) -> Any:
        """Count."""
        if isinstance(action, Shake):
            return None
        player.row.count += action.by
        return player.row.count


class TwoServersCase(GameTestCase):
    """A case with the servers `server` and `second`."""

    game = Beads
    limits = Limits()

    def setUp(self) -> None:
        self.wire: Wire = self.network.wire("us")
        self.second = MemoryServer(self.network, {"beads": Beads}, limits=self.limits, address=("10.0.0.2", 80))
        self.second.start()
        self.addCleanup(lambda: self.wait(self.second.stop()))
        self.assertIsNotNone(self.server)

    def config(self, **options: Any) -> NetworkConfig:
        """Make options of a client that knows both servers, on the wire `wire`."""
        return NetworkConfig(
            **{
                "url": ONE, "urls": [TWO], "reactor": self.network.clock, "endpoint": self.endpoint, "connect_s": 5.0,
                "random": self.network.seeds.random("client"), **options,
            }
        )  # fmt: skip

    def endpoint(self, address: ServerAddress) -> IStreamClientEndpoint:
        """Lead to one of them."""
        return self.wire.endpoint((address.host, address.port))

    def add(self, game: NetworkClient, by: int = 1) -> int:
        """Let a client add to its bead, and give what it has then."""
        added = game.act(Add(by=by))
        assert added is not None
        count: int = self.wait(added)
        return count

    def players(self, server: MemoryServer) -> int:
        """Count who is in a server's rooms."""
        return sum(len(list(room.players)) for room in server.host.lobby)
