"""Where a client's conversation stands: one table, and nothing else decides (wire page, clause 4)."""

from __future__ import annotations

from enum import Enum

from ..errors import CloseCode, RemoteProtocolError
from ..messages import FROM_SERVER, ErrorMessage, Goodbye, Message, Ping, Pong, Welcome


class Phase(Enum):
    """A client's phases, in order; after GONE comes AWAY again."""

    AWAY = "there is no connection"
    HELLO = "HELLO is said, WELCOME has not come"
    READY = "in"
    GONE = "one side has said goodbye"


#: Phase -> what the server may say in it -> the next phase. A missing pair is the server's mistake.
NEXT: dict[Phase, dict[type[Message], Phase]] = {
    Phase.AWAY: {},
    Phase.HELLO: {
        **dict.fromkeys((Ping, Pong, ErrorMessage), Phase.HELLO),
        Welcome: Phase.READY,
        Goodbye: Phase.GONE,
    },
    Phase.READY: {
        **dict.fromkeys(FROM_SERVER - {Welcome}, Phase.READY),
        Goodbye: Phase.GONE,
    },
    Phase.GONE: {},
}


def after(phase: Phase, message: Message) -> Phase:
    """Find the phase after a message.

    Raises:
        RemoteProtocolError: If the server may not say it in this phase.
    """
    following = NEXT[phase].get(type(message))
    if following is None:
        raise RemoteProtocolError(f"{type(message).__name__} may not come now: {phase.value}", CloseCode.WRONG_PHASE)
    return following
