"""A channel: nothing is heard before it is kept, and nothing is lost or said twice."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.channel import HEAL_AGAIN_S
from meteor_net.errors import StorageError
from meteor_net.interfaces import ChannelPlace
from meteor_net.messages import Line
from meteor_net.requests import Fetch, Pause, Store

from .log import EPOCH, ChannelCase, Log


class OpenTests(SynchronousTestCase):
    """Finding out where the channel stands."""

    def test_open(self) -> None:
        """It is asked once; who asks while that is under way waits too, who asks later knows at once."""
        log = Log()
        opened: list[tuple[str, float]] = []

        def heard(name: str, now: float) -> None:
            opened.append((name, now))

        log.keep("a")
        for name in "ab":
            log.channel.open(partial(heard, name), lambda error, now: None, 0.5)
        log.answer_all()
        log.channel.open(partial(heard, "c"), lambda error, now: None, 2.5)
        self.assertEqual(opened, [("a", 1.0), ("b", 1.0), ("c", 2.5)])
        self.assertEqual(log.channel.place, ChannelPlace(EPOCH, 1))

    def test_asked_twice(self) -> None:
        """The second answer of two does not put it back: lines were heard since the first."""
        log = Log()
        for _ in range(2):
            log.channel.open(lambda now: None, lambda error, now: None, 0.5)
        late = log.do_but_wait(1)
        log.answer()
        log.say("x")
        log.answer()
        late()
        self.assertEqual(log.channel.place, ChannelPlace(EPOCH, 1))

    def test_fails(self) -> None:
        """Whoever asked is told, and may ask again."""
        log, told = Log(), []
        log.channel.open(lambda now: None, lambda error, now: told.append(str(error)), 0.5)
        log.fail()
        self.assertEqual((told, log.channel.place), (["disk full"], None))
        log.open()
        self.assertIsNotNone(log.channel.place)

    def test_said_before_open(self) -> None:
        """A line for a channel that nobody has opened, as a letter to somebody who is gone, is kept all the same."""
        log = Log()
        log.say("x")
        log.answer_all()
        self.assertEqual((log.said, log.channel.place), ([("x", 0)], ChannelPlace(EPOCH, 1)))


class LineTests(ChannelCase):
    """Lines as they are said."""

    def test_durable_before_heard(self) -> None:
        """Nobody hears a line, and its sender is not told, before storage has kept it."""
        ear = self.log.hearer()
        self.log.answer_all()
        self.assertEqual(ear.heard(), ["h[]"])
        self.log.say("x")
        self.assertEqual((ear.heard(), self.log.said), ([], []))
        self.log.answer()
        self.assertEqual((ear.heard(), self.log.said), (["x"], [("x", 0)]))
        self.assertEqual(self.log.channel.lines, 1)

    def test_line(self) -> None:
        """A line comes with all that is known of it, and its channel's number."""
        ear = self.log.hearer()
        self.log.answer_all()
        ear.read()
        self.log.say("x", cid="c1")
        self.log.answer()
        self.assertEqual(ear.read(), [Line(4, 0, 1_000, 1, 0, "ann", "ann", "x", "c1")])

    def test_shared(self) -> None:
        """However many hear it, a line is encoded and framed once."""
        ears = [self.log.hearer() for _ in range(4)]
        self.log.answer_all()
        for ear in ears:
            ear.read()
            ear.pipe.packed = 0
        self.log.say("x")
        self.log.answer()
        self.assertEqual([ear.heard() for ear in ears], [["x"]] * 4)
        self.assertEqual(sum(ear.pipe.packed for ear in ears), 1)

    def test_out_of_order(self) -> None:
        """Storage may answer in another order: senders are told at once, hearers hear by offset."""
        ear = self.log.hearer()
        self.log.answer_all()
        ear.read()
        for text in "abc":
            self.log.say(text)
        first, second, third = (self.log.do_but_wait() for _ in range(3))
        third()
        self.assertEqual((ear.heard(), self.log.said), ([], [("c", 2)]))
        first()
        self.assertEqual(ear.heard(), ["a"])
        second()
        self.assertEqual((ear.heard(), self.log.requests), (["b", "c"], []))

    def test_said_again(self) -> None:
        """A line that its sender says again, not knowing that it was kept, is heard once and confirmed twice."""
        ear = self.log.hearer()
        self.log.answer_all()
        ear.read()
        for _ in range(2):
            self.log.say("x", cid="1")
            self.log.answer()
        self.assertEqual((ear.heard(), self.log.said), (["x"], [("x", 0), ("x", 0)]))

    def test_unheard(self) -> None:
        """Who left hears no more, not even the history that was being read; a stranger may leave too."""
        staying, leaving, reading = self.log.hearer(), self.log.hearer(), None
        self.log.answer_all()
        reading = self.log.hearer()
        self.assertEqual((len(self.log.channel), leaving.session in self.log.channel), (3, True))
        for ear in (leaving, reading, leaving):
            self.log.channel.unhear(ear.session)
        self.log.answer_all()
        self.log.say("x")
        self.log.answer_all()
        self.assertEqual([ear.heard() for ear in (staying, leaving, reading)], [["h[]", "x"], ["h[]"], []])


