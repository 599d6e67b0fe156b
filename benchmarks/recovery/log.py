"""What a client that is killed was told, and what the history has to say about it.

A client's log is a JSON array a line, each written at once, so that it is there though the client be killed:

    ["said", cid, text]        it has said a line, and its outbox has it
    ["kept", cid, offset]      it was told that the line is kept
    ["unsaid", cid, reason]    it was told that it is not

Texts end in the number of the client's life and of the line in it: `ann 3.14`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

#: Faults told in full; the rest is counted.
MOST_TOLD = 10

#: A line of the history: epoch, offset, sender, cid, text.
Kept = Sequence[Any]


class Log:
    """Writes one client's.

    Args:
        path: The file; what is there stays.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("ab", buffering=0)

    def write(self, *record: object) -> None:
        """Write a record; the system has it when this returns."""
        self._file.write(json.dumps(record).encode() + b"\n")

    def close(self) -> None:
        """No more comes."""
        self._file.close()


@dataclass
class Verdict:
    """What was found.

    Attributes:
        faults: Each in words.
        said: Lines said.
        kept: Lines of which a client was told that they are kept.
        late: Lines kept of which no client was told before it was killed, nor after.
    """

    faults: list[str] = field(default_factory=list)
    said: int = 0
    kept: int = 0
    late: int = 0

    def __str__(self) -> str:
        told = f"{self.said} lines said, {self.kept} acknowledged, {self.late} kept without; {len(self.faults)} faults"
        more = len(self.faults) - MOST_TOLD
        return "\n".join([told, *self.faults[:MOST_TOLD], *([f"and {more} more"] if more > 0 else [])])


@dataclass
class Count:
    """What happened to one client.

    Attributes:
        kills: Times that it was killed while it was in.
        waiting: Lines that waited in its outbox then, over all kills.
        caught: Kills at which any waited.
    """

    kills: int = 0
    waiting: int = 0
    caught: int = 0


def read(path: Path) -> Iterator[list[Any]]:
    """Read a log."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def judge(history: Sequence[Kept], logs: Sequence[Path], durable: bool = True) -> Verdict:
    """Compare what clients were told with what is kept.

    Args:
        history: All that is kept, in order.
        logs: Of the clients, one each.
        durable: Whether what was said must be kept, too: the outbox has it before the log says so.
    """
    verdict = Verdict()
    places = {cid: (offset, text) for _, offset, _, cid, text in history}
    for cid, count in Counter(line[3] for line in history).items():
        if count > 1:
            verdict.faults.append(f"doubled: {places[cid][1]!r} ({cid}) is kept {count} times")
    for text, count in Counter(line[4] for line in history).items():
        if count > 1:
            verdict.faults.append(f"doubled: {text!r} is kept {count} times")
    told: set[str] = set()
    for log in logs:
        told |= _judge_one(verdict, log, places, durable)
    verdict.late = len(places.keys() - told)
    _judge_order(verdict, history)
    return verdict


def _judge_one(verdict: Verdict, log: Path, places: dict[str, tuple[int, str]], durable: bool) -> set[str]:
    said: dict[str, str] = {}
    kept: set[str] = set()
    unsaid: set[str] = set()
    for what, cid, detail in read(log):
        if what == "said":
            said[cid] = detail
        elif what == "kept":
            kept.add(cid)
            if cid not in places:
                verdict.faults.append(f"lost: {log.stem} was told that {cid} is kept at {detail}, and the history has it not")
            elif places[cid][0] != detail:
                verdict.faults.append(f"lost: {log.stem} was told that {cid} is kept at {detail}; it is at {places[cid][0]}")
        else:
            unsaid.add(cid)
            verdict.faults.append(f"refused: {log.stem} was refused {cid}: {detail}")
    for cid, text in said.items():
        if durable and cid not in places and cid not in unsaid:
            verdict.faults.append(f"lost: {log.stem} said {text!r} ({cid}), and the history has it not")
        elif cid in places and places[cid][1] != text:
            verdict.faults.append(f"lost: {log.stem} said {text!r} ({cid}), and the history has {places[cid][1]!r}")
    verdict.said += len(said.keys() | kept)
    verdict.kept += len(kept)
    return kept


def _judge_order(verdict: Verdict, history: Sequence[Kept]) -> None:
    last: dict[str, tuple[int, ...]] = {}
    for _, _, _, _, text in history:
        name, number = text.rsplit(" ", 1)
        place = tuple(map(int, number.split(".")))
        if place < last.get(name, ()):
            verdict.faults.append(f"out of order: {text!r} stands behind {name} {'.'.join(map(str, last[name]))}")
        last[name] = max(place, last.get(name, ()))
