"""Lines in memory: gone with the process, bounded in channels and in lines."""

from __future__ import annotations

from collections import OrderedDict
from random import Random

from zope.interface import implementer

from ..errors import StorageError
from ..interfaces import ChannelPlace, Identity, IStorage, StoredLine
from .log import Entry, Log

#: Channels with lines that are kept; the least lately used goes first. Far more than the rooms of one process.
MAX_CHANNELS = 50_000
#: What lines may take in all; the oldest of the least lately used channel go first, its place stays.
MAX_BYTES = 64 * 1024 * 1024
#: Users that are remembered; who was told least lately is forgotten first.
MAX_USERS = 20_000
#: What may be kept under names in all.
MAX_KEPT_BYTES = 64 * 1024 * 1024


class _Channel(Log):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch


@implementer(IStorage)
class MemoryStorage:
    """The storage of a server without a database.

    A channel takes no memory before its first line, so that the inboxes of guests cost nothing.

    Args:
        random: Where epochs come from.
        lines: Lines kept for each channel.
        channels: Channels kept.
        most_bytes: Bytes of lines kept in all, roughly.
        users: Users remembered.
        kept_bytes: Bytes kept under names in all.
    """

    def __init__(
        self, random: Random, lines: int = 1_000, channels: int = MAX_CHANNELS, most_bytes: int = MAX_BYTES,
        users: int = MAX_USERS, kept_bytes: int = MAX_KEPT_BYTES,
    ) -> None:  # fmt: skip
        self._random = random
        self._lines = lines
        self._channels = channels
        self._most_bytes = most_bytes
        self._most_users = users
        self._most_kept = kept_bytes
        self._bytes = 0
        #: Lines that went to make room.
        self.pruned = 0
        self._logs: OrderedDict[str, _Channel] = OrderedDict()
        self._users: OrderedDict[str, tuple[Identity, int]] = OrderedDict()
        self._data: dict[str, bytes] = {}
        #: The epoch of channels without lines; a new one when a channel was dropped, so that nobody takes an
        #: emptied channel for the one that was.
        self._epoch = random.getrandbits(48)

    async def open(self, channel: str) -> ChannelPlace:
        log = self._logs.get(channel)
        return ChannelPlace(self._epoch, 0) if log is None else ChannelPlace(log.epoch, log.next)

    async def append(self, channel: str, line: StoredLine, moderator: bool = False) -> StoredLine:
        log = self._logs.get(channel)
        if log is None:
            log = _Channel(self._epoch)
        before = log.bytes
        kept = log.append(line, moderator)
        self._bytes += log.bytes - before
        self._logs[channel] = log
        self._logs.move_to_end(channel)
        self._make_room(log)
        return kept

    async def lines(self, channel: str, after: int, limit: int, reader: str = "") -> list[StoredLine]:
        log = self._logs.get(channel)
        return [] if log is None else log.lines(after, limit, reader)

    async def page(self, channel: str, before: int | None, limit: int, reader: str = "") -> list[StoredLine]:
        log = self._logs.get(channel)
        return [] if log is None else log.page(before, limit, reader)

    async def recent(self, channel: str, limit: int) -> tuple[int, list[Entry]]:
        """The offset to come, and the newest lines of any kind, ascending, with all who reacted to them."""
        log = self._logs.get(channel)
        return (0, []) if log is None else (log.next, log.entries(limit))

    async def seen(self, identity: Identity, time: int) -> None:
        known = self._users.get(identity.user)
        if known is None or known[1] <= time:
            self._users[identity.user] = identity, time
        self._users.move_to_end(identity.user)
        if len(self._users) > self._most_users:
            self._users.popitem(last=False)

    async def find(self, name: str) -> Identity | None:
        if name in self._users:
            return self._users[name][0]
        named = [(time, identity) for identity, time in self._users.values() if identity.name == name]
        return max(named)[1] if named else None

    async def keep(self, name: str, data: bytes | None) -> None:
        size = sum(map(len, self._data.values())) - len(self._data.get(name, b""))
        if data is None:
            self._data.pop(name, None)
        elif size + len(data) > self._most_kept:
            raise StorageError(f"there is no room in memory for {len(data)} bytes: {name} is not kept")
        else:
            self._data[name] = data

    async def kept(self, name: str) -> bytes | None:
        return self._data.get(name)

    async def close(self) -> None:
        self._logs.clear()
        self._bytes = 0

    def _make_room(self, newest: _Channel) -> None:
        while len(newest) > self._lines:
            self._drop_line(newest)
        if len(self._logs) > max(1, self._channels):
            _, log = self._logs.popitem(last=False)
            self._bytes -= log.bytes
            self.pruned += len(log)
            self._epoch = self._random.getrandbits(48)
        if self._bytes > self._most_bytes:
            for log in self._logs.values():
                while len(log) and self._bytes > self._most_bytes:
                    self._drop_line(log)

    def _drop_line(self, log: _Channel) -> None:
        before = log.bytes
        log.drop()
        self.pruned += 1
        self._bytes += log.bytes - before
