"""Tests of `meteor_net.client.manager` and `meteor_net.client.protocol`."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from service_identity.exceptions import DNSMismatch
from service_identity.hazmat import DNS_ID
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.client import ConnectionManager
from meteor_net.client.manager import NEXT, State
from meteor_net.client.protocol import CLOSE_S, UPGRADE_S, _explain
from meteor_net.client.recovery import row_of_code
from meteor_net.client.transports import OpenFailed
from meteor_net.client.way import OPEN_S
from meteor_net.errors import ConnectionFailed, LocalProtocolError

from .memory import MemoryServer


class User:
    """Notes all that a manager tells."""

    def __init__(self) -> None:
        self.again = True
        self.manager: ConnectionManager | None = None
        self.told: list[tuple[Any, ...]] = []
        self.waits: list[float] = []

    def connected(self) -> None:
        """Note it."""
        self.told.append(("connected",))

    def switched(self) -> None:
        """Note it."""
        self.told.append(("switched",))

    def received(self, packet: bytes) -> None:
        """Note it."""
        self.told.append(("received", packet))

    def disconnected(self, error: OpenFailed) -> None:
        """Note it, and do what the test wants."""
        self.told.append(("disconnected", error.code, error.final))
        if self.again:
            assert self.manager is not None
            self.manager.handle_reconnection(row_of_code(error.code).pause)

    def waiting(self, seconds: float) -> None:
        """Note it."""
        self.told.append(("waiting",))
        self.waits.append(seconds)


class ConnectionManagerTests(SynchronousTestCase):
    """One connection after the other, for whoever uses them."""

    def setUp(self) -> None:
        self.server = MemoryServer()
        self.user = User()
        self.manager = self.user.manager = ConnectionManager(self.server.config(), self.user, self.server.clock)

    def test_connect(self) -> None:
        """It fires when a connection is open; asked again, it gives the same one."""
        opened, as_well = self.manager.connect(), self.manager.connect()
        self.assertNoResult(opened)
        self.server.run()
        self.successResultOf(opened)
        self.successResultOf(as_well)
        self.successResultOf(self.manager.connect())
        self.assertEqual(self.user.told, [("connected",)])
        self.assertEqual(len(self.server.attempts), 1)

    def test_packets(self) -> None:
        """Packets go both ways."""
        self.manager.send(b"before: lost")
        self.manager.connect()
        self.server.run()
        self.server.socket.sendMessage(b"hello", isBinary=True)
        self.server.run()
        self.assertEqual(self.user.told[-1], ("received", b"hello"))

    def test_disconnect(self) -> None:
        """Who waits for a connection is told that there will be none."""
        self.server.refuse = True
        opened = self.manager.connect()
        self.server.run(1)
        self.successResultOf(self.manager.disconnect())
        self.failureResultOf(opened, ConnectionFailed)
        self.manager.close(1000, "nothing there to close")
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_disconnect_while_an_attempt_fails(self) -> None:
        """An attempt that fails after we stopped is not told."""
        self.server.refuse = True
        self.manager.connect().addErrback(lambda _: None)
        self.manager.disconnect()
        self.user.told.clear()
        self.server.run(5)
        self.assertEqual((self.user.told, len(self.server.attempts)), ([], 1))

    def test_user_decides(self) -> None:
        """No other connection is opened if the user does not want one."""
        self.user.again = False
        opened = self.manager.connect()
        self.server.refuse = True
        self.server.run()
        self.server.cut()
        self.server.run(60)
        self.successResultOf(opened)
        self.assertEqual(self.user.told, [("connected",), ("disconnected", 1006, False)])

    def test_refused_and_given_up(self) -> None:
        """An attempt that fails is told like a lost connection."""
        self.user.again = False
        self.server.refuse = True
        opened = self.manager.connect()
        self.server.run()
        self.failureResultOf(opened, ConnectionFailed)
        self.assertEqual(self.user.told, [("disconnected", 1006, False)])
        self.assertEqual(self.manager.counters["failed_attempts"], 1)

    def test_waits_are_drawn_from_the_whole_range(self) -> None:
        """Full jitter: the n-th wait lies between nothing and 0.5 s doubled n times, at most 8 s."""
        self.server.refuse = True
        waits = []
        for _ in range(60):
            self.user.waits.clear()
            self.manager.connect().addErrback(lambda _: None)
            self.server.run(20)
            self.manager.disconnect()
            waits.append(self.user.waits[:4])
            self.manager._attempts = 0
        for number, most in enumerate((0.5, 1, 2, 4)):
            drawn = [each[number] for each in waits if len(each) > number]
            self.assertLess(min(drawn), most * 0.2)
            self.assertGreater(max(drawn), most * 0.8)
            self.assertLessEqual(max(drawn), most)

    def test_waits_grow_until_a_connection_lasts(self) -> None:
        """Being taken and lost at once is no success; after five seconds it is, and the next wait is short again."""
        for lasts_s, attempts in ((4, 2), (6, 1)):
            self.setUp()
            self.manager.connect()
            self.server.run()
            self.manager.settled()
            self.server.cut()
            self.server.run(1)
            self.assertEqual(self.manager.reconnect_attempts, 1)
            self.manager.settled()
            self.server.run(lasts_s)
            self.server.cut()
            self.assertEqual(self.manager.reconnect_attempts, attempts)

    def test_reconnection_when_there_is_none_to_make(self) -> None:
        """It is an error without a loss, and twice for one."""
        with self.assertRaises(LocalProtocolError):
            self.manager.handle_reconnection()
        self.server.refuse = True
        self.manager.connect().addErrback(lambda _: None)
        with self.assertRaises(LocalProtocolError):
            self.manager.handle_reconnection()
        self.manager.disconnect()
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_states(self) -> None:
        """All that can happen leads from a state to another, and every state can be reached and left."""
        self.assertEqual(set(NEXT), set(State))
        self.assertEqual({after for moves in NEXT.values() for after in moves.values()}, set(State))
        self.assertIs(self.manager.state, State.OFFLINE)
        self.manager.connect()
        self.assertIs(self.manager.state, State.CONNECTING)
        self.server.run()
        self.assertIs(self.manager.state, State.GREETING)
        self.manager.settled()
        self.assertIs(self.manager.state, State.ONLINE)
        self.server.refuse = True
        self.server.cut()
        self.assertIs(self.manager.state, State.WAITING)
        self.manager.disconnect()
        self.assertIs(self.manager.state, State.OFFLINE)

    def test_an_attempt_takes_its_time_only(self) -> None:
        """An attempt of which nothing comes, not even a failure, is given up after 20 s."""
        self.user.again = False
        silence = Deferred[Any]()
        self.patch(self.server, "connect", lambda factory: silence)
        opened = self.manager.connect()
        self.server.run(OPEN_S - 0.1)
        self.assertNoResult(opened)
        self.server.run(0.2)
        self.failureResultOf(opened, ConnectionFailed)
        self.successResultOf(silence)  # it was cancelled, and the failure taken
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_closed_by_us_is_over_at_once(self) -> None:
        """Nobody waits for the goodbye of a peer that is silent; `disconnect` does."""
        self.manager.connect()
        self.server.run()
        self.server.deaf = True
        self.manager.close(4002, "silent")
        self.assertEqual(self.user.told[-2:], [("disconnected", 4002, False), ("waiting",)])
        gone = self.manager.disconnect()
        self.assertNoResult(gone)
        self.server.run(CLOSE_S + 0.1)
        self.server.deaf = False
        self.server.run()
        self.successResultOf(gone)


class ConnectionTests(SynchronousTestCase):
    """One WebSocket."""

    def setUp(self) -> None:
        self.server = MemoryServer()
        self.user = User()
        self.user.again = False
        self.manager = self.user.manager = ConnectionManager(self.server.config(), self.user, self.server.clock)

    def open(self) -> None:
        """Open the connection."""
        self.manager.connect().addErrback(lambda _: None)
        self.server.run()

    def ended(self) -> tuple[Any, ...]:
        """Give how it ended."""
        kind, *how = self.user.told[-1]
        self.assertEqual(kind, "disconnected")
        return tuple(how)

    def test_closed_by_the_server(self) -> None:
        """Code and reason are the server's; one without a code is 1005."""
        for code, told in ((4000, 4000), (None, 1005)):
            self.setUp()
            self.open()
            self.server.socket.sendClose(code)
            self.server.run()
            self.assertEqual(self.ended(), (told, False))
            self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_closed_by_us(self) -> None:
        """Our code counts, also if the server does not answer."""
        for deaf in (False, True):
            self.setUp()
            self.open()
            self.manager.close(4002, "silent")
            self.manager.close(1000, "again")
            self.server.deaf = deaf
            self.server.run(CLOSE_S + 0.1)
            self.server.deaf = False
            self.server.run()
            self.assertEqual(self.ended(), (4002, False))

    def test_server_that_says_close_and_stays(self) -> None:
        """A server that does not go after its own close is cut."""
        self.open()
        self.server.socket.dropConnection = lambda abort=False: None
        self.server.socket.sendClose(4000)
        self.server.run(CLOSE_S + 0.1)
        self.assertEqual(self.ended(), (4000, False))

    def test_no_upgrade(self) -> None:
        """A server that does not answer the upgrade is cut."""
        self.server.deaf = True
        self.open()
        self.server.run(UPGRADE_S + 0.1)
        self.server.deaf = False
        self.server.run()
        self.assertEqual(self.ended(), (1006, False))

    def test_stopped_before_the_upgrade(self) -> None:
        """Stopping in the middle of it leaves nothing behind."""
        self.server.deaf = True
        self.open()
        gone = self.manager.disconnect()
        self.server.deaf = False
        self.server.run(1)
        self.successResultOf(gone)
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_too_big(self) -> None:
        """A packet above the limit ends the connection with 1009."""
        self.open()
        self.server.socket.sendMessage(b"x" * (4 * 1024 * 1024 + 1), isBinary=True)
        self.server.run()
        self.assertEqual(self.ended(), (1009, False))

    def test_refused_upgrade(self) -> None:
        """An HTTP status of 4xx is final, one of 5xx is not."""
        for status, final in ((403, True), (503, False)):
            self.setUp()

            def deny(request: Any, status: int = status) -> Any:
                from autobahn.websocket.types import ConnectionDeny

                raise ConnectionDeny(status, "no")

            config = self.server.config(transports=["websocket"])
            self.manager = self.user.manager = ConnectionManager(config, self.user, self.server.clock)
            self.manager.connect().addErrback(lambda _: None)
            self.server.socket.onConnect = deny
            self.server.run()
            self.assertEqual(self.ended(), (1006, final))

    def test_certificates(self) -> None:
        """A certificate that does not verify is final, and said so; other TLS failures are not."""

        class Dropped:
            failedByMe = wasClean = False
            wasNotCleanReason: str | None = None

        def explain(error: BaseException) -> tuple[str, bool]:
            how = _explain(Failure(error), Dropped)
            self.assertEqual(how.code, 1006)
            self.assertEqual(how.reached, isinstance(error, ConnectionDone | ConnectionLost))
            return str(how), how.final

        bad = TLSError([("SSL routines", "", "certificate verify failed")])
        self.assertEqual(explain(bad), ("TLS: certificate verify failed; trust_root=FILE names a certificate to trust", True))
        self.assertEqual(explain(TLSError([("SSL", "", "no shared cipher")]))[1], False)
        self.assertEqual(explain(TLSError())[1], False)
        text, final = explain(VerificationError(errors=[DNSMismatch(mismatched_id=DNS_ID("play.example"))]))
        self.assertIn("not for this host", text)
        self.assertTrue(final)
        self.assertEqual(explain(ConnectionLost("cut"))[1], False)
        self.assertEqual(explain(ConnectionDone())[1], False)


class ImportTests(SynchronousTestCase):
    """What importing the client does."""

    def test_no_reactor_at_import(self) -> None:
        """Importing the client, or making one with a reactor of one's own, installs none."""
        code = (
            "import sys, meteor_net.client, meteor_net.client.bots\n"
            "from twisted.internet.task import Clock\n"
            "from meteor_net.client import *\n"
            "NetworkClient(NetworkConfig(url='ws://a', reactor=Clock()))\n"
            "print('twisted.internet.reactor' in sys.modules)"
        )
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        self.assertEqual((shown.stdout, shown.stderr), ("False\n", ""))
