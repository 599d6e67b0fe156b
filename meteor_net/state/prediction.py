"""A player's own rows ahead of the server, as docs/explanation/prediction.md tells; `browser/prediction.js` does the same."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from meteor_net.state.fields import IntegerField
from meteor_net.state.numeric import FloatField
from meteor_net.state.own import OwnFields, OwnInts, StepFunction
from meteor_net.state.words import Flag

#: Inputs that are replayed at most; at 20 Hz 3.2 s. Who waits longer for the server has other troubles.
MAX_INPUTS = 64
#: How quickly a correction fades, in seconds: to a third in so long.
SMOOTH_S = 0.1
#: The part of a tick that `act` may come early, so that a rhythm need not be exact.
EARLY = 0.5
#: Ticks that the rows go on after an input where the next one is late: a picture that stood still for a moment would be seen.
CARRIED = 1.5
#: Ticks after the last input at which the rows rest on what the server says.
AT_REST = 3


class Controls(NamedTuple):
    """How the player's controls stand: what moves its rows in one tick."""

    step: StepFunction
    i: Any


@dataclass(slots=True)
class Sent:
    """An input that is not in the newest version, as far as we know."""

    seq: int
    controls: Controls
    #: Of its ACK.
    tick: int | None = None


class Track(NamedTuple):
    """What is drawn: from `predicted` to `target`, within the tick that begins at `begun`."""

    predicted: OwnInts
    target: OwnInts
    begun: float


