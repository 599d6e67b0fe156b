"""One room as a client's session holds it: its world, its conversation, what is on its way. Plain.

It outlives connections: the places it holds (wire page, clause 6.1) let the server send only what is
missing after a loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..chat.system import ChatMessage, ChatSystem
from ..errors import LocalProtocolError
from ..messages import (
    Ack,
    ActionMessage,
    Clock,
    EventMessage,
    Gap,
    History,
    Join,
    Joined,
    Line,
    Message,
    Own,
    Page,
    RefusedMessage,
    Result,
    Said,
    Unsaid,
)
from ..state import Action
from . import client_values as values
from .client_actions import Waiting, WaitingActions
from .client_channel import Channel
from .client_lines import RoomLines
from .client_names import ActionNames
from .client_prediction import Prediction
from .client_world import RoomWorld


class ClientRoom:
    """Hold one room.

    Attributes:
        asked: The name by which it is joined.
        name: The full name, as the server told it; before that, as it was asked for.
        number: The room's number on this connection, None while we are not in.
        stream: The number of its stream, None while we are not in.
        world: Its state, clock and events.
        lines: Its channels.
        prediction: Our own rows ahead of the world.
    """

    def __init__(
        self,
        asked: str,
        role: int,
        out: list[Message],
        told: list[values.Value],
        new_cid: Callable[[], str],
        line_queued: Callable[[], None],
    ) -> None:
        self.asked = asked
        self.name = asked
        self.role = role
        self.number: int | None = None
        self.stream: int | None = None
        self._held_back = False
        self.world = RoomWorld(out, told)
        self.prediction = Prediction(self.world)
        self.lines = RoomLines(ChatSystem(self._send_line, new_cid, self._want_page), out, told)
        self._actions = WaitingActions()
        self._key: int | None = None
        self._names: ActionNames | None = None
        self._line_queued = line_queued
        self._out = out
        self._told = told

    # --- in and out ---

    def join(self) -> Join:
        """Make the JOIN that asks for what is missing here."""
        places = self.world.places()
        channels = self.lines.places()
        if channels:
            places["channels"] = channels
        schema = self.world.schema
        return Join(self.asked, self.role, places, None if schema is None else schema.hash)

    def joined(self, message: Joined, same_session: bool, now: float) -> None:
        """Take JOINED, and say again what waits.

        Raises:
            MessageError: If the schema is none, or is missing.
        """
        # the server keeps answers for a player; the key tells whether it still has the one that we were
        same_player = same_session and message.key == self._key and message.epoch == self.world.epoch
        fresh, other_schema = self.world.joined(message, now)
        self.prediction.joined()
        assert self.world.schema is not None
        self.name, self.number, self.stream = message.name, message.room, message.stream
        if other_schema or self._names is None:
            self._names = ActionNames(self.world.schema)
            text = "the game was changed meanwhile"
            self._refuse(self._actions.restarted(message.last_seq), "unknown", text)  # they were sent
            self._refuse(self._actions.drop(), "changed", text)
        self._told.append(values.JoinedRoom(self.name, fresh))
        if same_player:
            for waiting in self._actions.resumed(message.last_seq):
                self._send_action(waiting)
        else:
            text = "nobody knows whether it was done: the answer was lost with the session"
            self._refuse(self._actions.restarted(message.last_seq), "unknown", text)
        self._key = message.key
        self._send_queued()
        self.lines.joined(message, now)

    def away(self) -> None:
        """The connection is gone; everything else stays."""
        self.number = self.stream = None
        self.lines.away()

    def hold_back(self, held_back: bool) -> None:
        """Nothing comes from the server: what would be said now waits, for it would all come there in one blow; or go on."""
        self._held_back = held_back
        self._send_queued()
        self.lines.sender.hold_back(held_back)

    def dropped(self, reason: str, text: str, *, lines_stay: bool = False) -> None:
        """We are out for good: what waits will not be answered, and is not said later; lines may stay for the next time."""
        self.away()
        self._refuse(self._actions.restarted(0), "unknown", text)  # they were sent: nobody will tell what became of them
        self._refuse(self._actions.drop(), reason, text)
        if not lines_stay:
            self.lines.drop(reason, text)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.number is not None:
            self.world.tick(now)
            self.lines.tick(now)

    # --- lines ---

    def _send_line(self, line: ChatMessage) -> None:
        if self.number is not None:
            self.lines.sender.say(line)
        self._line_queued()

    def _want_page(self, limit: int, channel: str) -> int:
        key = self.lines.pages.want(limit, channel)
        if self.number is not None:
            self.lines.pages.go_on()
        self._line_queued()
        return key

    # --- actions ---

    def act(self, action: Action, now: float = 0.0) -> int | None:
        """Send an action, or keep it until we are in again, and the server is heard again; an input is forgotten instead.

        Args:
            action: What to do. Of an input that is predicted one is sent for each tick, and the others are only drawn.
            now: The time in seconds, as `show` is given it.

        Returns:
            The action's key, as in ActionDone and ActionRefused; None for an input.

        Raises:
            LocalProtocolError: If the game has no such action.
            Refused: If too many actions wait already.
        """
        if self._names is None:
            raise LocalProtocolError("not in the room yet")
        kind = self._names.number(type(action))
        items = action.to_wire()
        if self._names.is_input(kind):
            if self.number is not None and not self._held_back:
                seq = self.prediction.act(action, self._actions.input, now)
                if seq is not None:
                    self._send_action(Waiting(0, kind, items, seq))
            return None
        key = self._actions.action(kind, items)
        self._send_queued()
        return key

    def make(self, name: str, fields: dict[str, Any]) -> Action:
        """Make one of the game's actions by its name.

        Raises:
            LocalProtocolError: If the game has no such action.
        """
        if self._names is None:
            raise LocalProtocolError("not in the room yet")
        return self._names.make(name, fields)

    def _send_action(self, waiting: Waiting) -> None:
        assert self.number is not None
        self._out.append(ActionMessage(self.number, waiting.seq, self.world.seen, waiting.kind, waiting.values))

    def _send_queued(self) -> None:
        if self.number is not None and not self._held_back:
            for waiting in self._actions.next():
                self._send_action(waiting)

    def packet_read(self) -> None:
        """A packet is dealt with: actions that it acknowledged, without a result, are done."""
        for key in self._actions.done():
            self._told.append(values.ActionDone(self.name, key, None))
        self._send_queued()

    def _refuse(self, keys: list[int], reason: str, text: str) -> None:
        self._told.extend(values.ActionRefused(self.name, key, reason, text) for key in keys)

    def take_ack(self, message: Ack) -> None:
        """All up to a number are taken (clause 9.3)."""
        self._actions.acked(message.seq)
        self.prediction.acked(message.seq, message.tick)

    def take_result(self, message: Result) -> None:
        """An action has a result."""
        key = self._actions.answered(message.seq)
        if key is not None:
            self._told.append(values.ActionDone(self.name, key, message.value))

    def take_refused(self, message: RefusedMessage) -> None:
        """An action was refused."""
        self.prediction.refused(message.seq)
        key = self._actions.answered(message.seq)
        if key is not None:
            self._refuse([key], message.reason, message.text)


#: How a room takes the messages that name it by its number.
BY_ROOM: dict[type[Message], Callable[[ClientRoom, Any], None]] = {
    EventMessage: lambda room, message: room.world.event_heard(message),
    Clock: lambda room, message: room.world.clock(message),
    Own: lambda room, message: room.world.own(message),
    Gap: lambda room, message: room.world.gap(message),
    Ack: ClientRoom.take_ack,
    Result: ClientRoom.take_result,
    RefusedMessage: ClientRoom.take_refused,
}
#: How a room takes the messages that name one of its channels.
BY_CHANNEL: dict[type[Message], Callable[[RoomLines, Channel, Any, float], None]] = {
    Line: lambda lines, channel, message, now: lines.line(channel, message),
    History: lambda lines, channel, message, now: lines.history(channel, message),
    Page: lambda lines, channel, message, now: lines.pages.page(channel, message),
    Said: lambda lines, channel, message, now: lines.sender.said(message, now),
    Unsaid: lambda lines, channel, message, now: lines.sender.unsaid(message, now),
}
