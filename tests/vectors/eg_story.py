"""Worlds in the coding `eg` for `state.json`: turning crates, rows that stop and begin, late joiners."""

from __future__ import annotations

import math

from meteor_net.state import Choice, Data, Fixed, Flag, Quaternion, Schema, Table, Text, UInt
from tests.vectors.state_story import Recorder


class Body(Table):
    """Quaternions, fine and coarse, bytes and small domains."""

    rotation = Quaternion(bits=9)
    x = Fixed(step=1 / 512, low=-32, high=32, unit="m")
    tilt = Quaternion(bits=3, interpolate="step")
    speed = UInt(bits=9, unit="m/s")
    side = UInt(bits=2)
    lit = Flag()
    kind = Choice("box", "ball", "cone")
    raw = Data(16)
    name = Text(8)


SCHEMA = Schema([Body])


def turning(told: Recorder) -> None:
    """Bodies that turn, stop, begin, go and come."""
    body = told.world.body
    for n in range(24):
        body.spawn(rotation=(n, 1, -n, 3), x=n - 12, tilt=(1, n, 0, -2), speed=n, side=n % 4, raw=bytes([n, 255]))
    told.commit("a keyframe of the first version: the version before is the empty one", 1, None, check=True)
    for tick in range(2, 8):
        some = slice(0, 24, 1 + tick % 3)
        body.x[some] += 0.01 * tick
        body.rotation[some, tick % 4] += 1.5 * tick
        body.tilt[some, 3] += tick
        body.speed[some] += tick
        told.commit(f"step {tick}: bodies move and turn, others of them each time", tick, tick - 1, check=tick % 3 == 0)
    body.x += 0.5
    body.lit[::3] ^= True
    body.side += 1
    body.side %= 4
    body[5].kind, body[6].kind = "cone", "ball"
    body[7].raw, body[8].raw, body[9].name = b"", b"\0\x01meteor", "nine"
    step = told.commit("flags, sides and kinds: few rows of the columns", 9, 7)
    for about, data in _broken(step.data):
        told.refused(about, step, data=data.hex())
    told.refused("the step in the other coding", step, base=8)
    told.refused("bytes where text belongs", step, texts=[[0, 8, [9], [{"hex": "00"}]]])
    told.refused("more bytes than there may be", step, texts=[[0, 7, [9], [{"hex": "00" * 17}]]])
    body.x += 0.25
    body.rotation[:, 1] -= 30
    body[4].despawn()
    body[23].despawn()
    told.commit("rows of the active set go", 10, 8)
    body.spawn(rotation=(0, 1, 0, 0), x=3, raw=b"new")
    body.x += 0.25
    told.commit("a row comes in a slot that was used; the others move on", 11, 9, check=True)
    body.x += 0.25
    body[4].x += 1
    told.commit("it moves: it was not there two versions ago", 12, 10)
    _joining(told)


def _joining(told: Recorder) -> None:
    """Who comes late, or was slow, follows the others from its first frame on."""
    body = told.world.body
    for tick in range(13, 17):
        body.x[::2] -= 0.01
        body[2].rotation = (math.sin(tick), 0, 0, math.cos(tick))
        told.stream.commit(tick)
    body[2].raw = b"late"
    told.commit("two steps: a client that missed versions", 17, 11, check=True)
    body.x += 0.125
    told.commit("and follows the others", 18, told.stream.version.number)
    body[1].speed += 1
    told.commit("one field of one row: the plain coding is shorter, and is sent", 19, told.stream.version.number)
    body[1].speed += 1
    body.x += 0.125
    told.commit("a following step after a plain one", 20, told.stream.version.number)
    body.x -= 1
    told.commit("a keyframe: the version before, and the step", 21, None, check=True)
    body.x -= 1
    told.commit("and follows the others", 22, told.stream.version.number, check=True)
    for row in list(body):
        row.despawn()
    told.commit("all go", 23, told.stream.version.number, check=True)


def _broken(good: bytes) -> list[tuple[str, bytes]]:
    at = 1  # where the columns are told; then stopped, begun, and the modes
    while good[at] & 0x80:
        at += 1
    rows = at + 1
    return [
        ("no byte", b""),
        ("the last byte is missing", good[:-1]),
        ("a byte is left over", good + b"\0"),
        ("a part for a second table", bytes([good[0] | 4]) + good[1:]),
        ("only heads", good[:8]),
        ("a column that is not there", good[:1] + b"\xff\xff\x7f" + good[rows:]),
        ("more rows stop than there are", good[:rows] + b"\x7f" + good[rows + 1 :]),
        ("more rows begin than there are", good[: rows + 1] + b"\x7f" + good[rows + 2 :]),
        ("a mode that is not known", good[: rows + 2] + b"\x07" + good[rows + 3 :]),
        ("numbers of 31 bits and more", good[: rows + 2] + b"\xf8" + good[rows + 3 :]),
    ]
