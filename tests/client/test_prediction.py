"""Prediction from end to end: a real client and a real server, in memory, over good networks and bad ones."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any, ClassVar

from meteor_net import Angle, Fixed, Flag, Game, Input, Int, Table, Text, UInt
from meteor_net.errors import ConfigError, LocalProtocolError
from meteor_net.session.bucket import TokenBucket
from meteor_net.state.trig import cos_int, sin_int
from meteor_net.testing import GameTestCase

TICK_S = 0.05
#: Where all flights begin.
FLIGHTS = Random(7)


class Kite(Table):
    """What players fly."""

    x = Fixed(step=1 / 16, low=0, high=2048, wrap=True)
    y = Fixed(step=1 / 16, low=0, high=2048, wrap=True)
    vx = Int(bits=16)
    vy = Int(bits=16)
    heading = Angle(bits=10)
    count = UInt(bits=16)
    jumped = Flag(snap=True)
    name = Text(8)


class Steer(Input):
    """How it is flown."""

    turn = Int(bits=4)
    push = Flag()


def fly(s: Any, i: Any) -> None:
    """A tick of flight: turn, push, friction, move."""
    s.heading += 5 * i.turn
    s.vx += (i.push * 40 * cos_int(s.heading, 10) >> 14) - (s.vx >> 5)
    s.vy += (i.push * 40 * sin_int(s.heading, 10) >> 14) - (s.vy >> 5)
    s.x += s.vx >> 2
    s.y += s.vy >> 2
    s.count += 1


class Sky(Game):
    """A game of steps."""

    tables = (Kite,)
    steps: ClassVar[Any] = {Steer: fly}
    idle = "skip"
    tick_hz = 20
    wind = 0.0

    def joined(self, player: Any) -> None:
        player.row = self.world.kite.spawn(x=100, y=100, name=player.name)

    def tick(self, dt: float) -> None:
        self.world.kite.x += self.wind


class Steady(Sky):
    """The same, with a missing input repeated."""

    idle = "repeat"


class FlightCase(GameTestCase):
    """A player who flies, ever another way, and what was predicted for each input."""

    game: ClassVar[Any] = Sky

    def setUp(self) -> None:
        self.chance = Random(self.seed)
        self.controls = Steer()
        self.foretold: dict[int, Any] = {}
        self.agreed = self.differed = 0

    def come(self) -> None:
        """Let the player in."""
        self.ann = self.player("ann")
        self.ann.predict(Steer, fly)

    @property
    def predictor(self) -> Any:
        """The client's."""
        return self.ann.game._room.prediction.predictor

    def fly(self, ticks: int) -> None:
        """Fly on; each time that the server's word comes, compare."""
        for _ in range(ticks):
            if self.chance.random() < 0.1:
                self.controls = Steer(turn=self.chance.randint(-8, 7), push=self.chance.random() < 0.6)
            before = self.predictor.counters["inputs"]
            self.ann.act(self.controls)
            if self.predictor.counters["inputs"] > before:
                self.foretold[self.predictor._inputs[-1].seq] = self.predictor.predicted or "nothing"
            self.advance(TICK_S)
            self.compare()

    def compare(self) -> None:
        """What the server says of an input is what was foretold of it."""
        self.ann.show()
        waiting = [sent.seq for sent in self.predictor._inputs]
        taken = max((seq for seq in self.foretold if not waiting or seq < waiting[0]), default=None)
        if taken is not None and self.foretold[taken] != "nothing":
            same = self.foretold[taken] == self.predictor._base
            self.agreed += same
            self.differed += not same
            self.foretold = {seq: ints for seq, ints in self.foretold.items() if seq >= taken}

    def server_ints(self) -> Any:
        """The own integers as the server has them."""
        return self.predictor._fields.move([self.room.world.kite[0]], lambda s, i: None, None)


