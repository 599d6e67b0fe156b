"""For random schemas, worlds and histories: what is applied is what was there."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.state import Coding, FrameError, Replica, Schema, Step, Stream, Version, World
from meteor_net.state.coding.texts import apply_texts
from meteor_net.state.coding.varint import decode_step
from tests.state.fuzz import LONGEST_S, fuzz, mutated
from tests.state.strategies import happen, schemas

quick = settings(max_examples=60, deadline=None, derandomize=True)


def expected(world: World) -> list[dict[int, tuple[int, dict[str, Any]]]]:
    """Give what a version should hold, row by row, by the fields' own quantization."""
    tables = []
    for table in world.tables:
        rows = {}
        for row in table:
            cells = {field.name: field.to_wire(getattr(row, field.name)) for field in table.layout().wire}
            rows[row.slot] = (row.generation, cells)
        tables.append(rows)
    return tables


def held(version: Version) -> list[dict[int, tuple[int, dict[str, Any]]]]:
    """Give what a version holds, row by row."""
    tables = []
    for kind, table in zip(version.schema.tables, version.tables, strict=True):
        layout, rows = kind.layout(), {}
        for slot, alive in enumerate(table.alive.tolist()):
            cells: dict[str, Any] = {name: table.ints[place, slot].tolist() for name, place in layout.places.items()}
            cells |= {f.name: text[slot] for (_, f), text in zip(layout.texts, table.texts, strict=True)}
            if alive:
                rows[slot] = (int(table.generation[slot]), cells)
            else:
                assert not table.ints[:, slot].any() and not table.generation[slot]
                assert not any(text[slot] for text in table.texts)
        tables.append(rows)
    return tables


def take(replica: Replica, step: Step) -> None:
    """Give a replica a frame."""
    replica.apply(step.tick16, step.base_code, step.data, step.texts)


def apply(base: Version, step: Step) -> Version:
    """Apply a step to a version, as a replica that holds it would."""
    tables, crc = decode_step(base, step.data)
    if step.texts is not None:
        apply_texts(base, tables, step.texts)
    version = Version(base.schema, 0, step.tick, tuple(tables))
    assert crc in (None, version.crc())
    return version


def history(draw: Any, schema: Schema, commits: int = 6) -> Stream:
    """Let things happen in a world, and commit now and then."""
    world = World(schema, 1)
    stream = Stream(world)
    for tick in range(1, commits + 1):
        for _ in range(draw(st.integers(0, 4))):
            happen(draw, world)
        stream.commit(tick, check=draw(st.booleans()))
    return stream


class PropertyTests(SynchronousTestCase):
    """Every step from every base."""

    @quick
    @given(st.data())
    def test_commit(self, data: st.DataObject) -> None:
        """A version holds each row as its fields alone would quantize it; free slots are zero."""
        schema = data.draw(schemas())
        world = World(schema, 1)
        stream = Stream(world)
        for tick in range(1, 5):
            for _ in range(data.draw(st.integers(0, 4))):
                happen(data.draw, world)
            before = held(stream.version)
            changed = stream.commit(tick)
            self.assertEqual(held(stream.version), expected(world))
            self.assertEqual(changed, before != held(stream.version))

    @quick
    @given(st.data())
    def test_every_base(self, data: st.DataObject) -> None:
        """From every version that is held, and from nothing, one step leads to the newest."""
        stream = history(data.draw, data.draw(schemas()))
        newest = stream.version
        for tick in range(newest.tick):
            base = stream.held(tick)
            assert base is not None
            version = apply(base, stream.step(base.number))
            self.assertTrue(version.same(newest))
            self.assertEqual(version.crc(), newest.crc())

    @quick
    @given(st.data(), st.integers(0, 1))
    def test_every_base_then_follow(self, data: st.DataObject, coding: int) -> None:
        """From every base one frame leads to the newest, and the frames that all share lead on from there."""
        stream = history(data.draw, data.draw(schemas()))
        newest = stream.version
        replicas = []
        for number in range(newest.number):
            replica = Replica(newest.schema, 1)
            bases = [version for version in stream._ring if version.number in (number - 1, number)]
            replica._base, replica._before = bases[-1], bases[0] if len(bases) > 1 else None
            replicas.append(replica)
            take(replica, stream.step(number, coding))
            self.assertTrue(replica.version.same(newest))
        for tick in range(7, 10):
            for _ in range(data.draw(st.integers(0, 3))):
                happen(data.draw, stream.world)
            if stream.commit(tick, check=data.draw(st.booleans())) and stream.version.number > 1:
                step = stream.step(stream.version.number - 1, coding)
                for replica in replicas:
                    take(replica, step)
                    self.assertTrue(replica.version.same(stream.version))

    @quick
    @given(st.data(), st.integers(0, 1))
    def test_strangers_schema(self, data: st.DataObject, coding: int) -> None:
        """A client that knows the schema by its description alone reads the same."""
        stream = history(data.draw, data.draw(schemas()), commits=2)
        schema = stream.version.schema
        parsed = Schema.parse(schema.describe())
        self.assertEqual(parsed.hash, schema.hash)
        replica = Replica(parsed, 1)
        take(replica, stream.step(None, coding))
        self.assertEqual(held(replica.version), held(stream.version))


class MutationTests(SynchronousTestCase):
    """Frames that were changed on the way."""

    def test_soon(self) -> None:
        """Some thousands of them, of each coding: most are refused, none takes long; `make fuzz-state` tries many more."""
        for coding in Coding:
            refused, longest = fuzz(coding, 1_500)
            self.assertGreater(refused, 500)
            self.assertLess(longest, 5 * LONGEST_S)  # other tests run beside

    @quick
    @given(st.data(), st.integers(0, 2**32), st.sampled_from(Coding))
    def test_refused_or_applied(self, data: st.DataObject, seed: int, coding: Coding) -> None:
        """A changed frame is refused with nothing changed, or leads to a version that is well formed."""
        stream = history(data.draw, data.draw(schemas()))
        newest, base = stream.version, stream.held(data.draw(st.integers(0, 5)))
        assert base is not None
        if base is newest:
            return
        step = stream.step(base.number, coding)
        chance = random.Random(seed)
        before = held(base)
        for _ in range(30):
            replica = Replica(newest.schema, 1)
            replica.version = replica._base = base
            replica._before = stream._ring[max(base.number - 1, 0)]
            code = step.base_code if chance.random() < 0.9 else chance.randrange(32)
            try:
                version = replica.apply(step.tick16, code, mutated(step.data, chance), step.texts)
            except FrameError:
                self.assertIs(replica.version, base)
            else:
                self.check(version)
                Version.crc(version)
            self.assertEqual(held(base), before)

    def check(self, version: Version) -> None:
        """Check that a version keeps every bound, and can be shown and stepped from."""
        for kind, rows in zip(version.schema.tables, held(version), strict=True):
            for slot, (generation, cells) in rows.items():
                self.assertTrue(0 <= slot < 16_384 and 0 <= generation < 65_536)
                for field in kind.layout().wire:
                    field.from_wire(cells[field.name])
