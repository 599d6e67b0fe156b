"""What a line of a game's own kind may carry."""

from __future__ import annotations

from typing import Any

from ..codec import plain_data
from ..errors import LocalProtocolError, Refused


def check_data(data: object) -> Any:
    """Check data, and make of it what its readers will see.

    Raises:
        Refused: If it is larger than 4 KiB as CBOR, or no value that the wire carries.
    """
    try:
        return plain_data(data)
    except LocalProtocolError as error:
        raise Refused(str(error), "bad-text") from error
