"""Several sessions on one server or more, lent out one at a time: for services, gateways and bots."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..errors import ConfigError, LocalProtocolError, Refused
from .client import NetworkClient
from .config import NetworkConfig
from .run import global_reactor
from .wheel import join_wheel, leave_wheel

#: Sessions that one pool may hold.
MAX_SIZE = 10_000
#: Borrowers that may wait for a session of the pool.
MAX_WAITING = 1_000
_log = Logger()


class Place(Enum):
    """Where a session of a pool is."""

    OPENING = "on its way in"
    IDLE = "to be lent"
    LENT = "with a borrower"
    CLOSING = "on its way out"


@dataclass(eq=False)
class _Member:
    """A session of the pool: the address it was opened for, its number, where it is, and since when it is not online."""

    game: NetworkClient
    home: str
    number: int
    place: Place = Place.OPENING
    bad_since: float | None = None


@dataclass(eq=False)
class _Waiting:
    """Somebody who waits for a session, until a time."""

    until: float
    lent: Deferred[NetworkClient]


class ConnectionPool:
    """Hold at most so many sessions, each on a connection of its own, and lend them.

    A session is opened when somebody wants one and none is idle, at the address that has the fewest; it is in its room when
    it is lent. One that is lost comes back by itself, as every client does; one that does not within `patience_s`, or that the
    server sends away, is replaced. A pool opens nothing before it is first asked, or `start` is called.

    Attributes:
        size: How many sessions there are at most.
        counters: Plain integers for a monitor: `opened`, `replaced` and `refused` so far; `idle`, `lent` and `waiting` now.
    """

    def __init__(
        self, config: NetworkConfig | str | Iterable[str], size: int = 8, *, least: int = 0, wait_s: float = 10.0,
        patience_s: float = 10.0, check_s: float = 5.0, make: Callable[[NetworkConfig], NetworkClient] = NetworkClient,
        **options: Any,
    ) -> None:  # fmt: skip
        """Make a pool that opens nothing yet.

        Args:
            config: The options of its clients; `url` and `urls` are its servers. Or an address, or several.
            size: How many sessions there are at most.
            least: How many are kept open from `start` on.
            wait_s: So long a borrower waits for a session, in seconds.
            patience_s: A session that is idle, and not online for so long, is replaced.
            check_s: They are looked at so often, in seconds.
            make: Makes a client of its options.
            options: With addresses alone: as those of NetworkConfig. A `name` gets a number behind it.

        Raises:
            ConfigError: One of these is wrong.
        """
        if not isinstance(config, NetworkConfig):
            addresses = [config] if isinstance(config, str) else list(config)
            if not addresses:
                raise ConfigError("url: no address is given")
            config = NetworkConfig(url=addresses[0], urls=addresses[1:], **options)
        elif options:
            raise ConfigError(f"{', '.join(options)}: the options are in the NetworkConfig already")
        if config.outbox is not None:
            raise ConfigError("outbox: the sessions of a pool cannot share one")
        if not 0 <= least <= size <= MAX_SIZE or size < 1:
            raise ConfigError(f"size: {size}, least: {least}; 0 <= least <= size, and size is 1 to {MAX_SIZE}")
        for name, seconds in (("wait_s", wait_s), ("patience_s", patience_s), ("check_s", check_s)):
            if not 0 < seconds < float("inf"):
                raise ConfigError(f"{name}: {seconds} is no number of seconds")
        self.size = size
        self._config = config
        self._urls = list(dict.fromkeys((config.url, *config.urls)))
        self._config_of(size, config.url)  # the longest name is checked
        self._least = least
        self._wait_s, self._patience_s, self._check_s = wait_s, patience_s, check_s
        self._make = make
        self._reactor = config.reactor or global_reactor()
        self._members: dict[NetworkClient, _Member] = {}
        self._waiting: deque[_Waiting] = deque()
        self._totals = {"opened": 0, "replaced": 0, "refused": 0}
        #: Closed by `drain` while they were lent.
        self._taken: set[NetworkClient] = set()
        self._check_at = 0.0
        self._started = False
        self._drained: list[Deferred[None]] | None = None
        self._drain_until = float("inf")

    # --- what a borrower calls ---

    def start(self) -> None:
        """Open `least` sessions, and keep so many open."""
        self._started = True
        self._refill()
        self._turn()

    def lend(self) -> Deferred[NetworkClient]:
        """Lend a session that is online, in its room.

        Returns:
            A Deferred of the client, the caller's alone until `give_back`. It fails with Refused, reason `busy`, if none is
            free within `wait_s` or 1,000 wait already; with reason `drained` after `drain`; with what `connect` failed with
            if a new one did not come in. It can be cancelled.
        """
        if self._drained is not None:
            return fail(Refused("the pool is drained", "drained"))
        if len(self._waiting) >= MAX_WAITING:
            self._totals["refused"] += 1
            return fail(Refused(f"{MAX_WAITING} wait for a session already", "busy"))
        waiting = _Waiting(self._reactor.seconds() + self._wait_s, Deferred(lambda _: self._waiting.remove(waiting)))
        self._waiting.append(waiting)
        self._turn()
        return waiting.lent

    def give_back(self, game: NetworkClient) -> None:
        """Take a session back. What the borrower heard with `on` is heard no more.

        Raises:
            LocalProtocolError: It is not lent, or not of this pool.
        """
        if game in self._taken:
            self._taken.remove(game)
            return
        member = self._members.get(game)
        if member is None or member.place is not Place.LENT:
            raise LocalProtocolError("this client was not lent by this pool")
        game.off()
        self._take_in(member)
        self._turn()

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[NetworkClient]:
        """Lend a session for a block: `async with pool.borrowed() as game: …`; fails as `lend` does."""
        game = await self.lend()
        try:
            yield game
        finally:
            self.give_back(game)

    def drain(self, seconds: float = 30.0) -> Deferred[None]:
        """Lend no more, and close every session: those that are lent when they come back, or after so many seconds.

        Returns:
            A Deferred that fires when all are closed.
        """
        if self._drained is None:
            self._drained = []
            self._drain_until = self._reactor.seconds() + seconds
            waiting, self._waiting = list(self._waiting), deque()
            for each in waiting:
                each.lent.errback(Refused("the pool is drained", "drained"))
            for member in list(self._members.values()):
                if member.place in (Place.IDLE, Place.OPENING):
                    self._close(member)
        if not self._members:
            return succeed(None)
        done = Deferred[None]()
        self._drained.append(done)
        return done

    @property
    def counters(self) -> dict[str, float]:
        """See the class."""
        places = Counter(member.place for member in self._members.values())
        return {**self._totals, "idle": places[Place.IDLE], "lent": places[Place.LENT], "waiting": len(self._waiting)}

    # --- coming and going ---

    def _turn(self) -> None:
        """Serve those who wait: with what is idle, then with what can be opened."""
        for member in list(self._members.values()):
            if self._waiting and member.place is Place.IDLE and member.game.status == "online":
                member.place = Place.LENT
                member.game.off()
                self._waiting.popleft().lent.callback(member.game)
        opening = sum(member.place is Place.OPENING for member in self._members.values())
        for _ in range(min(len(self._waiting) - opening, self.size - len(self._members))):
            self._open()
        if self._members or self._waiting or (self._started and self._drained is None):
            join_wheel(self._reactor, self._tick)
        else:
            leave_wheel(self._reactor, self._tick)

    def _refill(self) -> None:
        if self._started and self._drained is None:
            for _ in range(self._least - len(self._members)):
                self._open()

    def _open(self) -> None:
        homes = Counter(member.home for member in self._members.values())
        home = min(self._urls, key=lambda url: homes[url])
        used = {member.number for member in self._members.values()}
        number = next(number for number in range(1, self.size + 1) if number not in used)
        game = self._make(self._config_of(number, home))
        self._members[game] = member = _Member(game, home, number)
        game.connect().addCallbacks(self._came_in, self._stayed_out, callbackArgs=(member,), errbackArgs=(member,))

    def _config_of(self, number: int, home: str) -> NetworkConfig:
        at = self._urls.index(home)
        others = self._urls[at + 1 :] + self._urls[:at]
        name = self._config.name and f"{self._config.name} {number}"
        return replace(self._config, url=home, urls=others, name=name)

    def _came_in(self, _: object, member: _Member) -> None:
        self._totals["opened"] += 1
        self._take_in(member)
        self._turn()

    def _stayed_out(self, failure: Failure, member: _Member) -> None:
        if member.place is Place.CLOSING:  # `disconnect` tells when it is gone
            return
        # One failure for one who waits, who is taken out first: so nobody waits in vain, and nothing goes round and round.
        told = self._waiting.popleft().lent if self._waiting else None
        self._gone(None, member)
        if told is not None:
            told.errback(failure)
        _log.info("a session of the pool did not come in: {why}", why=failure.value)

    def _take_in(self, member: _Member) -> None:
        member.place, member.bad_since = Place.IDLE, None
        if self._drained is not None:
            self._close(member)
        else:
            member.game.on("status", lambda status: self._heed(member, status))

    def _heed(self, member: _Member, status: str) -> None:
        if status.startswith("offline"):
            self._replace(member)
        self._turn()

    def _replace(self, member: _Member) -> None:
        self._totals["replaced"] += 1
        self._close(member)

    def _close(self, member: _Member) -> None:
        if member.place is Place.LENT:
            self._taken.add(member.game)
        else:
            member.game.off()
        member.place = Place.CLOSING
        member.game.disconnect().addBoth(self._gone, member)

    def _gone(self, _: object, member: _Member) -> None:
        del self._members[member.game]
        self._turn()
        if self._drained is not None and not self._members:
            drained, self._drained = self._drained, []
            for done in drained:
                done.callback(None)

    # --- time ---

    def _tick(self, now: float) -> None:
        while self._waiting and self._waiting[0].until <= now:
            self._totals["refused"] += 1
            self._waiting.popleft().lent.errback(Refused(f"no session was free within {self._wait_s:g} s", "busy"))
        if now >= self._drain_until:
            for member in list(self._members.values()):
                if member.place is Place.LENT:
                    self._close(member)
        elif now >= self._check_at:
            self._check_at = now + self._check_s
            self._check(now)
        self._turn()

    def _check(self, now: float) -> None:
        """Look at those that are idle: what was sent away, or is not online for too long, is replaced."""
        for member in list(self._members.values()):
            if member.place is not Place.IDLE:
                continue
            if member.game.status == "online":
                member.bad_since = None
            elif member.bad_since is None:
                member.bad_since = now
            waited_s = 0.0 if member.bad_since is None else now - member.bad_since
            if member.game.status.startswith("offline") or waited_s >= self._patience_s:
                self._replace(member)
        self._refill()
