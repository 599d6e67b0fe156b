"""The server as twistd runs it."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from queue import Queue
from typing import Any, cast

from twisted.application.service import Application, IService
from twisted.internet import defer
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from meteor_net import Game
from meteor_net.errors import ConfigError
from meteor_net.server import service
from meteor_net.server.service import MeteorService, build, first_screen, open_door, url
from meteor_net.server.settings import Settings
from meteor_net.storage.tables import HEAD
from tests.requirements import REPOSITORY


class Sea(Game):
    """A game."""


class Port:
    """Something that listens."""

    def __init__(self, address: Any, factory: Any = None) -> None:
        self._address, self.factory = address, factory

    def getHost(self) -> Any:
        """Where."""
        return self._address


def tcp(host: str, port: int = 8080, tls: bool = False) -> Any:
    """A TCP port."""
    kind = IPv6Address if ":" in host else IPv4Address
    return Port(kind("TCP", host, port), TLSMemoryBIOFactory.__new__(TLSMemoryBIOFactory) if tls else None)


def unix(path: str) -> Any:
    """A UNIX port."""
    return Port(UNIXAddress(path))


class Refusing:
    """An endpoint that cannot listen."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def listen(self, factory: Any) -> defer.Deferred[Any]:
        """Fail."""
        return defer.fail(self.error)


