"""Coming in: the handler is asked, and everything is told once."""

from __future__ import annotations

from typing import Any

from meteor_net.errors import PacketError, Refused
from meteor_net.interfaces import IPlayer
from meteor_net.messages import Joined, Leave, Left
from meteor_net.requests import OpenChannel
from meteor_net.room import members
from meteor_net.state import Schema

from ..plain import Bench, Buy, Later, Sea, kinds
from .members import MembersCase


class JoinTests(MembersCase):
    """Coming in."""

    def test_joined(self) -> None:
        """JOINED tells where everything stands; histories follow, of the room's channel and of the player's own."""
        self.bench.ticks(1)
        self.game.answers["joined"] = lambda player: setattr(player, "row", self.room.world.ship.spawn(x=1))
        ann = self.bench.guest("ann")
        joined, *histories = ann.read()
        assert isinstance(joined, Joined)
        self.assertEqual((joined.room, joined.name, joined.epoch), (0, "sea/main", self.room.world.epoch))
        self.assertEqual((joined.rows, joined.last_seq, joined.event), ([(0, 0)], 0, 0))
        self.assertEqual([name for _, name, _, _ in joined.channels], ["sea/main", "@ann"])
        self.assertEqual(Schema.parse(joined.schema).hash, joined.schema_hash)
        self.assertEqual(kinds(histories), ["History", "History"])
        self.assertEqual([each.name for each in self.room.players], ["bob", "ann"])
        self.bench.ticks(1)
        self.assertEqual(kinds(ann.read()), ["Frame"])

    def test_schema_is_known(self) -> None:
        """A client that has the schema is not sent it again; one with another is."""
        for known, sent in ((self.room.schema.hash, False), (b"12345678", True)):
            ann = self.bench.guest("ann", schema_hash=known)
            (joined,) = ann.found(Joined)
            self.assertEqual(joined.schema is not None, sent)

    def test_refused(self) -> None:
        """A handler that refuses keeps the player out, who hears why; it is not told `left`."""
        self.game.answers["joined"] = Refused("members only")
        ann = self.bench.guest("ann")
        self.assertEqual(self.refusals(ann), [("refused", "members only")])
        self.assertEqual((ann.session.seats, len(self.room.players)), ({}, 1))
        ann.leave()
        self.assertEqual(self.told(), ["ann joined"])
        self.assertEqual((self.room.counters["turned_away"], self.bench.errors()), (1, []))

    def test_raises(self) -> None:
        """So does one that raises; it is logged."""
        self.game.answers["joined"] = ZeroDivisionError("oops")
        ann = self.bench.guest("ann")
        self.assertEqual(self.refusals(ann), [("failed", "this failed on the server")])
        self.assertEqual([str(error) for error in self.bench.errors()], ["oops"])

    def test_refused_in_an_empty_room(self) -> None:
        """A room whose only visitor is refused closes."""

        class Shut(Sea):
            """Lets nobody in."""

            def joined(self, player: IPlayer) -> Any:
                raise Refused("no")

        bench = Bench(Shut)
        ann = bench.guest("ann")
        self.assertEqual((self.refusals(ann), len(bench.lobby)), ([("refused", "no")], 0))

    def test_full(self) -> None:
        """As many play as the game says; one more hears that it is full; who watches, or is let in later, does not."""
        self.bench.guest("ann")
        self.bench.guest("cid")
        dan = self.bench.guest("dan")
        self.assertEqual(self.refusals(dan), [("room-full", "room sea/main is full: 3 are playing")])
        self.assertEqual(len(self.bench.guest("eve", role=1).found(Joined)), 1)
        self.bob.lose()
        dan.join()
        self.assertEqual([reason for reason, _ in self.refusals(dan)], ["room-full"])
        self.bob.leave()
        dan.join()
        self.assertEqual(len(dan.found(Joined)), 1)

    def test_keys(self) -> None:
        """A player's key is its own, and nobody else's who is or was here; only when all were given out they begin again."""
        self.patch(members, "KEYS", 3)
        self.assertEqual([self.bob.player.key, self.bench.guest("ann", role=1).player.key], [0, 1])
        self.bob.leave()
        cid = self.bench.guest("cid", role=1)
        self.assertEqual([cid.player.key, self.bench.guest("dan", role=1).player.key], [2, 0])
        eve = self.bench.guest("eve", role=1)
        self.assertEqual(self.refusals(eve), [("room-full", "room sea/main is full: 3 are in it")])
        cid.leave()
        eve.join(role=1)
        self.assertEqual(eve.player.key, 2)

    def test_bad_places(self) -> None:
        """Places that are none end the connection, and nothing is left behind."""
        ann = self.bench.guest("ann", room=None)
        self.assertRaises(PacketError, ann.join, "", epoch="x")
        self.assertRaises(PacketError, ann.join, "new", epoch="x")
        ann.leave()
        self.assertEqual(len(self.bench.lobby), 1)

    def test_inbox_fails(self) -> None:
        """If the player's own channel cannot be opened, the player is told, and the operator."""
        self.bench.hold = (OpenChannel,)
        ann = self.bench.guest("ann")
        self.bench.break_()
        self.assertEqual(self.refusals(ann), [("failed", "this failed on the server")])
        self.assertEqual(self.bench.reports[-1][2], {"room": "sea/main", "player": "ann", "verb": "inbox"})
        self.assertEqual(self.told(), [])

    def test_inbox_fails_for_who_came_back(self) -> None:
        """Each JOIN gets one answer, on the connection that it came on: what an older one asked is of no interest."""
        self.bench.hold = (OpenChannel,)
        ann, cid = self.bench.guest("ann"), self.bench.guest("cid")
        for guest in (ann, cid):
            guest.lose()
            guest.connect()
        cid.join()
        cid.join()
        self.bench.break_()
        self.bench.break_()
        self.assertEqual((self.refusals(ann), self.refusals(cid)), ([], [("failed", "this failed on the server")] * 2))

    def test_gone_while_the_inbox_opens(self) -> None:
        """Who has left before the handler was asked was never there for it."""
        self.bench.hold = (OpenChannel,)
        for fails in (False, True):
            ann = self.bench.guest("ann")
            ann.leave()
            self.bench.break_() if fails else self.bench.release()
        self.assertEqual((self.told(), len(self.room.members.players)), ([], 1))

    def test_join_again(self) -> None:
        """A second JOIN on the same connection tells all anew, and the handler nothing."""
        self.bob.read()
        self.bob.join()
        self.assertEqual(kinds(self.bob.read()), ["Joined", "History", "History"])
        self.assertEqual(self.told(), [])


