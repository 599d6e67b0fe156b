"""The actions of a player that the server has not answered yet (wire page, clause 9). Plain."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ..errors import Refused
from ..limits import MAX_OPEN_ACTIONS
from ..messages import Values

#: Actions without an answer; more than a player can do while a connection is being mended.
MAX_WAITING_ACTIONS = 256


@dataclass(slots=True)
class Waiting:
    """An action that has no answer yet: *open* once it was sent, *queued* before.

    Attributes:
        key: Names it to whoever asked, for as long as it waits.
        kind, values: As on the wire.
        seq: The number under which it was sent; 0 before.
        again: The server had taken it before we said it again: its answer comes by itself, and an ACK proves nothing.
    """

    key: int
    kind: int
    values: Values
    seq: int = 0
    again: bool = False


class WaitingActions:
    """Number actions and inputs, keep those that need an answer, tell which to say, and which to say again.

    Inputs are numbered and forgotten: they are never said again. An action gets its number when it is sent, so that
    numbers go out in order.
    """

    def __init__(self) -> None:
        self._next_seq = 1
        self._next_key = 1
        self._queued: deque[Waiting] = deque()
        #: By sequence number, ascending.
        self._open: dict[int, Waiting] = {}
        self._acked = 0

    def __len__(self) -> int:
        return len(self._queued) + len(self._open)

    def input(self) -> int:
        """Give an input its sequence number."""
        self._next_seq += 1
        return self._next_seq - 1

    def action(self, kind: int, values: Values) -> int:
        """Queue an action.

        Returns:
            Its key.

        Raises:
            Refused: If 256 wait already.
        """
        if len(self) >= MAX_WAITING_ACTIONS:
            raise Refused(f"{MAX_WAITING_ACTIONS} actions wait for the server already", "slow-down")
        waiting = Waiting(self._next_key, kind, values)
        self._next_key += 1
        self._queued.append(waiting)
        return waiting.key

    def next(self) -> list[Waiting]:
        """Take those out of the queue that may be sent now, in order: none before the 64th before it is answered."""
        fresh: list[Waiting] = []
        while self._queued:
            # Keys go up by one. However many later ones are answered, the server has to keep the answer of the oldest.
            if self._open and self._queued[0].key - next(iter(self._open.values())).key >= MAX_OPEN_ACTIONS:
                break
            waiting = self._queued.popleft()
            waiting.seq = self.input()
            self._open[waiting.seq] = waiting
            fresh.append(waiting)
        return fresh

    def acked(self, seq: int) -> None:
        """All up to `seq` are taken; those that have no result by the end of the packet are done."""
        self._acked = max(self._acked, seq)

    def answered(self, seq: int) -> int | None:
        """An action has its answer.

        Returns:
            Its key, None if no such action is open.
        """
        waiting = self._open.pop(seq, None)
        return None if waiting is None else waiting.key

    def done(self) -> list[int]:
        """Take out the keys of those that were taken and had no result of their own."""
        done = []
        for waiting in list(self._open.values()):
            if waiting.seq > self._acked:
                break
            if not waiting.again:
                del self._open[waiting.seq]
                done.append(waiting.key)
        return done

    def resumed(self, last_seq: int) -> list[Waiting]:
        """The same player goes on.

        Args:
            last_seq: The highest number that the server took.

        Returns:
            Those that are to be said again, in order, before anything new.
        """
        self._next_seq = max(self._next_seq, last_seq + 1)
        for waiting in self._open.values():
            waiting.again = waiting.seq <= last_seq
        return list(self._open.values())

    def restarted(self, last_seq: int) -> list[int]:
        """Numbers begin anew, for we are another player there; nobody knows what became of those that were sent.

        Returns:
            Their keys. Those in the queue get new numbers when they are sent.
        """
        lost = [waiting.key for waiting in self._open.values()]
        self._open.clear()
        self._acked = last_seq
        self._next_seq = last_seq + 1
        return lost

    def drop(self) -> list[int]:
        """Forget all that wait, and give their keys."""
        keys = [waiting.key for waiting in (*self._open.values(), *self._queued)]
        self._open.clear()
        self._queued.clear()
        return keys
