"""What players do: actions, applied once, in order, and answered; inputs, one a player and tick (wire page, clause 9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..codec import Shared, encode_packet
from ..errors import LocalProtocolError, MessageError, Refused
from ..limits import MAX_PROSE_CHARS, MAX_WORD_CHARS, Limits
from ..messages import Ack, ActionMessage, RefusedMessage, Result, fitting
from ..session.outbox import Lane
from ..state import Input, Schema
from .asking import Asking, as_refused, nothing
from .player import Player
from .steps import Steps


class Actions:
    """Takes the actions of one room's players to its handler.

    Attributes:
        counters: actions, inputs, inputs_dropped, refused, steps_failed: plain integers.
        steps: What inputs do by themselves.
    """

    def __init__(self, room: int, game: Any, schema: Schema, asking: Asking, limits: Limits) -> None:
        self.counters = dict.fromkeys(("actions", "inputs", "inputs_dropped", "refused", "steps_failed"), 0)
        self.steps = Steps(game, asking, self.counters)
        self._room = room
        self._game = game
        self._schema = schema
        self._asking = asking
        self._limits = limits

    def on_action(self, player: Player, message: ActionMessage, now: float) -> None:
        """A player does something; what is no input happens now."""
        seq = message.seq
        if seq <= player.top_seq:
            self._again(player, message)
            return
        player.top_seq = seq
        player.session.counters["actions"] += 1
        try:
            action = self._read(player, message, now)
        except Refused as refused:
            self._refuse(player, seq, refused, kept=not self._is_input(message.kind))
            return
        if isinstance(action, Input):
            if len(player.inputs) == player.inputs.maxlen:
                self.counters["inputs_dropped"] += 1
            player.inputs.append((seq, message.seen, action))
            return
        player.answers.awaited[seq] = False
        self._asking.after(player, lambda _, now: self._act(player, seq, message.seen, action, now), now,
                           lambda refused: self._refuse(player, seq, refused))  # fmt: skip

    def too_many(self, player: Player, message: ActionMessage) -> None:
        """An action came too fast to be looked at. It has its number all the same, so it is refused for good."""
        if message.seq > player.top_seq:
            player.top_seq = message.seq
            refused = Refused("too many messages; this one was dropped", "slow-down")
            self._refuse(player, message.seq, refused, kept=not self._is_input(message.kind))

    def take_inputs(self, players: Iterable[Player], now: float) -> None:
        """The tick begins: one input of each player's, the oldest; all steps first, then the handlers."""
        calls = []
        steps = bool(self.steps)
        for player in players:
            if player.inputs and not player.busy:
                _, seen, action = player.inputs.popleft()
                player.seen = seen / 8.0
                self.counters["inputs"] += 1
                self.steps.take(player, action)
                calls.append((player, self._call(player, action)))
            elif steps and player.role == "play":
                self.steps.miss(player)
        self.steps.run()
        for player, call in calls:
            if not player.here:  # another's handler has taken it out
                continue
            self._asking.ask(player, "action", call, nothing, nothing, now)

    def acknowledge(self, players: Iterable[Player], tick: int) -> None:
        """The tick ends: tell each player up to where its actions are in the world.

        Args:
            players: Who hears.
            tick: Of the newest version: they are in it, also where this tick changed nothing and made none.
        """
        for player in players:
            if player.top_seq == player.acked_seq:
                continue  # it did nothing
            seq = player.settled_seq()
            if seq > player.acked_seq:
                player.acked_seq = seq
                player.session.put(Lane.ACKS, Ack(self._room, seq, tick))

    def _again(self, player: Player, message: ActionMessage) -> None:
        """An action comes that was taken: its answer may be lost. An input is not answered, and nobody says it again."""
        seq, answers = message.seq, player.answers
        if self._is_input(message.kind):
            return
        if seq in answers.awaited:
            answers.awaited[seq] = True
        elif answers.has(seq):
            self._tell(player, seq, answers.of(seq))
        else:
            text = "it was done or refused so long ago that the answer is not kept"
            player.put(Lane.ACKS, RefusedMessage(self._room, seq, "unknown", text))

    def _is_input(self, kind: int) -> bool:
        return kind < len(self._schema.actions) and issubclass(self._schema.actions[kind], Input)

    def _tell(self, player: Player, seq: int, answer: bytes | None) -> None:
        player.put(Lane.ACKS, Result(self._room, seq, None) if answer is None else Shared(answer))

    def _read(self, player: Player, message: ActionMessage, now: float) -> Any:
        if player.role != "play":
            raise Refused("you are watching", "watching")
        # Inputs have a bucket of their own: those of a player who comes out of a tunnel cost no action its place.
        bucket = player.input_bucket if self._is_input(message.kind) else player.action_bucket
        if not bucket.take(now):
            raise Refused(bucket.excuse(), "slow-down")
        if message.kind >= len(self._schema.actions):
            raise Refused(f"there is no action {message.kind} here", "bad-action")
        try:
            return self._schema.actions[message.kind].from_wire(message.values)
        except MessageError as error:
            raise Refused(str(error), "bad-action") from error

    def _call(self, player: Player, action: Any) -> Any:
        return lambda: self._game.action(player, action)

    def _act(self, player: Player, seq: int, seen: int, action: Any, now: float) -> None:
        def done(value: Any, now: float) -> None:
            self.counters["actions"] += 1
            if value is None:
                if player.answers.keep(seq, None):
                    self._tell(player, seq, None)
                return
            try:
                result = Shared.checked(Result(self._room, seq, value), self._limits).payload
            except LocalProtocolError as error:
                self._asking.raised(player, "action", error)
                self._refuse(player, seq, as_refused(error))
            else:
                player.answers.keep(seq, result)
                self._tell(player, seq, result)

        def refused(error: BaseException, now: float) -> None:
            self._refuse(player, seq, as_refused(error))

        player.seen = seen / 8.0
        self._asking.ask(player, "action", self._call(player, action), done, refused, now)

    def _refuse(self, player: Player, seq: int, refused: Refused, *, kept: bool = True) -> None:
        self.counters["refused"] += 1
        player.session.counters["refused"] += 1
        answer = encode_packet([RefusedMessage(
            self._room, seq, fitting(refused.reason, MAX_WORD_CHARS), fitting(refused.text, MAX_PROSE_CHARS),
        )])  # fmt: skip
        if kept:  # nobody says an input again
            player.answers.keep(seq, answer)
        self._tell(player, seq, answer)
