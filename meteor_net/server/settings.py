"""What an operator chose: flags before environment before a TOML file before the defaults.

A name is spelled alike everywhere: `--data-dir`, `METEOR_DATA_DIR`, `data-dir = "…"`. What can be given several times is not
joined from several places: the first place that names it has the say.
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..errors import ConfigError
from ..limits import MAX_NAME_CHARS, Limits
from .database import DATABASE_FILE, SQLITE, DatabaseUrl, database_url

#: Where a server listens when it is not told.
DEFAULT_LISTEN = "tcp:8080:interface=127.0.0.1"
#: The same with `--self-signed`.
DEFAULT_LISTEN_TLS = "ssl:8443:interface=127.0.0.1"
#: The game that ships.
DEFAULT_GAME = "drift=meteor_net.drift.Drift"
#: HS256 wants a key as long as its hash (RFC 7518 §3.2).
MIN_SECRET_BYTES = 32

_LISTS = frozenset({"listen", "game", "origin", "host"})
_FLAGS = frozenset({"guests", "reload", "self-signed", "verbose"})
_PATHS = frozenset({"site", "secret-file", "data-dir", "python-path", "record", "replay"})
_TEXTS = frozenset({"chat", "database"})
_NUMBERS = frozenset({"keep-days", "keep-lines"})
_NAMES = _LISTS | _FLAGS | _PATHS | _TEXTS | _NUMBERS
_TRUTH = dict.fromkeys(["yes", "true", "on", "1"], True) | dict.fromkeys(["no", "false", "off", "0"], False)
_GAME = re.compile(r"(?:(?P<name>[^=]*)=)?(?P<dotted>\w+(?:\.\w+)+)")
_GAME_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_NAME_CHARS - 1}}}")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


class Secret(bytes):
    """The key that tokens are signed with; never shown."""

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """All that a server is told before it starts; docs/reference/options.md says what each is for."""

    listen: tuple[str, ...] = ()
    game: tuple[str, ...] = (DEFAULT_GAME,)
    chat: str | None = None
    site: str | None = None
    guests: bool = True
    secret_file: str | None = None
    origin: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    data_dir: str = "meteor-data"
    database: str | None = None
    keep_days: int | None = None
    keep_lines: int | None = None
    python_path: str = "."
    record: str | None = None
    replay: str | None = None
    reload: bool = False
    self_signed: bool = False
    verbose: bool = False
    check: bool = False
    migrate_only: bool = False
    secret: Secret | None = None
    limits: Limits = Limits()

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Where to listen: endpoint strings."""
        return self.listen or (DEFAULT_LISTEN_TLS if self.self_signed else DEFAULT_LISTEN,)

    @property
    def database_url(self) -> DatabaseUrl:
        """Where lines are kept."""
        return DatabaseUrl(self.database or SQLITE + os.path.join(self.data_dir, DATABASE_FILE))

    @property
    def games(self) -> dict[str, str]:
        """Name of a game -> its dotted class; the first is the default."""
        return dict(_game(text) for text in self.game)


