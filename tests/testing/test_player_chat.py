"""Players in tests talk: real clients and a real server, end to end in memory."""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import Any

from meteor_net import Chat, Game
from meteor_net.chat.message import ChatMessage
from meteor_net.errors import Refused, StorageError
from meteor_net.interfaces import StoredLine
from meteor_net.limits import Limits
from meteor_net.messages import LineKind
from meteor_net.storage.memory import MemoryStorage
from meteor_net.testing import GameTestCase, MemoryServer, PlayerHandle

UP = "👍"


class Square(Game):
    """A place to talk."""


class Dice(Chat):
    """A chat with a kind of its own."""

    def own(self, player: Any, kind: int, text: str, data: Any) -> tuple[str, Any]:
        if kind != 64:
            raise Refused("no such kind")
        return text, {"dice": data}


def seen(player: PlayerHandle, offset: int) -> ChatMessage:
    """A line of the room as a player sees it now."""
    line = player.chat.find(offset)
    assert line is not None
    return line


class TalkTests(GameTestCase):
    """What users do in a conversation, as they see it."""

    game, chat = Square, Dice
    limits = Limits(lines_burst=200, history_lines=5, resume_lines=100)

    def test_reactions(self) -> None:
        """A reaction is counted, once for each user, and can be taken back."""
        ann, bob = self.player("ann"), self.player("bob")
        hi = ann.say("hi")
        bob.react(hi, UP)
        ann.react(hi, UP)
        ann.react(hi, "❤️")
        self.advance(0.1)
        self.assertEqual(list(seen(ann, hi).reactions.items()), [(UP, (2, True)), ("❤️", (1, True))])
        self.assertEqual(list(seen(bob, hi).reactions.items()), [(UP, (2, True)), ("❤️", (1, False))])
        self.assertEqual(self.assertRaises(Refused, bob.react, hi, UP).reason, "already")
        ann.unreact(hi, UP)
        self.advance(0.1)
        self.assertEqual([line.reactions[UP] for line in bob.changes], [(1, True), (2, True), (2, True), (1, True)])
        self.assertEqual((ann.lines, bob.lines), (["hi"], ["hi"]))

    def test_edit_and_delete(self) -> None:
        """A line can be edited and deleted by who said it."""
        ann, bob = self.player("ann"), self.player("bob")
        hi = ann.say("hi")
        ann.edit(hi, "hello")
        self.advance(0.1)
        self.assertEqual([(line.text, line.edited) for line in bob.changes], [("hello", True)])
        self.assertEqual(self.assertRaises(Refused, bob.edit, hi, "ho").reason, "not-yours")
        ann.delete(hi)
        self.advance(0.1)
        self.assertEqual((seen(bob, hi).text, seen(bob, hi).deleted, bob.lines), ("", True, ["hi"]))
        self.assertEqual(self.assertRaises(Refused, ann.edit, hi, "ho").reason, "not-there")
        self.assertTrue(seen(self.player("eve"), hi).deleted)

    def test_reply_mention_and_kinds(self) -> None:
        """Replies, mentions, emojis, `/me`, and lines of a game's own."""
        ann, bob = self.player("ann"), self.player("bob")
        question = ann.say("well, @bob?")
        bob.say("yes", about=question)
        bob.say(UP, kind=LineKind.EMOJI)
        bob.say("/me waves")
        bob.say("", kind=64, data=[6, 6])
        self.assertRaises(Refused, bob.say, "", kind=65)
        self.advance(0.1)
        first, reply, emoji, me, dice = ann.chat.message_history
        self.assertEqual((first.mentions, reply.about), ((bob.user,), question))
        self.assertEqual((emoji.kind, me.kind, me.text), (LineKind.EMOJI, LineKind.ME, "waves"))
        self.assertEqual((dice.kind, dice.data, dice.sender), (64, {"dice": [6, 6]}, bob.user))

    def test_private(self) -> None:
        """A private message is heard by two, and by nobody else; by name it is a command."""
        ann, bob, eve = self.player("ann"), self.player("bob"), self.player("eve")
        ann.tell(bob, "psst")
        bob.say("/msg ann yes?")
        self.advance(0.1)
        self.assertEqual((ann.privates, bob.privates, eve.privates), (["psst", "yes?"],) * 2 + ([],))
        self.assertEqual(ann.lines + bob.lines + eve.lines, [])
        (copy, answer) = ann.chat.message_history
        self.assertEqual((copy.sender, copy.to, copy.channel), (ann.user, bob.user, f"@{ann.user}"))
        self.assertEqual((answer.sender, answer.to), (bob.user, ann.user))
        self.assertEqual(self.assertRaises(Refused, ann.tell, "nobody", "psst").reason, "no-such-user")

    def test_private_while_away(self) -> None:
        """Who is away hears it when back."""
        ann, bob = self.player("ann"), self.player("bob")
        bob.network.cut(5.0)
        self.advance(1.0)
        ann.tell(bob, "psst")
        self.wait_until(lambda: bob.status == "online")
        self.advance(0.1)
        self.assertEqual(bob.privates, ["psst"])

    def test_pages(self) -> None:
        """Older lines come page by page, as they read now."""
        ann = self.player("ann")
        first = ann.say("line 0")
        for number in range(1, 12):
            ann.say(f"line {number}")
        ann.edit(first, "line zero")
        eve = self.player("eve")
        self.assertEqual(eve.lines, [f"line {number}" for number in range(7, 12)])
        page = eve.earlier(4)
        self.assertEqual(([line.text for line in page.messages], page.more), ([f"line {n}" for n in range(3, 7)], True))
        page = eve.earlier()
        self.assertEqual(([line.text for line in page.messages], page.more), (["line zero", "line 1", "line 2"], False))
        self.assertEqual([line.offset for line in eve.chat.message_history], list(range(12)))
        eve.react(first, UP)
        self.advance(0.1)
        self.assertEqual((seen(eve, first).text, seen(eve, first).reactions), ("line zero", {UP: (1, True)}))
        self.assertEqual(eve.earlier().messages, [])

    def test_away(self) -> None:
        """Who was away sees what became of the lines, and what it said meanwhile is kept, in order."""
        ann, bob = self.player("ann"), self.player("bob")
        hi, ho = ann.say("hi"), ann.say("ho")
        self.advance(0.1)
        bob.network.cut(5.0)
        self.advance(1.0)
        said = [bob.game.say(f"from bob {number}") for number in range(20)]
        ann.edit(hi, "hello")
        ann.react(ho, UP)
        ann.say("still there?")
        self.wait_until(lambda: bob.status == "online")
        offsets = [self.wait(each) for each in said]
        self.advance(0.1)
        self.assertEqual(offsets, sorted(offsets))
        self.assertEqual(bob.gaps, [])
        self.assertEqual(ann.lines, ["hi", "ho", "still there?"] + [f"from bob {number}" for number in range(20)])
        self.assertEqual(bob.lines, ann.lines)
        texts = [(line.text, line.reactions) for line in bob.chat.message_history][:2]
        self.assertEqual(texts, [("hello", {}), ("ho", {UP: (1, False)})])

    def test_faults(self) -> None:
        """Whatever the network does: each line once, in one order for all, and all see the same in the end."""
        players = [self.player(name) for name in ("ann", "bob", "eve")]
        random = self.network.seeds.random("faults")
        waiting = []
        for number in range(60):
            player = random.choice(players)
            waiting.append(player.game.say(f"{number}"))
            if random.random() < 0.3 and (lines := [line for line in player.chat.message_history if line.offset >= 0]):
                line = random.choice(lines)
                verb = random.choice([player.game.react, player.game.unreact])
                verb(line.offset, UP).addErrback(lambda failure: failure.trap(Refused))
            if random.random() < 0.15:
                random.choice(players).network.cut(random.uniform(0.0, 3.0))
            self.advance(random.uniform(0.0, 0.4))
        offsets = [self.wait(each) for each in waiting]
        self.wait_until(lambda: all(player.status == "online" and not player.chat.message_queue for player in players))
        self.advance(1.0)
        self.assertEqual(len(set(offsets)), 60)
        ann, *others = players
        self.assertEqual(sorted(ann.lines, key=int), [f"{number}" for number in range(60)])
        for other in others:
            self.assertEqual((other.lines, other.gaps), (ann.lines, []))
        views = [
            [(line.offset, {emoji: count for emoji, (count, _) in line.reactions.items()})
             for line in player.chat.message_history]
            for player in [*players, self.player("late")]
        ]  # fmt: skip
        self.assertTrue(any(reactions for _, reactions in views[0]))
        self.assertEqual(views[1:3], views[:1] * 2)
        self.assertEqual(views[3], views[0][-5:])


