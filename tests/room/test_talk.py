"""What is said in a room."""

from __future__ import annotations

from meteor_net.errors import Refused, StorageError
from meteor_net.messages import History, Line, Said
from meteor_net.requests import Store

from ..plain import Bench, Gossip, Later
from .talkers import TalkCase


class SayTests(TalkCase):
    """Lines of players (clause 10.3)."""

    def test_said_and_heard(self) -> None:
        """A line is confirmed with its offset, and comes to all, its sender among them, with who and when."""
        self.ann.say("  hello  ", cid="c1")
        line = Line(self.room.channel.number, 0, 100_100, 2, 0, "ann", "ann", "hello", "c1")
        self.assertEqual(self.ann.read(), [Said(self.room.channel.number, "c1", 0), line])
        self.assertEqual(self.bob.read(), [line])
        self.assertEqual((self.room.talk.lines, self.ann.session.counters["lines"]), (1, 1))

    def test_watchers_talk(self) -> None:
        """Who watches may talk."""
        self.bob.say("hello")
        self.assertEqual([line.sender for line in self.ann.found(Line)], ["bob"])

    def test_length(self) -> None:
        """As long as the limit, and not longer."""
        for most in (0, 1, 1_000):
            self.begin(line_chars=most)
            if most:
                self.ann.say("x" * most)
                self.assertEqual(self.texts(), ["x" * most])
            self.ann.say("x" * (most + 1), cid="2")
            self.assertEqual(self.unsaid(), [("2", "bad-text", f"a line of {most + 1} characters; at most {most}")])

    def test_bad_lines(self) -> None:
        """Empty lines, control characters, other kinds and other channels are refused, and nobody hears them."""
        inbox = self.bench.lobby.inbox("ann").number
        self.ann.say(" ", cid="1")
        self.ann.say("a\x1bb", cid="2")
        self.ann.say("I am the server", cid="3", kind=1)
        self.ann.say("x", cid="4", channel=inbox)
        self.ann.say("x", cid="5\0")
        reasons = [(cid, reason) for cid, reason, _ in self.unsaid()]
        self.assertEqual(
            reasons, [("1", "bad-text"), ("2", "bad-text"), ("3", "bad-text"), ("4", "refused"), ("5\0", "bad-text")]
        )
        self.assertEqual(self.texts(), [])
        self.assertEqual(self.ann.session.counters["refused"], 5)

    def test_slow_down(self) -> None:
        """More than the burst at once is refused, with the time to wait; then the rate holds."""
        self.begin(lines_burst=2, lines_per_s=1.0)
        for cid in "123":
            self.ann.say("x", cid=cid)
        self.assertEqual(self.unsaid(), [("3", "slow-down", "too fast; again in 1.00 s")])
        self.bench.pass_time(1.0)
        self.ann.say("y", cid="4")
        self.assertEqual(self.texts(), ["x", "x", "y"])

    def test_nobody_talks(self) -> None:
        """An operator may allow no lines at all."""
        self.begin(lines_burst=0, lines_per_s=0.0)
        self.ann.say("x")
        self.assertEqual(self.unsaid(), [("1", "slow-down", "too fast")])

    def test_durable_before_heard(self) -> None:
        """Neither its sender nor anybody else hears of a line that is not kept yet."""
        self.bench.hold = (Store,)
        self.ann.say("x")
        self.assertEqual((self.ann.read(), self.bob.read()), ([], []))
        self.bench.release()
        self.assertEqual((len(self.ann.read()), self.texts()), (2, ["x"]))

    def test_storage_fails(self) -> None:
        """The sender is told, the operator too; said again, it is kept."""
        self.bench.hold = (Store,)
        for error, told in (
            (StorageError("the disk is full"), ("failed", "the disk is full")),
            (StorageError("storage did not answer", unknown=True), ("unknown", "storage did not answer")),
            (OSError("oops"), ("unknown", "nobody knows whether the line is kept; say it again")),
        ):
            self.ann.say("x")
            self.bench.break_(error=error)
            self.assertEqual(self.unsaid(), [("1", *told)])
            self.assertEqual(self.bench.reports[-1][1:], (error, {"room": "sea/main", "player": "ann", "verb": "store"}))
        self.bench.hold = ()
        self.ann.say("x")
        self.assertEqual(self.texts(), ["x"])

    def test_same_id(self) -> None:
        """A line that is said again after a lost answer is confirmed again, and heard once."""
        for _ in range(2):
            self.ann.say("x", cid="c1")
        self.assertEqual([said.offset for said in self.ann.found(Said)], [0, 0])
        self.assertEqual(self.texts(), ["x"])


class HandlerTests(TalkCase):
    """The chat handler decides."""

    def test_changes(self) -> None:
        """It may change a line."""
        self.bench.chat.answers["line"] = str.upper
        self.ann.say("x")
        self.assertEqual(self.texts(), ["X"])

    def test_refuses(self) -> None:
        """It may refuse one; its sender hears why."""
        self.bench.chat.answers["line"] = Refused("no rude words", "rude")
        self.ann.say("x")
        self.assertEqual((self.unsaid(), self.texts()), ([("1", "rude", "no rude words")], []))

    def test_raises(self) -> None:
        """An error is the handler's: the line is refused as failed, and logged."""
        self.bench.chat.answers["line"] = ZeroDivisionError("oops")
        self.ann.say("x")
        self.assertEqual(self.unsaid(), [("1", "failed", "this failed on the server")])
        self.assertEqual(self.bench.reports[-1][2], {"room": "sea/main", "player": "ann", "verb": "line"})

    def test_answers_nonsense(self) -> None:
        """A handler that answers what may not be said does not make people say it."""
        self.bench.chat.answers["line"] = lambda text: 5
        self.ann.say("x")
        self.assertEqual(self.unsaid(), [("1", "failed", "this failed on the server")])
        self.assertEqual(len(self.bench.errors()), 1)
        self.bench.chat.answers["line"] = lambda text: " "
        self.ann.say("x")
        self.assertEqual(self.unsaid(), [("1", "bad-text", "an empty line")])
        self.assertEqual(self.texts(), [])

    def test_answers_later(self) -> None:
        """It may think: the line is said when it has answered, and the player's next line after it."""
        self.bench.chat.answers["line"] = Later()
        self.ann.say("a", cid="1")
        self.bench.chat.answers.clear()
        self.ann.say("b", cid="2")
        self.assertEqual(self.texts(), [])
        self.bench.release(answer="A")
        self.assertEqual(self.texts(), ["A", "b"])


