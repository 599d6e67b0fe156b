"""How much each user may say: rates, slow mode, mutes."""

from __future__ import annotations

from typing import Any, cast
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import Refused, StorageError
from meteor_net.limits import MAX_INT, Limits
from meteor_net.messages import Line, LineKind, Said, Unsaid
from meteor_net.requests import Store
from meteor_net.room import voices
from meteor_net.room.voices import Voices

from ..plain import Guest
from .talkers import TalkCase


class RateTests(TalkCase):
    """The rate of a user's lines."""

    def test_by_user(self) -> None:
        """It is the user's: a second session shares it, and so does one who leaves and comes back; others have their own."""
        self.begin(lines_burst=2, lines_per_s=1.0)
        second = self.bench.guest("ann")
        self.ann.say("x", cid="1")
        second.say("x", cid="2")
        self.ann.say("x", cid="3")
        self.ann.leave()
        self.ann = self.bench.guest("ann")
        self.ann.say("x", cid="4")
        self.bob.say("x")
        self.assertEqual((self.refused(), self.refused(self.bob)), (["slow-down"], []))

    def test_wait(self) -> None:
        """The player is told how long to wait."""
        self.begin(lines_burst=1, lines_per_s=0.4)
        self.ann.say("x", cid="1")
        self.ann.say("x", cid="2")
        self.assertEqual([unsaid.wait for unsaid in self.ann.found(Unsaid)], [2_500])
        self.begin(lines_burst=0)
        self.ann.say("x")
        self.assertEqual([unsaid.wait for unsaid in self.ann.found(Unsaid)], [0])


class SlowTests(TalkCase):
    """Slow mode."""

    def setUp(self) -> None:
        super().setUp()
        self.bench.chat.slow_s = 10

    def waits(self, guest: Guest | None = None) -> list[tuple[type, int]]:
        """The answers that came, and how long they say to wait."""
        found: list[Any] = self.outcome(guest or self.ann)
        return [(type(message), message.wait) for message in found]

    def test_countdown(self) -> None:
        """A line is answered with the time until the next one; one before that is refused with what is left."""
        self.ann.say("x", cid="1")
        self.assertEqual(self.waits(), [(Said, 10_000)])
        self.bench.pass_time(7.5)
        self.ann.say("y", cid="2")
        (unsaid,) = self.ann.found(Unsaid)
        self.assertEqual((unsaid.reason, unsaid.text, unsaid.wait), ("slow-down", "slow mode; again in 2.5 s", 2_500))
        self.bob.say("x")
        self.assertEqual(self.waits(self.bob), [(Said, 10_000)])
        self.bench.pass_time(2.5)
        self.ann.say("y", cid="3")
        self.assertEqual([type(message) for message in self.outcome(self.ann)], [Said])

    def test_all_content(self) -> None:
        """Whatever is shown by itself counts, private messages and commands too; changes do not."""
        self.bench.chat.answers["own"] = lambda kind, text, data: (text, data)
        says = [
            lambda cid: self.ann.say("x", cid=cid),
            lambda cid: self.ann.say("\U0001f30a", cid=cid, kind=LineKind.EMOJI),
            lambda cid: self.ann.say("waves", cid=cid, kind=LineKind.ME),
            lambda cid: self.ann.say("x", cid=cid, kind=64),
            lambda cid: self.ann.whisper("bob", "x", cid),
            lambda cid: self.ann.say("/help", cid=cid),
        ]
        for number, say in enumerate(says):
            say(f"{number}")
            self.assertEqual(self.waits(), [(Said, 10_000)])
            say(f"{number} again")
            self.assertEqual(self.waits(), [(Unsaid, 10_000)])
            self.ann.say("\U0001f30a", cid=f"{number} r", kind=LineKind.REACTION, about=0)
            self.ann.say("\U0001f30a", cid=f"{number} u", kind=LineKind.UNREACTION, about=0)
            self.assertEqual([kind for kind, _ in self.waits()], [Said, Said])
            self.bench.pass_time(10.0)

    def test_held(self) -> None:
        """A held line counts as well."""
        self.bench.chat.answers["line"] = lambda text: None
        self.ann.say("x")
        self.assertEqual(self.waits(), [(Said, 10_000)])

    def test_refused_lines_do_not_count(self) -> None:
        """What the handler, or storage, does not take costs no wait."""
        self.bench.chat.answers["line"] = Refused("no")
        self.ann.say("x", cid="1")
        self.bench.chat.answers.clear()
        self.bench.hold = (Store,)
        self.ann.say("x", cid="2")
        self.bench.break_(error=StorageError("the disk is full"))
        self.bench.hold = ()
        self.ann.say("x", cid="3")
        self.assertEqual([kind for kind, _ in self.waits()], [Unsaid, Unsaid, Said])

    def test_two_at_once(self) -> None:
        """A second line does not slip through while the first is being kept; nor does its failure free a later one."""
        self.bench.hold = (Store,)
        self.ann.say("x", cid="1")
        self.ann.say("y", cid="2")
        self.assertEqual([kind for kind, _ in self.waits()], [Unsaid])
        self.bench.pass_time(10.0)
        self.ann.say("y", cid="3")
        self.bench.break_(error=StorageError("the disk was full"))
        self.ann.say("z", cid="4")
        self.assertEqual([kind for kind, _ in self.waits()], [Unsaid, Unsaid])

    def test_said_again(self) -> None:
        """A line that is said again, as its answer was lost, is not too soon."""
        for _ in range(2):
            self.ann.say("x", cid="1")
        self.assertEqual([kind for kind, _ in self.waits()], [Said, Said])
        self.assertEqual(self.texts(), ["x"])

    def test_another_line_under_the_same_id(self) -> None:
        """The id is no way around: not to another user, not for a command or a held line, nor by what is refused."""
        carl = self.bench.guest("carl", role=1)
        self.ann.whisper("bob", "x", "1")
        self.ann.whisper("carl", "x", "1")
        self.assertEqual([kind for kind, _ in self.waits()], [Said, Unsaid])
        self.assertEqual(carl.found(Line), [])
        self.ann.whisper("nobody", "x", "1")
        self.ann.say("y", cid="2")
        self.assertEqual(self.refused(), ["slow-down", "slow-down"])
        self.bench.pass_time(10.0)
        for _ in range(2):
            self.ann.say("/help", cid="3")
        self.ann.say("\U0001f30a", cid="3", kind=LineKind.REACTION, about=99)
        self.ann.say("y", cid="4")
        self.assertEqual([kind for kind, _ in self.waits()], [Said, Unsaid, Unsaid, Unsaid])
        self.bench.pass_time(10.0)
        self.bench.chat.answers["line"] = lambda text: None
        for _ in range(2):
            self.ann.say("x", cid="5")
        self.assertEqual([kind for kind, _ in self.waits()], [Said, Unsaid])

    def test_nonsense(self) -> None:
        """What is no number of seconds is no slow mode."""
        self.bench.chat.slow_s = cast(Any, "10")
        self.ann.say("x")
        self.assertEqual(self.waits(), [(Said, 0)])

    def test_for_ever(self) -> None:
        """One line, and never another: as long as the wire can say."""
        for cid, slow_s in ("1", float("inf")), ("2", 10**400):
            self.begin()
            self.bench.chat.slow_s = slow_s
            self.ann.say("x", cid=cid)
            self.assertEqual(self.waits(), [(Said, MAX_INT)])

    def test_moderators(self) -> None:
        """They are free of it."""
        self.bench.chat.moderators = {"ann"}
        for cid in "12":
            self.ann.say("x", cid=cid)
        self.assertEqual(self.waits(), [(Said, 0), (Said, 0)])


