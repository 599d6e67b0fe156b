"""Tests of `meteor_net.session.client_sender`: each line of ours is kept once, however many tries that takes."""

from __future__ import annotations

from collections import Counter
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.chat.system import ChatMessage
from meteor_net.errors import Refused
from meteor_net.session import client_values as values
from meteor_net.session.client_sender import KNOWN_S, SLOW_TRIES, TRY_AGAIN_S

from .scripted import CHAT_EPOCH, ScriptedServer


class SenderCase(SynchronousTestCase):
    """A client in its room."""

    def setUp(self) -> None:
        self.queued = 0
        self.server = ScriptedServer(line_queued=self.count)
        self.server.enter()
        self.number = 7
        self.chat = self.server.room.lines.chat

    def count(self) -> None:
        """Count how often the shell was asked to look."""
        self.queued += 1

    def say(self, text: str = "hello", **more: str | int) -> str:
        """Say a line; give its id."""
        cid = self.chat.send_message(ChatMessage(text=text, **more)).cid  # type: ignore[arg-type]
        self.server.take()
        return cid

    def said(self) -> list[str]:
        """Texts that went out last."""
        return [message.text for message in self.server.found(wire.Say)]

    def unsaid(self, cid: str, reason: str, wait: int = 0) -> None:
        """Have the server refuse a line."""
        self.server.say(wire.Unsaid(self.number, cid, reason, "!", wait))

    def again(self) -> None:
        """Lose the connection and join again."""
        self.server.lose()
        self.come_back()

    def come_back(self) -> None:
        """Join again; the channel has another number."""
        self.number = 8
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None, channels=[(8, "chat", CHAT_EPOCH, 0)]))


class OutcomeTests(SenderCase):
    """A line is kept, or refused, or nobody knows."""

    def test_kept(self) -> None:
        """SAID tells the place, and how long to wait."""
        cid = self.say()
        self.assertEqual(self.server.said, [wire.Say(7, cid, 0, "hello")])
        self.assertEqual(self.queued, 1)
        self.server.say(wire.Said(7, cid, 12, 1_500), wire.Said(7, cid, 12, 1_500))
        self.assertEqual(self.server.told, [values.LineKept("game/a", cid, 12, 1.5)])
        self.assertEqual(self.chat.message_queue, {})
        sender = self.server.room.lines.sender
        self.assertEqual([sender.wait_s(self.server.now + after) for after in (0.0, 1.0, 2.0)], [1.5, 0.5, 0.0])

    def test_refused(self) -> None:
        """UNSAID tells why, once."""
        cid = self.say(cid="mine")
        self.assertEqual(cid, "mine")
        unsaid = wire.Unsaid(7, cid, "slow-down", "!", 250)
        self.server.say(unsaid, unsaid)
        self.assertEqual(self.server.told, [values.LineRefused("game/a", cid, "slow-down", "!", 0.25)])

    def test_unknown(self) -> None:
        """A line that may be kept is said again under its id after 2, 4 and 8 seconds; then that is told."""
        cid = self.say()
        for seconds in (2.0, 4.0, 8.0):
            self.unsaid(cid, "unknown")
            self.assertEqual(self.server.found(values.LineRefused), [])
            self.server.live(seconds - 0.25)
            self.assertEqual(self.server.found(wire.Say), [])
            self.server.pass_time(0.25)
            self.assertEqual(self.server.found(wire.Say), [wire.Say(7, cid, 0, "hello")])
        self.unsaid(cid, "unknown")
        self.assertEqual(self.server.found(values.LineRefused), [values.LineRefused("game/a", cid, "unknown", "!")])
        self.server.pass_time(20.0)
        self.assertEqual(self.server.found(wire.Say), [])

    def test_unknown_then_kept(self) -> None:
        """What was kept all along is found out by saying it again."""
        cid = self.say()
        self.unsaid(cid, "unknown")
        self.say("next")
        self.assertEqual(self.said(), ["next"])
        self.server.pass_time(2.0)
        self.server.say(wire.Said(7, cid, 12))
        self.assertEqual(self.server.told, [values.LineKept("game/a", cid, 12)])
        self.server.pass_time(8.0)
        self.assertEqual(self.server.found(wire.Say), [])

    def test_unknown_then_lost(self) -> None:
        """Coming back says it again at once, and only once."""
        cid = self.say()
        self.unsaid(cid, "unknown")
        self.again()
        self.assertEqual(self.server.found(wire.Say), [wire.Say(8, cid, 0, "hello")])
        self.server.pass_time(2.0)
        self.assertEqual(self.server.found(wire.Say), [])

    def test_no_such_channel(self) -> None:
        """A line for a channel that the room does not have is refused here."""
        cid = self.say(channel="moon")
        (refused,) = self.server.told
        assert isinstance(refused, values.LineRefused)
        self.assertEqual((refused.cid, refused.reason), (cid, "refused"))
        self.assertIn("moon", refused.text)

    def test_no_channels_at_all(self) -> None:
        """A room without channels takes no lines."""
        server = ScriptedServer()
        server.open()
        server.welcome()
        server.say(server.joined(channels=[]))
        server.room.lines.chat.send_message("hello")
        server.take()
        self.assertEqual([type(value) for value in server.told], [values.LineRefused])

    def test_private(self) -> None:
        """A private message goes to our own inbox, and says whom it is for."""
        self.server.lose()
        cid = self.chat.send_private("u2", "psst").cid
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None, channels=[(8, "chat", 1, 0), (9, "@u1", 2, 0)]))
        self.assertEqual(self.server.found(wire.Say), [wire.Say(9, cid, 7, "psst", to="u2")])

    def test_bad_text(self) -> None:
        """What the server would refuse anyway is refused at once."""
        for text in ("", " \n", "x" * 1_001):
            with self.assertRaises(Refused) as caught:
                self.chat.send_message(text)
            self.assertEqual(caught.exception.reason, "bad-text")


