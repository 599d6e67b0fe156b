"""The places that a JOIN names (wire page, clause 6.1), read from plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import PacketError
from ..limits import Limits


@dataclass(frozen=True, slots=True)
class Places:
    """How far a client holds what the room says.

    Attributes:
        epoch, tick: Of the stream's version that it holds, or None.
        event: The number of the last event, or None.
        channels: Channel's name -> (epoch, offset).
    """

    epoch: int | None = None
    tick: int | None = None
    event: int | None = None
    channels: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, places: dict[str, Any], limits: Limits) -> Places:
        """Read the map of a JOIN; keys that we do not know are ignored.

        Raises:
            PacketError: If a value has a wrong type, or there are too many.
        """
        channels = places.get("channels", {})
        if type(channels) is not dict or len(channels) > limits.places:
            raise PacketError(f"places: channels is a map of at most {limits.places}")
        return cls(
            epoch=_number(places, "epoch"),
            tick=_number(places, "tick"),
            event=_number(places, "event"),
            channels={name: _place(name, place) for name, place in channels.items()},
        )


def _number(places: dict[str, Any], key: str) -> int | None:
    value = places.get(key)
    if value is not None and (type(value) is not int or value < 0):
        raise PacketError(f"places: {key} is a whole number")
    return value


def _place(name: str, place: Any) -> tuple[int, int]:
    if type(place) is not list or len(place) != 2 or any(type(item) is not int for item in place):
        raise PacketError(f"places: channel {name[:64]!r} wants [epoch, offset]")
    epoch, offset = place
    if epoch < 0 or offset < -1:
        raise PacketError(f"places: channel {name[:64]!r} wants an epoch from 0 and an offset from -1")
    return epoch, offset
