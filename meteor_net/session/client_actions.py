"""The actions of a player that the server has not answered yet (wire page, clause 9). Plain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import Refused
from ..messages import Values

#: Actions without an answer; more than a player can do while a connection is being mended.
MAX_WAITING_ACTIONS = 256


@dataclass
class Waiting:
    """An action on its way, or still here for want of a connection.

    Its `key` stays; its `seq` changes if another session begins before it was sent.
    """

    key: int
    seq: int
    kind: int
    values: Values
    sent: bool
    #: All up to it are taken: without a result of its own, that was the answer.
    taken: bool = False


class WaitingActions:
    """Number actions and inputs, keep those that need an answer, tell which to say again.

    Inputs are numbered and forgotten: they are never said again. While there is no connection no
    input is numbered, so an action that was never sent has a higher number than all that were.
    """

    def __init__(self) -> None:
        self._next_seq = 1
        self._next_key = 1
        #: By sequence number, ascending.
        self._waiting: dict[int, Waiting] = {}
        self._taken: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def input(self) -> int:
        """Give an input its sequence number."""
        self._next_seq += 1
        return self._next_seq - 1

    def action(self, kind: int, values: Values, sent: bool) -> Waiting:
        """Give an action its number and keep it.

        Raises:
            Refused: If 256 wait already.
        """
        if len(self._waiting) >= MAX_WAITING_ACTIONS:
            raise Refused(f"{MAX_WAITING_ACTIONS} actions wait for the server already", "slow-down")
        waiting = Waiting(self._next_key, self.input(), kind, values, sent)
        self._next_key += 1
        self._waiting[waiting.seq] = waiting
        return waiting

    def acked(self, seq: int) -> None:
        """All up to `seq` are taken; those that have no result by the end of the packet are done."""
        for waiting in self._waiting.values():
            if waiting.seq <= seq and waiting.sent and not waiting.taken:
                waiting.taken = True
                self._taken.append(waiting)

    def answered(self, seq: int) -> int | None:
        """An action has its answer.

        Returns:
            Its key, None if no such action waits.
        """
        waiting = self._waiting.pop(seq, None)
        return None if waiting is None else waiting.key

    def done(self) -> list[int]:
        """Take out the keys of those that were taken and had no result of their own."""
        taken, self._taken = self._taken, []
        return [waiting.key for waiting in taken if self._waiting.pop(waiting.seq, None)]

    def resumed(self, last_seq: int) -> list[int]:
        """The session goes on: what it took stays taken, the rest is to be said again.

        Args:
            last_seq: The highest number that the server took.

        Returns:
            Keys of those that were taken, whose answers are lost.
        """
        self._next_seq = max(self._next_seq, last_seq + 1)
        return self._forget(lambda waiting: waiting.sent and waiting.seq <= last_seq)

    def restarted(self, last_seq: int) -> list[int]:
        """Another session began: its numbers start anew, and what was sent may have been taken.

        Returns:
            Keys of those that were sent, whose answers are lost; the rest has new numbers.
        """
        lost = self._forget(lambda waiting: waiting.sent)
        unsent = list(self._waiting.values())
        self._waiting.clear()
        self._next_seq = last_seq + 1
        for waiting in unsent:
            waiting.seq = self.input()
            self._waiting[waiting.seq] = waiting
        return lost

    def drop(self) -> list[int]:
        """Forget all that wait, and give their keys."""
        return self._forget(lambda waiting: True)

    def again(self) -> list[Waiting]:
        """Take those that are to be said now, in order: all that wait, after a rejoin."""
        waiting = list(self._waiting.values())
        for each in waiting:
            each.sent = True
        return waiting

    def _forget(self, which: Callable[[Waiting], bool]) -> list[int]:
        self._taken.clear()
        gone = [waiting for waiting in self._waiting.values() if which(waiting)]
        for waiting in gone:
            del self._waiting[waiting.seq]
        return [waiting.key for waiting in gone]