class ExactTests(FlightCase):
    """The same step on both sides, and nothing else that moves the rows."""

    def test_jitter(self) -> None:
        """Over thousands of ticks, with jitter and bytes in pieces: what was predicted is what comes, nothing is pulled at."""
        self.come()
        self.ann.network.jitter_s, self.ann.network.chunk_bytes = 0.09, 40
        self.fly(2_000)
        self.assertEqual(self.differed, 0)
        self.assertGreater(self.agreed, 1_950)
        self.assertEqual((self.predictor.counters["corrections"], self.predictor.counters["inputs"]), (0, 2_000))
        self.assertEqual(self.room.actions.counters["inputs_dropped"], 0)
        self.assertGreater(self.room.world.kite[0].count, 1_990)

    def test_drawn_ahead(self) -> None:
        """What is shown is what the server will have; the world is what it has said; texts stay as they are."""
        self.come()
        self.ann.network.latency_s = 0.2
        for _ in range(40):
            self.ann.act(Steer(push=True))
            self.advance(TICK_S)
        shown = self.ann.game.rows_in(self.ann.show())[0]
        self.assertGreater(shown.x, self.ann.me.x + 20)
        self.assertEqual((shown.name, shown.count), ("ann", 41))
        self.assertEqual(self.predictor.waiting, 40 - self.ann.me.count)
        self.assertEqual(len(self.ann.show().kite.x), 1)

    def test_many_calls(self) -> None:
        """`act` for each picture: one for each tick is sent."""
        self.come()
        for _ in range(600):
            self.ann.act(Steer(push=True))
            self.advance(1 / 60)
        self.assertIn(self.predictor.counters["inputs"], (200, 201))
        self.assertEqual(self.room.actions.counters["inputs_dropped"], 0)
        self.assertEqual(self.predictor.counters["corrections"], 0)


