"""A server is killed and started again; clients come back: the short form of `make bench-recovery ARGS="storm resume"`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from benchmarks.recovery.resume import Return, come_back, sides
from benchmarks.recovery.storm import Storm, storm
from benchmarks.recovery.thousand import digests


class StormTests(TestCase):
    """All are back, and no line is lost."""

    timeout = 300

    def test_a_hundred(self) -> Deferred[None]:
        """One room of a hundred clients: what was said before, meanwhile and afterwards everybody has heard, in order."""

        def judge(found: Storm) -> None:
            self.assertEqual(found.faults, [], found)
            self.assertGreater(found.said, 10)
            self.assertEqual(found.heard, (100 + 1) * found.said)
            self.assertLess(found.back_s, 60)
            self.assertGreater(len(found.late_ms), 50)

        return deferToThread(storm, 100, 1, Path(self.mktemp()).resolve()).addCallback(judge)


class ReturnTests(TestCase):
    """A client of ours comes back to a world of a thousand rows."""

    timeout = 120

    def test_what_was_missed_alone(self) -> Deferred[None]:
        """After half a second it gets a step from the version that it holds: less than all rows, which are 12,000 bytes."""
        ours = next(side for side in sides() if side.name == "ours")

        def judge(took: Return) -> None:
            self.assertLess(took.down, 11_000)
            self.assertGreater(took.down, 3_000)

        return deferToThread(lambda: asyncio.run(come_back(ours, 0.5, digests()))).addCallback(judge)
