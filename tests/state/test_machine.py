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
from meteor_net.state import Replica, Schema, Step, Stream, Version, World, WorldView
from tests.state.strategies import happen, schemas

#: So few versions that slow clients lose their base.
RING = 4
#: The same runs each time.
SETTINGS = settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True)


class Client:
    """A replica, the coding that it reads, and the number of the version that the server thinks it holds."""

    def __init__(self, schema: Schema, coding: int) -> None:
        self.coding = coding
        self.replica = Replica(Schema.parse(schema.describe()), 1)
        self.held: int | None = None
        #: All that it was told: ticks, and steps with the checksum that they lead to.
        self.story: list[int | tuple[Step, int]] = []

    def note(self, tick: int) -> None:
        """Hear the room's tick."""
        self.replica.note_tick(tick)
        self.story.append(tick)

    def take(self, step: Step, newest: Version) -> None:
        """Apply the step to the newest version."""
        version = self.replica.apply(step.tick16, step.base_code, step.data, step.texts)
        self.held = newest.number
        self.story.append((step, newest.crc()))
        assert version.tick == step.tick
        assert version.same(newest) and version.crc() == newest.crc()


class StreamMachine(RuleBasedStateMachine):
    """What a room does with a stream."""

    @initialize(schema=schemas(), start=st.sampled_from([1, 65_530, 10_000_000]))
    def begin(self, schema: Schema, start: int) -> None:
        """Open the world."""
        self.schema = schema
        self.world = World(schema, 1)
        for table in self.world.tables:
            table.spawn()
        self.stream = Stream(self.world, Limits(ring_versions=RING))
        self.stream.commit(start)
        self.tick = start + 1
        self.clients: list[Client] = []
        for coding in (0, 1):
            self.join(coding)

    @rule(data=st.data(), things=st.integers(1, 4), check=st.booleans())
    def run_tick(self, data: st.DataObject, things: int, check: bool) -> None:
        """Some things happen, the tick is committed, and some clients can take state."""
        self.commit(data, things, check)
        for client in self.clients:
            if data.draw(st.integers(0, 3)):
                self.serve(client)

    @rule(data=st.data(), ticks=st.integers(2, RING + 2))
    def run_on(self, data: st.DataObject, ticks: int) -> None:
        """Much happens, and nobody can take it: all fall behind, or lose their base."""
        for _ in range(ticks):
            self.commit(data, 2, False)

    def commit(self, data: st.DataObject, things: int, check: bool) -> None:
        """Let some things happen in a tick."""
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
            client.note(self.tick)

    @precondition(lambda self: len(self.clients) < 4)
    @rule(coding=st.integers(0, 1))
    def join(self, coding: int) -> None:
        """A client joins, and is told the tick; a world that was touched sends it a keyframe."""
        client = Client(self.schema, coding)
        client.note(self.tick)
        self.clients.append(client)

    def serve(self, client: Client) -> None:
        """Bring a client to the present, by a step if its base is held."""
        newest = self.stream.version
        if client.held == newest.number or not newest.number:
            return
        try:
            step = self.stream.step(client.held, client.coding)
        except BaseLost:
            assert client.held is not None and newest.number - client.held >= RING
            step = self.stream.step(None, client.coding)
        client.take(step, newest)
        assert newest.tick <= step.tick <= self.tick

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """A client that was cut off comes back and names the tick it holds."""
        client = data.draw(st.sampled_from(self.clients))
        if client.held:
            version = self.stream.held(client.replica.tick)
            assert version is None or version.number == client.held
            client.held = version.number if version else None
            client.note(self.tick)

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
        run_state_machine_as_test(StreamMachine, settings=SETTINGS)