class MuteTests(TalkCase):
    """Who may say nothing."""

    def test_muted(self) -> None:
        """Nothing of any kind, for so long; the player is told how long."""
        self.room.mute("ann", 90.0)
        self.bench.pass_time(30.0)
        self.ann.say("x", cid="1")
        (unsaid,) = self.ann.found(Unsaid)
        self.assertEqual((unsaid.reason, unsaid.text, unsaid.wait), ("muted", "you are muted for 60 s", 60_000))
        self.ann.say("\U0001f30a", kind=LineKind.REACTION, about=0)
        self.ann.say("/me waves")
        self.ann.whisper("bob", "x")
        self.assertEqual(self.refused(), ["muted"] * 3)
        self.bob.say("x")
        self.bench.pass_time(60.0)
        self.ann.say("y", cid="2")
        self.assertEqual(self.texts(), ["x", "y"])

    def test_unmuted(self) -> None:
        """It may be ended, and made anew."""
        self.room.mute("ann", 90.0)
        self.room.mute("ann", 10.0)
        self.bench.pass_time(10.0)
        self.ann.say("x", cid="1")
        self.room.mute("ann", 90.0)
        self.room.mute("ann", 0.0)
        self.ann.say("y", cid="2")
        self.assertEqual(self.texts(), ["x", "y"])

    def test_leaving_is_no_way_out(self) -> None:
        """Who leaves and comes back is muted still."""
        self.room.mute("ann", 90.0)
        self.ann.leave()
        self.ann = self.bench.guest("ann")
        self.ann.say("x")
        self.assertEqual(self.refused(), ["muted"])

    def test_moderators(self) -> None:
        """They are free of it."""
        self.bench.chat.moderators = {"ann"}
        self.room.mute("ann", 90.0)
        self.ann.say("x")
        self.assertEqual(self.texts(), ["x"])


class BoundTests(SynchronousTestCase):
    """What is remembered has a bound."""

    def test_bounds(self) -> None:
        """Who said nothing for the longest time is forgotten first, and who was muted first."""
        with mock.patch.object(voices, "MAX_VOICES", 2):
            known = Voices(Limits(lines_burst=1, lines_per_s=0.0))
            for user in "aba":
                self.assertEqual(known.wait_s(user, 5.0, 1.0), 0.0)
            for user in "abca":
                try:
                    known.take_line(user, 1.0)
                except Refused:
                    self.assertEqual(user, "a")
            known.take_line("b", 1.0)
            for user in "abc":
                known.mute(user, 5.0, 1.0)
            self.assertEqual([known.muted_s(user, 2.0) for user in "abc"], [0.0, 4.0, 4.0])
            self.assertEqual(known.muted_s("c", 6.0), 0.0)
