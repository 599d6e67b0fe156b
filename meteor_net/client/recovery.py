"""What can go wrong between a client and its server, and what is done about it: one table, and nothing else decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from twisted.logger import Logger

from ..errors import CloseCode, ConnectionFailed, MessageError, MeteorError, Refused
from ..state.errors import FrameError
from .transports import OpenFailed

_log = Logger()


class Fault(StrEnum):
    """Whose fault an error is."""

    OURS = "ours"
    THEIRS = "theirs"
    NETWORK = "network"


class Answer(StrEnum):
    """What is done about an error."""

    RESEND = "resend"  #: The same message is said again, under the same id.
    RESYNC = "resync"  #: The world is asked for anew: LOST, then a keyframe.
    RESUME = "resume"  #: Another connection, to the same session.
    REJOIN = "rejoin"  #: The session is over: the room is joined anew, in another one.
    FALLBACK = "fallback"  #: Another connection, by another transport.
    GIVE_UP = "give-up"  #: Nothing more is tried.


@dataclass(frozen=True)
class Pause:
    """How long to wait for another connection: full jitter, drawn from 0 to a most that doubles with each round, in seconds."""

    base_s: float = 0.5
    cap_s: float = 8.0
    #: The most of the first wait, if not the base: a whole crowd comes back from a restart.
    first_s: float | None = None

    def most_s(self, rounds: int) -> float:
        """Give the most of the wait after so many rounds of tries."""
        if rounds == 0 and self.first_s is not None:
            return self.first_s
        return min(self.cap_s, self.base_s * 2.0 ** min(rounds, 16))


@dataclass(frozen=True)
class Row:
    """A row of the table: whose fault, what is done, and how long to wait where that is another connection."""

    fault: Fault
    answer: Answer
    pause: Pause = Pause()


#: Close code -> what it means; of the ranges, those that are not named here.
CODES: Mapping[int, Row] = {
    CloseCode.NORMAL: Row(Fault.THEIRS, Answer.GIVE_UP),
    CloseCode.GOING_AWAY: Row(Fault.THEIRS, Answer.RESUME),
    CloseCode.NO_STATUS: Row(Fault.NETWORK, Answer.RESUME),
    CloseCode.ABNORMAL: Row(Fault.NETWORK, Answer.RESUME),
    CloseCode.INTERNAL: Row(Fault.THEIRS, Answer.RESUME),
    1012: Row(Fault.THEIRS, Answer.RESUME, Pause(first_s=2.0)),  # the standard's own "service restart"
    1013: Row(Fault.THEIRS, Answer.RESUME, Pause(base_s=5.0, cap_s=30.0)),  # "try again later"
    1014: Row(Fault.NETWORK, Answer.RESUME),  # "bad gateway"
    CloseCode.RESTARTING: Row(Fault.THEIRS, Answer.RESUME, Pause(first_s=2.0)),
    CloseCode.TOO_SLOW: Row(Fault.NETWORK, Answer.RESUME, Pause(base_s=1.0)),
    CloseCode.SILENT: Row(Fault.NETWORK, Answer.RESUME),
    CloseCode.HELLO_TIMEOUT: Row(Fault.NETWORK, Answer.RESUME, Pause(base_s=1.0)),
    CloseCode.BAD_PACKET: Row(Fault.THEIRS, Answer.GIVE_UP),
}
RANGES: tuple[tuple[range, Row], ...] = (
    (range(4000, 4500), Row(Fault.THEIRS, Answer.RESUME)),
    (range(4500, 5000), Row(Fault.OURS, Answer.GIVE_UP)),
    (range(65536), Row(Fault.THEIRS, Answer.GIVE_UP)),
)
#: Reason of a Refused -> what it means.
REASONS: Mapping[str, Row] = {
    "slow-down": Row(Fault.OURS, Answer.RESEND),
    "unknown": Row(Fault.THEIRS, Answer.RESEND),
}
#: Any other error, by its class; the first that fits.
ERRORS: tuple[tuple[type[MeteorError], Row], ...] = (
    (FrameError, Row(Fault.THEIRS, Answer.RESYNC)),
    (MessageError, Row(Fault.THEIRS, Answer.GIVE_UP)),
    (MeteorError, Row(Fault.OURS, Answer.GIVE_UP)),
)


def row_of_code(code: int) -> Row:
    """Find the row of a close code."""
    return CODES.get(code) or next(row for codes, row in RANGES if code in codes)


@dataclass(frozen=True)
class Verdict:
    """What an error means; `game.on("error")` hears it.

    Attributes:
        error: The error itself; its text is for people.
        fault: Whose it is.
        answer: What is done about it.
        pause: How long to wait for another connection, where that is the answer.
    """

    error: MeteorError
    fault: Fault
    answer: Answer
    pause: Pause = Pause()

    @property
    def final(self) -> bool:
        """Whether nothing more is tried."""
        return self.answer is Answer.GIVE_UP

    def __str__(self) -> str:
        kind = "final" if self.final else "temporary"
        return f"{str(self.error) or type(self.error).__name__} ({kind}, {self.fault}: {self.answer})"


class NetworkErrorHandler:
    """Classify every error of a client, report it, and do what the table says.

    Attributes:
        last: The newest verdict, None before the first.
        counters: Plain integers for the monitor: errors by fault, and by answer.
    """

    def __init__(self, remedies: Mapping[Answer, Callable[[], None]], hearer: Callable[[Verdict], None]) -> None:
        """Make one.

        Args:
            remedies: How each answer is carried out. One that is missing needs nothing from us: the session does it by itself.
            hearer: Is told of every error.
        """
        self.last: Verdict | None = None
        self.counters: dict[str, float] = dict.fromkeys([*Fault, *Answer], 0)
        self._remedies = dict(remedies)
        self._hearer = hearer

    def handle_connection_error(self, error: MeteorError, fall_back: bool = False) -> Verdict:
        """A connection did not open or is over, or a room did not let us in.

        Args:
            error: ConnectionFailed, whose close code decides; or Refused, which is final.
            fall_back: Whether another transport is left to try.

        Returns:
            What it means; `attempt_recovery` does it.
        """
        row = row_of_code(error.code) if isinstance(error, ConnectionFailed) else ERRORS[-1][1]
        answer = row.answer
        if isinstance(error, OpenFailed) and error.final:
            answer = Answer.GIVE_UP
        if fall_back:
            answer = Answer.FALLBACK
        return self._report(Verdict(error, row.fault, answer, row.pause))

    def handle_message_error(self, error: MessageError | Refused) -> Verdict:
        """One message could not be dealt with, here or there.

        Args:
            error: MessageError for what the server said, Refused for what we said.

        Returns:
            What it means. The session has answered already: a frame that does not fit by LOST, a line by saying it again.
        """
        row = REASONS.get(error.reason) if isinstance(error, Refused) else None
        if row is None:
            row = next(row for kind, row in ERRORS if isinstance(error, kind))
        return self._report(Verdict(error, row.fault, row.answer))

    def session_lost(self, text: str) -> Verdict:
        """The server took us, but not as who we were: the room is joined anew."""
        return self._report(Verdict(ConnectionFailed(text), Fault.NETWORK, Answer.REJOIN))

    def attempt_recovery(self) -> bool:
        """Do what the last error asks for.

        Returns:
            Whether it goes on; False after a final one.
        """
        if self.last is None:
            return True
        remedy = self._remedies.get(self.last.answer)
        if remedy is not None:
            remedy()
        return not self.last.final

    def _report(self, verdict: Verdict) -> Verdict:
        self.last = verdict
        self.counters[verdict.fault] += 1
        self.counters[verdict.answer] += 1
        _log.info("network error: {verdict}", verdict=verdict)
        self._hearer(verdict)
        return verdict
