"""Chat in a whole server: which room takes what is said in a channel, and a storage that does not answer."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.defer import Deferred

from meteor_net.interfaces import StoredLine
from meteor_net.limits import Limits
from meteor_net.messages import Earlier, ErrorMessage, Joined, Line, LineKind, Page, Said, Say, Unsaid
from meteor_net.storage.memory import MemoryStorage
from tests.server.harbour import HarbourCase


class SilentStorage(MemoryStorage):
    """Keeps every line, and, as long as it is silent, tells nobody."""

    def __init__(self) -> None:
        super().__init__(Random(1))
        self.silent = False

    async def append(self, channel: str, line: StoredLine, moderator: bool = False) -> StoredLine:
        kept = await super().append(channel, line, moderator)
        if self.silent:
            await Deferred()
        return kept


class ChannelTests(HarbourCase):
    """Channels belong to rooms, and inboxes to users."""

    def test_nowhere(self) -> None:
        """Who is in no room speaks and reads nowhere; the connection goes on."""
        stranger = self.known()
        stranger.say(Say(0, "c", 0, "hi"), Earlier(0, 5))
        self.advance(0.2)
        self.assertEqual([(unsaid.cid, unsaid.reason) for unsaid in stranger.found(Unsaid)], [("c", "refused")])
        self.assertEqual(
            [(error.about, error.reason, error.text) for error in stranger.found(ErrorMessage)],
            [(5, "refused", "you do not hear that channel")],
        )
        self.assertIsNone(stranger.closed_with)

    def test_inbox(self) -> None:
        """The inbox is the user's, in whatever room: what is said there is kept, and read back."""
        stranger = self.inside()
        (joined,) = stranger.found(Joined)
        number, name, *_ = joined.channels[1]
        stranger.say(Say(number, "c", int(LineKind.PRIVATE), "a note", to=name[1:]), Earlier(number, 5))
        self.advance(0.2)
        stranger.say(Earlier(number, 5))
        self.advance(0.2)
        self.assertEqual([(said.channel, said.offset) for said in stranger.found(Said)], [(number, 0)])
        self.assertEqual([(line.channel, line.text) for line in stranger.found(Line)], [(number, "a note")])
        self.assertEqual([[line[6] for line in page.lines] for page in stranger.found(Page)], [["a note"], ["a note"]])


class SilenceTests(HarbourCase):
    """A storage that does not answer."""

    limits = Limits(await_s=2.0)

    def setUp(self) -> None:
        self.storage: Any = SilentStorage()
        super().setUp()

    def test_nobody_knows(self) -> None:
        """The sender is told that the line may be kept; said again under the same id, it is kept once."""
        stranger = self.inside()
        channel = stranger.found(Joined)[0].channels[0][0]
        self.storage.silent = True
        stranger.say(Say(channel, "c", 0, "hello"))
        self.advance(2.2)
        self.assertEqual(
            [(unsaid.reason, unsaid.text) for unsaid in stranger.found(Unsaid)],
            [("unknown", "storage did not answer within 2 s")],
        )
        self.assertEqual(len(self.flush_errors()), 1)
        self.storage.silent = False
        stranger.say(Say(channel, "c", 0, "hello"))
        self.advance(0.2)
        self.assertEqual(len(stranger.found(Said)), 1)
        self.assertEqual([line.text for line in stranger.found(Line)].count("hello"), 1)