class AwaitedJoinTests(MembersCase):
    """The handler thinks about who comes."""

    def setUp(self) -> None:
        super().setUp()
        self.game.answers["joined"] = Later()
        self.ann = self.bench.guest("ann")
        self.game.told.clear()

    def test_let_in(self) -> None:
        """The player is in when the handler has answered: it hears nothing before, and is no player of the room yet."""
        self.room.world.ship.spawn()
        self.room.notice("x")
        self.bench.ticks(2)
        self.assertEqual((self.ann.read(), len(self.room.players)), ([], 1))
        self.bench.release()
        self.assertEqual(kinds(self.ann.read()), ["Joined", "History", "History"])
        self.bench.ticks(1)
        self.assertEqual(kinds(self.ann.read()), ["Frame"])

    def test_says_something_already(self) -> None:
        """What the player says meanwhile happens after it is in; if it is refused, never."""
        self.ann.act(Buy(count=1))
        self.ann.say("hello")
        self.assertEqual(self.told(), [])
        self.bench.release()
        self.assertEqual(self.told(), ["ann buys 1"])
        self.assertIn("Said", kinds(self.ann.read()))
        cid = self.bench.guest("cid")
        cid.act(Buy(count=2))
        self.bench.break_(error=Refused("no"))
        self.assertEqual(self.told(), ["cid joined"])

    def test_leaves_meanwhile(self) -> None:
        """Who leaves meanwhile was there: `left` follows when the handler has answered, once, and nothing is said to it."""
        self.ann.tell(Leave(self.room.number))
        self.assertEqual(kinds(self.ann.read()), ["Left"])
        self.bench.release()
        self.assertEqual((self.told(), self.ann.read()), (["ann left"], []))

    def test_leaves_meanwhile_and_is_refused(self) -> None:
        """Who leaves meanwhile and would have been refused hears nothing of it, nor does the handler."""
        self.ann.tell(Leave(self.room.number))
        self.ann.read()
        self.bench.break_(error=Refused("no"))
        self.assertEqual((self.told(), self.ann.read()), ([], []))

    def test_removed_at_once(self) -> None:
        """A handler may take out in `joined` whom it is just let in."""
        self.game.answers["joined"] = lambda player: player.remove("not you")
        cid = self.bench.guest("cid")
        self.assertEqual(self.told(), ["cid joined", "cid left"])
        self.assertEqual(cid.read(), [Left(self.room.number, "removed", "not you")])

    def test_last_one_leaves_meanwhile(self) -> None:
        """The room does not close before the handler has been told `left`."""
        for error in (None, Refused("no")):
            self.begin()
            self.game.answers["joined"] = Later()
            ann = self.bench.guest("ann")
            self.bob.leave()
            ann.leave()
            self.assertEqual(self.told(), ["ann joined", "bob left"])
            self.bench.release() if error is None else self.bench.break_(error=error)
            self.assertEqual(self.told(), ["ann left", "closed"] if error is None else ["closed"])
            self.assertEqual(len(self.bench.lobby), 0)

    def test_lost_meanwhile(self) -> None:
        """Who is lost meanwhile is away once it is in; nothing is sent until it comes back."""
        self.ann.lose()
        self.bench.release()
        self.assertEqual(self.told(), ["ann away"])
        self.assertNotIn(self.ann.session, self.room.channel)
        self.ann.connect()
        self.bench.ticks(1)
        self.assertEqual(self.ann.read(), [])
        self.ann.join()
        self.assertEqual((self.told(), kinds(self.ann.read())), (["ann back"], ["Joined", "History", "History"]))

    def test_lost_and_back_meanwhile(self) -> None:
        """Who is lost and comes back meanwhile is told JOINED once, on the new connection; the handler all in order."""
        self.ann.lose()
        self.ann.connect()
        self.ann.join()
        self.bench.release()
        self.assertEqual(self.told(), ["ann away", "ann back"])
        self.assertEqual(kinds(self.ann.read()), ["Joined", "History", "History"])
