"""Lines of all kinds (wire page, clause 10.2)."""

from __future__ import annotations

from typing import Any

from msgspec import convert

from meteor_net.errors import Refused
from meteor_net.limits import MAX_DATA_BYTES
from meteor_net.messages import History, Line, LineKind, LineState, Said

from ..plain import Later
from .talkers import TalkCase

HEART, HEART_AS_TEXT, WAVE = "\u2764\ufe0f", "\u2764", "\U0001f30a"


class KindCase(TalkCase):
    """A room in which ann has said something at offset 0."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.say("hello", cid="first")
        self.ann.read()
        self.bob.read()

    def heard(self) -> Line:
        """The one line that bob heard."""
        (line,) = self.bob.found(Line)
        return line

    def stands(self) -> list[Line]:
        """The lines of the room as a newcomer gets them."""
        new = self.bench.guest("new")
        for history in new.found(History):
            if history.channel == self.room.channel.number:
                return [convert([0, *items], Line) for items in history.lines]
        raise AssertionError("no history came")


class ContentTests(KindCase):
    """Lines that are shown by themselves."""

    def test_answer(self) -> None:
        """A text may answer a line; one that answers none that there is is refused."""
        self.bob.say("hi", about=0)
        self.assertEqual((self.heard().about, self.heard_about_nothing()), (0, ["not-there"]))

    def heard_about_nothing(self) -> list[str]:
        """Why an answer to nothing is refused."""
        self.bob.say("hi", cid="2", about=77)
        return self.refused(self.bob)

    def test_emoji(self) -> None:
        """One emoji, in full; no text, and not two."""
        self.ann.say(HEART_AS_TEXT, kind=LineKind.EMOJI)
        line = self.heard()
        self.assertEqual((line.kind, line.text), (LineKind.EMOJI, HEART))
        for text in ("a", WAVE * 2, "", f" {WAVE}"):
            self.ann.say(text, kind=LineKind.EMOJI)
        self.assertEqual(self.refused(), ["bad-text"] * 4)

    def test_me(self) -> None:
        """What somebody does is a line that the handler is asked about."""
        self.bench.chat.answers["line"] = str.upper
        self.ann.say("waves", kind=LineKind.ME)
        line = self.heard()
        self.assertEqual((line.kind, line.text, line.sender), (LineKind.ME, "WAVES", "ann"))

    def test_kinds_that_nobody_says(self) -> None:
        """Notices are the server's; kinds without a meaning are refused."""
        for kind in (LineKind.NOTICE, 9, 63):
            self.ann.say("x", kind=kind)
        self.assertEqual(self.unsaid()[1], ("1", "bad-text", "players say no lines of kind 9"))

    def test_data(self) -> None:
        """Only a game's own kinds carry data."""
        self.ann.say("x", data=1)
        self.assertEqual(self.unsaid(), [("1", "bad-text", "only lines of a game's own kind carry data")])

    def test_mentions(self) -> None:
        """Names of those who are there are found, in what is said in the end."""
        self.bench.chat.answers["line"] = lambda text: text.replace("you", "@bob")
        self.ann.say("hi you, @Ann and @cid")
        self.assertEqual(self.heard().mentions, ["bob", "ann"])
        self.ann.say("hi @bob", cid="2", kind=LineKind.EDIT, about=0)
        self.assertEqual(self.heard().mentions, ["bob"])
        self.assertEqual(self.stands()[0].mentions, ["bob"])