class SlowTests(GameTestCase):
    """A room in slow mode, and a server that lets nobody say much."""

    game = Square
    limits = Limits(lines_burst=3, lines_per_s=2.0)

    def test_slow_mode(self) -> None:
        """How long to wait is told with each answer."""
        ann = self.player("ann")
        self.room.chat.slow_s = 5.0
        ann.say("one")
        self.assertGreater(ann.game.wait_s, 4.0)
        error = self.assertRaises(Refused, ann.say, "two")
        self.assertEqual(error.reason, "slow-down")
        self.assertGreater(error.wait_s, 4.0)
        self.advance(5.0)
        self.assertEqual(ann.game.wait_s, 0.0)
        ann.say("two")

    def test_much_was_said_while_away(self) -> None:
        """Lines that waited go out no faster than the server takes them: not one is refused."""
        ann, bob = self.player("ann"), self.player("bob")
        ann.network.cut(2.0)
        self.advance(1.0)
        said = [ann.game.say(f"{number}") for number in range(20)]
        for each in said:
            self.wait(each)
        self.advance(0.1)
        self.assertEqual(bob.lines, [f"{number}" for number in range(20)])


class Doubtful(MemoryStorage):
    """A storage that keeps every line, or not, and then does not know which."""

    def __init__(self, keeps: list[bool]) -> None:
        super().__init__(Random(1))
        self.keeps = keeps

    async def append(self, channel: str, line: StoredLine, moderator: bool = False) -> StoredLine:
        """Keep a line as usual once there is no more doubt."""
        if not self.keeps:
            return await super().append(channel, line, moderator)
        if self.keeps.pop(0):
            await super().append(channel, line, moderator)
        raise StorageError("the disk does not answer", unknown=True)


