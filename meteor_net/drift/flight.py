"""How a craft flies: one tick of it, in the integers that players are sent.

page/flight.js does the same, to the last bit: so a page flies its own craft at once, and the server agrees a moment later.
`>>` and `&` mean the same in both languages while nothing exceeds 32 bits, and nothing does.
"""

from __future__ import annotations

from typing import Any

from meteor_net import elementwise
from meteor_net.state.trig import cos_int, sin_int

HELM = 64  # a helm's middle, 0 to 128
TURN = 29  # of the 1,024 of a full turn, in a tick at full helm: 3.6 radians a second
PUSH = 208  # sixteenths of a unit a second, in a tick: 260 units a second squared
REST = 16384  # a speed of 0, from 0 to 32,768 sixteenths of a unit a second


@elementwise  # no `if`: so all craft fly at once
def step(s: Any, i: Any) -> None:
    """Fly one tick of 1/20 s.

    Args:
        s: The craft's x, y, vx, vy, heading and thrust; changed in place.
        i: What its helm says: turn and thrust.
    """
    s.thrust = i.thrust
    s.heading = (s.heading + ((TURN * (i.turn - HELM) + 32) >> 6)) & 1023
    push = PUSH * i.thrust
    vx, vy = s.vx - REST, s.vy - REST
    vx += ((push * cos_int(s.heading, 10) + 8192) >> 14) - ((56 * vx + 512) >> 10)  # friction: 1.1 of the speed a second
    vy += ((push * sin_int(s.heading, 10) + 8192) >> 14) - ((56 * vy + 512) >> 10)
    s.vx, s.vy = vx + REST, vy + REST
    s.x = (s.x + ((3277 * vx + 32768) >> 16)) & 32767  # a twentieth, rounded
    s.y = (s.y + ((3277 * vy + 32768) >> 16)) & 32767
