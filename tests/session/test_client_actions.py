"""Tests of a client's actions: numbers, answers, and what is said again after a loss."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.errors import LocalProtocolError, Refused
from meteor_net.limits import MAX_OPEN_ACTIONS
from meteor_net.session import client_values as values
from meteor_net.session.client_actions import MAX_WAITING_ACTIONS
from meteor_net.state import Action, Fixed, Input, Schema, UInt

from . import scripted
from .scripted import Buy, ScriptedServer, Steer


class ActionTests(SynchronousTestCase):
    """Actions are done once and answered; inputs are sent and forgotten."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.enter()

    def act(self, action: Action) -> int | None:
        """Do something, and look at what is sent."""
        key = self.server.session.act(self.server.room, action)
        self.server.take()
        return key

    def again(self, session: str = "s1", last_seq: int = 0, schema: Schema | None = None) -> None:
        """Lose the connection, and come back."""
        self.server.lose()
        self.back(session, last_seq, schema)

    def back(self, session: str = "s1", last_seq: int = 0, schema: Schema | None = None, **changes: int) -> None:
        """Come back."""
        self.server.open()
        self.server.welcome(session)
        told = {} if schema is None else {"schema_hash": schema.hash, "schema": schema.describe()}
        self.server.say(self.server.joined(**({"schema": None, "last_seq": last_seq} | told | changes)))

    def test_numbers(self) -> None:
        """Inputs and actions count together, and carry the tick that the player saw, in eighths."""
        self.assertIsNone(self.act(Steer(turn=0.5)))
        self.assertEqual(self.server.said, [wire.ActionMessage(3, 1, 0, 0, [96])])
        self.server.world.ship.spawn(x=1)
        self.server.say(self.server.frame(10))
        key = self.act(Buy(count=3))
        self.assertEqual(key, 1)
        self.assertEqual(self.server.said, [wire.ActionMessage(3, 2, 80, 1, [3])])

    def test_result(self) -> None:
        """RESULT is the answer, also when ACK comes beside it; a second one is ignored."""
        key = self.act(Buy(count=3))
        assert key is not None
        result = wire.Result(3, 1, {"paid": 9})
        self.server.say(wire.Ack(3, 1, 5), result, result)
        self.assertEqual(self.server.told, [values.ActionDone("game/a", key, {"paid": 9})])

    def test_ack_alone(self) -> None:
        """An action without a result is done with its ACK, after the packet is read."""
        first, second = self.act(Buy(count=1)), self.act(Buy(count=2))
        self.act(Buy(count=3))
        assert first is not None and second is not None
        self.server.say(wire.Ack(3, 1, 5), wire.Ack(3, 2, 5))
        self.assertEqual(
            self.server.told,
            [values.ActionDone("game/a", key, None) for key in (first, second)],
        )

    def test_refused(self) -> None:
        """REFUSED tells why, once."""
        key = self.act(Buy(count=1))
        assert key is not None
        refused = wire.RefusedMessage(3, 1, "poor", "no money")
        self.server.say(refused, refused)
        self.assertEqual(self.server.told, [values.ActionRefused("game/a", key, "poor", "no money")])

    def test_resumed(self) -> None:
        """After a resume all that have no answer are said again, in order, before anything new; inputs never."""
        taken, other = self.act(Buy(count=1)), self.act(Buy(count=2))
        self.act(Steer(turn=1))
        self.server.lose()
        self.assertIsNone(self.act(Steer(turn=-1)))
        later = self.act(Buy(count=3))
        self.assertEqual(self.server.said, [])
        self.back(last_seq=1)
        self.assertEqual([(each.seq, each.values) for each in self.server.found(wire.ActionMessage)],
                         [(1, [1]), (2, [2]), (4, [3])])  # fmt: skip
        self.assertEqual(self.server.found(values.ActionRefused), [])
        self.server.say(wire.Ack(3, 4, 9))
        self.assertEqual([done.key for done in self.server.found(values.ActionDone)], [other, later])
        self.server.say(wire.Result(3, 1, "sold"))
        self.assertEqual(self.server.told, [values.ActionDone("game/a", taken or 0, "sold")])

    def test_ack_is_no_answer(self) -> None:
        """What the server had taken before it was said again is answered by itself: an ACK may pass that answer."""
        first = self.act(Buy(count=1))
        self.again(last_seq=1)
        self.server.say(wire.Ack(3, 1, 9))
        self.assertEqual(self.server.told, [])
        self.again(last_seq=1)
        self.server.say(wire.RefusedMessage(3, 1, "poor", "no money"))
        self.assertEqual(self.server.told, [values.ActionRefused("game/a", first or 0, "poor", "no money")])

    def test_lost_in_the_middle_of_a_packet(self) -> None:
        """An ACK that a goodbye follows in its packet counts when the next packet comes."""
        key = self.act(Buy(count=1))
        self.server.say(wire.Ack(3, 1, 5), wire.Goodbye(4000, "restarting"))
        self.assertEqual(self.server.found(values.ActionDone), [])
        self.server.lose()
        self.server.open()
        self.server.welcome()
        self.assertEqual(self.server.found(values.ActionDone), [values.ActionDone("game/a", key or 0, None)])

    def test_another_session(self) -> None:
        """A new session counts from 1; what was sent before it may have been done: not again."""
        sent = self.act(Buy(count=1))
        self.server.lose()
        unsent = self.act(Buy(count=2))
        self.back("s2")
        self.assertEqual(self.server.found(wire.ActionMessage), [wire.ActionMessage(3, 1, 0, 1, [2])])
        (refused,) = self.server.found(values.ActionRefused)
        self.assertEqual((refused.key, refused.reason), (sent, "unknown"))
        self.server.say(wire.Result(3, 1, "ok"))
        self.assertEqual(self.server.told, [values.ActionDone("game/a", unsent or 0, "ok")])

    def test_another_player(self) -> None:
        """So it is in another world of the same session, and as another player in the same world."""
        for epoch, key in ((scripted.EPOCH + 1, 0), (scripted.EPOCH, 6)):
            self.setUp()
            sent = self.act(Buy(count=1))
            self.server.lose()
            self.back(epoch=epoch, key=key)
            (refused,) = self.server.found(values.ActionRefused)
            self.assertEqual((refused.key, refused.reason), (sent, "unknown"))
            self.assertEqual(self.server.found(wire.ActionMessage), [])
            self.act(Buy(count=2))
            self.assertEqual([each.seq for each in self.server.found(wire.ActionMessage)], [1])

    def test_another_game(self) -> None:
        """Who comes back into a changed game does not have the old actions done; those that were sent may have been."""
        self.act(Buy(count=1))
        self.server.lose()
        self.act(Buy(count=2))
        self.server.open()
        self.server.welcome("s2")
        other = Schema(tables=[], actions=[Buy], events=[])
        self.server.say(self.server.joined(schema=other.describe(), schema_hash=other.hash))
        refused = self.server.found(values.ActionRefused)
        self.assertEqual([each.reason for each in refused], ["unknown", "changed"])
        self.assertEqual(self.server.found(wire.ActionMessage), [])

    def test_window(self) -> None:
        """So many are open at a time; an answer lets the next one go, with the next number then."""
        for _ in range(MAX_OPEN_ACTIONS):
            self.act(Buy(count=1))
        key = self.act(Buy(count=2))
        self.assertEqual(self.server.said, [])
        self.act(Steer(turn=1))
        self.server.say(wire.Result(3, 2, "ok"))
        self.assertEqual(self.server.found(wire.ActionMessage), [], "the 64th before it has no answer")
        self.server.say(wire.Result(3, 1, "ok"))
        self.assertEqual(
            [(each.seq, each.values) for each in self.server.found(wire.ActionMessage)], [(MAX_OPEN_ACTIONS + 2, [2])]
        )
        self.server.say(wire.Result(3, MAX_OPEN_ACTIONS + 2, "two"))
        self.assertEqual(self.server.told, [values.ActionDone("game/a", key or 0, "two")])

    def test_bounded(self) -> None:
        """Actions do not pile up without end."""
        self.server.lose()
        for _ in range(MAX_WAITING_ACTIONS):
            self.act(Buy(count=1))
        with self.assertRaises(Refused) as caught:
            self.act(Buy(count=1))
        self.assertEqual(caught.exception.reason, "slow-down")
        self.assertEqual(len(self.server.room._actions), MAX_WAITING_ACTIONS)
        self.server.room.dropped("left", "we left")
        self.assertEqual(len(self.server.room._actions), 0)


