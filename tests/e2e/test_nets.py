"""Players on bad networks: real packets, in namespaces of their own. The short form of `make torture-net`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from benchmarks.nets.namespaces import NAMES, NoNamespaces, check
from benchmarks.nets.profiles import PROFILES
from benchmarks.nets.run import Result, Run
from tests.requirements import REPOSITORY, require

PLAYERS, SECONDS, SEED = 4, 8.0, 6


def require_namespaces() -> None:
    """Skip where no network namespaces can be made: without root, or in a container without TUN devices."""
    require("ip")
    try:
        check()
    except NoNamespaces as error:
        raise SkipTest(str(error)) from None


class NetsTests(TestCase):
    """A few players, seconds, and three networks at once."""

    timeout = 150

    def setUp(self) -> None:
        require_namespaces()

    def test_nothing_is_lost(self) -> Deferred[None]:
        """Every line and mark is there once, all worlds are equal, and each network did what it is there for."""

        def judge(results: list[Result]) -> None:
            for result in results:
                self.assertEqual((result.lost, result.unequal), ([], []), result.profile.name)
                self.assertGreaterEqual(result.lines, PLAYERS * SECONDS / 2.5 - PLAYERS)
                self.assertGreater(sum(len(player.intervals_s) for player in result.felt), PLAYERS * SECONDS)
            lossy, reordered, cut = results
            self.assertGreater(lossy.counts["dropped"], 0)
            self.assertEqual(reordered.counts["dropped"], 0)
            self.assertGreater(cut.counts["cut"], 0)
            assert cut.healed_s is not None and cut.broken_s is not None
            for player in cut.felt:
                self.assertGreater(max(player.intervals_s), cut.healed_s - cut.broken_s - 1)

        return gatherResults([self.run_on(name) for name in ("5%", "reorder", "cut-5")]).addCallback(judge)

    def run_on(self, name: str) -> Deferred[Result]:
        """Play on one network."""
        run = Run(PROFILES[name], Path(self.mktemp()).resolve(), PLAYERS, SECONDS, SEED)
        return deferToThread(run.run, lambda text: None)


class EndTests(TestCase):
    """What is left of namespaces and processes, however it ends."""

    timeout = 60

    def setUp(self) -> None:
        require_namespaces()

    async def ends(self, number: int) -> int:
        """Begin, and end by a signal as soon as players are at it; give the exit status."""
        command = [
            sys.executable,
            "-m",
            "benchmarks.nets",
            "--players",
            "1",
            "--profiles",
            "none",
            "--out",
            str(Path(self.mktemp()).resolve()),
        ]
        # a session of its own: a Ctrl-C is for all processes of it
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        prefix = f"meteor-{process.pid}-"
        await self.until(lambda: len(list(NAMES.glob(f"{prefix}*"))) == 2, "namespaces are made")
        players = NAMES / f"{prefix}1-players"
        await self.until(lambda: bool(inside(players.name)), "players are in")
        inner = [process_id for name in ("players", "server") for process_id in inside(f"{prefix}1-{name}")]
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
        await self.until(lambda: process.poll() is not None, "it ends")
        await self.until(lambda: not list(NAMES.glob(f"{prefix}*")), "namespaces are removed")
        await self.until(lambda: not any(Path("/proc", str(each), "exe").exists() for each in inner), "processes are gone")
        return process.returncode

    async def until(self, true: Any, what: str) -> None:
        """Ask until it is so."""
        for _ in range(500):
            if true():
                return
            await deferLater(reactor, 0.05)
        self.fail(f"not so within 25 s: {what}")

    async def test_killed(self) -> None:
        """The one that made them is killed: the relay removes them."""
        self.assertEqual(await self.ends(signal.SIGKILL), -signal.SIGKILL)

    async def test_ctrl_c(self) -> None:
        """Ctrl-C ends all."""
        self.assertEqual(await self.ends(signal.SIGINT), 130)

    async def test_terminated(self) -> None:
        """So does a polite end."""
        self.assertEqual(await self.ends(signal.SIGTERM), 1)


def inside(namespace: str) -> list[int]:
    """The processes in a namespace."""
    done = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True)
    return [int(each) for each in done.stdout.split()]