class ChangeTests(KindCase):
    """Lines that change others."""

    def test_reaction(self) -> None:
        """All hear who reacts, and how many do now; a newcomer, how many."""
        self.ann.say(HEART_AS_TEXT, cid="a", kind=LineKind.REACTION, about=0)
        self.assertEqual(self.heard().reactions, [(HEART, 1, False)])
        self.bob.say(HEART, cid="b", kind=LineKind.REACTION, about=0)
        line = self.heard()
        self.assertEqual((line.sender, line.about, line.offset, line.reactions), ("bob", 0, 2, [(HEART, 2, False)]))
        self.assertEqual([line.reactions for line in self.stands()], [[(HEART, 2, False)]])
        self.ann.say(HEART, cid="c", kind=LineKind.UNREACTION, about=0)
        self.assertEqual(self.heard().reactions, [(HEART, 1, False)])

    def test_reaction_refused(self) -> None:
        """The same twice, none taken back, none there; nobody hears of it."""
        self.ann.say(HEART, cid="a", kind=LineKind.REACTION, about=0)
        self.ann.say(HEART, cid="b", kind=LineKind.REACTION, about=0)
        self.ann.say(WAVE, cid="c", kind=LineKind.UNREACTION, about=0)
        self.ann.say(WAVE, cid="d", kind=LineKind.REACTION, about=9)
        self.ann.say(WAVE, cid="e", kind=LineKind.REACTION)
        self.ann.say("a", cid="f", kind=LineKind.REACTION, about=0)
        self.assertEqual(self.refused(), ["already", "already", "not-there", "not-there", "bad-text"])
        self.assertEqual((len(self.bob.found(Line)), self.bench.errors()), (1, []))

    def test_too_many(self) -> None:
        """A line has a bound for its different reactions."""
        self.begin(lines_burst=50)
        self.ann.say("hello", cid="first")
        for number in range(21):
            self.ann.say(chr(0x1F400 + number), cid=str(number), kind=LineKind.REACTION, about=0)
        self.assertEqual([(cid, reason) for cid, reason, _ in self.unsaid()], [("20", "too-many")])

    def test_edit(self) -> None:
        """The author may edit; the handler is asked; a newcomer has it as it stands."""
        self.bench.chat.answers["line"] = str.upper
        self.ann.say("hullo", kind=LineKind.EDIT, about=0)
        line = self.heard()
        self.assertEqual((line.kind, line.text, line.about), (LineKind.EDIT, "HULLO", 0))
        (now,) = self.stands()
        self.assertEqual((now.text, now.state), ("HULLO", LineState.EDITED))

    def test_no_command(self) -> None:
        """An edited text that begins with a slash is no command."""
        self.ann.say("/me waves", kind=LineKind.EDIT, about=0)
        self.assertEqual(self.heard().text, "/me waves")

    def test_delete(self) -> None:
        """The author may delete; of the text that came with it nothing is kept."""
        self.ann.say("whatever", kind=LineKind.DELETE, about=0)
        line = self.heard()
        self.assertEqual((line.kind, line.text, line.about), (LineKind.DELETE, "", 0))
        (now,) = self.stands()
        self.assertEqual((now.text, now.state), ("", LineState.DELETED))
        self.ann.say("again", cid="2", kind=LineKind.EDIT, about=0)
        self.assertEqual(self.refused(), ["not-there"])

    def test_moderator(self) -> None:
        """Lines of others are for moderators to change."""
        for moderators, told in (((), ["not-yours", "not-yours"]), (("bob",), [])):
            self.bench.chat.moderators = moderators
            self.bob.say("censored", cid="2", kind=LineKind.EDIT, about=0)
            self.bob.say("", cid="3", kind=LineKind.DELETE, about=0)
            self.assertEqual(self.refused(self.bob), told)

    def test_moderates_is_asked_at_once(self) -> None:
        """A handler that does not say yes at once says no; one that raises, too, and it is logged."""
        for answer in (Later(), "yes", ZeroDivisionError("oops")):
            self.bench.chat.answers["moderates"] = answer
            self.bob.say("", kind=LineKind.DELETE, about=0)
            self.assertEqual(self.refused(self.bob), ["not-yours"])
        self.assertEqual([str(error) for error in self.bench.errors()], ["oops"])


class HeldTests(KindCase):
    """A handler may hold a line."""

    def test_held(self) -> None:
        """Its sender is answered, nobody hears it, until the handler says it."""
        self.bench.chat.answers["line"] = lambda text: None
        self.ann.say("buy sails", cid="c")
        self.assertEqual(self.ann.read(), [Said(self.room.channel.number, "c", -1)])
        self.assertEqual(self.texts(), [])
        self.bench.chat.room.say(self.ann.player, "buy sails")
        self.bench.turn()
        self.assertEqual(self.texts(), ["buy sails"])


