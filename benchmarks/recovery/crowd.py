"""Many clients of one process, some of whom talk: `python -m benchmarks.recovery.crowd --help`.

They are NetworkClients as anybody has them. It says `in` when all are, and `back` with the moment at which the last one was in
again after all had lost their connection. When standard input ends they stop talking, wait for their answers, and leave.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from random import SystemRandom

from twisted.internet import stdio
from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred, gatherResults
from twisted.internet.task import react

from meteor_net.server.transport import few_at_once

from ..chat.talkers import Input, Talker, all_done
from .storm_game import GAME, PER_ROOM

#: Clients that come in at once, in the beginning.
AT_ONCE = 20
#: Between two lines of one talker, in seconds; a room has two of them.
EACH_S = 2.0
TALKERS = 2
#: What was said while the server was away goes out one line after the other, no faster than the server takes it: that has time.
END_S = 90.0


def room_of(number: int) -> str:
    """The room of a client."""
    return f"room-{number // PER_ROOM:02d}"


class Member(Talker):
    """One client, which notes when it is in again.

    Args:
        number: Among all.
        port: The server's.
        folder: Has a folder for each room.
        crowd: Is told that it is away, and back.
    """

    def __init__(self, number: int, port: int, folder: Path, crowd: Crowd) -> None:
        room = room_of(number)
        logs = folder / room
        logs.mkdir(exist_ok=True)
        super().__init__(
            f"member-{number:04d}", port, logs, token=True, room=f"{GAME}/{room}", random=SystemRandom(), every_s=EACH_S
        )
        self.room = room
        self.talks = number % PER_ROOM < TALKERS
        self._crowd = crowd

    def _status(self, status: str) -> None:
        was_away = self._away
        super()._status(status)
        link = self.client._link
        self._write("status", status, link.manager.transport, link.why, round(time.monotonic(), 2))  # for who looks for a fault
        if self._away != was_away:
            self._crowd.moved(self._away)


class Crowd:
    """All of them."""

    def __init__(self, numbers: Iterable[int], port: int, folder: Path) -> None:
        self._away = 0
        self._lost = 0
        self._ended = Input()
        self.members = [Member(number, port, folder, self) for number in numbers]

    def moved(self, away: bool) -> None:
        """One is away, or back."""
        if away:
            self._away += 1
            self._lost += 1
        else:
            self._away -= 1
            if self._away == 0 and self._lost >= len(self.members):
                print(f"back {time.monotonic()}", flush=True)

    async def play(self) -> None:
        """Come, talk, hear, and leave."""
        door = DeferredSemaphore(AT_ONCE)
        await gatherResults([door.run(member.client.connect) for member in self.members])
        stdio.StandardIO(self._ended)  # type: ignore[no-untyped-call]
        talkers = [member for member in self.members if member.talks]
        for talker in talkers:
            talker.talk()
        print("in", flush=True)
        await self._ended.ended
        for talker in talkers:
            talker.hush()
        rooms: dict[str, list[Talker]] = {}
        for member in self.members:
            rooms.setdefault(member.room, []).append(member)
        await gatherResults([ensureDeferred(all_done(members, END_S)) for members in rooms.values()])
        for member in self.members:
            await member.leave()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks.recovery.crowd", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True, help="the server's port on loopback")
    parser.add_argument("--folder", type=Path, required=True, help="where the logs go")
    parser.add_argument("--first", type=int, required=True, help="the number of the first client")
    parser.add_argument("--clients", type=int, required=True, help="how many")
    options = parser.parse_args(sys.argv[1:])
    numbers = range(options.first, options.first + options.clients)

    def play(reactor: object) -> Deferred[None]:
        few_at_once(reactor)  # else the timers of each client wait for all that comes to all the others
        return ensureDeferred(Crowd(numbers, options.port, options.folder).play())

    react(play)


if __name__ == "__main__":
    main()
