"""Whole games from seeds: real clients and a real server in memory, random players and faults, and what must hold afterwards.

`run_seed(7)` plays one game and answers what was wrong; `run(range(1, 101))` plays many, by one process.

    python -m tests.simulation.full 7          # one seed, with the log of its faults
    python -m tests.simulation.full 1 1001     # many
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import hypot
from typing import Any, cast

import txaio
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer, provider

from meteor_net.chat.message import ChatMessage
from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.errors import LocalProtocolError, Refused, StorageError
from meteor_net.interfaces import IAuthenticator, Identity
from meteor_net.limits import Limits
from meteor_net.room import Room
from meteor_net.testing import Network, SimulatedStore
from meteor_net.testing.checks import (
    ClientLog,
    DoneAction,
    HeardGap,
    HeardLine,
    Histories,
    SaidLine,
    check_actions,
    check_histories,
    check_lines,
    check_replica,
)
from meteor_net.testing.clock import START_S
from meteor_net.testing.faults import Faults
from meteor_net.testing.server import MemoryServer
from meteor_net.testing.wire import Wire
from tests.simulation import sea

#: Everything that waits for long waits less long: a game of half a minute sees all of it.
LIMITS = Limits(
    silent_s=6.0, ping_s=2.0, ping_world_s=0.5, away_s=8.0, lines_per_s=20.0, lines_burst=30, joins_per_s=5.0, await_s=3.0,
)  # fmt: skip
#: Faults go on for so long, in seconds.
BAD_S = (8.0, 25.0)
#: From the end of the faults until all must be online: the longest silence that is borne, and the longest wait for a new try.
BACK_S = 20.0
#: From then until all must be right, beside two round trips.
RIGHT_S = 2.0
#: From then until each line and action must be answered: a line that storage has forgotten is said again after 2, 4 and 8 s.
ANSWERED_S = 30.0


@implementer(IAuthenticator)
class Known:
    """Lets in who says who it is: the token is the user's id."""

    def authenticate(self, token: str | None, name: str | None, address: str) -> Identity:
        """The same user at each visit."""
        return Identity(str(token), str(name))


class Kept:
    """Lines that wait for an answer, outside of the client that is killed; a `LineStore`."""

    def __init__(self) -> None:
        self._lines: dict[str, ChatMessage] = {}

    def lines(self) -> list[ChatMessage]:
        """Those that wait."""
        return list(self._lines.values())

    def put(self, line: ChatMessage) -> None:
        """Keep one."""
        self._lines[line.cid] = line

    def remove(self, cid: str) -> None:
        """It is answered."""
        self._lines.pop(cid, None)


@dataclass
class User:
    """Somebody who plays, by one client after another.

    Attributes:
        kept: What its clients said and heard no answer for.
        said: Its lines, by cid, of all its clients.
    """

    name: str
    kept: Kept = field(default_factory=Kept)
    said: dict[str, SaidLine] = field(default_factory=dict)


