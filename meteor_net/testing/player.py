"""A player in a test: a real client, whose calls let the clock go on until they are done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from ..chat.system import ChatMessage, ChatPage, ChatSystem
from ..client import NetworkClient
from ..state import Action, Event, Input
from ..state.own import StepFunction
from .network import Network
from .wire import Wire


class PlayerHandle:
    """What a test holds of a player.

    Attributes:
        game: The client itself, for all that is not here.
        network: The wire between the player and the server, with its faults.
        lines: Texts that the player heard said, as they read then, the history included; `chat` has them as they read now.
        privates: Texts of private messages, to the player and by the player.
        changes: Lines as they read after each edit, deletion and reaction that the player heard of.
        notices: Texts that the game or the server told.
        events: Events that the player heard, as instances of the game's own classes.
        gaps: Channels of which lines were lost for the player; None for events.
        statuses: What the client showed, in order: `online`, `reconnecting in 1 s`, …
        left_because: Reason and text of how the player was put out of the room, or None.
    """

    def __init__(self, network: Network, wire: Wire, game: NetworkClient, events: Iterable[type[Event]] = ()) -> None:
        self.game = game
        self.network = wire
        self.lines: list[str] = []
        self.privates: list[str] = []
        self.changes: list[ChatMessage] = []
        self.notices: list[str] = []
        self.events: list[Any] = []
        self.gaps: list[str | None] = []
        self.statuses: list[str] = []
        self.left_because: tuple[str, str] | None = None
        self._network = network
        self._events = {kind.__name__: kind for kind in events}
        game.on("line", lambda line: self.lines.append(line.text))
        game.on("private", lambda line: self.privates.append(line.text))
        game.on("notice", lambda line: self.notices.append(line.text))
        game.on("change", self.changes.append)
        game.on("event", self._heard_event)
        game.on("gap", self.gaps.append)
        game.on("status", self.statuses.append)
        game.on("left", self._left)

    def __repr__(self) -> str:
        return f"<player {self.name!r}, {self.status}>"

    @property
    def name(self) -> str:
        """The player's name as others see it."""
        return self.game.name

    @property
    def user(self) -> str:
        """The player's user id, as in `ChatMessage.sender`."""
        return self.game.user

    @property
    def status(self) -> str:
        """How the connection is; see `NetworkClient.status`."""
        return self.game.status

    @property
    def world(self) -> Any:
        """The world as the player sees it now: what has arrived, rounded to the fields' steps."""
        return self.game.world

    @property
    def me(self) -> Any:
        """The player's own row in that world, or None."""
        return self.game.me

    @property
    def chat(self) -> ChatSystem:
        """The conversation as the player sees it now: `ann.chat.find(offset)`, `ann.chat.message_history`."""
        return self.game.chat

    def act(self, action: Action | str, **fields: Any) -> Any:
        """Do something.

        Returns:
            For an input None, at once: it is taken at a later tick. For an action what its handler answered, once that
            has come: the clock goes on by a round trip.

        Raises:
            Refused: The handler said no.
        """
        return self._done(self.game.act(action, **fields))

    def predict(self, kind: type[Input] | str, step: StepFunction, **options: Any) -> None:
        """Move the player's own rows ahead of the server; see `NetworkClient.predict`, also for the options."""
        self.game.predict(kind, step, **options)

    def show(self) -> Any:
        """The world as it is drawn now: a little in the past, the player's own rows as predicted."""
        return self.game.show()

    def say(self, text: str, channel: str = "", **more: Any) -> int:
        """Say a line, and let the clock go on until it is kept.

        Args:
            text: What is said.
            channel: Where; the room's own channel by default.
            more: As of `NetworkClient.say`: `about`, `kind`, `data`.

        Returns:
            Its offset; -1 for a command.

        Raises:
            Refused: It may not be said.
        """
        return self._kept(self.game.say(text, channel, **more))

    def react(self, offset: int, emoji: str, channel: str = "") -> int:
        """React to a line; returns and raises as `say`, and so do the verbs below."""
        return self._kept(self.game.react(offset, emoji, channel))

    def unreact(self, offset: int, emoji: str, channel: str = "") -> int:
        """Take a reaction back."""
        return self._kept(self.game.unreact(offset, emoji, channel))

    def edit(self, offset: int, text: str, channel: str = "") -> int:
        """Give a line another text."""
        return self._kept(self.game.edit(offset, text, channel))

    def delete(self, offset: int, channel: str = "") -> int:
        """Take a line back."""
        return self._kept(self.game.delete(offset, channel))

    def tell(self, to: PlayerHandle | str, text: str) -> int:
        """Say something to one player, or user id, alone."""
        return self._kept(self.game.tell(to.user if isinstance(to, PlayerHandle) else to, text))

    def earlier(self, limit: int = 50, channel: str = "") -> ChatPage:
        """Ask for a page of older lines, and let the clock go on until it is there.

        Raises:
            Refused: It is not to be had.
        """
        page: ChatPage = self._done(self.game.earlier(limit, channel))
        return page

    def kill(self, silent: bool = False) -> None:
        """Kill the client in the middle of whatever it does; see `Wire.kill`. What waited for an answer waits for ever.

        Another one may be begun with the same `outbox`.
        """
        self.network.kill(silent)
        if self.game._outbox is not None:
            self.game._outbox.close()  # as the system does for a process that is killed

    def leave(self) -> None:
        """Leave the room and the server, and let the clock go on until both ends know it."""
        self._done(self.game.disconnect())
        self._network.wait_until(lambda: not self.network.connections)

    def _kept(self, answer: Deferred[int]) -> int:
        offset: int = self._done(answer)
        return offset

    def _done(self, answer: Deferred[Any] | None) -> Any:
        return None if answer is None else self._network.wait(answer)

    def _heard_event(self, event: Event) -> None:
        # The client's classes are made from the schema; a test compares with the game's own.
        own = self._events.get(type(event).__name__)
        self.events.append(event if own is None else own.from_wire(event.to_wire()))

    def _left(self, reason: str, text: str) -> None:
        self.left_because = (reason, text)
