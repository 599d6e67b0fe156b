"""The recorded cubes: 901 rigid bodies at 60 Hz, of which a player throws some about."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import thread_time_ns

import numpy as np
from numpy.typing import NDArray

from meteor_net.state import Fixed, Flag, Quaternion, Table, World

from .browser import decode_again
from .channel import CODINGS, DEFAULT, Channel, Mismatch, make_world
from .progress import say, shown
from .scene import tumbling

Frames = NDArray[np.int16]

VARIABLE = "METEOR_CUBES"
BESIDE = Path("..", "shared", "data", "cubes", "cubes_regen_a.npz")
UNITS = 512
#: Frames before the times count, and passes of the decoder in JavaScript.
WARM_UP, PASSES = 100, 5


#: The difference of two recorded components of a quaternion; the components besides the largest, by the place of that.
STEP = np.sqrt(2) / 511
OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
#: What is added to a recorded integer on the wire: x and y begin at -32 m.
FIRST = np.array([[0], [0], [0], [0], [32 * UNITS], [32 * UNITS], [0], [0]])


class Cube(Table):
    """One body: how it is turned, and its place in metres."""

    max_rows = 1_024
    turn = Quaternion(bits=9)
    x = Fixed(step=1 / UNITS, low=-32, high=32)
    y = Fixed(step=1 / UNITS, low=-32, high=32)
    z = Fixed(step=1 / UNITS, low=0, high=16)
    interacting = Flag()


def find(given: Path | None) -> Path:
    """Find the recording.

    Args:
        given: Where somebody says that it is.

    Raises:
        RuntimeError: it is not there; the text says what to do.
    """
    named = os.environ.get(VARIABLE)
    path = given or (Path(named) if named else Path(__file__).parents[2] / BESIDE)
    if path.is_file():
        return path
    raise RuntimeError(
        f"the recorded cubes are not at {path}: name the file by --cubes FILE or {VARIABLE}=FILE. It is an .npz"
        " with an array `cubes` of int16, shape (frames, bodies, 8): largest, a, b, c, x, y, z, interacting.",
    )


def load(path: Path) -> Frames:
    """Read a recording."""
    with np.load(path) as file:
        frames: Frames = file["cubes"]
    if frames.dtype != np.int16 or frames.ndim != 3 or frames.shape[2] != 8:
        raise RuntimeError(f"{path}: an array of int16, shape (frames, bodies, 8), is needed, not {frames.shape}")
    return frames


def begin(bodies: int) -> World:
    """Make a world with so many bodies."""
    world = make_world(Cube)
    for _ in range(bodies):
        world.cube.spawn()
    return world


def place(world: World, frame: Frames) -> None:
    """Write a frame into the world's table."""
    table, columns = world.cube, frame.T
    table.turn = rotations(columns[:4].astype(np.int64))
    table.x, table.y, table.z = columns[4:7] / UNITS
    table.interacting = columns[7] != 0


