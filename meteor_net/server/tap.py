"""`twistd meteor`: the command line of a server. docs/reference/options.md is its page."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from twisted.python import usage

from ..errors import ConfigError
from .settings import DEFAULT_LISTEN_TLS, Settings, load, number, truth

if TYPE_CHECKING:
    from .service import MeteorService


class Options(usage.Options):
    """What can be said on the command line.

    Attributes:
        settings: All that was chosen there and elsewhere, once parsed.
    """

    synopsis = "[options]"
    longdesc = (
        "Serve a multiplayer game: page, chat and game state on one port. Each option can also come from the environment "
        "(--data-dir from METEOR_DATA_DIR) or from a TOML file (data-dir = ...); the secret of tokens also from METEOR_SECRET."
    )
    optFlags: ClassVar[list[Any]] = [
        ["reload", None, "Start anew when a Python file changes; for authors."],
        ["self-signed", None, f"Use a certificate of this machine's own; alone it listens on {DEFAULT_LISTEN_TLS}."],
        ["check", None, "Check all options and the game, and do not start."],
        ["migrate-only", None, "Bring the database's tables up to date, and do not start."],
        ["verbose", "v", "Log all that Twisted logs."],
    ]
    optParameters: ClassVar[list[Any]] = [
        ["chat", None, None, "Chat handler: module.Class."],
        ["site", None, None, "Folder of your own page, served at /."],
        ["guests", None, None, "May players enter without a token: yes or no (default: yes)."],
        ["secret-file", None, None, "File with the key that tokens are signed with, 32 bytes or more."],
        ["data-dir", None, None, "Folder of what is kept (default: meteor-data)."],
        ["database", None, None, "memory, sqlite:///path or postgresql://user@host/name (default: a file in the data folder)."],
        ["keep-days", None, None, "Let lines go that are older than so many days (default: keep all)."],
        ["keep-lines", None, None, "Let all but so many lines of a channel go, once they are a day old (default: keep all)."],
        ["python-path", None, None, "Folder to look for games in (default: the current one)."],
        ["record", None, None, "Folder to record every room into: a file for each."],
        ["replay", None, None, "Play this recording, in place of a game; --game gives it a page if it is of another one."],
        ["config", None, None, "TOML file with options and [limits]."],
    ]
    settings: Settings

    def __init__(self) -> None:
        super().__init__()
        self._lists: dict[str, list[str]] = {}

    def opt_listen(self, endpoint: str) -> None:
        """Where to listen: an endpoint string (default: tcp:8080:interface=127.0.0.1). Can be repeated."""
        self._lists.setdefault("listen", []).append(endpoint)

    def opt_game(self, game: str) -> None:
        """Game: [name=]module.Class. Can be repeated; the first is the one at / (default: drift)."""
        self._lists.setdefault("game", []).append(game)

    def opt_origin(self, origin: str) -> None:
        """Origin of pages elsewhere that may connect, such as https://example.org. Can be repeated."""
        self._lists.setdefault("origin", []).append(origin)

    def opt_host(self, host: str) -> None:
        """Name that the server answers to, beside localhost and addresses. Can be repeated."""
        self._lists.setdefault("host", []).append(host)

    def opt_version(self) -> None:
        """Tell the version and exit."""
        from .service import own_version

        print(f"meteor_net {own_version()}")
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse; a mistake ends the process with one line, where Twisted would print all of its help before it."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            text = str(error)
            more = "; --help lists them" if text.endswith("not recognized") else ""
            raise SystemExit(f"meteor: {text}{more}") from None

    def parseArgs(self, *args: str) -> None:
        """Refuse what belongs to no option."""
        if args:
            raise usage.UsageError(f"{args[0]!r} belongs to no option; --help lists them")

    def postOptions(self) -> None:
        """Join what was said here with the environment and the file."""
        flags: dict[str, Any] = {name: value for name, value in self.items() if value not in (None, 0)}
        for name in ("reload", "self-signed", "check", "migrate-only", "verbose"):
            if name in flags:
                flags[name] = True
        flags.update(self._lists)
        try:
            if "guests" in flags:
                flags["guests"] = truth(flags["guests"], "--guests")
            for name in ("keep-days", "keep-lines"):
                if name in flags:
                    flags[name] = number(flags[name], f"--{name}")
            self.settings = load(flags, os.environ)
        except ConfigError as error:
            raise usage.UsageError(str(error)) from error


def makeService(options: Options) -> MeteorService:
    """Build the server; twistd starts it.

    Raises:
        SystemExit: A game or an endpoint string is wrong (one line), or all is right and `--check` or
            `--migrate-only` asked no more.
    """
    from twisted.internet import reactor

    from .screen import observer, wants_own_log
    from .service import build

    settings = options.settings
    twistd = cast("dict[str, Any] | None", options.parent)
    own_log = not settings.verbose and wants_own_log(twistd)
    if settings.reload and not (twistd and twistd["nodaemon"]):
        raise SystemExit("meteor: --reload is for twistd --nodaemon")
    try:
        service = build(settings, reactor, observer(sys.stdout) if own_log else None)
        if settings.migrate_only:
            print(f"ok: {service.migrate()}")
            raise SystemExit(0)
    except ConfigError as error:
        raise SystemExit(f"meteor: {' '.join(str(error).split())}") from error
    if settings.check:
        print(f"ok: {', '.join(settings.games)} on {', '.join(settings.endpoints)}")
        raise SystemExit(0)
    return service
