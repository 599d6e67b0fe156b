"""Kept tables in a whole server: what is saved when it stops, and how long the stop waits for it."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.defer import Deferred

from meteor_net import Game, Limits, Table, UInt
from meteor_net.storage.memory import MemoryStorage
from meteor_net.testing import GameTestCase


class Stone(Table):
    """What stays."""

    x = UInt(bits=16)


class Shore(Game):
    """Whoever leaves, leaves a stone."""

    tables = keep = (Stone,)

    def left(self, player: Any) -> None:
        self.world.stone.spawn(x=1)

    def closed(self) -> Any:
        self.asked: Deferred[None] = Deferred()
        return self.asked


class SlowStorage(MemoryStorage):
    """Keeps what it is asked to when a test says so, in order; tells what happened."""

    def __init__(self) -> None:
        super().__init__(Random(1))
        self.told: list[str] = []
        self.waiting: list[Deferred[None]] = []
        self.slow = True

    async def keep(self, name: str, data: bytes | None) -> None:
        self.told.append("asked")
        if self.slow:
            waiting: Deferred[None] = Deferred()
            self.waiting.append(waiting)
            await waiting
        await super().keep(name, data)
        self.told.append("kept")

    async def close(self) -> None:
        self.told.append("closed")
        await super().close()


class StopTests(GameTestCase):
    """The server stops while somebody plays."""

    game = Shore
    limits = Limits(await_s=2.0)

    def setUp(self) -> None:
        self.storage = SlowStorage()

    def test_waits_for_the_last_saves(self) -> None:
        """Storage is closed when all is saved: what the game leaves when players leave, and in `closed`."""
        self.player("ann")
        game = self.room.game
        stopped: list[Any] = []
        self.server.stop().addCallback(stopped.append)
        self.advance(1.0)
        self.assertEqual((self.storage.told, stopped), ([], []))
        game.world.stone.spawn(x=2)
        game.asked.callback(None)
        self.advance(1.0)
        self.assertEqual((self.storage.told, stopped), (["asked"], []))
        self.storage.slow = False
        self.storage.waiting.pop().callback(None)
        self.advance(0.1)
        self.assertEqual((self.storage.told, len(stopped)), (["asked", "kept", "closed"], 1))
        self.start_server()
        self.player("bob")
        self.assertEqual([stone.x for stone in self.room.world.stone], [1, 2])
        self.room.game.closed = lambda: None

    def test_gives_up(self) -> None:
        """A storage that does not answer, and a game that does not, hold the end up for so long, and are told."""
        self.player("ann")
        stopped: list[Any] = []
        self.server.stop().addCallback(stopped.append)
        self.advance(4.5)
        self.assertEqual(len(stopped), 1)
        self.assertIn("closed", self.storage.told)
        self.assertEqual([str(error) for error in self.flush_errors()], ["storage did not answer within 2 s"])

    def test_never_saved(self) -> None:
        """Whatever else keeps a room from its end, the server's own end is bounded."""
        self.server.host.lobby.around.shelf.take("shore/main", lambda *_: None, 0.0)
        stopped: list[Any] = []
        self.server.stop().addCallback(stopped.append)
        self.advance(5.9)
        self.assertEqual(stopped, [])
        self.advance(0.2)
        self.assertEqual((len(stopped), self.storage.told, len(self.flush_errors())), (1, ["closed"], 1))
