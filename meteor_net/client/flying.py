"""How a bot moves: values that a player might give, within each field's domain, changing smoothly. Plain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import cos, pi, sin
from random import Random
from typing import Any

#: A value of one field at a time in seconds.
Course = Callable[[float], Any]
#: Periods of a swing, in seconds: from a quick turn to a long curve.
SWING_S = (2.0, 12.0)
#: How long a choice stays, a flag is set, and is not, in seconds: a player keeps most keys down.
STAY_S = (1.0, 4.0)
SET_S = (1.0, 4.0)
UNSET_S = (0.2, 1.5)


def courses(action: Mapping[str, Any], random: Random) -> dict[str, Course]:
    """Make a course for each field of an action.

    Args:
        action: The action as the schema describes it (wire page, clause 7.1).
        random: Makes each bot fly its own way.
    """
    return {field["name"]: _course(field, random) for field in action["fields"]}


def _course(field: Mapping[str, Any], random: Random) -> Course:
    kind = field["kind"]
    if kind == "fixed":
        return _swing(field["low"], field["high"], random)
    if kind == "angle":
        return _swing(0.0, 2 * pi, random)
    if kind == "uint":
        return _whole(_swing(0, 2 ** field["bits"] - 1, random))
    if kind == "int":
        half = 2 ** (field["bits"] - 1)
        return _whole(_swing(-half, half - 1, random))
    if kind == "flag":
        return _toggles(random)
    if kind == "choice":
        return _stays(field["choices"], random)
    return lambda _: ""


def _swing(low: float, high: float, random: Random) -> Course:
    """Swing between low and high, by two sines of different periods."""
    middle, half = (low + high) / 2, (high - low) / 2
    first, second = (2 * pi / random.uniform(*SWING_S) for _ in range(2))
    phase = random.uniform(0, 2 * pi)
    return lambda now: middle + half * (sin(first * now + phase) + cos(second * now)) / 2


def _whole(course: Course) -> Course:
    return lambda now: round(course(now))


def _toggles(random: Random) -> Course:
    """Be set at first, then not, and so on."""
    until = random.uniform(*SET_S)
    is_set = True

    def course(now: float) -> bool:
        nonlocal until, is_set
        if now >= until:
            is_set = not is_set
            until = now + random.uniform(*(SET_S if is_set else UNSET_S))
        return is_set

    return course


def _stays(values: list[Any], random: Random) -> Course:
    """Stay at one of the values for a while, then take another."""
    until = 0.0
    value = random.choice(values)

    def course(now: float) -> Any:
        nonlocal until, value
        if now >= until:
            until = now + random.uniform(*STAY_S)
            value = random.choice(values)
        return value

    return course
