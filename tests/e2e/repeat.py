"""A long stormy day in a harbour, told line by line: the same seed must tell the same.

`python -m tests.e2e.repeat SEED` prints it.
"""

from __future__ import annotations

import sys
import unittest

from meteor_net import Refused
from meteor_net.testing import GameTestCase, PlayerHandle
from tests.server.harbour import Buy, Harbour, Steer


class Busy(Harbour):
    """A harbour with chance in it."""

    max_players = 64

    def tick(self, dt: float) -> None:
        super().tick(dt)
        ships = self.world.ship
        if len(ships):
            ships.x += self.rng.uniform(-5, 5, len(ships.x))
        if self.random.random() < 0.02:
            self.room.notice(f"a gull cries {self.random.random()}")


class Day(GameTestCase):
    """Everything that has chance in it: jitter, pieces, ids, tokens, epochs, backoff, the game's own."""

    game, jitter_s, chunk_bytes = Busy, 0.03, 40
    seed = int(sys.argv[1]) if __name__ == "__main__" else 1

    def story(self) -> None:
        """Let players come and go, and networks and servers fail."""
        fate = self.network.seeds.random("fate")
        players = [self.player(f"p{number}") for number in range(6)]
        for player in players[:4]:  # what is sent to these arrives at the same moment: nothing but order tells them apart
            player.network.jitter_s, player.network.chunk_bytes = 0.0, None
        for hour in range(24):
            player = fate.choice(players)
            match fate.randrange(7):
                case 0:
                    player.network.stall(fate.uniform(0.1, 3.0))
                case 1:
                    player.network.cut(fate.uniform(0.0, 2.0))
                case 2:
                    players.append(self.player(f"q{hour}"))
                case 3 if len(players) > 3:
                    players.remove(player)
                    player.leave()
                case 4:
                    self.attempt(player)
                case _:
                    player.act(Steer(thrust=True))
            player.game.say(f"it is {hour} o'clock").addErrback(lambda _: None)
            self.advance(fate.uniform(0.0, 1.5))
            if hour == 15:
                self.stop_server()
                self.start_server()
                self.advance(30.0)
            self.tell(players)

    def attempt(self, player: PlayerHandle) -> None:
        """Buy something, which may be refused, or lost on the way."""
        try:
            print(player.act(Buy(what="bottle")))
        except Refused as refused:
            print(refused.reason, refused)

    def tell(self, players: list[PlayerHandle]) -> None:
        """Print all that there is to be seen."""
        print(f"--- {self.network.clock.seconds():.9f}")
        for player in players:
            game = player.game
            print(game.user, player.statuses, player.gaps, game.round_trip_ms, game.report().totals)
            print([(line.time, line.cid, line.text) for line in game.chat.message_history][-5:], player.events)
            print(self.room.world.epoch, player.world.ship.x.tolist())
        for session in self.server.host.registry:
            print(session.id, session.tokens, session.counters)
        print(self.server.host.counters, *self.network.log, sep="\n")
        self.network.log.clear()


if __name__ == "__main__":
    result = unittest.TestResult()
    Day("story").run(result)
    for _, text in [*result.errors, *result.failures]:
        print(text, file=sys.stderr)
    sys.exit(not result.wasSuccessful())
