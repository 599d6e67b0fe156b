"""Which world to show now: the newest versions, and a clock that lets them play smoothly. `browser/state.js` does the same.

The clock is the arrival of frames: it notes how long after its tick each one came, and shows the world one interval and the
usual lateness behind. The difference between the server's clock and ours falls out of that; jitter widens the delay, and calm
narrows it, so slowly that nobody sees time run faster or slower. Where a frame is late all goes on as it went, for one interval
at most.
"""

from __future__ import annotations

import math
from collections import deque

from meteor_net.state.interpolation import interpolate
from meteor_net.state.version import Version
from meteor_net.state.view import WorldView

#: Versions that wait to be shown; at 20 Hz 1.6 s, far more than any useful delay.
SNAPSHOTS = 32
#: Arrivals from which the delay is tuned: some 3 s at 20 Hz.
ARRIVALS = 64
#: The part of the frames that come in time: for the latest few, the world is carried on instead.
USUAL = 0.95
#: How slow and how fast the film may run while the delay is tuned: nobody sees that.
SLOWEST, FASTEST = 0.96, 1.02
#: The most that jitter may add to the delay, in seconds: beyond it, a stutter is better than a lag.
JITTER_S = 0.3
#: A difference of the shown time that is jumped, not slid; seconds.
JUMP_S = 0.5
#: Intervals after which what did not come is taken not to have been: the world is at rest.
AT_REST = 3
#: The highest `update_rate`.
MAX_RATE_HZ = 1000.0


class Playback:
    """Keeps the newest versions of a stream and tells what to show now. Bounded, whatever comes.

    All times are seconds; `now` is of any clock of ours that runs evenly, always the same one.

    Args:
        tick_s: The length of a tick.
        update_rate: See the property; None: every tick.
        tick: A tick, and the server's time of it (JOINED).
        time_s: That time.
    """

    def __init__(self, tick_s: float, update_rate: float | None = None, tick: int = 0, time_s: float = 0.0) -> None:
        self.tick_s = tick_s
        #: The rate as it was set; None: every tick.
        self.asked_rate: float | None = None
        if update_rate is not None:
            self.update_rate = update_rate
        self._versions: deque[Version] = deque(maxlen=SNAPSHOTS)
        self._arrivals: deque[float] = deque(maxlen=ARRIVALS)  # how long after its tick's time each frame came, by our clock
        self._lag: float | None = None  # our time minus the time shown, as it is now
        self._lag_at = 0.0
        self._shown = 0.0
        self.set_clock(tick, time_s)

    @property
    def update_rate(self) -> float:
        """Frames a second when everything moves, in Hz: one for every tick, unless it was set; it may be while running.

        Raises:
            ValueError: On setting one that is not above 0 and at most 1000.
        """
        return 1 / self.tick_s if self.asked_rate is None else self.asked_rate

    @update_rate.setter
    def update_rate(self, rate: float) -> None:
        if not 0 < rate <= MAX_RATE_HZ:
            raise ValueError(f"update_rate must be above 0 and at most {MAX_RATE_HZ:g} Hz, not {rate!r}")
        self.asked_rate = float(rate)

    @property
    def interval(self) -> float:
        """Ticks from one frame to the next when everything moves; 1 at least."""
        return max(1.0, 1 / (self.update_rate * self.tick_s))

    @property
    def shown(self) -> float:
        """The tick that `show` showed last, with its fraction; 0.0 at first."""
        return self._shown

    @property
    def delay_s(self) -> float | None:
        """How far the world is shown behind the frames that came the quickest; None before anything was shown."""
        return None if self._lag is None else self._lag - min(self._arrivals)

    def set_clock(self, tick: int, time_s: float) -> None:
        """Set the server's clock: `tick` is at this time of it (JOINED, CLOCK)."""
        self._clock_tick = tick
        self._clock_s = time_s

    def to_present(self) -> None:
        """Forget how frames came, after a pause in which nothing was heard or shown: the newest version is shown at once."""
        self._arrivals.clear()
        self._lag = None
        while len(self._versions) > 1:
            self._versions.popleft()

    def tick_at(self, now: float) -> float:
        """Tell the tick that is to be shown at a moment, at most an interval after the newest; 0.0 before the first version."""
        newest = self._versions[-1].tick if self._versions else 0
        due = self._due(now)
        return float(newest) if due is None else max(0.0, min(due, newest + self.interval))

    def show(self, now: float) -> WorldView | None:
        """Give the world to show at a moment; None before the first version. Versions that were shown are let go."""
        if not self._versions:
            return None
        tick = self._shown = self.tick_at(now)
        versions = self._versions
        while len(versions) > 2 and versions[1].tick <= tick:
            versions.popleft()
        first = versions[0]
        second = versions[1] if len(versions) > 1 else first
        # Nothing changed between the two but in the last interval: a version is only made where something changes.
        steps = max(second.number - first.number, self.interval)
        span = max(1.0, min(steps, second.tick - first.tick))
        # What is told of at a lower rate goes on to where it is, even where no more versions come.
        at = max(tick, self._due(now) or 0.0)
        if tick > second.tick:
            return interpolate(first, second, 1 + self._ahead(now) / span, at)
        alpha = (tick - (second.tick - span)) / span
        return interpolate(first, second, alpha, at) if alpha > 0 else interpolate(first, first, 1, at)

    def _take(self, version: Version, now: float) -> None:
        """Take a new version, when it came."""
        self._versions.append(version)
        self._arrivals.append(now - self._clock_s - (version.tick - self._clock_tick) * self.tick_s)

    def _wanted(self) -> float | None:
        """Give the lag that the last arrivals ask for; None before the first."""
        if not self._arrivals:
            return None
        arrivals = sorted(self._arrivals)
        late = arrivals[math.floor(USUAL * (len(arrivals) - 1))]
        return arrivals[0] + min(late - arrivals[0], JITTER_S) + self.interval * self.tick_s

    def _due(self, now: float) -> float | None:
        """Give the tick that is due at a moment, whether or not its version came; None before the first."""
        wanted = self._wanted()
        if wanted is None:
            return None
        passed = max(0.0, now - self._lag_at)
        self._lag_at = now
        if self._lag is None or abs(wanted - self._lag) > JUMP_S:
            self._lag = wanted
        else:  # so that the film runs a little slower or faster
            self._lag += min(max(wanted - self._lag, (1 - FASTEST) * passed), (1 - SLOWEST) * passed)
        return self._clock_tick + (now - self._lag - self._clock_s) / self.tick_s

    def _ahead(self, now: float) -> float:
        """Tell how many ticks the world is carried on beyond the newest version.

        It waits there for a while; if still nothing comes then nothing has changed, and it slides back to what is true.
        """
        interval = self.interval
        late = ((self._due(now) or 0.0) - self._versions[-1].tick) / interval
        return interval * max(0.0, min(late, 1.0, AT_REST - late))
