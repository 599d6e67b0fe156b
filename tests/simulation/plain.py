"""Histories of the plain half: things happen by chance, much goes wrong, then all heals, and everything has to be there.

A history is a list of events, each with the time before it and two numbers that say what exactly; what they mean depends on how
things stand when it happens. So some can be left out, and it is still a history: `shrunk` looks for the fewest that fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, ClassVar, cast

from meteor_net.errors import StorageError
from meteor_net.limits import Limits
from meteor_net.messages import LineKind
from meteor_net.testing.checks import (
    ClientLog,
    HeardLine,
    Histories,
    check_actions,
    check_histories,
    check_lines,
    check_replica,
)
from meteor_net.testing.clock import MachineClock
from meteor_net.testing.plain import PlainNetwork, PlainServer
from meteor_net.testing.plain_client import PlainClient
from meteor_net.testing.store import SimulatedStore
from tests.simulation.events import Step, history
from tests.simulation.tally import Cards, Count, Names, Notes, Steer, Tally, check_verbs

#: After the network heals, and two round trips, every replica is the server's world within so many seconds.
EQUAL_S = 2.0
#: What waits for an answer has it within so many seconds: lines of which nobody knows are said again after up to 8.
ANSWERED_S = 60.0
#: A store that is very late takes so long, in seconds: some limits are below it.
LATE_S = 1.5
#: Clients at once.
MOST_CLIENTS = 4
EMOJI = ("👍", "🎉", "🔥")


class Run:
    """One history, as it happens.

    Args:
        seed: The chance of the network, the store, the game and the ids.

    Attributes:
        wrong: What was found wrong, one line each.
        clients: Those that there are; `logs` of all that ever were, with their numbers.
    """

    def __init__(self, seed: int) -> None:
        chance = Random(f"run {seed}")
        latency_s = chance.choice((0.005, 0.03, 0.12))
        self.network = PlainNetwork(
            seed, latency_s=latency_s, jitter_s=chance.choice((0.0, latency_s)), kernel_bytes=chance.choice((500, 65_536))
        )
        self.notes = Notes()
        notes = self.notes

        class Noted(chance.choice((Tally, Cards))):  # type: ignore[misc]
            tick_hz: ClassVar[float] = chance.choice((4, 8))

        Noted.notes = notes
        self.disk = SimulatedStore(cast(Any, self.network))
        self.server = PlainServer(
            self.network, {"tally": Noted}, limits=_limits(chance), storage=self.disk,
            authenticator=Names(self.network.seeds.random("guests")),
        )  # fmt: skip
        self.wrong: list[str] = []
        self.clients: list[PlainClient] = []
        self.logs: list[tuple[int, PlainClient]] = []
        self._started = 0
        self._numbers = 0
        self._late_until = 0.0
        self._start()
        for _ in range(2):
            self.come(chance.random(), 0.0)
        self.network.advance(1.0)

    def _start(self) -> None:
        if self.server.host is None:
            self.server.start()
            self.notes.clock = self.server.clock
            self._started += 1

    # --- what happens ---

    def happen(self, step: Step) -> None:
        """Let an event happen, after the time before it."""
        self.network.advance(step.gap_s)
        getattr(self, step.kind)(step.a, step.b)

    def _client(self, a: float) -> PlainClient | None:
        return self.clients[int(a * len(self.clients))] if self.clients else None

    def _number(self, client: PlainClient) -> int:
        return next(number for number, each in self.logs if each is client)

    def act(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None:
            self._numbers += 1
            client.act(Count(client=self._number(client), number=self._numbers), self._numbers)

    def burst(self, a: float, b: float) -> None:
        for _ in range(int(b * 40)):
            self.act(a, b)

    def steer(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None:
            client.act(Steer(by=int(b * 256)), 0)

    def say(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None:
            client.say(f"line {b}")

    def tell(self, a: float, b: float) -> None:
        """A private message to another user, by a user who has a name that stays."""
        client, other = self._client(a), self._client(b)
        if client is not None and other is not None and client.session.user.startswith("user") and client is not other:
            client.say(f"private {b}", kind=LineKind.PRIVATE, to=other.session.user)

    def _change(self, a: float, b: float, kind: LineKind, text: str) -> None:
        client = self._client(a)
        lines = [heard for heard in client.log().heard[-20:] if isinstance(heard, HeardLine)] if client and client.rooms else []
        lines = [line for line in lines if not line.channel.startswith("@")]
        if client is not None and lines:
            client.say(text, kind=kind, about=lines[int(b * len(lines))].offset)

    def react(self, a: float, b: float) -> None:
        kind = LineKind.REACTION if b < 0.7 else LineKind.UNREACTION
        self._change(a, b, kind, EMOJI[int(b * 300) % 3])

    def edit(self, a: float, b: float) -> None:
        self._change(a, b, LineKind.EDIT, f"edited {b}")

    def delete(self, a: float, b: float) -> None:
        self._change(a, b, LineKind.DELETE, "")

    def cut(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None and client.wire is not None:
            client.wire.lose(("both", "client", "server", "none")[int(b * 8) if b < 0.5 else 0])

    def unreachable(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None:
            client.away_until = self.network.now + b * 10.0
            if client.wire is not None:
                client.wire.lose("both")

    def stall(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None and client.wire is not None:
            client.wire.stall(b * b * 8.0, ("in", "out", "both")[int(b * 30) % 3])

    def flow(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None and client.wire is not None:
            client.wire.flow()

    def crash(self, a: float, b: float) -> None:
        if self.server.host is not None:
            self.server.crash(told=a < 0.7)
            self.network.clock.callLater(b * 2.0, self._start)

    def store(self, a: float, b: float) -> None:
        seconds = b * 5.0
        if a < 0.25:
            self.disk.fail(seconds, 0.5)
        elif a < 0.5:
            self.disk.forget_answers(seconds, 0.5)
        else:
            self.disk.delay(LATE_S if a < 0.6 else b * 0.5, seconds)

    def store_heals(self, a: float, b: float) -> None:
        self.disk.heal()

    def server_clock(self, a: float, b: float) -> None:
        self._jump(self.server.clock, a, b)

    def client_clock(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None:
            self._jump(client.clock, a, b)

    def _jump(self, clock: MachineClock, a: float, b: float) -> None:
        """Let a clock jump, some seconds either way, or up to an hour ahead; after one back all timers are late by so much."""
        seconds = 3_600.0 * b if a < 0.1 else 6.0 * b - 3.0
        clock.jump(seconds)
        self._late_until = max(self._late_until, self.network.now) + max(0.0, -seconds)

    def come(self, a: float, b: float) -> None:
        """Somebody comes: a guest, or one of a few users, who may be here already."""
        if len(self.clients) < MOST_CLIENTS:
            number = len(self.logs) + 1
            token = None if a < 0.4 else f"user {int(a * 4)}"
            client = PlainClient(self.network, self.server, f"client {number}", token)
            self.logs.append((number, client))
            self.clients.append(client)
            client.join()
            client.connect()

    def go(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None and len(self.clients) > 1:
            self.clients.remove(client)
            client.stop()

    def leave(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None and "" in client.rooms:
            client.leave()

    def join(self, a: float, b: float) -> None:
        client = self._client(a)
        if client is not None and "" not in client.rooms:
            client.join()

    # --- the end ---

    def finish(self) -> None:
        """All heals: everybody comes to hold what there is, in time, and nothing was lost."""
        self._heal()
        assert self.server.host is not None
        ticks = {room.world.epoch: room.feed.stream.version.tick for room in self.server.host.lobby}
        self._wait_two_trips()
        for client in self.clients:
            self._check_back(client, ticks)
        if not self.network.wait_until(lambda: all(client.settled for client in self.clients), ANSWERED_S):
            waiting = [client.name for client in self.clients if not client.settled]
            self.wrong.append(f"still waiting for answers after {ANSWERED_S:.0f} s: {', '.join(waiting)}")
        self._wait_two_trips()
        # Somebody's time may be over just now, and the row go: what is under way then comes a moment later.
        differ: list[str] = []
        for _ in range(3):
            differ = [text for client in self.clients for text in self._replica_differs(client)]
            if not differ:
                break
            self._wait_two_trips()
        self.wrong += differ
        self._check()

    def _wait_two_trips(self) -> None:
        self.network.advance(EQUAL_S + 4 * (self.network.latency_s + self.network.jitter_s))

    def _heal(self) -> None:
        self.disk.heal()
        self._start()
        self.notes.at_rest = True
        # What went wrong with a machine takes effect until then: its store is late, its clock jumped back.
        self.network.advance(LATE_S + max(0.0, self._late_until - self.network.now))
        for client in self.clients:
            client.away_until = 0.0
            if "" not in client.rooms:
                client.join()
        self.server.reset()
        self.network.advance(0.0)
        for client in self.clients:
            if client.wire is None:
                client.connect()

    def _check_back(self, client: PlainClient, ticks: dict[int, int]) -> None:
        """A client is in the room again, and its replica is no older than the end of all faults.

        Args:
            client: Which.
            ticks: Epoch -> the tick at which that world was then.
        """
        room, seat = client.rooms[""], self._seat(client)
        if room.number is None or room.world.replica is None or seat is None:
            self.wrong.append(f"{client.name} is not in the room after {EQUAL_S:.0f} s and two round trips")
            return
        epoch, tick = seat.room.world.epoch, room.world.replica.tick
        if room.world.epoch != epoch or tick < ticks.get(epoch, 0):
            self.wrong.append(f"{client.name} stands at tick {tick}, and it was {ticks.get(epoch)} long ago")

    def _replica_differs(self, client: PlainClient) -> list[str]:
        room, seat = client.rooms[""], self._seat(client)
        if room.world.replica is None or seat is None:
            return [f"{client.name} is not in the room"]
        return check_replica(client.name, room.world.replica, seat.room.feed.stream.version, seat.sight)

    def _seat(self, client: PlainClient) -> Any:
        """The client's player on the server."""
        assert self.server.host is not None
        sessions = [each for each in self.server.host.registry if each.id == client.session._session]
        return next(iter(sessions[0].seats.values()), None) if sessions else None

    def _check(self) -> None:
        for client in self.clients:
            client.log().hears = [channel.name for channel in client.rooms[""].lines.channels.values()]
        logs = [log for _, client in self.logs for log in client.logs]
        histories = self._histories(logs)
        self.wrong += check_histories(histories)
        for number, client in self.logs:
            for log in client.logs:
                self.wrong += check_lines(log, histories)
            self.wrong += check_actions(_joined(client), self.notes.applied[number])
            if client.sent_away:
                self.wrong.append(f"{client.name} was sent away: {client.sent_away}")
            self.wrong += client.wrong
        self.wrong += check_verbs(self.notes)
        for error, names in self.server.errors:
            if not isinstance(error, StorageError):
                self.wrong.append(f"the server reported {error!r} {names}")

    def _histories(self, logs: Sequence[ClientLog]) -> Histories:
        channels = {heard.channel for log in logs for heard in log.heard} | {
            said.channel for log in logs for said in log.said.values()
        }
        found = {}
        for channel in sorted(channels):
            epoch, lines = self.disk.history(channel)
            found[channel, epoch] = lines
        return found


