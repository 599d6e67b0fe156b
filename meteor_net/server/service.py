"""The server as twistd runs it: it listens, tells where, and says goodbye."""

from __future__ import annotations

import errno
import socket
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver, Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.components import Componentized

from ..errors import ConfigError
from ..replay import Recorders
from .database import MEMORY
from .hosts import HostRules
from .memory import settle_memory
from .playing import playing
from .reload import Reloader
from .settings import Settings
from .site import MeteorSite, Routes, page_folder
from .tls import Listener, listener
from .transport import send_directly

if TYPE_CHECKING:
    from twisted.internet.interfaces import IListeningPort
    from twisted.python.failure import Failure

    from ..storage.sql import SqlStorage
    from .host import Host

_log = Logger()

#: At its end a server waits so long, in seconds, for the last of its recordings to be written.
RECORDED_S = 2.0
#: What to do about an error of the system when it will not let us listen.
_ADVICE = {
    errno.EADDRINUSE: "another program has that port. Stop it, or choose another port with --listen",
    errno.EACCES: "only root may have that port. Choose one above 1023 with --listen",
    errno.EADDRNOTAVAIL: "this machine has no such address. Choose another with --listen",
}


def own_version() -> str:
    """Tell the version of meteor_net that runs."""
    try:
        return version("meteor-net")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0 (not installed)"


def build(settings: Settings, reactor: Any, observer: ILogObserver | None = None) -> MeteorService:
    """Build all of a server; nothing is opened.

    Args:
        settings: What the operator chose.
        reactor: What it will run on.
        observer: What should log, in place of twistd's own.

    Raises:
        ConfigError: A game, a chat handler or an endpoint string is wrong.
    """
    from ..storage.cache import CachedStorage
    from ..storage.memory import MemoryStorage
    from .auth import Guests, Tokens
    from .host import Host
    from .http_links import HttpLinks
    from .protocol import websocket_resource

    what = playing(settings)
    if settings.replay is not None:
        # A replay says what was said before once more: not for keeps.
        settings = msgspec.structs.replace(settings, database=MEMORY)
    random = SystemRandom()
    who = Guests() if settings.secret is None else Tokens(settings.secret, settings.guests)
    database = None if settings.database_url == MEMORY else _database(settings, reactor)
    storage = CachedStorage(database) if database else MemoryStorage(random, settings.limits.channel_lines)
    host = Host(what.games, what.chat, settings.limits, reactor, storage, who, random)
    page = page_folder(settings.site, what.page_of)
    rules = HostRules(settings.host, settings.origin)
    links = HttpLinks(host, reactor, random)
    routes = Routes(websocket_resource(host.websocket_factory(None)), host.health, page, rules, links)
    site = MeteorSite(routes, settings.limits, reactor)
    own = Path(settings.data_dir) if settings.self_signed else None
    listeners = [listener(text, reactor, own) for text in settings.endpoints]
    recorders = None
    if settings.record is not None:
        recorders = Recorders(Path(settings.record), host.report)
        host.opened = recorders.opened
    return MeteorService(settings, host, site, listeners, reactor, observer, database, recorders, what.told)


def _database(settings: Settings, reactor: Any) -> SqlStorage:
    # A server without a database does without SQLAlchemy.
    from ..storage.sql import SqlStorage

    return SqlStorage(settings.database_url, reactor, settings.keep_days, settings.keep_lines)


