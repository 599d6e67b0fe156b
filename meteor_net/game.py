"""Where a game author begins: `Game` and `Chat` have a default for every verb of the interfaces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from inspect import isfunction, signature
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from zope.interface import implementer

from .chat.text import starred
from .errors import ConfigError, Refused
from .interfaces import IChatHandler, IPlayer, IRoom, ISyncHandler
from .messages import LineKind
from .state import Action, Event, Input, Table

if TYPE_CHECKING:
    import numpy as np

    from .room import Room
    from .state.own import StepFunction

Handler = TypeVar("Handler", bound=Callable[..., Any])

_HANDLES = "__meteor_handles__"
_FOR_MODERATORS = "__meteor_for_moderators__"
#: What moderators may set.
MAX_SLOW_S = 3_600.0
MAX_MUTE_MIN = 60.0 * 24.0 * 30.0


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
        documents: Names of trees of values: `self.world.match` is a dict then, which players see as it is.
        keep: Those of the tables and documents that outlive the room: loaded before `opened`, and saved by the room's name.
        events: The Event classes that `room.emit` may be given.
        actions: Filled from the `@handles` methods, in their order, and from `steps`; name more only if you override `action`.
        steps: What an Input does to its player's own rows by itself: `{Steer: step}`, run before `tick`. `step(s, i)` changes
            the integers of the rows by those of the input, and clients that have it too need not wait for the server
            (docs/explanation/prediction.md). An Input may have a step, a handler, or both.
        idle: What a step gets in a tick without an input: `"repeat"` the last one for `idle_ticks` ticks, then one with all
            fields at their defaults; `"skip"` lets the rows be.
        idle_ticks: How often; 0 to 600.
        tick_hz: Ticks a second, from 1/60 to 120.
        max_players: How many may play at once.
        away_s: How long the room waits for a player whose connection was lost, in seconds; None for as long as the server's
            `away_s` says.
        same_user: What becomes of a user who joins a room of this game and is in one with another session: `"allow"` both,
            `"replace"` the other one, which is ended with close code 4507, or `"refuse"` the newcomer.
        page: A folder beside the game's module with the game's own page, or None.
        room: The room; `world`, `random` and `rng` are the room's own.
    """

    tables: ClassVar[Sequence[type[Table]]] = ()
    documents: ClassVar[Sequence[str]] = ()
    keep: ClassVar[Sequence[type[Table] | str]] = ()
    actions: ClassVar[Sequence[type[Action]]] = ()
    events: ClassVar[Sequence[type[Event]]] = ()
    steps: ClassVar[Mapping[type[Input], StepFunction]] = {}
    idle: ClassVar[str] = "repeat"
    idle_ticks: ClassVar[int] = 5
    tick_hz: ClassVar[float] = 20
    max_players: ClassVar[int] = 64
    away_s: ClassVar[float | None] = None
    same_user: ClassVar[str] = "allow"
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
        steps = cls.steps if isinstance(cls.steps, Mapping) else {}  # what it is else is said when the game is started
        taken = dict.fromkeys((*methods, *steps))
        cls.actions = [*cls.actions, *(action for action in taken if action not in cls.actions)]

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
        if name is None and type(action) in self.steps:
            return None
        if name is None:
            raise Refused(f"nothing takes {type(action).__name__} here", "bad-action")
        return getattr(self, name)(player, action)

    def tick(self, dt: float) -> None:
        """Move the world by `dt` seconds."""

    def closed(self) -> Any:
        """The room ends."""


def for_moderators(command: Handler) -> Handler:
    """Mark a `command_...` method of a Chat as one for moderators alone; `/help` tells only those of it."""
    setattr(command, _FOR_MODERATORS, True)
    return command


