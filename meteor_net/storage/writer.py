"""The one thread that writes to a database. Whatever waits for it is one transaction: a flush of the disk serves many."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

from sqlalchemy import Engine

from ..errors import StorageError
from .batch import Append, Batch, Job, Keep
from .engine import Trouble, explain
from .retention import Retention

#: Jobs, and bytes of them, that may wait; beyond it they are refused.
MAX_WAITING = 4_096
MAX_WAITING_BYTES = 64 * 1024 * 1024
#: Jobs of one transaction.
MAX_BATCH = 512
#: How long a batch whose connection was lost is tried again. Less than the time that an answer may take (`limits.await_s`).
PATIENCE_S = 3.0
#: Between two tries.
PAUSE_S = 0.1

#: Told what became of a job: its result or an error. Called in the writer's thread.
Done = Callable[[Any], None]


@dataclass(slots=True, eq=False)
class Waiting:
    """A job and who waits for it.

    Attributes:
        taken: The writer is at it: it cannot be taken back.
    """

    job: Job
    done: Done
    taken: bool = field(default=False)

    @property
    def size(self) -> int:
        """Roughly its bytes."""
        match self.job:
            case Append(line=line):
                return 512 + len(line.text)
            case Keep(data=data):
                return 512 + len(data or b"")
        return 512


class Writer:
    """Writes.

    Args:
        engine: Opens its connection.
        told: Called with the answers of each batch in the writer's thread; they are to be handed on in their order.
        chores: Done when there is time.

    Attributes:
        counters: `commits`, `jobs` done, `troubles` (batches that failed).
    """

    def __init__(
        self, engine: Engine, told: Callable[[list[tuple[Done, Any]]], None],
        chores: Retention | None = None,
    ) -> None:  # fmt: skip
        self.counters: Counter[str] = Counter()
        self._engine = engine
        self._told = told
        self._chores = chores
        self._chores_at = time.monotonic()
        self._queue: deque[Waiting] = deque()
        self._bytes = 0
        self._changed = Condition()
        self._stopping = False
        self._patient = True
        self._thread = Thread(target=self._run, name="meteor-writer", daemon=True)

    # --- for other threads ---

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, waiting: Waiting) -> None:
        """Have a job done.

        Raises:
            StorageError: Too much waits already, or the writer stops: nothing will be kept.
        """
        with self._changed:
            if self._stopping:
                raise StorageError("the database is closed")
            size = waiting.size
            if len(self._queue) >= MAX_WAITING or (self._queue and self._bytes + size > MAX_WAITING_BYTES):
                raise StorageError("the database is busy")
            self._queue.append(waiting)
            self._bytes += size
            self._changed.notify()

    def withdraw(self, waiting: Waiting) -> bool:
        """Take back a job, if the writer is not at it yet; tells whether that was done."""
        with self._changed:
            if waiting.taken:
                return False
            self._queue.remove(waiting)
            self._bytes -= waiting.size
            return True

    def stop(self) -> None:
        """Do what waits, then end; `join` waits for that."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._queue)

    # --- its own thread ---

    def _run(self) -> None:
        while batch := self._take():
            if isinstance(batch, list):
                results = self._work([waiting.job for waiting in batch])
                self._told([(waiting.done, result) for waiting, result in zip(batch, results, strict=True)])
            else:
                self._do_chores()
        self._engine.dispose()

    def _take(self) -> list[Waiting] | bool:
        """Wait for jobs; True when it is time for chores, False at the end."""
        with self._changed:
            while not self._queue:
                if self._stopping:
                    return False
                rest = self._chores_at - time.monotonic() if self._chores else None
                if rest is not None and rest <= 0:
                    return True
                self._changed.wait(rest)
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            for waiting in batch:
                waiting.taken = True
                self._bytes -= waiting.size
            return batch

    def _work(self, jobs: Sequence[Job]) -> list[Any]:
        """Do jobs in one transaction; or, if one of them is bad, each in its own, so that it hurts no other."""
        outcome = self._persist(jobs)
        if isinstance(outcome, StorageError) and len(jobs) > 1 and not self._trouble.whole:
            results: list[Any] = []
            for job in jobs:
                one = outcome if self._trouble.whole else self._persist([job])
                results.append(one if isinstance(one, StorageError) else one[0])
                outcome = one if isinstance(one, StorageError) else outcome
            return results
        return [outcome] * len(jobs) if isinstance(outcome, StorageError) else outcome

    _trouble = Trouble("")

    def _persist(self, jobs: Sequence[Job]) -> list[Any] | StorageError:
        """Do jobs in one transaction. Where the connection was lost it is tried again: a line is known by its id."""
        until = time.monotonic() + (PATIENCE_S if self._patient else 0)
        unsure = False
        while True:
            done = self._try(jobs)
            if not isinstance(done, Trouble):
                self._patient = True
                self.counters["commits"] += 1
                self.counters["jobs"] += len(jobs)
                return done
            self._trouble = done
            unsure = unsure or done.unsure
            if not done.lost or self._stopping or time.monotonic() >= until:
                break
            time.sleep(PAUSE_S)
        # As long as nothing is reached, those who come later are told soon.
        self._patient = not done.lost
        self.counters["troubles"] += 1
        return StorageError(done.text, unknown=unsure)

    def _try(self, jobs: Sequence[Job]) -> list[Any] | Trouble:
        committing = False
        try:
            with self._engine.connect() as connection:
                try:
                    with connection.begin() as transaction:
                        results = Batch(connection).perform(jobs)
                        committing = True
                        transaction.commit()
                    return results
                except BaseException as error:
                    if explain(error).whole:
                        connection.invalidate()  # the next one may find it healed: a disk with room, a file that can be written
                    raise
        except Exception as error:
            trouble = explain(error)
            return trouble._replace(unsure=trouble.unsure and committing)

    def _do_chores(self) -> None:
        assert self._chores is not None
        rest = 60.0
        try:
            with self._engine.begin() as connection:
                rest = self._chores(connection)
            self._chores.committed()
        except Exception as error:
            self._trouble = explain(error)
            self.counters["troubles"] += 1
        self._chores_at = time.monotonic() + rest
