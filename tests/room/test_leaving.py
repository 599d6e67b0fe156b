"""Away, back and gone: the handler is told each exactly once, in order."""

from __future__ import annotations

from meteor_net.messages import Joined, Leave, Left, Line

from ..plain import Boom, Buy, Later, kinds
from .members import MembersCase


class AwayTests(MembersCase):
    """A connection is lost."""

    def test_once_each(self) -> None:
        """`away`, `back` and `left` are told exactly once each."""
        self.bob.lose()
        self.bob.lose()
        self.assertFalse(self.bob.player.online)
        self.assertEqual(self.told(), ["bob away"])
        self.bob.connect()
        self.bob.join()
        self.bob.join()
        self.assertEqual((self.told(), self.bob.player.online), (["bob back"], True))
        self.bob.leave()
        self.room.leave(self.bob.session, self.bench.now)
        self.assertEqual(self.told(), ["bob left", "closed"])

    def test_left_while_away(self) -> None:
        """Who does not come back has left; its rows go with the default."""
        ann = self.bench.guest("ann")
        ann.player.row = self.room.world.ship.spawn()
        self.told()
        ann.lose()
        ann.leave()
        self.assertEqual((self.told(), len(self.room.world.ship)), (["ann away", "ann left"], 0))

    def test_put_out_when_back(self) -> None:
        """Who comes back, and is put out by the handler for it, is told that and hears nothing more."""
        ann = self.bench.guest("ann")
        self.game.answers["back"] = lambda player: player.remove("too late")
        ann.lose()
        ann.connect()
        ann.join()
        self.assertEqual(ann.read(), [Left(self.room.number, "removed", "too late")])
        self.assertNotIn(ann.session, self.room.channel)
        self.assertNotIn(ann.session, self.bench.lobby.inbox("ann"))

    def test_hears_nothing_before_joined(self) -> None:
        """A new connection hears nothing of the room before it has said JOIN and got JOINED."""
        self.bench.ticks(1)
        self.bob.lose()
        self.bob.connect()
        ann = self.bench.guest("ann")
        self.room.world.ship.spawn()
        self.room.emit(Boom(size=1))
        ann.say("hello")
        self.bench.pass_time(0.9)
        self.assertEqual(self.bob.read(), [])
        self.bob.join()
        self.assertEqual(kinds(self.bob.read()), ["Joined", "History", "History"])

    def test_async_away(self) -> None:
        """While `away` is awaited, `back` and JOINED wait for it, and no frame comes before."""
        self.game.answers["away"] = Later()
        self.bob.lose()
        self.bob.connect()
        self.bob.join()
        self.room.world.ship.spawn()
        self.bench.ticks(2)
        self.assertEqual((self.told(), self.bob.read()), (["bob away"], []))
        self.bench.release()
        self.assertEqual((self.told(), kinds(self.bob.read())), (["bob back"], ["Joined", "History", "History"]))

    def test_two_losses_while_away_is_awaited(self) -> None:
        """However often it comes and goes meanwhile, all is told in order, and JOINED once on the last connection."""
        self.game.answers["away"] = lambda player: Later() if self.game.told.count("bob away") == 1 else None
        for _ in range(2):
            self.bob.lose()
            self.bob.connect()
            self.bob.join()
        self.bench.release()
        self.assertEqual(self.told(), ["bob away", "bob back", "bob away", "bob back"])
        self.assertEqual(kinds(self.bob.read()), ["Joined", "History", "History"])

    def test_back_fails(self) -> None:
        """A handler that raises in `away` or `back` keeps nobody out."""
        self.game.answers.update(away=ZeroDivisionError(), back=ZeroDivisionError())
        self.bob.lose()
        self.bob.connect()
        self.bob.join()
        self.assertEqual(len(self.bob.found(Joined)), 1)
        self.assertEqual(len(self.bench.errors()), 2)

    def test_last_seq(self) -> None:
        """Who comes back is told which of its actions were taken."""
        self.bob.act(Buy(count=1))
        self.bob.act(Buy(count=1))
        self.bob.lose()
        self.bob.connect()
        self.bob.join()
        self.assertEqual([joined.last_seq for joined in self.bob.found(Joined)], [2])


class LeaveTests(MembersCase):
    """Going."""

    def test_leave(self) -> None:
        """LEAVE is answered by LEFT, and nothing comes after it."""
        self.bench.guest("ann")
        self.bob.read()
        self.bob.tell(Leave(self.room.number))
        self.assertEqual(self.bob.read(), [Left(self.room.number, "left", "")])
        self.room.world.ship.spawn()
        self.room.notice("x")
        self.room.emit(Boom(size=1))
        self.bench.ticks(2)
        self.assertEqual(self.bob.read(), [])
        self.assertEqual(self.told(), ["ann joined", "bob left"])

    def test_reports(self) -> None:
        """One report for each join and each leave, with room and player."""
        self.bench.reports.clear()
        self.bench.guest("ann").leave()
        self.assertEqual([event for event, _, _ in self.bench.reports], ["joined", "left"])
        self.assertEqual(self.bench.reports[0][2], {"room": "sea/main", "player": "ann", "user": "ann"})
        self.assertEqual((self.room.counters["joined"], self.room.counters["left"]), (2, 1))

    def test_two_rooms(self) -> None:
        """Who leaves one room goes on in another, and hears its own inbox there."""
        self.bob.join("other")
        self.bob.read()
        self.bench.guest("ann")
        self.room.receive(self.bob.session, Leave(self.room.number), self.bench.now)
        self.bob.player.say("psst")
        self.bench.turn()
        self.assertEqual([line.text for line in self.bob.found(Line)], ["psst"])

    def test_handler_raises(self) -> None:
        """A handler that raises in `left` or `closed` keeps nothing alive."""
        self.game.answers.update(left=ZeroDivisionError(), closed=ZeroDivisionError())
        self.bob.leave()
        self.assertEqual((len(self.bench.lobby), len(self.bench.errors())), (0, 2))
