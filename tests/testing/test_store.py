"""A store that outlives its servers, and what goes wrong with it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net.errors import Refused, StorageError
from meteor_net.interfaces import Identity, IStorage, StoredLine
from meteor_net.messages import LineKind
from meteor_net.testing import Network, SimulatedStore
from meteor_net.testing.store import MAX_WAITING


def line(text: str, cid: str = "", **more: Any) -> StoredLine:
    """Make a line of ann's."""
    return StoredLine(-1, 0, 0, more.pop("kind", LineKind.TEXT), "ann", "Ann", text, cid or text, **more)


class StoreTests(SynchronousTestCase):
    """One store, and the server that uses it."""

    def setUp(self) -> None:
        self.network = Network(1)
        self.store = SimulatedStore(self.network)
        self.used = self.store.connect()

    def wait(self, answer: Awaitable[Any]) -> Any:
        """Let time pass until there is an answer."""
        assert isinstance(answer, Deferred)
        return self.network.wait(answer)

    def texts(self) -> list[str]:
        """What is kept for good."""
        return [kept.text for kept in self.store.history("sea")[1]]

    def test_storage(self) -> None:
        """It is a storage like any."""
        verifyObject(IStorage, self.used)
        epoch, offset = self.wait(self.used.open("sea"))
        self.assertEqual((epoch, offset), (self.store.history("sea")[0], 0))
        self.assertEqual([self.wait(self.used.append("sea", line(text))).offset for text in "aba"], [0, 1, 0])
        with self.assertRaises(Refused):
            self.wait(self.used.append("sea", line("👍", about=7, kind=LineKind.REACTION)))
        self.assertEqual([each.text for each in self.wait(self.used.lines("sea", 0, 10))], ["b"])
        self.assertEqual([each.text for each in self.wait(self.used.page("sea", 1, 10))], ["a"])
        self.assertEqual(self.wait(self.used.recent("sea", 10))[0], 2)
        self.wait(self.used.seen(Identity("u", "Ann"), 1))
        self.assertEqual(self.wait(self.used.find("Ann")), Identity("u", "Ann"))
        self.wait(self.used.keep("world", b"w"))
        self.assertEqual((self.wait(self.used.kept("world")), self.store.kept("world"), self.used.pruned), (b"w", b"w", 0))
        self.assertEqual(self.used.counters["jobs"], 6)

    def test_close(self) -> None:
        """At its end all is written that waits, and nothing more is taken; the next server finds it all."""
        kept = [self.used.append("sea", line(text)) for text in "abc"]
        closed = self.used.close()
        self.assertNoResult(closed)
        self.failureResultOf(self.used.append("sea", line("d")), StorageError)
        self.network.advance(1.0)
        self.successResultOf(closed)
        self.assertEqual([self.successResultOf(each).offset for each in kept], [0, 1, 2])
        self.assertEqual(len(self.wait(self.store.connect().lines("sea", -1, 10))), 3)

    def test_fail(self) -> None:
        """What fails is not kept, and says so; after `heal` all is well."""
        self.store.fail(5.0)
        error = self.failureResultOf(self.done(self.used.append("sea", line("a"))), StorageError).value
        self.failureResultOf(self.done(self.used.lines("sea", -1, 10)), StorageError)
        self.assertEqual((error.unknown, self.texts()), (False, []))
        self.network.advance(5.0)
        self.successResultOf(self.done(self.used.append("sea", line("b"))))
        self.store.fail()
        self.store.heal()
        self.successResultOf(self.done(self.used.append("sea", line("c"))))
        self.assertEqual(self.texts(), ["b", "c"])

    def test_share(self) -> None:
        """Only some of it fails, if that is asked for."""
        self.store.fail(share=0.5)
        answers = [self.done(self.used.append("sea", line(str(number)))) for number in range(100)]
        failed = [number for number, answer in enumerate(answers) if self.failed(answer)]
        self.assertTrue(30 < len(failed) < 70, len(failed))
        self.assertEqual(self.texts(), [str(number) for number in range(100) if number not in failed])

    def failed(self, answer: Deferred[Any]) -> bool:
        """Whether an answer is an error, which is taken then."""
        errors: list[Any] = []
        answer.addErrback(errors.append)
        return bool(errors)

    def done(self, answer: Deferred[Any]) -> Deferred[Any]:
        """Let the time of an answer pass."""
        self.network.advance(0.1)
        return answer

    def test_forget_answers(self) -> None:
        """Nobody knows whether it was kept: some is, some is not; said again it is kept once."""
        self.store.forget_answers()
        for number in range(40):
            error = self.failureResultOf(self.done(self.used.append("sea", line(str(number)))), StorageError).value
            self.assertTrue(error.unknown)
        kept = self.texts()
        self.assertTrue(5 < len(kept) < 35, kept)
        self.store.heal()
        for number in range(40):
            self.successResultOf(self.done(self.used.append("sea", line(str(number)))))
        self.assertEqual((len(self.texts()), self.texts()[: len(kept)]), (40, kept))

    def test_delay(self) -> None:
        """Answers are late; who does not wait for them takes back what was not begun, and else does not know."""
        self.store.delay(10.0, 3.0)
        begun, waiting = self.used.append("sea", line("a")), self.used.append("sea", line("b"))
        read = self.used.lines("sea", -1, 10)
        self.network.advance(5.0)
        for answer, unknown in ((begun, True), (waiting, False), (read, False)):
            answer.cancel()
            self.assertEqual(self.failureResultOf(answer, StorageError).value.unknown, unknown)
        self.network.advance(10.0)
        self.assertEqual(self.texts(), ["a"])

    def test_busy(self) -> None:
        """So much may wait, and no more."""
        answers = [self.used.append("sea", line(str(number))) for number in range(MAX_WAITING + 2)]
        self.failureResultOf(answers[-1], StorageError)
        self.network.advance(1.0)
        self.assertEqual(len(self.texts()), MAX_WAITING + 1)

    def test_crash(self) -> None:
        """What was answered stays; what waited is lost; the batch in hand is kept as a whole or lost as a whole."""
        outcomes = set()
        for seed in range(12):
            self.network = Network(seed)
            self.store = SimulatedStore(self.network)
            used = self.store.connect()
            self.wait(used.append("sea", line("kept")))
            answers = [used.append("sea", line("a"))]
            answers += [used.append("sea", line(text)) for text in "bc"]
            if seed % 2:
                self.network.advance(0.004)  # the first one is committed, b and c are being written
                answers.append(used.append("sea", line("d")))
            self.store.crash()
            self.network.advance(10.0)
            for answer in answers[seed % 2 :]:
                self.assertNoResult(answer)
            outcomes.add((seed % 2, tuple(self.texts())))
            self.assertEqual(self.wait(self.store.connect().open("sea")).next, len(self.texts()))
        self.assertEqual(outcomes, {
            (0, ("kept",)), (0, ("kept", "a")), (1, ("kept", "a")), (1, ("kept", "a", "b", "c")),
        })  # fmt: skip
        self.store.crash()
        self.store.crash()
