"""Tests of `benchmarks.recovery.log`: each kind of fault is found."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.recovery.log import Kept, Log, Verdict, judge


class JudgeTests(SynchronousTestCase):
    """Two clients, with a life or two."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.history: list[Kept] = [
            (1, 0, "ann", "a1", "ann 1.1"),
            (1, 1, "bob", "b1", "bob 1.1"),
            (1, 2, "ann", "a2", "ann 1.2"),
            (1, 3, "ann", "a3", "ann 2.1"),
        ]
        self.ann = [
            ("said", "a1", "ann 1.1"), ("kept", "a1", 0), ("said", "a2", "ann 1.2"), ("said", "a3", "ann 2.1"),
            ("kept", "a2", 2),
        ]  # fmt: skip
        self.bob = [("said", "b1", "bob 1.1"), ("kept", "b1", 1)]

    def judged(self, durable: bool = True) -> Verdict:
        for name, records in (("ann", self.ann), ("bob", self.bob)):
            path = self.folder / f"{name}.ndjson"
            path.unlink(missing_ok=True)
            log = Log(path)
            for record in records:
                log.write(*record)
            log.close()
        return judge(self.history, sorted(self.folder.glob("*.ndjson")), durable)

    def found(self, durable: bool = True) -> list[str]:
        return [fault.partition(":")[0] for fault in self.judged(durable).faults]

    def test_all_is_well(self) -> None:
        """Nothing is found, and all is counted."""
        verdict = self.judged()
        self.assertEqual((verdict.faults, verdict.said, verdict.kept, verdict.late), ([], 4, 3, 1))
        self.assertIn("4 lines said, 3 acknowledged, 1 kept without; 0 faults", str(verdict))

    def test_lost(self) -> None:
        """A line that was acknowledged is not there, or is elsewhere."""
        del self.history[1]
        self.assertEqual(self.found(), ["lost", "lost"])  # it was said, too
        self.assertEqual(self.found(durable=False), ["lost"])
        self.bob[1] = ("kept", "b1", 7)
        self.history.insert(1, (1, 1, "bob", "b1", "bob 1.1"))
        self.assertEqual(self.found(), ["lost"])

    def test_said_and_lost(self) -> None:
        """An outbox that keeps what was said may not lose it; another may."""
        del self.history[3]
        self.assertEqual(self.found(), ["lost"])
        self.assertEqual(self.found(durable=False), [])

    def test_another_text(self) -> None:
        """A line stands there with another text."""
        self.history[1] = (1, 1, "bob", "b1", "bob 1.7")
        self.assertEqual(self.found(), ["lost"])

    def test_doubled(self) -> None:
        """A line is there twice, under its id or under another."""
        self.history.append((1, 4, "ann", "a3", "ann 2.1"))
        self.assertEqual(self.found(), ["doubled", "doubled"])
        self.history[-1] = (1, 4, "ann", "a9", "ann 2.1")
        self.assertEqual(self.found(), ["doubled"])

    def test_out_of_order(self) -> None:
        """A line of an earlier life stands behind one of a later."""
        self.history[2], self.history[3] = (1, 2, "ann", "a3", "ann 2.1"), (1, 3, "ann", "a2", "ann 1.2")
        self.ann[4] = ("kept", "a2", 3)
        self.assertEqual(self.found(), ["out of order"])

    def test_refused(self) -> None:
        """No line is refused here: nobody is too fast."""
        self.bob[1] = ("unsaid", "b1", "unknown")
        self.assertEqual(self.found(), ["refused"])

    def test_many_faults(self) -> None:
        """They are not all told."""
        verdict = Verdict([f"lost: {n}" for n in range(30)])
        self.assertEqual(str(verdict).splitlines()[-1], "and 20 more")
