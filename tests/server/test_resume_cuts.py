"""The exchange of coming back, cut after every byte: nothing is lost, and nothing happens twice."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any, ClassVar

import numpy as np
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from meteor_net import Action, Fixed, Game, Refused, Table, UInt, handles
from meteor_net.client import manager
from meteor_net.limits import Limits
from meteor_net.testing import GameTestCase, PlayerHandle
from tests.server.cutting import Cuts


class Ship(Table):
    """A row for each player, moved by what it enters."""

    x = Fixed(step=1 / 16, low=0, high=4096, wrap=True)


class Tide(Table):
    """One row that changes at each tick."""

    height = UInt(bits=20)


class Enter(Action):
    """Writes a number into the ledger; what it is answered with depends on the number."""

    number = UInt(bits=24)


class Ledger(Game):
    """Notes what was entered, in order."""

    tables, tick_hz = (Ship, Tide), 10
    clock: ClassVar[Any] = None

    def opened(self) -> None:
        self.tide = self.world.tide.spawn()
        self.entered: list[tuple[str, int]] = []
        self.told: list[str] = []

    def joined(self, player: Any) -> None:
        player.row = self.world.ship.spawn()
        self.told.append(f"{player.name} joined")

    def away(self, player: Any) -> None:
        self.told.append(f"{player.name} away")

    def back(self, player: Any) -> None:
        self.told.append(f"{player.name} back")

    @handles(Enter)
    def enter(self, player: Any, enter: Enter) -> Any:
        self.entered.append((player.name, enter.number))
        player.row.x += 1
        if enter.number % 4 == 0:
            return enter.number
        if enter.number % 4 == 1:
            return None
        if enter.number % 4 == 2:
            raise Refused(f"not {enter.number}")
        return deferLater(self.clock, 0.03, lambda: -enter.number)

    def tick(self, dt: float) -> None:
        self.tide.height = self.room.tick


def expected(number: int) -> Any:
    """What an entry is answered with; of a refusal the text."""
    return (number, None, f"not {number}", -number)[number % 4]


def _text(failure: Failure) -> str:
    failure.trap(Refused)
    return str(failure.value)


class Hasty(Random):
    """Waits a tenth of the time before it comes back: so many losses take a while."""

    def uniform(self, a: float, b: float) -> float:
        return super().uniform(a, b) / 10


class CutCase(GameTestCase):
    """Ann loses her connection in the middle of everything, again and again; bob stays."""

    game = Ledger
    limits = Limits(lines_per_s=1_000, lines_burst=1_000, actions_per_s=1_000)
    transports: ClassVar[tuple[str, ...]] = ("websocket",)

    def setUp(self) -> None:
        super().setUp()
        self.patch(manager, "SETTLED_S", 0.0)  # each loss is the first
        self.ann = self.player("ann", transports=self.transports, random=Hasty(1))
        self.bob = self.player("bob")
        self.patch(Ledger, "clock", self.network.clock)
        self.numbers = count(1)
        self.answers: list[Any] = []
        self.asked: list[int] = []
        self.said: list[str] = []
        self.framed: list[int] = []
        self.ann.game.on("frame", self.framed.append)
        self.advance(0.5)
        self.session = next(iter(self.server.host.registry))
        self.room.game.told.clear()

    def enter(self, player: PlayerHandle, times: int = 1) -> None:
        """Enter the next numbers."""
        for number in [next(self.numbers) for _ in range(times)]:
            answer = player.game.act(Enter(number=number))
            assert answer is not None
            self.asked.append(number)
            answer.addErrback(_text)
            answer.addCallback(self._answered, number)

    def _answered(self, value: Any, number: int) -> None:
        self.answers.append((number, value))

    def say(self, player: PlayerHandle) -> Deferred[int]:
        """Say the next line."""
        self.said.append(f"line {next(self.numbers)}")
        return player.game.say(self.said[-1])

    def lose(self, way: str, *sizes: int) -> None:
        """Lose a connection with lines, actions and state under way; the next ones are cut as `sizes` say; come back."""
        wire = self.ann.network
        wire.stall(way="in")
        self.enter(self.ann, 4)
        lines = [self.say(self.ann)]
        self.advance(0.025)  # those have arrived, and their answers have not; one is still awaited
        wire.stall(way="out")
        self.enter(self.ann, 2)
        self.advance(0.05)
        lines.append(self.say(self.bob))
        self.cuts = Cuts(wire, way, *sizes)
        self.framed.clear()
        wire.cut()
        wire.flow()
        self.advance(0.0)
        self.enter(self.ann, 2)
        lines.append(self.say(self.ann))
        self.enter(self.bob)
        self.wait_until(lambda: not self.cuts.left)
        self.framed.clear()
        self.wait_until(lambda: bool(self.framed) and len(self.answers) == len(self.asked) and all(e.called for e in lines))
        self.cuts.end()

    def check(self, why: str) -> None:
        """All is as if nothing had been lost."""
        self.advance(0.11)
        self.assertEqual((self.ann.status, self.bob.status), ("online", "online"), why)
        self.assertEqual(sorted(self.answers), [(number, expected(number)) for number in sorted(self.asked)], why)
        entered = self.room.game.entered
        for name in ("ann", "bob"):
            numbers = [number for who, number in entered if who == name]
            self.assertEqual(numbers, sorted(numbers), why)
        self.assertEqual(sorted(number for _, number in entered), self.asked, why)
        self.assertEqual(sorted(self.bob.lines), sorted(self.said), why)
        self.assertEqual(self.ann.lines, self.bob.lines, why)
        anns = [self.said[0], self.said[2]]
        self.assertEqual([text for text in self.bob.lines if text in anns], anns, why)
        self.assertEqual((self.ann.gaps, self.bob.gaps), ([], []), why)
        self.assertIs(self.session, self.server.host.registry.of(self.ann.user)[0], why)
        self.assertEqual(set(self.room.game.told), {"ann away", "ann back"}, why)
        for table in ("ship", "tide"):
            mine, other = getattr(self.ann.world, table), getattr(self.bob.world, table)
            for field in ("x",) if table == "ship" else ("height",):
                np.testing.assert_array_equal(getattr(mine, field), getattr(other, field), why)
        self.assertGreaterEqual(self.ann.world.tide[0].height + 2, self.room.tick, why)
        for each in (self.answers, self.asked, self.said, entered, self.ann.lines, self.bob.lines, self.room.game.told):
            each.clear()

    def whole(self, way: str) -> int:
        """Come back without a cut: how many bytes that takes in one direction, up to the first frame and the answers."""
        self.lose(way)
        size = self.cuts.passed
        self.check("no cut")
        return size


class EveryByteTests(CutCase):
    """After each byte."""

    def test_cut_to_the_server(self) -> None:
        """What the client says, cut after every byte: HELLO, JOIN, what it says again."""
        for size in range(self.whole("out") + 1):
            self.lose("out", size)
            self.check(f"cut after {size} bytes to the server")

    def test_cut_to_the_client(self) -> None:
        """What the server says, cut after every byte: WELCOME, JOINED, lines, the first frame, answers."""
        for size in range(self.whole("in") + 1):
            self.lose("in", size)
            self.check(f"cut after {size} bytes to the client")

    def test_cut_twice(self) -> None:
        """Two and three cuts in a row, at any bytes."""
        random = Random(5)
        for way in ("in", "out"):
            whole = self.whole(way)
            for _ in range(40):
                sizes = [random.randrange(whole) for _ in range(random.choice((2, 2, 3)))]
                self.lose(way, *sizes)
                self.check(f"cut after {sizes} bytes, {way}")
