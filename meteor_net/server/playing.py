"""What a server plays: games, or a recording of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from ..replay import Recording, RecordingError, Replay, ReplayChat, replay_of
from ..replay.game import clock
from .dotted import load_chat, load_games
from .settings import DEFAULT_GAME, Settings, is_game_name


@dataclass(frozen=True, slots=True)
class Playing:
    """What a server plays.

    Attributes:
        games: Name -> class; the first is the default.
        chat: The chat handler's class, or None.
        page_of: The game whose page is at `/`.
        told: The same for the operator's eye: a word, and what it is.
    """

    games: dict[str, type[Any]]
    chat: type[Any] | None
    page_of: type[Any]
    told: tuple[str, str]


def playing(settings: Settings) -> Playing:
    """Load what the operator chose.

    Raises:
        ConfigError: One line: which cannot be had, and why.
    """
    games = load_games(settings.games, settings.python_path)
    first = next(iter(games.values()))
    if settings.replay is not None:
        return _replay(settings, settings.replay, games, first)
    chat = load_chat(settings.chat, settings.python_path) if settings.chat else None
    told = ", ".join(f"{name} ({dotted})" for name, dotted in settings.games.items())
    return Playing(games, chat, first, ("game", told))


def _replay(settings: Settings, path: str, games: dict[str, type[Any]], first: type[Any]) -> Playing:
    """Load a recording. The game that it names is not imported: a file from elsewhere must not say what runs here."""
    try:
        recording = Recording.open(path)
    except RecordingError as error:
        raise ConfigError(f"--replay: {error}") from error
    header = recording.header
    told = f"{header.room}, {clock(recording.length_s)} long ({path})"
    page_of = next((game for game in games.values() if f"{game.__module__}.{game.__qualname__}" == header.game), None)
    if page_of is None and settings.game != (DEFAULT_GAME,):
        page_of = first
    if page_of is None:
        page_of = Replay
        told += f"; --game {header.game} shows its page"
    name = header.room.partition("/")[0]
    return Playing({name if is_game_name(name) else "replay": replay_of(recording)}, ReplayChat, page_of, ("replay", told))
