"""Commands: what they say in a player's name, and those that are there by themselves."""

from __future__ import annotations

from typing import Any

from meteor_net.errors import Refused, StorageError
from meteor_net.game import Chat, for_moderators
from meteor_net.interfaces import IPlayer
from meteor_net.messages import Line, LineKind, Said
from meteor_net.requests import Store

from ..plain import Bench, Later
from .talkers import TalkCase


class InHandTests(TalkCase):
    """A line that a command says in the player's name is the player's own."""

    def say_in(self, *arguments: Any, then: Any = None) -> None:
        """Let /me say something, and answer."""

        def command(rest: str) -> Any:
            self.room.say(self.ann.player, rest, *arguments)
            if isinstance(then, Exception):
                raise then
            return then

        self.bench.chat.answers["me"] = command

    def test_answered_when_kept(self) -> None:
        """The answer waits until the line is kept; the line has the client's id, so that it is kept once."""
        self.say_in(LineKind.ME)
        self.bench.hold = (Store,)
        self.ann.say("/me waves", cid="c")
        self.assertEqual(self.ann.read(), [])
        self.bench.release()
        self.bench.hold = ()
        self.ann.say("/me waves", cid="c")
        said, line, again = self.ann.read()
        self.assertEqual((said, again), (Said(self.room.channel.number, "c", -1),) * 2)
        assert isinstance(line, Line)
        self.assertEqual((line.kind, line.text, line.cid), (LineKind.ME, "waves", "c"))

    def test_not_kept(self) -> None:
        """If it is not kept, the command is refused."""
        self.say_in(LineKind.ME)
        self.bench.hold = (Store,)
        self.ann.say("/me waves", cid="c")
        self.bench.break_(error=StorageError("nobody knows", unknown=True))
        self.assertEqual(self.unsaid(), [("c", "unknown", "nobody knows")])

    def test_handler_is_asked(self) -> None:
        """The handler hears of it as of any line."""
        self.say_in(LineKind.ME)
        self.bench.chat.answers["line"] = Refused("no", "rude")
        self.ann.say("/me waves")
        self.assertEqual(self.unsaid(), [("1", "rude", "no")])

    def test_kinds(self) -> None:
        """It may be of any kind that the game says; one's own kinds are not asked about."""
        self.say_in(LineKind.EMOJI)
        self.ann.say("/me \u2764", cid="1")
        self.say_in(64, {"dice": 3})
        self.ann.say("/me rolls", cid="2")
        self.assertEqual(
            [(line.kind, line.text, line.data) for line in self.bob.found(Line)],
            [(2, "\u2764\ufe0f", None), (64, "rolls", {"dice": 3})],
        )
        self.assertEqual(len(self.ann.found(Said)), 2)

    def test_what_may_not_be_said(self) -> None:
        """It is refused as the player's line would be."""
        self.say_in(LineKind.EMOJI)
        self.ann.say("/me a", cid="1")
        self.say_in(LineKind.ME)
        self.ann.say("/me", cid="2")
        self.say_in(64, "x" * 5_000)
        self.ann.say("/me x", cid="3")
        self.assertEqual([(cid, reason) for cid, reason, _ in self.unsaid()], [(cid, "bad-text") for cid in "123"])

    def test_more(self) -> None:
        """The first line is the answer; what it says beside is kept too, and what it returns is told."""

        def command(rest: str) -> str:
            for text in ("one", "two"):
                self.room.say(self.ann.player, text)
            self.room.say(self.bob.player, "three")
            return "done"

        self.bench.chat.answers["me"] = command
        self.ann.say("/me", cid="c")
        self.assertEqual([(line.text, line.cid) for line in self.bob.found(Line)], [("one", "c"), ("two", ""), ("three", "")])
        messages = self.ann.read()
        self.assertEqual([message.offset for message in messages if isinstance(message, Said)], [-1])
        self.assertIn("done", [message.text for message in messages if isinstance(message, Line)])

    def test_raises_afterwards(self) -> None:
        """A command that says something and then raises is answered once, by what became of the line."""
        self.say_in(then=Refused("no"))
        self.ann.say("/me waves")
        self.assertEqual([type(message) for message in self.outcome(self.ann)], [Said])

    def test_after_waiting(self) -> None:
        """What it says after it has waited is the game's to say: the command is answered by what it answers."""
        self.bench.chat.answers["me"] = Later()
        self.ann.say("/me", cid="c")
        self.room.say(self.ann.player, "meanwhile")
        self.bench.release()
        self.assertEqual([(line.text, line.cid) for line in self.bob.found(Line)], [("meanwhile", "")])
        self.assertEqual([message.offset for message in self.ann.found(Said)], [-1])


