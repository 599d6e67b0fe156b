"""Where a game author begins: `Game` and `Chat` have a default for every verb of the interfaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isfunction, signature
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from zope.interface import implementer

from .errors import ConfigError, Refused
from .interfaces import IChatHandler, IPlayer, ISyncHandler
from .state import Action, Event, Table

if TYPE_CHECKING:
    import numpy as np

    from .room import Room

Handler = TypeVar("Handler", bound=Callable[..., Any])

_HANDLES = "__meteor_handles__"


def handles(*actions: type[Action]) -> Callable[[Handler], Handler]:
    """Mark a method of a Game as the one that takes these kinds of action.

    The method gets the player and the action. What it returns is the player's result, for an action that is no input;
    `Refused` tells the player why not.
    """
    for action in actions:
        if not (isinstance(action, type) and issubclass(action, Action)):
            raise ConfigError(f"@handles takes Action classes, not {action!r}")

    def mark(method: Handler) -> Handler:
        if isfunction(method):
            try:
                signature(method).bind("self", "player", "action")
            except TypeError as error:
                raise ConfigError(f"{method.__qualname__} is called with a player and an action: {error}") from error
        setattr(method, _HANDLES, actions)
        return method

    return mark


@implementer(ISyncHandler)
class Game:
    """A game: one object for each room.

    Declare `tables`, and take actions with `@handles`. Every verb does nothing unless you say otherwise.

    Attributes:
        tables: The world: a list of Table classes.
        keep: Those of the tables that outlive the room: they are loaded before `opened`, and saved by the room's name.
        events: The Event classes that `room.emit` may be given.
        actions: Filled from the `@handles` methods, in their order; name more only if you override `action`.
        tick_hz: Ticks a second, from 1/60 to 120.
        max_players: How many may play at once.
        page: A folder beside the game's module with the game's own page, or None.
        room: The room; `world`, `random` and `rng` are the room's own.
    """

    tables: ClassVar[Sequence[type[Table]]] = ()
    keep: ClassVar[Sequence[type[Table]]] = ()
    actions: ClassVar[Sequence[type[Action]]] = ()
    events: ClassVar[Sequence[type[Event]]] = ()
    tick_hz: ClassVar[float] = 20
    max_players: ClassVar[int] = 64
    page: ClassVar[str | None] = None

    room: Room

    _methods: ClassVar[dict[type[Action], str]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        own: dict[type[Action], str] = {}
        for name, value in vars(cls).items():
            for action in getattr(value, _HANDLES, ()):
                if action in own:
                    raise ConfigError(f"{cls.__name__}.{own[action]} and {cls.__name__}.{name} both take {action.__name__}")
                own[action] = name
        methods = {**cls._methods, **own}
        cls._methods = methods
        cls.actions = [*cls.actions, *(action for action in methods if action not in cls.actions)]

    @property
    def world(self) -> Any:
        """The room's world: `self.world.ship` is the table of class Ship."""
        return self.room.world

    @property
    def random(self) -> Random:
        """The room's own random numbers; a seeded run repeats itself."""
        return self.room.random

    @property
    def rng(self) -> np.random.Generator:
        """The same for numpy."""
        return self.room.rng

    def opened(self) -> Any:
        """The room was made; the world is empty, but for what was kept."""

    def joined(self, player: IPlayer) -> Any:
        """Somebody is in."""

    def away(self, player: IPlayer) -> Any:
        """The player's connection was lost."""

    def back(self, player: IPlayer) -> Any:
        """The player is connected again."""

    def left(self, player: IPlayer) -> Any:
        """The player is gone; its rows go with it."""
        for row in player.rows:
            if row.alive:
                row.despawn()

    def action(self, player: IPlayer, action: Any) -> Any:
        """Hand an action to the method that `@handles` its kind."""
        name = self._methods.get(type(action))
        if name is None:
            raise Refused(f"nothing takes {type(action).__name__} here", "bad-action")
        return getattr(self, name)(player, action)

    def tick(self, dt: float) -> None:
        """Move the world by `dt` seconds."""

    def closed(self) -> Any:
        """The room ends."""


@implementer(IChatHandler)
class Chat:
    """The chat of a room: everything may be said, and there are no commands but /help."""

    room: Room

    def opened(self) -> Any:
        """The room was made."""

    def line(self, player: IPlayer, text: str) -> Any:
        """Accept a line as it is."""
        return text

    def command(self, player: IPlayer, name: str, rest: str) -> Any:
        """Hand `/name` to the method `command_name`, if there is one."""
        method = getattr(self, f"command_{name}", None) if name.isidentifier() else None
        if not callable(method):
            raise Refused(f"there is no command /{name}; try /help", "bad-text")
        return method(player, rest)

    def command_help(self, player: IPlayer, rest: str) -> str:
        """List the commands."""
        commands = (name for name in dir(self) if name.startswith("command_") and callable(getattr(self, name)))
        names = sorted(name.removeprefix("command_") for name in commands)
        return "commands: " + ", ".join(f"/{name}" for name in names)