class Predictor:
    """Predicts the own rows of one player. Bounded, whatever comes; all times are seconds of one clock of ours.

    Args:
        tick_s: The length of a tick.
        smooth_s: How quickly a correction fades: to 1/e in so long; 0 for at once.
        snap: A correction beyond it is not smoothed at all: in the fields' units; None for none.

    Attributes:
        tick_s: As given; may be set.
        counters: inputs (put in place), corrections (that something came otherwise than predicted), snaps.
    """

    def __init__(self, tick_s: float, smooth_s: float = SMOOTH_S, snap: float | None = None) -> None:
        if not (tick_s > 0 and smooth_s >= 0 and (snap is None or snap >= 0)):
            raise ValueError("tick_s must be above 0, smooth_s and snap at least 0")
        self.tick_s = tick_s
        self.counters = dict.fromkeys(("inputs", "corrections", "snaps"), 0)
        self._smooth_s = smooth_s
        self._snap = math.inf if snap is None else snap
        self._fields: OwnFields | None = None
        self._rows: Hashable = None
        self._tick = -1
        self.reset()

    def reset(self) -> None:
        """Begin anew, after JOINED: inputs that were under way are lost, and nothing is known of the rows."""
        self._base: OwnInts | None = None
        self._inputs: deque[Sent] = deque(maxlen=MAX_INPUTS)
        self._controls: Controls | None = None
        self._credit = 1.0
        self._credit_at: float | None = None
        self._track: Track | None = None
        self._begun = 0.0
        self._due_at = math.inf
        self._stale = False
        self._offset: list[float] = []
        self._offset_at = 0.0

    @property
    def predicted(self) -> OwnInts | None:
        """The own integers with all inputs that are not in the newest version; None if there is nothing to go by."""
        return None if self._base is None else self._replay(self._base)

    @property
    def waiting(self) -> int:
        """How many inputs are not in the newest version."""
        return len(self._inputs)

    # --- what the player does ---

    def due(self, now: float) -> bool:
        """Tell whether an input that comes now is to be sent: one for each tick on average."""
        if self._credit_at is not None:
            self._credit = min(1.0, self._credit + max(0.0, now - self._credit_at) / self.tick_s)
        self._credit_at = now
        if self._credit < EARLY:
            return False
        # Calls come by in a rhythm of their own; the picture moves on from when the input was due, so evenly.
        self._due_at = now - (self._credit - EARLY) * self.tick_s
        self._credit -= 1.0
        return True

    def apply(self, seq: int | None, step: StepFunction, i: Any, now: float) -> None:
        """Take how the controls stand.

        Args:
            seq: The number of the input that was sent; None if it is not due: then it is only drawn.
            step: What it does.
            i: Its integers.
            now: The time.

        Raises:
            Exception: What the step raised; then it was nothing.
        """
        self._refresh(now)
        kept = self._controls, self._begun
        self._controls = Controls(step, i)
        if seq is not None:
            self._begun = min(now, self._due_at)
            self._inputs.append(Sent(seq, self._controls))
        try:
            self._go_on(now)
        except BaseException:
            self._controls, self._begun = kept
            if seq is not None:
                self._inputs.pop()
            raise
        self.counters["inputs"] += seq is not None

    # --- what the server says ---

    def authoritative(self, tick: int, fields: OwnFields, ints: OwnInts | None, rows: Hashable) -> None:
        """The replica has another version, or the player has other rows.

        Args:
            tick: The replica's.
            fields: Of the own rows.
            ints: Their integers in that version; None if one of the rows is not there.
            rows: Which they are: with others nothing glides from one to the other.
        """
        if rows != self._rows or fields is not self._fields:
            self._rows, self._fields, self._track = rows, fields, None
        self._base, self._tick, self._stale = ints, tick, True
        self._forget()

    def acked(self, seq: int, tick: int) -> None:
        """The inputs up to `seq` are in the version of `tick` (wire clause 9.3)."""
        for sent in self._inputs:
            if sent.seq <= seq and sent.tick is None:
                sent.tick = tick
        self._forget()

    def refused(self, seq: int) -> None:
        """An input will never be taken."""
        self._keep([sent for sent in self._inputs if sent.seq != seq])

    def _forget(self) -> None:
        self._keep([sent for sent in self._inputs if sent.tick is None or sent.tick > self._tick])

    def _keep(self, inputs: list[Sent]) -> None:
        if len(inputs) < len(self._inputs):
            self._inputs = deque(inputs, MAX_INPUTS)
            self._stale = True

    # --- what is drawn ---

    def shown(self, now: float) -> dict[str, Any] | None:
        """Give the own rows' values to draw, by field; None if nothing is predicted.

        Raises:
            Exception: What a step raised.
        """
        self._refresh(now)
        track, fields = self._track, self._fields
        if track is None or fields is None:
            return None
        self._fade(now)
        plain = self._plain(track, now)
        return {
            field.name: _value(field, n + offset) if _glides(field) else field.value(int(n))
            for field, n, offset in zip(fields.fields, plain, self._offset, strict=True)
        }

    def _refresh(self, now: float) -> None:
        """Take up what the server has said since the last look."""
        if self._stale:
            before = self._track
            self._go_on(now)
            self._stale = False
            if before is not None and self._track is not None and before.predicted != self._track.predicted:
                self.counters["corrections"] += 1

    def _go_on(self, now: float) -> None:
        """Predict anew; the picture goes on from where it was."""
        old, new = self._track, None
        if self._base is not None and self._controls is not None:
            assert self._fields is not None
            predicted = self._replay(self._base)
            new = Track(predicted, self._fields.step(self._controls.step, predicted, self._controls.i), self._begun)
        self._track = new
        if new is None or old is None or self._fields is None:
            self._offset = [0.0] * (0 if self._fields is None else len(self._fields.fields))
            return
        self._fade(now)
        was, will = self._plain(old, now), self._plain(new, now)
        for place, field in enumerate(self._fields.fields):
            if _glides(field):
                self._offset[place] = _way(field, 0.0, self._offset[place] + _way(field, will[place], was[place]))
        if self._jumped(old, new):
            self._offset = [0.0] * len(self._offset)
            self.counters["snaps"] += 1

    def _jumped(self, old: Track, new: Track) -> bool:
        assert self._fields is not None
        for field, offset, was, will in zip(self._fields.fields, self._offset, old.predicted, new.predicted, strict=True):
            if isinstance(field, Flag) and field.snap and was != will:
                return True
            if abs(offset) * (field.step if isinstance(field, FloatField) else 1.0) > self._snap:
                return True
        return False

    def _replay(self, ints: OwnInts) -> OwnInts:
        assert self._fields is not None
        for sent in self._inputs:
            ints = self._fields.step(sent.controls.step, ints, sent.controls.i)
        return ints

    def _plain(self, track: Track, now: float) -> list[float]:
        """Give what a track is at a moment, without what fades."""
        assert self._fields is not None
        late = (now - track.begun) / self.tick_s
        alpha = max(0.0, min(late, CARRIED, AT_REST - late))
        return [
            was + alpha * _way(field, was, will) if _glides(field) else will
            for field, was, will in zip(self._fields.fields, track.predicted, track.target, strict=True)
        ]

    def _fade(self, now: float) -> None:
        passed, self._offset_at = max(0.0, now - self._offset_at), now
        left = math.exp(-passed / self._smooth_s) if self._smooth_s else 0.0
        self._offset = [offset * left for offset in self._offset]


def _glides(field: IntegerField[Any, Any]) -> bool:
    return field.interpolate != "step"


def _way(field: IntegerField[Any, Any], start: float, end: float) -> float:
    """Give the way from one integer to another, between which there may be fractions: the shorter one, in an arc."""
    if field.interpolate != "arc":
        return end - start
    half = field.modulus // 2
    return (end - start + half) % field.modulus - half


def _value(field: IntegerField[Any, Any], n: float) -> float:
    n = n % field.modulus if field.interpolate == "arc" else min(max(n, field.lowest), field.highest)
    # What is not of steps is a whole number itself, so a fraction has a value too.
    return field.low + n * field.step if isinstance(field, FloatField) else n
