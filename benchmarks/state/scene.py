"""A second scene of rigid bodies, made here: nothing in the package was ever tuned for it.

Boxes lie on a floor. A player runs about, and kicks what is near: it flies, tumbles, bounces, slides and comes to rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BODIES, FRAMES, SEED = 600, 1_200, 5
STEP_S = 1 / 60
GRAVITY, RESTITUTION, FRICTION = 20.0, 0.4, 0.9
REACH, REST_SPEED, HALF_EDGE = 1.5, 0.3, 0.2
#: Frames for which a body counts as touched.
TOUCHED = 30
#: Units of a metre, and steps of a component of a quaternion, as in the recorded cubes.
UNITS, STEPS = 512, 511


@dataclass
class Bodies:
    """What the scene is made of, one column a body."""

    place: Floats
    velocity: Floats
    turn: Floats  # quaternions, x y z w
    spin: Floats
    touched: NDArray[np.int64]


def tumbling(bodies: int = BODIES, frames: int = FRAMES, seed: int = SEED) -> NDArray[np.int16]:
    """Give the scene frame by frame, 60 a second.

    Returns:
        Shape (frames, bodies, 8), as in the recorded cubes: largest, a, b, c, x, y, z, touched.
    """
    random = np.random.default_rng(seed)
    now = Bodies(
        np.vstack([random.uniform(-14, 14, (2, bodies)), np.full((1, bodies), HALF_EDGE)]),
        np.zeros((3, bodies)),
        np.repeat([[0.0], [0.0], [0.0], [1.0]], bodies, axis=1),
        np.zeros((3, bodies)),
        np.zeros(bodies, dtype=np.int64),
    )
    made = np.empty((frames, bodies, 8), dtype=np.int16)
    for frame in range(frames):
        time_s = frame * STEP_S
        player = np.array([12 * np.sin(0.7 * time_s), 12 * np.sin(0.9 * time_s + 1), HALF_EDGE])
        _kick(now, player, random)
        _move(now)
        made[frame] = _quantized(now).T
    return made


def _kick(now: Bodies, player: Floats, random: np.random.Generator) -> None:
    away = now.place - player[:, None]
    near = np.linalg.norm(away, axis=0) < REACH
    count = int(near.sum())
    now.touched = np.where(near, TOUCHED, np.maximum(now.touched - 1, 0))
    hit = near & (random.random(near.shape) < 0.2)
    kicks = random.normal(0, 1, (3, int(hit.sum())))
    if count:
        now.velocity[:, hit] = 2 * away[:, hit] + kicks
        now.velocity[2, hit] = np.abs(now.velocity[2, hit]) + 3
        now.spin[:, hit] += 4 * kicks


def _move(now: Bodies) -> None:
    moving = (np.abs(now.velocity).max(axis=0) > 0) | (now.place[2] > HALF_EDGE)
    now.velocity[2, moving] -= GRAVITY * STEP_S
    now.place += now.velocity * STEP_S
    now.place[:2] = np.clip(now.place[:2], -31, 31)
    landed = moving & (now.place[2] < HALF_EDGE)
    now.place[2, landed] = HALF_EDGE
    now.velocity[2, landed] *= -RESTITUTION
    now.velocity[:2, landed] *= FRICTION
    now.spin[:, landed] *= FRICTION
    rest = landed & (np.linalg.norm(now.velocity, axis=0) < REST_SPEED)
    now.velocity[:, rest] = 0
    now.spin[:, rest] = 0
    x, y, z, w = now.turn
    i, j, k = now.spin * (STEP_S / 2)
    now.turn = now.turn + np.array(
        [i * w + j * z - k * y, j * w + k * x - i * z, k * w + i * y - j * x, -i * x - j * y - k * z],
    )
    now.turn /= np.linalg.norm(now.turn, axis=0)


def _quantized(now: Bodies) -> NDArray[np.int64]:
    bodies = np.arange(now.turn.shape[1])
    largest = np.abs(now.turn).argmax(axis=0)
    turn = now.turn * np.where(now.turn[largest, bodies] < 0, -1, 1)
    three = np.array([[other for other in range(4) if other != one] for one in range(4)])[largest].T
    parts = (turn[three, bodies] + np.sqrt(0.5)) / np.sqrt(2) * STEPS
    rows = np.vstack([largest, parts, now.place * UNITS, now.touched > 0])
    return np.floor(rows + 0.5).astype(np.int64)
