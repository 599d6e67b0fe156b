"""Looks at one session: is its peer alive, should it be asked, has its user been away for too long (wire page, clause 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import CloseCode
from ..session.session import Session

if TYPE_CHECKING:
    from .host import Host

#: A ping at least so often, so that the round trip is known of peers that talk all the time.
ROUND_TRIP_S = 10.0
#: A session is looked at so often.
LOOK_S = 1.0


def beat(host: Host, session: Session, now: float) -> None:
    """Look after a session; called about once a second."""
    limits = host.limits
    pipe = session.pipe
    _let_go(session, now)
    if pipe is None:
        _away(host, session, now)
        return
    if pipe.heard:
        pipe.heard = False
        session.heard_at = now
    silent_s = now - session.heard_at
    # It is looked at once a second, so a byte may be a second older than we know: in time, it is gone at the look before.
    if silent_s >= limits.silent_s - LOOK_S:
        # Nobody reads a goodbye there: tell it, and cut.
        host.lose(session, now)
        pipe.close(CloseCode.SILENT, "you were silent for too long")
        pipe.abort()
        return
    since_ping_s = now - session.pinged_at
    if (
        since_ping_s >= ROUND_TRIP_S
        or (silent_s >= limits.ping_s and since_ping_s >= limits.ping_s)
        or (now - session.sent_at >= limits.ping_world_s and in_world(host, session))
    ):
        session.ping(now, server_ms=host.server_ms(now))


def _let_go(session: Session, now: float) -> None:
    """Let each room go of a player that did not come back in time: also where the session did, and asked for other rooms."""
    for player in list(session.seats.values()):
        if player.away_until is not None and now >= player.away_until:
            player.room.leave(session, now)


def _away(host: Host, session: Session, now: float) -> None:
    """Look after a session without a connection: where no room waits for it any more, it is over."""
    waits = session.over is not None and session.away_until is not None and now < session.away_until
    if not session.seats and not waits:
        host.report("expired", player=session.name, user=session.user)
        host.forget(session, now)


def in_world(host: Host, session: Session) -> bool:
    """Whether the session is in a room with a world, whose silence would look like a fault."""
    return any(player.room.schema.names for player in session.seats.values())
