"""What a server says of its handlers before anything listens: whether they keep their interfaces, and what they declare."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from inspect import iscoroutinefunction
from math import isfinite
from typing import Any, NamedTuple

from zope.interface import Invalid
from zope.interface.verify import verifyObject

from ..errors import ConfigError
from ..interfaces import IChatHandler, ISyncHandler
from ..state import Schema
from .steps import check_steps

#: Ticks a second: a tick's length has to fit JOINED, and a core does no more than some hundred.
LEAST_HZ, MOST_HZ = 1 / 60, 120
#: What may become of a user who comes in twice.
SAME_USER = ("allow", "replace", "refuse")


class Declared(NamedTuple):
    """What a game's handlers say of all its rooms."""

    schema: Schema
    same_user: str


def _made(what: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception as error:
        raise ConfigError(f"the {what} cannot be made: {error}") from error


def _check(handler: Any, interface: Any, what: str) -> None:
    # `room` is set when a room is made: for the check it only has to be a name of the handler's.
    if not hasattr(handler, "room"):
        with suppress(AttributeError):  # then the check says that there is none
            handler.room = None
    try:
        verifyObject(interface, handler)
    except Invalid as error:
        # In its many lines, the object's address and the interface's module help nobody.
        text = re.sub(r"^The object .*? has failed to implement interface \S+:", "", str(error))
        why = "; ".join(text.replace(f"{interface.__module__}.", "").strip().splitlines())
        why = re.sub(r"\s+", " ", why)
        raise ConfigError(f"the {what} {type(handler).__name__} does not keep {interface.__name__}: {why}") from error


def check_chat(chat: Callable[[], Any]) -> None:
    """Check a class of chat handlers.

    Raises:
        ConfigError: It cannot be made, or does not keep IChatHandler; says why.
    """
    handler = _made("chat handler", chat)
    _check(handler, IChatHandler, "chat handler")
    name, slow_s = type(handler).__name__, handler.slow_s
    if not isinstance(slow_s, int | float) or not slow_s >= 0.0:
        raise ConfigError(f"the chat handler {name}: slow_s is {slow_s!r}; a number of seconds, at least 0")
    if iscoroutinefunction(handler.moderates):
        raise ConfigError(f"the chat handler {name}: moderates may not be async")


def check_game(name: str, game: Callable[[], Any]) -> Declared:
    """Check a class of sync handlers.

    Raises:
        ConfigError: It cannot be made, or does not keep ISyncHandler, or declares nonsense; says why.
    """
    handler = _made(f"handler of game {name}", game)
    _check(handler, ISyncHandler, f"handler of game {name},")
    _check_options(name, handler)
    if iscoroutinefunction(handler.tick):
        raise ConfigError(f"game {name}: tick may not be async")
    try:
        check_steps(handler)
    except ConfigError as error:
        raise ConfigError(f"game {name}: {error}") from error
    for what in ("tables", "actions", "events", "documents", "keep"):
        if not isinstance(declared := getattr(handler, what), Iterable) or isinstance(declared, str):
            of = "names" if what == "documents" else "classes"
            raise ConfigError(f"game {name}: {what} is {declared!r}; a list of {of}, also if it is one")
    tables, documents = list(handler.tables), list(handler.documents)
    for kept in handler.keep:
        if kept not in tables and kept not in documents:
            what = getattr(kept, "__name__", kept)
            raise ConfigError(f"game {name}: keep names {what}, which is not among its tables and documents")
    try:
        schema = Schema(tables, list(handler.actions), list(handler.events), documents)
    except (ConfigError, TypeError) as error:
        raise ConfigError(f"game {name}: {error}") from error
    return Declared(schema, handler.same_user)


def _check_options(name: str, handler: Any) -> None:
    hz, most = handler.tick_hz, handler.max_players
    if not isinstance(hz, int | float) or not LEAST_HZ <= hz <= MOST_HZ:
        raise ConfigError(f"game {name}: tick_hz is {hz!r}; a number from 1/60 to {MOST_HZ}")
    if not isinstance(most, int) or most < 1:
        raise ConfigError(f"game {name}: max_players is {most!r}; a whole number, at least 1")
    away_s, same_user = handler.away_s, handler.same_user
    if away_s is not None and (not isinstance(away_s, int | float) or not isfinite(away_s) or away_s < 0.0):
        raise ConfigError(f"game {name}: away_s is {away_s!r}; a number of seconds, at least 0, or None")
    if same_user not in SAME_USER:
        raise ConfigError(f"game {name}: same_user is {same_user!r}; one of {', '.join(SAME_USER)}")