class AwayTests(SenderCase):
    """What waited for a connection goes out in order, one line after the other."""

    def test_said_again(self) -> None:
        """A line without an answer is said again, under the same id; what was said since comes after it."""
        cid = self.say()
        self.server.lose()
        later = self.say("still here?")
        self.assertEqual(self.server.said, [])
        self.come_back()
        self.assertEqual(self.server.found(wire.Say), [wire.Say(8, cid, 0, "hello")])
        last = self.say("and now")
        self.assertEqual(self.server.found(wire.Say), [])
        self.server.say(wire.Said(8, cid, 3))
        self.assertEqual(self.server.found(wire.Say), [wire.Say(8, later, 0, "still here?")])
        self.server.say(wire.Said(8, later, 4))
        self.assertEqual(self.said(), ["and now"])
        self.server.say(wire.Said(8, last, 5))
        self.say("one")
        self.say("two")
        self.assertEqual(self.said(), ["two"])

    def test_answered_while_it_waits(self) -> None:
        """What was sent before the connection was lost may be answered before its turn: it is not said again."""
        first, second, third = self.say("one"), self.say("two"), self.say("three")
        self.again()
        self.assertEqual(self.said(), ["one"])
        self.server.say(wire.Said(8, second, 4))
        self.assertEqual(self.server.told, [values.LineKept("game/a", second, 4)])
        self.server.say(wire.Said(8, first, 3))
        self.assertEqual(self.said(), ["three"])
        self.server.say(wire.Said(8, third, 5))
        self.assertEqual(self.chat.message_queue, {})

    def test_about_a_line_of_before(self) -> None:
        """Where a channel has begun anew, an offset names another line: what is about one is not said any more."""
        sent = self.chat.delete(3).cid
        self.server.take()
        self.server.lose()
        answer, line = self.say("yes", about=4), self.say("and")
        self.server.open()
        self.server.welcome()
        self.server.say(self.server.joined(schema=None, channels=[(8, "chat", CHAT_EPOCH + 1, 0)]))
        refused = [value for value in self.server.told if isinstance(value, values.LineRefused)]
        self.assertEqual([(value.cid, value.reason) for value in refused], [(sent, "not-there"), (answer, "not-there")])
        self.assertEqual(self.server.found(wire.Say), [wire.Say(8, line, 0, "and")])

    def test_a_refusal_stops_nothing(self) -> None:
        """A refused line lets the next one go, one for no channel too."""
        self.server.lose()
        first = self.say("first")
        self.say("second", channel="moon")
        self.say("third")
        self.come_back()
        self.unsaid(first, "muted")
        self.assertEqual([value.reason for value in self.server.found(values.LineRefused)], ["muted", "refused"])
        self.assertEqual(self.said(), ["third"])

    def test_slow_mode(self) -> None:
        """The server's pauses are kept to."""
        self.server.lose()
        first = self.say("first")
        self.say("second")
        self.come_back()
        self.server.say(wire.Said(8, first, 3, 3_000))
        self.assertEqual(self.said(), [])
        self.server.live(2.75)
        self.assertEqual(self.said(), [])
        self.server.pass_time(0.25)
        self.assertEqual(self.said(), ["second"])

    def test_too_fast(self) -> None:
        """A line that waited is not lost because it comes too fast: it is said again, but not for ever."""
        self.server.lose()
        cid = self.say("first")
        self.say("second")
        self.come_back()
        for wait, seconds in [(2_000, 2.0)] + [(0, 0.5)] * (SLOW_TRIES - 1):
            self.unsaid(cid, "slow-down", wait)
            self.server.pass_time(seconds - 0.25)
            self.assertEqual((self.said(), self.server.told), ([], []))
            self.server.pass_time(0.25)
            self.assertEqual(self.said(), ["first"])
        self.unsaid(cid, "slow-down")
        self.assertEqual([value.cid for value in self.server.found(values.LineRefused)], [cid])
        self.assertEqual(self.said(), ["second"])

    def test_too_old(self) -> None:
        """A line that was sent a day ago is not said again, for the server may have forgotten its id; one never sent is."""
        cid = self.say("sent")
        self.server.lose()
        self.say("never sent")
        self.server.now += KNOWN_S + 1
        self.come_back()
        refused = self.server.found(values.LineRefused)
        self.assertEqual([(value.cid, value.reason) for value in refused], [(cid, "unknown")])
        self.assertEqual(self.said(), ["never sent"])

    def test_dropped(self) -> None:
        """Out of the room, nothing waits any more; what was sent may be kept."""
        sent = self.say("sent")
        self.server.lose()
        later = self.say("later")
        self.server.open()
        self.server.welcome()
        self.server.say(wire.ErrorMessage(wire.CODES[wire.Join], "kicked", "bye"))
        self.assertEqual(
            [(each.cid, each.reason, each.text) for each in self.server.found(values.LineRefused)],
            [(sent, "unknown", "bye"), (later, "kicked", "bye")],
        )
        self.assertEqual(self.chat.message_queue, {})

    def test_of_before(self) -> None:
        """A line that another client before may have sent may be kept, though this one sends it first, or never does."""
        for answered in (True, False):
            self.server.lose()
            self.chat.message_queue["x"] = ChatMessage(text="of before", cid="x")
            self.chat.from_before.add("x")
            self.come_back()
            self.server.take()
            self.server.found(values.LineRefused)
            if answered:
                self.unsaid("x", "muted")
            else:
                self.server.room.lines.sender.drop("kicked", "bye")
                self.server.take()
            self.assertEqual([(each.cid, each.reason) for each in self.server.found(values.LineRefused)], [("x", "unknown")])
            self.assertEqual(self.chat.from_before, set())

    def test_refused_when_said_again(self) -> None:
        """A line sent before may be kept, whatever is answered the second time; one that storage failed for is tried."""
        cid = self.say()
        self.again()
        self.server.found(values.LineRefused)
        self.unsaid(cid, "failed")
        self.assertEqual(self.server.found(values.LineRefused), [])
        self.server.pass_time(2.0)
        self.unsaid(cid, "muted")
        (refused,) = self.server.found(values.LineRefused)
        assert isinstance(refused, values.LineRefused)
        self.assertEqual((refused.cid, refused.reason), (cid, "unknown"))

    def test_nothing_is_lost_or_doubled(self) -> None:
        """Whatever happens on the way, each line is kept once, if the server knows ids."""
        for seed in range(30):
            random = Random(seed)
            self.setUp()
            kept: dict[str, str] = {}
            answered: list[str] = []
            self.unknowns = Counter[str]()
            for number in range(40):
                self.chat.send_message(f"{number}")
                self.server.take()
                self._serve(random, kept, answered)
                if random.random() < 0.2:
                    self.again()
                    self._serve(random, kept, answered)
                self.server.pass_time(1.0)
                self._serve(random, kept, answered)
                self.server.say(wire.Pong(0, 0))  # it lives
            self.again()
            while self.chat.message_queue:
                self._serve(None, kept, answered)
                self.server.pass_time(8.0)
            self.assertEqual(sorted(kept.values(), key=int), [f"{number}" for number in range(40)])
            self.assertEqual(sorted(answered), sorted(kept))

    def _serve(self, random: Random | None, kept: dict[str, str], answered: list[str]) -> None:
        """Answer what was said; with chance, lose it, lose the answer, or answer that nobody knows."""
        answered.extend(value.cid for value in self.server.found(values.LineKept))
        for say in self.server.found(wire.Say):
            fate = random.random() if random else 0.0
            if fate < 0.7:
                kept[say.cid] = say.text
            if fate < 0.5:
                self.server.say(wire.Said(say.channel, say.cid, len(kept)))
                self._serve(random, kept, answered)
            elif fate > 0.9 and self.unknowns[say.cid] < len(TRY_AGAIN_S):
                self.unknowns[say.cid] += 1
                self.server.say(wire.Unsaid(say.channel, say.cid, "unknown", "?"))


