"""Tests of `meteor_net.client.talk`: what a player says, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from meteor_net import messages as wire
from meteor_net.chat.message import ChatMessage
from meteor_net.errors import ConnectionFailed, Refused
from meteor_net.messages import LineKind
from meteor_net.session.client_sender import TRY_AGAIN_S

from ..session.scripted import CHAT_EPOCH
from .test_client import ClientCase

UP = "👍"


class VerbTests(ClientCase):
    """Each verb sends one line, and is answered when that is kept."""

    def test_verbs(self) -> None:
        """What goes out, and the offset that comes back."""
        said: list[tuple[Callable[[], Deferred[int]], tuple[Any, ...]]] = [
            (lambda: self.game.say("yes", about=12), (0, "yes", 12, "", None)),
            (lambda: self.game.say(UP, kind=LineKind.EMOJI), (2, UP, -1, "", None)),
            (lambda: self.game.say("", kind=64, data={"dice": [3, 4]}), (64, "", -1, "", {"dice": [3, 4]})),
            (lambda: self.game.react(3, UP), (3, UP, 3, "", None)),
            (lambda: self.game.unreact(3, UP), (4, UP, 3, "", None)),
            (lambda: self.game.edit(3, "better"), (5, "better", 3, "", None)),
            (lambda: self.game.delete(3), (6, "", 3, "", None)),
        ]
        self.server.answers[wire.Say] = lambda say: [wire.Said(7, say.cid, len(self.server.found(wire.Say)))]
        for number, (verb, expected) in enumerate(said, 1):
            kept = verb()
            self.server.run()
            self.assertEqual(self.successResultOf(kept), number)
            say = self.server.found(wire.Say)[-1]
            self.assertEqual((say.kind, say.text, say.about, say.to, say.data), expected)

    def test_refused_here(self) -> None:
        """What is wrong is refused without asking the server; nothing is sent."""
        verbs = [
            self.game.say("x" * 9_000),
            self.game.say("\ud800"),
            self.game.say("x", about=-7),
            self.game.react(3, ""),
            self.game.edit(3, " "),
            self.game.tell("u2", ""),
        ]
        reasons = [self.failureResultOf(kept, Refused).value.reason for kept in verbs]
        self.assertEqual(set(reasons), {"bad-text"})
        self.assertRaises(ValueError, self.game.earlier, 101)
        self.server.run()
        self.assertEqual(self.server.found(wire.Say), [])
        self.assertEqual(self.game.status, "online")

    def test_no_such_channel(self) -> None:
        """A refusal that comes while the verb is still at it is not lost."""
        refused = self.failureResultOf(self.game.say("hi", "moon"), Refused).value
        self.assertEqual((refused.reason, refused.text), ("refused", "there is no channel 'moon' here"))
        self.assertEqual(self.failureResultOf(self.game.tell("u2", "psst"), Refused).value.reason, "refused")
        self.assertIn("moon", self.failureResultOf(self.game.earlier(5, "moon"), Refused).value.text)

    def test_slow_mode(self) -> None:
        """How long to wait is told, with an answer and with a refusal."""
        self.assertEqual(self.game.wait_s, 0.0)
        self.server.answers[wire.Say] = lambda say: [wire.Said(7, say.cid, 3, 4_000)]
        self.game.say("hi")
        self.server.run(1.0)
        self.assertAlmostEqual(self.game.wait_s, 3.0)
        self.server.answers[wire.Say] = lambda say: [wire.Unsaid(7, say.cid, "slow-down", "wait", 3_000)]
        refused = self.game.say("hi again")
        self.server.run()
        error = self.failureResultOf(refused, Refused).value
        self.assertEqual((error.reason, error.wait_s), ("slow-down", 3.0))

    def test_unknown(self) -> None:
        """A line that may be kept is said again under its id; in the end it is told."""
        self.server.answers[wire.Say] = lambda say: [wire.Unsaid(7, say.cid, "unknown", "who knows")]
        kept = self.game.say("hi")
        for _ in range(int(sum(TRY_AGAIN_S)) - 1):
            self.server.say(wire.Ping(1, self.server.time))  # else it would be silent, and lines wait for it
            self.server.run(1.0)
        self.assertNoResult(kept)
        self.server.say(wire.Ping(1, self.server.time))
        self.server.run(2.0)
        self.assertEqual(self.failureResultOf(kept, Refused).value.reason, "unknown")
        cids = [say.cid for say in self.server.found(wire.Say)]
        self.assertEqual((len(cids), len(set(cids))), (4, 1))

    def test_while_away(self) -> None:
        """What is said while away goes out in order when we are back, one line after the other; more than 64 do not wait."""
        self.server.cut()
        kept = [self.game.say(f"{number}") for number in range(64)]
        self.assertEqual(self.failureResultOf(self.game.say("too much"), Refused).value.reason, "slow-down")
        self.server.run(2)
        for each in kept:
            self.successResultOf(each)
        self.assertEqual([say.text for say in self.server.found(wire.Say)], [f"{number}" for number in range(64)])

    def test_gone(self) -> None:
        """Who waits when the server sends us away gets the reason."""
        self.server.answers[wire.Say] = lambda say: []
        self.server.say(wire.History(7, CHAT_EPOCH, 7, True, []))
        self.server.run()
        kept, page = self.game.say("hi"), self.game.earlier()
        self.server.run()
        self.server.close(4505, "out")
        for waiter in (kept, page):
            self.assertEqual(self.failureResultOf(waiter, ConnectionFailed).value.code, 4505)


class HeardTests(ClientCase):
    """Lines of all kinds, changes and pages."""

    def line(self, offset: int, kind: int = 0, text: str = "hi", **more: Any) -> wire.Line:
        """Make a line."""
        return wire.Line(7, offset, 5, 6, kind, "u2", "Bob", text, **more)

    def test_kinds(self) -> None:
        """What is said to all, what is private, what the game says: each is heard apart."""
        lines, privates, notices = self.heard("line"), self.heard("private"), self.heard("notice")
        kinds = [LineKind.TEXT, LineKind.PRIVATE, LineKind.NOTICE, LineKind.EMOJI, LineKind.ME, 64]
        self.server.say(*(self.line(offset, kind) for offset, kind in enumerate(kinds)))
        self.server.run()
        self.assertEqual([line.kind for line in lines], [LineKind.TEXT, LineKind.EMOJI, LineKind.ME, 64])
        self.assertEqual(([line.offset for line in privates], [line.offset for line in notices]), ([1], [2]))

    def test_change(self) -> None:
        """A change is heard as the line reads now."""
        lines, changes = self.heard("line"), self.heard("change")
        self.server.say(
            self.line(0),
            self.line(1, LineKind.EDIT, "ho", about=0),
            self.line(2, LineKind.REACTION, UP, about=0, reactions=[(UP, 1, False)]),
        )
        self.server.run()
        self.assertEqual([line.text for line in lines], ["hi"])
        self.assertEqual([(line.text, line.edited, line.reactions) for line in changes],
                         [("ho", True, {}), ("ho", True, {UP: (1, False)})])  # fmt: skip
        self.assertEqual(list(self.game.chat.message_history), changes[-1:])

    def test_earlier(self) -> None:
        """A page of before, and whether there are more."""
        self.server.answers[wire.Earlier] = lambda ask: [
            wire.Page(7, CHAT_EPOCH, ask.before, ask.before > 5, [[ask.before - 1, 5, 6, 0, "u2", "Bob", "old"]])
        ]
        self.server.say(self.line(0))
        self.assertEqual((self.page(), self.page()), (([], False), ([], False)))
        self.server.say(wire.History(7, CHAT_EPOCH, 7, True, [[6, 5, 6, 0, "u2", "Bob", "hi"]]))
        self.server.run()
        self.assertEqual([self.page(), self.page(), self.page()], [([5], True), ([4], False), ([], False)])
        self.assertEqual([ask.limit for ask in self.server.found(wire.Earlier)], [10, 10])
        shown: list[ChatMessage] = list(self.game.chat.message_history)
        self.assertEqual([line.offset for line in shown], [4, 5, 6])

    def page(self) -> tuple[list[int], bool]:
        """Get a page."""
        asked = self.game.earlier(10)
        self.server.run()
        page = self.successResultOf(asked)
        return [line.offset for line in page.messages], page.more

    def test_earlier_refused(self) -> None:
        """A page that is not to be had is refused; so many at once are too."""
        self.server.answers[wire.Earlier] = lambda ask: [wire.ErrorMessage(5, "slow-down", "too fast")]
        self.server.say(wire.History(7, CHAT_EPOCH, 7, True, [[6, 5, 6, 0, "u2", "Bob", "hi"]]))
        self.server.run()
        asked = [self.game.earlier() for _ in range(17)]
        self.assertIn("already", self.failureResultOf(asked[-1], Refused).value.text)
        self.server.run()
        for each in asked[:-1]:
            self.assertEqual(self.failureResultOf(each, Refused).value.text, "too fast")
        self.game.chat.earlier()  # nobody waits for this one
        self.server.run()
        self.assertEqual(self.game.status, "online")
