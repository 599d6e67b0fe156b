"""Where a game author begins."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from meteor_net.errors import ConfigError, Refused
from meteor_net.game import Chat, Game, handles
from meteor_net.interfaces import IChatHandler, IPlayer, ISyncHandler
from meteor_net.state import Action, Input

from .plain import Bench, Boom, Buy, Ship, Steer


class Sell(Action):
    """An action that nobody takes."""


class Plain(Game):
    """The shortest game."""

    tables = (Ship,)

    @handles(Steer, Buy)
    def take(self, player: IPlayer, action: Action) -> str:
        """Takes two kinds."""
        return type(action).__name__


class Child(Plain):
    """A game made of another."""

    actions = (Sell,)

    def take(self, player: IPlayer, action: Action) -> str:
        return "mine"

    @handles(Buy)
    def buy(self, player: IPlayer, buy: Buy) -> str:
        """Takes one of them by itself."""
        return "bought"


class GameTests(SynchronousTestCase):
    """`Game`."""

    def test_defaults(self) -> None:
        """Every verb has a default, so that an author writes only what differs."""
        verifyClass(ISyncHandler, Game)
        bench = Bench(Plain, Chat)
        guest = bench.guest("ann")
        player, game = guest.player, bench.room.game
        game.tick(0.1)
        for verb in (game.away, game.back):
            verb(player)
        game.closed()
        self.assertEqual(len(bench.errors()), 0)

    def test_actions(self) -> None:
        """The actions are those of the @handles methods, in their order, one's parents' first."""
        self.assertEqual(list(Plain.actions), [Steer, Buy])
        self.assertEqual(list(Child.actions), [Sell, Steer, Buy])
        self.assertEqual(list(Game.actions), [])

    def test_action(self) -> None:
        """An action goes to the method that takes its kind; a method that is overridden, or taken over, is the new one."""
        player: Any = None
        self.assertEqual(Plain().action(player, Steer(by=1)), "Steer")
        self.assertEqual(Child().action(player, Steer(by=1)), "mine")
        self.assertEqual(Child().action(player, Buy(count=1)), "bought")
        self.assertEqual(Plain().action(player, Buy(count=1)), "Buy")

    def test_no_method(self) -> None:
        """An action that is declared and not taken is refused."""
        error = self.assertRaises(Refused, Child().action, None, Sell())
        self.assertEqual((error.text, error.reason), ("nothing takes Sell here", "bad-action"))

    def test_handles_what(self) -> None:
        """@handles takes Action classes only, and says so when the module is read."""
        for wrong in (Boom, Steer(by=1), "Steer", int):
            self.assertRaises(ConfigError, handles, wrong)
        self.assertTrue(handles(Input))

    def test_handles_how(self) -> None:
        """A method that cannot be called with a player and an action is told then, too."""
        mark = handles(Input)
        error = self.assertRaises(ConfigError, mark, lambda self, player: None)
        self.assertIn("is called with a player and an action: too many positional arguments", str(error))
        for fine in (lambda self, player, action: None, lambda *_: None, lambda self, player, action, more=1: None):
            self.assertIs(mark(fine), fine)

    def test_two_methods(self) -> None:
        """Two methods of one class for one action are a mistake, not a race."""
        error = self.assertRaises(
            ConfigError, type, "Two", (Game,), {name: handles(Buy)(lambda *_: None) for name in ("one", "two")}
        )
        self.assertEqual(str(error), "Two.one and Two.two both take Buy")

    def test_world(self) -> None:
        """The game finds the room's world and its random numbers at hand."""
        bench = Bench(Plain, Chat)
        bench.guest("ann")
        game, room = bench.room.game, bench.room
        self.assertEqual((game.world, game.random, game.rng), (room.world, room.random, room.rng))

    def test_rows_go_with_the_player(self) -> None:
        """By default, who leaves takes its rows along; a row that is gone already is no trouble."""
        bench = Bench(Plain, Chat)
        ann = bench.guest("ann")
        ships = bench.room.world.ship
        ann.player.rows = rows = [ships.spawn(), ships.spawn(), ships.spawn()]
        rows[1].despawn()
        ships.spawn()
        bench.guest("bob")
        ann.leave()
        self.assertEqual((len(ships), bench.errors()), (1, []))


class Parrot(Chat):
    """A chat with commands."""

    command_not_callable = None

    def command_echo(self, player: IPlayer, rest: str) -> str:
        """Say it again."""
        return rest


class ChatTests(SynchronousTestCase):
    """`Chat`."""

    def setUp(self) -> None:
        self.chat = Parrot()
        self.player: Any = None

    def test_defaults(self) -> None:
        """Everything may be said as it is."""
        verifyClass(IChatHandler, Chat)
        self.assertEqual(Chat().line(self.player, "x"), "x")
        Chat().opened()

    def test_commands(self) -> None:
        """`/echo` is the method `command_echo`; what there is not is refused."""
        self.assertEqual(self.chat.command(self.player, "echo", "a b"), "a b")
        for name in ("fly", "", "not_callable", "a b", "é"):
            error = self.assertRaises(Refused, self.chat.command, self.player, name, "")
            self.assertEqual((error.text, error.reason), (f"there is no command /{name}; try /help", "bad-text"))

    def test_help(self) -> None:
        """`/help` lists them, those for moderators to moderators."""
        bench = Bench(Plain, Parrot)
        ann = bench.guest("ann").player
        chat = bench.room.chat
        self.assertEqual(chat.command(ann, "help", ""), "commands: /echo, /help, /me, /msg")
        chat.moderators = {"ann"}
        self.assertEqual(chat.command(ann, "help", ""), "commands: /echo, /help, /me, /msg, /mute, /slow, /unmute")