class FaultTests(FlightCase):
    """Networks that fail."""

    def test_stalls_and_losses(self) -> None:
        """Stalls, a queue that overflows, lost connections, an action in between: in the calm after each all agrees again."""
        self.come()
        self.ann.network.jitter_s = 0.03
        for fault in range(15):
            if fault % 3 == 0:
                self.ann.network.stall(self.chance.uniform(0.1, 1.5), ("in", "out", "both")[fault // 3 % 3])
            elif fault % 3 == 1:
                self.ann.network.cut(self.chance.uniform(0, 1))
            else:
                self.ann.network.latency_s = self.chance.uniform(0.01, 0.2)
            self.fly(100)
            self.assertEqual(self.ann.status, "online")
            self.agreed = self.differed = 0
            self.foretold.clear()
            self.fly(30)
            self.assertEqual(self.differed, 0, fault)
            self.assertGreater(self.agreed, 15)
        self.assertGreater(self.room.actions.counters["inputs_dropped"], 0)
        self.assertGreater(self.predictor.counters["corrections"], 0)
        self.advance(2)
        self.compare()
        self.assertEqual(self.predictor.predicted, self.server_ints())
        self.assertEqual(self.predictor.waiting, 0)

    def test_lost_connection(self) -> None:
        """After a resume inputs that were under way are forgotten, and flight goes on from what the server says."""
        self.come()
        self.fly(20)
        self.ann.network.latency_s = 0.3
        self.fly(20)
        self.assertGreater(self.predictor.waiting, 5)
        self.ann.network.cut()
        self.advance(0.01)
        self.assertIsNone(self.ann.act(Steer()))
        self.wait_until(lambda: self.ann.status == "online")
        self.ann.show()
        self.assertEqual(self.predictor.waiting, 0)
        self.foretold.clear()
        self.agreed = self.differed = 0
        self.fly(50)
        self.assertEqual(self.differed, 0)

    def test_restart(self) -> None:
        """A server that begins anew has another world: prediction begins anew in it."""
        self.come()
        self.fly(50)
        self.ann.statuses.clear()
        self.stop_server()
        self.start_server()
        self.wait_until(lambda: "online" in self.ann.statuses)
        self.foretold.clear()
        self.fly(50)
        self.assertEqual(self.differed, 0)
        self.assertGreater(self.agreed, 40)
        self.assertLessEqual(self.room.world.kite[0].count, 50)

    def test_refused(self) -> None:
        """An input that the server refuses never counts."""
        self.come()
        self.fly(5)
        player = self.room.players[0]
        bucket, player.input_bucket = player.input_bucket, TokenBucket(0, 0)
        self.fly(10)
        player.input_bucket = bucket
        self.fly(10)
        self.assertEqual(self.room.world.kite[0].count, 15)
        self.assertEqual(self.ann.me.count, 15)
        self.assertLess(self.predictor.waiting, 3)


class RepeatTests(FlightCase):
    """A game that repeats a missing input."""

    game = Steady

    def test_steady(self) -> None:
        """Where each tick has its input nothing is corrected."""
        self.come()
        self.fly(10)
        begun = self.predictor.counters["corrections"]
        self.fly(500)
        self.assertEqual(self.predictor.counters["corrections"], begun)

    def test_jitter(self) -> None:
        """A tick without its input is a correction by a step; then one more waits in the queue, and soon no tick is without."""
        self.come()
        self.ann.network.jitter_s = 0.12
        self.fly(200)
        self.assertGreater(self.predictor.counters["corrections"], 0)
        begun = self.predictor.counters["corrections"]
        self.differed = 0
        self.fly(1_000)
        self.assertLess(self.predictor.counters["corrections"] - begun, 5)
        self.advance(1)
        self.ann.show()
        self.assertEqual(self.predictor.waiting, 0)


class ForceTests(FlightCase):
    """What else moves the rows."""

    def test_wind(self) -> None:
        """What the game's tick does comes as corrections, and what is drawn follows without jumps."""
        self.come()
        self.fly(20)
        self.room.game.wind = 1.0
        places = []
        for _ in range(240):
            self.ann.act(Steer())
            self.advance(1 / 60)
            places.append(self.ann.game.rows_in(self.ann.show())[0].x)
        steps = [after - before for before, after in pairwise(places)]
        self.assertGreater(self.predictor.counters["corrections"], 60)
        self.assertLess(max(map(abs, steps)), 2.0)  # three pictures a tick

    def test_jump(self) -> None:
        """A row that jumps is shown where it is now, and glides nowhere."""
        self.come()
        self.fly(20)
        kite = self.room.world.kite[0]
        kite.x, kite.jumped = 1500, True
        self.ann.act(Steer())
        self.advance(0.1)
        self.assertLess(abs(self.ann.game.rows_in(self.ann.show())[0].x - 1500), 20)
        self.assertEqual(self.predictor.counters["snaps"], 1)

    def test_other_row(self) -> None:
        """Another own row is another thing: nothing glides to it; without one nothing is predicted."""
        self.come()
        self.fly(20)
        player = self.room.players[0]
        player.row.despawn()
        self.advance(0.2)
        self.assertEqual(list(self.ann.show().kite), [])
        self.ann.act(Steer())
        player.row = self.room.world.kite.spawn(x=900, y=900)
        self.fly(10)
        row = self.ann.game.rows_in(self.ann.show())[0]
        self.assertLess(abs(row.x - 900), 60)
        self.assertEqual(self.predictor.counters["snaps"], 0)


class NamingTests(FlightCase):
    """What `predict` is told."""

    def test_faults(self) -> None:
        """Each fault is said."""
        self.come()
        for arguments, text in (
            ((Kite, fly), "predict takes an Input class or its name, not <class"),
            ((Steer, 3), "predict takes a step, which is a function of s and i, not 3"),
            ((Steer, fly, -1.0), "predict: tick_s must be above 0, smooth_s and snap at least 0"),
            ((Steer, fly, 0.1, -1.0), "predict: tick_s must be above 0"),
        ):
            error = self.assertRaises(ConfigError, self.ann.game.predict, *arguments)
            self.assertIn(text, str(error))
        self.assertRaises(LocalProtocolError, self.ann.game.act, "Steering")

    def test_by_name_and_before(self) -> None:
        """By name, and before there is a connection."""
        ann = self.newcomer("ann")
        ann.predict("Steer", fly)
        self.wait(ann.game.connect())
        ann.act("Steer", push=True)
        self.assertEqual(ann.game._room.prediction.predictor.waiting, 1)  # type: ignore[union-attr]

    def test_step_raises(self) -> None:
        """A step that raises does so where it is called, and the input is not sent."""
        self.come()
        self.ann.predict(Steer, lambda s, i: s.nothing)
        self.advance(0.1)
        self.assertRaises(AttributeError, self.ann.act, Steer())
        self.assertEqual(self.predictor.waiting, 0)
        self.ann.show()
        self.fly_on()

    def fly_on(self) -> None:
        """The right step again."""
        self.ann.predict(Steer, fly)
        self.fly(20)
        self.assertEqual(self.differed, 0)

    def test_not_predicted(self) -> None:
        """Without `predict` all inputs are sent, and own rows are shown as all others are."""
        self.ann = self.player("ann")
        for _ in range(3):
            self.ann.act(Steer(push=True))
        self.advance(0.3)
        self.assertEqual(self.ann.me.count, 3)
        self.assertIsNone(self.predictor)
        self.room.players[0].input_bucket = TokenBucket(0, 0)
        self.ann.act(Steer(push=True))
        self.advance(0.2)
        self.assertEqual(self.room.actions.counters["refused"], 1)
        self.assertEqual(self.ann.game.rows_in(self.ann.show())[0].count, 3)
