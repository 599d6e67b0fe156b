"""A crowd of 5,000 in one world: each browser is told of the several hundred that it looks at."""

import numpy as np

from meteor_net import Angle, Cells, Fixed, Game, Input, IPlayer, Local, Table, handles

SIZE, AGENTS, SQUARES = 2048, 5000, 64
NEAR, EASY = SIZE / SQUARES, 12  # the side of a square; how many neighbours are good company


class Agent(Table):
    """One of the crowd. Players are told of the cells within 400 units of where they look."""

    max_rows = AGENTS
    x = Fixed(step=1 / 8, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1 / 8, low=0, high=SIZE, wrap=True)
    way = Angle(bits=8)
    pace = Local(float)  # units a second; the server's own
    cell = Cells(64, sight=400)


class Look(Input):
    """A page looks from another point. Before its first it sees nobody."""

    x = Fixed(step=1, low=0, high=SIZE, wrap=True)
    y = Fixed(step=1, low=0, high=SIZE, wrap=True)


class Crowd(Game):
    """Everybody likes company, but not a crush, goes the way that the neighbours go, and has whims."""

    tables, tick_hz, max_players, page = (Agent,), 10, 1000, "page"

    def opened(self) -> None:
        for x, y, turn, pace in self.rng.uniform(0, 1, (AGENTS, 4)).tolist():
            self.world.agent.spawn(x=x * SIZE, y=y * SIZE, way=turn * 2 * np.pi, pace=20 + 20 * pace)

    @handles(Look)
    def look(self, player: IPlayer, look: Look) -> None:
        player.look(look.x, look.y)

    def tick(self, dt: float) -> None:
        a, turn = self.world.agent, 2 * np.pi
        square = (a.y // NEAR).astype(int) % SQUARES * SQUARES + (a.x // NEAR).astype(int) % SQUARES
        sums = np.array([np.bincount(square, each, SQUARES**2) for each in (np.ones(AGENTS), np.cos(a.way), np.sin(a.way))])
        sums = sums.reshape(3, SQUARES, SQUARES)
        for axis in (1, 2):  # each square and the eight around it
            sums = sums + np.roll(sums, 1, axis) + np.roll(sums, -1, axis)
        company, ways = sums[0], sums[1:]
        crush = (company - EASY) ** 2 / (40 * EASY)  # nobody around is as bad as too many
        escape = np.array([np.roll(crush, 1, axis) - np.roll(crush, -1, axis) for axis in (1, 0)])
        wish = (ways / np.maximum(company, 1) + escape).reshape(2, -1)[:, square]
        east, south, slow = turn * a.x / SIZE, turn * a.y / SIZE, 0.03 * dt * self.room.tick
        wish += 0.35 * np.sin([3 * south + 2 * np.sin(east + slow), 2 * east + 2 * np.sin(south - slow)])
        wish += self.rng.normal(0, 0.7, (2, AGENTS))
        a.way = (a.way + 1.5 * dt * ((np.arctan2(wish[1], wish[0]) - a.way + np.pi) % turn - np.pi)) % turn
        a.x = (a.x + a.pace * dt * np.cos(a.way)) % SIZE
        a.y = (a.y + a.pace * dt * np.sin(a.way)) % SIZE
