"""Judges a chat server by its clients' logs alone: `python -m tests.e2e.chat_checker FOLDER`.

It shares no code with the server and its client. A folder holds one file for each client, `*.ndjson`, a JSON array a line,
in the order in which things happened to that client:

    ["said", cid, text]                              it said a line, once
    ["kept", cid, offset]                            the server told it that the line is kept
    ["refused", cid, reason]                         the server, or the client itself, told it why not
    ["heard", epoch, offset, sender, cid, text]      it heard a line, live or as history
    ["gap"]                                          it was told that lines before the next one are not to be had
    ["back"]                                         it is in again after its connection was lost
    ["left"]                                         it left while others talked on

`history.ndjson` is the log of a client that came when all was over, and read the whole channel.

The rules: what was told to be kept, and what anybody heard, is in the history, at that offset and with that text; nothing is
there twice; the history has every offset from 0 on, in one epoch; each client hears ascending offsets, with holes only where it
was told of a gap, and the last line if it stayed to the end; lines of one sender stand in the order in which it said them;
every line that was said was answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HISTORY = "history"
#: Faults told in full; the rest is counted.
MOST_TOLD = 20

Record = list[Any]
Heard = tuple[int, int, str, str, str]


@dataclass
class Verdict:
    """What was found.

    Attributes:
        faults: Each in words.
        said: Lines that clients said.
        kept: Lines that they were told are kept.
        refused: Lines that they were told are not.
        heard: Lines heard, over all clients, the last reader's among them.
        gaps: Times that a client was told of a gap.
        back: Times that a client came back.
    """

    faults: list[str] = field(default_factory=list)
    said: int = 0
    kept: int = 0
    refused: int = 0
    heard: int = 0
    gaps: int = 0
    back: int = 0

    def __str__(self) -> str:
        counts = [f"{self.said} lines said, {self.kept} kept, {self.refused} refused; {self.heard} heard"]
        counts += [f"{self.back} returns, {self.gaps} gaps told; {len(self.faults)} faults"]
        more = len(self.faults) - MOST_TOLD
        return "\n".join([*counts, *self.faults[:MOST_TOLD], *([f"and {more} more"] if more > 0 else [])])


def read(path: Path) -> Iterator[Record]:
    """Read one client's log."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


class _Checker:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.verdict = Verdict()
        #: Offset -> the line that stands there for good.
        self._history: dict[int, Heard] = {}
        #: cid -> its offset in the history.
        self._places: dict[str, int] = {}

    def check(self) -> Verdict:
        history = self._folder / f"{HISTORY}.ndjson"
        if not history.is_file():
            self._fault(f"there is no {history.name}: nobody read the history")
            return self.verdict
        self._read_history(history)
        for path in sorted(self._folder.glob("*.ndjson")):
            self._hearer(path)
            self._sender(path)
        return self.verdict

    def _fault(self, text: str) -> None:
        self.verdict.faults.append(text)

    def _read_history(self, path: Path) -> None:
        for what, *rest in read(path):
            if what != "heard":
                continue
            line: Heard = tuple(rest)
            _, offset, sender, cid, text = line
            if offset in self._history:
                self._fault(f"doubled: offset {offset} is in the history twice")
            if cid and cid in self._places:
                self._fault(f"doubled: {sender}'s {text!r} ({cid}) is kept at {self._places[cid]} and {offset}")
            self._history[offset] = line
            self._places.setdefault(cid, offset)
        missing = sorted(set(range(max(self._history, default=-1) + 1)) - set(self._history))
        if missing:
            self._fault(f"lost: the history has {len(missing)} holes, the first at {missing[0]}")
        if len({line[0] for line in self._history.values()}) > 1:
            self._fault("out of order: the history has more than one epoch")

    def _hearer(self, path: Path) -> None:
        """Look at what one client heard."""
        held: int | None = None
        gap = left = False
        for what, *rest in read(path):
            if what == "gap":
                self.verdict.gaps += 1
                gap = True
            elif what == "back":
                self.verdict.back += 1
            elif what == "left":
                left = True
            elif what == "heard":
                line: Heard = tuple(rest)
                self.verdict.heard += 1
                self._heard(path.stem, line, held, gap)
                held, gap = line[1], False
        if held is not None and not left and held < max(self._history, default=-1):
            self._fault(f"lost: {path.stem} heard nothing after offset {held}, though it stayed")

    def _heard(self, who: str, line: Heard, held: int | None, gap: bool) -> None:
        offset = line[1]
        kept = self._history.get(offset)
        if kept is None:
            self._fault(f"lost: {who} heard {line[4]!r} at {offset}, where the history has nothing")
        elif kept != line:
            self._fault(f"out of order: at {offset} {who} heard {_brief(line)}, and the history has {_brief(kept)}")
        if held is None or offset == held + 1:
            return
        if offset == held:
            self._fault(f"doubled: {who} heard offset {offset} twice")
        elif offset < held:
            self._fault(f"out of order: {who} heard offset {offset} after {held}")
        elif not gap:
            self._fault(f"lost: {who} heard offset {offset} after {held}, and was told of no gap")

    def _sender(self, path: Path) -> None:
        """Look at what one client said."""
        said: dict[str, str] = {}
        answers: dict[str, str] = {}
        for what, *rest in read(path):
            if what == "said":
                cid, text = rest
                said[cid] = text
            elif what in ("kept", "refused"):
                cid, detail = rest
                if cid not in said:
                    self._fault(f"out of order: {path.stem} was answered {cid}, which it never said")
                if cid in answers:
                    self._fault(f"doubled: {path.stem} was answered {cid} twice")
                answers[cid] = what
                self._answered(path.stem, cid, what, detail)
        self.verdict.said += len(said)
        for cid in said.keys() - answers.keys():
            self._fault(f"lost: {path.stem}'s {said[cid]!r} ({cid}) was never answered")
        self._order(path.stem, said)

    def _answered(self, who: str, cid: str, what: str, detail: object) -> None:
        place = self._places.get(cid)
        if what == "kept":
            self.verdict.kept += 1
            if place is None:
                self._fault(f"lost: {who}'s {cid} was told to be kept at {detail}, and the history has it not")
            elif place != detail:
                self._fault(f"out of order: {who}'s {cid} was told to be kept at {detail}, and stands at {place}")
        else:
            self.verdict.refused += 1
            if place is not None and detail != "unknown":
                self._fault(f"doubled: {who}'s {cid} was refused ({detail}), and the history has it at {place}")

    def _order(self, who: str, said: dict[str, str]) -> None:
        """Compare the order of what one client said with the order in which it stands."""
        last = -1
        for cid, text in said.items():
            place = self._places.get(cid)
            if place is None:
                continue
            if place < last:
                self._fault(f"out of order: {who}'s {text!r} stands at {place}, before what it said earlier")
            last = max(last, place)
            kept = self._history[place]
            if kept[4] != text:
                self._fault(f"lost: {who} said {text!r}, and the history has {kept[4]!r}")


def _brief(line: Heard) -> str:
    epoch, _, sender, cid, text = line
    return f"{sender}'s {text!r} ({cid}, epoch {epoch})"


def check(folder: Path) -> Verdict:
    """Judge a folder of logs."""
    return _Checker(folder).check()


def main() -> int:
    """Judge the folder that the command line names.

    Returns:
        The exit status: 0 if there is no fault.
    """
    verdict = check(Path(sys.argv[1]))
    print(verdict)
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