class Player:
    """One client, from its start until it leaves, is killed or the game ends.

    Attributes:
        log: What it did and heard; its lines are its user's.
        bells: (epoch of the world, number) of each bell that it heard, None where it was told of a gap.
        tokens: By the number of its connection, the resume token that it got there.
        told: All that it was told, for comparing two runs.
    """

    def __init__(self, run: Scenario, user: User, number: int) -> None:
        self.user, self.number = user, number
        self.wire: Wire = run.network.wire(f"{user.name}.{number}")
        self.log = ClientLog(self.wire.name, said=user.said)
        self.bells: list[tuple[int, int] | None] = []
        self.tokens: dict[int, str] = {}
        self.told: list[str] = []
        self.gone = False
        self._run = run
        self._deeds = 0
        self._random = run.network.seeds.random(f"player {self.wire.address}")
        self.client = NetworkClient(NetworkConfig(
            url=run.server.url, name=user.name, token=user.name, reactor=self.wire.clock, endpoint=self.wire.endpoint(),
            random=run.network.seeds.random(f"client {self.wire.address}"), limits=LIMITS, connect_s=3600.0,
            transports=("http",) if run.http(number) else ("websocket",),
        ))  # fmt: skip
        self.client.chat.keep(user.kept)
        client = self.client
        for kind in ("line", "notice", "private"):
            client.on(kind, self._heard)
        client.on("said", self._said)
        client.on("unsaid", self._unsaid)
        client.on("gap", self._gap)
        client.on("event", self._bell)
        client.on("status", self._status)
        self._connect()
        self._later(self._random.uniform(0.0, 0.5), self._act)

    def _now(self) -> str:
        return f"{self._run.network.clock.seconds() - START_S:.6f}"

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._run.network.clock.callLater(seconds, call)

    def _connect(self) -> None:
        if not self.gone and self.client.status.startswith("offline"):
            self.client.connect().addErrback(lambda _: None)  # the status tells

    def _status(self, status: str) -> None:
        self.told.append(f"{self._now()} {status}")
        session = self.client._session
        if status == "online" and session._resume is not None:
            self.tokens[int(session.counters["connections"])] = session._resume
        if status.startswith("offline:"):  # it was not let in: whoever plays tries again
            self._later(1.0, self._connect)

    # --- what it does ---

    def _act(self) -> None:
        if self.gone or self._run.over:
            return
        choices: list[Callable[[], None]] = [self._say] * 3 + [self._deed] * 4 + [self._steer] * 4 + [self._tell, self._react]
        self._random.choice(choices)()
        self._later(self._random.choice((0.02, 1.0, self._random.uniform(0.0, 6.0))), self._act)

    def _say(self) -> None:
        self._noted(lambda: self.client.say(f"line of {self.log.name}"), "")

    def _tell(self) -> None:
        other = self._random.choice(self._run.users)
        self._noted(lambda: self.client.tell(other.name, f"psst, {other.name}"), f"@{self.user.name}")

    def _react(self) -> None:
        lines = [line for line in self.client.chat.message_history if line.channel == self.client.chat.first_channel]
        if lines:
            offset = self._random.choice(lines).offset
            self._noted(lambda: self.client.react(offset, "👍"), "")

    def _noted(self, say: Callable[[], Deferred[int]], channel: str) -> None:
        before = set(self.client.chat.message_queue)
        say().addErrback(lambda _: None)  # `said` and `unsaid` tell
        for cid in set(self.client.chat.message_queue) - before:
            self.user.said[cid] = SaidLine(channel or self._run.channel, cid)

    def _steer(self) -> None:
        try:
            self.client.act("Steer", turn=self._random.uniform(-1, 1), thrust=self._random.random() < 0.5)
        except LocalProtocolError:
            return  # it was never in the room

    def _deed(self) -> None:
        for _ in range(self._random.choice((1, 1, 3, 8))):
            self._deeds += 1
            done = DoneAction(self._deeds)
            try:
                answer = self.client.act(
                    "Deed", who=self.number, number=self._deeds, kind=self._random.randrange(sea.KINDS)
                )  # fmt: skip
            except LocalProtocolError:
                return
            assert answer is not None, "a deed is no input"
            self.log.acted.append(done)
            answer.addCallbacks(self._done, self._refused, callbackArgs=(done,), errbackArgs=(done,))

    def _done(self, value: Any, done: DoneAction) -> None:
        done.answer = ("done", value)
        self.told.append(f"{self._now()} {done}")

    def _refused(self, failure: Failure, done: DoneAction) -> None:
        # Whoever leaves has no answers any more: what was sent may have been done.
        error = failure.value
        done.answer = ("refused", error.reason if isinstance(error, Refused) else "unknown")
        self.told.append(f"{self._now()} {done}")

    # --- what it hears ---

    def _heard(self, line: ChatMessage) -> None:
        self.log.heard.append(HeardLine(line.channel, 0, line.offset, line.sender, line.cid))
        self.told.append(f"{self._now()} {line}")

    def _gap(self, channel: str | None) -> None:
        if channel is None:
            self.bells.append(None)
        else:
            self.log.heard.append(HeardGap(channel))
        self.told.append(f"{self._now()} gap {channel}")

    def _bell(self, bell: Any) -> None:
        self.bells.append((self.client._room.world.epoch, int(bell.number)))
        self.told.append(f"{self._now()} {bell}")

    def _said(self, cid: str, offset: int) -> None:
        self.user.said[cid].offset = offset
        self.told.append(f"{self._now()} said {cid} {offset}")

    def _unsaid(self, cid: str, reason: str, text: str) -> None:
        self.user.said[cid].refused = reason
        self.told.append(f"{self._now()} unsaid {cid} {reason}")

    # --- its end ---

    def kill(self, silent: bool) -> None:
        """It is killed: it has heard what it has heard."""
        self.gone, self.log.caught_up = True, False
        self.wire.kill(silent)

    def leave(self) -> None:
        """It leaves; what it said and heard no answer for its user's next client says again."""
        self.gone, self.log.caught_up = True, False
        self.client.chat.keep(None)
        self.client.disconnect()

    @property
    def answered(self) -> bool:
        """Whether nothing of it waits for an answer."""
        return not self.client.chat.message_queue and all(done.answer for done in self.log.acted)


