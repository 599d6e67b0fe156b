"""Tables that outlive their room: loaded before it opens, saved while it is there and when it ends."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError, StorageError
from meteor_net.messages import ErrorMessage, Joined
from meteor_net.requests import EndOfTurn, Keep, Kept, OpenChannel, Then
from meteor_net.room.saving import Shelf
from meteor_net.state import Local, Table, UInt
from meteor_net.state.saving import read_saved, read_tables
from meteor_net.storage.memory import MemoryStorage

from ..plain import Bench, Buy, Later, Sea, Ship, run

NAME = "sea/main"


class Stone(Table):
    """What stays."""

    x = UInt(bits=16)
    note = Local(object)


class Shore(Sea):
    """A game whose stones stay; it says what it found when it opened."""

    tables = (Ship, Stone)  # type: ignore[assignment]
    keep = (Stone,)

    def opened(self) -> Any:
        super().opened()
        self.found = [stone.x for stone in self.world.stone]


class Counting(MemoryStorage):
    """Tells what was kept, in order."""

    def __init__(self) -> None:
        super().__init__(Random(3))
        self.kept_names: list[str] = []

    async def keep(self, name: str, data: bytes | None) -> None:
        self.kept_names.append(name)
        await super().keep(name, data)


class SavingCase(SynchronousTestCase):
    """A storage that stays, and benches that come and go."""

    def setUp(self) -> None:
        self.storage = Counting()
        self.begin()

    def begin(self, game: Any = Shore, **limits: Any) -> None:
        """Start a server over, with the storage of before."""
        self.bench = Bench(game, storage=self.storage, **limits)

    def open(self) -> Any:
        """Let somebody in; answers the room."""
        self.ann = self.bench.guest("ann")
        return self.bench.room

    def spawn(self, x: int, **values: Any) -> Any:
        """Another stone."""
        return self.bench.room.world.stone.spawn(x=x, **values)

    def stored(self, name: str = NAME) -> list[int] | None:
        """The stones that are kept under a name; None if there is nothing."""
        data = run(self.storage.kept(name))
        return None if data is None else read_tables(data)["stone"].fields["x"]

    def found(self) -> list[int]:
        """The stones that the game found when it opened."""
        game: Any = self.bench.game
        return list(game.found)


class KeepingTests(SavingCase):
    """When it is saved."""

    def test_over_a_restart(self) -> None:
        """What is there when the room ends is there when it opens again, before the game is told; other tables are not."""
        room = self.open()
        self.spawn(5)
        room.world.ship.spawn()
        self.ann.leave()
        self.assertEqual((self.stored(), self.storage.kept_names), ([5], [NAME]))
        self.begin()
        room = self.open()
        self.assertEqual((self.found(), len(room.world.ship)), ([5], 0))
        self.assertIn(("restored", None, {"room": NAME, "rows": 1, "lost": None}), self.bench.reports)

    def test_in_one_server(self) -> None:
        """A room that ended and is asked for again, too; each room has its own."""
        self.open()
        self.spawn(5)
        self.ann.leave()
        self.open()
        self.assertEqual(self.found(), [5])
        self.bench.guest("bob", "other")
        self.assertEqual(self.found(), [])

    def test_what_closed_leaves(self) -> None:
        """What the game does in `closed` is saved, though it takes its time."""
        room = self.open()

        def closed() -> Any:
            room.world.stone.spawn(x=7)
            return Later()

        self.bench.game.answers["closed"] = closed
        self.spawn(5)
        self.ann.leave()
        self.assertIsNone(self.stored())
        self.bench.release()
        self.assertEqual(self.stored(), [5, 7])

    def test_every_ten_seconds(self) -> None:
        """If something changed; an unchanged world writes nothing, not even when it ends."""
        self.open()
        self.bench.ticks(150)
        self.assertEqual(self.storage.kept_names, [])
        stone = self.spawn(5)
        self.bench.ticks(60)
        self.assertEqual((self.stored(), len(self.storage.kept_names)), ([5], 1))
        self.bench.ticks(300)
        self.assertEqual(len(self.storage.kept_names), 1)
        stone.x = 6
        self.bench.ticks(101)
        self.assertEqual((self.stored(), self.bench.room.saving.saves), ([6], 2))
        self.ann.leave()
        self.begin()
        self.open()
        self.bench.ticks(300)
        self.ann.leave()
        self.assertEqual(len(self.storage.kept_names), 2)

    def test_empty(self) -> None:
        """Of empty tables nothing is kept, whatever was before: the rooms that players may make up leave no trace."""
        self.open()
        stone = self.spawn(5)
        self.ann.leave()
        self.assertEqual(self.stored(), [5])
        self.open()
        self.bench.room.world.stone[stone.slot].despawn()
        self.ann.leave()
        self.assertIsNone(self.stored())
        self.open()
        self.ann.leave()
        self.assertEqual(len(self.storage.kept_names), 2)

    def test_how_often_is_a_limit(self) -> None:
        """`save_s` of the limits."""
        self.begin(save_s=2.0)
        self.open()
        self.spawn(5)
        self.bench.ticks(19)
        self.assertIsNone(self.stored())
        self.bench.ticks(2)
        self.assertEqual(self.stored(), [5])

    def test_clock_goes_back(self) -> None:
        """Then it is saved at once, not when the clock has come round again."""
        self.open()
        self.spawn(5)
        self.bench.pass_time(-50.0)
        self.assertEqual(self.stored(), [5])

    def test_without_tables(self) -> None:
        """A game that keeps nothing asks storage nothing, and `save` does nothing."""
        self.begin(Sea)
        self.bench.hold = (Keep, Kept, EndOfTurn)
        self.open().save()
        self.bench.ticks(200)
        self.ann.leave()
        self.assertEqual((self.bench.held, self.storage.kept_names), ([], []))

    def test_keep_names_tables(self) -> None:
        """What is kept has to be of the world."""
        for keep, why in (
            ([Stone], "game sea: keep names Stone, which is not among its tables and documents"),
            ([5], "game sea: keep names 5, which is not among its tables and documents"),
            (Ship, "game sea: keep is <class "),
        ):
            error = self.assertRaises(ConfigError, Bench, type("Wrong", (Sea,), {"keep": keep}))
            self.assertIn(why, str(error))

    def test_documents(self) -> None:
        """Documents that are kept are there again, and nothing else; what does not fit any more is said."""

        class Shop(Sea):
            """A game that keeps documents alone."""

            documents = ("stock", "mood", "past")
            keep = ("stock", "past")

        self.begin(Shop)
        self.open()
        world: Any = self.bench.room.world
        world.past = {"day": 1}
        world.mood["good"] = True
        world.stock["rope"] = (1, {"long": True})
        self.ann.leave()
        data = run(self.storage.kept(NAME))
        assert data is not None
        self.assertEqual(read_saved(data).documents, {"stock": {"rope": [1, {"long": True}]}, "past": {"day": 1}})
        self.begin(type("Shop", (Shop,), {"keep": ("stock",)}))
        self.open()
        world = self.bench.room.world
        self.assertEqual((world.stock, world.mood, world.past), ({"rope": [1, {"long": True}]}, {}, {}))
        self.assertEqual([fields["lost"] for event, _, fields in self.bench.reports if event == "restored"], ["document past"])
        world.stock["lamp"] = float("nan")
        self.bench.ticks(300)
        told = ["stock['lamp']: a number that is not finite"] * 2  # players do not see it, and it is not saved
        self.assertEqual([str(error) for error in self.bench.errors()], told)
        world.stock.clear()
        self.ann.leave()
        self.assertIsNone(run(self.storage.kept(NAME)))


class AskedTests(SavingCase):
    """`room.save()`."""

    def test_soon(self) -> None:
        """At the end of the turn, whatever else happens in it; many are one."""
        room = self.open()
        self.bench.ticks(11)

        def buy(player: Any) -> None:
            room.save()
            room.save()
            self.spawn(5)

        self.bench.game.answers["buy"] = buy
        self.ann.act(Buy(count=1))
        self.assertEqual((self.stored(), len(self.storage.kept_names)), ([5], 1))

    def test_at_most_once_a_second(self) -> None:
        """The next one waits for a tick, a second after the one before."""
        room = self.open()
        self.bench.ticks(11)
        room.save()
        self.spawn(100)
        self.bench.turn()
        for number in range(8):
            self.spawn(number)
            room.save()
            self.bench.ticks(1)
        self.assertEqual(self.stored(), [100])
        self.bench.ticks(3)
        self.assertEqual((self.stored(), len(self.storage.kept_names)), ([100, *range(8)], 2))

    def test_slow_ticks(self) -> None:
        """Where a tick is longer than a second, nobody waits for it."""
        self.begin(type("Slow", (Shore,), {"tick_hz": 1 / 60}))
        room = self.open()
        for number in range(3):
            self.spawn(number)
            room.save()
            self.bench.turn()
            self.assertEqual(self.stored(), list(range(number + 1)))

    def test_tick_comes_first(self) -> None:
        """A tick in the same turn saves; then there is nothing more to do at its end."""
        room = self.open()
        self.bench.ticks(11)
        room.save()
        self.spawn(5)
        self.bench.ticks(1)
        self.assertEqual(len(self.storage.kept_names), 1)

    def test_asked_at_the_end(self) -> None:
        """Asked for in the room's last turn, it is what the end does anyway."""
        for change in (False, True):
            room = self.open()
            self.bench.ticks(11)

            def left(player: Any, room: Any = room, change: bool = change) -> None:
                room.save()
                if change:
                    room.world.stone.spawn(x=5)

            self.bench.game.answers["left"] = left
            self.ann.leave()
            self.assertEqual(self.storage.kept_names, [NAME] * change)

    def test_too_late(self) -> None:
        """Of a room that has ended, or is ending, nothing more is saved."""
        room = self.open()
        self.bench.hold = (Keep,)
        self.spawn(5)
        self.ann.leave()
        room.save()
        self.bench.release()
        room.save()
        room.saving.look(self.bench.now + 100)
        self.bench.turn()
        self.assertEqual((self.storage.kept_names, self.bench.held), ([NAME], []))


