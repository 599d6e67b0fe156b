"""Lines that were said and not answered, kept in a file: they outlive the process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import cbor2
import msgspec
from twisted.logger import Logger

from ..chat.message import ChatMessage
from ..errors import ConfigError, Refused

#: A server knows the ids of lines for a day; what is older might be kept twice, and is not said again.
LIFE_S = 23 * 3600.0
#: The file is written anew when it is longer, in bytes.
REWRITE_BYTES = 1 << 20

#: When it was said, cid, channel, kind, text, about, to, data; or the cid alone of one that was answered.
_Said = tuple[float, str, str, int, str, int, str, Any]
_Answered = tuple[str]
#: How a CBOR array of so many items begins.
_BEGINS = (0x80 + 8, 0x80 + 1)
_log = Logger()


class Outbox:
    """A file of lines, in the order said; the store of a `ChatSystem`.

    The file is a sequence of CBOR arrays: `[time, cid, channel, kind, text, about, to, data]` is a line that was said, and
    `[cid]` one that was answered. What a crash left unfinished at its end is cut off.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the file, and make it if need be.

        Raises:
            ConfigError: It cannot be read or written, is no outbox, or another client has it.
        """
        self._path = Path(path)
        #: cid -> the line.
        self._open: dict[str, _Said] = {}
        self._file: BinaryIO | None = None
        self._bytes = 0
        try:
            self._lock = _locked(self._path)
            try:
                self._read()
                self._rewrite()
            except BaseException:
                self._lock.close()
                raise
        except OSError as error:
            raise ConfigError(f"outbox: {str(path)!r}: {error}") from error

    def lines(self) -> list[ChatMessage]:
        """Give the lines that were not answered, those alone that may still be said again."""
        since = time.time() - LIFE_S
        return [
            ChatMessage(text=text, channel=channel, kind=kind, about=about, to=to, data=data, cid=cid)
            for said, cid, channel, kind, text, about, to, data in self._open.values()
            if said > since
        ]

    def put(self, line: ChatMessage) -> None:
        """Keep a line: it is on the disk when this returns.

        Raises:
            Refused: It cannot be written.
        """
        said = (time.time(), line.cid, line.channel, int(line.kind), line.text, line.about, line.to, line.data)
        try:
            self._append(said, sync=True)
        except OSError as error:
            raise Refused(f"the line cannot be kept: {error}", "failed") from error
        self._open[line.cid] = said

    def remove(self, cid: str) -> None:
        """A line is answered."""
        if self._open.pop(cid, None) is None:
            return
        try:
            self._append((cid,))
            if self._bytes > REWRITE_BYTES:
                self._rewrite()
        except OSError:  # then it is said again some day, under its id, and is kept once all the same
            _log.failure("an answer could not be written into {path}", path=str(self._path))

    def close(self) -> None:
        """Let another client have the file; nothing is kept any more."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            self._lock.close()

    def _append(self, record: _Said | _Answered, sync: bool = False) -> None:
        if self._file is None:  # the client has gone
            return
        content = cbor2.dumps(record)
        try:
            if self._file.write(content) < len(content):
                raise OSError("the disk is full")
            if sync:
                os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._bytes)  # half a record would hide all that come after it
            raise
        self._bytes += len(content)

    def _read(self) -> None:
        if not self._path.exists():
            return
        for record in _records(self._path):
            if len(record) == 1:
                self._open.pop(record[0], None)
            else:
                self._open[record[1]] = record

    def _rewrite(self) -> None:
        """Write what is open alone into a new file, which takes the old one's place whole or not at all."""
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("wb") as file:
            file.writelines(map(cbor2.dumps, self._open.values()))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        if self._file is not None:
            self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._bytes = self._file.tell()


def _locked(path: Path) -> BinaryIO:
    """Take a file beside the outbox, until it is closed or the process is gone.

    Raises:
        ConfigError: Another client has it.
        OSError: It cannot be made.
    """
    file = path.with_name(f"{path.name}.lock").open("ab")
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ConfigError(f"outbox: another client has {str(path)!r}") from None
    return file


def _records(path: Path) -> Iterator[_Said | _Answered]:
    """Give the whole records of a file, up to the first that is none.

    Raises:
        ConfigError: It does not begin as an outbox does: somebody else's file would be overwritten.
    """
    with path.open("rb") as file:
        begin = file.read(1)
        if begin and begin[0] not in _BEGINS:
            raise ConfigError(f"outbox: {str(path)!r} is no outbox")
        file.seek(0)
        decoder = cbor2.CBORDecoder(file)
        while True:
            try:
                record = decoder.decode()
                answered = type(record) is list and len(record) == 1
                yield msgspec.convert(record, _Answered if answered else _Said)
            except (cbor2.CBORError, ValueError):  # msgspec's is a ValueError too
                return