class Scenario:
    """One game.

    Attributes:
        wrong: What was wrong, in words.
        players: All clients there were.
        over: The players do nothing more.
        seconds: How long the game took, in its own time.
    """

    channel = "sea/main"

    def __init__(self, seed: int) -> None:
        self.network = Network(seed, latency_s=0.02)
        # Autobahn's timers run on this, whatever reactor its factories were given.
        cast(Any, txaio).config.loop = self.network.clock
        self.store = SimulatedStore(self.network)
        self.server = MemoryServer(
            self.network, {"sea": sea.Sea}, limits=LIMITS, authenticator=Known(), storage=self.store
        )  # fmt: skip
        self.book = sea.Sea.book = sea.Book()
        self.faults = Faults(self.network, self.server, self.store)
        self._random = self.network.seeds.random("scenario")
        self.users = [User(name) for name in ("ann", "bob", "cid", "dan", "eve", "fay")[: self._random.randint(3, 6)]]
        self.players: list[Player] = []
        self.wrong: list[str] = []
        self.over = False

    def http(self, number: int) -> bool:
        """Whether a client, by its number, is one for which WebSocket is blocked."""
        return self.network.seeds.seed % 4 == 0 and number % 3 == 0

    @property
    def living(self) -> list[Player]:
        """Clients that play."""
        return [player for player in self.players if not player.gone]

    @property
    def seconds(self) -> float:
        """How long the game took so far."""
        return self.network.clock.seconds() - START_S

    def play(self) -> list[str]:
        """Play the game; answers what was wrong."""
        with Errors(self.wrong):
            self.server.start()
            for user in self.users:
                self._come(user)
            self.network.advance(1.0)
            self.faults.start()
            until_s = self.seconds + self._random.uniform(*BAD_S)
            while self.seconds < until_s:
                self.network.advance(self._random.uniform(0.5, 4.0))
                self._come_and_go()
            self._end()
        return self.wrong

    def _come(self, user: User) -> None:
        self.players.append(Player(self, user, len(self.players) + 1))

    def _come_and_go(self) -> None:
        if self._random.random() < 0.6:
            return
        player = self._random.choice(self.living)
        if self._random.random() < 0.5:
            player.kill(silent=self._random.random() < 0.3)
        else:
            player.leave()
        self.network.clock.callLater(self._random.uniform(0.0, 1.0), self._come, player.user)
        self.network.advance(1.0)

    def _end(self) -> None:
        """All faults end, and the players are still: now all must become right."""
        self.over = True
        self.faults.heal()
        self.network.advance(0.1)  # whose silent connection was reset knows that now
        if not self._wait(lambda: all(player.client.status == "online" for player in self.living), BACK_S):
            self.wrong += [f"{p.log.name}: is {p.client.status} {BACK_S:g} s after all was well" for p in self.living]
            return
        self.book.still = True
        self.network.advance(RIGHT_S + 2 * 2 * max(player.wire.latency_s + player.wire.jitter_s for player in self.living))
        # Whoever was killed may be let go only now, and deeds wait for those before them: the others are being told.
        self._wait(lambda: all(room.tick - self.book.changed > 3 for room in self.server.host.lobby), BACK_S)
        self._check_worlds()
        self._wait(lambda: all(player.answered for player in self.living), ANSWERED_S)
        self.network.advance(1.0)
        self._check_words()
        for player in self.living:
            player.client.disconnect()
        self.network.wait(self.server.stop())

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        until_s = self.seconds + seconds
        while not condition() and self.seconds < until_s:
            self.network.advance(0.1)
        return condition()

    # --- what must hold ---

    def _check_worlds(self) -> None:
        rooms: list[Room] = list(self.server.host.lobby)
        if len(rooms) != 1:
            self.wrong.append(f"there are {len(rooms)} rooms")
            return
        seats = {player.session.id: player for player in rooms[0].players}
        for player in self.living:
            name, session = player.log.name, player.client._session
            seat = seats.pop(session._session, None)
            replica = player.client._room.world.replica
            if seat is None or replica is None:
                self.wrong.append(f"{name}: is not in the room")
                continue
            self.wrong += check_replica(name, replica, rooms[0].feed.stream.version, seat.sight)
            self.wrong += [f"{name}: {text}" for text in _sees(player.client.world, rooms[0].world, seat)]
            own = [(rooms[0].world.tables.index(row.table), row.slot) for row in seat.rows]
            if [(table, slot) for table, slot in player.client._room.world.rows] != own:
                self.wrong.append(f"{name}: its own rows are {player.client._room.world.rows}, and should be {own}")
        # Clients that were killed, or could not say goodbye, are let go in time.
        late = [seat.name for seat in seats.values() if seat.online]
        if late:
            self.wrong.append(f"in the room, though nobody is there: {late}")

    def _check_words(self) -> None:
        histories: Histories = {
            (name, 0): self.store.history(name)[1] for name in [self.channel, *(f"@{user.name}" for user in self.users)]
        }
        self.wrong += check_histories(histories)
        for player in self.players:
            # What its user's next client was told counts for the lines of this one.
            last = player in self.living
            log = player.log if last else _without_said(player.log)
            self.wrong += check_lines(log, histories)
            self.wrong += check_actions(log, self.book.applied.get(player.number, []))
            self.wrong += [f"{player.log.name}: {text}" for text in check_bells(player.bells, self.book.rung, last)]
        self._check_tokens()

    def _check_tokens(self) -> None:
        """Each connection got a resume token of its own, and only the newest is worth something."""
        registry = self.server.host.registry
        for player in self.players:
            tokens = list(player.tokens.values())
            if len(set(tokens)) < len(tokens):
                self.wrong.append(f"{player.log.name}: got the same resume token twice")
            good = sum(registry.resume(token) is not None for token in set(tokens))
            if good > 1:  # that of a session that waits for its player is good, too
                self.wrong.append(f"{player.log.name}: {good} of its resume tokens are good")

    def digest(self) -> str:
        """Of every delivery, every fault and all that players were told, in order: equal in two runs of one seed."""
        digest = hashlib.sha256()
        for text in [*self.network.log, *self.faults.log, *(text for player in self.players for text in player.told)]:
            digest.update(text.encode())
        return digest.hexdigest()


