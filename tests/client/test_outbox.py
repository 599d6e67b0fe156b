"""Lines that outlive the process: the file, and a client that has one."""

from __future__ import annotations

import time
from pathlib import Path
from random import SystemRandom
from typing import Any

import cbor2
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.chat.message import ChatMessage
from meteor_net.client import NetworkClient
from meteor_net.client import outbox as module
from meteor_net.client.outbox import Outbox
from meteor_net.errors import ConfigError, ConnectionFailed, Refused

from .memory import MemoryServer


def line(cid: str, **parts: object) -> ChatMessage:
    """A line as a client queues it."""
    return ChatMessage(**{"text": f"text of {cid}", "cid": cid, **parts})  # type: ignore[arg-type]


class OutboxTests(SynchronousTestCase):
    """What is in the file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.outbox = self.opened()

    def opened(self) -> Outbox:
        outbox = Outbox(self.path)
        self.addCleanup(outbox.close)
        return outbox

    def again(self) -> list[ChatMessage]:
        """What another process finds: nothing of this one's memory, and no goodbye."""
        content = self.path.read_bytes()
        copy = Path(self.mktemp())
        copy.write_bytes(content)
        other = Outbox(copy)
        other.close()
        return other.lines()

    def test_lines_are_there_again(self) -> None:
        """All that a line is said with, in the order said, without those that were answered."""
        lines = [
            line("a", channel="hall/main", about=3),
            line("b"),
            line("c", kind=70, data={"at": [1, 2.5], "raw": b"\x00\xff"}, text=""),
            line("d", kind=5, to="somebody"),
        ]
        for each in lines:
            self.outbox.put(each)
        self.outbox.remove("b")
        self.outbox.remove("b")
        self.outbox.remove("never said")
        self.assertEqual(self.again(), [lines[0], lines[2], lines[3]])

    def test_cut_anywhere(self) -> None:
        """Whatever a crash leaves of the file, the whole records before are found, and the next ones come behind them."""
        for cid in "abc":
            self.outbox.put(line(cid))
        content = self.path.read_bytes()
        size = len(content) // 3
        for length in range(len(content)):
            copy = Path(self.mktemp())
            copy.write_bytes(content[:length])
            cut = Outbox(copy)
            whole = ["a", "b", "c"][: length // size]
            self.assertEqual([each.cid for each in cut.lines()], whole)
            cut.put(line("d"))
            cut.close()
            after = Outbox(copy)
            self.assertEqual([each.cid for each in after.lines()], [*whole, "d"])
            after.close()

    def test_rubbish_at_the_end(self) -> None:
        """Blocks that a power failure left empty, and records of another shape, are no lines."""
        self.outbox.put(line("a"))
        for rubbish in (bytes(64), cbor2.dumps(["x", 1]), cbor2.dumps([1.0, *[None] * 7]), cbor2.dumps([5]), b"\xff"):
            copy = Path(self.mktemp())
            copy.write_bytes(self.path.read_bytes() + rubbish + cbor2.dumps(["a"]))
            outbox = Outbox(copy)
            self.assertEqual([each.cid for each in outbox.lines()], ["a"], rubbish)
            outbox.close()

    def test_another_file_is_left_alone(self) -> None:
        """A file that is no outbox is not overwritten."""
        other = Path(self.mktemp())
        other.write_text("my letters")
        with self.assertRaisesRegex(ConfigError, "is no outbox"):
            Outbox(other)
        self.assertEqual(other.read_text(), "my letters")
        other.write_text("")
        Outbox(other).close()  # the lock was given back

    def test_one_client_at_a_time(self) -> None:
        """Two would say each other's lines."""
        with self.assertRaisesRegex(ConfigError, "another client has"):
            Outbox(self.path)
        self.outbox.close()
        self.outbox.close()
        self.outbox.put(line("late"))  # as a client's that has gone
        self.assertEqual(self.opened().lines(), [])

    def test_no_place_for_it(self) -> None:
        """A place that is no folder is named."""
        with self.assertRaisesRegex(ConfigError, "outbox: .*nowhere.*Not a directory"):
            Outbox(self.path / "nowhere")

    def test_lines_of_yesterday(self) -> None:
        """What the server may have forgotten is not said again."""
        self.outbox.put(line("new"))
        old = cbor2.dumps([time.time() - module.LIFE_S - 1, "old", "", 0, "of yesterday", -1, "", None])
        copy = Path(self.mktemp())
        copy.write_bytes(old + self.path.read_bytes())
        outbox = Outbox(copy)
        self.addCleanup(outbox.close)
        self.assertEqual([each.cid for each in outbox.lines()], ["new"])

    def test_the_file_stays_small(self) -> None:
        """Answered lines do not pile up."""
        self.patch(module, "REWRITE_BYTES", 2_000)
        self.outbox.put(line("kept"))
        for number in range(300):
            self.outbox.put(line(f"{number}"))
            self.outbox.remove(f"{number}")
            self.assertLess(self.path.stat().st_size, 2_100)
        self.assertEqual([each.cid for each in self.again()], ["kept"])

    def test_a_full_disk(self) -> None:
        """A line that cannot be kept is refused; an answer that cannot be noted does no harm; half a record is taken back."""
        self.outbox.put(line("before"))
        whole = self.path.read_bytes()
        assert self.outbox._file is not None
        file: Any = self.outbox._file

        class Full:
            """Writes two bytes."""

            def write(self, content: bytes) -> int:
                return int(file.write(content[:2]))

            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

        self.outbox._file = Full()  # type: ignore[assignment]
        with self.assertRaisesRegex(Refused, "cannot be kept: the disk is full"):
            self.outbox.put(line("lost"))
        self.outbox.remove("before")
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.path.read_bytes(), whole)
        self.outbox._file = file
        self.outbox.put(line("after"))
        self.assertEqual([each.cid for each in self.again()], ["before", "after"])


