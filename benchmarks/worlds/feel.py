"""What players feel: how far what is drawn is from what is true, and whether shots hit what was aimed at.

The demo, with real clients and a real server, on a network in memory that is slow, uneven, and now and then loses a packet.
Each picture is compared with what the server made of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import MethodType
from typing import Any, ClassVar, cast

import numpy as np
import txaio

from meteor_net import Action, Fixed, NetworkClient, NetworkConfig, handles
from meteor_net.client.flying import courses
from meteor_net.drift import Drift
from meteor_net.drift.flight import step
from meteor_net.drift.game import CRAFT_RADIUS
from meteor_net.drift.physics import shortest
from meteor_net.drift.world import SIZE, Steer
from meteor_net.testing import MemoryServer, Network

from ..state.progress import say, shown

SEED = 1
PICTURE_S = 1 / 60
#: The link for errors: one way, and by how much it is more or less, in seconds; the share of packets that are lost, and how
#: much later they come again.
WAY_S, UNEVEN_S, LOST, AGAIN_S = 0.1, 0.04, 0.02, 0.2
PLAYERS = 8
FLIGHT_S = 40
#: Until clocks and delays have settled, nothing is measured.
SETTLE_S = 5
#: The link for shots: 250 ms there and back.
SHOT_WAY_S, SHOT_UNEVEN_S = 0.125, 0.02
SHOT_EVERY_S = 0.25
SHOTS_S = 60

Place = tuple[float, float]


class Shoot(Action):
    """At a place, where the shooter sees somebody."""

    slot = Fixed(step=1, low=0, high=1023)
    x = Fixed(step=1 / 64, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 64, low=0, high=SIZE, wrap=True)


class Watched(Drift):
    """The demo, which writes down where each craft was at each tick, and what of each player's inputs was in it.

    Attributes:
        places: Of each slot: ticks, and where the craft was.
        taken: Of each user: sequence numbers, and the tick that had all up to there.
        misses: Of each shot the distance from its target, as rewound and as it is.
    """

    meteorites: ClassVar[bool] = True

    def __init__(self) -> None:
        self.places: dict[int, tuple[list[int], list[Place]]] = {}
        self.taken: dict[str, tuple[list[int], list[int]]] = {}
        self.misses: list[tuple[float, float]] = []

    def opened(self) -> None:
        super().opened()
        if not self.meteorites:
            for meteor in list(self.world.meteor)[1:]:
                meteor.despawn()

    def tick(self, dt: float) -> None:
        super().tick(dt)
        for player in self.room.players:
            ticks, places = self.places.setdefault(player.row.slot, ([], []))
            ticks.append(self.room.tick)
            places.append((player.row.x, player.row.y))
            seqs, taken = self.taken.setdefault(player.user, ([], []))
            seq = player.settled_seq()
            if seq > (seqs[-1] if seqs else 0):
                seqs.append(seq)
                taken.append(self.room.tick)

    @handles(Shoot)
    def shoot(self, player: Any, shoot: Shoot) -> None:
        """Look where the target was when the player shot, and where it is."""
        slot, at = int(shoot.slot), (shoot.x, shoot.y)
        past, now = self.room.rewind(player.seen).craft[slot], self.world.craft[slot]
        self.misses.append((apart((past.x, past.y), at), apart((now.x, now.y), at)))

    def at(self, slot: int, tick: float) -> Place:
        """Where a craft was at a tick, or between two."""
        ticks, places = self.places[slot]
        place = min(max(bisect_right(ticks, tick) - 1, 0), len(ticks) - 2)
        return between(places[place], places[place + 1], tick - ticks[place])

    def tick_of(self, user: str, seq: int) -> int | None:
        """The tick whose version has a player's inputs up to a number; None if it was never taken."""
        seqs, ticks = self.taken[user]
        place = bisect_right(seqs, seq - 1)
        return ticks[place] if place < len(seqs) else None


class Open(Watched):
    """With a single meteorite: nothing but its player moves a craft."""

    meteorites = False


def apart(a: Place, b: Place) -> float:
    """The distance of two places, in a world without edges."""
    return float(np.hypot(shortest(a[0] - b[0], SIZE), shortest(a[1] - b[1], SIZE)))


