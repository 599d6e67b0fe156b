"""python-socketio, installed from the package index when the benchmark runs, into a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

from ..server import Server, free_port
from ..state.progress import say

#: Of a name that mypy knows to leave alone.
FOLDER = Path(__file__).parents[1] / "peers" / "site-packages"
SCRIPT = Path(__file__).with_name("peer_server.py")
#: With uvicorn's faster loop, parser and WebSocket.
WANTED = ("python-socketio>=5.18,<6", "uvicorn[standard]>=0.54,<1")
SHOWN = ("python-socketio", "uvicorn", "uvloop", "websockets")
INSTALL_S = 180


class PeerError(Exception):
    """The peer could not be installed: there is nothing to compare with."""


def installed() -> dict[str, str]:
    """Tell which of its packages are there, and in which version."""
    found = {each.metadata["Name"]: each.version for each in distributions(path=[str(FOLDER)])}
    return {name: found[name] for name in SHOWN if name in found}


def install() -> str:
    """Install what is missing.

    Returns:
        The packages, with their versions.

    Raises:
        PeerError: pip failed.
    """
    if len(installed()) < len(SHOWN):
        say("installing the peer with pip into benchmarks/peers")
        command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--target", str(FOLDER)]
        try:
            subprocess.run([*command, *WANTED], capture_output=True, text=True, timeout=INSTALL_S, check=True)
        except subprocess.SubprocessError as error:
            raise PeerError(f"pip failed: {error}\n{getattr(error, 'stderr', '') or ''}") from None
    return ", ".join(f"{name} {version}" for name, version in installed().items())


def start() -> Server:
    """Start its server; it does not listen yet."""
    port = free_port()
    return Server(port, [sys.executable, str(SCRIPT), str(port)], {**os.environ, "PYTHONPATH": str(FOLDER)})
