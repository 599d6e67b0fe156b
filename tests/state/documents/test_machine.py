"""Documents with clients that come late, are slow, lose their base, or are cut off: all end where the world is."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import BaseLost
from meteor_net.limits import Limits
from meteor_net.state import Replica, Schema, Step, Stream, Table, UInt, World
from tests.state.documents.strategies import MAPS, canonical, happen

#: So few versions that slow clients lose their base.
RING = 4
#: The same runs each time.
SETTINGS = settings(max_examples=40, stateful_step_count=20, deadline=None, derandomize=True)


class Rock(Table):
    """A table beside the documents."""

    x = UInt(bits=8)


SCHEMA = Schema([Rock], documents=["match", "lobby"])


class Client:
    """A replica, the coding that it reads, and the number of the version that the server thinks it holds."""

    def __init__(self, coding: int) -> None:
        self.coding = coding
        self.replica = Replica(Schema.parse(SCHEMA.describe()), 1)
        self.held: int | None = None
        #: All that it was told: steps, with the documents that they lead to.
        self.story: list[tuple[Step, dict[str, Any]]] = []

    def serve(self, stream: Stream) -> None:
        """Bring the client to the present, by a step if its base is held."""
        newest = stream.version
        if self.held == newest.number or not newest.number:
            return
        try:
            step = stream.step(self.held, self.coding)
        except BaseLost:
            step = stream.step(None, self.coding)
        before, replica = self.replica.version, self.replica
        held = canonical(before.docs)
        replica.apply(step.tick16, step.base_code, step.data, step.texts, docs=step.docs)
        assert canonical(before.docs) == held, "a frame has changed the version before"
        assert canonical(replica.version.docs) == canonical(newest.docs)
        assert replica.world.match is replica.version.docs["match"]
        self.held = newest.number
        self.story.append((step, dict(newest.docs)))


class DocumentsMachine(RuleBasedStateMachine):
    """What a room does with documents."""

    @initialize()
    def begin(self) -> None:
        """Open the world."""
        self.world: Any = World(SCHEMA, 1)
        self.stream = Stream(self.world, Limits(ring_versions=RING))
        self.tick = 0
        self.clients = [Client(0), Client(1)]

    def commit(self) -> None:
        """Commit the next tick: the newest version is what the game sees."""
        self.tick += 1
        self.stream.commit(self.tick)
        assert not self.stream.wrong
        assert canonical(self.stream.version.docs) == canonical({"match": self.world.match, "lobby": self.world.lobby})

    @rule(data=st.data(), things=st.integers(1, 3))
    def run_tick(self, data: st.DataObject, things: int) -> None:
        """Some things happen, and some clients can take state."""
        for _ in range(things):
            happen(data.draw, data.draw(st.sampled_from([self.world.match, self.world.match, self.world.lobby])))
        if data.draw(st.booleans()):
            self.world.rock.spawn()
        self.commit()
        for client in self.clients:
            if data.draw(st.integers(0, 2)):
                client.serve(self.stream)

    @rule(new=MAPS)
    def begin_anew(self, new: dict[str, Any]) -> None:
        """The game replaces a document whole."""
        self.world.match = new
        self.commit()

    @rule(data=st.data(), ticks=st.integers(2, RING + 2))
    def run_on(self, data: st.DataObject, ticks: int) -> None:
        """Much happens, and nobody can take it: all fall behind, or lose their base."""
        for _ in range(ticks):
            happen(data.draw, self.world.match)
            self.commit()

    @precondition(lambda self: len(self.clients) < 4)
    @rule(coding=st.integers(0, 1))
    def join(self, coding: int) -> None:
        """A client joins."""
        self.clients.append(Client(coding))
        self.clients[-1].serve(self.stream)

    @rule()
    def everybody(self) -> None:
        """All catch up."""
        for client in self.clients:
            client.serve(self.stream)

    @precondition(lambda self: self.stream.version.number)
    @rule()
    def every_base(self) -> None:
        """From each version in the ring one step leads to the newest."""
        newest = self.stream.version
        for old in list(self.stream._ring)[:-1]:
            step = self.stream.step(old.number, 0)
            replica = Replica(SCHEMA, 1)
            replica.version = replica._base = old
            replica.apply(step.tick16, step.base_code, step.data, step.texts, docs=step.docs)
            assert canonical(replica.version.docs) == canonical(newest.docs)


class DocumentsMachineTests(SynchronousTestCase):
    """Any order of the rules above."""

    def test_machine(self) -> None:
        """Whoever is sent a step or a keyframe stands where the world stands."""
        run_state_machine_as_test(DocumentsMachine, settings=SETTINGS)
