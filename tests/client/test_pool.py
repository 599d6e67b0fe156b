"""Tests of `meteor_net.client.pool`: sessions lent and taken back, on two servers in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred

from meteor_net import ConnectionPool as TheSamePool
from meteor_net.client import ConnectionPool, NetworkClient, NetworkConfig
from meteor_net.client import pool as module
from meteor_net.errors import ConfigError, ConnectionFailed, LocalProtocolError, Refused

from .several import ONE, TWO, TwoServersCase


class PoolCase(TwoServersCase):
    """A pool of three."""

    def setUp(self) -> None:
        super().setUp()
        self.pool = ConnectionPool(self.config(name="service"), size=3)

    def tearDown(self) -> None:
        self.wire.flow()
        self.wait(self.pool.drain(0.1))

    def lend(self, pool: ConnectionPool | None = None) -> NetworkClient:
        """Lend a session, and let the clock go on until it is there."""
        game: NetworkClient = self.wait((pool or self.pool).lend())
        return game

    def counted(self, *names: str) -> list[float]:
        """Give some counters."""
        return [self.pool.counters[name] for name in names]


class LendTests(PoolCase):
    """Who asks gets a session of their own."""

    def test_on_demand(self) -> None:
        """Nothing is opened before it is asked for; what came back is lent again, and is in its room."""
        self.assertIs(TheSamePool, ConnectionPool)
        self.advance(10)
        self.assertEqual(self.counted("opened", "idle", "lent", "waiting"), [0, 0, 0, 0])
        game = self.lend()
        self.assertEqual((game.status, game.name), ("online", "service 1"))
        self.assertEqual(self.add(game, 3), 3)
        self.assertEqual(self.counted("opened", "idle", "lent"), [1, 0, 1])
        self.pool.give_back(game)
        self.assertEqual(self.counted("idle", "lent"), [1, 0])
        self.assertIs(self.lend(), game)
        self.assertEqual(self.counted("opened"), [1])

    def test_spread(self) -> None:
        """They go to the address that has the fewest."""
        games = [self.lend() for _ in range(3)]
        self.assertEqual((self.players(self.server), self.players(self.second)), (2, 1))
        self.assertEqual(sorted(game.name for game in games), ["service 1", "service 2", "service 3"])

    def test_at_most(self) -> None:
        """The fourth waits until one comes back; who came first is served first."""
        games = [self.lend() for _ in range(3)]
        fourth, fifth = self.pool.lend(), self.pool.lend()
        self.advance(1)
        self.assertNoResult(fourth)
        self.assertEqual(self.counted("waiting", "opened"), [2, 3])
        self.pool.give_back(games[1])
        self.assertIs(self.successResultOf(fourth), games[1])
        self.assertNoResult(fifth)
        self.pool.give_back(games[0])
        self.assertIs(self.successResultOf(fifth), games[0])

    def test_wait_ends(self) -> None:
        """Who waits too long is refused, and so is who would wait behind a thousand."""
        games = [self.lend() for _ in range(3)]
        late = self.pool.lend()
        self.advance(9.5)
        self.assertNoResult(late)
        self.advance(1)
        self.assertEqual(self.failureResultOf(late, Refused).value.reason, "busy")
        self.patch(module, "MAX_WAITING", 1)
        first, second = self.pool.lend(), self.pool.lend()
        self.assertEqual(self.failureResultOf(second, Refused).value.reason, "busy")
        first.cancel()
        self.failureResultOf(first)
        self.assertEqual(self.counted("waiting", "refused"), [0, 2])
        self.pool.give_back(games[0])
        self.assertEqual(self.counted("idle"), [1])

    def test_what_a_borrower_hears_ends(self) -> None:
        """The next borrower's frames are not told to the one before."""
        game = self.lend()
        frames: list[int] = []
        game.on("frame", frames.append)
        self.add(game)
        self.advance(0.5)
        self.assertNotEqual(frames, [])
        self.pool.give_back(game)
        frames.clear()
        self.add(self.lend())
        self.advance(0.5)
        self.assertEqual(frames, [])

    def test_borrowed(self) -> None:
        """`async with` gives it back, whatever happens inside."""

        async def fail() -> None:
            async with self.pool.borrowed() as game:
                self.assertEqual(game.status, "online")
                raise ZeroDivisionError

        done = ensureDeferred(fail())
        with self.assertRaises(ZeroDivisionError):
            self.wait(done)
        self.assertEqual(self.counted("idle", "lent"), [1, 0])

    def test_not_lent(self) -> None:
        """Only what was lent can be given back, once."""
        game = self.lend()
        self.pool.give_back(game)
        for wrong in (game, NetworkClient(self.config())):
            with self.assertRaises(LocalProtocolError):
                self.pool.give_back(wrong)


