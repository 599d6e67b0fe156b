"""Which rooms there are."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from meteor_net.errors import ConfigError
from meteor_net.game import Chat, Game
from meteor_net.interfaces import ISyncHandler
from meteor_net.limits import Limits
from meteor_net.lobby import Lobby, Numbers
from meteor_net.messages import ErrorMessage, Joined
from meteor_net.requests import OpenChannel

from .plain import Bench, Boom, Guest, Sea


class NumbersTests(SynchronousTestCase):
    """Numbers of the wire."""

    def test_lowest_first(self) -> None:
        """A number that was given back is given out again, the lowest first, so that they stay short."""
        numbers = Numbers()
        self.assertEqual([numbers.take() for _ in range(4)], [0, 1, 2, 3])
        for number in (2, 0):
            numbers.give_back(number)
        self.assertEqual([numbers.take() for _ in range(3)], [0, 2, 4])


class LobbyCase(SynchronousTestCase):
    """A lobby."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """Make it, with limits."""
        self.bench = Bench(**limits)

    def names(self) -> list[str]:
        """The names of the rooms."""
        return [room.name for room in self.bench.lobby]

    def refusals(self, guest: Guest) -> list[tuple[str, str]]:
        """Why a JOIN was refused."""
        return [(error.reason, error.text) for error in guest.found(ErrorMessage)]


class NameTests(LobbyCase):
    """How a room is named (clause 6.1)."""

    def test_names(self) -> None:
        """`game/name`, a game alone, a name alone, or nothing."""
        for name, full in (("sea/a", "sea/a"), ("sea", "sea/main"), ("b", "sea/b"), ("", "sea/main"), (" c ", "sea/c")):
            guest = self.bench.guest("ann", name)
            self.assertEqual([joined.name for joined in guest.found(Joined)], [full])

    def test_length(self) -> None:
        """A name has 1 to 64 characters."""
        for size in (1, 64):
            self.assertEqual(len(self.bench.guest("ann", "x" * size).found(Joined)), 1)
        self.assertEqual([reason for reason, _ in self.refusals(self.bench.guest("ann", "x" * 65))], ["bad-name"])
        self.assertEqual([reason for reason, _ in self.refusals(self.bench.guest("ann", "sea/"))], ["bad-name"])

    def test_bad(self) -> None:
        """Control characters and further slashes are refused, and so is a game that is not here; no room is made."""
        for name, reason in (
            ("a\nb", "bad-name"), ("sea/a/b", "bad-name"), ("sea/ ", "bad-name"), (" ", "bad-name"),
            ("lake/a", "unknown-room"), ("/a", "unknown-room"),
        ):  # fmt: skip
            guest = self.bench.guest("ann", name)
            self.assertEqual([found for found, _ in self.refusals(guest)], [reason], name)
            self.assertEqual((guest.session.seats, self.names()), ({}, []))


class RoomTests(LobbyCase):
    """Made on demand, disposed of when empty."""

    def test_shared(self) -> None:
        """All who name a room are in the same one."""
        ann, bob = self.bench.guest("ann", "a"), self.bench.guest("bob", "sea/a")
        self.assertIs(ann.player.room, bob.player.room)
        self.assertIs(self.bench.lobby.room(0), ann.player.room)
        self.assertIsNone(self.bench.lobby.room(1))
        self.assertEqual((self.names(), self.bench.lobby.games, len(self.bench.lobby)), (["sea/a"], ["sea"], 1))

    def test_numbers(self) -> None:
        """The numbers of rooms and channels are used again, the lowest first, when a room is gone."""
        ann, bob = self.bench.guest("ann", "a"), self.bench.guest("bob", "b")
        channels = [joined.channels for guest in (ann, bob) for joined in guest.found(Joined)]
        self.assertEqual([[number for number, *_ in each] for each in channels], [[0, 1], [2, 3]])
        ann.leave()
        cid = self.bench.guest("cid", "c")
        (joined,) = cid.found(Joined)
        self.assertEqual((joined.room, [number for number, *_ in joined.channels]), (0, [0, 1]))

    def test_made_anew(self) -> None:
        """A room of the same name is another world, with the same chat."""
        ann = self.bench.guest("ann")
        ann.say("hello")
        (first,) = ann.found(Joined)
        ann.leave()
        (second,) = self.bench.guest("bob").found(Joined)
        self.assertNotEqual(first.epoch, second.epoch)
        self.assertEqual((first.channels[0][2], second.channels[0][2:]), (second.channels[0][2], (first.channels[0][2], 1)))

    def test_inbox(self) -> None:
        """A user with two sessions has one inbox, kept until the last is gone."""
        first, second = self.bench.guest("ann"), self.bench.guest("ann")
        inbox = self.bench.lobby.inbox("ann")
        first.leave()
        self.assertIs(self.bench.lobby.inbox("ann"), inbox)
        second.leave()
        self.assertEqual(self.bench.lobby._inboxes, {})
        self.bench.lobby.forget("ann")

    def test_handler_cannot_be_made(self) -> None:
        """A handler that works at start and not later is told to the player and the operator; nothing is left behind."""

        class Moody(Sea):
            """Can be made once."""

            made = 0

            def __init__(self) -> None:
                super().__init__()
                Moody.made += 1
                if Moody.made == 2:
                    raise ZeroDivisionError("oops")

        bench = Bench(Moody)
        ann = bench.guest("ann")
        self.assertEqual(self.refusals(ann), [("failed", "room sea/main could not be made")])
        self.assertEqual([str(error) for error in bench.errors()], ["oops"])
        ann.join()
        self.assertEqual([joined.room for joined in ann.found(Joined)], [0])


class LimitTests(LobbyCase):
    """How many rooms."""

    def test_rooms_of_a_process(self) -> None:
        """As many as the limit; one more is refused until one is gone."""
        for most in (0, 1, 2):
            self.begin(rooms=most)
            inside = [self.bench.guest("ann", f"r{number}") for number in range(most)]
            late = self.bench.guest("late", "late")
            self.assertEqual([reason for reason, _ in self.refusals(late)], ["too-many-rooms"])
            if inside:
                late.join("r0")
                self.assertEqual(len(late.found(Joined)), 1)

    def test_rooms_of_a_session(self) -> None:
        """As many as the limit; one more is refused, but not one that it is in already."""
        for most in (0, 1, 2):
            self.begin(rooms_per_session=most)
            ann = self.bench.guest("ann", room=None)
            for number in range(most):
                ann.join(f"r{number}")
            ann.join("late")
            self.assertEqual(self.refusals(ann), [("too-many-rooms", f"you are in {most} rooms, which is the most")])
            self.assertEqual(len(self.names()), most)
            if most:
                ann.join("r0")
                self.assertEqual(len(ann.found(Joined)), 1)

    def test_many_at_once(self) -> None:
        """Rooms that are still opening count: many JOINs at once make no more rooms than that."""
        self.begin(rooms_per_session=2)
        self.bench.hold = (OpenChannel,)
        ann = self.bench.guest("ann", room=None)
        for number in range(5):
            ann.join(f"r{number}")
        ann.join("r0")
        self.assertEqual(len(self.names()), 2)
        self.assertEqual(len(self.refusals(ann)), 3)


@implementer(ISyncHandler)
class Half:  # type: ignore[misc]
    """Says that it keeps the interface, and does not."""

    tables = actions = events = documents = keep = ()
    tick_hz = 20
    max_players = 4
    away_s = None
    same_user = "allow"
    room = None

    def opened(self, what: str) -> None:  # type: ignore[override]
        """Wants too much."""


class StartTests(SynchronousTestCase):
    """A wrong handler is refused before anything listens, in one line that says what is wrong."""

    def wrong(self, game: Callable[[], Any], chat: Callable[[], Any] = Chat) -> str:
        """Why a lobby cannot be made."""

        def report(event: str, error: BaseException | None = None, **fields: object) -> None:
            """Nothing happens yet."""

        def make() -> None:
            Lobby({"sea": game}, chat, Limits(), report, int, Random(1), lambda room: None)

        error = self.assertRaises(ConfigError, make)
        self.assertNotIn("\n", str(error))
        return str(error)

    def changed(self, **members: Any) -> Callable[[], Any]:
        """A game with other members."""
        made: type[Game] = type("Wrong", (Sea,), members)
        return made

    def test_no_games(self) -> None:
        """A server needs a game."""
        error = self.assertRaises(
            ConfigError, Lobby, {}, Chat, Limits(), lambda *_, **__: None, int, Random(1), lambda room: None
        )
        self.assertEqual(str(error), "a server needs at least one game")

    def test_no_handler(self) -> None:
        """An object that is no handler, or lacks verbs, or has them with other arguments."""
        text = self.wrong(dict)
        self.assertIn("the handler of game sea", text)
        text = self.wrong(Half)
        self.assertIn("the handler of game sea, Half does not keep ISyncHandler: ", text)
        self.assertIn("; The ISyncHandler.joined(player) attribute was not provided", text)
        self.assertIn(": The contract of ISyncHandler.opened() is violated because", text)
        self.assertIn("the chat handler Sea does not keep IChatHandler", self.wrong(Sea, Sea))

    def test_documents(self) -> None:
        """Documents are names, and no table's."""
        for documents, why in [
            ("match", "game sea: documents is 'match'; a list of names, also if it is one"),
            (5, "game sea: documents is 5; a list of names, also if it is one"),
            (["ship"], "game sea: a table and a document are called ship"),
            (["a", "a"], "game sea: two documents have one name"),
            (["tick"], "game sea: document: the name 'tick' is taken"),
            ([f"d{n}" for n in range(17)], "game sea: documents is ["),
        ]:
            self.assertIn(why, self.wrong(self.changed(documents=documents)))

    def test_cannot_be_made(self) -> None:
        """A class whose making fails, or wants arguments."""

        def broken() -> Any:
            raise ZeroDivisionError("oops")

        self.assertEqual(self.wrong(broken), "the handler of game sea cannot be made: oops")
        self.assertEqual(self.wrong(Sea, broken), "the chat handler cannot be made: oops")
        self.assertIn("cannot be made", self.wrong(self.changed(__init__=lambda self, needed: None)))

    def test_numbers(self) -> None:
        """Ticks and players are numbers within bounds; the bounds themselves are good."""
        for hz in (0, -1, 1 / 61, 121, float("nan"), "20", None):
            self.assertIn("game sea: tick_hz is", self.wrong(self.changed(tick_hz=hz)))
        for most in (0, -1, 1.5, "64", None):
            self.assertIn("game sea: max_players is", self.wrong(self.changed(max_players=most)))
        for away_s in (-1, float("nan"), float("inf"), "30"):
            self.assertIn("game sea: away_s is", self.wrong(self.changed(away_s=away_s)))
        for same_user in ("kick", None, 1):
            self.assertIn("allow, replace, refuse", self.wrong(self.changed(same_user=same_user)))
        for good in ({"tick_hz": 1 / 60}, {"tick_hz": 120}, {"max_players": 1}, {"away_s": 0}, {"same_user": "refuse"}):
            bench = Bench(self.changed(**good))
            (joined,) = bench.guest("ann").found(Joined)
            self.assertLessEqual(joined.tick_us, 60_000_000)

    def test_chat(self) -> None:
        """Slow mode is a number of seconds, and who moderates is said at once."""

        async def moderates(self: Any, player: Any) -> bool:
            """Too late."""
            return True

        def chat(**members: Any) -> Any:
            return type("Talk", (Chat,), members)

        for slow_s in (-1, "10", None, float("nan")):
            self.assertIn("the chat handler Talk: slow_s is", self.wrong(Sea, chat(slow_s=slow_s)))
        self.assertEqual(self.wrong(Sea, chat(moderates=moderates)), "the chat handler Talk: moderates may not be async")
        Bench(Sea, chat(slow_s=0.5))

    def test_async_tick(self) -> None:
        """`tick` may not be async: everybody would wait for it."""

        async def tick(self: Any, dt: float) -> None:
            """Too late."""

        self.assertEqual(self.wrong(self.changed(tick=tick)), "game sea: tick may not be async")

    def test_declarations(self) -> None:
        """Tables, actions and events are lists of such classes."""
        self.assertIn("game sea: tables is <class ", self.wrong(self.changed(tables=Sea.tables[0])))
        for wrong in ({"tables": [Boom]}, {"tables": None}, {"events": [5]}, {"tables": [*Sea.tables, *Sea.tables]}):
            self.assertIn("game sea: ", self.wrong(self.changed(**wrong)))
