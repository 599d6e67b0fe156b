"""Private messages (wire page, clause 10.8)."""

from __future__ import annotations

from meteor_net.errors import Refused, StorageError
from meteor_net.messages import History, Line, LineKind, Said, Unsaid
from meteor_net.requests import Find, OpenChannel, Seen, Store

from ..plain import Guest, run
from .talkers import TalkCase


class PrivateTests(TalkCase):
    """From one user to one other."""

    def inbox(self, guest: Guest) -> int:
        """The number of a user's channel."""
        return self.bench.lobby.inbox(guest.session.user).number

    def letters(self, guest: Guest) -> list[tuple[str, str, str]]:
        """What somebody heard in the inbox: from whom, to whom, the text."""
        return [(line.sender, line.to, line.text) for line in guest.found(Line) if line.channel == self.inbox(guest)]

    def kept(self, user: str) -> list[str]:
        """The texts in a user's inbox."""
        return [line.text for line in run(self.bench.storage.page(f"@{user}", None, 50))]

    def test_both_have_it(self) -> None:
        """The other one hears it, and the sender has a copy, whose offset is told; nobody else hears of it."""
        cid = self.bench.guest("cid")
        cid.read()
        self.ann.whisper("bob", "psst", cid="c")
        said, copy = self.ann.read()
        assert isinstance(copy, Line)
        self.assertEqual(said, Said(self.inbox(self.ann), "c", 0))
        self.assertEqual((copy.kind, copy.sender, copy.to, copy.cid), (LineKind.PRIVATE, "ann", "bob", "c"))
        self.assertEqual(self.letters(self.bob), [("ann", "bob", "psst")])
        self.assertEqual((cid.read(), self.room.talk.lines), ([], 1))

    def test_said_again(self) -> None:
        """A message that is said again, as its answer was lost, is kept once on either side."""
        for _ in range(2):
            self.ann.whisper("bob", "psst")
        self.assertEqual([said.offset for said in self.ann.found(Said)], [0, 0])
        self.assertEqual(
            (self.letters(self.bob), self.kept("bob"), self.kept("ann")), ([("ann", "bob", "psst")], ["psst"], ["psst"])
        )

    def test_to_oneself(self) -> None:
        """A note to oneself is one line."""
        self.ann.whisper("ann", "note")
        self.assertEqual((self.letters(self.ann), self.kept("ann")), ([("ann", "ann", "note")], ["note"]))

    def test_to_somebody_who_is_gone(self) -> None:
        """It waits in the inbox until the user is back, and no channel stays behind."""
        self.bob.leave()
        self.ann.whisper("bob", "psst")
        self.assertEqual([type(message) for message in self.ann.read()], [Said, Line])
        self.assertEqual((set(self.bench.lobby._inboxes), set(self.bench.lobby._inboxes_in_use)), ({"ann"}, {"ann"}))
        again = self.bench.guest("bob")
        self.assertEqual([line[6] for history in again.found(History) for line in history.lines], ["psst"])

    def test_comes_while_it_is_kept(self) -> None:
        """Who comes while a message is being kept hears it, though it is in no page that was read."""
        self.bob.leave()
        self.bench.hold = (Store,)
        self.ann.whisper("bob", "psst")
        again = self.bench.guest("bob")
        again.read()
        self.bench.release()
        self.assertEqual(self.letters(again), [("ann", "bob", "psst")])

    def test_leaves_while_it_is_kept(self) -> None:
        """So does who leaves and is back meanwhile."""
        self.bench.hold = (Store,)
        self.ann.whisper("bob", "psst")
        self.bob.leave()
        again = self.bench.guest("bob")
        again.read()
        self.bench.release()
        self.assertEqual(self.letters(again), [("ann", "bob", "psst")])

    def test_unknown(self) -> None:
        """Nobody has that id: a name is none, if it is not."""
        self.ann.whisper("cid", "psst", cid="1")
        self.ann.whisper("", "psst", cid="2")
        self.assertEqual(
            self.unsaid(),
            [("1", "no-such-user", "there is nobody called cid"), ("2", "no-such-user", "there is nobody called ")],
        )

    def test_places(self) -> None:
        """It is said in one's own inbox, and nothing else is."""
        self.ann.say("psst", kind=LineKind.PRIVATE, to="bob")
        self.ann.say("psst", kind=LineKind.PRIVATE, to="bob", channel=self.inbox(self.bob))
        self.ann.say("psst", channel=self.inbox(self.ann))
        self.assertEqual(
            [(reason, text) for _, reason, text in self.unsaid()],
            [("refused", "private messages are said in your own inbox")] * 2 + [("refused", "you can only listen there")],
        )
        self.assertEqual(self.bob.read(), [])

    def test_bad_text(self) -> None:
        """Its text is checked as any."""
        self.ann.whisper("bob", "\x1b")
        self.assertEqual(self.refused(), ["bad-text"])

    def test_handler(self) -> None:
        """The handler may change or refuse it; holding it is no answer."""
        self.bench.chat.answers["private"] = lambda to, text: f"{text} to {to}"
        self.ann.whisper("bob", "psst", cid="1")
        self.assertEqual(self.letters(self.bob), [("ann", "bob", "psst to bob")])
        self.bench.chat.answers["private"] = Refused("not here", "rude")
        self.ann.whisper("bob", "psst", cid="2")
        self.bench.chat.answers["private"] = lambda to, text: None
        self.ann.whisper("bob", "psst", cid="3")
        self.assertEqual([reason for _, reason, _ in self.unsaid()], ["rude", "failed"])
        self.assertEqual(len(self.bench.errors()), 1)

    def test_order(self) -> None:
        """What is said after a message waits while its receiver is looked up."""
        self.bob.leave()
        self.bench.hold = (Find,)
        self.ann.whisper("bob", "one", cid="1")
        self.ann.whisper("bob", "two", cid="2")
        self.ann.say("three", cid="3")
        self.assertEqual((len(self.bench.held), self.ann.read()), (1, []))
        self.bench.release()
        self.bench.release()
        self.assertEqual((self.kept("bob"), self.room.talk.lines), (["one", "two"], 3))

    def test_look_up_fails(self) -> None:
        """A storage that cannot tell is no lack of users."""
        self.bench.hold = (Find,)
        self.ann.whisper("cid", "psst")
        self.bench.break_(error=StorageError("the disk is gone"))
        self.assertEqual(self.unsaid(), [("1", "failed", "the disk is gone")])

    def test_not_kept(self) -> None:
        """If it is not kept in the other inbox, it is kept in none."""
        self.bench.hold = (Store,)
        self.ann.whisper("bob", "psst")
        self.bench.break_(error=StorageError("the disk is full"))
        self.assertEqual(self.unsaid(), [("1", "failed", "the disk is full")])
        self.assertEqual((self.kept("bob"), self.kept("ann")), ([], []))

    def test_half_kept(self) -> None:
        """If only the copy is not kept, nobody may think that nothing was: it is said again, and then both have it."""
        self.bench.hold = (Store,)
        self.ann.whisper("bob", "psst")
        self.bench.release()
        self.bench.break_(error=StorageError("the disk is full"))
        self.assertEqual(self.unsaid(), [("1", "unknown", "the disk is full")])
        self.bench.hold = ()
        self.ann.whisper("bob", "psst")
        self.assertEqual((self.kept("bob"), self.kept("ann")), (["psst"], ["psst"]))


