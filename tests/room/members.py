"""A room with somebody in it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.messages import ErrorMessage

from ..plain import Bench, Guest


class MembersCase(SynchronousTestCase):
    """A room with bob in it."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, **limits: Any) -> None:
        """Make it, with limits."""
        self.bench = Bench(**limits)
        self.bob = self.bench.guest("bob")
        self.room, self.game = self.bench.room, self.bench.game
        self.game.told.clear()

    def told(self) -> list[str]:
        """What the handler was told."""
        return self.game.events_told()

    def refusals(self, guest: Guest) -> list[tuple[str, str]]:
        """Why a JOIN was refused."""
        return [(error.reason, error.text) for error in guest.found(ErrorMessage)]