class Market(Chat):
    """A chat with a command for moderators."""

    @for_moderators
    def command_close(self, player: IPlayer, rest: str) -> str:
        """Say so."""
        return "closed"


class DefaultTests(TalkCase):
    """The commands of `Chat`."""

    def begin(self, **limits: Any) -> None:
        """Make it with the plain chat, ann a moderator."""
        self.bench = Bench(chat=Market, **limits)
        self.ann, self.bob = self.bench.guest("ann"), self.bench.guest("bob")
        self.room = self.bench.room
        self.room.chat.moderators = {"ann"}
        self.room.chat.words = {"damn"}
        self.bench.ticks(1)
        self.ann.read()
        self.bob.read()

    def told(self) -> list[str]:
        """What ann was told."""
        return [line.text for line in self.ann.found(Line) if line.kind == LineKind.NOTICE]

    def test_me_and_words(self) -> None:
        """Words go from lines, from what people do, and from private messages."""
        self.ann.say("damn!", cid="1")
        self.ann.say("/me says damn", cid="2")
        self.ann.say("/msg bob damn", cid="3")
        lines = self.bob.found(Line)
        self.assertEqual([(line.kind, line.text) for line in lines], [(0, "****!"), (8, "says ****"), (7, "****")])

    def test_moderators_only(self) -> None:
        """Others are refused, and do not see them in /help."""
        for text in ("/slow 10", "/mute ann", "/unmute ann", "/close", "/help"):
            self.bob.say(text)
        self.assertEqual(self.unsaid(self.bob)[0], ("1", "refused", "/slow is for moderators"))
        self.ann.say("/close")
        self.ann.say("/help")
        self.assertEqual(self.told(), ["closed", "commands: /close, /help, /me, /msg, /mute, /slow, /unmute"])
        self.bob.say("/help")
        self.assertEqual([line.text for line in self.bob.found(Line)], ["commands: /help, /me, /msg"])

    def test_not_yet(self) -> None:
        """A handler that would say later whether somebody moderates has said no."""
        self.room.chat.moderates = lambda player: Later()
        self.ann.say("/close")
        self.ann.say("/help")
        self.assertEqual(self.refused(), ["refused"])

    def test_slow(self) -> None:
        """`/slow 10`, `/slow 0`; all hear of it."""
        self.ann.say("/slow 2.5")
        self.assertEqual((self.texts(), self.room.chat.slow_s), (["slow mode: one line in 2.5 s"], 2.5))
        self.ann.say("/slow 0")
        self.assertEqual((self.texts(), self.room.chat.slow_s), (["slow mode is over"], 0.0))
        for number in ("", "x", "-1", "3601", "nan", "inf"):
            self.ann.say(f"/slow {number}")
            self.assertEqual(self.unsaid(), [("1", "bad-text", "/slow seconds: a number from 0 to 3600")])
            self.bench.pass_time(1.0)

    def test_mute(self) -> None:
        """`/mute name minutes`, ten if none are given; `/unmute name`."""
        self.ann.say("/mute BOB")
        self.assertEqual(self.told(), ["bob is muted"])
        self.bench.pass_time(599.0)
        self.bob.say("x", cid="1")
        self.bench.pass_time(1.0)
        self.bob.say("x", cid="2")
        self.ann.say('/mute "bob" 0.5')
        self.bob.say("x", cid="3")
        self.ann.say("/unmute bob")
        self.bob.say("x", cid="4")
        self.assertEqual([(cid, reason) for cid, reason, _ in self.unsaid(self.bob)], [("1", "muted"), ("3", "muted")])
        self.assertEqual(self.told(), ["bob is muted", "bob may speak"])

    def test_mute_whom(self) -> None:
        """Somebody who is not there cannot be."""
        for text in ("/mute", "/mute cid 5", "/unmute cid", "/mute bob x"):
            self.ann.say(text)
        self.assertEqual(self.refused(), ["no-such-user"] * 3 + ["bad-text"])