@implementer(ILogObserver)
class Events:
    """Notes the lines that are logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: Any) -> None:
        if str(event.get("log_namespace", "")).startswith("meteor_net"):
            self.lines.append(event["log_format"].format(**event))


class MeteorServiceTests(SynchronousTestCase):
    """From build to end."""

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.events = Events()
        globalLogPublisher.addObserver(self.events)
        self.addCleanup(globalLogPublisher.removeObserver, self.events)

    def build(self, **said: Any) -> MeteorService:
        """Build a server."""
        said.setdefault("database", "memory")
        settings = Settings(game=(f"sea={__name__}.Sea",), python_path=str(Path.cwd()), **said)
        return build(settings, self.reactor, self.events)

    def test_nothing_is_opened(self) -> None:
        """Building opens nothing: a mistake is told before anything listens."""
        self.build()
        self.assertEqual((self.reactor.tcpServers, self.reactor.getDelayedCalls()), ([], []))

    def test_mistakes(self) -> None:
        """A wrong endpoint or chat handler is told at once."""
        self.assertRaises(ConfigError, self.build, listen=("bogus",))
        self.assertRaises(ConfigError, self.build, chat=f"{__name__}.Sea")

    def test_life(self) -> None:
        """It listens where it was told, tells so, and ends in order."""
        built = self.build(listen=("tcp:1", "tcp:2:interface=127.0.0.1"))
        built.privilegedStartService()
        built.startService()
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [1, 2])
        self.assertEqual(self.events.lines, [], "nothing is told before the reactor runs: signals are not heeded yet")
        self.reactor.advance(0)
        self.assertEqual(self.events.lines[0], f"meteor_net {service.own_version()}")
        self.assertEqual(self.events.lines[-1][:8], "WARNING:")
        self.assertLessEqual(len(self.events.lines), 8)
        self.assertEqual(built.host.health()["status"], "ok")
        self.successResultOf(built.stopService())
        self.assertEqual(built.host.health()["status"], "stopping")
        self.assertEqual(built.ports, [])

    def test_without_privileges(self) -> None:
        """Whoever starts it without the first of twistd's two steps gets all of it, too."""
        built = self.build()
        built.startService()
        self.assertEqual(len(self.reactor.tcpServers), 1)
        self.successResultOf(built.stopService())

    def test_tokens(self) -> None:
        """With a secret, tokens are asked for."""
        from meteor_net.server.auth import Tokens
        from meteor_net.server.settings import Secret

        built: Any = self.build(secret=Secret(b"s" * 32), guests=False)
        self.assertIsInstance(built.host._authenticator, Tokens)

    def test_log_observer(self) -> None:
        """Twistd finds our log observer at the application."""
        application: Any = Application("meteor")
        self.build().setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), self.events)
        self.assertEqual(len(list(cast(Any, IService(application)))), 1)

    def test_no_log_observer(self) -> None:
        """Where twistd was told how to log, that stays."""
        application: Any = Application("meteor")
        built: Any = self.build()
        built._observer = None
        built.setServiceParent(application)
        self.assertIsNone(application.getComponent(ILogObserver, None))

    def test_reload(self) -> None:
        """--reload watches files while the server runs."""
        built = self.build(reload=True)
        built.startService()
        self.assertEqual(len(list(built)), 1)
        self.successResultOf(built.stopService())

    def test_database(self) -> None:
        """The database is opened at the start, not when all is only built; and closed at the end."""
        folder = Path(self.mktemp()).absolute()
        built: Any = self.build(database=None, data_dir=str(folder))
        self.assertFalse(folder.exists())
        self.assertEqual(built.migrate(), f"the tables in {folder}/meteor.sqlite3 are at revision {HEAD}")
        calls: Queue[Any] = Queue()
        self.reactor.callFromThread = lambda *call: calls.put(call)
        built.startService()
        self.assertTrue((folder / "meteor.sqlite3").exists())
        counted = built.host.monitor.generate_report().totals["storage"]
        self.assertLessEqual({"hits", "misses", "reads", "pruned", "waiting"}, set(counted))
        stopped = built.stopService()
        self.assertNoResult(stopped)
        call, *arguments = calls.get(timeout=10)
        call(*arguments)
        self.successResultOf(stopped)

    def test_no_database(self) -> None:
        """One that cannot be opened is one line that says which and why, and the exit status is 1."""
        file = Path(self.mktemp()).absolute()
        file.write_text("this is no database, and too long for an empty one" * 100)
        built = self.build(database=f"sqlite:///{file}")
        self.assertEqual(self.assertRaises(SystemExit, built.startService).code, 1)
        (line,) = self.events.lines
        self.assertIn(f"the database {file}: the file is no database", line)
        self.assertRaises(ConfigError, self.build().migrate)

    def test_lazy(self) -> None:
        """A server without a database does without what belongs to one; with one, migrating is imported when needed."""
        code = (
            "import sys; from twisted.internet.testing import MemoryReactorClock as Clock\n"
            "from meteor_net.server.settings import Settings\n"
            "from meteor_net.server.service import build; build(Settings(database={!r}), Clock())\n"
            "print(*sorted({{'sqlalchemy', 'alembic', 'psycopg'}} & sys.modules.keys()))"
        )
        for where, imported in (("memory", "\n"), ("sqlite:///x", "sqlalchemy\n")):
            shown = subprocess.run([sys.executable, "-c", code.format(where)], capture_output=True, text=True, cwd=REPOSITORY)
            self.assertEqual((shown.stdout, shown.stderr), (imported, ""))

    def fail_to_listen(self, error: BaseException) -> str:
        """Try to listen where that fails; answer what is told."""
        built: Any = self.build(listen=("tcp:8080",))
        built._listeners = [built._listeners[0]._replace(endpoint=Refusing(error))]
        exit_ = self.assertRaises(SystemExit, built.privilegedStartService)
        self.assertEqual(exit_.code, 1)
        self.assertEqual(len(self.events.lines), 1)
        return self.events.lines.pop()

    def test_port_taken(self) -> None:
        """A port that is taken is one line that says which, and what to do."""
        for number, advice in (
            (errno.EADDRINUSE, "another program has that port"),
            (errno.EACCES, "only root may have that port"),
            (errno.EADDRNOTAVAIL, "this machine has no such address"),
            (errno.EIO, "Input/output error"),
        ):
            line = self.fail_to_listen(CannotListenError("", 8080, OSError(number, "Input/output error")))
            self.assertStartsWith(line, "Cannot listen on tcp:8080: ")
            self.assertIn(advice, line)
        self.assertIn("odd", self.fail_to_listen(ValueError("odd")))

    def assertStartsWith(self, text: str, start: str) -> None:
        """Check how a text begins."""
        self.assertEqual(text[: len(start)], start)

    def test_late_failure(self) -> None:
        """An endpoint that fails after its time ends the server, too."""
        built: Any = self.build(listen=("tcp:8080",))
        later: defer.Deferred[Any] = defer.Deferred()
        endpoint = Refusing(ValueError())
        endpoint.listen = lambda factory: later  # type: ignore[method-assign]
        built._listeners = [built._listeners[0]._replace(endpoint=endpoint)]
        built.startService()
        later.errback(ValueError("odd"))
        self.assertTrue(self.reactor.hasStopped)
        self.successResultOf(built.stopService())