class HealthTests(PoolCase):
    """What is broken is replaced."""

    def test_sent_away_while_idle(self) -> None:
        """It is replaced: the next borrower gets another one."""
        game = self.lend()
        self.pool.give_back(game)
        for room in list(self.server.host.lobby):
            for player in list(room.players):
                player.remove("off you go")
        self.advance(1)
        self.assertTrue(game.status.startswith("offline"), game.status)
        self.assertEqual(self.counted("replaced", "idle"), [1, 0])
        other = self.lend()
        self.assertIsNot(other, game)
        self.assertEqual(other.status, "online")

    def test_lost_while_idle(self) -> None:
        """One that comes back in time is kept; it is not lent meanwhile."""
        game = self.lend()
        self.pool.give_back(game)
        self.wire.cut(2.0)
        self.advance(0.1)
        self.assertNotEqual(game.status, "online")
        other = self.lend()
        self.assertIsNot(other, game)
        self.assertEqual(other.status, "online")
        self.advance(5)
        self.assertEqual((game.status, self.counted("idle", "lent", "replaced")), ("online", [1, 1, 0]))

    def test_lost_for_long(self) -> None:
        """One that is not online for 10 s is replaced."""
        self.pool.give_back(self.lend())
        self.wire.cut(60.0)
        self.advance(20)
        self.assertEqual(self.counted("replaced", "idle"), [1, 0])

    def test_a_server_that_is_gone(self) -> None:
        """Its sessions go over to the other server by themselves, and new ones come in there."""
        games = [self.lend(), self.lend()]
        self.stop_server()
        self.advance(10)
        self.assertEqual([game.status for game in games], ["online", "online"])
        self.assertEqual(self.lend().status, "online")
        self.assertEqual(self.players(self.second), 3)

    def test_nobody_lets_us_in(self) -> None:
        """Each who waits hears why; nothing is tried for nobody."""
        self.wire.cut(1_000)
        for waiting in (self.pool.lend(), self.pool.lend()):
            with self.assertRaises(ConnectionFailed):
                self.wait(waiting)
        self.advance(1)
        self.assertEqual(self.counted("opened", "waiting", "idle"), [0, 0, 0])

    def test_what_fails_at_once(self) -> None:
        """A way that cannot even be tried is told to who asks, once."""

        def no_endpoint(address: object) -> Any:
            raise ConfigError("trust_root: holds no certificate")

        pool = ConnectionPool(self.config(endpoint=no_endpoint), size=3)
        for _ in range(2):
            self.failureResultOf(pool.lend(), ConfigError)
        self.assertEqual((pool.counters["waiting"], pool.counters["opened"]), (0, 0))

    def test_least(self) -> None:
        """From the start so many are kept open, also when some are lost for good or never came in."""
        pool = ConnectionPool(self.config(), size=3, least=2)
        self.advance(1)
        self.assertEqual(pool.counters["opened"], 0)
        self.wire.cut(20)
        pool.start()
        self.advance(15)
        self.assertEqual(pool.counters["idle"], 0)
        self.advance(20)
        self.assertEqual(pool.counters["idle"], 2)
        self.wait(pool.drain())
        self.advance(20)
        self.assertEqual(pool.counters["idle"], 0)