def rotations(recorded: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give rotations whose integers are the recorded ones: largest, and the other three in 9 bits.

    Where a rounded component is so near to the largest that it could pass for it, all are moved towards 0, within their steps.
    """
    largest, three = recorded[0], recorded[1:]
    bodies, others = np.arange(len(largest)), OTHERS[largest].T
    numbers = three * STEP - np.sqrt(0.5)
    near = np.abs(numbers).max(axis=0) >= np.sqrt(1 - (numbers**2).sum(axis=0)) - 1e-6
    numbers -= np.sign(numbers) * near * 0.49 * STEP
    turned = np.empty((len(largest), 4))
    turned[bodies, others] = numbers
    turned[bodies, largest] = np.sqrt(1 - (numbers**2).sum(axis=0))
    return turned


def send(channel: Channel, frame: Frames) -> None:
    """Write a frame, send it, and look whether the client holds the very integers of the recording.

    Raises:
        Mismatch: it does not.
    """
    place(channel.world, frame)
    channel.send()
    if not np.array_equal(channel.replica.version.tables[0].ints - FIRST, frame.T):
        raise Mismatch("the client holds other integers than the recording")


def follow(frames: Frames, coding: str, every: int, first: int = 0) -> Channel:
    """Send one of so many frames, each against the one sent before."""
    channel = Channel(begin(frames.shape[1]), coding)
    for frame in shown(frames[first::every], f"cubes, {coding}, {60 / every:g} Hz"):
        send(channel, frame)
    return channel


def beside_zlib(frames: Frames) -> tuple[Channel, dict[str, float]]:
    """Send every third frame, and let zlib pack and unpack the same in turns with us.

    Returns:
        The channel, and medians in ms: encode, decode, pack, unpack.
    """
    channel = Channel(begin(frames.shape[1]))
    pack_ns, unpack_ns = [], []
    for frame in shown(frames[::3], "cubes beside zlib"):
        send(channel, frame)
        began = thread_time_ns()
        packed = zlib.compress(np.ascontiguousarray(frame.T).tobytes(), 6)
        between = thread_time_ns()
        unpacked = np.frombuffer(zlib.decompress(packed), dtype=np.int16).reshape(8, -1)
        unpack_ns.append(thread_time_ns() - between)
        pack_ns.append(between - began)
        assert unpacked.shape[1] == frame.shape[0]
    taken = {"encode": channel.encode_ns, "decode": channel.decode_ns, "pack": pack_ns, "unpack": unpack_ns}
    return channel, {name: median(each[WARM_UP:]) / 1e6 for name, each in taken.items()}


def mean(channels: Sequence[Channel]) -> float:
    """Give the mean size of all frames that are no keyframes."""
    return float(np.mean([size for channel in channels for size in channel.following]))


def measure(path: Path) -> Mapping[str, float]:
    """Measure the recording; print the same of the scene that is made here."""
    frames = load(path)
    say(f"cubes: {path.name}, {frames.shape[1]} bodies, {frames.shape[0]} frames; coding {DEFAULT}")
    at_20, ms = beside_zlib(frames)
    at_60 = follow(frames, DEFAULT, 1)
    back = [follow(frames, DEFAULT, 6, first) for first in range(6)]
    plain = [follow(frames, "varint", every) for every in (3, 1)]
    say("  the same in JavaScript")
    js_us = decode_again([at_20, at_60, plain[0]], PASSES)
    decode_again([*back, plain[1]])
    _show_sizes(at_20)
    say(f"  varint: {mean(plain[:1]):.1f} bytes at 20 Hz, {mean(plain[1:]):.1f} at 60 Hz; JavaScript {js_us[2]:.1f} µs a frame")
    say(f"  CPU of a frame: commit and encode {ms['encode']:.3f} ms, decode {ms['decode']:.3f} ms")
    say(f"  zlib, level 6: pack {ms['pack']:.3f} ms, unpack {ms['unpack']:.3f} ms")
    _measure_scene()
    return {
        "cubes-20hz": mean([at_20]),
        "cubes-60hz": mean([at_60]),
        "cubes-6back": mean(back),
        "cubes-encode-ratio": ms["encode"] / ms["pack"],
        "cubes-decode-ratio": ms["decode"] / ms["unpack"],
        "cubes-js-decode-us": js_us[0],
    }


def _show_sizes(channel: Channel) -> None:
    low, middle, high, most = np.percentile(channel.following, [5, 50, 95, 100])
    say(f"  bytes at 20 Hz: half below {middle:.0f}, 5 % below {low:.0f}, 95 % below {high:.0f}, at most {most:.0f}")
    say(f"  keyframe: {channel.sizes[0]} bytes")


def _measure_scene() -> None:
    frames = tumbling()
    made = [follow(frames, coding, 3) for coding in CODINGS]
    decode_again(made)
    packed = np.mean([len(zlib.compress(np.ascontiguousarray(frame.T).tobytes(), 6)) for frame in frames[::30]])
    changed = np.mean((frames[3::3] != frames[:-3:3]).any(axis=2))
    sizes = ", ".join(f"{channel.coding} {mean([channel]):.1f}" for channel in made)
    say(f"  another scene, made here: {frames.shape[1]} bodies, {100 * changed:.1f} % change a frame; bytes at 20 Hz: {sizes}")
    say(f"    (whole frames by zlib: {packed:.0f})")