def _sees(seen: Any, world: Any, seat: Any) -> Iterable[str]:
    """What a player is to see of keyed tables, by what the game declares and not by what the server believes of its sight."""
    me, reach = seat.row, 128.0
    far = {row.slot: hypot(_apart(row.x, me.x), _apart(row.y, me.y)) for row in world.boat}
    due = {slot for slot, apart in far.items() if apart <= reach - 1}
    if missing := due - {row.slot for row in seen.boat}:
        yield f"does not see boats {missing}, which are near"
    for table, rows in (
        ("order", {row.slot for row in world.order if row.team == seat.team}),
        ("purse", {row.slot for row in world.purse if row.owner == seat.key}),
    ):
        if (told := {row.slot for row in seen.tables[("buoy", "boat", "order", "purse").index(table)]}) != rows:
            yield f"sees rows {told} of {table}, and is to see {rows}"


def _apart(one: float, other: float) -> float:
    apart = abs(float(one) - float(other)) % sea.SIZE
    return min(apart, sea.SIZE - apart)


def _without_said(log: ClientLog) -> ClientLog:
    return ClientLog(log.name, heard=log.heard, acted=log.acted, caught_up=False)


def check_bells(heard: list[tuple[int, int] | None], rung: dict[int, int], caught_up: bool) -> list[str]:
    """Events are heard once, in order, and where some were lost, a gap was told."""
    wrong: list[str] = []
    last: tuple[int, int] | None = None
    for bell in heard:
        if bell is not None and last is not None and bell[0] == last[0]:
            if bell[1] <= last[1]:
                wrong.append(f"bell {bell[1]} was heard after bell {last[1]}")
            elif bell[1] > last[1] + 1:
                wrong.append(f"bells {last[1] + 1} to {bell[1] - 1} were never heard, and no gap was told")
        last = bell
    if caught_up and last is not None and rung and last[0] == list(rung)[-1] and last[1] < rung[last[0]]:
        wrong.append(f"bells {last[1] + 1} to {rung[last[0]]} were never heard")
    return wrong


