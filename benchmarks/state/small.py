"""The smallest change: one field of one row."""

from __future__ import annotations

from collections.abc import Mapping

from .browser import decode_again
from .channel import Channel, Mismatch, make_world
from .motion import wandering
from .progress import say
from .rows import Mover

#: Of the first version, so that ticks take three bytes, as they do for most of a room's life.
TICK = 40_000
SHORT, LONG = 125, 65_535


def on_wire(packet: bytes) -> int:
    """Give the bytes of a packet with its WebSocket header, as a server sends it (RFC 6455, clause 5.2)."""
    return len(packet) + (2 if len(packet) <= SHORT else 4 if len(packet) <= LONG else 10)


def measure() -> Mapping[str, float]:
    """Change `hp` of one row of a thousand that rest, again and again; and change nothing."""
    motion = wandering(ticks=1)
    world = make_world(Mover)
    for x, y, angle in motion.values[0].T:
        world.mover.spawn(x=x, y=y, angle=angle)
    channel = Channel(world, first_tick=TICK)
    channel.send()
    if channel.send():
        raise Mismatch("nothing changed, and something was sent")
    sizes: dict[bool, set[int]] = {False: set(), True: set()}
    for change in range(2 * motion.rows):
        world.mover[7 * change % motion.rows].hp -= 1 + change % 40
        check = change % 20 == 0
        channel.send(check)
        sizes[check].add(on_wire(channel.packets[-1]))
    decode_again([channel])
    plain, checked = sizes.values()
    say(
        f"one field of one row of {motion.rows}: {min(plain)} to {max(plain)} bytes on the wire; {max(checked)} with a checksum"
    )
    say("nothing changed: nothing sent")
    return {"one-field-bytes": float(max(plain))}
