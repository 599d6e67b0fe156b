"""Who may take a session up, who lets go of it when, the same user twice, and peers that have gone silent."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from meteor_net import Refused
from meteor_net.errors import CloseCode
from meteor_net.interfaces import IAuthenticator, Identity
from meteor_net.messages import ActionMessage, ErrorMessage, Goodbye, Joined, Ping, RefusedMessage, Say, Unsaid, Welcome
from meteor_net.session.session import Session
from meteor_net.testing import MemoryServer
from meteor_net.testing.transport import Transport
from tests.server.harbour import Buy, Harbour, HarbourCase, Steer
from tests.server.stranger import Stranger


@implementer(IAuthenticator)
class Names:
    """A token is a name, `bad` is none, and for `slow` one has to wait; guests are called as they wish.

    Attributes:
        slow: What waits.
    """

    slow: ClassVar[list[Deferred[Identity]]] = []

    def authenticate(self, token: str | None, name: str | None, address: str) -> Any:
        if token == "bad":
            raise Refused("this token is not good here")
        if token == "slow":
            self.slow.append(Deferred())
            return self.slow[-1]
        return Identity(token or f"guest-{name}", token or name or "guest")


class ResumeCase(HarbourCase):
    """A harbour whose users bring tokens."""

    authenticator = Names()

    def hello(self, **fields: Any) -> Stranger:
        """Let a stranger connect and say HELLO."""
        stranger = self.stranger()
        stranger.hello(**fields)
        self.advance(0.1)
        return stranger

    def welcome(self, stranger: Stranger) -> Welcome:
        """What a stranger was welcomed with."""
        (welcome,) = stranger.found(Welcome)
        assert isinstance(welcome, Welcome)
        return welcome

    def sailor(self, token: str | None = "ann", room: str = "", **fields: Any) -> Stranger:
        """Let a user into a room."""
        stranger = self.hello(token=token, **fields)
        stranger.join(room)
        self.advance(0.2)
        return stranger

    def told(self) -> list[str]:
        """Take what the neighbour's game was told."""
        told: list[str] = self.room.game.told
        taken = told[:]
        told.clear()
        return taken


