"""A player in Python: the world live, lines, events and actions, over any number of connections."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from twisted.internet.defer import Deferred, fail

from ..errors import CloseCode, ConnectionFailed, LocalProtocolError, MeteorError, Refused
from ..messages import LineKind
from ..monitor import NetworkMonitor, NetworkReport
from ..session import client_values as values
from ..session.client_room import ClientRoom
from ..state import Action, Input
from ..state.own import StepFunction
from ..state.prediction import SMOOTH_S
from .answers import Answers
from .config import NetworkConfig
from .hearers import KINDS, Hearer, Hearers
from .link import Link
from .outbox import Outbox
from .run import global_reactor
from .talk import RoomTalk
from .ticks import Ticks

#: Lines of these kinds are heard apart from what is said to all.
_HEARD_AS: dict[int, str] = {LineKind.NOTICE: "notice", LineKind.PRIVATE: "private"}


class NetworkClient(RoomTalk):
    """One player in one room.

    Nothing is opened before `connect()`. Afterwards the client comes back by itself whenever the
    connection is lost, with what it held, until `disconnect()` or until the server sends it away.

    Attributes:
        config: Its options.
        monitor: Counts what goes on.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self.config = config
        self._reactor = config.reactor or global_reactor()
        self._hearers = Hearers(KINDS)
        self._joined: Deferred[NetworkClient] | None = None
        self._give_up: Any = None
        self._answers = Answers()
        self._outbox: Outbox | None = None
        self.initialize_connection()
        self.setup_handlers()
        self.start_monitoring()

    def initialize_connection(self) -> None:
        """Make the session, its room, and the manager of its connections; open nothing."""
        self._link = Link(
            self.config,
            self._reactor,
            self._heed,
            lambda status: self._hearers.tell("status", status),
            self._given_up,
            self.disconnect,
            lambda verdict: self._hearers.tell("error", verdict),
        )
        self._session = self._link.session
        self._room: ClientRoom = self._session.join(self.config.room, self.config.role_number)

    def setup_handlers(self) -> None:
        """Say what is done for each thing that the session tells."""
        tell = self._hearers.tell
        self._handlers: dict[type[values.Value], Callable[[Any], None]] = {
            values.WorldReady: self._world_ready,
            values.JoinRefused: self._join_refused,
            values.LeftRoom: self._left,
            values.FrameApplied: self._frame_applied,
            values.EventHeard: lambda value: tell("event", value.event),
            values.LineHeard: self._line_heard,
            values.LineChanged: lambda value: tell("change", value.line),
            values.PageHeard: self._answers.page_heard,
            values.PageRefused: self._answers.page_refused,
            values.GapFound: lambda value: tell("gap", value.channel),
            values.ActionDone: self._answers.action_done,
            values.ActionRefused: self._answers.action_refused,
            values.LineKept: self._line_kept,
            values.LineRefused: self._line_refused,
        }

    def start_monitoring(self) -> None:
        """Let a monitor read the counters of each part."""
        self.monitor = NetworkMonitor(
            {
                "session": lambda: self._session.counters,
                "world": lambda: self._room.world.counters,
                "chat": lambda: self._room.lines.counters,
                "connection": lambda: self._link.manager.counters,
                "errors": lambda: self._link.errors.counters,
            },
            self._reactor.seconds,
        )

    # --- in and out ---

    def connect(self) -> Deferred[NetworkClient]:
        """Connect and join.

        Returns:
            A Deferred of this client, once it is in and has its first picture of the world. It
            fails with ConnectionFailed if that takes longer than `config.connect_s` or the server
            sends us away, and with Refused if it does not let us into the room.
        """
        if not self._link.offline:
            return fail(LocalProtocolError("connected, or connecting, already"))
        if not self._session.rooms.holds(self._room):
            self._session.rooms.add(self._room)
        self._joined = joined = Deferred[NetworkClient](self._cancelled)
        self._give_up = self._reactor.callLater(self.config.connect_s, self._patience_lost)
        try:
            if self.config.outbox is not None:
                self._outbox = Outbox(self.config.outbox)
                self.chat.keep(self._outbox)
            self._link.start()
        except MeteorError as error:
            self._end(str(error), error)
        return joined

    def disconnect(self) -> Deferred[None]:
        """Leave, and come back no more.

        Returns:
            A Deferred that fires when the connection is gone.
        """
        return self._end("", None)

    async def __aenter__(self) -> NetworkClient:
        return await self.connect()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.disconnect()

    # --- what the player sees ---

    @property
    def status(self) -> str:
        """`connecting`, `online`, `stale`, `reconnecting in 3 s`, `offline`, `offline: reason`."""
        return self._link.status

    def report(self) -> NetworkReport:
        """Tell in numbers how the connection does."""
        return self.monitor.generate_report()

    def on(self, kind: str, hearer: Hearer | None = None) -> Any:
        """Have something called: `game.on("line", print)`, or `@game.on("line")` above a function.

        Args:
            kind: One of `KINDS`: `line`, `private`, `notice`, `change`, `event`, `frame`, `gap`, `status`,
                `left` or `error`.
            hearer: Is given what `KINDS` says; may be `async`.

        Raises:
            ValueError: If there is no such kind.
        """
        if hearer is None:
            return lambda function: self.on(kind, function)
        self._hearers.add(kind, hearer)
        return hearer

    def off(self, kind: str | None = None, hearer: Hearer | None = None) -> None:
        """Have something called no more.

        Args:
            kind: As given to `on`; None for all kinds.
            hearer: As given to `on`; None for all of the kind.
        """
        self._hearers.remove(kind, hearer)

    def ticks(self) -> Ticks:
        """Go along with the room: `async for tick in game.ticks()`.

        It gives each tick as its frame comes, and by the clock where the world stands still; ticks
        that pass while the loop's body waits are skipped. It ends when the client disconnects, and
        raises ConnectionFailed if the server sends it away.
        """
        ticks = Ticks(self._reactor, lambda: self.tick_s, self._clock_tick)
        if self._link.offline:
            ticks.end()
        else:
            self._answers.ticks(ticks)
        return ticks

    # --- what the player does ---

    def act(self, action: Action | str, **fields: Any) -> Deferred[Any] | None:
        """Do something: `game.act(Steer(turn=.5))`, or `game.act("Steer", turn=.5)`.

        Returns:
            None for an input (see `predict`), which is forgotten while there is no way to the server; for an action a
            Deferred of what its handler answered, which fails with Refused.

        Raises:
            LocalProtocolError: If the game has no such action.
        """
        if isinstance(action, str):
            action = self._room.make(action, fields)
        if isinstance(action, Input) and self._link.manager.congested:
            return None  # it would come too late
        try:
            key = self._room.act(action, self._reactor.seconds())
        except Refused as error:
            return fail(error)
        self._link.flush()
        if key is None:
            return None
        return self._answers.action(key)

    def predict(
        self, kind: type[Input] | str, step: StepFunction, smooth_s: float = SMOOTH_S, snap: float | None = None
    ) -> None:
        """Move our own rows ahead of the server, by the game's own step: `show` shows them so.

        Call `act` for each tick from then on, or more often: it tells how the controls stand, and one for each tick is sent.

        Args:
            kind: The input, or its name.
            step: What an input of this kind does, as in the game's `steps`: `step(s, i)` changes the integers of our rows.
            smooth_s: How quickly a correction fades, in seconds: to a third in so long; 0 for at once.
            snap: Corrections beyond it are jumped, in the fields' units; None for none.

        Raises:
            ConfigError: One of these is wrong.
        """
        self._room.prediction.predict(kind, step, smooth_s, snap)

    # --- what the session tells ---

    def _heed(self, value: values.Value) -> None:
        handler = self._handlers.get(type(value))
        if handler is not None:
            handler(value)

    def _world_ready(self, value: values.WorldReady) -> None:
        if self._link.offline:  # a hearer of what came before it has disconnected
            return
        self._link.set_status("online")
        joined = self._take_joined()
        if joined is not None:
            joined.callback(self)

    def _join_refused(self, value: values.JoinRefused) -> None:
        why = value.text or value.reason
        error = Refused(why, value.reason)
        self._link.errors.handle_connection_error(error)
        self._end(why, error)

    def _left(self, value: values.LeftRoom) -> None:
        self._hearers.tell("left", value.reason, value.text)
        why = value.text or value.reason
        error = ConnectionFailed(f"out of the room: {why}", CloseCode.KICKED)
        self._link.errors.handle_connection_error(error)
        self._end(why, error)

    def _frame_applied(self, value: values.FrameApplied) -> None:
        self._hearers.tell("frame", value.tick)
        self._answers.frame(value.tick)

    def _line_heard(self, value: values.LineHeard) -> None:
        self._hearers.tell(_HEARD_AS.get(value.line.kind, "line"), value.line)

    def _line_kept(self, value: values.LineKept) -> None:
        self._hearers.tell("said", value.cid, value.offset)
        self._answers.line_kept(value)

    def _line_refused(self, value: values.LineRefused) -> None:
        self._hearers.tell("unsaid", value.cid, value.reason, value.text)
        self._answers.line_refused(value)

    # --- the end ---

    def _given_up(self, code: int, text: str) -> None:
        why = text or f"closed with {code}"
        self._end(why, ConnectionFailed(why, code))

    def _patience_lost(self) -> None:
        address, seconds = self.config.address, self.config.connect_s
        why = f"no connection to {address} within {seconds:g} s{self._last_why()}"
        self._end(why, ConnectionFailed(why))

    def _last_why(self) -> str:
        return f": {self._link.why}" if self._link.why else ""

    def _cancelled(self, _: object) -> None:
        self._end("cancelled", None)

    def _take_joined(self) -> Deferred[NetworkClient] | None:
        joined, self._joined = self._joined, None
        if self._give_up is not None and self._give_up.active():
            self._give_up.cancel()
        return joined

    def _end(self, why: str, error: MeteorError | None) -> Deferred[None]:
        """Stop for good: because of `error`, or because the player wants so."""
        joined = self._take_joined()
        gone = self._link.stop(why)
        if self._outbox is not None:
            self.chat.keep(None)
            self._outbox.close()
        gone_by_itself = ConnectionFailed(f"the client disconnected{self._last_why()}", CloseCode.NORMAL)
        self._answers.end(error, gone_by_itself)
        # whoever waited was told that it failed: so it is not done after another `connect`. A file says its lines then.
        self._room.dropped("left", str(error or gone_by_itself), lines_stay=self._outbox is not None)
        self._link.flush()
        if joined is not None and not joined.called:
            joined.errback(error or gone_by_itself)
        return gone

    def _clock_tick(self) -> int | None:
        return int(self.tick_now()) if self.status == "online" else None
