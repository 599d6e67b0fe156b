"""Between a client's plain session and its connections: feeds one, drains the other, tells the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore

from ..errors import CloseCode, ConnectionFailed, come_back
from ..session import client_values as values
from ..session.client import ClientSession
from ..session.client_phases import Phase
from .config import NetworkConfig
from .manager import ConnectionManager
from .recovery import Answer, NetworkErrorHandler, Verdict
from .transports import OpenFailed
from .wheel import join_wheel, leave_wheel


class Link:
    """Keep a session talking, over one connection after the other.

    Attributes:
        session: The plain session.
        manager: Gets the connections.
        errors: Says what an error means, and has it done.
        status: In words, as `NetworkClient.status`.
        why: Why the last connection or attempt ended.
    """

    def __init__(
        self,
        config: NetworkConfig,
        reactor: Any,
        tell: Callable[[values.Value], None],
        status_changed: Callable[[str], None],
        given_up: Callable[[int, str], None],
        shut_down: Callable[[], Deferred[None]],
        error_heard: Callable[[Verdict], None],
    ) -> None:
        """Make a link that opens nothing yet.

        Args:
            config: The client's options.
            reactor: Drives the timers.
            tell: Takes what the session tells.
            status_changed: Takes the new status.
            given_up: Told the close code and why, when no other connection will be opened.
            shut_down: Called when the reactor stops while we are not offline, so that the goodbye still goes out.
            error_heard: Told of every error, and what is done about it.
        """
        self.session = ClientSession(
            random=config.random,
            name=config.name,
            token=config.token,
            limits=config.limits,
            line_queued=self.drain,
        )
        self.manager = ConnectionManager(config, self, reactor)
        self.errors = NetworkErrorHandler(
            {Answer.RESUME: self._come_back, Answer.FALLBACK: self._come_back, Answer.GIVE_UP: self._give_up}, error_heard
        )
        self.status = "offline"
        self.why = ""
        self._reactor = reactor
        self._tell = tell
        self._status_changed = status_changed
        self._given_up = given_up
        self._shut_down = shut_down
        self._told: deque[values.Value] = deque()
        self._telling = False
        self._welcomed = False
        self._shutdown: Any = None

    def start(self) -> None:
        """Begin to connect.

        Raises:
            ConfigError: If the trust root holds no certificate.
        """
        self.set_status("connecting")
        if IReactorCore.providedBy(self._reactor):
            self._shutdown = self._reactor.addSystemEventTrigger("before", "shutdown", self._reactor_stops)
        self.manager.connect().addErrback(lambda _: None)  # `given_up` is told of it

    def stop(self, why: str = "") -> Deferred[None]:
        """Say goodbye, and connect no more.

        Returns:
            A Deferred that fires when the connection is gone.
        """
        shutdown, self._shutdown = self._shutdown, None
        if shutdown is not None:
            self._reactor.removeSystemEventTrigger(shutdown)
        self.session.close(CloseCode.NORMAL, why)
        self.drain()
        gone = self.manager.disconnect()
        if not self.offline:
            self.set_status(f"offline: {why}" if why else "offline")
        self._lose(CloseCode.NORMAL, why)
        return gone

    def _reactor_stops(self) -> Deferred[None]:
        self._shutdown = None  # it fires now: too late to take it back
        return self._shut_down()

    @property
    def offline(self) -> bool:
        """Whether nothing is connected, and nothing tries to."""
        return self.status.startswith("offline")

    def flush(self) -> None:
        """Send what the session has to send, and tell what it has to tell, in order.

        A hearer may do something meanwhile: what that sends goes out at once, what it tells comes
        after what is being told.
        """
        self.drain()
        if self._telling:
            return
        self._telling = True
        try:
            while self._told:
                self._heed(self._told.popleft())
                self.drain()
        finally:
            self._telling = False

    def drain(self) -> None:
        """Send what the session has to send; what it has to tell waits for `flush`, so that who asked can get ready for it."""
        packets, told = self.session.take()
        for packet in packets:
            self.manager.send(packet)
        self._told.extend(told)

    def _heed(self, value: values.Value) -> None:
        if isinstance(value, values.Welcomed):
            self.manager.settled()
            if self._welcomed and not value.resumed:
                self.errors.session_lost("the session was over: the room is joined anew")
            self._welcomed = True
        elif isinstance(value, values.StaleChanged):
            if self.status in ("online", "stale"):
                self.set_status("stale" if value.stale else "online")
        elif isinstance(value, values.Closing):
            self.manager.close(value.code, value.text)
        elif isinstance(value, values.MessageFailed):
            self.errors.handle_message_error(value.error)
        self._tell(value)

    def set_status(self, status: str) -> None:
        """Show another status."""
        if status != self.status:
            self.status = status
            self._status_changed(status)

    def _tick(self, now: float) -> None:
        self.session.tick(now)
        self.manager.tick(now, self.session.silent_s(now))
        self.flush()

    # --- what the manager tells ---

    def connected(self) -> None:
        """A connection is open."""
        self.why = ""
        join_wheel(self._reactor, self._tick)
        self.session.opened(self._reactor.seconds())
        self.flush()

    def switched(self) -> None:
        """Another connection has taken the place of the one before: the session resumes there, and nobody notices."""
        now = self._reactor.seconds()
        self.session.lost(CloseCode.GOING_AWAY, "another connection takes its place", now)
        self.session.opened(now)
        self.flush()

    def received(self, packet: bytes) -> None:
        """A packet came."""
        self.session.receive(packet, self._reactor.seconds())
        self.flush()

    def disconnected(self, error: OpenFailed) -> None:
        """A connection is over, or an attempt failed: the handler of errors says what comes of it."""
        code, text = self.session.end or (error.code, str(error))
        self._lose(code, text)
        self.why = text
        if self.offline:  # whoever heard of it has disconnected
            return
        told = OpenFailed(text, code, reached=error.reached, final=error.final)
        # who is sent away by GOODBYE is so by each transport, though the connection then ended as if it were blocked
        self.errors.handle_connection_error(told, self.manager.can_fall_back and come_back(code))
        if not self.offline:
            self.errors.attempt_recovery()

    def waiting(self, seconds: float) -> None:
        """The next attempt is in so many seconds."""
        self.set_status(f"reconnecting in {max(1, ceil(seconds))} s" if seconds else "connecting")

    def _lose(self, code: int, text: str) -> None:
        leave_wheel(self._reactor, self._tick)
        if self.session.phase is not Phase.AWAY:
            self.session.lost(code, text, self._reactor.seconds())
            self.flush()

    def _come_back(self) -> None:
        assert self.errors.last is not None
        self.manager.handle_reconnection(self.errors.last.pause)

    def _give_up(self) -> None:
        error = self.errors.last and self.errors.last.error
        if isinstance(error, ConnectionFailed):  # else our user has heard of it: a room that does not let us in
            self._given_up(error.code, str(error))
