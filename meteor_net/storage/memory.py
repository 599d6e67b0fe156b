"""Lines in memory: gone with the process, bounded in channels and in lines."""

from __future__ import annotations

from collections import OrderedDict, deque
from random import Random

from zope.interface import implementer

from ..interfaces import ChannelPlace, Identity, IStorage, StoredLine

#: Channels with lines that are kept; the least lately used goes first. Far more than the rooms of one process.
MAX_CHANNELS = 50_000
#: What lines may take in all; the oldest of the least lately used channel go first, its place stays.
MAX_BYTES = 64 * 1024 * 1024
#: A line without its texts, roughly.
_LINE_BYTES = 300


class _Log:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.next = 0
        self.lines: deque[StoredLine] = deque()
        self.known: OrderedDict[tuple[str, str], int] = OrderedDict()


@implementer(IStorage)
class MemoryStorage:
    """The storage of a server without a database.

    A channel takes no memory before its first line, so that the inboxes of guests cost nothing.

    Args:
        random: Where epochs come from.
        lines: Lines kept for each channel.
        channels: Channels kept.
        most_bytes: Bytes kept in all, roughly.
    """

    def __init__(
        self, random: Random, lines: int = 1_000, channels: int = MAX_CHANNELS, most_bytes: int = MAX_BYTES
    ) -> None:  # fmt: skip
        self._random = random
        self._lines = lines
        self._channels = channels
        self._most_bytes = most_bytes
        self._bytes = 0
        self._logs: OrderedDict[str, _Log] = OrderedDict()
        self._users: dict[str, Identity] = {}
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
            log = self._logs[channel] = _Log(self._epoch)
        self._logs.move_to_end(channel)
        said = (line.sender, line.cid)
        if line.cid and said in log.known:
            return line._replace(offset=log.known[said])
        offset = log.next
        log.next += 1
        line = line._replace(offset=offset)
        log.lines.append(line)
        self._bytes += _size(line)
        if line.cid:
            log.known[said] = offset
        self._make_room(log)
        return line

    async def lines(self, channel: str, after: int, limit: int, reader: str = "") -> list[StoredLine]:
        return [line for line in self._kept(channel) if line.offset > after][:limit]

    async def page(self, channel: str, before: int | None, limit: int, reader: str = "") -> list[StoredLine]:
        lines = [line for line in self._kept(channel) if before is None or line.offset < before]
        return lines[-limit:] if limit else []

    async def seen(self, identity: Identity, time: int) -> None:
        self._users[identity.user] = identity

    async def find(self, name: str) -> Identity | None:
        return self._users.get(name)

    async def keep(self, name: str, data: bytes | None) -> None:
        if data is None:
            self._data.pop(name, None)
        else:
            self._data[name] = data

    async def kept(self, name: str) -> bytes | None:
        return self._data.get(name)

    async def close(self) -> None:
        self._logs.clear()
        self._bytes = 0

    def _kept(self, channel: str) -> list[StoredLine]:
        log = self._logs.get(channel)
        return [] if log is None else list(log.lines)

    def _make_room(self, newest: _Log) -> None:
        while len(newest.lines) > self._lines:
            self._drop_line(newest)
        if len(self._logs) > max(1, self._channels):
            _, log = self._logs.popitem(last=False)
            while log.lines:
                self._drop_line(log)
            self._epoch = self._random.getrandbits(48)
        if self._bytes > self._most_bytes:
            for log in self._logs.values():
                while log.lines and self._bytes > self._most_bytes:
                    self._drop_line(log)

    def _drop_line(self, log: _Log) -> None:
        line = log.lines.popleft()
        self._bytes -= _size(line)
        log.known.pop((line.sender, line.cid), None)


def _size(line: StoredLine) -> int:
    return _LINE_BYTES + len(line.text) + len(line.name)
