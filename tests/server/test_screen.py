"""What the operator's terminal shows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, Logger, LogLevel, LogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net.server.channel import Channel
from meteor_net.server.screen import observer, wants_own_log
from tests.server.talk import make_site


class ScreenTests(SynchronousTestCase):
    """Lines on a terminal."""

    def setUp(self) -> None:
        self.out = io.StringIO()
        self.publisher = LogPublisher(observer(self.out))

    def logger(self, namespace: str) -> Logger:
        """Make somebody's logger."""
        return Logger(namespace, observer=self.publisher)

    def lines(self) -> list[str]:
        """What was written, without the time of day."""
        lines = self.out.getvalue().splitlines()
        return [line[9:] if line[2:3] == ":" and line[5:6] == ":" else f"={line}" for line in lines]

    def test_interface(self) -> None:
        """It is what twistd takes as the application's log observer."""
        verifyObject(ILogObserver, observer(self.out))

    def test_first_screen(self) -> None:
        """The first screen's lines are as they are; later ones have the time in front."""
        self.logger("meteor_net.server").info("open {url}", url="http://x", first_screen=True)
        self.logger("meteor_net.server").info("ann joined")
        self.assertEqual(self.lines(), ["=open http://x", "ann joined"])

    def test_small_talk(self) -> None:
        """Libraries are heard from a warning on; a game's own lines always."""
        for namespace in ("twisted.internet.app", "autobahn.twisted", "txaio", "mygame"):
            self.logger(namespace).debug("debug")
            self.logger(namespace).info("info of {name}", name=namespace)
            self.logger(namespace).warn("warning")
        self.assertEqual(self.lines(), ["WARN warning"] * 3 + ["info of mygame", "WARN warning"])

    def test_ports(self) -> None:
        """The lines that each port logs of itself are left out; the old log module is heard otherwise."""
        event: dict[str, Any] = {"log_namespace": "log_legacy", "log_format": "{log_text}"}
        for text in ("MeteorSite starting on 8080", "MeteorSite (TLS) starting on 8443", "(TCP Port 8080 Closed)", "mine"):
            self.publisher(event | {"log_level": LogLevel.info, "log_text": text, "log_time": 0.0})
        self.assertEqual(self.lines(), ["mine"])

    def test_idle_connections(self) -> None:
        """That a browser's connection was idle and is closed is told to nobody, though our class logs it."""
        channel: Any = Channel()
        transport = StringTransport()
        channel.site = make_site(Path("."))
        channel.callLater = Clock().callLater
        self.patch(Channel, "_log", Logger("meteor_net.server.channel.Channel", observer=self.publisher))
        channel.makeConnection(transport)
        channel.timeoutConnection()
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.lines(), [])

    def test_failures(self) -> None:
        """An error brings its traceback."""
        try:
            raise ValueError("bad")
        except ValueError:
            self.logger("meteor_net").failure("a tick failed")
        lines = self.lines()
        self.assertEqual(lines[0], "CRITICAL a tick failed")
        self.assertIn("ValueError: bad", lines[-1])

    def test_when_it_is_used(self) -> None:
        """Only where twistd would write to the terminal, and was not told how to log."""
        plain = {"nodaemon": 1, "debug": 0, "logger": None, "syslog": 0, "logfile": None}
        self.assertTrue(wants_own_log(plain))
        self.assertTrue(wants_own_log(plain | {"nodaemon": 0, "debug": 1}))
        self.assertFalse(wants_own_log(None))
        for other in ({"nodaemon": 0}, {"logger": "x"}, {"syslog": 1}, {"logfile": "x.log"}):
            self.assertFalse(wants_own_log(plain | other))