def between(a: Place, b: Place, part: float) -> Place:
    """A place on the shorter way from one to another."""
    return a[0] + shortest(b[0] - a[0], SIZE) * part, a[1] + shortest(b[1] - a[1], SIZE) * part


class Pilot:
    """A client that steers, and draws 60 pictures a second.

    Attributes:
        game: The client.
        sent: When each input went: times and numbers.
        drawn: Of each picture its time, and the own craft as drawn, and as last received.
        others: Of each picture the tick shown, and the other craft in it by slot.
    """

    def __init__(self, game: NetworkClient, random: Random) -> None:
        self.game = game
        self.sent: tuple[list[float], list[int]] = ([], [])
        self.drawn: list[tuple[float, Place, Place]] = []
        self.others: list[tuple[float, dict[int, Place]]] = []
        self._random = random
        self._courses: dict[str, Any] = {}

    def ready(self) -> None:
        """It is in: choose how to fly."""
        self.game.predict(Steer, step)
        described = self.game.schema.describe()["actions"]
        self._courses = courses(next(each for each in described if each["name"] == "Steer"), self._random)

    def picture(self, now: float, write: bool) -> Any:
        """Steer, and draw; give the world as drawn."""
        before = self._next_seq
        self.game.act(Steer(**{name: course(now) for name, course in self._courses.items()}))
        if self._next_seq > before:
            self.sent[0].append(now)
            self.sent[1].append(before)
        world = self.game.show()
        me = self.game.me
        if write:
            own = world.craft[me.slot]
            self.drawn.append((now, (own.x, own.y), (me.x, me.y)))
            places = {craft.slot: (craft.x, craft.y) for craft in world.craft if craft.slot != me.slot}
            self.others.append((self.game.state_sync.shown, places))
        return world

    @property
    def corrections(self) -> int:
        """How often something came otherwise than predicted."""
        predictor = self.game._room.prediction.predictor
        return 0 if predictor is None else predictor.counters["corrections"]

    @property
    def _next_seq(self) -> int:
        return self.game._room._actions._next_seq

    def errors(self, watched: Watched) -> tuple[list[float], list[float]]:
        """How far the own craft was drawn from where the server had it with the inputs up to then: ours, last received."""
        times, seqs = self.sent
        slot, user = self.game.me.slot, self.game.user
        ours, received = [], []
        for now, own, last in self.drawn:
            place = bisect_right(times, now) - 1
            if not 0 <= place < len(times) - 1:
                continue
            ticks = [watched.tick_of(user, seq) for seq in seqs[place : place + 2]]
            if ticks[0] is None or ticks[1] is None:
                continue
            part = (now - times[place]) / (times[place + 1] - times[place])
            true = between(watched.at(slot, ticks[0]), watched.at(slot, ticks[1]), part)
            ours.append(apart(own, true))
            received.append(apart(last, true))
        return ours, received


def link(random: Random, way_s: float, uneven_s: float, lost: float) -> Any:
    """Give what tells how long bytes are on their way: TCP keeps the order, so what is lost holds all that follows."""

    def delay_s(_: Any) -> float:
        again = AGAIN_S if random.random() < lost else 0.0
        return way_s + uneven_s * random.uniform(-1, 1) + again

    return delay_s


@contextmanager
def flying(
    kind: type[Watched], count: int, way_s: float, uneven_s: float, lost: float
) -> Iterator[tuple[Network, Watched, list[Pilot]]]:
    """Let players fly in a room, each on a link of its own."""
    network = Network(SEED)
    config = cast(Any, txaio).config
    before, config.loop = config.loop, network.clock  # Autobahn's timers run on this
    server = MemoryServer(network, {"drift": kind})
    server.start()
    pilots = []
    try:
        for number in range(count):
            wire, random = network.wire(f"pilot {number}"), Random(f"{SEED}/{number}")
            wire.delay_s = MethodType(link(random, way_s, uneven_s, lost), wire)  # type: ignore[method-assign]
            options: dict[str, Any] = {"reactor": network.clock, "endpoint": wire.endpoint(), "random": Random(number)}
            game = NetworkClient(NetworkConfig(url=server.url, name=f"pilot {number}", **options))
            network.wait(game.connect())
            pilots.append(Pilot(game, random))
            pilots[-1].ready()
        (room,) = server.host.lobby
        yield network, cast(Watched, room.game), pilots
        for pilot in pilots:
            pilot.game.disconnect()
        network.wait(server.stop())
    finally:
        config.loop = before


