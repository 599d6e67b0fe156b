"""A world, its stream, and a client that follows it: what is sent is decoded and compared at once."""

from __future__ import annotations

from time import thread_time_ns

from meteor_net.codec import encode_packet
from meteor_net.messages import Frame
from meteor_net.state import Replica, Schema, Step, Stream, Table, World

#: The codings of a frame (wire clause 8.3); the first is the one that the figures are about.
CODINGS = {"eg": 1, "varint": 0}
DEFAULT = "eg"


class Mismatch(Exception):
    """A client holds something else than was committed."""


def make_world(*tables: type[Table]) -> World:
    """Make an empty world of these tables."""
    return World(Schema(tables), 1)


def newest_step(stream: Stream, coding: str) -> Step:
    """Give the step that all followers get."""
    return stream.step(stream.version.number - 1, CODINGS[coding])


class Channel:
    """Commits a world, and lets one client follow.

    Args:
        world: Whose owner writes its tables, and then calls `send`.
        coding: Of the frames.
        first_tick: Of the first version.

    Attributes:
        sizes: Bytes of the payload of each `send`; 0 where nothing had changed. The first is a keyframe.
        encode_ns, decode_ns: CPU time of commit and encode, and of decode, of each `send`.
        packets: The frames as messages, as they travel.
        crcs: The checksum of the version that each frame leads to.
    """

    def __init__(self, world: World, coding: str = DEFAULT, first_tick: int = 1) -> None:
        self.world = world
        self.coding = coding
        self.stream = Stream(world)
        self.replica = Replica(world.schema, world.epoch)
        self.replica.note_tick(first_tick)
        self.sizes: list[int] = []
        self.encode_ns: list[int] = []
        self.decode_ns: list[int] = []
        self.packets: list[bytes] = []
        self.crcs: list[int] = []
        self._tick = first_tick - 1

    def send(self, check: bool = False) -> int:
        """Commit, encode, decode, compare.

        Args:
            check: The frame carries a checksum, as one does about every second.

        Returns:
            Bytes of the payload.

        Raises:
            Mismatch: the client holds another version.
        """
        self._tick += 1
        began = thread_time_ns()
        step = newest_step(self.stream, self.coding) if self.stream.commit(self._tick, check) else None
        self.encode_ns.append(thread_time_ns() - began)
        if step is None:
            self.sizes.append(0)
            return 0
        if step.texts:
            raise Mismatch("texts are not counted here")
        began = thread_time_ns()
        held = self.replica.apply(step.tick16, step.base_code, step.data)
        self.decode_ns.append(thread_time_ns() - began)
        if not held.same(self.stream.version):
            raise Mismatch(f"{self.coding}: frame {len(self.sizes)} leads to another version")
        self.sizes.append(len(step.data))
        self.packets.append(encode_packet([Frame(1, step.tick16, step.base_code, step.data)]))
        self.crcs.append(held.crc())
        return len(step.data)

    @property
    def following(self) -> list[int]:
        """Sizes without the first, which is a keyframe."""
        return self.sizes[1:]
