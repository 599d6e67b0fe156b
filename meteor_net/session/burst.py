"""One packet for many peers at once: the sends follow each other with nothing in between.

What a send costs depends on what the other side of it does: a reader that is woken for each packet anew costs more than one
that finds the next packet there already. So who can take the packet is looked for first, and counted last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from ..codec import Shared
from .outbox import framed

if TYPE_CHECKING:
    from .session import Session


class Hot(Protocol):
    """A transport that sends at once while nothing waits in it."""

    #: Bytes that wait in our process.
    unsent_bytes: int

    def send_now(self, data: bytes, /) -> int:
        """Give bytes to the kernel past all that the transport does; only while `unsent_bytes` is 0.

        Returns:
            How many it took.

        Raises:
            OSError: It took none.
        """


def burst(sessions: Sequence[Session], frame: Shared, now: float) -> None:
    """Do as `Session.give` with a frame that is for all of these."""
    hot: list[tuple[Callable[[bytes], int], Session]] = []
    kind = ""
    for session in sessions:
        pipe = session.pipe
        transport = None if pipe is None else pipe.hot
        if pipe is None or transport is None or transport.unsent_bytes or not session.outbox.empty:
            session.give(frame, now)
        elif kind in ("", pipe.kind):
            kind = pipe.kind
            hot.append((transport.send_now, session))
        else:
            session.give(frame, now)
    if not hot:
        return
    first = hot[0][1].pipe
    assert first is not None
    data = framed(frame, first)
    size = len(data)
    for send, session in hot:
        try:
            sent = send(data)
        except OSError:  # it takes nothing now, or is gone, as the reactor will find
            sent = 0
        if sent != size and session.pipe is not None:
            session.pipe.send(data[sent:])
    for _, session in hot:
        session.sent_at = now
        counters = session.counters
        counters["packets_out"] += 1
        counters["bytes_out"] += size