class FirstScreenTests(SynchronousTestCase):
    """What an operator is told."""

    def test_lines(self) -> None:
        """Version, game, address, data, who may enter, and how to end it."""
        game = ("game", "drift (meteor_net.drift.Drift)")
        lines = first_screen(Settings(database="memory"), [tcp("127.0.0.1")], game)
        self.assertEqual(lines[1:], [
            "  game   drift (meteor_net.drift.Drift)",
            "  open   http://127.0.0.1:8080/",
            "  data   in memory: chat is gone when the server stops",
            "  enter  anybody, as a guest",
            "  stop   Ctrl-C",
        ])  # fmt: skip
        told = first_screen(Settings(self_signed=True, data_dir="/data", record="/films"), [tcp("127.0.0.1")], game)
        self.assertIn("  record /films", told)
        self.assertIn("  data   /data/meteor.sqlite3; certificate in /data", told)
        told = first_screen(Settings(database="postgresql://ann:secret@db:5433/game?password=secret"), [tcp("127.0.0.1")], game)
        self.assertIn("  data   postgresql://ann@db:5433/game", told)

    def test_who_may_enter(self) -> None:
        """Guests, users with a token, or both."""
        from meteor_net.server.settings import Secret

        secret = Secret(b"s" * 32)
        self.assertEqual(service.who_may_enter(Settings(secret=secret)), "guests, and users with a token")
        self.assertEqual(service.who_may_enter(Settings(secret=secret, guests=False)), "users with a token")

    def test_urls(self) -> None:
        """What to open in a browser."""
        self.patch(service, "_lan_address", lambda: "192.0.2.2")
        for port, expected in (
            (tcp("127.0.0.1", 80), "http://127.0.0.1/"),
            (tcp("127.0.0.1", 443), "http://127.0.0.1:443/"),
            (tcp("127.0.0.1", 443, True), "https://127.0.0.1/"),
            (tcp("::1", 8443, True), "https://[::1]:8443/"),
            (tcp("0.0.0.0", 80), "http://localhost/ or http://192.0.2.2/"),
            (tcp("::", 8080), "http://localhost:8080/ or http://192.0.2.2:8080/"),
            (unix("/run/x"), "unix:/run/x"),
        ):
            self.assertEqual(url(port), expected)

    def test_lan_address(self) -> None:
        """The address that others reach is found, or said to be unknown."""
        self.assertTrue(service._lan_address())

        def broken(*args: Any) -> Any:
            raise OSError

        self.patch(socket, "socket", broken)
        self.assertEqual(service._lan_address(), "ADDRESS")

    def test_open_door(self) -> None:
        """Guests from elsewhere without TLS are warned of; loopback, TLS and tokens are not."""
        for port in (tcp("0.0.0.0"), tcp("192.168.0.5"), tcp("::")):
            self.assertIn("port 8080", open_door(Settings(), [tcp("127.0.0.1"), port]) or "")
            self.assertIsNone(open_door(Settings(guests=False), [port]))
        for port in (tcp("127.0.0.1"), tcp("127.0.0.9"), tcp("::1"), tcp("0.0.0.0", tls=True), unix("/run/x")):
            self.assertIsNone(open_door(Settings(), [port]))

    def test_version(self) -> None:
        """A checkout that was not installed says so."""

        def absent(name: str) -> str:
            raise PackageNotFoundError

        self.patch(service, "version", absent)
        self.assertIn("not installed", service.own_version())
