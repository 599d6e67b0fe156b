"""What a monitor reports: for people as text, for programs as a dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class NetworkReport(msgspec.Struct, frozen=True, kw_only=True):
    """One look at all counters.

    Attributes:
        seconds: Since the monitor was made.
        totals: Source -> counter -> value now.
        rates: Source -> counter -> growth per second, between the last two measurements.
        latency: Source's counter -> least, mean and greatest of its last samples, in milliseconds.
    """

    seconds: float
    totals: Mapping[str, Mapping[str, float]]
    rates: Mapping[str, Mapping[str, float]]
    latency: Mapping[str, Mapping[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, ready for JSON."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    def text(self) -> str:
        """Give it as lines of text: counters by source, with their growth per second."""
        lines = [f"after {self.seconds:.1f} s"]
        for source, totals in self.totals.items():
            lines.append(f"{source}:")
            rates = self.rates.get(source, {})
            for name, value in totals.items():
                rate = f"  ({rates[name]:,.1f}/s)" if rates.get(name) else ""
                lines.append(f"  {name:<18} {_number(value):>14}{rate}")
        for name, figures in self.latency.items():
            least, mean, most = figures["least"], figures["mean"], figures["most"]
            lines.append(f"{name}: least {least:.1f}, mean {mean:.1f}, greatest {most:.1f}")
        return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.1f}" if isinstance(value, float) and value != int(value) else f"{int(value):,}"
