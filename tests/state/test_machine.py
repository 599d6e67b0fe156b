"""A world with clients that come late, are slow, lose their base, or are cut off: all end where the world is."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import BaseLost
from meteor_net.limits import Limits
from meteor_net.state import Replica, Schema, Stream, World, WorldView
from tests.state.strategies import happen, schemas

#: So few versions that slow clients lose their base.
RING = 4


class Client:
    """A replica, the coding that it reads, and the number of the version that the server thinks it holds."""

    def __init__(self, schema: Schema, coding: int) -> None:
        self.coding = coding
        self.replica = Replica(Schema.parse(schema.describe()), 1)
        self.held: int | None = None


class StreamMachine(RuleBasedStateMachine):
    """What a room does with a stream."""

    @initialize(schema=schemas(), start=st.sampled_from([1, 65_530, 10_000_000]))
    def begin(self, schema: Schema, start: int) -> None:
        """Open the world."""
        self.schema = schema
        self.world = World(schema, 1)
        self.stream = Stream(self.world, Limits(ring_versions=RING))
        self.stream.commit(start)
        self.tick = start + 1
        self.clients: list[Client] = []

    @rule(data=st.data(), things=st.integers(0, 4), check=st.booleans())
    def run_tick(self, data: st.DataObject, things: int, check: bool) -> None:
        """Some things happen, and the tick is committed."""
        for _ in range(things):
            happen(data.draw, self.world)
        self.stream.commit(self.tick, check)
        self.tick += 1

    @rule(ticks=st.integers(2, 30_000))
    def rest(self, ticks: int) -> None:
        """Nothing happens for long; the clients are told the tick now and then."""
        self.tick += ticks
        self.stream.commit(self.tick)
        self.tick += 1
        for client in self.clients:
            client.replica.note_tick(self.tick)

    @precondition(lambda self: len(self.clients) < 4)
    @rule(coding=st.integers(0, 1))
    def join(self, coding: int) -> None:
        """A client joins, and is told the tick; a world that was touched sends it a keyframe."""
        client = Client(self.schema, coding)
        client.replica.note_tick(self.tick)
        self.clients.append(client)

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        """One client is brought to the present, by a step if its base is held."""
        client = data.draw(st.sampled_from(self.clients))
        newest = self.stream.version
        if client.held == newest.number:
            return
        try:
            step = self.stream.step(client.held, client.coding)
        except BaseLost:
            assert client.held is not None and newest.number - client.held >= RING
            step = self.stream.step(None, client.coding)
        version = client.replica.apply(step.tick16, step.base_code, step.data, step.texts)
        client.held = newest.number
        assert newest.tick <= version.tick <= self.tick
        assert version.same(newest) and version.crc() == newest.crc()

    @precondition(lambda self: self.clients)
    @rule()
    def follow(self) -> None:
        """Whoever stands at the version before the newest gets the shared step."""
        newest = self.stream.version
        for client in self.clients:
            if newest.number > 1 and client.held == newest.number - 1:
                step = self.stream.step(client.held, client.coding)
                client.replica.apply(step.tick16, step.base_code, step.data, step.texts)
                client.held = newest.number
                assert client.replica.version.same(newest)

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """A client that was cut off comes back and names the tick it holds."""
        client = data.draw(st.sampled_from(self.clients))
        if client.held:
            version = self.stream.held(client.replica.tick)
            assert version is None or version.number == client.held
            client.held = version.number if version else None
            client.replica.note_tick(self.tick)

    @invariant()
    def bounded(self) -> None:
        """The ring keeps to its bound, and everybody can look at what they hold."""
        if hasattr(self, "stream"):
            assert self.stream.size_of_ring <= RING
            for client in self.clients:
                view: WorldView = client.replica.world
                for table in view.tables:
                    assert len(list(table)) == len(table)


class StreamMachineTests(SynchronousTestCase):
    """Any order of the rules above."""

    def test_machine(self) -> None:
        """Whoever is sent a step or a keyframe stands where the world stands."""
        run_state_machine_as_test(
            StreamMachine,
            settings=settings(max_examples=60, stateful_step_count=20, deadline=None, derandomize=True),
        )
