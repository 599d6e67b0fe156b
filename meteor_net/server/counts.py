"""What a server can tell of itself in numbers: the sources of its monitor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..lobby import Lobby
from ..monitor import NetworkMonitor
from ..session.registry import Registry
from .tickers import Tickers


def monitor(
    counters: Mapping[str, float], registry: Registry, lobby: Lobby, tickers: Tickers, storage: Any, reactor: Any
) -> NetworkMonitor:  # fmt: skip
    """A monitor of a process: its events, its sessions, its rooms and their ticks, and its storage.

    Args:
        counters: What was reported, by word.
        registry: The sessions.
        lobby: The rooms.
        tickers: Their ticks.
        storage: Where lines are kept; it may have `counters`.
        reactor: Gives the time.
    """
    return NetworkMonitor(
        {
            "server": lambda: {**counters},
            "sessions": lambda: session_counts(registry),
            "rooms": lambda: room_counts(lobby),
            "storage": lambda: {**getattr(storage, "counters", {})},
            "ticks": lambda: {"busy": tickers.busy, "longest_ms": tickers.longest_ms},
        },
        reactor.seconds,
    )


def session_counts(registry: Registry) -> dict[str, float]:
    """The sum of all sessions' counters, how many there are, and their mean round trip in ms."""
    total: Counter[str] = Counter()
    trips = []
    for session in registry:
        total.update(session.counters)
        if session.round_trip_ms is not None:
            trips.append(session.round_trip_ms)
    mean = sum(trips) / len(trips) if trips else 0.0
    return {**total, "sessions": len(registry), "round_trip_ms": mean}


def room_counts(lobby: Lobby) -> dict[str, float]:
    """The sum of all rooms' counters, those of their streams among them, and how many there are."""
    total: Counter[str] = Counter()
    for room in lobby:
        for part in (room.counters, room.feed.counters, room.actions.counters):
            total.update(part)
        total.update({f"stream_{name}": count for name, count in room.feed.stream.counters.items()})
        total.update(lines=room.talk.lines, events=room.events.number, errors=room.asking.errors)
    return {**total, "rooms": len(lobby)}
