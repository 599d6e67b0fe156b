"""`make pictures`: the pictures of the page about the state, drawn from the recorded cubes.

Writes state-prediction.svg, state-active.svg and state-sizes.svg into docs/images. `make bench-state` tells where the
recording is looked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.state.channel import CODINGS
from benchmarks.state.cubes import UNITS, Frames, find, follow, load
from benchmarks.state.plot import COLOURS, picture, stroke, text

IMAGES = Path(__file__).with_name("images")
WIDTH = 720
LINE, FAINT = "#374151", "#e5e7eb"
#: Of the recording's eight columns.
Z = 6
FLIGHT_FRAMES = 14
ACTIVE_FRAMES, ACTIVE_FROM = 120, 60


def flight(frames: Frames, count: int = FLIGHT_FRAMES) -> NDArray[np.int64]:
    """Find the highest flight: heights of one body, in steps, that change in each of `count` frames."""
    z = frames[..., Z].astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(z, count, axis=0)
    moving = (np.diff(windows, axis=2) != 0).all(axis=2)
    span = np.where(moving, np.ptp(windows, axis=2), -1)
    span[:2] = -1  # two frames before are looked at, too
    frame, body = np.unravel_index(int(span.argmax()), span.shape)
    return np.asarray(z[int(frame) - 2 : int(frame) + count, int(body)])


def prediction(frames: Frames) -> str:
    """Draw a flight, and below it what a frame says of it in three ways."""
    heights = flight(frames)
    now = heights[2:]
    rows = [
        ("steps of 1/512 m", now, LINE),
        ("minus the version before", now - heights[1:-1], COLOURS[1]),
        ("minus the prediction", now - (2 * heights[1:-1] - heights[:-2]), COLOURS[0]),
    ]
    left, top, high = 170, 44, 150
    xs = [left + 20 + place * (WIDTH - left - 50) / (len(now) - 1) for place in range(len(now))]
    low, most = int(heights.min()), int(heights.max())
    parts = [text(16, 24, "One thrown cube: its height in each of 20 frames a second", "start", 15)]
    points = [(x, top + high - high * (n - low) / (most - low)) for x, n in zip(xs, now, strict=True)]
    parts.append(stroke(points, FAINT, 2))
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{LINE}"/>' for x, y in points]
    parts += [
        text(left - 10, top + 8, f"{most / UNITS:.2f} m", "end"),
        text(left - 10, top + high + 4, f"{low / UNITS:.2f} m", "end"),
    ]
    for number, (name, values, colour) in enumerate(rows):
        y = top + high + 40 + 26 * number
        parts.append(text(left - 10, y, name, "end", 12, colour))
        parts += [text(x, y, f"{n:d}", colour=colour) for x, n in zip(xs, values.tolist(), strict=True)]
    return picture(WIDTH, top + high + 40 + 26 * len(rows), parts)


def active(frames: Frames) -> str:
    """Draw which bodies change in which frame, and how often that differs from the frame before."""
    changed = (np.diff(frames.astype(np.int64), axis=0) != 0).any(axis=2)[ACTIVE_FROM : ACTIVE_FROM + ACTIVE_FRAMES]
    bodies = np.flatnonzero(changed.any(axis=0))
    raster = changed[:, bodies].T
    turned = int((raster[:, 1:] != raster[:, :-1]).sum())
    left, top = 16, 62
    wide, tall = (WIDTH - 2 * left) / raster.shape[1], 2.0
    parts = [
        text(16, 24, f"Which cubes change: {len(bodies)} of {frames.shape[1]} do so in {ACTIVE_FRAMES / 20:g} s", "start", 15),
        text(16, 46, f"{int(raster.sum()):,} changes (dark), but only {turned:,} times a cube begins or stops", "start"),
    ]
    for number, row in enumerate(raster):
        y = top + (number + 0.5) * tall
        edges = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(int)))
        runs = "".join(f"M{left + start * wide:.1f} {y:g}H{left + end * wide:.1f}" for start, end in edges.reshape(-1, 2))
        parts.append(f'<path d="{runs}" stroke="{LINE}" stroke-width="{tall - 0.4:.1f}"/>')
    bottom = top + len(bodies) * tall
    parts.append(text(left, bottom + 20, "time →", "start"))
    return picture(WIDTH, int(bottom) + 32, parts)


def sizes(frames: Frames) -> str:
    """Draw the bytes of each frame, by coding."""
    channels = [follow(frames, coding, 1) for coding in CODINGS]
    left, top, high = 56, 62, 180
    most = max(max(channel.following) for channel in channels)
    bottom = top + high
    parts = [text(16, 24, f"Bytes of each frame: {frames.shape[1]} cubes, 20 frames a second", "start", 15)]
    for mark in range(0, most + 1, 250):
        y = bottom - high * mark / most
        parts += [stroke([(left, y), (WIDTH - 16, y)], FAINT, 1), text(left - 8, y + 4, f"{mark}", "end")]
    for number, channel in enumerate(channels):
        values = _smooth(channel.following)
        wide = (WIDTH - 16 - left) / (len(values) - 1)
        points = [(left + place * wide, bottom - high * value / most) for place, value in enumerate(values)]
        colour = COLOURS[number]
        parts.append(stroke(points, colour, 1.2))
        mean = float(np.mean(channel.following))
        parts.append(text(left + 200 * number, 48, f"{channel.coding}: {mean:.0f} on average", "start", 13, colour))
    for second in range(0, len(frames) // 20 + 1, 10):
        parts.append(text(left + second * 20 / len(frames) * (WIDTH - 16 - left), bottom + 20, f"{second} s"))
    return picture(WIDTH, bottom + 32, parts)


def _smooth(values: Sequence[int]) -> list[float]:
    """Means of four frames: the page has no room for more."""
    kept = len(values) - len(values) % 4
    return [float(value) for value in np.reshape(values[:kept], (-1, 4)).mean(axis=1)]


def main() -> int:
    """Draw all.

    Returns:
        The exit status.
    """
    try:
        frames = load(find(None))[::3]
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    for draw in (prediction, active, sizes):
        path = IMAGES / f"state-{draw.__name__}.svg"
        path.write_text(draw(frames), encoding="utf-8")
        print(f"docs/images/{path.name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
