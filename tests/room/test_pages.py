"""Reading on backward (wire page, clause 10.7)."""

from __future__ import annotations

from meteor_net.errors import StorageError
from meteor_net.messages import Earlier, ErrorMessage, History, Line, LineKind, LineState, Page
from meteor_net.requests import FetchPage

from .talkers import TalkCase

HEART = "\u2764\ufe0f"


class PageTests(TalkCase):
    """EARLIER and PAGE."""

    def setUp(self) -> None:
        self.begin(lines_burst=50)
        for number in range(6):
            self.ann.say(str(number), cid=f"c{number}")
        self.ann.read()
        self.bob.read()

    def ask(self, before: int, limit: int = 50, channel: int | None = None) -> None:
        """Let bob ask."""
        number = self.room.channel.number if channel is None else channel
        self.bob.tell(Earlier(number, before, limit))

    def page(self, before: int, limit: int = 50) -> tuple[list[str], bool]:
        """The texts that come, and whether there are more."""
        self.ask(before, limit)
        (page,) = self.bob.found(Page)
        self.assertEqual((page.channel, page.before), (self.room.channel.number, before))
        self.assertEqual(page.epoch, self.room.channel.place and self.room.channel.place.epoch)
        return [line[6] for line in page.lines], page.more

    def errors(self) -> list[tuple[int, str, str]]:
        """What was refused."""
        return [(error.about, error.reason, error.text) for error in self.bob.found(ErrorMessage)]

    def test_pages(self) -> None:
        """The newest before an offset, ascending; whether there are more is right at the very edge."""
        self.assertEqual(self.page(6, 2), (["4", "5"], True))
        self.assertEqual(self.page(4, 2), (["2", "3"], True))
        self.assertEqual(self.page(2, 2), (["0", "1"], False))
        self.assertEqual(self.page(3, 2), (["1", "2"], True))
        self.assertEqual(self.page(0, 2), ([], False))
        self.assertEqual(self.page(99, 100), (list("012345"), False))

    def test_large_lines(self) -> None:
        """Of what would fill the outbox of a slow peer the newest is given, and that there is more."""
        self.begin(lines_burst=50, outbox_bytes=2_400)
        for number in range(6):
            self.ann.say(f"{number}" * 300, cid=f"c{number}")
            self.ann.say(HEART, cid=f"r{number}", kind=LineKind.REACTION, about=2 * number)
        place = self.room.channel.place
        assert place is not None
        self.bob.read()
        texts, more = self.page(12)
        self.assertEqual(([text[0] for text in texts], more), (["3", "4", "5"], True))
        self.bob.lose()
        self.bob.connect()
        self.bob.join("", channels={self.room.name: [place.epoch, 0]})
        history = self.bob.found(History)[0]
        self.assertEqual((history.gap, [line[6][0] for line in history.lines]), (True, ["3", "4", "5"]))

    def test_as_they_stand(self) -> None:
        """Changes are no lines of a page; what they did is in it, for the reader."""
        self.bob.say(HEART, cid="r", kind=LineKind.REACTION, about=5)
        self.ann.say("four", cid="e", kind=LineKind.EDIT, about=4)
        self.bob.read()
        self.ask(99, 2)
        (page,) = self.bob.found(Page)
        self.assertEqual([line[6] for line in page.lines], ["four", "5"])
        self.assertEqual((page.lines[0][12], page.lines[1][13]), (LineState.EDITED, [[HEART, 1, True]]))

    def test_inbox(self) -> None:
        """One's own inbox is read likewise."""
        self.ann.whisper("bob", "psst")
        self.bob.read()
        self.ask(1, channel=self.bench.lobby.inbox("bob").number)
        self.assertEqual([[line[6] for line in page.lines] for page in self.bob.found(Page)], [["psst"]])

    def test_not_heard(self) -> None:
        """Other channels are not; nor is any before one is in."""
        self.ask(1, channel=self.bench.lobby.inbox("ann").number)
        self.ask(1, channel=99)
        self.bob.lose()
        self.bob.connect()
        self.ask(1)
        self.assertEqual(self.errors(), [(5, "refused", "you do not hear that channel")])

    def test_rate(self) -> None:
        """Pages have a rate of their own."""
        self.begin(pages_burst=2, pages_per_s=0.5)
        for _ in range(3):
            self.ask(1)
        self.assertEqual(self.errors(), [(5, "slow-down", "too fast; again in 2.00 s")])
        self.bench.pass_time(2.0)
        self.ask(1)
        self.assertEqual(len(self.bob.found(Page)), 1)

    def test_fails(self) -> None:
        """A page that cannot be read is told to both; lines go on."""
        self.bench.hold = (FetchPage,)
        for error, text in (
            (StorageError("the disk is gone"), "the disk is gone"),
            (OSError("oops"), "this failed on the server"),
        ):
            self.ask(1)
            self.ann.say("x", cid=text)
            self.assertEqual(self.bob.found(Line), [])
            self.bench.break_(error=error)
            messages = self.bob.read()
            self.assertEqual([message.text for message in messages if isinstance(message, ErrorMessage | Line)], [text, "x"])
        self.assertEqual(len(self.bench.errors()), 2)

    def test_one_at_a_time(self) -> None:
        """Who asks before the answer gets none: else lines would wait for as long as pages are asked for."""
        self.bench.hold = (FetchPage,)
        self.ask(1)
        self.ask(1)
        self.assertEqual(self.errors(), [(5, "slow-down", "lines are being read for you; one page at a time")])
        self.assertEqual(len(self.bench.held), 1)
        self.bench.release()
        self.ask(1)
        self.assertEqual((len(self.bob.found(Page)), len(self.bench.held)), (1, 1))

    def test_lines_come_after_it(self) -> None:
        """A change that is kept while a page is read comes after it: it may be of a line in it."""
        self.bench.hold = (FetchPage,)
        self.ask(6, 1)
        self.ann.say("five", cid="e", kind=LineKind.EDIT, about=5)
        self.assertEqual(self.bob.read(), [])
        self.bench.release()
        page, line = self.bob.read()
        assert isinstance(page, Page) and isinstance(line, Line)
        self.assertEqual((page.lines[0][6], line.text), ("five", "five"))

    def test_gone_meanwhile(self) -> None:
        """Who has left gets none."""
        self.bench.hold = (FetchPage,)
        self.ask(6)
        self.bob.lose()
        self.bob.connect()
        self.bench.release()
        self.assertEqual(self.bob.read(), [])
