"""Servers, stores and players that are killed, as a test of a game sees it; and faults by chance."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from meteor_net import Action, Fixed, Game, Table, handles
from meteor_net.errors import StorageError
from meteor_net.interfaces import IAuthenticator, Identity
from meteor_net.testing import Faults, GameTestCase, Network, SimulatedStore


class Row(Action):
    """Go on."""


class Skiff(Table):
    """One who rows."""

    x = Fixed(step=1, low=0, high=1000)


class Bay(Game):
    """A small game whose boats are kept."""

    tables = (Skiff,)
    keep = (Skiff,)

    def joined(self, player: Any) -> None:
        player.row = self.world.skiff.spawn()

    def left(self, player: Any) -> None:
        """Boats stay."""

    @handles(Row)
    def row(self, player: Any, row: Row) -> int:
        """Go on."""
        player.row.x += 1
        self.room.save()
        return int(player.row.x)


@implementer(IAuthenticator)
class Known:
    """The token is the user."""

    def authenticate(self, token: str | None, name: str | None, address: str) -> Identity:
        """Anybody is let in."""
        return Identity(token or str(name), str(name))


class KilledTests(GameTestCase):
    """What is killed comes back with what it had kept."""

    game, authenticator = Bay, Known()

    def setUp(self) -> None:
        self.storage = SimulatedStore(self.network)

    def test_crash(self) -> None:
        """All in memory is lost, what was kept is there; nobody is told goodbye, and the players come back."""
        ann = self.player("ann", token="ann")
        ann.say("kept")
        self.assertEqual(ann.act(Row()), 1)
        self.advance(2.0)
        epoch = self.room.world.epoch
        self.crash_server()
        self.advance(1.0)
        self.assertRaises(AssertionError, self.network.wait_until, lambda: ann.status == "online", 5.0)
        self.start_server()
        self.wait_until(lambda: ann.status == "online")
        self.assertNotEqual(self.room.world.epoch, epoch)
        self.assertEqual([skiff.x for skiff in self.room.world.skiff], [1, 0])
        self.assertEqual((ann.gaps, ann.lines), ([], ["kept"]))
        self.assertEqual(self.storage.history("bay/main")[1][0].text, "kept")

    def test_silent(self) -> None:
        """Of a power failure a client is told nothing: it finds out, and comes back."""
        ann = self.player("ann")
        self.crash_server(silent=True)
        self.start_server()
        self.advance(5.0)
        self.assertEqual(ann.status, "stale")
        self.wait_until(lambda: ann.status == "online", 90.0)

    def test_twice(self) -> None:
        """A server that was killed can be killed again, and stopped; one that runs does not start."""
        self.player("ann")
        self.assertRaises(ValueError, self.server.start)
        self.crash_server()
        self.crash_server()
        self.start_server()

    def test_outbox(self) -> None:
        """A player who is killed while it speaks says all of it once, with its next client."""
        path = self.mktemp()
        ann, bob = self.player("ann", token="ann", outbox=path), self.player("bob")
        for number in range(5):
            ann.game.say(str(number))
        self.advance(0.03)  # the server has them, and its answers are on their way
        ann.kill()
        self.assertEqual(ann.lines, [])
        self.player("ann", token="ann", outbox=path)
        self.advance(5.0)
        self.assertEqual(bob.lines, ["0", "1", "2", "3", "4"])

    def test_clocks(self) -> None:
        """After a jump of the server's clock ahead, or back, the game goes on."""
        ann = self.player("ann")
        for seconds in (30.0, -2.0):
            self.server.clock.jump(seconds)
            self.advance(5.0)
            self.wait_until(lambda: ann.status == "online")
            before = ann.act(Row())
            self.assertEqual(ann.act(Row()), before + 1)
        ann.network.clock.jump(3600.0)
        self.advance(20.0)
        self.assertEqual((ann.status, ann.act(Row()) is not None), ("online", True))

    def test_store(self) -> None:
        """A line of which storage has forgotten what became is said again by itself, and is there once."""
        ann, bob = self.player("ann"), self.player("bob")
        self.storage.forget_answers(3.0)
        said = ann.game.say("once")
        self.advance(20.0)
        self.successResultOf(said)
        self.assertEqual(bob.lines, ["once"])
        self.flush_errors(StorageError)


class FaultsTests(GameTestCase):
    """Faults by chance."""

    game, authenticator = Bay, Known()

    def setUp(self) -> None:
        self.storage = SimulatedStore(self.network)

    def test_all(self) -> None:
        """In time all kinds of faults happen; after `heal` everybody is well again."""
        players = [self.player(name, token=name) for name in ("ann", "bob", "cid")]
        faults = Faults(self.network, self.server, self.storage)
        faults.start()
        for _ in range(60):
            self.advance(10.0)
            for player in players:
                if player.status.startswith("offline"):  # the store was ill when it came back
                    player.game.connect().addErrback(lambda _: None)
        faults.heal()
        heard = "\n".join(faults.log)
        for word in (
            "cut for", "clogged", "silent", "swizzled", "loses", "clock jumps", "server: crashes", "server: is told to stop",
            "begins anew", "server: clock jumps", "store: fails", "store: forgets", "store: answers",
        ):  # fmt: skip
            self.assertIn(word, heard)
        log = list(faults.log)
        for player in players:
            if player.status.startswith("offline"):
                player.game.connect().addErrback(lambda _: None)
        self.wait_until(lambda: all(player.status == "online" for player in players), 60.0)
        self.advance(60.0)
        self.assertEqual(faults.log, log)
        self.flush_errors(StorageError)

    def test_some(self) -> None:
        """A network alone may be ill; with nobody on it nothing happens, and nothing is wrong."""
        network = Network(5)
        network.wire("ann")
        faults = Faults(network, name="others")
        faults.start()
        network.advance(30.0)
        faults.heal()
        self.assertIn("nobody is connected", "\n".join(faults.log))
        self.assertNotIn("server", "\n".join(faults.log))
