"""Tests of `meteor_net.client.bots` and `meteor_net.client.flying`."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.client import NetworkClient
from meteor_net.client.bots import _options, _summary, fly
from meteor_net.client.flying import courses
from meteor_net.errors import ConnectionFailed
from meteor_net.state import Action, Angle, Choice, Fixed, Flag, Input, Int, Schema, Text, UInt

from ..session.scripted import Buy
from .memory import MemoryServer


class Everything(Input):
    """An input with a field of each kind."""

    fixed = Fixed(step=1 / 4, low=-2, high=3)
    angle = Angle(bits=8)
    uint = UInt(bits=5)
    int = Int(bits=4)
    flag = Flag()
    choice = Choice("red", "blue")
    text = Text(10)


class CourseTests(SynchronousTestCase):
    """Values that a player might give."""

    def setUp(self) -> None:
        self.action = Schema(actions=[Everything]).describe()["actions"][0]

    def test_within_the_domain(self) -> None:
        """Every value is one that the field takes, and they reach about everywhere."""
        ways = courses(self.action, Random(3))
        seen: dict[str, set[Any]] = {name: set() for name in ways}
        for step in range(2_000):
            values = {name: course(step / 20) for name, course in ways.items()}
            Everything(**values)
            for name, value in values.items():
                seen[name].add(value)
        self.assertTrue(-2 <= min(seen["fixed"]) < -1.5 and 2.5 < max(seen["fixed"]) <= 3)
        self.assertTrue(min(seen["uint"]) in (0, 1, 2) and max(seen["uint"]) in (29, 30, 31))
        self.assertTrue(min(seen["int"]) < -6 and max(seen["int"]) > 5)
        self.assertEqual(seen["flag"], {False, True})
        self.assertEqual(seen["choice"], {"red", "blue"})
        self.assertEqual(seen["text"], {""})

    def test_smooth(self) -> None:
        """From one twentieth of a second to the next a value moves a little."""
        course = courses(self.action, Random(3))["fixed"]
        steps = [abs(course(n / 20) - course((n + 1) / 20)) for n in range(1_000)]
        self.assertLess(max(steps), 0.5)

    def test_seeded(self) -> None:
        """The same seed gives the same course."""
        first, second = (courses(self.action, Random(5))["fixed"](1.0) for _ in range(2))
        self.assertEqual(first, second)


class FlyTests(SynchronousTestCase):
    """Bots connect, act, and go."""

    def setUp(self) -> None:
        self.server = MemoryServer()

    def fly(self, **options: Any) -> Any:
        """Let one bot fly, for 2 s, and give how that ended."""
        options = {"seconds": 2.0} | options
        flight = ensureDeferred(fly("ws://memory", 1, room="a", reactor=self.server.clock, endpoint=self.server, **options))
        self.server.run(1)
        for tick in range(10, 30):
            if self.server.closes or not self.server.socket:
                break
            self.server.step(tick)
            self.server.run(0.05)
        self.server.run(8)
        return flight

    def test_wander(self) -> None:
        """A bot steers by the game's first input, at most once a tick."""
        (game,) = self.successResultOf(self.fly())
        sent = self.server.found(wire.ActionMessage)
        self.assertEqual({each.kind for each in sent}, {0})
        self.assertIn(len(sent), range(15, 45))
        self.assertGreater(len({tuple(each.values) for each in sent}), 5)
        self.assertEqual(game.status, "offline")
        self.assertIn("1 bots: ", next(_summary([game])))
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_slow(self) -> None:
        """How often a bot acts can be told."""
        self.fly(acts_per_s=2)
        self.assertIn(len(self.server.found(wire.ActionMessage)), range(2, 7))

    def test_own_strategy(self) -> None:
        """A strategy of one's own may buy things; being refused does not stop it."""
        self.server.answers[wire.ActionMessage] = lambda action: [wire.RefusedMessage(3, action.seq, "poor", "")]

        def buyer(game: NetworkClient, random: Random) -> Callable[[float], Action | None]:
            return lambda now: Buy(count=1) if now < 1 else None

        self.successResultOf(self.fly(strategy=buyer))
        self.assertGreater(len(self.server.found(wire.ActionMessage)), 3)

    def test_no_input(self) -> None:
        """A game without inputs is watched."""
        schema = Schema(actions=[Buy])
        joined = wire.Joined(3, "game/a", 1, 0, 0, 50_000, 5, [], schema.hash, schema.describe(), [], 0, 0)
        self.server.answers[wire.Join] = lambda join: [joined]
        flight = ensureDeferred(fly("ws://memory", 1, seconds=2, reactor=self.server.clock, endpoint=self.server))
        self.server.run(9)
        self.successResultOf(flight)
        self.assertEqual(self.server.found(wire.ActionMessage), [])

    def test_nobody_there(self) -> None:
        """If not one bot came in, that is an error; the timer goes too."""
        self.server.refuse = True
        flight = self.fly(seconds=60.0, connect_s=2.0)
        self.failureResultOf(flight, ConnectionFailed)
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_options(self) -> None:
        """The command's options have defaults for the demo on this machine."""
        options = _options([])
        self.assertEqual((options.url, options.room, options.count), (["ws://127.0.0.1:8080"], "", 8))
        self.assertEqual(_options(["--count", "3", "--seconds", "2"]).seconds, 2.0)
