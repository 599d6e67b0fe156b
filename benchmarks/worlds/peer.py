"""The peer: a Colyseus server, installed from npm when the benchmark runs, and clients that hear it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..server import Server, free_port
from ..state.browser import node
from ..state.peer import FOLDER, WANTED, PeerError, install, installed
from ..state.progress import say
from .load import Held, Viewer
from .scene import TICKS, Scene

SCRIPT = Path(__file__).with_name("peer.mjs")
OUT = Path(__file__).parents[1] / "out"
PACKAGES = {**WANTED, "@colyseus/ws-transport": "0.18", "express": "5"}
LONGEST_S = 60
JOIN_ROOM, ROOM_STATE_PATCH = 10, 15


def prepare() -> None:
    """Install what is missing.

    Raises:
        PeerError: It could not be installed.
    """
    install(PACKAGES)
    found = installed(PACKAGES)
    if len(found) < len(PACKAGES):
        raise PeerError(f"not all of {', '.join(PACKAGES)} are there")
    say(f"beside {', '.join(f'{name} {version}' for name, version in found.items())}")


def _script() -> str:
    copy = FOLDER / f"{SCRIPT.stem}-worlds.mjs"
    shutil.copyfile(SCRIPT, copy)
    return str(copy)


def start(scene: Scene) -> Server:
    """Start its server; it does not listen yet."""
    told = {
        "rows": scene.rows,
        "viewers": scene.viewers,
        "size": scene.size,
        "radius": scene.radius,
        "ticks": TICKS,
        "motion": str(scene.motion.save(OUT)),
        "walks": str(scene.walks.save(OUT)),
    }
    port = free_port()
    return Server(port, [node(), _script(), "serve", str(port), json.dumps(told)])


class PeerViewer(Viewer):
    """One of its clients."""

    subprotocol = ""

    async def seat(self, port: int) -> None:
        """Ask for a seat; the WebSocket's address follows from it."""
        body = json.dumps({"viewer": self.number}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /matchmake/joinOrCreate/world HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        answer = await reader.read()
        writer.close()
        head, _, content = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise PeerError(f"no seat: {answer[:300]!r}")
        seat = json.loads(content)
        self.path = f"/{seat['processId']}/{seat['roomId']}?sessionId={seat['sessionId']}"

    def take(self, payload: bytes) -> bool:
        """Count patches; and tell that we are there, when we are asked."""
        if payload[0] == JOIN_ROOM:
            self.send_frame(2, bytes([JOIN_ROOM]))
        self.ready = self.ready or payload[0] == ROOM_STATE_PATCH
        return payload[0] == ROOM_STATE_PATCH


def held(viewer: Viewer, last: int, scene: Scene) -> list[Held]:
    """Tell what a recorded client held after each of its last messages, by the peer's own decoder.

    Raises:
        PeerError: It could not decode them.
    """
    with TemporaryDirectory() as name:
        file = Path(name) / "messages"
        file.write_bytes(b"".join(len(message).to_bytes(4, "little") + message for message in viewer.recorded))
        command = [node(), _script(), "decode", str(file), str(last), str(scene.size)]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=LONGEST_S)
    if done.returncode:
        raise PeerError(f"the peer's client could not decode what it got:\n{done.stderr[-2000:]}")
    answer: list[dict[str, Any]] = json.loads(done.stdout)
    if not all(each["rest"] for each in answer):
        raise PeerError("the peer's client lacks the fields that rest")
    return [Held(np.array(each["rows"], dtype=np.intp), np.array([each["x"], each["y"]])) for each in answer]
