"""Prints what was measured beside its bar, one line a figure: `FIGURE name value bar ok`, or `short`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

BARS = Path(__file__).with_name("figures.toml")


def report(measured: Mapping[str, float], prefix: str | tuple[str, ...]) -> int:
    """Print and compare the figures of one benchmark.

    Args:
        measured: Name -> value.
        prefix: Every name in figures.toml that begins so, or with one of several, has to be among them.

    Returns:
        An exit status: 0 if none is short and none is missing.
    """
    bars = tomllib.loads(BARS.read_text(encoding="utf-8"))
    good = True
    for name in dict.fromkeys([*(name for name in bars if name.startswith(prefix)), *measured]):
        most, least = (bars.get(name, {}).get(side) for side in ("most", "least"))
        value = measured.get(name)
        ok = value is not None and (most is not None or least is not None)
        ok = ok and (most is None or value <= most) and (least is None or value >= least)
        good = good and ok
        bar = least if most is None else most
        shown = "missing" if value is None else f"{value:.4g}"
        print(f"FIGURE {name} {shown} {'none' if bar is None else bar} {'ok' if ok else 'short'}", flush=True)
    return 0 if good else 1
