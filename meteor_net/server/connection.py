"""One connection: from packets to sessions and rooms. It knows no WebSocket and no reactor, only its pipe and its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..codec import Shared, decode_from_client
from ..errors import CloseCode, Refused, RemoteProtocolError, come_back
from ..interfaces import Identity
from ..messages import (
    CODES,
    ActionMessage,
    Earlier,
    ErrorMessage,
    Goodbye,
    Hello,
    Join,
    Message,
    Ping,
    Pong,
    RefusedMessage,
    Say,
    Unsaid,
    Welcome,
)
from ..session.bucket import TokenBucket
from ..session.outbox import Lane, Pipe, framed
from ..session.phases import Phase, after
from ..session.session import Session
from ..state import FEATURES

if TYPE_CHECKING:
    from .host import Host

#: Versions of the wire that this server speaks.
VERSIONS = (1,)


class Connection:
    """What the server knows of one connection.

    Attributes:
        phase: Where it stands.
        session: Whose it is, once that is known.
        features: What the peer announced that we know.
        address: The peer's.
    """

    def __init__(self, host: Host, pipe: Pipe, address: str) -> None:
        self.phase = Phase.HELLO
        self.session: Session | None = None
        self.features: frozenset[str] = frozenset()
        self.address = address
        self.pipe = pipe
        self._host = host
        limits = host.limits
        self._bucket = TokenBucket(limits.messages_per_s, 2 * limits.messages_per_s + limits.actions_burst)
        self._joins = TokenBucket(limits.joins_per_s, limits.joins_burst)
        self._too_many = 0
        self._told_at = 0.0
        self._ended_with: int = CloseCode.ABNORMAL

    # --- the transport's events ---

    def opened(self) -> None:
        """The transport is open: HELLO is due."""
        self._host.expect_hello(self)

    def received(self, data: bytes) -> None:
        """A packet came."""
        if self.phase in (Phase.LEAVING, Phase.GONE):
            return
        now = self._host.begin_turn()
        try:
            if self.session is not None:
                self.session.counters["packets_in"] += 1
                self.session.counters["bytes_in"] += len(data)
            for message in decode_from_client(data, self._host.limits):
                if self.phase in (Phase.LEAVING, Phase.GONE):
                    break
                self._take(message, now)
        except RemoteProtocolError as error:
            self.end(error.code, error.text)
        except Exception as error:  # ours; this peer pays for it with its connection, nobody else does
            self._host.report("error", error, player=self.name, verb="packet")
            self.end(CloseCode.INTERNAL, "an error on the server")
        finally:
            self._host.end_turn(now)

    def asked(self) -> bool:
        """A ping or pong of WebSocket's own came; it counts as a message. Whether it may be answered."""
        now = self._host.begin_turn()
        try:
            return self._may(Ping, now)
        except RemoteProtocolError as error:
            self.end(error.code, error.text)
            return False
        finally:
            self._host.end_turn(now)

    def closed(self, code: int) -> None:
        """The transport is gone. Called once or twice."""
        if self.phase is Phase.GONE:
            return
        self.phase = Phase.GONE
        self._host.expect_no_hello(self)
        now = self._host.begin_turn()
        session = self.session
        if session is not None and session.pipe is self.pipe:
            # A page that is left says 1001; a peer that we told to stay away will not be back.
            if code in (CloseCode.NORMAL, CloseCode.GOING_AWAY) or not come_back(self._ended_with):
                self._host.forget(session, now)
            else:
                self._host.lose(session, now)
        self._host.disconnected(self, code)
        self._host.end_turn(now)

    def end(self, code: int, text: str) -> None:
        """Say goodbye and close."""
        if self.phase in (Phase.LEAVING, Phase.GONE):
            return
        self.phase = Phase.LEAVING
        self._ended_with = code
        self._host.expect_no_hello(self)
        self._host.report("ended", connection=self.name, code=int(code), text=text)
        self.pipe.send(framed(Shared.of(Goodbye(int(code), text[:1000])), self.pipe))
        self.pipe.close(code, text)

    @property
    def name(self) -> str:
        """For logs."""
        return self.session.name if self.session is not None else self.address

    # --- messages ---

    def _take(self, message: Message, now: float) -> None:
        self.phase = after(self.phase, message)
        if isinstance(message, Hello):
            self._hello(message, now)
        elif isinstance(message, Goodbye):
            self._goodbye(message, now)
        elif self.session is not None:
            self._host.registry.settle(self.session)
            if self._may(type(message), now):
                self._route(self.session, message, now)
            else:
                self._dropped(self.session, message)

    def _may(self, kind: type[Message], now: float) -> bool:
        """Whether the peer keeps within the rate of all its messages; one that does not at all has to go."""
        if self._bucket.take(now):
            return True
        self._too_many += 1
        if self._too_many > 10 * self._host.limits.messages_per_s:
            raise RemoteProtocolError("too many messages for too long", CloseCode.FLOOD)
        if now - self._told_at >= 1.0:
            self._told_at = now
            self._put(ErrorMessage(CODES[kind], "slow-down", "too many messages; some were dropped"))
        return False

    def _dropped(self, session: Session, message: Message) -> None:
        """A message was dropped: of those that are answered once, each gets its answer all the same."""
        if isinstance(message, ActionMessage) and message.room in session.seats:
            self._room(message.room).actions.too_many(session.seats[message.room], message)
        elif isinstance(message, Say):
            self._put(Unsaid(message.channel, message.cid, "slow-down", "too many messages; this one was dropped"))

    def _route(self, session: Session, message: Message, now: float) -> None:
        if isinstance(message, Ping):
            self._put(Pong(message.number, self._host.server_ms(now)))
        elif isinstance(message, Pong):
            session.ponged(message.number, now)
            for number in list(session.seats):
                self._room(number).ponged(session, message.number)
        elif isinstance(message, Join):
            self._join(session, message, now)
        elif isinstance(message, Say | Earlier):
            self._to_channel(session, message, now)
        else:
            self._to_room(session, message, now)

    def _join(self, session: Session, message: Join, now: float) -> None:
        if self._joins.take(now):
            self._host.lobby.join(session, message, now)
        else:
            self._put(ErrorMessage(CODES[Join], "slow-down", self._joins.excuse()))

    def _to_room(self, session: Session, message: Any, now: float) -> None:
        """All that are left name a room. The peer may not have heard yet that it is out of it: no fault of its own."""
        if message.room in session.seats:
            self._room(message.room).receive(session, message, now)
        elif isinstance(message, ActionMessage):
            self._put(RefusedMessage(message.room, message.seq, "not-here", "you are not in that room"))

    def _room(self, number: int) -> Any:
        return self._host.lobby.room(number)

    def _to_channel(self, session: Session, message: Say | Earlier, now: float) -> None:
        """A channel is a room's, or the user's inbox, which any of its rooms looks after."""
        seats = session.seats.values()
        own = bool(seats) and message.channel == self._host.lobby.inbox(session.user).number
        for player in seats:
            if own or player.room.channel.number == message.channel:
                player.room.receive(session, message, now)
                return
        if isinstance(message, Say):
            self._put(Unsaid(message.channel, message.cid, "refused", "you cannot speak there"))
        else:
            self._put(ErrorMessage(CODES[Earlier], "refused", "you do not hear that channel"))

    def _put(self, message: Message) -> None:
        if self.session is not None:
            self.session.put(Lane.CONTROL, message)

    # --- coming in ---

    def _hello(self, hello: Hello, now: float) -> None:
        self._host.expect_no_hello(self)
        self.features = FEATURES.intersection(hello.features)
        if not set(hello.versions) & set(VERSIONS):
            raise RemoteProtocolError(
                f"this server speaks {list(VERSIONS)}, you speak {hello.versions}", CloseCode.WRONG_VERSION
            )
        if hello.token is None or not self._host.knows_tokens:
            session = self._host.registry.resume(hello.resume)
            if session is not None:
                self._come_back(session, hello.resume, now)
                return
        self._host.authenticate(
            hello, self.address, lambda identity, now: self._known(identity, hello.resume, now), self._unknown, now
        )

    def _known(self, identity: Identity, resume: str | None, now: float) -> None:
        """Who it is has been proved: only a session of the same user is taken up."""
        if self.phase is not Phase.ENTERING:  # gone while we looked
            return
        session = self._host.registry.resume(resume, identity)
        if session is not None:
            self._come_back(session, resume, now)
        else:
            self._enter(self._host.registry.make(identity, now), None, now)

    def _come_back(self, session: Session, resume: str | None, now: float) -> None:
        if session.over is not None:
            self.end(*session.over)
            return
        session.counters["resumed"] += 1
        self._enter(session, resume, now)

    def _unknown(self, error: BaseException, now: float) -> None:
        if isinstance(error, Refused):
            self.end(CloseCode.NOT_ALLOWED, error.text)
        else:
            self._host.report("error", error, player=self.address, verb="authenticate")
            self.end(CloseCode.INTERNAL, "it could not be found out who you are")

    def _enter(self, session: Session, presented: str | None, now: float) -> None:
        self._host.attach(session, self, now)
        self.session = session
        self.phase = Phase.READY
        limits = self._host.limits
        self._put(Welcome(
            version=VERSIONS[-1], session=session.id, user=session.user, name=session.name,
            time=self._host.server_ms(now), resume=self._host.registry.token(session, presented),
            limits={
                "packet_in_bytes": limits.packet_in_bytes, "packet_out_bytes": limits.packet_out_bytes,
                "line_chars": limits.line_chars, "ping_s": limits.ping_s, "ping_world_s": limits.ping_world_s,
                "away_s": limits.away_s,
            },
            features=sorted(self.features),
        ))  # fmt: skip

    def _goodbye(self, goodbye: Goodbye, now: float) -> None:
        """The peer leaves: for good, or to come back on another connection."""
        session = self.session
        if session is not None and session.pipe is self.pipe:
            if come_back(goodbye.code) and goodbye.code != CloseCode.GOING_AWAY:
                self._host.lose(session, now)
            else:
                self._host.forget(session, now)
        self.pipe.close(CloseCode.NORMAL, "goodbye")
