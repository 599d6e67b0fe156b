"""`GameTestCase`, as an author of games uses it."""

from __future__ import annotations

import unittest
from typing import Any

import txaio
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import Action, Chat, Event, Fixed, Flag, Game, Input, Limits, Owner, Refused, Table, Text, UInt, handles
from meteor_net.errors import ConnectionFailed
from meteor_net.testing import GameTestCase

txaio_config: Any = vars(txaio)["config"]


class Ship(Table):
    """A row for each ship."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)
    name = Text(24)


class Steer(Input):
    """An input."""

    thrust = Flag()


class Buy(Action):
    """An action."""

    what = Text(16)


class Boom(Event):
    """An event."""

    x = Fixed(step=1 / 16, low=0, high=4096)


class Harbour(Game):
    """A small game."""

    tables, events, max_players = (Ship,), (Boom,), 2

    def joined(self, player: Any) -> None:
        player.row = self.world.ship.spawn(x=100, name=player.name)
        self.room.notice(f"{player.name} sails in")

    @handles(Steer)
    def steer(self, player: Any, steer: Steer) -> None:
        player.row.x += 10 * steer.thrust

    @handles(Buy)
    def buy(self, player: Any, buy: Buy) -> str:
        if buy.what == "sail":
            raise Refused("no sails")
        self.room.emit(Boom(x=player.row.x))
        return f"one {buy.what}, {1 / len(buy.what):.1f}"


class Polite(Chat):
    """A chat handler."""

    def line(self, player: Any, text: str) -> str:
        if text == "fool":
            raise Refused("mind your words")
        return text.capitalize()

    def command_wave(self, player: Any, rest: str) -> str:
        """Answer a command."""
        return f"you wave {rest}"


class HarbourTests(GameTestCase):
    """What a test of a game looks like."""

    game, chat = Harbour, Polite

    def test_players(self) -> None:
        """Players come in, act, and see each other's deeds once they have arrived."""
        ann, bob = self.player("ann"), self.player("bob")
        self.assertIsNone(ann.act(Steer(thrust=True)))
        self.advance(0.1)
        self.assertEqual([(ship.name, ship.x) for ship in bob.world.ship], [("ann", 110), ("bob", 100)])
        self.assertEqual((bob.me.x, ann.me.name, ann.name, bob.status), (100, "ann", "ann", "online"))
        self.assertEqual(self.room.world.ship.x.tolist(), [110, 100])
        self.assertEqual(repr(ann), "<player 'ann', online>")

    def test_answers(self) -> None:
        """An action gives its answer, or raises the refusal; by name too."""
        ann = self.player("ann")
        self.assertEqual(ann.act(Buy(what="mug")), "one mug, 0.3")
        self.assertEqual(ann.act("Buy", what="net"), "one net, 0.3")
        self.assertEqual(self.assertRaises(Refused, ann.act, Buy(what="sail")).text, "no sails")
        self.advance(0.1)
        self.assertEqual(ann.events, [Boom(x=100)] * 2)

    def test_talk(self) -> None:
        """Lines, notices, commands and refusals."""
        ann, bob = self.player("ann"), self.player("bob")
        self.assertEqual(ann.say("ahoy"), 2)
        self.assertEqual(ann.say("/wave twice"), -1)
        self.assertEqual(self.assertRaises(Refused, ann.say, "fool").text, "mind your words")
        self.advance(0.1)
        self.assertEqual((bob.lines, bob.notices), (["Ahoy"], ["ann sails in", "bob sails in"]))
        self.assertEqual(ann.notices[-1], "you wave twice")

    def test_not_let_in(self) -> None:
        """A player who is not let in is a refusal; the test can go on without."""
        self.player("ann", "a")
        self.player("bob", "a")
        self.assertEqual(self.assertRaises(Refused, self.player, "eve", "a").reason, "room-full")
        self.assertEqual(self.player("eve", "a", role="watch").status, "online")
        self.assertRaises(ConnectionFailed, self.player, "e\nve")
        self.assertEqual(len(self.room.players), 3)

    def test_put_out(self) -> None:
        """A player who is put out knows why."""
        ann = self.player("ann")
        self.room.players[0].remove("enough")
        self.player("bob")
        self.assertEqual((ann.left_because, ann.status), (("removed", "enough"), "offline: enough"))

    def test_leaving(self) -> None:
        """Who leaves is gone on both ends; a room is there as long as somebody is in it."""
        ann = self.player("ann")
        ann.leave()
        self.assertEqual((ann.status, ann.network.connections, len(self.server.host.lobby)), ("offline", 0, 0))
        self.assertRaises(AssertionError, lambda: self.room)

    def test_faults(self) -> None:
        """The network can fail, and the server too."""
        ann = self.player("ann")
        ann.network.cut()
        self.advance(2.0)
        self.stop_server()
        self.start_server()
        self.wait_until(lambda: bool(ann.gaps) and ann.status == "online")
        self.assertEqual(ann.gaps, [None, "harbour/main"])
        self.assertEqual((ann.status, ann.me.name), ("online", "ann"))
        self.assertIn("reconnecting in 1 s", ann.statuses)