class TokenTests(ResumeCase):
    """Resume tokens (wire page, clause 4.4)."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.sailor(None, name="ann")
        self.resume = self.welcome(self.first).resume
        self.session = self.welcome(self.first).session
        self.told()

    def test_welcome_is_lost_twice(self) -> None:
        """What was presented stays good until something came from the connection that got the new token."""
        for _ in range(3):
            again = self.hello(resume=self.resume)
            self.assertEqual(self.welcome(again).session, self.session)
        again.say(Ping(1, 0))
        self.advance(0.1)
        self.assertNotEqual(self.welcome(self.hello(resume=self.resume)).session, self.session)
        self.assertIsNone(again.goodbye)
        newest = self.hello(resume=self.welcome(again).resume)
        self.assertEqual((self.welcome(newest).session, again.goodbye), (self.session, CloseCode.REPLACED))

    def test_in_between(self) -> None:
        """A token that was given is good until another connection has said something."""
        unused = self.welcome(self.hello(resume=self.resume)).resume
        self.hello(resume=self.resume)
        again = self.hello(resume=unused)
        self.assertEqual(self.welcome(again).session, self.session)
        again.say(Ping(1, 0))
        self.advance(0.1)
        self.assertNotEqual(self.welcome(self.hello(resume=unused)).session, self.session)

    def test_late_hello(self) -> None:
        """The HELLO of a connection that was given up comes after that of the next one: the client comes back."""
        late, one = self.stranger(), self.stranger()
        one.hello(resume=self.resume)
        late.hello(resume=self.resume)
        self.advance(0.2)
        self.assertEqual((one.goodbye, late.goodbye), (CloseCode.SILENT, None))
        again = self.hello(resume=self.welcome(one).resume)
        again.join()
        self.advance(0.2)
        self.assertEqual((self.welcome(again).session, len(again.found(Joined))), (self.session, 1))
        self.assertEqual(late.goodbye, CloseCode.SILENT)

    def test_race(self) -> None:
        """Two with one token at the same moment: both are welcomed, the session is one connection's, the other comes back."""
        one, two = self.stranger(), self.stranger()
        for stranger in (one, two):
            stranger.hello(resume=self.resume)
        self.advance(0.2)
        self.assertEqual([self.welcome(each).session for each in (one, two)], [self.session] * 2)
        self.assertEqual((self.first.goodbye, one.goodbye, two.goodbye), (CloseCode.REPLACED, CloseCode.SILENT, None))
        two.join()
        one.join()
        self.advance(0.2)
        self.assertEqual((len(two.found(Joined)), len(one.found(Joined))), (1, 0))
        self.assertEqual(self.told(), ["ann away", "ann back"])
        self.check_neighbour()

    def test_race_in_one_packet(self) -> None:
        """Who says more at once has shown that it does not need the old token: the other one is somebody new."""
        one, two = self.stranger(), self.stranger()
        one.hello(resume=self.resume)
        one.say(Ping(1, 0))
        two.hello(resume=self.resume)
        self.advance(0.2)
        self.assertEqual(self.welcome(one).session, self.session)
        self.assertNotEqual(self.welcome(two).session, self.session)
        self.assertEqual((one.goodbye, two.goodbye), (None, None))

    def test_wrong_then_right(self) -> None:
        """A wrong token changes nothing: the right one is as good afterwards."""
        self.assertNotEqual(self.welcome(self.hello(resume="0" * 64)).session, self.session)
        self.assertEqual((self.told(), self.first.goodbye), ([], None))
        self.assertEqual(self.welcome(self.hello(resume=self.resume)).session, self.session)

    def test_no_timers(self) -> None:
        """Connections that have not said HELLO cost no timers: the heartbeat looks after them; who is late is told."""
        before = len(self.network.clock.getDelayedCalls())
        silent = [self.stranger() for _ in range(10)]
        self.assertLess(len(self.network.clock.getDelayedCalls()), before + 3)
        self.advance(4.3)
        self.assertEqual((silent[0].goodbye, silent[-1].goodbye), (CloseCode.HELLO_TIMEOUT, None))
        self.advance(0.8)
        self.assertEqual([each.goodbye for each in silent], [CloseCode.HELLO_TIMEOUT] * 10)


class UserTests(ResumeCase):
    """A session is its user's: where HELLO brings a token that says who it is, that comes first."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.sailor("ann")
        self.resume = self.welcome(self.ann).resume
        self.session = self.welcome(self.ann).session
        self.told()

    def test_own(self) -> None:
        """Its own user takes it up."""
        again = self.hello(token="ann", resume=self.resume)
        self.assertEqual((self.welcome(again).session, self.ann.goodbye), (self.session, CloseCode.REPLACED))

    def test_another(self) -> None:
        """Another user gets a session of its own; the first one's is as it was, and so is its token."""
        thief = self.hello(token="eve", resume=self.resume)
        self.assertNotEqual(self.welcome(thief).session, self.session)
        self.assertEqual(self.welcome(thief).user, "eve")
        self.assertEqual((self.told(), self.ann.goodbye), ([], None))
        self.assertEqual(self.welcome(self.hello(token="ann", resume=self.resume)).session, self.session)

    def test_refused(self) -> None:
        """A token that is not good is refused, whatever resume token comes with it."""
        self.assertEqual(self.hello(token="bad", resume=self.resume).goodbye, CloseCode.NOT_ALLOWED)
        self.assertEqual((self.told(), self.ann.goodbye), ([], None))

    def test_nothing_before_the_check(self) -> None:
        """While it is being found out who brings the token, the session is as it was; who goes meanwhile changes nothing."""
        for stays in (False, True):
            knocking = self.hello(token="slow", resume=self.resume)
            self.assertEqual((knocking.heard, self.told(), self.ann.goodbye), ([], [], None))
            if not stays:
                knocking.transport.abortConnection()
                self.advance(0.1)
            Names.slow.pop().callback(Identity("ann", "ann"))
            self.advance(0.1)
        self.assertEqual(self.welcome(knocking).session, self.session)
        self.assertEqual((self.told(), self.ann.goodbye), (["ann away"], CloseCode.REPLACED))


