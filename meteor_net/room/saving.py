"""A room's kept tables and documents: loaded before it opens, saved while it is there and when it ends.

The bytes are kept under the room's name. Of empty tables nothing is kept: players may make up any number of names. At most one
save of a room is on its way, and a room waits for the last save of an earlier one of its name, so that no save ever overtakes
another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ..requests import EndOfTurn, Failed, Keep, Kept, Then
from ..state import World
from ..state.saving import dump_tables, read_saved, restore, restore_documents
from .asking import nothing

if TYPE_CHECKING:
    from .surroundings import Surroundings

#: What a game asks for with `room.save()` is done at most so often, in seconds.
SOON_S = 1.0
#: Added to the name under which bytes are kept that are no saved world.
BROKEN = ".broken"


class Shelf:
    """Whose turn it is with what is kept under a name: one room's at a time."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Then]] = {}
        self._idle: list[Callable[[], None]] = []

    def take(self, name: str, then: Then, now: float) -> None:
        """Call `then` once the name is nobody else's."""
        if name in self._waiting:
            self._waiting[name].append(then)
        else:
            self._waiting[name] = []
            then(None, now)

    def give_back(self, name: str, now: float) -> None:
        """Who has the name is done with it."""
        waiting = self._waiting[name]
        if waiting:
            waiting.pop(0)(None, now)
            return
        del self._waiting[name]
        if not self._waiting:
            idle, self._idle = self._idle, []
            for call in idle:
                call()

    def when_idle(self, call: Callable[[], None]) -> None:
        """Call once nobody has any name: all is saved."""
        if self._waiting:
            self._idle.append(call)
        else:
            call()


class Saving:
    """Keeps tables and documents of one room; without any, does nothing.

    Args:
        name: The room's.
        world: The room's.
        keep: Which tables, as classes, and which documents, by name.
        tick_s: The room's tick.
        around: What all rooms share.

    Attributes:
        saves: How often the tables were kept.
    """

    def __init__(self, name: str, world: World, keep: Collection[Any], tick_s: float, around: Surroundings) -> None:
        self.saves = 0
        self._name = name
        self._world = world
        self._tables = [table for table in world.tables if type(table) in keep]
        self._documents = [document for document in world.schema.documents if document in keep]
        self._around = around
        # Where ticks are rarer than that, nobody waits for the next.
        self._waits_for_tick = tick_s <= SOON_S
        self._every_s = around.limits.save_s
        self._mine = False  # the name on the shelf
        self._closing = False
        self._looked_at = float("-inf")
        self._asked = False  # by the game
        self._on_its_way = False  # a save
        self._again = False  # save once more when it has arrived
        self._digest = b""  # of what is kept; empty if that is not known
        self._told = False  # that it cannot be saved

    # --- the beginning ---

    def load(self, then: Then, failed: Failed, now: float) -> None:
        """Fill the tables with what was kept. Bytes that are no saved world are kept aside, and the tables stay empty.

        Args:
            then: Called with the time, now or later.
            failed: Told if the storage could not be asked: an empty world must not take the place of what may be there.
            now: The time in seconds.
        """

        def taken(_: object, now: float) -> None:
            self._mine = True
            self._around.requests.append(Kept(found, failed, self._name))

        def found(data: bytes | None, now: float) -> None:
            self._looked_at = now
            if data is None:
                self._digest = _digest(b"")
                then(None, now)
            elif self._fill(data):
                then(None, now)
            else:
                self._around.requests.append(Keep(then, failed, self._name + BROKEN, data))

        if self._tables or self._documents:
            self._around.shelf.take(self._name, taken, now)
        else:
            then(None, now)

    def _fill(self, data: bytes) -> bool:
        try:
            saved = read_saved(data)
        except ValueError as error:
            aside = f"what was kept for the room is no saved world, and is set aside as {self._name}{BROKEN}: {error}"
            self._report(ValueError(aside), "load")
            return False
        lost = restore(self._tables, saved.tables) + restore_documents(self._world, self._documents, saved.documents)
        self._digest = _digest(data)
        rows = sum(map(len, self._tables))
        self._around.report("restored", room=self._name, rows=rows, lost=", ".join(lost)[:1_000] or None)
        return True

    # --- while it is there ---

    def ask(self) -> None:
        """The game wants its tables saved soon: at the end of this turn, or at a tick within `SOON_S`."""
        if not self._mine or self._asked or self._closing:
            return
        self._asked = True
        if not self._waits_for_tick or self._is_due(self._around.now):
            self._around.requests.append(EndOfTurn(lambda _, now: self._save_asked(now), nothing))

    def look(self, now: float) -> None:
        """Save at a tick, if it is time."""
        if self._mine and self._is_due(now):
            self._save(now)

    def _is_due(self, now: float) -> bool:
        wait_s = min(SOON_S, self._every_s) if self._asked else self._every_s
        return not 0 <= now - self._looked_at < wait_s  # the clock may go back

    def _save_asked(self, now: float) -> None:
        if self._asked:
            self._save(now)

    # --- the end ---

    def close(self, now: float) -> None:
        """The room has ended: save what it leaves, and make way for the next of its name."""
        self._closing = True
        if self._mine:
            self._save(now)

    def abandon(self, now: float) -> None:
        """The room did not open: what is kept stays as it is."""
        if self._mine:
            self._give_back(now)

    def _give_back(self, now: float) -> None:
        self._mine = False
        self._around.shelf.give_back(self._name, now)

    # --- saving ---

    def _save(self, now: float) -> None:
        self._asked = False
        self._looked_at = now
        self._again = self._on_its_way
        if self._on_its_way:
            return
        data = self._dump()
        if data is None or _digest(data) == self._digest:
            self._done(now)
            return

        def kept(_: object, now: float) -> None:
            self._digest = _digest(data)
            self._told = False
            self.saves += 1
            arrived(now)

        def failed(error: BaseException, now: float) -> None:
            self._digest = b""
            self._report(error, "save")
            arrived(now)

        def arrived(now: float) -> None:
            self._on_its_way = False
            self._done(now)

        self._on_its_way = True
        self._around.requests.append(Keep(kept, failed, self._name, data or None))

    def _done(self, now: float) -> None:
        if self._again:
            self._save(now)
        elif self._closing:
            self._give_back(now)

    def _dump(self) -> bytes | None:
        """What is kept as bytes, none if all is empty; None if it cannot be saved, which is told once until it can."""
        documents = {name: getattr(self._world, name, None) for name in self._documents}
        if not any(map(len, self._tables)) and not any(documents.values()):
            return b""
        most = self._around.limits.save_bytes
        try:
            data = dump_tables(self._tables, documents)
            if len(data) > most:
                raise ValueError(f"the tables and documents to keep take {len(data)} bytes; at most {most}, see save_bytes")
        except Exception as error:
            if not self._told:
                self._told = True
                self._report(error, "save")
            return None
        return data

    def _report(self, error: BaseException, verb: str) -> None:
        self._around.report("error", error, room=self._name, player=None, verb=verb)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
