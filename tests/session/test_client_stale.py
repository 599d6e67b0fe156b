"""While the server is silent, what a player does waits here: it would come there in one blow, and be refused for it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.session import client_values as values

from .scripted import Buy, ScriptedServer, Steer

#: The room has a world: a server lets itself be heard every 2 s there, and counts as silent after 3.
STALE_S = 3.0


class StaleTests(SynchronousTestCase):
    """A session in a room whose server falls silent."""

    def setUp(self) -> None:
        self.server = ScriptedServer()
        self.server.enter()
        self.server.pass_time(STALE_S)
        self.assertEqual(self.server.found(values.StaleChanged), [values.StaleChanged(True)])

    def act(self) -> int:
        """Buy something."""
        key = self.server.room.act(Buy(count=2))
        assert key is not None
        self.server.take()
        return key

    def say(self, text: str) -> str:
        """Say a line."""
        cid = self.server.room.lines.chat.send_message(text).cid
        self.server.take()
        return cid

    def test_inputs_are_forgotten(self) -> None:
        """They are of no use later; the next one counts again."""
        self.assertIsNone(self.server.room.act(Steer(turn=0.5)))
        self.server.take()
        self.assertEqual(self.server.said, [])
        self.server.live(0.0)
        self.assertEqual(self.server.found(wire.ActionMessage), [])
        self.server.room.act(Steer(turn=0.25))
        self.server.take()
        self.assertEqual([message.seq for message in self.server.found(wire.ActionMessage)], [1])

    def test_actions_wait(self) -> None:
        """They go out in order as soon as the server is heard, and are answered as ever."""
        first, second = self.act(), self.act()
        self.assertEqual(self.server.found(wire.ActionMessage), [])
        self.server.pass_time(1.0)
        self.assertEqual(self.server.found(wire.ActionMessage), [])
        self.server.live(0.0)
        self.assertEqual([message.seq for message in self.server.found(wire.ActionMessage)], [1, 2])
        self.server.say(wire.Result(3, 1, "one"), wire.Result(3, 2, "two"))
        done = [(value.key, value.value) for value in self.server.found(values.ActionDone)]
        self.assertEqual(done, [(first, "one"), (second, "two")])

    def test_lines_wait(self) -> None:
        """They go out one after the other, each when the one before is answered."""
        first = self.say("first")
        self.say("second")
        self.server.pass_time(1.0)
        self.assertEqual(self.server.found(wire.Say), [])
        self.server.live(0.0)
        self.assertEqual([line.text for line in self.server.found(wire.Say)], ["first"])
        self.server.say(wire.Said(7, first, 0))
        self.assertEqual([line.text for line in self.server.found(wire.Say)], ["second"])

    def test_lost_after_all(self) -> None:
        """Nothing of it was sent: on the next connection it goes out once."""
        self.act()
        self.say("first")
        self.server.lose()
        self.server.enter()
        self.assertEqual(len(self.server.found(wire.ActionMessage)), 1)
        self.assertEqual([line.text for line in self.server.found(wire.Say)], ["first"])
        self.assertEqual(self.server.found(values.ActionRefused), [])


class AnsweredAgainTests(SynchronousTestCase):
    """A line whose fate the server did not know, and then it fell silent."""

    def test_said_again_when_heard(self) -> None:
        """It is due meanwhile, and goes out when the server is heard."""
        server = ScriptedServer()
        server.enter()
        cid = server.room.lines.chat.send_message("hello").cid
        server.take()
        server.say(wire.Unsaid(7, cid, "unknown", "!"))
        server.pass_time(STALE_S)
        self.assertEqual(server.found(wire.Say), [])
        server.live(0.0)
        server.pass_time(0.25)
        self.assertEqual([line.cid for line in server.found(wire.Say)], [cid])