class OrderTests(SavingCase):
    """Storage takes its time; no save overtakes another."""

    def test_one_at_a_time(self) -> None:
        """What changes while a save is on its way is saved after it, once."""
        room = self.open()
        self.bench.ticks(11)
        self.bench.hold = (Keep,)
        for number in range(5):
            self.spawn(number)
            room.save()
            self.bench.ticks(11)
        self.assertEqual(len(self.bench.held), 1)
        self.bench.release()
        self.assertEqual((self.stored(), len(self.bench.held)), ([0], 1))
        self.bench.release()
        self.assertEqual((self.stored(), self.bench.held), ([0, 1, 2, 3, 4], []))

    def test_ends_while_one_is_on_its_way(self) -> None:
        """The last save waits for it, and the next room of that name for both."""
        room = self.open()
        self.bench.ticks(11)
        self.bench.hold = (Keep,)
        self.spawn(1)
        room.save()
        self.bench.turn()
        self.spawn(2)
        self.ann.leave()
        bob = self.bench.guest("bob")
        self.bench.ticks(5)
        self.assertEqual((len(self.bench.held), bob.found(Joined)), (1, []))
        self.bench.release()
        self.assertEqual((self.stored(), bob.found(Joined), len(self.bench.held)), ([1], [], 1))
        self.bench.release()
        self.assertEqual((self.stored(), self.found(), len(bob.found(Joined))), ([1, 2], [1, 2], 1))

    def test_ends_unchanged_while_one_is_on_its_way(self) -> None:
        """Then that one was the last."""
        room = self.open()
        self.bench.ticks(11)
        self.bench.hold = (Keep,)
        self.spawn(1)
        room.save()
        self.bench.turn()
        self.ann.leave()
        self.bench.release()
        self.assertEqual((self.bench.held, self.storage.kept_names), ([], [NAME]))
        self.open()
        self.assertEqual(self.found(), [1])

    def test_nobody_waits_any_more(self) -> None:
        """Who waited for the room of before may be gone when it is saved; the room opens and closes, and nothing hangs."""
        self.open()
        self.bench.hold = (Keep,)
        self.spawn(1)
        self.ann.leave()
        bob = self.bench.guest("bob")
        bob.lose()
        self.bench.release()
        self.assertEqual(len(self.bench.lobby), 0)
        idle: list[bool] = []
        self.bench.lobby.around.shelf.when_idle(lambda: idle.append(True))
        self.assertEqual(idle, [True])

    def test_idle(self) -> None:
        """The shell hears when all is saved."""
        self.open()
        idle: list[str] = []
        shelf = self.bench.lobby.around.shelf
        shelf.when_idle(lambda: idle.append("idle"))
        self.bench.hold = (Keep,)
        self.spawn(1)
        self.ann.leave()
        self.assertEqual(idle, [])
        self.bench.release()
        self.assertEqual(idle, ["idle"])

    def test_shelf(self) -> None:
        """A name is one holder's at a time, in order; other names are free."""
        shelf, told = Shelf(), list[tuple[str, float]]()

        def tell(who: str) -> Then:
            return lambda _, now: told.append((who, now))

        for name, who in (("x", "a"), ("x", "b"), ("x", "c"), ("y", "y")):
            shelf.take(name, tell(who), 1.0)
        shelf.give_back("x", 2.0)
        shelf.give_back("y", 3.0)
        shelf.when_idle(lambda: told.append(("idle", 0.0)))
        shelf.give_back("x", 4.0)
        shelf.give_back("x", 5.0)
        self.assertEqual(told, [("a", 1.0), ("y", 1.0), ("b", 2.0), ("c", 4.0), ("idle", 0.0)])