class GuestTests(HarbourCase):
    """A server of guests does not look at tokens."""

    def test_resume(self) -> None:
        """A guest whose client brings one all the same comes back to its session."""
        first = self.inside()
        again = self.stranger()
        again.hello(token="whatever", resume=first.found(Welcome)[0].resume)
        self.advance(0.1)
        self.assertEqual(again.found(Welcome)[0].session, first.found(Welcome)[0].session)


class ReplayTests(HarbourCase):
    """Recorded bytes of a player's connections, sent again by somebody else."""

    def test_replay(self) -> None:
        """They do nothing to the player, and nothing in the player's name: a token is good once, and guests are new ones."""
        recorded: dict[Transport, list[bytes]] = {}
        write = Transport.write

        def recording(transport: Transport, data: bytes) -> None:
            if transport.getHost().host == ann.network.address:
                recorded.setdefault(transport, []).append(data)
            write(transport, data)

        self.patch(Transport, "write", recording)
        ann = self.newcomer("ann")
        self.wait(ann.game.connect())
        ann.act(Buy(what="bottle"))
        ann.say("mine")
        ann.act(Steer(thrust=True))
        self.advance(0.2)
        ann.network.cut()
        self.wait_until(lambda: ann.status == "online" and self.room.game.told[-1] == "ann back")
        ann.act(Buy(what="calm"))
        user, session = ann.user, self.server.host.registry.of(ann.user)
        self.room.game.told.clear()
        recordings = [b"".join(each) for each in recorded.values()]
        self.assertEqual(len(recordings), 2)
        for online in (True, False):
            if not online:
                ann.leave()
                self.room.game.told.clear()
            for recording_ in recordings:
                self.replay(recording_)
            told = [text.removeprefix("ann ") for text in self.room.game.told]
            self.assertEqual(told, ["joined", "away", "left"] * 2)  # guests of the same name, and nobody is back
            names = [player.user for player in self.room.players]
            self.assertEqual([name for name in names if name == user], [user] if online else [])
            lines = [line.sender for line in self.neighbour.chat.message_history if line.text == "mine"]
            self.assertEqual(lines.count(user), 1)
            if online:
                self.assertEqual((ann.status, self.server.host.registry.of(user)), ("online", session))
                self.assertEqual((session[0].counters["resumed"], session[0].counters["actions"]), (1, 3))
                self.assertEqual((ann.me.x, ann.statuses[-1]), (101, "online"))
        self.check_neighbour()

    def replay(self, recording: bytes) -> None:
        """Send bytes as they were, and go."""
        factory = Factory.forProtocol(Protocol)
        factory.noisy = False
        assert IProtocolFactory.providedBy(factory)
        connection: Any = self.wait(self.network.wire("eve").endpoint().connect(factory))
        head, end, frames = recording.partition(b"\r\n\r\n")
        for data in (head + end, frames):
            connection.transport.write(data)
            self.advance(0.5)
        connection.transport.abortConnection()
        self.advance(35.0)


class Calm(Harbour):
    """Waits for nobody long."""

    away_s = 2.0
    max_players = 9


class Patient(Harbour):
    """Waits longer than the server would."""

    away_s = 40.0
    max_players = 9


class GamesCase(ResumeCase):
    """A server with several games; the neighbour is in the first."""

    games: ClassVar[dict[str, Any]] = {"harbour": Harbour, "calm": Calm, "patient": Patient}

    @cached_property
    def server(self) -> MemoryServer:
        server = MemoryServer(self.network, self.games, authenticator=self.authenticator, limits=self.limits)
        server.start()
        self.addCleanup(self._stop)
        return server

    @property
    def room(self) -> Any:
        """The neighbour's."""
        return self.there("harbour")

    def there(self, game: str) -> Any:
        """The main room of a game."""
        return next(room for room in self.server.host.lobby if room.name == f"{game}/main")

    def names(self, game: str) -> list[str]:
        """Who is in the main room of a game."""
        return [player.name for room in self.server.host.lobby if room.name == f"{game}/main" for player in room.players]

    def lose(self, stranger: Stranger) -> None:
        """Lose a stranger's connection."""
        stranger.transport.abortConnection()
        self.advance(0.1)

    def session(self, stranger: Stranger) -> Session:
        """A stranger's session."""
        id = self.welcome(stranger).session
        return next(session for session in self.server.host.registry if session.id == id)


