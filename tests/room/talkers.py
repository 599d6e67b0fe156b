"""A room with two who talk."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.messages import Line, Message, Said, Unsaid

from ..plain import Bench, Guest


class TalkCase(SynchronousTestCase):
    """A room with two players."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """Make it, with limits."""
        self.bench = Bench(**limits)
        self.ann, self.bob = self.bench.guest("ann"), self.bench.guest("bob", role=1)
        self.room = self.bench.room
        self.bench.ticks(1)
        self.ann.read()
        self.bob.read()

    def unsaid(self, guest: Guest | None = None) -> list[tuple[str, str, str]]:
        """What was refused: the line's id, the reason, the text."""
        found = (guest or self.ann).found(Unsaid)
        return [(message.cid, message.reason, message.text) for message in found]

    def refused(self, guest: Guest | None = None) -> list[str]:
        """The reasons of what was refused."""
        return [reason for _, reason, _ in self.unsaid(guest)]

    def texts(self) -> list[str]:
        """The texts of the lines that bob heard."""
        return [line.text for line in self.bob.found(Line)]

    def outcome(self, guest: Guest) -> list[Message]:
        """Take the answers that came."""
        return [message for message in guest.read() if isinstance(message, Said | Unsaid)]