@implementer(IChatHandler)
class Chat:
    """The chat of a room: everything may be said, `/help` lists the commands, and moderators keep order.

    Attributes:
        moderators: Ids of the users who may edit and delete lines of others, `/slow` and `/mute`.
        slow_s: Seconds between two lines of one user, moderators excepted; 0 for none.
        words: What is said with stars in its place, in whatever case, where it stands alone.
        room: The room.
    """

    moderators: Collection[str] = frozenset()
    slow_s: float = 0.0
    words: Collection[str] = frozenset()

    room: IRoom

    def opened(self) -> Any:
        """The room was made."""

    def line(self, player: IPlayer, text: str) -> Any:
        """Accept a line, with stars for the `words`."""
        return starred(text, self.words)

    def private(self, player: IPlayer, to: str, text: str) -> Any:
        """Accept a private message, likewise."""
        return starred(text, self.words)

    def own(self, player: IPlayer, kind: int, text: str, data: Any) -> Any:
        """Refuse: a game that has lines of its own kinds knows what may be in them."""
        raise Refused(f"there are no lines of kind {kind} here", "bad-text")

    def moderates(self, player: IPlayer) -> bool:
        """Whether a player is one of the `moderators`."""
        return player.user in self.moderators

    def command(self, player: IPlayer, name: str, rest: str) -> Any:
        """Hand `/name` to the method `command_name`, if there is one."""
        method = getattr(self, f"command_{name}", None) if name.isidentifier() else None
        if not callable(method):
            raise Refused(f"there is no command /{name}; try /help", "bad-text")
        if hasattr(method, _FOR_MODERATORS) and self.moderates(player) is not True:  # an answer to come is no yes
            raise Refused(f"/{name} is for moderators")
        return method(player, rest)

    def command_help(self, player: IPlayer, rest: str) -> Any:
        """List the commands."""
        methods = {name: getattr(self, name) for name in dir(self) if name.startswith("command_")}
        names = sorted(
            name.removeprefix("command_")
            for name, method in methods.items()
            if callable(method) and (not hasattr(method, _FOR_MODERATORS) or self.moderates(player) is True)
        )
        return "commands: " + ", ".join(f"/{name}" for name in names)

    def command_me(self, player: IPlayer, rest: str) -> Any:
        """Say what the player does: `/me waves`."""
        self.room.say(player, rest, LineKind.ME)

    def command_msg(self, player: IPlayer, rest: str) -> Any:
        """Tell one user something: `/msg name text`, or `/msg "a name of several words" text`."""
        name, text = _first(rest)
        if not text:
            raise Refused("/msg name text", "bad-text")
        player.tell(name, text)

    @for_moderators
    def command_slow(self, player: IPlayer, rest: str) -> Any:
        """Set slow mode: `/slow 10`; `/slow 0` ends it."""
        self.slow_s = _number(rest, "/slow seconds", MAX_SLOW_S)
        self.room.notice(f"slow mode: one line in {self.slow_s:g} s" if self.slow_s else "slow mode is over")

    @for_moderators
    def command_mute(self, player: IPlayer, rest: str) -> Any:
        """Let somebody say nothing for some minutes, 10 if none are given: `/mute name 5`."""
        name, minutes = _first(rest)
        other = self._named(name)
        self.room.mute(other.user, 60.0 * _number(minutes or "10", "/mute name minutes", MAX_MUTE_MIN))
        return f"{other.name} is muted"

    @for_moderators
    def command_unmute(self, player: IPlayer, rest: str) -> Any:
        """Let somebody speak again: `/unmute name`."""
        other = self._named(_first(rest)[0])
        self.room.mute(other.user, 0.0)
        return f"{other.name} may speak"

    def _named(self, name: str) -> IPlayer:
        """Somebody in the room, by id or name.

        Raises:
            Refused: There is nobody of that name.
        """
        for player in self.room.players:
            if player.user == name or player.name.casefold() == name.casefold():
                found: IPlayer = player
                return found
        raise Refused(f"there is nobody called {name} here", "no-such-user")


def _first(rest: str) -> tuple[str, str]:
    """The first word of a command's rest, which may stand in quotes, and what follows."""
    if rest.startswith('"'):
        name, _, text = rest[1:].partition('"')
    else:
        name, _, text = rest.partition(" ")
    return name, text.strip()


def _number(text: str, usage: str, most: float) -> float:
    """A number from 0 to `most`.

    Raises:
        Refused: It is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= most:
        raise Refused(f"{usage}: a number from 0 to {most:g}", "bad-text")
    return number
