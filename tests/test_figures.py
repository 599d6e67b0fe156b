"""FIGURE lines: what a reader of a benchmark's output relies on."""

from __future__ import annotations

import contextlib
import io

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.figures import report


class ReportTests(SynchronousTestCase):
    """Printing and comparing."""

    def report(self, **measured: float) -> tuple[int, list[str]]:
        """Report on the figures of the first benchmark."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = report({name.replace("_", "-"): value for name, value in measured.items()}, "first-")
        return status, out.getvalue().splitlines()

    def test_all_good(self) -> None:
        """A line for each figure: name, value, bar and word; and a good status."""
        status, lines = self.report(first_tick_bytes=750.04, first_json_ratio=0.2, first_client_cpu_us=1.0)
        self.assertEqual(
            lines,
            ["FIGURE first-tick-bytes 750 900 ok", "FIGURE first-json-ratio 0.2 0.2 ok", "FIGURE first-client-cpu-us 1 60 ok"],
        )
        self.assertEqual(status, 0)

    def test_one_is_short(self) -> None:
        """It is said, and the status is bad."""
        status, lines = self.report(first_tick_bytes=901, first_json_ratio=0.1, first_client_cpu_us=1.0)
        self.assertEqual(lines[0], "FIGURE first-tick-bytes 901 900 short")
        self.assertEqual(status, 1)

    def test_one_is_missing(self) -> None:
        """A figure that was not measured is short too; so is one that has no bar."""
        status, lines = self.report(first_tick_bytes=1, first_json_ratio=0.1, first_new=1)
        self.assertIn("FIGURE first-client-cpu-us missing 60 short", lines)
        self.assertIn("FIGURE first-new 1 none short", lines)
        self.assertEqual(status, 1)
