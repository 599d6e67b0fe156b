"""Where a server's connection stands: one table, and nothing else decides (wire page, clause 4)."""

from __future__ import annotations

from enum import Enum

from ..errors import RemoteProtocolError
from ..messages import (
    ActionMessage,
    Earlier,
    Goodbye,
    Held,
    Hello,
    Join,
    Leave,
    Lost,
    Message,
    Ping,
    Pong,
    Say,
)


class Phase(Enum):
    """A connection's phases, in order."""

    HELLO = "waits for HELLO"
    ENTERING = "HELLO came; who it is is being found out"
    READY = "in"
    LEAVING = "one side has said goodbye"
    GONE = "closed"


#: Phase -> message that may come in it -> the next phase. A pair that is missing is the peer's mistake.
NEXT: dict[Phase, dict[type[Message], Phase]] = {
    Phase.HELLO: {Hello: Phase.ENTERING, Goodbye: Phase.LEAVING},
    Phase.ENTERING: {Goodbye: Phase.LEAVING},
    Phase.READY: {
        **dict.fromkeys((Join, Leave, Say, Earlier, ActionMessage, Held, Lost, Ping, Pong), Phase.READY),
        Goodbye: Phase.LEAVING,
    },
    Phase.LEAVING: {},
    Phase.GONE: {},
}


def after(phase: Phase, message: Message) -> Phase:
    """Find the phase after a message.

    Raises:
        RemoteProtocolError: If the message may not come in this phase.
    """
    following = NEXT[phase].get(type(message))
    if following is None:
        raise RemoteProtocolError(f"{type(message).__name__} may not come now: this connection {_standing(phase)}")
    return following


def _standing(phase: Phase) -> str:
    return {
        Phase.HELLO: "has not said HELLO",
        Phase.ENTERING: "has to wait for WELCOME",
        Phase.READY: "is in",
    }.get(phase, "is ending")
