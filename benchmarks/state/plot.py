"""Plain SVG: lines over two logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 40, 48
COLOURS = ("#2563eb", "#d97706", "#059669", "#7c3aed")


@dataclass(frozen=True)
class Line:
    """What is drawn: points, and what they are called. All values are above 0."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True)
class Axis:
    """Whole powers of ten from `low` to `high`, on pixels `start` to `end`."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> Axis:
        """Make the axis that holds all values."""
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), start, end)

    def at(self, value: float) -> float:
        """Give the pixel of a value."""
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Give the values that are named."""
        return [10.0**power for power in range(self.low, self.high + 1)]


def log_plot(title: str, x_name: str, y_name: str, lines: Sequence[Line]) -> str:
    """Draw lines; gives the text of an SVG file."""
    xs = Axis.of([x for line in lines for x in line.xs], LEFT, WIDTH - RIGHT)
    ys = Axis.of([y for line in lines for y in line.ys], HEIGHT - BOTTOM, TOP)
    parts = [
        text(LEFT, 20, title, "start", 14),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_name),
        text(LEFT, TOP - 8, y_name, "end"),
    ]
    for value in xs.ticks():
        parts.append(stroke([(xs.at(value), TOP), (xs.at(value), HEIGHT - BOTTOM)], "#e5e7eb", 1))
        parts.append(text(xs.at(value), HEIGHT - BOTTOM + 18, f"{value:,g}"))
    for value in ys.ticks():
        parts.append(stroke([(LEFT, ys.at(value)), (WIDTH - RIGHT, ys.at(value))], "#e5e7eb", 1))
        parts.append(text(LEFT - 8, ys.at(value) + 4, f"{value:g}", "end"))
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        points = [(xs.at(x), ys.at(y)) for x, y in zip(line.xs, line.ys, strict=True)]
        parts.append(stroke(points, colour, 2))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(text(LEFT + 12, TOP + 18 * (number + 1), line.name, "start", 12, colour))
    return picture(WIDTH, HEIGHT, parts)


def picture(width: int, height: int, parts: Sequence[str]) -> str:
    """Give the text of an SVG file with these parts on white ground."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>\n"])


def stroke(points: Sequence[tuple[float, float]], colour: str, width: float) -> str:
    """Draw a line through points."""
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def text(x: float, y: float, text: str, anchor: str = "middle", size: int = 12, colour: str = "#374151") -> str:
    """Write a text, with its anchor at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