class Errors:
    """Notes what is logged as an error meanwhile."""

    def __init__(self, wrong: list[str]) -> None:
        @provider(ILogObserver)
        def observe(event: dict[str, Any]) -> None:
            if event.get("log_level") in (LogLevel.error, LogLevel.critical):
                failure = event.get("log_failure")
                if failure is not None and failure.check(StorageError):
                    return  # it was told to fail
                what = failure.getTraceback() if failure else str(event.get("log_format"))
                wrong.append(f"an error was logged: {what}")

        self._observe = observe

    def __enter__(self) -> None:
        globalLogPublisher.addObserver(self._observe)

    def __exit__(self, *_: object) -> None:
        globalLogPublisher.removeObserver(self._observe)


@dataclass
class Result:
    """What came of one seed.

    Attributes:
        seed: The seed.
        wrong: What was wrong, in words; empty if nothing was.
        simulated_s: How long the game took in its own time.
        cpu_s: And the process, in seconds of CPU.
    """

    seed: int
    wrong: list[str]
    simulated_s: float
    cpu_s: float


def run_seed(seed: int) -> Result:
    """Play the game of one seed."""
    began = time.process_time()
    scenario = Scenario(seed)
    try:
        wrong = scenario.play()
    except Exception:
        wrong = [*scenario.wrong, f"the game came to an end: {Failure().getTraceback()}"]
    return Result(seed, wrong, scenario.seconds, time.process_time() - began)


def run(seeds: Iterable[int]) -> list[Result]:
    """Play the games of many seeds, in this process."""
    return [run_seed(seed) for seed in seeds]


def main(arguments: list[str]) -> int:
    """Play and print; the number of seeds that failed, at most 100, is the process's status."""
    first = int(arguments[0])
    end = int(arguments[1]) if len(arguments) > 1 else first + 1
    failed = 0
    simulated_s = cpu_s = 0.0
    for seed in range(first, end):
        if end == first + 1:
            scenario = Scenario(seed)
            began = time.process_time()
            try:
                scenario.play()
            finally:
                print(*scenario.faults.log, sep="\n")
            print(scenario.digest())
            result = Result(seed, scenario.wrong, scenario.seconds, time.process_time() - began)
        else:
            result = run_seed(seed)
        simulated_s += result.simulated_s
        cpu_s += result.cpu_s
        failed += bool(result.wrong)
        for text in result.wrong:
            print(f"seed {seed}: {text}")
    print(f"{end - first} seeds, {failed} failed; {simulated_s:.0f} s of play in {cpu_s:.1f} s of CPU,", end=" ")
    print(f"{simulated_s / cpu_s:.0f} times faster")
    return min(failed, 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