def _limits(chance: Random) -> Limits:
    """Small ones, so that what happens at a limit happens."""
    if chance.random() < 0.3:
        return Limits(joins_per_s=20.0)
    return Limits(
        joins_per_s=20.0, lines_per_s=chance.choice((2.0, 20.0)), resume_lines=6, history_lines=5, away_s=6.0,
        await_s=chance.choice((1.0, 5.0)), room_events=8, unsent_bytes=1_000, outbox_bytes=4_000, ring_versions=8,
        save_s=1.0, silent_s=chance.choice((6.0, 45.0)),
    )  # fmt: skip


def _joined(client: PlainClient) -> ClientLog:
    """One log of all actions of a client."""
    joined = ClientLog(client.name, caught_up=False)
    for log in client.logs:
        joined.acted += log.acted
    return joined


def run(seed: int, steps: Sequence[Step] | None = None) -> list[str]:
    """Run a history, and tell what is wrong, one line each.

    Args:
        seed: Which.
        steps: What happens, if not all of that history.
    """
    return ran(seed, steps).wrong


def ran(seed: int, steps: Sequence[Step] | None = None) -> Run:
    """Run a history."""
    history_run = Run(seed)
    for step in history(seed) if steps is None else steps:
        history_run.happen(step)
    history_run.finish()
    return history_run


def shrunk(seed: int, fails: Callable[[list[str]], bool] = bool, steps: Sequence[Step] | None = None) -> list[Step]:
    """Find few steps of a history that fails which fail still."""
    steps = list(history(seed) if steps is None else steps)
    size = len(steps) // 2
    while size:
        before = len(steps)
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if fails(run(seed, fewer)):
                steps = fewer
            else:
                at += size
        if size > 1 or len(steps) == before:  # the smallest pieces until none can be left out
            size //= 2
    return steps