class TellTests(TalkCase):
    """`IPlayer.tell`, and `/msg`."""

    def found(self, guest: Guest) -> list[tuple[str, str]]:
        """Lines that somebody heard: who said it, and what."""
        return [(line.name, line.text) for line in guest.found(Line)]

    def test_by_name(self) -> None:
        """Somebody here is named in whatever case; else by id or name, as storage knows."""
        self.ann.player.tell("BOB", "here")
        self.bench.turn()
        self.assertEqual(self.found(self.bob), [("ann", "here")])
        self.bob.leave()
        self.ann.player.tell("bob", "gone")
        self.bench.turn()
        self.ann.player.tell("nobody", "x")
        self.ann.player.tell("ann", " ")
        self.bench.turn()
        again = self.bench.guest("bob")
        self.assertEqual([line[6] for history in again.found(History) for line in history.lines], ["here", "gone"])
        self.assertEqual(self.found(self.ann), [("ann", "here"), ("ann", "gone"), ("", "there is nobody called nobody")])

    def test_fails(self) -> None:
        """The player is told in the inbox, the operator too."""
        self.bench.hold = (Store,)
        self.ann.player.tell("bob", "psst")
        self.bench.turn()
        self.bench.hold = ()
        self.bench.break_(error=StorageError("the disk was full"))
        self.assertEqual(self.found(self.ann), [("", "the disk was full")])
        self.assertEqual(len(self.bench.errors()), 1)

    def test_msg(self) -> None:
        """`/msg name text` is a private message, and its answer waits for that."""
        self.bench.hold = (Store,)
        self.ann.say('/msg "bob" psst you', cid="c")
        self.assertEqual(self.ann.read(), [])
        self.bench.release()
        self.bench.release()
        said, copy = self.ann.read()
        self.assertEqual(said, Said(self.room.channel.number, "c", -1))
        assert isinstance(copy, Line)
        self.assertEqual((copy.to, copy.text, copy.cid), ("bob", "psst you", "c"))
        self.assertEqual(self.found(self.bob), [("ann", "psst you")])

    def test_two_of_one_name(self) -> None:
        """Who takes another's name does not get the other's messages: an id is wanted then."""
        mallory = self.bench.guest("mallory", role=1)
        self.bob.player.name, mallory.player.name = "Bo", "bo"
        self.bob.read()
        self.ann.say("/msg bo psst", cid="1")
        self.ann.say("/msg mallory you", cid="2")
        self.assertEqual(self.unsaid(), [("1", "no-such-user", "there are 2 called bo here; say the id of one")])
        self.assertEqual((self.found(self.bob), self.found(mallory)), ([], [("ann", "you")]))
        mallory.leave()
        second = self.bench.guest("bob", role=1)
        second.player.name = "Bo"
        self.ann.say("/msg bo psst", cid="3")
        self.assertEqual((self.found(self.bob), self.found(second)), ([("ann", "psst")], [("ann", "psst")]))

    def test_msg_refused(self) -> None:
        """Without a text, to nobody, or with words that the handler does not like."""
        for text in ("/msg", "/msg bob", "/msg cid x"):
            self.ann.say(text)
        self.bench.chat.answers["private"] = Refused("not here", "rude")
        self.ann.say("/msg bob x")
        self.assertEqual(self.refused(), ["bad-text", "bad-text", "no-such-user", "rude"])


class SeenTests(TalkCase):
    """Storage knows who was here."""

    def test_seen(self) -> None:
        """Who is let in is remembered, once, with the time."""
        self.bench.hold = (Seen,)
        cid = self.bench.guest("cid")
        cid.lose()
        cid.connect()
        cid.join()
        (seen,) = self.bench.held
        assert isinstance(seen, Seen)
        self.assertEqual((seen.identity, seen.time), (("cid", "cid"), 100_100))

    def test_fails(self) -> None:
        """A storage that does not remember keeps nobody out; the operator is told."""
        self.bench.hold = (Seen,)
        self.bench.guest("cid")
        self.bench.break_()
        self.assertEqual(self.bench.reports[-1][2], {"room": "sea/main", "player": "cid", "verb": "seen"})
        self.assertEqual(len(self.room.players), 3)

    def test_inbox_cannot_be_opened(self) -> None:
        """A message to an inbox that cannot be opened is refused."""
        self.bob.leave()
        self.bench.hold = (OpenChannel,)
        self.ann.whisper("bob", "psst")
        self.bench.break_(error=StorageError("the disk is gone"))
        self.assertEqual([unsaid.reason for unsaid in self.ann.found(Unsaid)], ["failed"])
