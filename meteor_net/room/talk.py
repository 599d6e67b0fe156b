"""What is said in a room: lines of players, notices of the game, commands."""

from __future__ import annotations

from typing import Any

from ..chat.channel import Channel
from ..chat.text import check_text, tidy_text
from ..errors import Refused
from ..interfaces import IPlayer, StoredLine
from ..limits import MAX_PROSE_CHARS, MAX_WORD_CHARS, Limits
from ..messages import LineKind, Said, Say, Unsaid, fitting
from ..requests import Report
from ..session.outbox import Lane
from .asking import Asking, as_refused
from .player import Player


class Talk:
    """The conversation of one room.

    Attributes:
        lines: Lines kept so far, notices included.
    """

    def __init__(self, room: Any, chat: Any, channel: Channel, asking: Asking, limits: Limits, report: Report) -> None:
        self.lines = 0
        self._room = room
        self._chat = chat
        self._channel = channel
        self._asking = asking
        self._limits = limits
        self._report = report

    def on_say(self, player: Player, message: Say, now: float) -> None:
        """A player wants to say something (clause 10.3)."""
        if message.channel != self._channel.number:
            self._unsaid(player, message, Refused("you can only listen there", "refused"))
        elif message.kind != LineKind.TEXT:
            self._unsaid(player, message, Refused("players say lines of kind 0", "bad-text"))
        elif not player.line_bucket.take(now):
            self._unsaid(player, message, Refused(player.line_bucket.excuse(), "slow-down"))
        else:
            self._asking.after(player, lambda _, now: self._consider(player, message, now), now,
                               lambda refused: self._unsaid(player, message, refused))  # fmt: skip

    def _consider(self, player: Player, message: Say, now: float) -> None:
        def refused(error: BaseException, now: float) -> None:
            self._unsaid(player, message, as_refused(error))

        try:
            text = check_text(message.text, self._limits.line_chars)
        except Refused as error:
            self._unsaid(player, message, error)
            return
        if text.startswith("/"):
            name, _, rest = text[1:].partition(" ")
            self._asking.ask(player, "command", lambda: self._chat.command(player, name, rest.strip()),
                             lambda answer, now: self._commanded(player, message, answer), refused, now)  # fmt: skip
        else:
            self._asking.ask(player, "line", lambda: self._chat.line(player, text),
                             lambda text, now: self._accepted(player, message, text, now), refused, now)  # fmt: skip

    def _commanded(self, player: Player, message: Say, answer: object) -> None:
        if answer is not None:
            player.say(str(answer))
        player.session.put(Lane.CONTROL, Said(message.channel, message.cid, -1))

    def _accepted(self, player: Player, message: Say, text: object, now: float) -> None:
        try:
            if not isinstance(text, str):
                raise TypeError(f"line answered {type(text).__name__}; the text to say was expected")
            text = check_text(text, self._limits.line_chars)
        except TypeError as error:
            self._asking.raised(player, "line", error)
            self._unsaid(player, message, as_refused(error))
            return
        except Refused as error:  # the handler made it so; the player can do nothing about it but know
            self._unsaid(player, message, error)
            return
        line = self._line(LineKind.TEXT, text, now, player, message.cid)

        def kept(offset: int, now: float) -> None:
            self.lines += 1
            player.session.counters["lines"] += 1
            player.session.put(Lane.CONTROL, Said(message.channel, message.cid, offset))

        def failed(error: BaseException, now: float) -> None:
            self._report("error", error, room=self._room.name, player=player.name, verb="store")
            self._unsaid(player, message, Refused("the line could not be kept; say it again", "failed"))

        self._channel.say(line, kept, failed, now)

    def say(self, channel: Channel, kind: LineKind, text: str, now: float, player: IPlayer | None = None) -> None:
        """Keep a line of the game's own, cut to what a line may be; nobody waits for an answer, a failure is logged."""

        def kept(offset: int, now: float) -> None:
            self.lines += 1

        def failed(error: BaseException, now: float) -> None:
            self._report("error", error, room=self._room.name, player=None, verb="store")

        text = tidy_text(text, self._limits.line_chars)
        if text:
            channel.say(self._line(kind, text, now, player), kept, failed, now)

    def _line(self, kind: LineKind, text: str, now: float, player: IPlayer | None, cid: str = "") -> StoredLine:
        return StoredLine(
            offset=-1,
            time=self._room.server_ms(now),
            tick=self._room.tick,
            kind=kind,
            sender="" if player is None else player.user,
            name="" if player is None else player.name,
            text=text,
            cid=cid,
        )

    def _unsaid(self, player: Player, message: Say, refused: Refused) -> None:
        player.session.counters["refused"] += 1
        player.session.put(Lane.CONTROL, Unsaid(
            message.channel, message.cid, fitting(refused.reason, MAX_WORD_CHARS), fitting(refused.text, MAX_PROSE_CHARS),
        ))  # fmt: skip