class Scenes(GameTestCase):
    """What the tests below run, each in a test case of its own."""

    game, limits = Harbour, Limits(line_chars=5)

    def error(self) -> None:
        """A handler raises."""
        self.assertRaises(Refused, self.player("ann").act, Buy(what=""))

    def expected_error(self) -> None:
        """A handler raises, and the test knows."""
        self.error()
        assert [str(error) for error in self.flush_errors(ZeroDivisionError)] == ["division by zero"]

    def loose_ends(self) -> None:
        """The test ends in the middle of it all."""
        self.player("ann").network.stall()
        self.newcomer("bob").game.connect().addErrback(lambda _: None)

    def limit(self) -> None:
        """The limits are the class's own."""
        self.assertRaises(Refused, self.player("ann").say, "123456")

    def nobody(self) -> None:
        """No server is needed to let time pass."""
        self.advance(1.0)


class Nameless(GameTestCase):
    """Does not say which game."""

    def scene(self) -> None:
        """Asks for a player all the same."""
        self.player("ann")


class RunTests(SynchronousTestCase):
    """How test cases end."""

    def run_scene(self, case: GameTestCase) -> list[str]:
        """Run a test case; answer the last lines of what it failed with."""
        result = unittest.TestResult()
        case.run(result)
        self.assertEqual(result.testsRun, 1)
        failed = [*result.errors, *result.failures]
        return [str(text).strip().splitlines()[-1] for _, text in failed]

    def test_error_of_a_handler(self) -> None:
        """It fails the test, though the test itself found nothing; unless the test takes it."""
        (error,) = self.run_scene(Scenes("error"))
        self.assertIn("division by zero", error)
        self.assertEqual(self.run_scene(Scenes("expected_error")), [])

    def test_ends_well(self) -> None:
        """Whatever state a test leaves, its end leaves nothing behind."""
        before = txaio_config.loop
        for name in ("loose_ends", "limit", "nobody"):
            case = Scenes(name)
            self.assertEqual(self.run_scene(case), [], name)
            self.assertEqual(list(case.network.clock.getDelayedCalls()), [], name)
            self.assertIs(txaio_config.loop, before)

    def test_no_game(self) -> None:
        """A test case that names no game is told so."""
        (error,) = self.run_scene(Nameless("scene"))
        self.assertIn("Nameless names no game", error)


class Coin(Table):
    """Told to its owner alone."""

    value = UInt(bits=8)
    owner = Owner()


class Bank(Game):
    """Everybody has a coin."""

    tables = (Coin,)

    def joined(self, player: Any) -> None:
        player.row = self.world.coin.spawn(value=10 * (player.key + 1), owner=player)


class SightTests(GameTestCase):
    """Tables with a key."""

    game = Bank

    def test_own_world(self) -> None:
        """Each player's world shows what is in that player's sight; the room's shows all."""
        ann, bob = self.player("ann"), self.player("bob")
        self.advance(0.2)
        self.assertEqual([coin.value for coin in self.room.world.coin], [10, 20])
        self.assertEqual([[coin.value for coin in player.world.coin] for player in (ann, bob)], [[10], [20]])
        self.assertEqual((ann.me.value, bob.me.value), (10, 20))
        self.room.world.coin[0].owner = self.room.players[1]
        self.advance(0.2)
        self.assertEqual([[coin.value for coin in player.world.coin] for player in (ann, bob)], [[], [10, 20]])
        self.assertIsNone(ann.me)
