"""Every interface that a user may implement, and what a handler is given.

A server asks: who is this (`IAuthenticator`), what happens in the world (`ISyncHandler`), may this be said (`IChatHandler`),
where are lines kept (`IStorage`). `meteor_net.Game` and `meteor_net.Chat` have a default for every verb, so most authors
subclass those; a class that implements the interface by itself is as good, and is checked by `verifyObject` when it is joined.

Verbs of the two handlers may answer at once, or be `async`, or answer a Deferred: then the answer is awaited for at most
five seconds, later events of the same player keep their order behind it, and everybody else goes on. Only `tick` and
`moderates` must answer at once.
A verb that raises `Refused` refuses that one event, and the player hears the text. Any other error is logged with the room and
the player, counted, and the player is told that it failed; the room lives on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from zope.interface import Attribute, Interface

from .messages import LineKind

if TYPE_CHECKING:
    from collections.abc import Awaitable


class Identity(NamedTuple):
    """Who somebody is.

    Attributes:
        user: The id; the same person has the same one on every visit. At most 64 characters.
        name: What others see; at most 64 characters.
    """

    user: str
    name: str


class StoredLine(NamedTuple):
    """A line of chat as storage keeps it.

    Attributes:
        offset: Its place in the channel, from 0; -1 until it is stored.
        time: Milliseconds of the server's clock since 1970.
        tick: The room's tick, 0 outside rooms.
        kind: A `LineKind`.
        sender: The user's id; empty for notices.
        name: The sender's name at that time.
        text: What was said.
        cid: The sender's own id for the line; empty for notices.
        about: The offset of the line that this one answers or changes; -1 for none.
        to: Of a private message, the user that it is for.
        mentions: Ids of users who are named in it.
        data: Of a game's own kind, what the game keeps with it: a value that CBOR can carry.
        state: A `LineState`: whether it was edited or deleted since; the text is the newest, or empty.
        reactions: (emoji, how many users, whether the reader is one of them), in the order of first use. Of a reaction that
            was just kept: how the line that it is about stands now, for that emoji.
    """

    offset: int
    time: int
    tick: int
    kind: int
    sender: str
    name: str
    text: str
    cid: str
    about: int = -1
    to: str = ""
    mentions: tuple[str, ...] = ()
    data: Any = None
    state: int = 0
    reactions: tuple[tuple[str, int, bool], ...] = ()


class ChannelPlace(NamedTuple):
    """Where a channel stands: its epoch (48 random bits) and the offset of the line to come."""

    epoch: int
    next: int


class IWorld(Interface):
    """The state of a room: a table for each class in the handler's `tables`, a dict for each name in its `documents`."""

    tables = Attribute("The live tables, in the order of their classes.")
    epoch = Attribute("An integer of 48 bits: another one means another world.")


class IPlayer(Interface):
    """A user in a room. A handler gets the same object in every verb, from `joined` to `left`."""

    user = Attribute("The user's id, text.")
    name = Attribute("The name that others see, text.")
    role = Attribute('"play" or "watch".')
    room = Attribute("The IRoom.")
    row = Attribute("The player's own row (or None); set by the handler, told to the client as `me`.")
    rows = Attribute("All of the player's own rows, a list; `row` is its first.")
    key = Attribute("A number of 0 to 65,535 that nobody else in the room has, or had: what `owner` of a row is set to.")
    team = Attribute("The team (0 to 65,535) whose rows the player sees, several, or None; set by the handler.")
    data = Attribute("A dict for whatever the game wants to keep about the player.")
    online = Attribute("False while the player is away.")
    round_trip_ms = Attribute("The last measured round trip, or None.")
    seen = Attribute("The tick on the player's screen when the action in hand was sent, a float; 0.0 if unknown.")

    def look(x: float | None = None, y: float | None = None, reach: float | None = None) -> None:
        """Look from a point from now on; without one, from where `row` is again.

        That is how it begins: a player sees what is around its row, if the row's table has the fields x and y. While it has no
        such row, it sees what is around the last point; before the first, nothing of tables with cells.

        Args:
            x: Of the point, as in the tables with cells.
            y: Likewise.
            reach: How far the player sees from there; as far as those tables say, if None.

        Raises:
            ValueError: One is NaN or infinite, the reach is negative, or only one of x and y is given.
        """

    def say(text: str) -> None:
        """Send the player alone a notice, kept in the user's inbox."""

    def tell(to: str, text: str) -> None:
        """Say something in the player's name to one user alone: a private message, kept in the inboxes of both.

        If it cannot be, the player gets a notice that says why. In a command it is the player's own line, as in `IRoom.say`.

        Args:
            to: The name of somebody in the room, if only one has it; or the id, or else the name, of anybody.
            text: What to say.
        """

    def emit(event: object) -> None:
        """Send the player alone an event."""

    def remove(text: str = "") -> None:
        """Take the player out of the room, and tell why."""


