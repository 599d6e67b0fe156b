"""How the process of a server keeps its memory."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

#: New objects that Python's cyclic collector waits for; by default 700, or 2,000.
YOUNG_OBJECTS = 20_000
#: Freed memory that is kept for the next tick.
KEPT_BYTES = 64 * 1024 * 1024
#: Arrays up to this size lie in it; older C libraries take no larger number.
LARGE_BYTES = 32 * 1024 * 1024
#: Of the GNU C library's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def settle_memory() -> None:
    """Let Python's cyclic collector pass over what is there for good, and look less often; and let freed memory stay ours.

    The collector counts what is made, and a tick makes some thousands of objects that are gone when the tick is. And numpy's
    arrays of one tick are as large as those of the next: to give their memory back to the system between the two, page after
    page, was a twentieth of what a tick of a large world costs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    with suppress(OSError, AttributeError, TypeError):  # of the GNU C library alone
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
