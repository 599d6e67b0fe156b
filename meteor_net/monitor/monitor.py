"""Watching counters. Plain: it reads numbers that others keep, when it is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from .report import NetworkReport

#: A source of counters: name -> value now. Names that end in `_ms` are latencies, in milliseconds.
Source = Callable[[], Mapping[str, float]]
#: Latencies of each kind that are remembered.
SAMPLES = 256


class NetworkMonitor:
    """Look at counters from time to time, and report.

    Attributes:
        metrics: `source.counter` -> value, and `source.counter/s` -> growth per second, as of the
            last measurement.
    """

    def __init__(self, sources: Mapping[str, Source], now: Callable[[], float]) -> None:
        """Make a monitor.

        Args:
            sources: By name.
            now: Tells the time in seconds.
        """
        self.metrics: dict[str, float] = {}
        self._sources = dict(sources)
        self._now = now
        self._began = now()
        self._latency: dict[str, deque[float]] = {}
        self._rates: dict[str, dict[str, float]] = {}
        self._before: tuple[float, dict[str, dict[str, float]]] = (self._began, self._read())

    def _read(self) -> dict[str, dict[str, float]]:
        return {name: dict(source()) for name, source in self._sources.items()}

    def track_latency(self) -> None:
        """Take a sample of each latency that a source has."""
        for source, counters in self._read().items():
            for name, value in counters.items():
                if name.endswith("_ms"):
                    key = f"{source}.{name}"
                    self._latency.setdefault(key, deque(maxlen=SAMPLES)).append(value)
                    self.metrics[key] = value

    def measure_bandwidth(self) -> None:
        """Measure how fast each counter has grown since the last measurement.

        A second call at the same time changes nothing.
        """
        then, before = self._before
        now, counters = self._now(), self._read()
        if now <= then:
            return
        self._before = (now, counters)
        self._rates = {}
        for source, totals in counters.items():
            rates = self._rates[source] = {}
            for name, value in totals.items():
                self.metrics[f"{source}.{name}"] = value
                if not name.endswith("_ms"):
                    rates[name] = (value - before.get(source, {}).get(name, 0)) / (now - then)
                    self.metrics[f"{source}.{name}/s"] = rates[name]

    def generate_report(self) -> NetworkReport:
        """Measure, and report."""
        self.track_latency()
        self.measure_bandwidth()
        return NetworkReport(
            seconds=self._now() - self._began,
            totals=self._read(),
            rates=self._rates,
            latency={key: _figures(samples) for key, samples in self._latency.items()},
        )


def _figures(samples: deque[float]) -> dict[str, float]:
    return {"least": min(samples), "mean": sum(samples) / len(samples), "most": max(samples)}
