"""A channel: nothing is heard before it is kept, and nothing is lost or said twice."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.channel import Channel
from meteor_net.interfaces import ChannelPlace, Identity
from meteor_net.limits import Limits
from meteor_net.messages import History, Line, Message
from meteor_net.requests import Fetch, OpenChannel, Request, Store
from meteor_net.session.registry import Registry
from meteor_net.session.session import Session
from meteor_net.storage.memory import MemoryStorage

from ..plain import FakePipe, run, stored

EPOCH = 77


class Log:
    """A storage that answers when, in which order, and how the test says.

    Attributes:
        lines: What is kept.
        requests: What was asked for, oldest first.
    """

    def __init__(self, **limits: Any) -> None:
        self.requests: list[Request] = []
        self.reports: list[str] = []
        self.channel = Channel(4, "sea/main", Limits(**limits), self.requests, self.report)
        self.storage = MemoryStorage(Random(5), lines=1_000)
        self.storage._epoch = EPOCH
        self.registry = Registry(Limits(), Random(1))
        self.said: list[object] = []

    def report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        self.reports.append(f"{event} {fields['verb']}: {error}")

    def do(self, request: Request) -> Any:
        """What storage answers to a request."""
        match request:
            case Store():
                return run(self.storage.append(request.channel, request.line))
            case OpenChannel():
                return run(self.storage.open(request.channel))
            case Fetch(after=None):
                return run(self.storage.latest(request.channel, request.limit))
            case Fetch():
                return run(self.storage.lines(request.channel, -1 if request.after is None else request.after, request.limit))

    def answer(self, place: int = 0) -> None:
        """Do a request, and say so."""
        request = self.requests.pop(place)
        request.then(self.do(request), 1.0)

    def answer_all(self) -> None:
        """Do all that is asked for, in order."""
        while self.requests:
            self.answer()

    def do_but_wait(self, place: int = 0) -> Any:
        """Do a request, and give a function that says so later."""
        request = self.requests.pop(place)
        answer = self.do(request)
        return lambda: request.then(answer, 1.0)

    def fail(self, place: int = 0, *, kept: bool = False) -> None:
        """Let a request fail, though it may have been done all the same."""
        request = self.requests.pop(place)
        if kept:
            self.do(request)
        request.failed(OSError("disk full"), 1.0)

    def keep(self, *texts: str) -> None:
        """Lines that are there already, or that somebody else has kept."""
        for text in texts:
            run(self.storage.append("sea/main", stored(text=text)))

    def open(self) -> None:
        """Open the channel."""
        self.channel.open(lambda now: None, lambda error, now: None, 1.0)
        self.answer_all()

    def say(self, text: str, cid: str = "") -> None:
        """Say a line; what becomes of it is in `said`."""
        self.channel.say(
            stored(text=text, cid=cid),
            lambda offset, now: self.said.append((text, offset)),
            lambda error, now: self.said.append((text, str(error))),
            1.0,
        )

    def hearer(self, *since: int) -> Ear:
        """Somebody who begins to hear, perhaps from a place."""
        return Ear(self, (since[0], since[1]) if since else None)


class Ear:
    """A session that hears."""

    def __init__(self, log: Log, since: tuple[int, int] | None) -> None:
        self.log = log
        self.pipe = FakePipe()
        self.session: Session = log.registry.make(Identity("u", "ann"), 1.0)
        self.session.attach(self.pipe, 1.0)
        log.channel.hear(self.session, since)

    def read(self) -> list[Message]:
        """Take what came."""
        self.log.registry.flush(1.0)
        return self.pipe.read()

    def heard(self) -> list[str]:
        """Take what came, as text: h[…] for a history, with ! for a gap."""
        found = []
        for message in self.read():
            if isinstance(message, History):
                found.append("h" + "!" * message.gap + "[" + " ".join(line[6] for line in message.lines) + "]")
            else:
                assert isinstance(message, Line)
                found.append(message.text)
        return found


class ChannelCase(SynchronousTestCase):
    """A channel, open."""

    def setUp(self) -> None:
        self.log = Log()
        self.log.open()

    def begin(self, *texts: str, **limits: Any) -> Log:
        """Make it anew, with lines and limits."""
        self.log = Log(**limits)
        self.log.keep(*texts)
        self.log.open()
        return self.log


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

    def test_somebody_elses_line(self) -> None:
        """A line that another process, or a room of the same name before this one, has kept is heard in its place."""
        self.log.keep("theirs")
        self.log.say("ours")
        self.log.answer()
        self.assertEqual(self.ear.heard(), [])
        self.log.answer_all()
        self.assertEqual(self.ear.heard(), ["theirs", "ours"])

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


class HistoryTests(ChannelCase):
    """What a newcomer gets."""

    def test_newest(self) -> None:
        """The newest lines, as many as the limit says, none of them a gap; 0, 1, the limit and one more are there."""
        for kept in (0, 1, 3, 4):
            log = self.begin(*map(str, range(kept)), history_lines=3)
            ear = log.hearer()
            log.answer_all()
            (history,) = ear.read()
            assert isinstance(history, History)
            self.assertEqual((history.channel, history.epoch, history.next, history.gap), (4, EPOCH, kept, False))
            self.assertEqual([line[0] for line in history.lines], list(range(kept))[-3:])

    def test_none_wanted(self) -> None:
        """An operator may give newcomers no history."""
        ear = self.begin("a", history_lines=0).hearer()
        self.log.answer_all()
        self.assertEqual(ear.heard(), ["h[]"])

    def test_items(self) -> None:
        """A line of the history has the items of LINE after its channel (clause 10.5)."""
        ear = self.begin("a").hearer()
        self.log.answer_all()
        self.assertEqual(ear.read(), [History(4, EPOCH, 1, False, [[0, 1_000, 1, 0, "ann", "ann", "a", ""]])])

    def test_merged_with_live_lines(self) -> None:
        """Lines that are kept while the history is read come once: in it, or behind it."""
        for answered_late in (False, True):
            log = self.begin("a", "b")
            ear = log.hearer()
            read = log.do_but_wait() if answered_late else None
            log.say("c")
            log.answer(len(log.requests) - 1)
            self.assertEqual(ear.heard(), [])
            if read is not None:
                read()
            else:
                log.answer()
            self.assertEqual(ear.heard(), ["h[a b c]"])
            log.say("d")
            log.answer_all()
            self.assertEqual(ear.heard(), ["d"])

    def test_kept_but_not_yet_told(self) -> None:
        """A line that storage has kept, but not told of yet, comes as a line, not in the history."""
        self.log.say("a")
        told = self.log.do_but_wait()
        ear = self.log.hearer()
        self.log.answer()
        self.assertEqual(ear.heard(), ["h[]"])
        told()
        self.assertEqual(ear.heard(), ["a"])

    def test_heard_anew(self) -> None:
        """Who asks again while the first history is read gets one."""
        ear = self.begin("a").hearer()
        self.log.channel.hear(ear.session, None)
        self.log.answer_all()
        self.assertEqual(ear.heard(), ["h[a]"])

    def test_read_fails(self) -> None:
        """If it cannot be read, lines go on, the operator is told, and a gap is not denied."""
        log = self.begin("a")
        new, back = log.hearer(), log.hearer(EPOCH, -1)
        log.fail()
        log.fail()
        log.say("b")
        log.answer_all()
        self.assertEqual((new.heard(), back.heard()), (["h[]", "b"], ["h![]", "b"]))
        self.assertEqual(log.reports, ["error history: disk full"] * 2)


class ResumeTests(ChannelCase):
    """What somebody gets who comes back."""

    def resumed(self, *since: int) -> list[str]:
        """What is heard from a place."""
        ear = self.log.hearer(*since)
        self.log.answer_all()
        return ear.heard()

    def test_exactly_what_was_missed(self) -> None:
        """All lines since the place, and no other; nothing if nothing was missed."""
        self.begin("a", "b", "c", "d", history_lines=1)
        self.assertEqual(self.resumed(EPOCH, 3), ["h[]"])
        self.assertEqual(self.resumed(EPOCH, 2), ["h[d]"])
        self.assertEqual(self.resumed(EPOCH, 0), ["h[b c d]"])
        self.assertEqual(self.resumed(EPOCH, -1), ["h[a b c d]"])

    def test_limit(self) -> None:
        """As many as the limit; one more is a gap, and then the newest come."""
        self.begin(*"abcde", resume_lines=3, history_lines=2)
        self.assertEqual(self.resumed(EPOCH, 1), ["h[c d e]"])
        self.assertEqual(self.resumed(EPOCH, 0), ["h![d e]"])

    def test_nothing_is_resumed(self) -> None:
        """With a limit of 0 the newest lines come, and are a gap unless they are all that was missed."""
        self.begin(*"abc", resume_lines=0, history_lines=1)
        self.assertEqual(self.resumed(EPOCH, 2), ["h[]"])
        self.assertEqual(self.resumed(EPOCH, 1), ["h[c]"])
        self.assertEqual(self.resumed(EPOCH, 0), ["h![c]"])

    def test_gap(self) -> None:
        """Another epoch is a gap, and so is a place that the channel has not reached, however far."""
        self.begin("a", "b")
        self.assertEqual(self.resumed(EPOCH + 1, 0), ["h![a b]"])
        for offset in (2, 3, 2**53 - 1):
            self.assertEqual(self.resumed(EPOCH, offset), ["h![a b]"])

    def test_gap_in_an_empty_channel(self) -> None:
        """Nothing there, but the place says that something was: a gap."""
        self.assertEqual(self.resumed(EPOCH, 5), ["h![]"])
        self.assertEqual(self.resumed(EPOCH, -1), ["h[]"])

    def test_no_longer_kept(self) -> None:
        """Lines that storage has dropped are a gap, though the offset is of this epoch."""
        log = self.log
        log.storage = MemoryStorage(Random(5), lines=2)
        log.storage._epoch = EPOCH
        for text in "abcd":
            log.say(text)
        log.answer_all()
        self.assertEqual(self.resumed(EPOCH, 0), ["h![c d]"])
        self.assertEqual(self.resumed(EPOCH, 1), ["h[c d]"])

    def test_lines_while_it_is_read(self) -> None:
        """What was missed may be as much as the limit, and more is said meanwhile: all comes, and it is no gap."""
        self.begin(*"abc", resume_lines=2)
        ear = self.log.hearer(EPOCH, 0)
        for text in "de":
            self.log.say(text)
        while len(self.log.requests) > 1:
            self.log.answer(1)
        self.log.answer()
        self.assertEqual(ear.heard(), ["h[b c d e]"])


#: What may happen, in any order; answers most of all.
STEPS = ["say", "say", "hear", "theirs", "fail", "lose", "answer", "answer", "answer"]


class AnyOrderTests(SynchronousTestCase):
    """Whatever storage does, in whatever order, every line is heard once and in order."""

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=40))
    def test_no_hole(self, steps: list[tuple[str, int]]) -> None:
        """Lines said, kept by others, failed, kept in spite of that; hearers that come: all hear what is kept."""
        log = Log(history_lines=500)
        log.open()
        ears = [log.hearer()]
        for number, (what, place) in enumerate(steps):
            self.step(log, ears, what, place, str(number))
        log.answer_all()
        for _ in range(3):  # a hole that was seen last is closed by the next lines
            log.say("last")
            log.answer_all()
        kept = len(run(log.storage.latest("sea/main", 1_000)))
        for ear in ears:
            heard = [offset for message in ear.read() for offset in offsets(message)]
            self.assertEqual(heard, list(range(kept)))
        self.assertEqual(log.channel.place, ChannelPlace(EPOCH, kept))

    def step(self, log: Log, ears: list[Ear], what: str, place: int, text: str) -> None:
        """Let one thing happen."""
        if what == "say":
            log.say(text)
        elif what == "theirs":
            log.keep(text)
        elif what == "hear":
            ears.append(log.hearer())
        elif log.requests:
            place %= len(log.requests)
            # A history that cannot be read leaves a hole on purpose, which test_read_fails shows.
            if what == "answer" or isinstance(log.requests[place], Fetch):
                log.answer(place)
            else:
                log.fail(place, kept=what == "lose")


def offsets(message: Message) -> list[int]:
    """The offsets of the lines in a message."""
    if isinstance(message, History):
        return [line[0] for line in message.lines]
    assert isinstance(message, Line)
    return [message.offset]