class OwnTests(KindCase):
    """Lines of a game's own kinds."""

    def say(self, text: str = "", data: Any = None, kind: int = 64) -> None:
        """Let ann say one."""
        self.ann.say(text, kind=kind, data=data)

    def test_refused(self) -> None:
        """By default there are none."""
        self.say(data=1)
        self.assertEqual(self.unsaid(), [("1", "bad-text", "there are no lines of kind 64 here")])

    def test_kept(self) -> None:
        """The handler gets what the client made, and says what is kept; text and data may each be absent."""
        asked: list[Any] = []

        def own(kind: int, text: str, data: Any) -> tuple[str, Any]:
            asked.append((kind, text, data))
            return text.upper(), data and {"dice": (3, data["dice"])}

        self.bench.chat.answers["own"] = own
        self.say(" roll ", {"dice": 5})
        self.say()
        self.say("x", kind=0xFFFF)
        self.assertEqual(asked, [(64, "roll", {"dice": 5}), (64, "", None), (0xFFFF, "x", None)])
        self.assertEqual(
            [(line.kind, line.text, line.data) for line in self.bob.found(Line)],
            [(64, "ROLL", {"dice": [3, 5]})],  # the same id: the others were that line said again
        )

    def test_bad(self) -> None:
        """Large data, and texts that may not be said, are refused before the handler is asked."""
        self.bench.chat.answers["own"] = lambda kind, text, data: (text, data)
        self.say(data="x" * MAX_DATA_BYTES)
        self.say(data=[[[[[[[[[1]]]]]]]]])
        self.say("a\x1bb")
        self.assertEqual(self.refused(), ["bad-text"] * 3)
        self.say(data="x" * (MAX_DATA_BYTES - 3))
        self.assertEqual(len(self.heard().data), MAX_DATA_BYTES - 3)

    def test_answers_nonsense(self) -> None:
        """What a handler answers is looked at too."""
        for answer, told in (
            ("text", "failed"), (("a", 1, 2), "failed"), ((5, None), "failed"), (("", object()), "bad-text"),
            (("\x00", None), "bad-text"), (Refused("no", "rude"), "rude"),
        ):  # fmt: skip
            self.bench.chat.answers["own"] = (
                answer if isinstance(answer, Refused) else lambda kind, text, data, answer=answer: answer
            )
            self.bench.pass_time(1.0)
            self.say()
            self.assertEqual(self.refused(), [told])
        self.assertEqual(self.texts(), [])

    def test_about(self) -> None:
        """One may be about a line, too."""
        self.bench.chat.answers["own"] = lambda kind, text, data: (text, data)
        self.ann.say("", kind=64, about=0)
        self.assertEqual(self.heard().about, 0)


class GameSaysTests(KindCase):
    """What a game says in a player's name."""

    def say(self, *arguments: Any) -> None:
        """Let the game say it."""
        self.room.say(self.ann.player, *arguments)
        self.bench.turn()

    def test_kinds(self) -> None:
        """Texts, emojis, what the player does, and the game's own."""
        self.say("hi")
        self.say(HEART_AS_TEXT, LineKind.EMOJI)
        self.say("waves at @bob", LineKind.ME)
        self.say("", 64, {"at": (1, 2)})
        self.say("", LineKind.ME)
        self.assertEqual(
            [(line.kind, line.text, line.data, line.mentions, line.cid) for line in self.bob.found(Line)],
            [
                (0, "hi", None, [], ""),
                (2, HEART, None, [], ""),
                (8, "waves at @bob", None, ["bob"], ""),
                (64, "", {"at": [1, 2]}, [], ""),
            ],
        )

    def test_wrong(self) -> None:
        """What cannot be said so is told at once."""
        for arguments in (("x", LineKind.NOTICE), ("x", LineKind.REACTION), ("x", LineKind.PRIVATE), ("x", LineKind.ME, 1)):
            self.assertRaises(ValueError, self.say, *arguments)
        self.assertRaises(Refused, self.say, "x", LineKind.EMOJI)
        self.assertRaises(Refused, self.say, "", 64, "x" * MAX_DATA_BYTES)
        self.assertEqual(self.texts(), [])