class ClientTests(SynchronousTestCase):
    """A client with an outbox."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.server = MemoryServer()

    def client(self) -> NetworkClient:
        return self.server.client(token="t", outbox=self.path, random=SystemRandom())

    def enter(self, game: NetworkClient) -> Deferred[NetworkClient]:
        joined = game.connect()
        self.server.run()
        return joined

    def test_it_wants_a_token(self) -> None:
        """A guest's line would be somebody else's, and kept twice."""
        with self.assertRaisesRegex(ConfigError, "outbox: it wants a token"):
            self.server.client(outbox=self.path)

    def test_said_by_the_next_one(self) -> None:
        """Lines that were said, sent or not, and not answered are said by the next process under their ids, before its own."""
        answer = self.server.answers.pop(wire.Say)
        game = self.client()
        early = game.say("before it connects")
        self.successResultOf(self.enter(game))
        unanswered = game.say("unanswered")
        cids = [line.cid for line in game.chat.message_queue.values()]
        self.server.run()
        copy = self.path.read_bytes()  # as it stands when the process is killed here
        for line in (early, unanswered):
            self.assertNoResult(line)
            line.addErrback(lambda failure: failure.trap(ConnectionFailed))
        game.disconnect()
        self.server.run()

        self.path.write_bytes(copy)
        self.server = MemoryServer()
        self.server.answers[wire.Say] = answer
        game = self.client()
        said: list[str] = []
        game.on("said", lambda cid, offset: said.append(cid))
        own = game.say("mine")
        self.successResultOf(self.enter(game))
        self.assertEqual([say.text for say in self.server.found(wire.Say)], ["before it connects", "unanswered", "mine"])
        self.assertEqual([say.cid for say in self.server.found(wire.Say)], said)
        self.assertEqual(said[:2], cids)
        self.successResultOf(own)
        self.assertEqual(Outbox.lines(game._outbox), [])  # type: ignore[arg-type]
        game.disconnect()

    def test_refused_lines_are_not_kept(self) -> None:
        """What the server refused is told, and is not said again."""
        self.server.answers[wire.Say] = lambda say: [wire.Unsaid(7, say.cid, "muted", "hush")]
        game = self.client()
        refused: list[tuple[str, ...]] = []
        game.on("unsaid", lambda *what: refused.append(what))
        self.successResultOf(self.enter(game))
        self.failureResultOf(self.said(game), Refused)
        self.assertEqual([(reason, text) for _, reason, text in refused], [("muted", "hush")])
        game.disconnect()
        outbox = Outbox(self.path)
        self.assertEqual(outbox.lines(), [])
        outbox.close()

    def said(self, game: NetworkClient) -> Deferred[int]:
        said = game.say("shout")
        self.server.run()
        return said

    def test_the_same_client_again(self) -> None:
        """Who disconnects lets go of the file, and takes it again to connect; lines are there once."""
        del self.server.answers[wire.Say]
        game = self.client()
        self.successResultOf(self.enter(game))
        game.say("waits").addErrback(lambda _: None)
        game.disconnect()
        self.server.run()
        Outbox(self.path).close()
        self.successResultOf(self.enter(game))
        self.assertEqual([line.text for line in game.chat.message_queue.values()], ["waits"])
        game.disconnect()

    def test_a_file_that_another_has(self) -> None:
        """Connecting fails and says so."""
        other = Outbox(self.path)
        self.addCleanup(other.close)
        self.assertIn("another client", str(self.failureResultOf(self.enter(self.client()), ConfigError).value))