class CommandTests(TalkCase):
    """Lines that begin with a slash (clause 10.6)."""

    def test_answer(self) -> None:
        """The answer goes to the player alone, as a notice in its inbox; the command is not stored."""
        self.bench.chat.answers["me"] = str.upper
        self.ann.say("/me  waves ", cid="c")
        said, line = self.ann.read()
        assert isinstance(line, Line)
        self.assertEqual(said, Said(self.room.channel.number, "c", -1))
        self.assertEqual((line.channel, line.kind, line.sender, line.text), (self.inbox(), 1, "", "WAVES"))
        self.assertEqual(self.bob.read(), [])

    def inbox(self) -> int:
        """The number of ann's own channel."""
        return self.bench.lobby.inbox("ann").number

    def test_no_answer(self) -> None:
        """A command may answer nothing: it is confirmed."""
        self.ann.say("/me")
        self.assertEqual(self.ann.read(), [Said(self.room.channel.number, "1", -1)])

    def test_unknown(self) -> None:
        """A command that there is not is refused, with a way to find those that there are; odd ones likewise."""
        for text in ("/fly", "/", "/ me", "/__init__", "/a.b"):
            self.ann.say(text)
        unsaid = self.unsaid()
        self.assertEqual([reason for _, reason, _ in unsaid], ["bad-text"] * 5)
        self.assertEqual(unsaid[0][2], "there is no command /fly; try /help")
        self.ann.say("/help")
        self.assertEqual([line.text for line in self.ann.found(Line)], ["commands: /help, /me, /msg"])

    def test_fails(self) -> None:
        """A command that raises is refused as failed."""
        self.bench.chat.answers["me"] = ZeroDivisionError("oops")
        self.ann.say("/me")
        self.assertEqual([reason for _, reason, _ in self.unsaid()], ["failed"])


class NoticeTests(TalkCase):
    """What the game says itself."""

    def test_notice(self) -> None:
        """A notice is a line of the room without a sender, kept like any other."""
        self.room.notice("a storm")
        self.bench.turn()
        (line,) = self.bob.found(Line)
        self.assertEqual((line.kind, line.sender, line.name, line.text, line.cid), (1, "", "", "a storm", ""))
        late = self.bench.guest("late")
        lines = [history.lines for history in late.found(History) if history.channel == self.room.channel.number]
        self.assertEqual([line[6] for line in lines[0]], ["a storm"])

    def test_say(self) -> None:
        """The game may say something in a player's name."""
        self.room.say(self.ann.player, "ahoy")
        self.bench.turn()
        (line,) = self.bob.found(Line)
        self.assertEqual((line.kind, line.sender, line.name, line.text), (0, "ann", "ann", "ahoy"))

    def test_tidied(self) -> None:
        """Whatever a game says can be sent: cut to a line's length, without control characters; an empty one is not said."""
        self.room.notice("x" * 2_000)
        self.room.notice("a\x00\ud800b")
        self.room.notice(" \x00 ")
        self.bench.turn()
        self.assertEqual(self.texts(), ["x" * 1_000, "a?b"])

    def test_whisper(self) -> None:
        """A player may be told something alone, which is kept in the user's inbox for the next visit."""
        self.ann.player.say("psst")
        self.bench.turn()
        self.assertEqual([line.text for line in self.ann.found(Line)], ["psst"])
        self.assertEqual(self.bob.read(), [])
        self.ann.leave()
        again = self.bench.guest("ann")
        self.assertEqual([line[6] for history in again.found(History) for line in history.lines], ["psst"])

    def test_whisper_to_somebody_who_is_gone(self) -> None:
        """It is kept too, and no channel stays behind for a user who may never come again."""
        player = self.ann.player
        self.ann.leave()
        player.say("come back")
        self.bench.turn()
        self.assertEqual(set(self.bench.lobby._inboxes), {"bob"})
        again = self.bench.guest("ann")
        self.assertEqual([line[6] for history in again.found(History) for line in history.lines], ["come back"])

    def test_storage_fails(self) -> None:
        """A notice that could not be kept is told to the operator."""
        self.bench.hold = (Store,)
        self.room.notice("x")
        self.bench.turn()
        self.bench.break_()
        self.assertEqual(self.bench.reports[-1][2], {"room": "sea/main", "player": None, "verb": "store"})
        self.assertEqual(self.texts(), [])

    def test_opened_may_speak(self) -> None:
        """The room's channel is open when the handlers are told `opened`."""

        class Greeting(Gossip):
            """Says something first."""

            def opened(self) -> None:
                self.room.notice("welcome")

        bench = Bench(chat=Greeting)
        ann = bench.guest("ann")
        lines = [line[6] for history in ann.found(History) for line in history.lines]
        self.assertEqual(lines, ["welcome"])
