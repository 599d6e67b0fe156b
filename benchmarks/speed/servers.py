"""The servers that are compared: ours, node's `ws`, and a loop of `send()` in C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ..server import Server, free_port, meteor
from ..state.browser import node
from ..state.peer import FOLDER, PeerError, install
from ..worlds.load import Viewer

HERE = Path(__file__).parent
WS = {"ws": "8"}


def ours(folder: Path, game: str = "Fan", *options: str) -> Server:
    """Start `twistd meteor` with one of the games of game.py; it does not listen yet."""
    paths = ["--data-dir", str(folder / "data"), "--python-path", str(HERE.parents[1]), "--database", "memory"]
    return meteor(free_port(), "--game", f"speed=benchmarks.speed.game.{game}", *paths, *options)


def ws(*tls: str) -> Server:
    """Start node's `ws`; it does not listen yet.

    Args:
        tls: Files of a certificate and its key, for TLS.

    Raises:
        PeerError: It could not be installed.
    """
    install(WS)
    script = FOLDER / "speed-ws.mjs"
    shutil.copyfile(HERE / "ws.mjs", script)
    port = free_port()
    return Server(port, [node(), str(script), str(port), *tls])


def floor(folder: Path) -> Server:
    """Compile the loop of `send()`, and start it; it does not listen yet.

    Raises:
        PeerError: There is no compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise PeerError("there is no C compiler (cc) for the floor; Debian: apt-get install gcc libc6-dev")
    program = folder / "floor"
    subprocess.run([compiler, "-O2", "-Wall", "-o", str(program), str(HERE / "floor.c")], check=True, timeout=60)
    port = free_port()
    return Server(port, [str(program), str(port)])


class Hearer(Viewer):
    """A client of a server to which nothing is to be said: each message is the state of a tick."""

    subprotocol = ""

    def opened(self) -> None:
        """That is all."""
        self.ready = True

    def take(self, payload: bytes) -> bool:
        """Each is."""
        return True

    def tend(self) -> None:
        """Nothing."""
