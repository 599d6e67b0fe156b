"""What a newcomer gets of a channel, and who comes back."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.interfaces import ChannelPlace
from meteor_net.messages import History, Line, Message
from meteor_net.requests import Fetch, FetchPage
from meteor_net.storage.memory import MemoryStorage

from ..plain import run
from .log import EPOCH, ChannelCase, Ear, Log


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
        self.assertEqual(ear.read(), [History(4, EPOCH, 1, False, [[0, 1_000, 1, 0, "ann", "ann", "a"]])])

    def test_merged_with_live_lines(self) -> None:
        """Lines that are kept while the history is read come once, behind it; what it says is next is the first of them."""
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
            history, line = ear.read()
            assert isinstance(history, History) and isinstance(line, Line)
            self.assertEqual((history.next, len(history.lines), line.offset), (2, 2, 2))
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
        self.assertEqual(ear.heard(), ["h[b c]", "d", "e"])


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
        kept = len(run(log.storage.page("sea/main", None, 1_000)))
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
            if what == "answer" or isinstance(log.requests[place], (Fetch, FetchPage)):
                log.answer(place)
            else:
                log.fail(place, kept=what == "lose")


def offsets(message: Message) -> list[int]:
    """The offsets of the lines in a message."""
    if isinstance(message, History):
        return [line[0] for line in message.lines]
    assert isinstance(message, Line)
    return [message.offset]