class IRoom(Interface):
    """Where a game runs. Nothing that is called here does I/O; it is done after the verb has answered."""

    name = Attribute("The full name, text.")
    world = Attribute("The IWorld.")
    players = Attribute("The players, those who are away included: a list in the order in which they came.")
    tick = Attribute("The number of the tick in hand, from 1.")
    random = Attribute("A random.Random, seeded: with one seed, a run repeats itself exactly.")
    rng = Attribute("A numpy Generator, seeded likewise.")

    def notice(text: str) -> None:
        """Say something in the room's channel in the server's name."""

    def say(player: IPlayer, text: str, kind: int = LineKind.TEXT, data: Any = None) -> None:
        """Say something in the room's channel in a player's name.

        What a command says so of the player who typed it is the player's own line: `line` of the chat handler is asked, and the
        player is answered when it is kept, or told why it is not. That is so until the command has returned: what an `async`
        one says, or a callback, is said as it is.

        Args:
            player: Who is to say it.
            text: What to say.
            kind: TEXT, EMOJI, ME, or a kind of the game's own (`OWN_KINDS` and up).
            data: For a kind of the game's own, any value that CBOR can carry, at most 4 KiB of it.

        Raises:
            ValueError: If lines of that kind are not said so, or carry no data.
            Refused: If the text is not one emoji where it should be, or the data is too large; in a command, if it may not
                be said.
        """

    def mute(user: str, seconds: float) -> None:
        """Let a user, by id, say nothing here for so long, moderators excepted; 0 ends that, and so does the room's end."""

    def emit(event: object) -> None:
        """Tell all in the room an event, once, of this tick."""

    def rewind(tick: float) -> Any:
        """Give the world as it was: `past = room.rewind(player.seen)` is what the player of the action in hand aimed at.

        Args:
            tick: With a fraction between two ticks, as clients draw it. At most 0.5 s ago (`rewind_s`), and no older than the
                versions that are held; one that is unknown (0, negative, or no number) is the present.

        Returns:
            The tables to read, as in `world`: `past.ship.x`, `past.ship[slot]`, which raises KeyError if there was no such row
            then; and `past.tick`. What is `Local` is not in it.
        """

    def save() -> None:
        """Save the tables of `keep` soon: within a second where the room ticks so often, else at the end of the turn."""


class ISyncHandler(Interface):
    """What happens in a room's world. One object for each room, made by calling the class without arguments."""

    tables = Attribute("A list of Table classes: the world.")
    documents = Attribute("A list of names of documents: trees of values in the world, beside its tables.")
    keep = Attribute("Those of both that outlive the room: saved by its name, and loaded before `opened`.")
    actions = Attribute("A list of Action classes: what players may do.")
    events = Attribute("A list of Event classes.")
    tick_hz = Attribute("Ticks a second, from 1/60 to 120.")
    max_players = Attribute("How many may play at once; who watches does not count.")
    away_s = Attribute("Seconds that the room waits for a player whose connection was lost; None for the server's `away_s`.")
    same_user = Attribute(
        'Of a user who joins a room of this game and is in one with another session: "allow" both, "replace" the other one, or '
        '"refuse" the newcomer; to one that waits for its connection nobody is refused. Only rooms of one process count.'
    )
    room = Attribute("The IRoom; set before `opened`.")

    def opened() -> None:
        """The room was made; the world is empty, but for what was kept. Called once, first."""

    def joined(player: IPlayer) -> None:
        """Somebody is in. `Refused` keeps the player out, who hears why."""

    def away(player: IPlayer) -> None:
        """The player's connection was lost; `back` or `left` follows."""

    def back(player: IPlayer) -> None:
        """The player is connected again."""

    def left(player: IPlayer) -> None:
        """The player is gone for good. Called once for each `joined` that was not refused."""

    def action(player: IPlayer, action: Any) -> Any:
        """A player does something.

        Args:
            player: Who.
            action: An instance of one of `actions`, its fields checked.

        Returns:
            For an Action, what the player gets as its result (None, or a value that CBOR can carry); for an Input, nothing.
        """

    def tick(dt: float) -> None:
        """Move the world by `dt` seconds, after the inputs of this tick were given to `action`. May not be async."""

    def closed() -> None:
        """The room ends; nobody is in it."""


