"""What is told to the operator: all of it counted, and no more lines than a disk can bear."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.limits import Limits
from meteor_net.server.logbook import Logbook, shown


class LogbookTests(SynchronousTestCase):
    """Lines of the log."""

    def setUp(self) -> None:
        self.clock = Clock()
        limits = Limits(log_lines_per_s=2, log_lines_burst=3, log_errors_per_s=1, log_errors_burst=1)
        self.logbook = Logbook(limits, self.clock.seconds)
        self.told: list[dict[str, Any]] = []
        observer: Any = self.told.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def lines(self) -> list[str]:
        """Take the lines."""
        lines = [formatEvent(event) for event in self.told]
        del self.told[:]
        return lines

    def test_line(self) -> None:
        """A line has the event and the names that there are."""
        self.logbook.report("joined", room="a/main", player="ann", user=None)
        self.assertEqual(self.lines(), ["joined room=a/main player=ann"])
        self.assertEqual(self.logbook.counters, {"joined": 1})

    def test_error(self) -> None:
        """An error comes with its traceback."""
        self.logbook.report("error", ValueError("oops"), room="a/main")
        self.assertEqual(self.lines(), ["error room=a/main"])
        (failure,) = self.flushLoggedErrors(ValueError)
        self.assertEqual(failure.value.args, ("oops",))

    def test_flood(self) -> None:
        """Beyond the rate lines are counted only, and one line says how many; that hides no error."""
        for number in range(10):
            self.logbook.report("joined", player=number)
        self.assertEqual(self.lines(), ["joined player=0", "joined player=1", "joined player=2"])
        self.logbook.report("error", ValueError("oops"))
        self.assertEqual(self.lines(), ["7 lines were left out here: too many", "error "])
        self.logbook.report("error", ValueError("oops"))
        self.assertEqual(self.lines(), [])
        self.clock.advance(1.0)
        self.logbook.report("left", player="ann")
        self.assertEqual(self.lines(), ["1 lines were left out here: too many", "left player=ann"])
        self.assertEqual(self.logbook.counters, {"joined": 10, "error": 2, "left": 1, "unlogged": 8})
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_names(self) -> None:
        """A name looks neither like another field nor like another line, whatever its owner chose."""
        for value, text in (
            ("ann", "ann"), (4003, "4003"), ("zoë", "zoë"), ("a b", "'a b'"), ("x=1", "'x=1'"), ("", "''"),
            ("a\nb", r"'a\nb'"), ("a\u202eb", r"'a\u202eb'"), ("o'hara", '"o\'hara"'),
        ):  # fmt: skip
            self.assertEqual(shown(value), text)
