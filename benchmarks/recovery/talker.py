"""A client that says lines without a pause, until it is killed: `python -m benchmarks.recovery.talker --help`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.task import LoopingCall, deferLater

from meteor_net.client import NetworkClient, NetworkConfig, run
from meteor_net.server.auth import make_token

from ..chat.hall import SECRET
from .log import Log

reactor: Any = global_reactor

#: Lines that wait for an answer at any time, and how often more are said, in seconds.
WAITING, EACH_S = 4, 0.01
CONNECT_S = 30.0


class Talker:
    """One life of a client.

    Args:
        name: The user.
        life: Which one.
        port: The server's.
        folder: Where its outbox and its log are.
    """

    def __init__(self, name: str, life: int, port: int, folder: Path) -> None:
        self._log = Log(folder / f"{name}.ndjson")
        self._name = f"{name} {life}"
        self._said = 0
        self.client = NetworkClient(
            NetworkConfig(
                url=f"ws://127.0.0.1:{port}",
                name=name,
                token=make_token(SECRET, name, int(time.time()) + 86_400),
                outbox=folder / f"{name}.outbox",
                connect_s=CONNECT_S,
            )
        )
        self.client.on("said", lambda cid, offset: self._log.write("kept", cid, offset))
        self.client.on("unsaid", lambda cid, reason, text: self._log.write("unsaid", cid, reason))

    async def live(self, last: bool) -> None:
        """Talk for ever, and from before it is in; or, in the last life, see to it that what waits is answered, and leave."""
        joined = self.client.connect()
        talking = None if last else LoopingCall(self._talk).start(EACH_S)
        await joined
        print("in", flush=True)
        if talking is not None:
            await talking
        while self.client.chat.message_queue:
            await deferLater(reactor, EACH_S)
        await self.client.disconnect()

    def _talk(self) -> None:
        queue = self.client.chat.message_queue
        while len(queue) < WAITING:
            self._said += 1
            text = f"{self._name}.{self._said}"
            self.client.say(text).addErrback(lambda _: None)  # the log has it
            self._log.write("said", next(reversed(queue)), text)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks.recovery.talker", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="the server's port on loopback")
    parser.add_argument("--folder", type=Path, required=True, help="where the outbox and the log are")
    parser.add_argument("--name", required=True, help="the user")
    parser.add_argument("--life", type=int, required=True, help="how often it was begun")
    parser.add_argument("--last", action="store_true", help="say nothing new, and leave when all is answered")
    options = parser.parse_args()
    run(Talker(options.name, options.life, options.port, options.folder).live, options.last)


if __name__ == "__main__":
    main()