def rms(values: list[float]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def errors(kind: type[Watched], seconds: float = FLIGHT_S) -> tuple[float, float, float]:
    """Measure how far from the truth is what is drawn.

    Returns:
        Root-mean-square distances in units: the own craft as drawn, and as last received; others as drawn, from where they were
        at the tick shown.
    """
    with flying(kind, PLAYERS, WAY_S, UNEVEN_S, LOST) as (network, watched, pilots):
        for picture in shown(range(int((SETTLE_S + seconds) / PICTURE_S)), f"feel: {kind.__name__.lower()}"):
            network.advance(PICTURE_S)
            for pilot in pilots:
                pilot.picture(network.clock.seconds(), picture * PICTURE_S >= SETTLE_S)
        network.advance(1.0)
        pairs = [pilot.errors(watched) for pilot in pilots]
        ours, received = ([error for pair in pairs for error in pair[side]] for side in (0, 1))
        others = [
            apart(place, watched.at(slot, tick))
            for pilot in pilots
            for tick, places in pilot.others
            for slot, place in places.items()
        ]
        inputs, corrections = sum(len(pilot.sent[0]) for pilot in pilots), sum(pilot.corrections for pilot in pilots)
    say(f"feel: {kind.__name__.lower()}: {len(ours):,} pictures, {inputs:,} inputs, {corrections:,} corrections")
    return rms(ours), rms(received), rms(others)


def shots(seconds: float = SHOTS_S) -> tuple[float, float, list[float]]:
    """Let players shoot at each other, at where they see them.

    Returns:
        Percent that hit with rewind, and without; and by how many units each missed with it.
    """
    with flying(Open, 4, SHOT_WAY_S, SHOT_UNEVEN_S, 0.0) as (network, watched, pilots):
        chance = Random(SEED)
        for picture in shown(range(int((SETTLE_S + seconds) / PICTURE_S)), "feel: shots"):
            network.advance(PICTURE_S)
            worlds = [pilot.picture(network.clock.seconds(), False) for pilot in pilots]
            if picture * PICTURE_S >= SETTLE_S and picture % round(SHOT_EVERY_S / PICTURE_S) == 0:
                number = chance.randrange(len(pilots))
                target = worlds[number].craft[pilots[number - 1].game.me.slot]
                pilots[number].game.act(Shoot(slot=target.slot, x=target.x, y=target.y))
        network.advance(1.0)
        trips = [pilot.game.round_trip_ms or 0.0 for pilot in pilots]
        misses = watched.misses
    rewound, live = ([pair[side] for pair in misses] for side in (0, 1))
    say(f"feel: {len(misses)} shots at a round trip of {np.mean(trips):.0f} ms")
    return percent(rewound), percent(live), rewound


def percent(misses: list[float]) -> float:
    """How many of a hundred shots hit a craft."""
    return 100.0 * sum(miss < CRAFT_RADIUS for miss in misses) / len(misses)


def measure() -> dict[str, float]:
    """Measure, and say what came out."""
    say(f"feel: {PLAYERS} craft, {WAY_S * 1000:g} ± {UNEVEN_S * 1000:g} ms each way, {LOST:.0%} lost and {AGAIN_S:g} s late")
    ratios = []
    for kind, where in ((Open, "among others"), (Watched, "among meteorites too, which hit it")):
        ours, received, others = errors(kind)
        ratios.append(ours / received)
        say(f"feel: {where}: own craft {ours:.2f} units from true, last received {received:.2f}, ratio {ratios[-1]:.3f}")
        say(f"feel: {where}: other craft {others:.2f} units from where they were")
    hit, without, misses = shots()
    say(f"feel: {hit:.1f} % of shots hit, {without:.1f} % without rewind; missed by {np.median(misses):.2f} units (median)")
    return {"feel-error-ratio": ratios[0], "feel-hits": hit}


if __name__ == "__main__":
    print(measure())
