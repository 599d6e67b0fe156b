"""Recent lines in memory before a database: who joins, comes back or pages a little is served without asking it.

Every line passes through here on its way back from the database, in the order of its offsets, and is folded into its channel's
window (`Log`), so the window is as the database is. What might not be so is thrown away: after a failure of which nobody
knows, and where an offset is not the next, as another server wrote to the channel.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable
from typing import Protocol

from zope.interface import implementer

from ..errors import StorageError
from ..interfaces import ChannelPlace, Identity, IStorage, StoredLine
from .log import REACTIONS, Entry, Log

#: Lines of one channel; more than a resuming client gets.
MAX_LINES = 500
#: Channels; the least lately used goes first.
MAX_CHANNELS = 2_000
#: Bytes of all lines, roughly.
MAX_BYTES = 64 * 1024 * 1024


class Windowed(Protocol):
    """A storage that can also tell all of its newest lines at once, as of one moment.

    Attributes:
        pruned: Lines that went by age or by count so far.
    """

    @property
    def pruned(self) -> int: ...

    def open(self, channel: str) -> Awaitable[ChannelPlace]: ...
    def append(self, channel: str, line: StoredLine, moderator: bool = False) -> Awaitable[StoredLine]: ...
    def lines(self, channel: str, after: int, limit: int, reader: str = "") -> Awaitable[list[StoredLine]]: ...
    def page(self, channel: str, before: int | None, limit: int, reader: str = "") -> Awaitable[list[StoredLine]]: ...
    def seen(self, identity: Identity, time: int) -> Awaitable[None]: ...
    def find(self, name: str) -> Awaitable[Identity | None]: ...
    def keep(self, name: str, data: bytes | None) -> Awaitable[None]: ...
    def kept(self, name: str) -> Awaitable[bytes | None]: ...
    def close(self) -> Awaitable[None]: ...

    def recent(self, channel: str, limit: int) -> Awaitable[tuple[int, list[Entry]]]:
        """The offset to come, and the newest lines of any kind, ascending, with all who reacted to them."""


class _Window:
    """A channel's newest lines.

    Attributes:
        log: They; None while they are being read.
        meanwhile: Lines that were kept while that was done.
    """

    def __init__(self) -> None:
        self.log: Log | None = None
        self.meanwhile: list[StoredLine] = []


@implementer(IStorage)
class CachedStorage:
    """A storage with its channels' newest lines in memory.

    Args:
        storage: What keeps the lines. No other is to change lines of a channel while this one is used; if one does, a read may
            not show it before the next line of that channel.
        lines: Lines of one channel that are held.
        channels: Channels that are held.
        most_bytes: Bytes that are held in all, roughly.

    Attributes:
        counters: `hits` and `misses` of reads, besides the storage's own.
    """

    def __init__(
        self, storage: Windowed, lines: int = MAX_LINES, channels: int = MAX_CHANNELS, most_bytes: int = MAX_BYTES
    ) -> None:  # fmt: skip
        self._storage = storage
        self._lines = lines
        self._channels = channels
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pruned = 0
        self._counts = Counter(hits=0, misses=0)
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    @property
    def counters(self) -> dict[str, int]:
        """Name -> count."""
        return {**getattr(self._storage, "counters", {}), **self._counts}

    # --- what passes through ---

    async def append(self, channel: str, line: StoredLine, moderator: bool = False) -> StoredLine:
        try:
            kept = await self._storage.append(channel, line, moderator)
        except StorageError as error:
            if error.unknown:
                self._forget(channel)
            raise
        self._fold(channel, kept)
        return kept

    async def open(self, channel: str) -> ChannelPlace:
        place = await self._storage.open(channel)
        window = self._windows.get(channel)
        if window and window.log and window.log.next < place.next:
            self._forget(channel)
        return place

    def seen(self, identity: Identity, time: int) -> Awaitable[None]:
        return self._storage.seen(identity, time)

    def find(self, name: str) -> Awaitable[Identity | None]:
        return self._storage.find(name)

    def keep(self, name: str, data: bytes | None) -> Awaitable[None]:
        return self._storage.keep(name, data)

    def kept(self, name: str) -> Awaitable[bytes | None]:
        return self._storage.kept(name)

    def close(self) -> Awaitable[None]:
        self._windows.clear()
        self._bytes = 0
        return self._storage.close()

    # --- reading ---

    async def lines(self, channel: str, after: int, limit: int, reader: str = "") -> list[StoredLine]:
        log = await self._log(channel)
        if log is not None and after + 1 >= log.first:
            found = log.lines(after, limit, reader)
            # How a line stands that is not held, a reaction to it cannot tell.
            if all(line.kind not in REACTIONS or line.about >= log.first for line in found):
                self._counts["hits"] += 1
                return found
        self._counts["misses"] += 1
        return await self._storage.lines(channel, after, limit, reader)

    async def page(self, channel: str, before: int | None, limit: int, reader: str = "") -> list[StoredLine]:
        log = await self._log(channel)
        if log is not None:
            found = log.page(before, limit, reader)
            if len(found) == limit or log.first == 0:
                self._counts["hits"] += 1
                return found
        self._counts["misses"] += 1
        return await self._storage.page(channel, before, limit, reader)

    async def _log(self, channel: str) -> Log | None:
        """A channel's newest lines, read if they are not held; None while another one reads them."""
        if self._pruned != self._storage.pruned:
            self._pruned = self._storage.pruned
            self._windows.clear()
            self._bytes = 0
        window = self._windows.get(channel)
        if window is None:
            return await self._fill(channel)
        self._windows.move_to_end(channel)
        return window.log

    async def _fill(self, channel: str) -> Log:
        window = self._windows[channel] = _Window()
        try:
            log = _whole(*await self._storage.recent(channel, self._lines))
        except BaseException:
            if self._windows.get(channel) is window:
                self._forget(channel)
            raise
        if self._windows.get(channel) is window:
            window.log = log
            self._bytes += log.bytes
            for line in window.meanwhile:
                self._fold(channel, line)
            window.meanwhile.clear()
            self._make_room()
        return log

    # --- keeping the windows right ---

    def _fold(self, channel: str, line: StoredLine) -> None:
        window = self._windows.get(channel)
        if window is None:
            return
        log = window.log
        if log is None:
            window.meanwhile.append(line)
            if len(window.meanwhile) > self._lines:
                self._forget(channel)
        elif line.offset < log.next:
            return  # said before, or read before it was told
        elif line.offset > log.next or line.state or (line.reactions and line.kind not in REACTIONS):
            self._forget(channel)
        else:
            before = log.bytes
            log.put(line)
            while len(log) > self._lines:
                log.drop()
            self._bytes += log.bytes - before
            self._make_room()

    def _forget(self, channel: str) -> None:
        window = self._windows.pop(channel, None)
        if window is not None and window.log is not None:
            self._bytes -= window.log.bytes

    def _make_room(self) -> None:
        while self._windows and (len(self._windows) > self._channels or self._bytes > self._most_bytes):
            self._forget(next(iter(self._windows)))


def _whole(next_: int, entries: list[Entry]) -> Log:
    """A window of the newest lines, from behind the last hole that pruning may have left."""
    first = next_
    newest: list[Entry] = []
    for entry in reversed(entries):
        if entry.line.offset != first - 1:
            break
        first -= 1
        newest.append(entry)
    log = Log(first)
    for entry in reversed(newest):
        log.add(entry)
    return log
