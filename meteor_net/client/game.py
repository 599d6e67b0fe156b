"""The short form: `async with connect("ws://127.0.0.1:8080", room="a") as game: …`."""

from __future__ import annotations

from typing import Any

from .client import NetworkClient
from .config import NetworkConfig


def connect(url: str, **options: Any) -> NetworkClient:
    """Make a client that is in its room inside `async with`.

    Args:
        url: Where the server is.
        options: As those of NetworkConfig: `room`, `name`, `token`, `role`, …

    Raises:
        ConfigError: If one of them is wrong.
    """
    return NetworkClient(NetworkConfig(url=url, **options))