class AwayTests(GamesCase):
    """How long a room waits for a player is its game's choice."""

    def test_short(self) -> None:
        """A game that waits 2 s: then the session is over, as no room holds it."""
        ann = self.sailor(room="calm")
        self.sailor("bob", "calm")
        self.lose(ann)
        self.advance(1.8)
        self.assertEqual(self.names("calm"), ["ann", "bob"])
        self.advance(1.3)
        self.assertEqual(self.names("calm"), ["bob"])
        self.assertEqual(self.there("calm").game.told[-2:], ["ann away", "ann left"])
        self.assertEqual(self.server.host.registry.of("ann"), [])

    def test_long(self) -> None:
        """One that waits 40 s, where the server would wait 30."""
        ann = self.sailor(room="patient")
        self.lose(ann)
        self.advance(39.0)
        self.assertEqual(self.names("patient"), ["ann"])
        self.advance(2.5)
        self.assertEqual((self.names("patient"), self.server.host.registry.of("ann")), ([], []))

    def test_in_two_rooms(self) -> None:
        """Each room lets go in its time; while one holds the session it can be taken up, as another player in the other."""
        self.sailor("bob", "calm")
        ann = self.sailor(room="calm")
        ann.join("patient")
        self.advance(0.2)
        key = ann.found(Joined)[0].key
        self.lose(ann)
        self.advance(35.0)
        self.assertEqual((self.names("calm"), self.names("patient")), (["bob"], ["ann"]))
        again = self.hello(token="ann", resume=self.welcome(ann).resume)
        self.assertEqual(self.welcome(again).session, self.welcome(ann).session)
        for room in ("calm", "patient"):
            again.join(room)
        self.advance(0.2)
        self.assertEqual(self.there("patient").game.told, ["ann joined", "ann away", "ann back"])
        calm, patient = again.found(Joined)
        self.assertNotEqual(calm.key, key)
        self.assertEqual(patient.key, ann.found(Joined)[1].key)

    def test_comes_into_another_room(self) -> None:
        """A session that is taken up, and does not ask for a room that it was in, leaves that room as one that stays away."""
        ann = self.sailor(room="calm")
        self.sailor("bob", "calm")
        self.lose(ann)
        again = self.hello(token="ann", resume=self.welcome(ann).resume)
        again.join("patient")
        self.advance(1.5)
        self.assertEqual((self.names("calm"), self.names("patient")), (["ann", "bob"], ["ann"]))
        self.advance(1.5)
        self.assertEqual((self.names("calm"), self.names("patient")), (["bob"], ["ann"]))
        self.assertEqual(len(self.server.host.registry.of("ann")), 1)

    def test_goodbye(self) -> None:
        """A peer whose GOODBYE says that it comes back is waited for; one that leaves, or whose page is left, is not."""
        for code, stays in ((CloseCode.SILENT, True), (CloseCode.NORMAL, False), (CloseCode.GOING_AWAY, False)):
            ann = self.sailor(room="patient")
            ann.say(Goodbye(code, ""))
            self.advance(0.5)
            self.assertEqual((self.names("patient"), ann.closed_with), (["ann"] if stays else [], CloseCode.NORMAL))
            again = self.hello(token="ann", resume=self.welcome(ann).resume)
            self.assertEqual(self.welcome(again).session == self.welcome(ann).session, stays)
            again.say(Goodbye(CloseCode.NORMAL, ""))
            self.advance(0.1)

    def test_removed_while_away(self) -> None:
        """A session whose last room has let go of it by its game's will is over soon."""
        ann = self.sailor(room="patient")
        self.sailor("bob", "patient")
        self.lose(ann)
        self.there("patient").players[0].remove("enough")
        self.advance(1.1)
        self.assertEqual(self.server.host.registry.of("ann"), [])


class Single(Harbour):
    """One session of a user at a time; the newest."""

    same_user = "replace"
    max_players = 9


class Strict(Harbour):
    """One session of a user at a time; the first."""

    same_user = "refuse"
    max_players = 9