def load(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Find out what the operator chose, and check all of it that can be checked without importing a game.

    Args:
        flags: What the command line said, by name, without the dashes in front; paths relative to the current folder.
        environ: The environment.

    Raises:
        ConfigError: One line: where it was said, and what is wrong with it.
    """
    given = dict(flags)
    once = {name: bool(given.pop(name.replace("_", "-"), False)) for name in ("check", "migrate_only")}
    config = given.pop("config", None) or environ.get("METEOR_CONFIG")
    chosen = _read_file(Path(config)) if config else {}
    for name in _NAMES:
        if (value := environ.get(_variable(name))) is not None:
            chosen[name] = (_variable(name), _from_text(name, value, _variable(name)))
        if name in given:
            chosen[name] = (f"--{name}", given[name])
    settings = _convert(chosen)
    if settings.record is not None and settings.replay is not None:
        raise ConfigError(f"{chosen['record'][0]} and {chosen['replay'][0]}: a replay is a recording already; leave one out")
    return msgspec.structs.replace(settings, **once, secret=_secret(settings, chosen, environ))


def _variable(name: str) -> str:
    return "METEOR_" + name.upper().replace("-", "_")


def _from_text(name: str, text: str, where: str) -> Any:
    """Read a variable of the environment as the value that its name wants."""
    if name in _LISTS:
        try:
            return shlex.split(text)
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from None
    if name in _NUMBERS:
        return number(text, where)
    return truth(text, where) if name in _FLAGS else text


def number(text: str, where: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{where}: say a whole number, not {text!r}") from None


def truth(text: str, where: str) -> bool:
    """Read yes or no."""
    if (value := _TRUTH.get(text.lower())) is None:
        raise ConfigError(f"{where}: say yes or no, not {text!r}")
    return value


def _read_file(path: Path) -> dict[str, tuple[str, Any]]:
    """Read a TOML file; its paths are relative to its own folder."""
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    for name, value in content.items():
        if name not in _NAMES and name != "limits":
            alike = get_close_matches(name, [*_NAMES, "limits"], 1)
            raise ConfigError(f"{path}: there is no option {name!r}{f'; is it {alike[0]!r}?' if alike else ''}")
        if name in _PATHS and isinstance(value, str):
            content[name] = str(path.parent / value)
        elif name == "database" and isinstance(value, str) and value.startswith(SQLITE):
            content[name] = SQLITE + str(path.parent / value.removeprefix(SQLITE))
    return {name: (f"{path}: {name}", value) for name, value in content.items()}


def _convert(chosen: dict[str, tuple[str, Any]]) -> Settings:
    """Make settings of what was said where, each name checked so that its error tells the place."""
    values = {}
    for name, (where, value) in chosen.items():
        try:
            one = msgspec.convert({name: value}, Settings)
        except msgspec.ValidationError as error:
            text, _, place = str(error).partition(" - at `$.")
            inner = place.rstrip("`").removeprefix(name).lstrip(".")
            raise ConfigError(f"{where}: {inner + ': ' if inner else ''}{text}") from None
        attribute = name.replace("-", "_")
        values[attribute] = _check(name, getattr(one, attribute), where)
    if "data_dir" not in values:
        values["data_dir"] = os.path.abspath("meteor-data")
    if "python_path" not in values:
        values["python_path"] = os.getcwd()
    return Settings(**values)


def _check(name: str, value: Any, where: str) -> Any:
    """Check one value, and make a path absolute: twistd changes its folder later."""
    if name in _PATHS:
        value = os.path.abspath(os.path.expanduser(value))
        if name in {"site", "python-path"} and not os.path.isdir(value):
            raise ConfigError(f"{where}: {value} is not a folder")
        if name == "record" and os.path.exists(value) and not os.path.isdir(value):
            raise ConfigError(f"{where}: {value} is there, and is not a folder")
    elif check := _CHECKS.get(name):
        value = check(value, where)
    return value


def _check_number(value: int, where: str) -> int:
    if value < 1:
        raise ConfigError(f"{where}: {value} is too few; leave it out to keep all")
    return value


def _check_limits(limits: Limits, where: str) -> Limits:
    for limit in limits.__struct_fields__:
        if getattr(limits, limit) <= 0:
            raise ConfigError(f"{where}: {limit} must be more than 0")
    return limits


def _check_games(games: tuple[str, ...], where: str) -> tuple[str, ...]:
    if not games:
        raise ConfigError(f"{where}: name a game")
    names = [_game(text, where)[0] for text in games]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: two games are called {name}; name them: first=…, second=…")
    return games


def _game(text: str, where: str = "--game") -> tuple[str, str]:
    """Split `[name=]module.Class`; without a name it is the class's, in small letters."""
    match = _GAME.fullmatch(text)
    if match is None:
        raise ConfigError(f"{where}: {text!r} is not [name=]module.Class")
    name = match["name"]
    if name is None:
        name = match["dotted"].rpartition(".")[2].lower()
    if not is_game_name(name):
        raise ConfigError(f"{where}: {name!r} is no name for a game: small letters, digits, - and _")
    return name, match["dotted"]


def is_game_name(name: str) -> bool:
    """Tell whether a game may be called so."""
    return _GAME_NAME.fullmatch(name) is not None


def _origin(text: str, where: str) -> str:
    """Bring an origin into the form in which browsers send it (RFC 6454 §6.2)."""
    try:
        parts = urlsplit(text.lower())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not bare:
        raise ConfigError(f"{where}: {text!r} is not an origin such as https://game.example.org")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port is None or port == {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def _host(text: str, where: str) -> str:
    name = text.lower().rstrip(".")
    if not _HOST.fullmatch(name):
        raise ConfigError(f"{where}: {text!r} is not a host name (without scheme and port)")
    return name


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "game": _check_games,
    "origin": lambda texts, where: tuple(_origin(text, where) for text in texts),
    "host": lambda texts, where: tuple(_host(text, where) for text in texts),
    "database": database_url,
    "keep-days": _check_number,
    "keep-lines": _check_number,
    "limits": _check_limits,
}


def _secret(settings: Settings, chosen: dict[str, tuple[str, Any]], environ: Mapping[str, str]) -> Secret | None:
    """Read the key for tokens: `--secret-file`, then the environment's, then the file's."""
    where = chosen["secret-file"][0] if "secret-file" in chosen else ""
    in_environment = environ.get("METEOR_SECRET")
    if where == "METEOR_SECRET_FILE" and in_environment is not None:
        raise ConfigError("METEOR_SECRET and METEOR_SECRET_FILE are both set; keep one")
    if in_environment is not None and where != "--secret-file":
        secret, where = Secret(in_environment.strip().encode()), "METEOR_SECRET"
    elif settings.secret_file is not None:
        try:
            secret = Secret(Path(settings.secret_file).read_bytes().strip())
        except OSError as error:
            raise ConfigError(f"{where}: {settings.secret_file}: {error.strerror}") from None
    elif not settings.guests:
        raise ConfigError("nobody could enter: guests are refused, and there is no --secret-file to check tokens with")
    else:
        return None
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(f"{where}: the secret has {len(secret)} bytes and needs {MIN_SECRET_BYTES} or more")
    return secret