class DrainTests(PoolCase):
    """The end of a pool."""

    def test_drain(self) -> None:
        """Those that are lent may finish; nothing is lent any more, and who waits is told."""
        games = [self.lend() for _ in range(3)]
        self.pool.give_back(games[0])
        self.lend()
        waiting = self.pool.lend()
        done, too = self.pool.drain(), self.pool.drain()
        self.failureResultOf(waiting, Refused)
        self.assertEqual(self.failureResultOf(self.pool.lend(), Refused).value.reason, "drained")
        self.advance(5)
        self.assertEqual([game.status for game in games], ["online"] * 3)
        for game in games:
            self.assertNoResult(done)
            self.pool.give_back(game)
            self.advance(1)
        self.successResultOf(done)
        self.successResultOf(too)
        self.successResultOf(self.pool.drain())
        self.assertEqual((self.players(self.server), self.players(self.second)), (0, 0))

    def test_by_force(self) -> None:
        """Those that are not given back in time are closed; giving them back later is no mistake."""
        game = self.lend()
        statuses: list[str] = []
        game.on("status", statuses.append)
        self.wait(self.pool.drain(5.0))
        self.assertEqual(statuses, ["offline"])
        self.pool.give_back(game)
        with self.assertRaises(LocalProtocolError):
            self.pool.give_back(game)

    def test_while_opening(self) -> None:
        """What is on its way in is closed."""
        waiting = self.pool.lend()
        done = self.pool.drain()
        self.failureResultOf(waiting, Refused)
        self.wait(done)
        self.advance(5)
        self.assertEqual(self.players(self.server), 0)

    def test_nothing_there(self) -> None:
        """A pool that holds nothing is drained at once."""
        self.successResultOf(self.pool.drain())


class OptionTests(TwoServersCase):
    """What a pool is made of."""

    def test_addresses(self) -> None:
        """One address, or several, do instead of options."""
        for addresses in (ONE, [ONE, TWO]):
            options: dict[str, Any] = {"reactor": self.network.clock, "endpoint": self.endpoint, "room": "a"}
            pool = ConnectionPool(addresses, size=2, **options)
            games: list[Any] = [self.wait(pool.lend()) for _ in range(2)]
            self.assertEqual({game.room for game in games}, {"beads/a"})
            self.wait(pool.drain(0.1))

    def test_own_clients(self) -> None:
        """`make` makes them."""
        made: list[NetworkConfig] = []

        def make(config: NetworkConfig) -> NetworkClient:
            made.append(config)
            return NetworkClient(config)

        pool = ConnectionPool(self.config(), size=2, make=make)
        lent: list[Deferred[NetworkClient]] = [pool.lend(), pool.lend()]
        self.assertEqual([(config.url, list(config.urls)) for config in made], [(ONE, [TWO]), (TWO, [ONE])])
        for each in lent:
            self.wait(each)
        self.wait(pool.drain(0.1))

    def test_wrong(self) -> None:
        """What is wrong is named."""
        cases: list[tuple[str, Any, dict[str, Any]]] = [
            ("size: 0", ONE, {"size": 0}),
            ("size: 20000", ONE, {"size": 20_000}),
            ("least: 9", ONE, {"size": 8, "least": 9}),
            ("wait_s", ONE, {"wait_s": 0}),
            ("patience_s", ONE, {"patience_s": float("inf")}),
            ("check_s", ONE, {"check_s": -1}),
            ("room: .* already", self.config(), {"room": "a"}),
            ("name: ", ONE, {"name": "x" * 63}),
            ("outbox: ", ONE, {"outbox": "lines"}),
            ("url: ", "nowhere", {}),
            ("url: no address", [], {}),
        ]
        for text, config, options in cases:
            with self.assertRaisesRegex(ConfigError, text):
                ConnectionPool(config, **options)
