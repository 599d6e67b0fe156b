"""Which rows of a live table were written to since the last commit: found by comparing with a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Watch:
    """Compares blocks of columns with what they were.

    Args:
        blocks: One row a column, one column a slot.
    """

    def __init__(self, blocks: list[NDArray[Any]]) -> None:
        # np.empty_like takes no memory until it is written.
        self._pairs = [(block, np.empty_like(block)) for block in blocks if len(block)]

    def look(self, top: int) -> NDArray[np.intp]:
        """Give the slots below `top` in which a value differs from the last look, and remember what is there now.

        NaN differs from itself. The first look, and one at more slots than before, give no sense.
        """
        differs = np.zeros(top, dtype=np.bool_)
        for block, copy in self._pairs:
            now, was = block[:, :top], copy[:, :top]
            changed = now != was
            np.logical_or(differs, changed.any(axis=0) if len(changed) > 1 else changed[0], out=differs)
            np.copyto(was, now)
        return differs.nonzero()[0]
