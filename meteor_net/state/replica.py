"""The client's copy of a world, kept by frames."""

from __future__ import annotations

from meteor_net.state.coding import Coding, eg, varint
from meteor_net.state.coding.texts import apply_texts
from meteor_net.state.documents.docs import apply_docs
from meteor_net.state.errors import FrameError
from meteor_net.state.schema import Schema
from meteor_net.state.sight.decode import InSight
from meteor_net.state.version import Version
from meteor_net.state.view import WorldView


class Replica:
    """Applies frames to what it holds, or refuses them and stays as it is.

    Args:
        schema: Of the world.
        epoch: Of the world; another epoch wants another replica.

    Attributes:
        schema, epoch: As given.
        version: The newest version, keyed tables with what is in sight; the empty one at first. Its number
            counts from the first frame.
        previous: The version before; the same as `version` at first.
        world: The newest version to look at. It and its rows follow as frames are applied.
    """

    def __init__(self, schema: Schema, epoch: int) -> None:
        self.schema = schema
        self.epoch = epoch
        self.version = self.previous = Version.empty(schema)
        self.world = WorldView(self.version)
        self._known_tick = 0
        # As the codings know them, with keyed tables empty: the newest version, and the one just before as `eg` needs it.
        self._base = self.version
        self._before: Version | None = None
        self._in_sight = InSight(schema)

    @property
    def tick(self) -> int:
        """The tick of the newest version: what HELD tells; 0 before the first frame."""
        return self.version.tick

    def note_tick(self, tick: int) -> None:
        """Learn the room's tick from JOINED or CLOCK: the ticks of frames are unwrapped near it."""
        self._known_tick = tick

    def crc(self) -> int:
        """Give the checksum of the newest version (wire clause 8.7); keyed tables are not in it."""
        return self._base.crc()

    def apply(
        self, tick16: int, base: int, data: bytes, texts: object = None, sight: bytes = b"", docs: bytes = b""
    ) -> Version:
        """Apply a frame (wire clause 8.3): its items from `tick16` on.

        Returns:
            The new version.

        Raises:
            FrameError: it cannot be applied, or the checksum differs; nothing has changed, and LOST is
                to be sent.
        """
        if type(tick16) is not int or not 0 <= tick16 <= 0xFFFF:
            raise FrameError("the frame's tick must be an integer of 0 to 65,535")
        if type(base) is not int or base < 0 or not type(data) is type(sight) is type(docs) is bytes:
            raise FrameError("the frame's base must be an integer; its data, sight and docs bytes")
        back, coding = divmod(base, 8)
        if coding not in (Coding.VARINT, Coding.EG):
            raise FrameError(f"coding {coding} is not known")
        if back and not self._base.number:
            raise FrameError("a step before any keyframe")
        old = self._base if back else Version.empty(self.schema)
        before: Version | None
        if coding == Coding.EG:
            tables, crc, before = eg.decode_frame(back, self._before, old, data)
        else:
            tables, crc = varint.decode_step(old, data)
            before = old if back == 1 else None
        if texts is not None:
            apply_texts(old, tables, texts)
        pure = Version(self.schema, self._base.number + (back or 1), self._unwrap(tick16), tuple(tables))
        if crc is not None and crc != pure.crc():
            raise FrameError("the checksum differs")
        pure.docs = apply_docs(old.docs, docs)
        in_sight = self._in_sight.apply(sight, back == 0, pure.tick)
        new = pure
        if in_sight.tables:
            new = Version(self.schema, pure.number, pure.tick, in_sight.compose(tables))
            new.docs = pure.docs
        self.previous = self.version if self.version.number else new
        self.version = new
        self._base, self._before, self._in_sight = pure, before, in_sight
        self._known_tick = max(self._known_tick, new.tick)
        self.world._show(new)
        return new

    def _unwrap(self, tick16: int) -> int:
        """Give the tick of those 16 bits that is nearest to the one last known."""
        tick = self._known_tick + ((tick16 - self._known_tick + 0x8000) & 0xFFFF) - 0x8000
        return tick if tick >= 0 else tick + 0x10000