class IChatHandler(Interface):
    """What may be said in a room. One object for each room, made by calling the class without arguments."""

    room = Attribute("The IRoom; set before `opened`.")
    slow_s = Attribute("Slow mode: seconds between two lines of one user, moderators excepted; 0 for none. It may change.")

    def opened() -> None:
        """The room was made."""

    def line(player: IPlayer, text: str) -> str | None:
        """A player wants to say something, or to edit what it said; it is not said yet.

        Returns:
            The text to say, changed or not. None holds the line: nobody hears it, unless the handler says it later. `Refused`
            says why not.
        """

    def private(player: IPlayer, to: str, text: str) -> str:
        """A player wants to say something to one user alone, whose id, or name, is `to`.

        Returns:
            The text to say, changed or not. `Refused` says why not.
        """

    def own(player: IPlayer, kind: int, text: str, data: Any) -> tuple[str, Any]:
        """A player wants to say a line of the game's own kind, 64 or more.

        Args:
            player: Who.
            kind: The kind.
            text: May be empty.
            data: As the client made it: nothing of it is checked but its size, at most 4 KiB.

        Returns:
            The text and the data to keep. `Refused` if there is no such kind, or the data is wrong.
        """

    def moderates(player: IPlayer) -> bool:
        """Whether a player may edit and delete lines of others, and is free of slow mode and mutes. Has to answer at once."""

    def command(player: IPlayer, name: str, rest: str) -> str | None:
        """A player typed `/name rest`.

        Returns:
            What to answer the player alone, or None. `Refused` if there is no such command.
        """


class IAuthenticator(Interface):
    """Who may enter."""

    def authenticate(token: str | None, name: str | None, address: str) -> Identity | Awaitable[Identity]:
        """Find out who this is.

        Args:
            token: What the client brought, or None for a guest.
            name: The name that the client wishes, or None.
            address: The peer's address, for limits and logs.

        Returns:
            The identity, or an awaitable of it. `Refused` if there is none; the client is told its text, and stays away.
        """


class IStorage(Interface):
    """Where all is kept that outlives a room. Every answer is awaitable.

    What cannot be done raises `StorageError`: nothing was kept, unless its `unknown` says that this cannot be told.
    """

    def open(channel: str) -> Awaitable[ChannelPlace]:
        """Find or make a channel."""

    def append(channel: str, line: StoredLine, moderator: bool = False) -> Awaitable[StoredLine]:
        """Keep a line, and answer it as it is kept, with its offset, once it is kept for good.

        Offsets have no holes. A line whose `sender` and (not empty) `cid` are known already is not kept again: the answer is
        the one that was. A line that changes another one (`messages.CHANGES`) is kept too, and changes that one in the same
        transaction: its text, its state, its reactions.

        Args:
            channel: Its name.
            line: The line; its offset, state and reactions do not count.
            moderator: The sender may change lines of others.

        Raises:
            Refused: `about` names no line (`not-there`); it is another's, and the sender no moderator (`not-yours`); it was
                deleted, or is a change itself (`not-there`); the reaction is there already, or is not there to be taken
                back (`already`); the line has `MAX_REACTIONS` different ones (`too-many`).
            StorageError: It is not kept; or nobody knows.
        """

    def lines(channel: str, after: int, limit: int, reader: str = "") -> Awaitable[list[StoredLine]]:
        """The oldest lines of any kind with an offset above `after`, ascending, at most `limit`; as they stand now."""

    def page(channel: str, before: int | None, limit: int, reader: str = "") -> Awaitable[list[StoredLine]]:
        """The newest lines below an offset (or of all), those left out that change others, ascending, at most `limit`."""

    def seen(identity: Identity, time: int) -> Awaitable[None]:
        """A user is here, at this time in milliseconds: remember the id and the name."""

    def find(name: str) -> Awaitable[Identity | None]:
        """Who has this id; or else the user who was seen last under this name, or None."""

    def keep(name: str, data: bytes | None) -> Awaitable[None]:
        """Keep bytes under a name, in place of those before; None forgets them.

        Calls for one name take effect in the order in which they were made, those too that nobody waits for any more.
        """

    def kept(name: str) -> Awaitable[bytes | None]:
        """What was kept under a name."""

    def close() -> Awaitable[None]:
        """No more calls come; answer when all is safe."""
