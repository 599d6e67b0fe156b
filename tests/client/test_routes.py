"""Tests of `meteor_net.client.routes`: which address next, and by which transport."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.client.routes import Routes
from meteor_net.client.transports import OpenFailed, parse_address

REFUSED = OpenFailed("nobody listens")
POOR = OpenFailed("closed", reached=True)
NEVER = OpenFailed("403", reached=True, final=True)
DISTRUSTED = OpenFailed("TLS", final=True)


class RoutesTests(SynchronousTestCase):
    """The order of attempts."""

    def routes(self, count: int = 3, transports: tuple[str, ...] = ("websocket", "http")) -> Routes:
        """Make some, to the hosts a, b, c."""
        return Routes([parse_address(f"ws://{name}") for name in "abc"[:count]], transports)

    def at(self, routes: Routes) -> str:
        """Where it stands."""
        return routes.address.host + ("" if routes.transport == "websocket" else f" {routes.transport}")

    def tries(self, routes: Routes, *errors: OpenFailed) -> list[str]:
        """Let attempts fail; give where each next one goes, with `…` before it if a pause is due."""
        told = []
        for error in errors:
            routes.failed(error)
            told.append(("" if routes.next() else "…") + self.at(routes))
        return told

    def test_rounds(self) -> None:
        """Each address once, then a pause."""
        self.assertEqual(self.tries(self.routes(), *[REFUSED] * 6), ["b", "c", "…a", "b", "c", "…a"])
        self.assertEqual(self.tries(self.routes(1), *[REFUSED] * 3), ["…a", "…a", "…a"])

    def test_last_good_first(self) -> None:
        """Where it worked the round begins; a loss there is followed by a pause."""
        routes = self.routes()
        self.tries(routes, REFUSED)
        routes.good("websocket", 0.0)
        routes.lost()
        self.assertFalse(routes.next())
        self.assertEqual(self.at(routes), "b")
        self.assertEqual(self.tries(routes, *[REFUSED] * 3), ["c", "a", "…b"])

    def test_other_transport(self) -> None:
        """After two poor tries in a row, at once; and back after two more."""
        self.assertEqual(self.tries(self.routes(1), *[POOR] * 5), ["…a", "a http", "…a http", "a", "…a"])
        self.assertEqual(self.tries(self.routes(1), POOR, REFUSED, POOR), ["…a", "…a", "a http"])
        routes = self.routes(1)
        self.tries(routes, POOR)
        routes.good("websocket", 0.0)
        self.assertEqual(self.tries(routes, POOR), ["…a"])

    def test_alone(self) -> None:
        """Without another transport there is none to fall back to."""
        routes = self.routes(1, ("websocket",))
        self.assertEqual(self.tries(routes, *[POOR] * 3), ["…a"] * 3)
        self.assertFalse(routes.falls_back)

    def test_never(self) -> None:
        """What must fail again is left out; when nothing is left, that is told."""
        routes = self.routes()
        self.assertEqual(self.tries(routes, NEVER, REFUSED, REFUSED, REFUSED), ["b", "c", "…b", "c"])
        routes = self.routes(2)
        self.assertEqual(self.tries(routes, NEVER), ["b"])
        self.assertFalse(routes.hopeless)
        self.assertEqual(self.tries(routes, NEVER), ["a http"])
        self.assertEqual(self.tries(routes, NEVER), ["b http"])
        self.assertFalse(routes.hopeless)
        routes.failed(NEVER)
        self.assertTrue(routes.hopeless)
        self.assertFalse(routes.falls_back)
        self.assertFalse(routes.next())
        routes.begin()
        self.assertFalse(routes.hopeless)

    def test_distrust(self) -> None:
        """A certificate is the same over HTTP."""
        routes = self.routes(1)
        routes.failed(DISTRUSTED)
        self.assertEqual((routes.falls_back, routes.hopeless), (False, True))

    def test_better(self) -> None:
        """On HTTP, WebSockets are due after a minute, then two, four, eight, ten; once one worked, after a minute again."""
        routes = self.routes(1)
        routes.good("websocket", 0.0)
        self.assertIsNone(routes.better(1e9))
        routes.good("http", 100.0)
        now = 100.0
        due: list[float] = []
        while len(due) < 6:
            now += 1.0
            if routes.better(now) is not None:
                due.append(now - 100.0)
        self.assertEqual(due, [60, 180, 420, 900, 1500, 2100])
        routes.good("websocket", now)
        routes.good("http", now)
        self.assertIsNone(routes.better(now + 59))
        self.assertEqual(routes.better(now + 60), "websocket")
        routes.hollow()
        routes.good("http", now)
        self.assertIsNone(routes.better(now + 599))
        self.assertEqual(routes.better(now + 600), "websocket")
