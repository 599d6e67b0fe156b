"""The peer: python-socketio on uvicorn, as its documentation says; what is said goes to all in the room, and nowhere else.

Runs with the peer's own packages: `python peer_server.py PORT`.
"""

from __future__ import annotations

import sys
from typing import Any

import socketio  # type: ignore[import-not-found, unused-ignore]
import uvicorn  # type: ignore[import-not-found, unused-ignore]

ROOM = "hall"
sio = socketio.AsyncServer(async_mode="asgi")


async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> None:
    """Somebody is here: they hear the room."""
    await sio.enter_room(sid, ROOM)


async def say(sid: str, text: str) -> bool:
    """Somebody says a line; the answer is its acknowledgement."""
    await sio.emit("line", {"name": sid, "text": text}, room=ROOM)
    return True


sio.on("connect", connect)
sio.on("say", say)

if __name__ == "__main__":
    uvicorn.run(socketio.ASGIApp(sio), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