class AnotherUserTests(SenderCase):
    """A guest comes back as somebody else, for the server began anew: it knows the guest's lines under another name."""

    def setUp(self) -> None:
        super().setUp()
        self.cid = self.say("sent")
        self.server.lose()
        self.waiting = self.say("waited")

    def come_back(self, *channels: tuple[int, str, int, int], user: str = "u2") -> None:
        """Join again as another user."""
        self.server.open()
        self.server.say(wire.Welcome(1, f"s-{user}", user, "Ann", 1_000_000, f"again-{user}", {}))
        self.server.say(self.server.joined(schema=None, channels=list(channels or [(8, "chat", CHAT_EPOCH, 2)])))

    def history(self, *lines: list[object], gap: bool = False) -> None:
        """Have the history come."""
        self.server.say(wire.History(8, CHAT_EPOCH, 2, gap, list(lines)))

    def test_only_what_was_not_sent_is_sent(self) -> None:
        """The other line waits for the history; live lines change nothing."""
        self.come_back()
        self.assertEqual(self.said(), ["waited"])
        self.assertIn(self.cid, self.chat.message_queue)
        self.server.say(wire.Said(8, self.waiting, 2))
        self.assertEqual(self.said(), [])

    def test_it_is_kept(self) -> None:
        """The history has it, as said by who we were."""
        self.come_back()
        self.history([0, 1, 1, 0, "u1", "Ann", "sent", self.cid])
        self.assertEqual(self.server.found(values.LineKept), [values.LineKept("game/a", self.cid, 0)])
        self.assertEqual(list(self.chat.message_queue), [self.waiting])

    def test_it_is_not_there(self) -> None:
        """Nobody knows: it is not said again. A line of somebody else with its id is not ours."""
        self.come_back()
        self.history([0, 1, 1, 0, "u9", "Bob", "sent", self.cid])
        (refused,) = self.server.found(values.LineRefused)
        assert isinstance(refused, values.LineRefused)
        self.assertEqual((refused.cid, refused.reason), (self.cid, "unknown"))
        self.assertEqual(self.server.found(wire.Say), [])

    def test_no_history_will_tell(self) -> None:
        """A private line went to an inbox that is another's now, and we have none: nobody knows, and that is told at once."""
        self.come_back((8, "chat", CHAT_EPOCH, 2), (9, "@u2", CHAT_EPOCH, 0))
        private = self.chat.send_private("bob", "psst").cid
        self.server.say(wire.Said(8, self.waiting, 2))
        self.assertEqual(self.said(), ["psst"])
        self.server.lose()
        self.come_back(user="u3")
        refused = [told for told in self.server.told if isinstance(told, values.LineRefused)]
        self.assertEqual([(each.cid, each.reason) for each in refused], [(private, "unknown")])

    def test_another_channels_history(self) -> None:
        """It tells nothing of this one."""
        self.come_back((8, "chat", CHAT_EPOCH, 2), (9, "@u2", CHAT_EPOCH, 0))
        self.server.say(wire.History(9, CHAT_EPOCH, 0, False, []))
        self.assertIn(self.cid, self.chat.message_queue)
        self.history()
        self.assertNotIn(self.cid, self.chat.message_queue)
