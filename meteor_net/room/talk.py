"""What is said in a room: lines of players of all kinds, notices of the game, commands, pages of before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..chat.channel import Channel, Kept
from ..chat.data import check_data
from ..chat.emoji import check_emoji
from ..chat.mentions import mentioned
from ..chat.text import check_text, tidy_text
from ..errors import Refused
from ..interfaces import StoredLine
from ..messages import CHANGES, CODES, OWN_KINDS, Earlier, ErrorMessage, LineKind, Say
from ..requests import Failed
from ..session.outbox import Lane
from .answer import Answer
from .asking import Asking, as_refused
from .letters import Letters, why
from .order import Order
from .player import Player
from .surroundings import Surroundings

#: What the game may say in a player's name, beside its own kinds.
_IN_A_PLAYERS_NAME = frozenset({LineKind.TEXT, LineKind.EMOJI, LineKind.ME})
#: Kinds whose text is one emoji.
_EMOJIS = frozenset({LineKind.EMOJI, LineKind.REACTION, LineKind.UNREACTION})
#: Kinds in which names are looked for.
_MENTIONING = frozenset({LineKind.TEXT, LineKind.ME, LineKind.EDIT})


class Talk:
    """The conversation of one room.

    Attributes:
        lines: Lines kept so far, notices and private messages included.
    """

    def __init__(self, room: Any, chat: Any, channel: Channel, asking: Asking, around: Surroundings) -> None:
        self.lines = 0
        self._room = room
        self._chat = chat
        self._channel = channel
        self._asking = asking
        self._around = around
        self._limits = around.limits
        self._order = Order(chat, asking, around.limits)
        self._letters = Letters(room, asking, around)

    # --- what players say ---

    def on_say(self, player: Player, message: Say, now: float) -> None:
        """A player wants to say something (clause 10.3)."""
        answer = Answer(player, message)
        try:
            self._check(player, message)
            self._order.voices.take_line(player.user, now)
        except Refused as refused:
            answer.unsaid(refused)
        else:
            self._asking.after(player, lambda _, now: self._consider(answer, now), now, answer.unsaid)

    def on_earlier(self, player: Player, message: Earlier, now: float) -> None:
        """A player wants to read on backward (clause 10.7)."""
        channels = (self._channel, self._around.inbox(player.user))
        channel = next((channel for channel in channels if channel.number == message.channel), None)
        try:
            if channel is None or player.session not in channel:
                raise Refused("you do not hear that channel")
            self._order.voices.take_page(player.user, now)
            channel.earlier(player.session, message.before, message.limit)
        except Refused as refused:
            player.session.put(Lane.CONTROL, ErrorMessage(CODES[Earlier], refused.reason, refused.text))

    def _check(self, player: Player, message: Say) -> None:
        private = message.kind == LineKind.PRIVATE
        where = self._around.inbox(player.user) if private else self._channel
        if message.channel != where.number:
            raise Refused("private messages are said in your own inbox" if private else "you can only listen there")
        if not message.cid.isprintable():  # a NUL is more than some databases keep
            raise Refused("an id with characters that are not seen", "bad-text")

    def _consider(self, answer: Answer, now: float) -> None:
        """See what is said, if the player may say something now."""
        try:
            self._order.check(answer, now)
            self._see(answer, answer.message.kind, answer.message.text, now)
        except Refused as refused:
            answer.unsaid(refused)

    def _see(self, answer: Answer, kind: int, text: str, now: float) -> None:
        if kind >= OWN_KINDS:
            self._see_own(answer, kind, text, now)
        elif answer.message.data is not None:
            raise Refused("only lines of a game's own kind carry data", "bad-text")
        elif kind in _EMOJIS:
            self._keep(answer, kind, check_emoji(text), now)
        elif kind == LineKind.DELETE:
            self._keep(answer, kind, "", now)
        elif kind in (LineKind.TEXT, LineKind.ME, LineKind.EDIT, LineKind.PRIVATE):
            text = check_text(text, self._limits.line_chars)
            if kind == LineKind.TEXT and text.startswith("/"):
                self._command(answer.player, answer.message, text, now)
            elif kind == LineKind.PRIVATE:
                self._see_private(answer, answer.message.to, text, now)
            else:
                self._see_line(answer, kind, text, now)
        else:
            raise Refused(f"players say no lines of kind {kind}", "bad-text")

    # --- what the handler is asked ---

    def _ask(self, answer: Answer, verb: str, then: Callable[[Any, float], None], now: float, *arguments: object) -> None:
        """Ask the handler about a line; what it answers may be refused, or be nonsense, which is its own fault."""
        player = answer.player

        def refused(error: BaseException, now: float) -> None:
            answer.unsaid(as_refused(error))

        def answered(said: Any, now: float) -> None:
            try:
                then(said, now)
            except Refused as error:  # the handler made it so; the player can do nothing about it but know
                answer.unsaid(error)
            except TypeError as error:
                self._asking.raised(player, verb, error)
                answer.unsaid(as_refused(error))

        self._asking.ask(player, verb, lambda: getattr(self._chat, verb)(player, *arguments), answered, refused, now)

    def _see_line(self, answer: Answer, kind: int, text: str, now: float) -> None:
        def answered(said: Any, now: float) -> None:
            if said is None:  # held: the handler may say it later
                self._order.voices.spoke(answer.player.user, None, now)
                answer.said(-1, self._order.wait_s(answer.player, now))
            else:
                self._keep(answer, kind, self._text(said, "line"), now)

        self._ask(answer, "line", answered, now, text)

    def _see_private(self, answer: Answer, to: str, text: str, now: float, *, by_name: bool = False) -> None:
        def answered(said: Any, now: float) -> None:
            line = self._line(LineKind.PRIVATE, self._text(said, "private"), now, answer.player, answer.cid)
            self._order.voices.spoke(answer.player.user, answer.key, now)
            self._letters.send(answer.player, to, line, *self._outcome(answer), now, by_name=by_name)

        self._ask(answer, "private", answered, now, to, text)

    def _see_own(self, answer: Answer, kind: int, text: str, now: float) -> None:
        def answered(said: Any, now: float) -> None:
            if not isinstance(said, tuple) or len(said) != 2:
                raise TypeError(f"own answered {type(said).__name__}; a tuple of text and data was expected")
            text = self._text(said[0], "own") if said[0] else ""
            self._keep(answer, kind, text, now, data=check_data(said[1]))

        text = check_text(text, self._limits.line_chars) if text else ""
        self._ask(answer, "own", answered, now, kind, text, check_data(answer.message.data))

    def _text(self, said: object, verb: str) -> str:
        if not isinstance(said, str):
            raise TypeError(f"{verb} answered {type(said).__name__}; the text to say was expected")
        return check_text(said, self._limits.line_chars)

    def _command(self, player: Player, message: Say, text: str, now: float) -> None:
        answer = Answer(player, message, command=True)
        name, _, rest = text[1:].partition(" ")

        def call() -> Any:
            # What it says in the player's name meanwhile goes the way of the player's lines, and is what is answered.
            player.hand = answer
            try:
                return self._chat.command(player, name, rest.strip())
            finally:
                player.hand = None

        def done(reply: object, now: float) -> None:
            if reply is not None:
                player.say(str(reply))
            if not answer.taken:
                self._order.voices.spoke(player.user, answer.key, now)
                answer.said(-1, self._order.wait_s(player, now))

        def refused(error: BaseException, now: float) -> None:
            if not answer.taken:
                answer.unsaid(as_refused(error))

        self._asking.ask(player, "command", call, done, refused, now)

    # --- keeping ---

    def _keep(self, answer: Answer, kind: int, text: str, now: float, data: Any = None) -> None:
        player = answer.player
        line = self._line(kind, text, now, player, answer.cid)._replace(about=answer.message.about, data=data)
        if kind not in CHANGES:
            self._order.voices.spoke(player.user, answer.key, now)
        moderator = kind in (LineKind.EDIT, LineKind.DELETE) and self._order.moderates(player)
        self._channel.say(line, *self._outcome(answer), now, moderator=moderator)

    def _outcome(self, answer: Answer) -> tuple[Kept, Failed]:
        """What is done when a line is kept, and when it is not."""
        player = answer.player

        def kept(offset: int, now: float) -> None:
            self.lines += 1
            player.session.counters["lines"] += 1
            answer.said(offset, self._order.wait_s(player, now))

        def failed(error: BaseException, now: float) -> None:
            self._order.voices.unspoke(player.user, answer.key)
            answer.unsaid(why(error))
            self._report(error, player.name)

        return kept, failed

    def _report(self, error: BaseException, player: str | None) -> None:
        if not isinstance(error, Refused):
            self._around.report("error", error, room=self._room.name, player=player, verb="store")

    def _line(self, kind: int, text: str, now: float, player: Player | None, cid: str = "") -> StoredLine:
        """A line as storage takes it; its sender is the player."""
        people = ((other.name, other.user) for other in self._room.players) if kind in _MENTIONING else ()
        return StoredLine(
            offset=-1,
            time=self._room.server_ms(now),
            tick=self._room.tick,
            kind=int(kind),
            sender="" if player is None else player.user,
            name="" if player is None else player.name,
            text=text,
            cid=cid,
            mentions=mentioned(text, people),
        )

    # --- what the game says ---

    def notice(self, channel: Channel, text: object, now: float) -> None:
        """Keep a notice in a channel, cut to what a line may be; nobody waits for an answer, a failure is logged."""
        text = tidy_text(text, self._limits.line_chars)
        if text:
            self._keep_unasked(channel, self._line(LineKind.NOTICE, text, now, None))

    def say(self, player: Player, text: str, kind: int, data: Any, now: float) -> None:
        """Say something in a player's name; see `IRoom.say`.

        Raises:
            ValueError: If lines of that kind are not said so.
            Refused: In a command: if the text, or the data, may not be said.
        """
        if kind < OWN_KINDS and (kind not in _IN_A_PLAYERS_NAME or data is not None):
            raise ValueError(f"a line of kind {kind} cannot be said in a player's name, or not with data")
        data, answer = check_data(data), player.owed()
        if kind == LineKind.EMOJI:
            text = check_emoji(text)
        elif answer is None or kind >= OWN_KINDS:
            text = tidy_text(text, self._limits.line_chars)
        else:
            text = check_text(text, self._limits.line_chars)
        if answer is None:
            if text or kind >= OWN_KINDS:
                self._keep_unasked(self._channel, self._line(kind, text, now, player)._replace(data=data))
            return
        answer.taken = True
        if kind == LineKind.EMOJI or kind >= OWN_KINDS:
            self._keep(answer, kind, text, now, data)
        else:
            self._see_line(answer, kind, text, now)

    def retell(self, line: StoredLine, kept: Kept) -> None:
        """Keep a line that was said elsewhere, such as one of a recording; one that may not be kept is left out.

        Args:
            line: Its `about` is an offset in this room's channel.
            kept: Told its offset.
        """
        now = self._around.now
        said = line._replace(time=self._room.server_ms(now), tick=self._room.tick, cid="", state=0, reactions=())
        self._channel.say(said, kept, lambda error, now: self._report(error, None), now, moderator=True)

    def tell(self, player: Player, to: str, text: str, now: float) -> None:
        """Say something to one user in a player's name; see `IPlayer.tell`."""
        answer = player.owed()
        if answer is not None:
            text = check_text(text, self._limits.line_chars)
            answer.taken = True
            self._see_private(answer, to, text, now, by_name=True)
        elif text := tidy_text(text, self._limits.line_chars):

            def failed(error: BaseException, now: float) -> None:
                player.say(why(error).text)
                self._report(error, player.name)

            line = self._line(LineKind.PRIVATE, text, now, player)
            self._letters.send(player, to, line, self._counted, failed, now, by_name=True)

    def mute(self, user: str, seconds: float, now: float) -> None:
        """Let a user say nothing in this room for so long; 0 ends it."""
        self._order.voices.mute(user, seconds, now)

    def _keep_unasked(self, channel: Channel, line: StoredLine) -> None:
        """Keep a line of the game's; nobody waits for an answer."""
        now = self._around.now
        channel.say(line, self._counted, lambda error, now: self._report(error, line.name or None), now)

    def _counted(self, offset: int, now: float) -> None:
        self.lines += 1