class SameUserTests(GamesCase):
    """The same user twice, as the game has it."""

    games: ClassVar[dict[str, Any]] = {"harbour": Harbour, "single": Single, "strict": Strict}

    def test_allow(self) -> None:
        """By default both are in."""
        self.sailor()
        second = self.sailor()
        self.assertEqual(self.names("harbour"), ["neighbour", "ann", "ann"])
        self.assertEqual(len(second.found(Joined)), 1)

    def test_replace(self) -> None:
        """The other session ends with 4507, in all its rooms, before the newcomer is in: also if it is another room."""
        self.sailor("bob", "single")
        first = self.sailor(room="single/other")
        first.join("harbour")
        self.advance(0.1)
        second = self.sailor(room="single")
        self.assertEqual((first.goodbye, first.closed_with, first.lost), (CloseCode.ELSEWHERE, CloseCode.ELSEWHERE, True))
        self.assertEqual(first.found(Goodbye)[0].text, "you came in elsewhere")
        self.assertEqual((self.names("single"), self.names("harbour")), (["bob", "ann"], ["neighbour"]))
        third = self.sailor(room="single")
        self.assertEqual((second.goodbye, len(third.found(Joined))), (CloseCode.ELSEWHERE, 1))
        self.assertEqual(self.there("single").game.told[-3:], ["ann joined", "ann left", "ann joined"])
        self.check_neighbour()

    def test_same_session(self) -> None:
        """A session that comes back, or goes into a second room, is not the same user twice; nor is one in another game."""
        elsewhere = self.sailor()
        first = self.sailor(room="single")
        first.join("single/other")
        self.advance(0.1)
        self.lose(first)
        again = self.hello(token="ann", resume=self.welcome(first).resume)
        again.join("single")
        self.advance(0.1)
        self.assertEqual((len(again.found(Joined)), elsewhere.goodbye), (1, None))
        self.assertEqual(self.there("single").game.told, ["ann joined", "ann away", "ann back"])

    def test_replaced_while_away(self) -> None:
        """One that waits for its connection is ended too; when that comes back with its token, it hears why, and stays away."""
        first = self.sailor(room="single")
        self.lose(first)
        second = self.sailor(room="single")
        self.assertEqual(self.names("single"), ["ann"])
        again = self.hello(token="ann", resume=self.welcome(first).resume)
        self.assertEqual((again.goodbye, second.goodbye), (CloseCode.ELSEWHERE, None))
        self.advance(32.0)
        self.assertEqual(self.server.host.registry.of("ann"), [self.session(second)])

    def test_the_room_opens(self) -> None:
        """It counts who waits for the room to open."""
        later: Deferred[None] = Deferred()
        self.patch(Single, "opened", lambda game: later.addCallback(lambda _: Harbour.opened(game)))
        first, second = self.sailor(room="single"), self.sailor(room="single")
        self.assertEqual((first.goodbye, first.found(Joined)), (CloseCode.ELSEWHERE, []))
        later.callback(None)
        self.advance(0.2)
        self.assertEqual((self.names("single"), len(second.found(Joined))), (["ann"], 1))

    def test_refuse(self) -> None:
        """The newcomer is told `already-here`, its connection goes on, and no room is made for it; later it may come in."""
        first, second = self.sailor(room="strict"), self.sailor(room="strict/other")
        (error,) = second.found(ErrorMessage)
        self.assertEqual((error.reason, error.text), ("already-here", "you are here already, on another connection"))
        self.assertEqual((len(self.server.host.lobby), second.goodbye, first.goodbye), (2, None, None))
        self.lose(first)
        second.join("strict")
        self.advance(0.2)
        self.assertEqual((len(second.found(Joined)), self.names("strict")), (1, ["ann"]))
        self.assertEqual(self.hello(token="ann", resume=self.welcome(first).resume).goodbye, CloseCode.ELSEWHERE)

    def test_client(self) -> None:
        """A client that was replaced shows why, and does not come back by itself."""
        ann = self.player("ann", "single", token="ann")
        self.player("ann", "single", token="ann")
        self.advance(30.0)
        self.assertEqual(ann.status, "offline: you came in elsewhere")