class NameTests(SynchronousTestCase):
    """A player's own class of an action is the game's if it says the same."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.enter()

    def test_the_schemas_own(self) -> None:
        """The class of the schema, and one made by name, are the game's."""
        schema = self.server.room.world.schema
        assert schema is not None
        self.server.room.act(schema.actions[0](turn=0.5))
        self.server.room.act(self.server.room.make("Steer", {"turn": 0.5}))
        self.server.take()
        self.assertEqual([each.values for each in self.server.found(wire.ActionMessage)], [[96]] * 2)

    def test_other_fields(self) -> None:
        """One with other fields, or an action for an input, is refused before it is sent."""

        class Changed(Input):
            turn = Fixed(step=1 / 32, low=-1, high=1)

        class Answered(Action):
            turn = Fixed(step=1 / 64, low=-1, high=1)

        for kind in (Changed, Answered):
            kind.__name__ = "Steer"
            with self.assertRaisesRegex(LocalProtocolError, "another"):
                self.server.room.act(kind())

    def test_unknown(self) -> None:
        """An unknown one is told with those there are."""

        class Sell(Action):
            count = UInt(bits=4)

        with self.assertRaisesRegex(LocalProtocolError, "no action Sell; it has: Steer, Buy"):
            self.server.room.act(Sell())
        with self.assertRaisesRegex(LocalProtocolError, "no action Jump"):
            self.server.room.make("Jump", {})

    def test_none_at_all(self) -> None:
        """A game without actions says so."""
        schema = Schema(tables=[scripted.Ship], actions=[], events=[])
        server = ScriptedServer()
        server.open()
        server.welcome()
        server.say(server.joined(schema_hash=schema.hash, schema=schema.describe()))
        with self.assertRaisesRegex(LocalProtocolError, "it has: none"):
            server.room.act(Buy())

    def test_before_the_room(self) -> None:
        """Nothing can be done in a room that we were never in."""
        server = ScriptedServer()
        with self.assertRaises(LocalProtocolError):
            server.room.act(Buy())
        with self.assertRaises(LocalProtocolError):
            server.room.make("Buy", {})
