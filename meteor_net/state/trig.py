"""Sine and cosine in whole numbers, the same in every language; `browser/trig.js` has the same table.

`math.sin` and JavaScript's `Math.sin` differ in some last bits, and so would two worlds that are moved by them. What a `step`
needs of them (docs/explanation/prediction.md) it takes from here: a quarter of the wave in 256 steps, and a straight line
between two of those.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: A whole number, or a column of them.
Ints = TypeVar("Ints", int, NDArray[np.int64])
#: The sine and the cosine are scaled by 2^14: 16,384 stands for 1.
ONE_BITS = 14
ONE = 1 << ONE_BITS
#: An angle is looked up in so many parts of a turn.
_TURN_BITS = 20
_QUARTER_TURN = 1 << (_TURN_BITS - 2)

#: floor(16384 sin(n / 256 of a quarter turn) + 0.5).
_QUARTER = (
    0, 101, 201, 302, 402, 503, 603, 704, 804, 904, 1005, 1105, 1205, 1306, 1406, 1506, 1606, 1706, 1806, 1906, 2006,
    2105, 2205, 2305, 2404, 2503, 2603, 2702, 2801, 2900, 2999, 3098, 3196, 3295, 3393, 3492, 3590, 3688, 3786, 3883,
    3981, 4078, 4176, 4273, 4370, 4467, 4563, 4660, 4756, 4852, 4948, 5044, 5139, 5235, 5330, 5425, 5520, 5614, 5708,
    5803, 5897, 5990, 6084, 6177, 6270, 6363, 6455, 6547, 6639, 6731, 6823, 6914, 7005, 7096, 7186, 7276, 7366, 7456,
    7545, 7635, 7723, 7812, 7900, 7988, 8076, 8163, 8250, 8337, 8423, 8509, 8595, 8680, 8765, 8850, 8935, 9019, 9102,
    9186, 9269, 9352, 9434, 9516, 9598, 9679, 9760, 9841, 9921, 10001, 10080, 10159, 10238, 10316, 10394, 10471, 10549,
    10625, 10702, 10778, 10853, 10928, 11003, 11077, 11151, 11224, 11297, 11370, 11442, 11514, 11585, 11656, 11727,
    11797, 11866, 11935, 12004, 12072, 12140, 12207, 12274, 12340, 12406, 12472, 12537, 12601, 12665, 12729, 12792,
    12854, 12916, 12978, 13039, 13100, 13160, 13219, 13279, 13337, 13395, 13453, 13510, 13567, 13623, 13678, 13733,
    13788, 13842, 13896, 13949, 14001, 14053, 14104, 14155, 14206, 14256, 14305, 14354, 14402, 14449, 14497, 14543,
    14589, 14635, 14680, 14724, 14768, 14811, 14854, 14896, 14937, 14978, 15019, 15059, 15098, 15137, 15175, 15213,
    15250, 15286, 15322, 15357, 15392, 15426, 15460, 15493, 15525, 15557, 15588, 15619, 15649, 15679, 15707, 15736,
    15763, 15791, 15817, 15843, 15868, 15893, 15917, 15941, 15964, 15986, 16008, 16029, 16049, 16069, 16088, 16107,
    16125, 16143, 16160, 16176, 16192, 16207, 16221, 16235, 16248, 16261, 16273, 16284, 16295, 16305, 16315, 16324,
    16332, 16340, 16347, 16353, 16359, 16364, 16369, 16373, 16376, 16379, 16381, 16383, 16384, 16384,
)  # fmt: skip


_QUARTER_COLUMN = np.array([*_QUARTER, 0], dtype=np.int64)  # the last is looked up by some, and counts for none


def sin_int(angle: Ints, bits: int) -> Ints:
    """Give the sine of an angle.

    Args:
        angle: Any integer, or a column of integers; in a full turn there are 2^bits, as in an `Angle(bits)`.
        bits: 1 to 31; beyond 20 the rest of the angle does not count.

    Returns:
        -16,384 to 16,384, off by 1 at most.
    """
    return _sine(_part(angle, bits))


def cos_int(angle: Ints, bits: int) -> Ints:
    """Give the cosine of an angle; see `sin_int`."""
    return _sine(_part(angle, bits) + _QUARTER_TURN)


def _part(angle: Ints, bits: int) -> Ints:
    """Give the angle in parts of a turn, from 0 to below a turn."""
    within = angle & ((1 << bits) - 1)
    return within << (_TURN_BITS - bits) if bits <= _TURN_BITS else within >> (bits - _TURN_BITS)


def _sine(part: Ints) -> Ints:
    if isinstance(part, np.ndarray):
        return _sines(part)
    quarter, rest = (part >> 18) & 3, part & 0x3FFFF
    if quarter & 1:  # the second quarter is the first one backwards
        rest = _QUARTER_TURN - rest
    place, between = rest >> 10, rest & 1023
    value = _QUARTER[place]
    if between:
        value += ((_QUARTER[place + 1] - value) * between + 512) >> 10
    return -value if quarter & 2 else value


def _sines(part: NDArray[np.int64]) -> NDArray[np.int64]:
    quarter, rest = (part >> 18) & 3, part & 0x3FFFF
    rest = np.where(quarter & 1, _QUARTER_TURN - rest, rest)
    place, between = rest >> 10, rest & 1023
    value = _QUARTER_COLUMN[place]
    value = value + (((_QUARTER_COLUMN[place + 1] - value) * between + 512) >> 10)
    sines: NDArray[np.int64] = np.where(quarter & 2, -value, value)
    return sines