class MeteorService(MultiService):
    """One server.

    Args:
        settings: What the operator chose.
        host: Runs rooms and sessions.
        site: What listens serve.
        listeners: Where to listen.
        reactor: What to run on.
        observer: What should log, in place of twistd's own.
        database: Opened when the server starts; None if nothing outlives it.
        recorders: Record the rooms; None if nothing is recorded.
        told: What it plays, for the operator: a word, and which.

    Attributes:
        host: See above.
        ports: What listens.
    """

    def __init__(
        self,
        settings: Settings,
        host: Host,
        site: MeteorSite,
        listeners: list[Listener],
        reactor: Any,
        observer: ILogObserver | None = None,
        database: SqlStorage | None = None,
        recorders: Recorders | None = None,
        told: tuple[str, str] = ("game", ""),
    ) -> None:
        super().__init__()
        self._settings, self._site, self._listeners = settings, site, listeners
        self._reactor, self._observer = reactor, observer
        self._database = database
        self._recorders, self._told = recorders, told
        self.host = host
        self.ports: list[IListeningPort] = []
        self._asked, self._failures = False, 0
        if settings.reload:
            Reloader(Path(settings.python_path), reactor).setServiceParent(self)

    def setServiceParent(self, parent: Any) -> None:
        """Called by the application, just before twistd asks that for its log observer."""
        super().setServiceParent(parent)
        if self._observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._observer)

    def privilegedStartService(self) -> None:
        """Listen, while twistd still has the rights to.

        Raises:
            SystemExit: A port could not be had; one line says which, and what to do.
        """
        super().privilegedStartService()
        self._asked = True
        for place in self._listeners:
            place.listen(self._site, self._reactor).addCallbacks(self._listening, self._failed, errbackArgs=(place,))
        if self._failures:
            raise SystemExit(1)

    def _listening(self, port: IListeningPort) -> None:
        send_directly(port)
        self.ports.append(port)

    def _failed(self, failure: Failure, place: Listener) -> None:
        """Tell why a port cannot be had. Endpoints tell it at once, but they may take their time."""
        error = failure.value
        cause = error.socketError if isinstance(error, CannotListenError) else error
        advice = _ADVICE.get(getattr(cause, "errno", None) or 0, getattr(cause, "strerror", None) or str(cause))
        _log.critical("Cannot listen on {place}: {advice}", place=place.text, advice=advice, first_screen=True)
        self._failures += 1
        if self.running:
            self._reactor.stop()

    def migrate(self) -> str:
        """Bring the database's tables up to date, and no more; answers in a few words what was done.

        Raises:
            ConfigError: There is no database, or it cannot be opened.
        """
        if self._database is None:
            raise ConfigError("--migrate-only: in memory there is nothing to migrate")
        return f"the tables in {self._database.shown} are at revision {self._database.migrate()}"

    def startService(self) -> None:
        """Open the database and the rooms, and tell the operator.

        Raises:
            SystemExit: The database cannot be opened; one line says which, and why.
        """
        if not self._asked:  # whoever started this does not know of privileges
            self.privilegedStartService()
        # Not before privileges are shed: the file is to belong to who uses it. Nobody is served before the reactor runs.
        if self._database is not None:
            try:
                self._database.start()
            except ConfigError as error:
                _log.critical("{error}", error=error, first_screen=True)
                raise SystemExit(1) from None
        super().startService()
        self.host.start()
        # Once the reactor runs: who reads that Ctrl-C ends the server may press it at once.
        self._reactor.callLater(0, self._tell)

    def _tell(self) -> None:
        if getattr(self._reactor, "running", False):  # a test's clock leaves the process as it is
            settle_memory()
        for line in first_screen(self._settings, self.ports, self._told):
            _log.info("{line}", line=line, first_screen=True)
        if warning := open_door(self._settings, self.ports):
            _log.warn("{line}", line=warning, first_screen=True)

    def stopService(self) -> Deferred[Any]:
        """Tell the players, close all, and let twistd go on with its end."""
        _log.info("Stopping: players are told to come back")
        closing = [maybeDeferred(port.stopListening) for port in self.ports]
        self.ports = []
        closing.append(maybeDeferred(super().stopService))
        closing.append(maybeDeferred(self.host.stop))
        return DeferredList(closing).addCallback(self._closed)

    def _closed(self, _: object) -> None:
        self._site.close()
        if self._recorders is not None:
            self._recorders.stop(RECORDED_S)


def first_screen(settings: Settings, ports: list[IListeningPort], told: tuple[str, str]) -> list[str]:
    """Say in a few lines what was started, where, for whom, and how to end it."""
    word, what = told
    lines = [
        f"meteor_net {own_version()}",
        f"  {word:6} {what}",
        f"  open   {'  '.join(url(port) for port in ports)}",
        *([f"  record {settings.record}"] if settings.record else []),
        f"  data   {_where_data_lies(settings)}{_certificate_note(settings)}",
        f"  enter  {who_may_enter(settings)}",
        "  stop   Ctrl-C",
    ]
    return lines


def _where_data_lies(settings: Settings) -> str:
    url = settings.database_url
    return "in memory: chat is gone when the server stops" if url == MEMORY else url.shown


def _certificate_note(settings: Settings) -> str:
    return f"; certificate in {settings.data_dir}" if settings.self_signed else ""


def who_may_enter(settings: Settings) -> str:
    """Say who is let in."""
    if settings.secret is None:
        return "anybody, as a guest"
    return "guests, and users with a token" if settings.guests else "users with a token"


def url(port: IListeningPort) -> str:
    """Tell what to open in a browser."""
    address: Any = port.getHost()
    host = getattr(address, "host", None)
    if host is None:
        return f"unix:{getattr(address, 'name', b'').decode()}"
    secure = isinstance(getattr(port, "factory", None), TLSMemoryBIOFactory)
    scheme, usual = ("https", 443) if secure else ("http", 80)
    where = "" if address.port == usual else f":{address.port}"
    if host in {"0.0.0.0", "::"}:
        return f"{scheme}://localhost{where}/ or {scheme}://{_lan_address()}{where}/"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{where}/"


def _lan_address() -> str:
    """Find the address by which others reach this machine, if there is one; nothing is sent for it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return "ADDRESS"


def open_door(settings: Settings, ports: list[IListeningPort]) -> str | None:
    """Warn of guests that could come from anywhere, with all readable on the way."""
    if not settings.guests:
        return None
    for port in ports:
        address: Any = port.getHost()
        host = getattr(address, "host", "127.0.0.1")
        secure = isinstance(getattr(port, "factory", None), TLSMemoryBIOFactory)
        if not secure and host != "::1" and not host.startswith("127."):
            return (
                f"WARNING: guests from elsewhere may enter by port {address.port}, and nothing is encrypted; "
                "use --self-signed or an ssl: endpoint, or --guests no with --secret-file"
            )
    return None
