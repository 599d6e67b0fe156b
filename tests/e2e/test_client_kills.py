"""Clients are killed while they talk, and begun anew with their outbox: the short form of `make bench-recovery ARGS=kills`."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from benchmarks.recovery.kills import kill_pages, kill_processes, torture
from benchmarks.recovery.log import Count, Verdict
from tests.requirements import require


class ClientKillsTests(TestCase):
    """What was acknowledged is kept once."""

    timeout = 180

    def folder(self) -> Path:
        return Path(self.mktemp()).resolve()

    def judge(self, found: tuple[Verdict, Count], kills: int) -> None:
        verdict, count = found
        self.assertEqual(verdict.faults, [], verdict)
        self.assertEqual(count.kills, kills)
        self.assertGreater(count.caught, 0)
        self.assertGreater(verdict.kept, kills)

    def test_processes(self) -> Deferred[None]:
        """Clients in Python, `kill -9`: what was said is kept, too, for the outbox is a file."""
        return deferToThread(torture, kill_processes, 6, self.folder()).addCallback(self.judge, 6)

    def test_pages(self) -> Deferred[None]:
        """A page in Chromium, whose tab crashes."""
        require("chromium")
        done = deferToThread(torture, kill_pages, 4, self.folder(), durable=False)
        return done.addCallback(self.judge, 4)