class DoubtTests(GameTestCase):
    """Nobody knows whether a line is kept: it is said again, and is there once."""

    game = Square

    @cached_property
    def server(self) -> MemoryServer:
        """A server on such a storage."""
        self.storage = Doubtful([])
        server = MemoryServer(self.network, {"square": Square}, storage=self.storage)
        server.start()
        self.addCleanup(self._stop)
        return server

    def test_once(self) -> None:
        """Whatever was kept in doubt, each line is heard once."""
        ann, bob = self.player("ann"), self.player("bob")
        self.storage.keeps = [True, False]
        kept = ann.game.say("hi")
        self.advance(1.0)
        after = ann.say("ho")
        self.assertEqual(self.wait(kept), 0)
        self.storage.keeps = [False, True, True]
        last = ann.say("bye")
        self.advance(0.1)
        self.assertEqual((after, last), (1, 2))
        self.assertEqual((bob.lines, ann.lines), (["hi", "ho", "bye"],) * 2)
        self.flush_errors(StorageError)

    def test_told(self) -> None:
        """After three more tries that is told; the line may be there."""
        ann = self.player("ann")
        self.storage.keeps = [True] * 4
        self.assertEqual(self.assertRaises(Refused, ann.say, "hi").reason, "unknown")
        self.advance(0.1)
        self.assertEqual(ann.lines, ["hi"])
        self.flush_errors(StorageError)
