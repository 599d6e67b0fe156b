"""What must hold after any history, whatever went wrong in it: checked from outside, by what clients logged and a server holds.

Each check answers a list of texts, one for each thing that is wrong, and an empty one where all is well. They know no server
and no client: a test of the plain half, of the whole protocol in memory and of a real network hand in the same logs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..interfaces import StoredLine
from ..messages import CHANGES
from ..state import Replica, Version
from ..state.documents.docs import encode_docs
from ..state.sight.sights import Sight
from ..state.version import TableVersion

#: A channel in one of its epochs.
ChannelEpoch = tuple[str, int]
#: What a server keeps of each channel: all that was ever kept, ascending.
Histories = Mapping[ChannelEpoch, Sequence[StoredLine]]


class HeardLine(NamedTuple):
    """A line as a client heard it. `cid` and `sender` tell which one, where its text was edited meanwhile."""

    channel: str
    epoch: int
    offset: int
    sender: str
    cid: str


class HeardGap(NamedTuple):
    """A client was told that lines of a channel were lost for it."""

    channel: str


@dataclass
class SaidLine:
    """A line that a client said.

    Attributes:
        channel: Where, by the channel's full name.
        cid: The client's id for it: no other line has it, whoever said it.
        offset: Where it was kept, by the server's answer; -1 for a command, None without such an answer.
        epoch: The channel's then.
        refused: The reason of the refusal; empty without one. `unknown` leaves open whether it was kept.
    """

    channel: str
    cid: str
    offset: int | None = None
    epoch: int = 0
    refused: str = ""


@dataclass
class DoneAction:
    """An action as its client knows it, and as the handler noted it.

    Attributes:
        number: The client's own number for it, another for each.
        answer: What came of it: `("done", value)`, `("refused", reason)`, or None where there is no answer.
    """

    number: int
    answer: tuple[str, Any] | None = None


@dataclass
class ClientLog:
    """What one client did and heard, in order.

    Attributes:
        name: For what is told.
        said: Its lines, by cid.
        heard: Lines and gaps.
        acted: Its actions, in the order in which they were done.
        caught_up: Whether it is in its rooms now, and nothing is on its way: then it has heard all there is.
        hears: The channels that it hears now, None for all that it ever heard: a guest who comes back as somebody new hears
            its inbox of before no more.
    """

    name: str
    said: dict[str, SaidLine] = field(default_factory=dict)
    heard: list[HeardLine | HeardGap] = field(default_factory=list)
    acted: list[DoneAction] = field(default_factory=list)
    caught_up: bool = True
    hears: Collection[str] | None = None


# --- lines ---


def check_histories(histories: Histories) -> list[str]:
    """A history has no hole, and no line twice."""
    wrong = []
    for (channel, _), lines in histories.items():
        offsets = [line.offset for line in lines]
        if offsets != list(range(len(offsets))):
            wrong.append(f"history of {channel}: offsets {_some(offsets)} are not 0 to {len(offsets) - 1}")
        known: dict[str, int] = {}
        for line in lines:
            first = known.setdefault(line.cid, line.offset) if line.cid else line.offset
            if first != line.offset:
                wrong.append(f"history of {channel}: line {line.cid} is kept twice, at {first} and {line.offset}")
    return wrong


def check_lines(log: ClientLog, histories: Histories) -> list[str]:
    """What a client said is kept as it was told; what it heard is the history: in order, once, without a hole not told."""
    return [f"{log.name}: {text}" for text in [*_said(log, histories), *_heard(log, histories)]]


def _said(log: ClientLog, histories: Histories) -> Iterable[str]:
    kept = {(channel, line.cid): line for (channel, _), lines in histories.items() for line in lines if line.cid}
    for said in log.said.values():
        what = f"line {said.cid} in {said.channel}"
        there = kept.get((said.channel, said.cid))
        if said.offset is not None and said.offset >= 0:
            lines = histories.get((said.channel, said.epoch), ())
            if said.offset >= len(lines):
                yield f"{what} was acknowledged at {said.offset} and is lost: the history ends at {len(lines)}"
            elif lines[said.offset].cid != said.cid:
                yield f"{what} was acknowledged at {said.offset}, where line {lines[said.offset].cid} is"
        elif said.refused and said.refused != "unknown" and there is not None:
            yield f"{what} was refused ({said.refused}), and is kept at {there.offset}"
        elif said.offset is None and not said.refused and log.caught_up:
            yield f"{what} has no answer"


def _heard(log: ClientLog, histories: Histories) -> Iterable[str]:
    held: dict[str, tuple[int, int]] = {}  # channel -> epoch and offset; nothing after a gap, when it begins anew
    for heard in log.heard:
        if isinstance(heard, HeardGap):
            held.pop(heard.channel, None)
            continue
        what = f"heard line {heard.offset} of {heard.channel}"
        lines = histories.get((heard.channel, heard.epoch), ())
        if heard.offset >= len(lines) or (lines[heard.offset].sender, lines[heard.offset].cid) != (heard.sender, heard.cid):
            yield f"{what}, {heard.cid!r} of {heard.sender!r}, which is not what the history has there"
            continue
        epoch, last = held.get(heard.channel, (heard.epoch, heard.offset - 1))
        if epoch != heard.epoch:
            yield f"{what} of another epoch, and was told of no gap"
        elif heard.offset <= last:
            yield f"{what} {'twice' if heard.offset == last else f'after line {last}'}"
        else:
            yield from _missed(heard.channel, lines[last + 1 : heard.offset])
        held[heard.channel] = heard.epoch, heard.offset
    if log.caught_up:
        for channel, (epoch, last) in held.items():
            if log.hears is None or channel in log.hears:
                yield from _missed(channel, histories.get((channel, epoch), ())[last + 1 :])


def _missed(channel: str, lines: Sequence[StoredLine]) -> Iterable[str]:
    missed = [line.offset for line in lines if line.kind not in CHANGES]
    if missed:
        yield f"never heard {_some(missed)} of {channel}, and was told of no gap"


# --- actions ---


def check_actions(log: ClientLog, applied: Sequence[DoneAction]) -> list[str]:
    """A client's actions were applied once and in order, and it was told what came of each.

    Args:
        log: The client's.
        applied: What handlers were given of this client's, in order, and what they answered.
    """
    return [f"{log.name}: {text}" for text in _actions(log, applied)]


def _actions(log: ClientLog, applied: Sequence[DoneAction]) -> Iterable[str]:
    places = {done.number: place for place, done in enumerate(log.acted)}
    answers: dict[int, tuple[str, Any] | None] = {}
    last = -1
    for done in applied:
        if done.number in answers:
            yield f"action {done.number} was applied twice"
            continue
        answers[done.number] = done.answer
        place = places.get(done.number)
        if place is None:
            yield f"action {done.number} was applied, and never done"
        elif place < last:
            yield f"action {done.number} was applied after {log.acted[last].number}, and done before it"
        else:
            last = place
    for done in log.acted:
        yield from _answer(done, done.number in answers, answers.get(done.number), log.caught_up)


def _answer(done: DoneAction, applied: bool, made: tuple[str, Any] | None, caught_up: bool) -> Iterable[str]:
    told = done.answer
    if told is None:
        if caught_up:
            yield f"action {done.number} has no answer"
    elif told == ("refused", "unknown"):
        return
    elif applied:
        if told != made:
            yield f"action {done.number} was answered {told}, where the handler answered {made}"
    elif told[0] == "done":
        yield f"action {done.number} was answered {told}, and never applied"


# --- worlds ---


def check_replica(name: str, replica: Replica, version: Version, sight: Sight | None = None) -> list[str]:
    """A client's replica is the server's world, so far as it is in its sight.

    Args:
        name: The client's, for what is told.
        replica: The client's.
        version: The newest of the room's stream: `room.feed.stream.version`.
        sight: What the player is to hold of keyed tables: `player.sight`; None where no table is keyed.
    """
    mine, wrong, keyed = replica.version, [], 0
    if replica.schema.hash != version.schema.hash:
        return [f"{name}: its replica is of another schema"]
    for number, kind in enumerate(version.schema.tables):
        theirs, slots = version.tables[number], None
        if kind.key_spec is not None:
            theirs = version.keyed[keyed].table
            keys = set() if sight is None else sight.keys(keyed)
            slots = {slot for slot, key in enumerate(version.keyed[keyed].key.tolist()) if key in keys}
            keyed += 1
        wrong += [f"{name}: {kind.table_name} {text}" for text in _rows_differ(mine.tables[number], theirs, slots)]
    if encode_docs(mine.docs, version.docs):
        names = [n for n in version.schema.documents if mine.docs[n] != version.docs[n]]
        wrong.append(f"{name}: documents differ: {', '.join(names)}")
    return wrong


def _rows_differ(mine: TableVersion, theirs: TableVersion, slots: set[int] | None) -> list[str]:
    if slots is None and mine.same(theirs):
        return []
    held, there = _rows(mine), _rows(theirs)
    if slots is not None:
        there = {slot: row for slot, row in there.items() if slot in slots}
    wrong = []
    if missing := sorted(there.keys() - held.keys()):
        wrong.append(f"lacks rows {_some(missing)}")
    if surplus := sorted(held.keys() - there.keys()):
        wrong.append(f"has rows {_some(surplus)} that are not there, or not in sight")
    wrong += [f"row {slot} is {held[slot]}, and should be {there[slot]}" for slot in held.keys() & there.keys()
              if held[slot] != there[slot]]  # fmt: skip
    return wrong


def _rows(table: TableVersion) -> dict[int, tuple[Any, ...]]:
    """Slot -> generation, integers and texts of the rows."""
    return {
        slot: (int(table.generation[slot]), *table.ints[:, slot].tolist(), *(text[slot] for text in table.texts))
        for slot in np.flatnonzero(table.alive).tolist()
    }


def _some(numbers: Sequence[int]) -> str:
    return str(list(numbers)) if len(numbers) <= 10 else f"[{', '.join(map(str, numbers[:10]))}, … {len(numbers)} in all]"