class SilenceTests(HarbourCase):
    """Half-open connections: a cable is pulled, and nobody is told (wire page, clause 5.2)."""

    def gone_after(self, *, stranger: Stranger) -> float:
        """How long until the server has let go of a stranger, in seconds."""
        start_s = self.network.clock.seconds()
        self.room.game.told.clear()
        self.wait_until(lambda: "stranger away" in self.room.game.told, 60.0)
        return self.network.clock.seconds() - start_s

    def test_server_that_sends_on(self) -> None:
        """What the server sends is no life: a peer that says nothing is gone within 45 s, whatever goes out to it."""
        for phase in (0.0, 0.33, 0.71):
            self.advance(phase)
            stranger = self.inside()
            stranger.answers = False
            before = len(stranger.heard)
            silent_s = self.gone_after(stranger=stranger) + 0.2  # of `inside`
            self.assertTrue(43.9 < silent_s <= 45.0, silent_s)
            self.assertGreater(len(stranger.heard), before + 40)  # frames, while it seems to read; then a ping in 2 s
            self.advance(31.0)
        self.check_neighbour()

    def test_pulled(self) -> None:
        """Neither end hears the other: the server is done within 45 s, the client too, and both are together again later."""
        ann = self.player("ann")
        ann.network.stall()
        start_s = self.network.clock.seconds()
        self.room.game.told.clear()
        self.wait_until(lambda: bool(self.room.game.told) and not ann.status.startswith(("online", "stale")), 60.0)
        self.assertLessEqual(self.network.clock.seconds() - start_s, 45.5)
        self.assertEqual(self.room.game.told, ["ann away"])
        ann.network.flow()
        self.wait_until(lambda: ann.status == "online", 30.0)
        self.assertEqual(self.room.game.told, ["ann away", "ann back"])
        self.check_neighbour()

    def test_one_way(self) -> None:
        """A client that is still heard, and hears nothing, gives up within 45 s, though the server sees it live."""
        ann = self.player("ann")
        start_s = self.network.clock.seconds()
        ann.network.stall(way="in")
        self.wait_until(lambda: not ann.status.startswith(("online", "stale")), 60.0)
        self.assertTrue(44.0 < self.network.clock.seconds() - start_s <= 45.5)
        ann.network.flow()
        self.wait_until(lambda: ann.status == "online", 30.0)
        self.check_neighbour()


class DroppedTests(HarbourCase):
    """Messages above the rate are dropped; of those that are answered once, each is answered all the same."""

    def test_answered(self) -> None:
        """An action is refused for good, a line may be said again; whom neither concerns is only told to slow down."""
        stranger = self.inside()
        channel = self.room.channel.number
        for _ in range(2):
            stranger.say(*[Ping(number, 0) for number in range(250)])
        stranger.say(Say(channel, "c1", 0, "hello"))
        self.act(stranger, 1)
        self.act(stranger, 1, room=99)
        self.advance(0.2)
        self.assertEqual([(each.cid, each.reason) for each in stranger.found(Unsaid)], [("c1", "slow-down")])
        self.assertEqual([(each.seq, each.reason) for each in stranger.found(RefusedMessage)], [(1, "slow-down")])
        self.advance(2.0)
        stranger.say(Say(channel, "c1", 0, "hello"))
        self.act(stranger, 1)
        self.act(stranger, 2)
        self.advance(0.2)
        self.assertEqual([each.seq for each in stranger.found(RefusedMessage)], [1, 1])
        self.assertEqual((self.neighbour.lines, len(self.neighbour.events)), (["hello"], 1))
        self.check_neighbour()

    def act(self, stranger: Stranger, seq: int, room: int | None = None) -> None:
        """Buy a bottle."""
        number = self.room.number if room is None else room
        stranger.say(ActionMessage(number, seq, 0, self.room.schema.action_number(Buy), Buy(what="bottle").to_wire()))


class LeftTests(HarbourCase):
    """LEFT is lost with the connection."""

    def test_removed_while_away(self) -> None:
        """Who was taken out while away, and comes back by itself, is another player: what was open is unknown, not repeated."""
        ann = self.player("ann")
        ann.network.stall(way="in")
        answer = ann.game.act(Buy(what="bottle"))
        assert answer is not None
        self.advance(0.1)
        self.room.players[1].remove("enough")
        ann.network.cut()
        ann.network.flow()
        self.assertEqual(self.assertRaises(Refused, self.wait, answer).reason, "unknown")
        self.assertEqual(len(self.neighbour.events), 1)
        self.assertEqual(ann.act(Buy(what="calm")), "a calm")