class FailureTests(ChannelCase):
    """Storage fails."""

    def setUp(self) -> None:
        super().setUp()
        self.ear = self.log.hearer()
        self.log.answer_all()
        self.ear.read()

    def test_not_kept(self) -> None:
        """The sender is told, nobody hears it, and the next line takes its offset."""
        self.log.say("a")
        self.log.fail()
        self.log.answer_all()
        self.log.say("b")
        self.log.answer_all()
        self.assertEqual((self.ear.heard(), self.log.said), (["b"], [("a", "disk full"), ("b", 0)]))

    def test_kept_all_the_same(self) -> None:
        """A line may be kept though its answer was lost: then it is heard, and those after it do not wait for ever."""
        for text in "abc":
            self.log.say(text)
        self.log.answer(0)
        self.log.fail(0, kept=True)
        self.log.answer(0)
        self.assertEqual(self.ear.heard(), ["a"])
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["b", "c"])

    def test_looks_once(self) -> None:
        """Many failures make one look."""
        for text in "abc":
            self.log.say(text)
        for _ in range(3):
            self.log.fail()
        self.assertEqual([type(request) for request in self.log.requests], [Fetch])

    def test_look_fails(self) -> None:
        """A look that fails is told to the operator, and made again at the next occasion."""
        self.log.say("a")
        self.log.fail(kept=True)
        self.log.fail()
        self.assertEqual(self.log.reports, ["error history: disk full"])
        self.log.say("b")
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["a", "b"])

    def test_look_fails_and_nobody_speaks(self) -> None:
        """A look that fails is made again by itself."""
        self.log.say("a")
        self.log.fail(kept=True)
        self.log.fail()
        self.assertEqual([type(request) for request in self.log.requests], [Pause])
        self.log.answer()
        self.log.fail()
        self.log.answer_all()
        self.assertEqual((self.ear.heard(), self.log.requests), (["a"], []))

    def test_kept_late(self) -> None:
        """What storage keeps after its time is heard too, though its sender is gone; it is looked for some times."""
        self.log.say("a")
        self.log.fail()
        seconds = []
        while self.log.requests:
            (request,) = self.log.requests
            if isinstance(request, Pause):
                seconds.append(request.seconds)
            self.log.answer()
        self.assertEqual(seconds, list(HEAL_AGAIN_S))
        self.log.say("b")
        self.log.fail()
        self.log.answer()
        self.log.keep("b")
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["b"])
        self.log.say("c")
        self.log.fail(error=StorageError("the disk is full"))
        self.log.answer()
        self.assertEqual(self.log.requests, [], "nothing was kept")

    def test_somebody_elses_line(self) -> None:
        """A line that another process, or a room of the same name before this one, has kept is heard in its place."""
        self.log.keep("theirs")
        self.log.say("ours")
        self.log.answer()
        self.assertEqual(self.ear.heard(), [])
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["theirs", "ours"])

    def test_hole_and_a_refusal(self) -> None:
        """A line that waits for somebody else's, while one of ours is refused, does not wait for another one."""
        self.log.keep("theirs")
        self.log.say("ours")
        self.log.say("x", kind=3, about=77)
        self.log.answer()
        self.assertEqual([type(request) for request in self.log.requests], [Store])
        self.log.answer()
        self.assertEqual([type(request) for request in self.log.requests], [Fetch])
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["theirs", "ours"])

    def test_refused(self) -> None:
        """What storage refuses is known not to be kept: nobody has to look."""
        self.log.say("x", kind=3, about=77)
        self.log.answer()
        self.assertEqual(self.log.said, [("x", "the line that this is about is not there")])
        self.assertEqual(self.log.requests, [])

    def test_hole_under_load(self) -> None:
        """Such a hole is found though lines are always under way: those said after it are not waited for."""
        self.log.say("a")
        self.log.keep("theirs")
        self.log.say("b")
        self.log.say("c")
        self.log.answer(0)
        self.assertEqual(self.log.said, [("a", 1)])
        self.log.say("d")
        self.assertEqual([type(request) for request in self.log.requests], [Store] * 3)
        self.log.answer(0)
        self.log.answer(0)
        self.assertEqual([type(request) for request in self.log.requests], [Store, Fetch])
        self.log.answer(1)
        self.assertEqual(self.ear.heard(), ["theirs", "a", "b", "c"])
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["d"])
