"""Whatever is said, changed, read and lost, in whatever order storage answers: who hears a channel sees what storage has.

`View` folds what comes, as the wire page says (clauses 10.4, 10.5 and 10.7), and shares no code with the clients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.interfaces import StoredLine
from meteor_net.messages import CHANGES, ErrorMessage, History, Line, LineKind, LineState, Message, Page
from meteor_net.requests import Fetch, FetchPage, Store

from ..plain import FakePipe, run, stored
from .log import Ear, Log

EMOJIS = ["\u2764\ufe0f", "\U0001f30a"]
USERS = ["u0", "u1", "u2"]


@dataclass
class Seen:
    """A line as somebody sees it."""

    text: str
    state: int
    reactions: dict[str, tuple[int, bool]]

    @classmethod
    def of(cls, line: Line | StoredLine) -> Seen:
        """As it was given."""
        return cls(line.text, line.state, {emoji: (count, mine) for emoji, count, mine in line.reactions})


@dataclass
class View:
    """What one user sees of a channel, and how far that goes back."""

    user: str
    epoch: int = -1
    held: int = -1
    oldest: int = 0
    seen: dict[int, Seen] = field(default_factory=dict)
    pages: int = 0

    def hear(self, message: Message) -> None:
        """Take what came."""
        if isinstance(message, History):
            self.history(message)
        elif isinstance(message, Page):
            self.pages -= 1
            lines = [convert([0, *items], Line) for items in message.lines]
            if message.before == self.oldest:  # else it was asked for before a gap
                assert message.more or not lines or lines[0].offset >= 0
                self.seen.update((line.offset, Seen.of(line)) for line in lines)
                self.oldest = lines[0].offset if message.more else 0
        elif isinstance(message, ErrorMessage):
            self.pages -= 1
        else:
            assert isinstance(message, Line)
            assert message.offset == self.held + 1, f"{message.offset} after {self.held}"
            self.held = message.offset
            self.line(message, {})

    def history(self, message: History) -> None:
        """Take the lines of before: a page, or all that was missed."""
        lines = [convert([0, *items], Line) for items in message.lines]
        if message.gap or message.epoch != self.epoch:
            assert not any(line.kind in CHANGES for line in lines), "a page of content"
            self.seen.clear()
            self.oldest = lines[0].offset if lines else message.next
        else:
            assert [line.offset for line in lines] == list(range(self.held + 1, message.next))
        given = {line.offset: Seen.of(line) for line in lines if line.kind not in CHANGES}
        for line in lines:
            self.line(line, given)
        self.epoch, self.held = message.epoch, message.next - 1

    def line(self, line: Line, given: dict[int, Seen]) -> None:
        """Take a line; what it changes may be given as it stands already."""
        if line.kind not in CHANGES:
            self.seen[line.offset] = Seen.of(line)
        elif line.about not in given and line.about in self.seen:
            self.change(self.seen[line.about], line)

    def change(self, target: Seen, line: Line) -> None:
        """Do to a line what a change says."""
        if target.state == LineState.DELETED:
            return
        if line.kind == LineKind.DELETE:
            target.text, target.state, target.reactions = "", LineState.DELETED, {}
        elif line.kind == LineKind.EDIT:
            if line.text:
                target.text, target.state = line.text, LineState.EDITED
        else:
            ((emoji, count, _),) = line.reactions
            mine = target.reactions.pop(emoji, (0, False))[1]
            if line.sender == self.user:
                mine = line.kind == LineKind.REACTION
            if count:
                target.reactions[emoji] = (count, mine)


class Hearer:
    """A user who comes and goes, and what is seen meanwhile."""

    def __init__(self, log: Log, user: str) -> None:
        self.log = log
        self.view = View(user)
        self.ear: Ear | None = None

    def come(self) -> None:
        """Begin to hear, from the place that is held."""
        since = (self.view.epoch, self.view.held) if self.view.epoch >= 0 else ()
        self.view.pages = 0
        if self.ear is None:
            self.ear = self.log.hearer(*since, user=self.view.user)
        else:
            self.ear.session.attach(self.ear.pipe, 1.0)
            self.log.channel.hear(self.ear.session, (since[0], since[1]) if since else None)

    @property
    def here(self) -> bool:
        """Whether it hears now."""
        return self.ear is not None and self.ear.session in self.log.channel

    def go(self, keep: bool) -> None:
        """Hear no more; what was sent last may be lost."""
        assert self.ear is not None
        if keep:
            self.read()
        self.log.channel.unhear(self.ear.session)
        self.ear.session.detach(1.0)
        self.ear.pipe = FakePipe()

    def read(self) -> None:
        """Take what came."""
        if self.ear is not None:
            for message in self.ear.read():
                self.view.hear(message)

    def earlier(self, limit: int) -> None:
        """Ask for a page, one at a time, once the history is there."""
        self.read()
        if self.ear is not None and self.view.epoch >= 0 and self.view.pages == 0:
            self.view.pages += 1
            self.log.channel.earlier(self.ear.session, self.view.oldest, limit)


#: What may happen, in any order; answers most of all.
STEPS = [
    "say", "say", "react", "react", "unreact", "edit", "delete", "theirs", "again",
    "come", "go", "vanish", "earlier", "read", "fail", "lose", "hold", "tell", "answer", "answer", "answer", "answer", "answer",
]  # fmt: skip


class ViewTests(SynchronousTestCase):
    """All see the same."""

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(
        st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 9)), max_size=60),
        st.integers(0, 4),
        st.integers(0, 8),
    )
    def test_what_storage_has(self, steps: list[tuple[str, int, int]], history: int, resume: int) -> None:
        """Hearers of any past, of histories and pages of any length, end with what is kept, as it stands."""
        log = Log(history_lines=history, resume_lines=resume)
        log.keep(*"abcde")
        log.open()
        hearers = [Hearer(log, user) for user in USERS]
        self.held: list[Callable[[], None]] = []
        for number, (what, a, b) in enumerate(steps):
            self.step(log, hearers, what, a, b, str(number))
        self.settle(log, hearers)
        for hearer in hearers:
            view = hearer.view
            kept = run(log.storage.page("sea/main", None, 1_000, view.user))
            self.assertEqual(view.held, kept[-1].offset)
            expected = {line.offset: Seen.of(line) for line in kept if line.offset >= view.oldest}
            self.assertEqual(view.seen, expected)

    def settle(self, log: Log, hearers: list[Hearer]) -> None:
        """Let all be there, all be answered, and holes be seen by the lines after them; then read back all there is."""
        for hearer in hearers:
            if not hearer.here:
                hearer.come()
        for told in self.held:
            told()
        for number in range(3):
            log.answer_all()
            log.say("last", cid=f"last {number}")
        log.answer_all()
        for hearer in hearers[1:]:
            hearer.read()
            while hearer.view.oldest:
                hearer.earlier(1)
                log.answer_all()
                hearer.read()
        hearers[0].read()

    def step(self, log: Log, hearers: list[Hearer], what: str, a: int, b: int, text: str) -> None:
        """Let one thing happen."""
        if what == "tell":
            if self.held:
                self.held.pop(b % len(self.held))()
        elif what in ("answer", "hold", "fail", "lose"):
            if log.requests:
                self.answer(log, what, b % len(log.requests))
        elif what in ("come", "go", "vanish", "earlier", "read"):
            self.move(hearers[a % len(hearers)], what, 1 + b % 4)
        elif what == "theirs":
            run(log.storage.append("sea/main", stored(text=text, cid=text)))
        elif what in ("say", "again"):
            log.say(text, cid=text if what == "say" else str(b), sender=USERS[0])
        else:
            kind = {
                "edit": LineKind.EDIT,
                "delete": LineKind.DELETE,
                "react": LineKind.REACTION,
                "unreact": LineKind.UNREACTION,
            }
            said = {"edit": text, "delete": ""}.get(what, EMOJIS[a % 2])
            about, sender = b - 1, USERS[b % len(USERS)]
            log.say(said, cid=text, kind=int(kind[what]), about=about, sender=sender, moderator=a > 2)

    def move(self, hearer: Hearer, what: str, limit: int) -> None:
        """Let a hearer do something, if it can."""
        if what == "read":
            hearer.read()
        elif what == "come" and not hearer.here:
            hearer.come()
        elif what in ("go", "vanish") and hearer.here:
            hearer.go(keep=what == "go")
        elif what == "earlier" and hearer.here:
            hearer.earlier(limit)

    def answer(self, log: Log, what: str, place: int) -> None:
        """Let storage answer, or fail, though it may have kept the line."""
        request = log.requests[place]
        if what == "answer":
            log.answer(place)
        elif what == "hold":  # storage has done it, and its answer is on the way
            self.held.append(log.do_but_wait(place))
        elif isinstance(request, Store):
            log.fail(place, kept=what == "lose")
        elif isinstance(request, Fetch | FetchPage):
            log.fail(place)