class TroubleTests(SavingCase):
    """Storage fails, bytes are broken, values cannot be kept."""

    def errors(self) -> list[str]:
        """Take what was reported."""
        return [str(error) for error in self.bench.errors()]

    def break_(self, why: str = "disk full") -> None:
        """Let what is asked of storage fail."""
        self.bench.break_(error=StorageError(why))

    def test_not_kept(self) -> None:
        """It is told, and tried again at its time; the room goes on."""
        self.open()
        self.bench.hold = (Keep,)
        self.spawn(5)
        self.bench.ticks(101)
        self.break_()
        self.assertEqual(self.errors(), ["disk full"])
        self.bench.ticks(101)
        self.bench.release()
        self.assertEqual((self.stored(), self.errors()), ([5], []))

    def test_not_kept_at_the_end(self) -> None:
        """The last save is told too; the next room of that name finds what was kept before."""
        self.open()
        self.bench.hold = (Keep,)
        self.spawn(5)
        self.ann.leave()
        self.break_()
        self.assertEqual(self.errors(), ["disk full"])
        self.open()
        self.assertEqual(self.found(), [])

    def test_unknown(self) -> None:
        """After a save of which nobody knows whether it was kept, even the world of before is written again."""
        self.open()
        stone = self.spawn(5)
        self.bench.ticks(101)
        self.bench.hold = (Keep,)
        stone.x = 6
        self.bench.ticks(101)
        self.break_()
        stone.x = 5
        self.bench.ticks(101)
        self.assertEqual(len(self.bench.held), 1)

    def test_cannot_be_asked(self) -> None:
        """If nobody knows what is kept, the room does not open: it would take the place of what is there."""
        self.bench.hold = (Kept,)
        ann = self.bench.guest("ann")
        self.break_("locked")
        self.assertEqual([message.reason for message in ann.found(ErrorMessage)], ["failed"])
        self.assertEqual((self.errors(), len(self.bench.lobby)), (["locked"], 0))
        self.bench.hold = ()
        ann.join()
        self.assertEqual(len(ann.found(Joined)), 1)

    def test_does_not_open(self) -> None:
        """A room whose game does not open, or has no channel, leaves what is kept as it is."""
        self.open()
        self.spawn(5)
        self.ann.leave()

        class Broken(Shore):
            """Does not open."""

            def opened(self) -> Any:
                self.world.stone[0].despawn()
                raise ZeroDivisionError("oops")

        self.begin(Broken)
        self.bench.guest("ann")
        self.bench.hold = (OpenChannel,)
        self.bench.guest("ann")
        self.break_("no channel")
        self.assertEqual((self.stored(), len(self.bench.lobby)), ([5], 0))

    def test_broken(self) -> None:
        """Bytes that are no saved world are told and set aside; the room opens empty, and saves what it has then."""
        run(self.storage.keep(NAME, b"rubbish"))
        self.open()
        self.assertEqual(self.found(), [])
        (error,) = self.errors()
        self.assertIn(
            "what was kept for the room is no saved world, and is set aside as sea/main.broken: not well-formed", error
        )
        self.assertEqual(run(self.storage.kept(f"{NAME}.broken")), b"rubbish")
        self.ann.leave()
        self.assertIsNone(self.stored())
        self.open()
        self.assertEqual(self.errors(), [])

    def test_broken_and_full(self) -> None:
        """If they cannot be set aside, the room does not open."""
        run(self.storage.keep(NAME, b"rubbish"))
        self.bench.hold = (Keep,)
        ann = self.bench.guest("ann")
        self.break_()
        self.assertEqual([message.reason for message in ann.found(ErrorMessage)], ["failed"])
        self.assertEqual(run(self.storage.kept(NAME)), b"rubbish")
        self.assertEqual(len(self.bench.lobby), 0)

    def test_what_does_not_fit(self) -> None:
        """Of a table that has changed, what fits is there, and the log tells what is lost."""
        self.open()
        self.spawn(5, note="hello")
        self.ann.leave()
        other: Any = type("Stone", (Table,), {"x": UInt(bits=16), "size": UInt(bits=3, default=2)})
        self.begin(type("Later", (Shore,), {"tables": (Ship, other), "keep": (other,)}))
        room = self.open()
        self.assertEqual((self.found(), room.world.stone[0].size), ([5], 2))
        self.assertIn(("restored", None, {"room": NAME, "rows": 1, "lost": "field stone.note"}), self.bench.reports)

    def test_value_that_cannot_be_kept(self) -> None:
        """It is told once, with table, field and slot; the room lives on, and saves again when it is gone."""
        self.open()
        self.spawn(5)
        stone = self.spawn(6, note=object())
        self.bench.ticks(500)
        (error,) = self.errors()
        self.assertIn("stone.note in slot 1 holds <object object at ", error)
        self.assertIsNone(self.stored())
        stone.note = [1]
        self.bench.ticks(101)
        self.assertEqual((self.stored(), self.errors()), ([5, 6], []))
        stone.note = (1,)
        self.bench.ticks(300)
        self.assertEqual(len(self.errors()), 1)
        self.ann.leave()
        self.assertEqual((self.stored(), self.errors(), len(self.bench.lobby)), ([5, 6], [], 0))

    def test_too_large(self) -> None:
        """So is a world beyond the limit; what was kept before stays."""
        self.begin(save_bytes=500)
        self.open()
        self.spawn(5)
        self.bench.ticks(101)
        self.spawn(6, note="x" * 500)
        self.bench.ticks(300)
        (error,) = self.errors()
        self.assertRegex(error, "the tables and documents to keep take 5.. bytes; at most 500, see save_bytes")
        self.assertEqual(self.stored(), [5])

    def test_never_fits(self) -> None:
        """Not even one row does: the room opens and ends all the same."""
        self.begin(save_bytes=0)
        self.open()
        self.spawn(5)
        self.ann.leave()
        self.assertEqual((len(self.errors()), self.stored()), (1, None))
